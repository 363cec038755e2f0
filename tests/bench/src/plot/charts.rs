//! Which figures stand in which picture.

use super::{Chart, Group, Kind, Panel};
use crate::figures::{Figures, Line, Row};
use crate::system::ours;

/// Sandboxes of others.
const SANDBOXES: [&str; 2] = ["lunatic", "rusm"];

/// What one panel shows: a title, and for each bar of a group a figure in a case.
struct Wanted {
    title: &'static str,
    bars: Vec<(&'static str, Row)>,
}

pub(super) fn all(figures: &Figures) -> Vec<Chart> {
    vec![messages(figures), actors(figures), timers(figures), tcp(figures)]
}

fn row(workers: usize, bytes: usize, width: usize) -> Row {
    Row { workers, bytes, width }
}

/// A figure with one worker and with two.
fn by_workers(title: &'static str, figure: &'static str, bytes: usize, width: usize) -> Wanted {
    Wanted { title, bars: vec![(figure, row(1, bytes, width)), (figure, row(2, bytes, width))] }
}

const WORKERS: [&str; 2] = ["1 worker", "2 workers"];

/// A picture of those panels of which something was measured.
fn chart<const N: usize>(
    figures: &Figures,
    (file, alt): (&'static str, &'static str),
    series: [&str; N],
    wanted: &[Wanted],
) -> Chart {
    Chart { file, alt, series: series.map(str::to_owned).to_vec(), panels: panels(figures, wanted) }
}

fn messages(figures: &Figures) -> Chart {
    let wanted = [
        by_workers("Send 32 bytes", "send", 32, 0),
        by_workers("Request and reply", "call-interleaved", 32, 0),
        by_workers("64 senders, one receiver: a message", "fan-in", 32, 64),
        by_workers("Ring of 1000: a hop", "ring", 32, 1000),
        by_workers("256 pairs: request and reply, wall time", "pairs", 32, 256),
        by_workers("Send 64 KiB", "send", 65_536, 0),
    ];
    let alt = "Bars: nanoseconds for a message, a call, a hop, with one worker and with two, for every system";
    chart(figures, ("messages.svg", alt), WORKERS, &wanted)
}

fn actors(figures: &Figures) -> Chart {
    let wanted = [
        by_workers("Start, first message, end", "spawn", 0, 1),
        by_workers("The same, two spawners at once", "spawn", 0, 2),
        by_workers("An idle actor's memory (RSS)", "idle-rss", 0, 100_000),
        by_workers("Tree with 100,000 leaves: an actor", "tree", 0, 100_000),
    ];
    let alt = "Bars: time to start and end an actor, bytes of an idle one, for every system";
    chart(figures, ("actors.svg", alt), WORKERS, &wanted)
}

fn timers(figures: &Figures) -> Chart {
    let late = |title, workers, busy| {
        let bars = ["timer-late-p50", "timer-late-p99", "timer-late-p99.9"];
        Wanted { title, bars: bars.map(|figure| (figure, row(workers, 0, busy))).to_vec() }
    };
    let wanted = [
        late("Timer of 10 ms, idle, 1 worker: how late", 1, 0),
        late("… idle, 2 workers", 2, 0),
        late("… beside busy pairs, 1 worker", 1, 4),
        late("… beside busy pairs, 2 workers", 2, 4),
    ];
    let alt = "Bars: how late a timer of 10 ms is, idle and under load, for every system";
    chart(figures, ("timers.svg", alt), ["median", "99 %", "99.9 %"], &wanted)
}

fn tcp(figures: &Figures) -> Chart {
    let echo = |title, figure, bytes| Wanted {
        title,
        bars: [1, 50, 500].map(|connections| (figure, row(1, bytes, connections))).to_vec(),
    };
    let wanted = [
        echo("TCP echo of 64 B, 1 worker: requests", "tcp-echo", 64),
        echo("… latency that 99 % keep", "tcp-echo-p99", 64),
        echo("TCP echo of 4 KiB, 1 worker: requests", "tcp-echo", 4096),
        echo("… latency that 99 % keep", "tcp-echo-p99", 4096),
    ];
    let alt = "Bars: requests a second and latency of TCP echo servers with 1, 50 and 500 connections";
    chart(figures, ("tcp.svg", alt), ["1 connection", "50", "500"], &wanted)
}

/// Those of which something was measured.
fn panels(figures: &Figures, wanted: &[Wanted]) -> Vec<Panel> {
    let panel = |wanted: &Wanted| {
        let line = |system: &str, (figure, row): &(&str, Row)| figures.get(figure, system, *row);
        let unit = figures.lines.iter().find(|line| wanted.bars.iter().any(|(figure, _)| line.figure == *figure))?.unit;
        let mut groups: Vec<Group> = figures
            .names(|_| true, |line| &line.system)
            .into_iter()
            .map(|system| Group {
                name: system.to_owned(),
                kind: kind(system),
                values: wanted.bars.iter().map(|bar| line(system, bar).map(median)).collect(),
            })
            .filter(|group| group.values.iter().any(Option::is_some))
            .collect();
        // The best first: by one worker, of three bars by the one in the middle.
        let rank = (wanted.bars.len() - 1) / 2;
        let key = |group: &Group| group.values[rank..].iter().flatten().next().copied().unwrap_or(0.0);
        groups.sort_by(|a, b| key(a).total_cmp(&key(b)));
        if !unit.is_cost() {
            groups.reverse();
        }
        (!groups.is_empty()).then(|| Panel { title: wanted.title.to_owned(), unit, groups })
    };
    wanted.iter().filter_map(panel).collect()
}

fn median(line: &Line) -> f64 {
    line.median
}

fn kind(system: &str) -> Kind {
    match system {
        system if ours::ALL.contains(&system) => Kind::Ours,
        system if SANDBOXES.contains(&system) => Kind::Sandbox,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{all, kind};
    use crate::figures::Figures;
    use crate::figures::tests::line;
    use crate::plot::Kind;
    use crate::unit::Unit;

    #[test]
    fn the_best_stands_first() {
        let lines = [("wasm", 85.0), ("lunatic", 340.0), ("go", 41.0)]
            .map(|(system, ns)| line("send", system, ns, Unit::Ns))
            .to_vec();
        let charts = all(&Figures::new(lines, vec![]));
        let names: Vec<_> = charts[0].panels[0].groups.iter().map(|group| (group.name.as_str(), group.kind)).collect();
        assert_eq!(names, [("go", Kind::Other), ("wasm", Kind::Ours), ("lunatic", Kind::Sandbox)]);
        assert_eq!((charts[0].panels.len(), charts[1].panels.len()), (1, 0));
        assert_eq!(kind("wasm-min"), Kind::Ours);
    }
}
