//! Collects what each run found, and makes a line of each cell. Used by `rounds`.

use std::collections::BTreeMap;

use crate::figures::{Line, rounded};
use crate::stats::median;
use crate::system::{Case, Sample};
use crate::unit::Unit;

/// Runs in which others took more of the machine than this are left out where quieter ones exist.
pub(crate) const QUIET: f64 = 0.08;
/// So many of them.
pub(crate) const ENOUGH: usize = 3;

/// Workload, figure, system, and workers, bytes and width of the case.
type Key = (&'static str, String, &'static str, [usize; 3]);

/// Cells in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Report {
    places: BTreeMap<Key, usize>,
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Cell {
    workload: &'static str,
    figure: String,
    system: &'static str,
    case: Case,
    unit: Unit,
    /// Value and noise.
    runs: Vec<(f64, f64)>,
}

impl Report {
    /// Adds what one run found.
    pub(crate) fn add(
        &mut self,
        workload: &'static str,
        system: &'static str,
        case: &Case,
        samples: Vec<Sample>,
        noise: f64,
    ) {
        for Sample { name, value, unit } in samples {
            let key = (workload, name.clone(), system, [case.workers, case.bytes, case.width]);
            let place = *self.places.entry(key).or_insert_with(|| {
                self.cells.push(Cell { workload, figure: name, system, case: *case, unit, runs: Vec::new() });
                self.cells.len() - 1
            });
            self.cells[place].runs.push((value, noise));
        }
    }

    /// A line for each cell.
    pub(crate) fn lines(&self, run: u64) -> Vec<Line> {
        self.cells.iter().map(|cell| cell.line(run)).collect()
    }
}

impl Cell {
    fn line(&self, run: u64) -> Line {
        let quiet: Vec<_> = self.runs.iter().filter(|(_, noise)| *noise <= QUIET).copied().collect();
        let runs = if quiet.len() >= ENOUGH { &quiet } else { &self.runs };
        let mut values: Vec<f64> = runs.iter().map(|(value, _)| rounded(*value)).collect();
        values.sort_by(f64::total_cmp);
        let noise = runs.iter().map(|(_, noise)| *noise).fold(0.0, f64::max);
        Line {
            run,
            workload: self.workload.to_owned(),
            figure: self.figure.clone(),
            system: self.system.to_owned(),
            workers: self.case.workers,
            bytes: self.case.bytes,
            width: self.case.width,
            n: self.case.n,
            unit: self.unit,
            median: median(&values),
            min: values.first().copied().unwrap_or(0.0),
            max: values.last().copied().unwrap_or(0.0),
            ns: None,
            ratio: None,
            runs: values.len(),
            noise: rounded(noise),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Report;
    use crate::figures::Line;
    use crate::system::{Case, Sample};

    fn lines(runs: &[(f64, f64)]) -> Vec<Line> {
        let mut report = Report::default();
        let case = Case { workers: 1, bytes: 32, width: 0, n: 10 };
        for (ns, noise) in runs {
            report.add("send", "native", &case, vec![Sample::ns("send", *ns)], *noise);
            report.add("send", "wasm", &case, vec![Sample::ns("send", 40.0)], 0.0);
        }
        report.lines(1)
    }

    #[test]
    fn a_cell_has_the_median_and_the_ends() {
        let lines = lines(&[(10.0, 0.0), (30.0, 0.0), (20.0, 0.0)]);
        let found: Vec<_> = lines.iter().map(|l| (l.system.as_str(), l.median, l.min, l.max, l.runs)).collect();
        assert_eq!(found, [("native", 20.0, 10.0, 30.0, 3), ("wasm", 40.0, 40.0, 40.0, 3)]);
    }

    #[test]
    fn noisy_runs_are_left_out_if_there_are_enough_quiet_ones() {
        let quiet = lines(&[(10.0, 0.0), (11.0, 0.01), (12.0, 0.0), (99.0, 0.5)]);
        assert_eq!((quiet[0].runs, quiet[0].max), (3, 12.0));
        let noisy = lines(&[(10.0, 0.0), (99.0, 0.5)]);
        assert_eq!((noisy[0].runs, noisy[0].max), (2, 99.0));
    }
}
