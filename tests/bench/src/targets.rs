//! The aims of the project and what became of them, computed from a run's figures. Used by `main` and `page`.
//!
//! Must hold: an aim is met only if each of its conditions is, by the median, against a peer of the same run.

mod list;

use crate::figures::{Figures, Line, Row};
use crate::system::ours;
use crate::table::markdown;
use crate::unit::Unit;

/// One row: an aim and the conditions that make it.
#[derive(Debug)]
struct Target {
    workload: &'static str,
    /// In the words of the aim.
    aim: &'static str,
    conditions: &'static [Condition],
}

/// Ours over another value, bounded.
#[derive(Debug)]
struct Condition {
    /// Which of several it is; empty if there is one.
    what: &'static str,
    ours: Pick,
    other: Other,
    bound: Bound,
}

/// A figure of a system in a case.
#[derive(Clone, Copy, Debug)]
struct Pick {
    figure: &'static str,
    system: &'static str,
    row: Row,
}

#[derive(Clone, Copy, Debug)]
enum Other {
    /// Measured in the same run.
    Figure(Pick),
    /// skynet's, measured elsewhere; see `list`.
    Skynet(f64),
    /// A fixed value.
    Value(f64),
}

/// Of the ratio.
#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// What became of a condition.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    ours: String,
    peer: String,
    ratio: String,
    /// None: not measured.
    met: Option<bool>,
}

impl Bound {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(most) => ratio <= most,
            Self::AtLeast(least) => ratio >= least,
        }
    }
}

impl Pick {
    fn find(self, figures: &Figures) -> Option<&Line> {
        figures.get(self.figure, self.system, self.row)
    }
}

impl Condition {
    fn outcome(&self, figures: &Figures) -> Outcome {
        let label = |text: String| match self.what {
            "" => text,
            what => format!("{what}: {text}"),
        };
        let nothing = || "–".to_owned();
        let Some(ours) = self.ours.find(figures) else {
            return Outcome { ours: label(NOT_MEASURED.to_owned()), peer: nothing(), ratio: nothing(), met: None };
        };
        let said = label(shown(ours.unit, ours.median));
        let (value, peer) = match self.other {
            Other::Figure(pick) => match pick.find(figures) {
                Some(line) if line.run == ours.run => {
                    (line.median, format!("{} {}", name(&self.ours, &pick), shown(line.unit, line.median)))
                }
                _ => {
                    let peer = format!("{} not in this run", name(&self.ours, &pick));
                    return Outcome { ours: said, peer, ratio: nothing(), met: None };
                }
            },
            Other::Skynet(value) => (value, format!("skynet* {}", shown(ours.unit, value))),
            Other::Value(value) => (value, nothing()),
        };
        // Zero is a bound that has no ratio.
        let (ratio, met) = if value == 0.0 {
            (nothing(), ours.median >= 0.0)
        } else {
            let ratio = ours.median / value;
            (format!("{ratio:.2}"), self.bound.holds(ratio))
        };
        let ratio = if matches!(self.other, Other::Value(_)) { nothing() } else { ratio };
        Outcome { ours: said, peer, ratio, met: Some(met) }
    }
}

/// Of two figures of one system the case tells which is which.
fn name(ours: &Pick, other: &Pick) -> String {
    if ours.system == other.system { format!("{} w", other.row.workers) } else { other.system.to_owned() }
}

/// Large memory in the unit of the aim.
fn shown(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Bytes if value >= 1e9 => format!("{:.1} GiB", crate::memory::gib(value)),
        Unit::Count => format!("{value:.0}"),
        _ => unit.shown(value),
    }
}

const NOT_MEASURED: &str = "not measured";
/// The verdict's column.
const VERDICT: usize = 5;

fn verdict(outcomes: &[Outcome]) -> String {
    let count = |met| outcomes.iter().filter(|outcome| outcome.met == met).count();
    let (met, missed, all) = (count(Some(true)), count(Some(false)), outcomes.len());
    match () {
        () if met == all => "met".to_owned(),
        () if met + missed == 0 => NOT_MEASURED.to_owned(),
        () if missed == 0 => format!("{met} of {all} met, the rest not measured"),
        () if all == 1 => "**missed**".to_owned(),
        () => format!("**missed** ({missed} of {all})"),
    }
}

