//! What was measured, as lines: of one run, or of several runs' files. Used by what renders.
//!
//! Must hold: two figures are compared only if they are of the same run; a row of a table is of one run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::system::ours;
use crate::unit::Unit;
use crate::workload;

/// One line of the output: what one system did in one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Which run; see [`RunInfo`].
    pub(crate) run: u64,
    pub(crate) workload: String,
    /// The workload's name, or what else was seen in it.
    pub(crate) figure: String,
    pub(crate) system: String,
    pub(crate) workers: usize,
    pub(crate) bytes: usize,
    pub(crate) width: usize,
    /// How often the thing was done in each run.
    pub(crate) n: u64,
    pub(crate) unit: Unit,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Nanoseconds for one, where the unit allows it.
    pub(crate) ns: Option<f64>,
    /// What it costs here over what it costs with `wasm`: 2 is half as good as ours.
    pub(crate) ratio: Option<f64>,
    /// Runs that count.
    pub(crate) runs: usize,
    /// Largest share of the machine that others took during one of these runs.
    pub(crate) noise: f64,
}

/// Where a run's lines come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunInfo {
    /// Its start, in seconds since 1970.
    pub(crate) run: u64,
    pub(crate) machine: String,
    pub(crate) command: String,
}

/// A line of a saved file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Record {
    Line(Line),
    Run(RunInfo),
}

/// A case, as a row of a table has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) workers: usize,
    pub(crate) bytes: usize,
    pub(crate) width: usize,
}

impl Line {
    pub(crate) fn row(&self) -> Row {
        Row { workers: self.workers, bytes: self.bytes, width: self.width }
    }

    /// What one costs, so that less is better, whatever the unit. None: nothing was done.
    fn cost(&self) -> Option<f64> {
        let cost = if self.unit.is_cost() { self.median } else { 1.0 / self.median };
        (cost > 0.0 && cost.is_finite()).then_some(cost)
    }
}

/// All lines, in the order of the tables.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) lines: Vec<Line>,
    pub(crate) runs: Vec<RunInfo>,
}

impl Figures {
    /// Sorts lines, and adds what follows from all of them.
    pub(crate) fn new(lines: Vec<Line>, runs: Vec<RunInfo>) -> Self {
        let mut figures = Self { lines, runs };
        figures.keep_latest();
        let place = |line: &Line| workload::ALL.iter().position(|workload| workload.name == line.workload);
        figures.lines.sort_by_key(place);
        let ratios: Vec<_> = figures.lines.iter().map(|line| figures.ratio(line)).collect();
        for (line, ratio) in figures.lines.iter_mut().zip(ratios) {
            line.ratio = ratio.map(rounded);
            line.ns = match line.unit {
                Unit::Ns => Some(line.median),
                Unit::PerSecond if line.median > 0.0 => Some(rounded(1e9 / line.median)),
                _ => None,
            };
        }
        figures
    }

    /// Of each row the latest run.
    fn keep_latest(&mut self) {
        let key = |line: &Line| (line.workload.clone(), line.row());
        let mut latest = BTreeMap::new();
        for line in &self.lines {
            let run = latest.entry(key(line)).or_insert(line.run);
            *run = line.run.max(*run);
        }
        self.lines.retain(|line| latest.get(&key(line)) == Some(&line.run));
        self.runs.retain(|run| self.lines.iter().any(|line| line.run == run.run));
        self.runs.sort_by_key(|run| run.run);
        self.runs.dedup();
    }

    fn ratio(&self, line: &Line) -> Option<f64> {
        // Peers have one way to call, which is compared with the usual one of ours.
        let figure = if line.figure == "call" { "call-interleaved" } else { &line.figure };
        let ours = self.exact(figure, ours::MAIN, line.row())?;
        line.cost().zip(ours.cost()).map(|(cost, ours)| cost / ours)
    }

    fn exact(&self, figure: &str, system: &str, row: Row) -> Option<&Line> {
        self.lines.iter().find(|line| line.figure == figure && line.system == system && line.row() == row)
    }

    /// A figure of a system; both of our ways to call are what peers' `call` is compared with.
    pub(crate) fn get(&self, figure: &str, system: &str, row: Row) -> Option<&Line> {
        let other = || figure.starts_with("call-").then(|| self.exact("call", system, row)).flatten();
        self.exact(figure, system, row).or_else(other)
    }

    /// What a figure costs over what it costs with ours.
    pub(crate) fn over_ours(&self, figure: &str, system: &str, row: Row) -> Option<f64> {
        let cost = self.get(figure, system, row)?.cost()?;
        Some(cost / self.exact(figure, ours::MAIN, row)?.cost()?)
    }

