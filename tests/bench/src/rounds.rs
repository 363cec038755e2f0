//! Goes over all workloads, numbers of workers and systems, round by round. Used by `main`.
//!
//! Must hold: systems are interleaved, so that a noisy time is everybody's; what fails is said, is not measured again,
//! and does not end the run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;

use crate::cli::Cli;
use crate::figures::{Figures, RunInfo};
use crate::machine;
use crate::report::Report;
use crate::stats::CpuTime;
use crate::system::{Case, Sample, System};
use crate::unit::Unit;
use crate::workload::{Fit, Workload};

/// A cell of the tables: workload, place among its sizes, workers, system.
type Cell = (&'static str, usize, usize, &'static str);

/// What is under way.
pub(crate) struct Rounds<'a> {
    cli: &'a Cli,
    workloads: Vec<&'static Workload>,
    systems: Vec<Box<dyn System>>,
    report: Report,
    /// How often the thing is done in a run.
    fitted: BTreeMap<Cell, u64>,
    /// What a system cannot do.
    left_out: BTreeSet<Cell>,
    failures: Vec<String>,
}

/// What came of it.
pub(crate) struct Ran {
    pub(crate) figures: Figures,
    pub(crate) failures: Vec<String>,
}

impl<'a> Rounds<'a> {
    pub(crate) fn new(cli: &'a Cli, workloads: Vec<&'static Workload>, systems: Vec<Box<dyn System>>) -> Self {
        Self {
            cli,
            workloads,
            systems,
            report: Report::default(),
            fitted: BTreeMap::new(),
            left_out: BTreeSet::new(),
            failures: Vec::new(),
        }
    }

    /// Measures all.
    pub(crate) fn run(mut self, command: String) -> Ran {
        let run = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        eprintln!("warm-up: what is repeated is fitted to the speed of each system");
        self.round(0);
        for round in 1..=self.cli.runs {
            let started = Instant::now();
            eprintln!("round {round} of {}", self.cli.runs);
            self.round(round);
            let left = started.elapsed() * u32::try_from(self.cli.runs - round).unwrap_or(u32::MAX);
            if !left.is_zero() {
                eprintln!("  about {} left", rough(left));
            }
        }
        let info = RunInfo { run, machine: machine::describe(), command };
        Ran { figures: Figures::new(self.report.lines(run), vec![info]), failures: self.failures }
    }

    fn round(&mut self, round: usize) {
        for workload in self.workloads.clone() {
            if round == 0 && !matches!(workload.fit, Fit::Millis(_)) {
                continue;
            }
            for (place, workers) in cases(workload, &self.cli.workers) {
                let mut found = Vec::new();
                for index in 0..self.systems.len() {
                    found.extend(self.cell(round, workload, place, workers, index));
                }
                if round > 0 && !found.is_empty() {
                    let case = self.case(workload, place, workers, None);
                    eprintln!("  {}: {}", words(workload, &case), found.join(", "));
                }
            }
        }
    }

    /// Measures one; what is to be said of it.
    fn cell(
        &mut self,
        round: usize,
        workload: &'static Workload,
        place: usize,
        workers: usize,
        index: usize,
    ) -> Option<String> {
        let system = &self.systems[index];
        let cell = (workload.name, place, workers, system.name());
        if self.left_out.contains(&cell) {
            return None;
        }
        let case = self.case(workload, place, workers, Some(cell));
        let before = CpuTime::now();
        let measured = system.measure(workload, &case);
        let noise = before.zip(CpuTime::now()).map_or(0.0, |(before, now)| now.taken_by_others(&before));
        match measured {
            Ok(Some(samples)) => {
                let first = samples.first()?;
                let said = format!("{} {}", system.name(), first.unit.shown(first.value));
                if round == 0 {
                    self.fitted.insert(cell, fit(workload.fit, &case, first, self.cli.quick));
                } else {
                    self.report.add(workload.name, system.name(), &case, samples, noise);
                }
                Some(said)
            }
            Ok(None) => {
                self.left_out.insert(cell);
                None
            }
            Err(error) => {
                let failure = format!("{}, {}: {error:#}", system.name(), words(workload, &case));
                eprintln!("  {failure}");
                self.failures.push(failure);
                self.left_out.insert(cell);
                None
            }
        }
    }