/// The rows; `between` parts the conditions of one.
fn rows(figures: &Figures, targets: &[Target], between: &str) -> Vec<Vec<String>> {
    let head = ["workload", "target", "ours", "compared with", "ratio", "verdict", "all peers (ours / theirs)"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for target in targets {
        let outcomes: Vec<_> = target.conditions.iter().map(|condition| condition.outcome(figures)).collect();
        let column = |of: fn(&Outcome) -> &str| {
            let cells: Vec<&str> = outcomes.iter().map(of).collect();
            if cells.iter().all(|cell| *cell == "–") { "–".to_owned() } else { cells.join(between) }
        };
        rows.push(vec![
            target.workload.to_owned(),
            target.aim.to_owned(),
            column(|outcome| &outcome.ours),
            column(|outcome| &outcome.peer),
            column(|outcome| &outcome.ratio),
            verdict(&outcomes),
            peers(figures, target, between),
        ]);
    }
    rows
}

/// What others did in the case of the first condition, in the same run, the least first, with ours over theirs.
fn peers(figures: &Figures, target: &Target, between: &str) -> String {
    let Some((pick, ours)) = target.conditions.first().and_then(|first| Some((first.ours, first.ours.find(figures)?)))
    else {
        return "–".to_owned();
    };
    let mut found: Vec<&Line> = figures
        .names(|line| line.run == ours.run && !ours::ALL.contains(&line.system.as_str()), |line| &line.system)
        .into_iter()
        .filter_map(|system| figures.get(pick.figure, system, pick.row))
        .filter(|line| line.run == ours.run && line.median > 0.0)
        .collect();
    found.sort_by(|a, b| a.median.total_cmp(&b.median));
    let said =
        |line: &&Line| format!("{} {} ({:.2})", line.system, shown(line.unit, line.median), ours.median / line.median);
    let cells: Vec<String> = found.iter().map(said).collect();
    if cells.is_empty() { "–".to_owned() } else { cells.join(between) }
}

/// For the terminal: those that something was measured of, if any.
pub(crate) fn table(figures: &Figures) -> String {
    let mut rows = rows(figures, list::ALL, "; ");
    rows.retain(|row| row.get(VERDICT).is_none_or(|verdict| verdict != NOT_MEASURED));
    if rows.len() == 1 {
        return String::new();
    }
    format!("### targets\n\n{}\n{}\n", markdown(&rows), list::SKYNET_NOTE)
}

/// For the page.
pub(crate) fn section(figures: &Figures) -> String {
    format!("{}\n{}\n", markdown(&rows(figures, list::ALL, "<br>")), list::SKYNET_NOTE)
}

#[cfg(test)]
mod tests {
    use super::{Bound, Condition, Other, Pick, Target, list, rows, verdict};
    use crate::figures::tests::{ONE, line};
    use crate::figures::{Figures, Line};
    use crate::unit::Unit;

    const fn pick(figure: &'static str, system: &'static str) -> Pick {
        Pick { figure, system, row: ONE }
    }

    const SEND: Target = Target {
        workload: "send",
        aim: "≤ 0.9 x BEAM",
        conditions: &[Condition {
            what: "",
            ours: pick("send", "wasm"),
            other: Other::Figure(pick("send", "erlang")),
            bound: Bound::AtMost(0.9),
        }],
    };

    fn cells(lines: Vec<Line>) -> Vec<String> {
        rows(&Figures::new(lines, vec![]), &[SEND], "; ").remove(1)
    }

    #[test]
    fn an_aim_is_met_or_missed_by_the_ratio() {
        let against = |ours| cells(vec![line("send", "wasm", ours, Unit::Ns), line("send", "erlang", 100.0, Unit::Ns)]);
        let met = ["send", "≤ 0.9 x BEAM", "90.0 ns", "erlang 100 ns", "0.90", "met", "erlang 100 ns (0.90)"];
        assert_eq!(against(90.0), met);
        assert_eq!(against(91.0)[4..6], ["0.91", "**missed**"]);
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert_eq!(cells(vec![])[2..], ["not measured", "–", "–", "not measured", "–"]);
        let alone = cells(vec![line("send", "wasm", 90.0, Unit::Ns)]);
        assert_eq!(alone[2..], ["90.0 ns", "erlang not in this run", "–", "not measured", "–"]);
    }

    #[test]
    fn all_peers_of_the_run_are_told() {
        let systems = [("wasm", 90.0), ("native", 40.0), ("lunatic", 300.0), ("go", 45.0)];
        let found = cells(systems.map(|(system, ns)| line("send", system, ns, Unit::Ns)).to_vec());
        assert_eq!(found[6], "go 45.0 ns (2.00); lunatic 300 ns (0.30)");
    }

    #[test]
    fn every_condition_counts() {
        let at_least = Condition {
            what: "least",
            ours: pick("fairness", "wasm"),
            other: Other::Value(40.0),
            bound: Bound::AtLeast(1.0),
        };
        let never = Condition { what: "min", other: Other::Value(0.0), ..at_least };
        let found = |value| {
            let figures = Figures::new(vec![line("fairness", "wasm", value, Unit::Percent)], vec![]);
            [at_least.outcome(&figures), never.outcome(&figures)]
        };
        assert_eq!(found(40.0).clone().map(|outcome| outcome.met), [Some(true), Some(true)]);
        assert_eq!(found(39.0).map(|outcome| outcome.met), [Some(false), Some(true)]);
        assert_eq!(found(-1.0).map(|outcome| outcome.met), [Some(false), Some(false)]);
        assert_eq!(verdict(&found(39.0)), "**missed** (1 of 2)");
        assert_eq!(found(39.0)[0].ours, "least: 39.0 %");
    }

    #[test]
    fn the_list_names_figures_that_exist() {
        for condition in list::ALL.iter().flat_map(|target| target.conditions) {
            let stem = |figure: &str| crate::workload::ALL.iter().any(|workload| figure.starts_with(workload.name));
            assert!(stem(condition.ours.figure), "{condition:?}");
            if let Other::Figure(pick) = condition.other {
                assert!(stem(pick.figure), "{condition:?}");
            }
        }
    }
}
