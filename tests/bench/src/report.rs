//! The figures: JSON lines for programs, a table for people, and the section of docs/performance.md. Used by `main`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::machine;
use crate::stats::{median, shown};
use crate::system::{Case, Sample, Unit};

/// Runs in which others took more of the machine than this are left out where quieter ones exist.
pub(crate) const QUIET: f64 = 0.08;
/// So many of them.
const ENOUGH: usize = 3;

/// One line of the output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) workload: String,
    pub(crate) system: &'static str,
    pub(crate) workers: usize,
    pub(crate) payload_bytes: usize,
    pub(crate) width: usize,
    pub(crate) n: u64,
    pub(crate) unit: Unit,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) runs: usize,
    /// Largest share of the machine that others took during one of these runs.
    pub(crate) noise: f64,
}

/// Row of the table: its place, the workload, the payload's size, the width, the workers.
type Row = (usize, String, usize, usize, usize);

#[derive(Debug)]
struct Found {
    n: u64,
    unit: Unit,
    /// Value and noise.
    runs: Vec<(f64, f64)>,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    cells: BTreeMap<(Row, &'static str), Found>,
    systems: Vec<&'static str>,
}

impl Report {
    /// Adds what one run found. `place` orders the table.
    pub(crate) fn add(&mut self, place: usize, system: &'static str, case: &Case, samples: Vec<Sample>, noise: f64) {
        if !self.systems.contains(&system) {
            self.systems.push(system);
        }
        for sample in samples {
            let row = (place, sample.name, case.bytes, case.width, case.workers);
            let found = self.cells.entry((row, system)).or_insert_with(|| Found {
                n: case.n,
                unit: sample.unit,
                runs: Vec::new(),
            });
            found.runs.push((sample.value, noise));
        }
    }

    /// A line for each cell.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.cells.iter().map(|((row, system), found)| line(row, system, found)).collect()
    }

    /// A table with a row for each workload, payload and number of workers.
    pub(crate) fn table(&self) -> String {
        let both = self.systems.contains(&"native") && self.systems.contains(&"wasm");
        let mut head = vec!["workload".to_owned(), "bytes".to_owned(), "width".to_owned(), "workers".to_owned()];
        head.extend(self.systems.iter().map(|system| (*system).to_owned()));
        if both {
            head.push("wasm/native".to_owned());
        }
        let mut rows = vec![head];
        let places: std::collections::BTreeSet<&Row> = self.cells.keys().map(|(row, _)| row).collect();
        for row in places {
            let (_, name, bytes, width, workers) = row;
            let number = |number: &usize| if *number == 0 { "–".to_owned() } else { number.to_string() };
            let mut cells = vec![name.clone(), number(bytes), number(width), workers.to_string()];
            let line = |system| self.cells.get(&(row.clone(), system)).map(|found| line(row, system, found));
            for system in &self.systems {
                let cell = |line: Line| {
                    let shown = |value| shown(value, line.unit);
                    format!("{} ({}–{})", shown(line.median), shown(line.min), shown(line.max))
                };
                cells.push(line(*system).map_or("–".to_owned(), cell));
            }
            if both {
                let ratio = line("wasm").zip(line("native")).map(|(wasm, native)| wasm.median / native.median);
                cells.push(ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.1}")));
            }
            rows.push(cells);
        }
        markdown(&rows)
    }

    /// The generated section of docs/performance.md.
    pub(crate) fn section(&self, command: &str, date: &str) -> String {
        let lines = self.lines();
        let noisiest = lines.iter().map(|line| line.noise).fold(0.0, f64::max);
        let runs = lines.iter().map(|line| line.runs);
        let (fewest, most) = (runs.clone().min().unwrap_or(0), runs.max().unwrap_or(0));
        let mut text = String::new();
        let _ = writeln!(text, "Machine: {}. Date: {date}. Command: `{command}`.", machine::describe());
        let _ = writeln!(
            text,
            "Cells: median (minimum–maximum) of {fewest} to {most} interleaved runs. Others took at most {:.0} % of the \
             machine during a run that counts; runs with more than {:.0} % are left out where {ENOUGH} quieter ones exist.\n",
            noisiest * 100.0,
            QUIET * 100.0
        );
        text.push_str(&self.table());
        text
    }
}

fn line(row: &Row, system: &'static str, found: &Found) -> Line {
    let quiet: Vec<_> = found.runs.iter().filter(|(_, noise)| *noise <= QUIET).copied().collect();
    let runs = if quiet.len() >= ENOUGH { quiet } else { found.runs.clone() };
    let mut values: Vec<f64> = runs.iter().map(|(value, _)| rounded(*value)).collect();
    values.sort_by(f64::total_cmp);
    let noise = runs.iter().map(|(_, noise)| *noise).fold(0.0, f64::max);
    Line {
        workload: row.1.clone(),
        system,
        workers: row.4,
        payload_bytes: row.2,
        width: row.3,
        n: found.n,
        unit: found.unit,
        median: median(&values),
        min: values.first().copied().unwrap_or(0.0),
        max: values.last().copied().unwrap_or(0.0),
        runs: values.len(),
        noise: (noise * 1000.0).round() / 1000.0,
    }
}

/// Four digits are more than any figure here is good for.
fn rounded(value: f64) -> f64 {
    if value.abs() >= 1000.0 { value.round() } else { (value * 1000.0).round() / 1000.0 }
}

fn markdown(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if index == 0 {
            for width in &widths {
                let _ = write!(text, "|{}", "-".repeat(width + 2));
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Report;
    use crate::system::{Case, Sample, Unit};

    fn report(runs: &[(f64, f64)]) -> Report {
        let mut report = Report::default();
        let case = Case { workers: 1, bytes: 32, width: 0, n: 10 };
        for (ns, noise) in runs {
            report.add(0, "native", &case, vec![Sample::ns("send", *ns)], *noise);
        }
        report.add(0, "wasm", &case, vec![Sample::ns("send", 40.0)], 0.0);
        report
    }

    #[test]
    fn a_row_has_both_systems_and_the_ratio() {
        let table = report(&[(10.0, 0.0), (30.0, 0.0), (20.0, 0.0)]).table();
        let row = "| send     | 32    | –     | 1       | 20 ns (10 ns–30 ns) | 40 ns (40 ns–40 ns) | 2.0         |";
        assert_eq!(table.lines().nth(2), Some(row), "{table}");
    }

    #[test]
    fn noisy_runs_are_left_out_if_there_are_enough_quiet_ones() {
        let quiet = report(&[(10.0, 0.0), (11.0, 0.01), (12.0, 0.0), (99.0, 0.5)]).lines();
        assert_eq!((quiet[0].runs, quiet[0].max), (3, 12.0));
        let noisy = report(&[(10.0, 0.0), (99.0, 0.5)]).lines();
        assert_eq!((noisy[0].runs, noisy[0].max), (2, 99.0));
    }
}