    fn case(&self, workload: &Workload, place: usize, workers: usize, cell: Option<Cell>) -> Case {
        let (bytes, width, n) = workload.sizes[place];
        let fitted = cell.and_then(|cell| self.fitted.get(&cell));
        quick(workload.fit, Case { workers, bytes, width, n }, self.cli.quick, fitted)
    }
}

/// Pairs of a size's place and a number of workers.
fn cases(workload: &Workload, workers: &[usize]) -> Vec<(usize, usize)> {
    (0..workload.sizes.len()).flat_map(|place| workers.iter().map(move |workers| (place, *workers))).collect()
}

/// The case with `n` as fitted, else as a quick look wants it.
fn quick(fit: Fit, case: Case, quick: u64, fitted: Option<&u64>) -> Case {
    if let Some(n) = fitted {
        return Case { n: *n, ..case };
    }
    let n = (case.n / quick).max(1);
    if fit != Fit::Width {
        return Case { n, ..case };
    }
    // Trees need a power of ten.
    let divisor = 10_u64.pow(quick.ilog10());
    let width = case.width / usize::try_from(divisor).unwrap_or(usize::MAX);
    Case { n: (case.n / divisor).max(1), width: width.max(1), ..case }
}

/// How often a run of the wanted length does it.
fn fit(fit: Fit, case: &Case, first: &Sample, quick: u64) -> u64 {
    let Fit::Millis(millis) = fit else { return case.n };
    let ns = match first.unit {
        Unit::PerSecond => 1e9 / first.value,
        _ => first.value,
    };
    if !(ns.is_finite() && ns > 0.0) {
        return case.n;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and clamped by `as`")]
    let n = (millis as f64 * 1e6 / quick as f64 / ns) as u64;
    // Everyone who takes part has something to do; a first measurement that was far off does no harm.
    n.clamp((4 * case.width as u64).max(100), case.n.saturating_mul(100).max(100))
}

/// A case as people say it.
fn words(workload: &Workload, case: &Case) -> String {
    let mut text = workload.name.to_owned();
    if case.bytes > 0 {
        text.push_str(&format!(" {} B", case.bytes));
    }
    if case.width > 0 {
        text.push_str(&format!(" ×{}", case.width));
    }
    let plural = if case.workers == 1 { "" } else { "s" };
    format!("{text}, {} worker{plural}", case.workers)
}

fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 90 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

/// Writes what failed; the run is good for the rest.
pub(crate) fn say_failures(failures: &[String]) -> Result<()> {
    anyhow::ensure!(failures.is_empty(), "not everything could be measured:\n  {}", failures.join("\n  "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{fit, quick, words};
    use crate::system::{Case, Sample};
    use crate::unit::Unit;
    use crate::workload::{Fit, find};

    const CASE: Case = Case { workers: 2, bytes: 32, width: 64, n: 1000 };

    #[test]
    fn runs_are_fitted_to_the_speed() {
        let n = |ns, quick| fit(Fit::Millis(200), &CASE, &Sample::ns("send", ns), quick);
        assert_eq!((n(10_000.0, 1), n(10_000.0, 10)), (20_000, 2_000));
        assert_eq!((n(0.001, 1), n(1e9, 1), n(0.0, 1)), (100_000, 256, 1000));
        let rate = Sample::new("tcp-echo", 100_000.0, Unit::PerSecond);
        assert_eq!(fit(Fit::Millis(500), &CASE, &rate, 1), 50_000);
        assert_eq!(fit(Fit::No, &CASE, &rate, 1), 1000);
    }

    #[test]
    fn a_quick_look_is_smaller() {
        assert_eq!(quick(Fit::No, CASE, 10, None), Case { n: 100, ..CASE });
        assert_eq!(quick(Fit::No, CASE, 10, Some(&5)), Case { n: 5, ..CASE });
        let tree = Case { width: 100_000, n: 111_111, ..CASE };
        assert_eq!(quick(Fit::Width, tree, 50, None), Case { width: 10_000, n: 11_111, ..CASE });
    }

    #[test]
    fn cases_have_words() {
        let send = find("send").expect("it is there");
        assert_eq!(words(send, &CASE), "send 32 B ×64, 2 workers");
        assert_eq!(words(send, &Case { workers: 1, bytes: 0, width: 0, n: 1 }), "send, 1 worker");
    }
}