    /// The names that `of` has, in the lines' order, of the lines that `which` wants.
    pub(crate) fn names(&self, which: impl Fn(&Line) -> bool, of: fn(&Line) -> &String) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for line in self.lines.iter().filter(|line| which(line)) {
            if !names.contains(&of(line).as_str()) {
                names.push(of(line));
            }
        }
        names
    }

    /// As JSON, a line each.
    pub(crate) fn json(&self) -> Result<String> {
        let runs = self.runs.iter().cloned().map(Record::Run);
        let records = runs.chain(self.lines.iter().cloned().map(Record::Line));
        let mut text = String::new();
        for record in records {
            text.push_str(&serde_json::to_string(&record)?);
            text.push('\n');
        }
        Ok(text)
    }

    /// From files that `json` wrote.
    pub(crate) fn read(files: &[impl AsRef<Path>]) -> Result<Self> {
        let (mut lines, mut runs) = (Vec::new(), Vec::new());
        for file in files {
            let path = file.as_ref().display();
            let text = fs::read_to_string(file).with_context(|| path.to_string())?;
            for (number, line) in text.lines().enumerate() {
                match serde_json::from_str(line).with_context(|| format!("{path}, line {}", number + 1))? {
                    Record::Line(line) => lines.push(line),
                    Record::Run(run) => runs.push(run),
                }
            }
        }
        ensure!(!lines.is_empty(), "there is no figure in these files");
        Ok(Self::new(lines, runs))
    }
}

/// Four digits are more than any figure here is good for.
pub(crate) fn rounded(value: f64) -> f64 {
    if value.abs() >= 1000.0 { value.round() } else { (value * 1000.0).round() / 1000.0 }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Figures, Line, Row, RunInfo};
    use crate::unit::Unit;

    pub(crate) const ONE: Row = Row { workers: 1, bytes: 32, width: 0 };

    /// A line of a run, at `ONE`.
    pub(crate) fn line(figure: &str, system: &str, median: f64, unit: Unit) -> Line {
        let workload = if figure.starts_with("call") { "call" } else { figure };
        let (min, max) = (median * 0.9, median * 1.1);
        Line {
            run: 7,
            workload: workload.to_owned(),
            figure: figure.to_owned(),
            system: system.to_owned(),
            workers: 1,
            bytes: 32,
            width: 0,
            n: 10,
            unit,
            median,
            min,
            max,
            ns: None,
            ratio: None,
            runs: 5,
            noise: 0.0,
        }
    }

    #[test]
    fn ratios_are_costs_over_ours() {
        let figures = Figures::new(
            vec![
                line("tcp-echo", "wasm", 100.0, Unit::PerSecond),
                line("tcp-echo", "mio", 125.0, Unit::PerSecond),
                line("call-interleaved", "wasm", 200.0, Unit::Ns),
                line("call-exclusive", "wasm", 400.0, Unit::Ns),
                line("call", "erlang", 500.0, Unit::Ns),
            ],
            vec![],
        );
        let found: Vec<_> = figures.lines.iter().map(|line| (line.figure.as_str(), line.ratio, line.ns)).collect();
        let expected = [
            ("call-interleaved", Some(1.0), Some(200.0)),
            ("call-exclusive", Some(1.0), Some(400.0)),
            ("call", Some(2.5), Some(500.0)),
            ("tcp-echo", Some(1.0), Some(1e7)),
            ("tcp-echo", Some(0.8), Some(8e6)),
        ];
        assert_eq!(found, expected);
        assert_eq!(figures.over_ours("call-exclusive", "erlang", ONE), Some(1.25));
        assert_eq!(figures.over_ours("call-exclusive", "go", ONE), None);
    }

    #[test]
    fn the_latest_run_of_a_row_counts() {
        let old = Line { run: 1, ..line("send", "erlang", 1.0, Unit::Ns) };
        let other = Line { run: 1, workers: 2, ..old.clone() };
        let new = line("send", "wasm", 2.0, Unit::Ns);
        let info = |run| RunInfo { run, machine: String::new(), command: String::new() };
        let figures = Figures::new(vec![old, other, new], vec![info(7), info(1), info(3)]);
        let found: Vec<_> = figures.lines.iter().map(|line| (line.run, line.system.as_str())).collect();
        assert_eq!(found, [(1, "erlang"), (7, "wasm")]);
        assert_eq!(figures.runs, [info(1), info(7)]);
    }

    #[test]
    fn files_come_back() {
        let info = RunInfo { run: 7, machine: "m".to_owned(), command: "c".to_owned() };
        let figures = Figures::new(vec![line("send", "wasm", 2.5, Unit::Ns)], vec![info]);
        let path = std::env::temp_dir().join(format!("wasmactor-bench-{}.jsonl", std::process::id()));
        std::fs::write(&path, figures.json().expect("json")).expect("a file");
        let back = Figures::read(&[&path]).expect("the same");
        std::fs::remove_file(&path).expect("ours");
        assert_eq!((back.lines, back.runs), (figures.lines, figures.runs));
    }
}
