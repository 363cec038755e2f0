//! Figures as tables: systems are rows, cases are columns. Used by `main` for the terminal, and by `page`.

use std::fmt::Write as _;

use crate::figures::{Figures, Line, Row};
use crate::system::ours;
use crate::workload;

/// More columns are two tables, one for each number of workers.
const COLUMNS: usize = 6;

/// All tables, a heading for each workload.
pub(crate) fn all(figures: &Figures) -> String {
    let mut text = String::new();
    for workload in figures.names(|_| true, |line| &line.workload) {
        let _ = writeln!(text, "### {workload}\n");
        if let Some(workload) = workload::find(workload) {
            let about = workload.about;
            let first: String = about.chars().take(1).flat_map(char::to_uppercase).collect();
            let _ = writeln!(text, "{first}{}.\n", about.chars().skip(1).collect::<String>());
        }
        for figure in shown(figures, workload) {
            for rows in columns(figures, figure) {
                text.push_str(&table(figures, figure, &rows));
                text.push('\n');
            }
        }
    }
    text
}

/// The figures of a workload that have tables. Peers' `call` stands beside our two ways.
fn shown<'a>(figures: &'a Figures, workload: &str) -> Vec<&'a str> {
    let names = figures.names(|line| line.workload == workload, |line| &line.figure);
    let several = names.len() > 1;
    names.into_iter().filter(|name| !(several && *name == "call")).collect()
}

/// The cases of a figure, in as many tables as they need.
fn columns(figures: &Figures, figure: &str) -> Vec<Vec<Row>> {
    let mut rows: Vec<Row> = figures.lines.iter().filter(|line| line.figure == figure).map(Line::row).collect();
    rows.sort_by_key(|row| (row.bytes, row.width, row.workers));
    rows.dedup();
    if rows.len() <= COLUMNS {
        return vec![rows];
    }
    let mut workers: Vec<usize> = rows.iter().map(|row| row.workers).collect();
    workers.sort_unstable();
    workers.dedup();
    workers.iter().map(|workers| rows.iter().filter(|row| row.workers == *workers).copied().collect()).collect()
}

fn table(figures: &Figures, figure: &str, columns: &[Row]) -> String {
    let mut head = vec![figure.to_owned()];
    head.extend(columns.iter().map(|row| heading(*row)));
    let mut rows = vec![head];
    for system in figures.names(|_| true, |line| &line.system) {
        let cells: Vec<String> = columns.iter().map(|row| cell(figures, figure, system, *row)).collect();
        if cells.iter().any(|cell| cell != NOTHING) {
            rows.push([vec![system.to_owned()], cells].concat());
        }
    }
    markdown(&rows)
}

const NOTHING: &str = "–";

/// `32 B ×64, 2 w`.
fn heading(row: Row) -> String {
    let mut words = Vec::new();
    if row.bytes > 0 {
        words.push(format!("{} B", row.bytes));
    }
    if row.width > 0 {
        words.push(format!("×{}", row.width));
    }
    let case = words.join(" ");
    format!("{case}{}{} w", if case.is_empty() { "" } else { ", " }, row.workers)
}

/// Median, ends, and what it costs over ours.
fn cell(figures: &Figures, figure: &str, system: &str, row: Row) -> String {
    let Some(line) = figures.get(figure, system, row) else { return NOTHING.to_owned() };
    let value = line.unit.range(line.median, line.min, line.max);
    match figures.over_ours(figure, system, row) {
        Some(ratio) if system != ours::MAIN => format!("{value} · {ratio:.2}×"),
        _ => value,
    }
}

/// Columns are aligned up to this width: longer cells would make every line long.
const ALIGNED: usize = 40;

/// Rows, the first of which is the heading, as Markdown.
pub(crate) fn markdown(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).min(ALIGNED)
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
    use super::all;
    use crate::figures::Figures;
    use crate::figures::tests::line;
    use crate::unit::Unit;

    #[test]
    fn peers_stand_beside_both_ways_to_call() {
        let figures = Figures::new(
            vec![
                line("call-interleaved", "wasm", 200.0, Unit::Ns),
                line("call-exclusive", "wasm", 400.0, Unit::Ns),
                line("call", "erlang", 500.0, Unit::Ns),
            ],
            vec![],
        );
        let text = all(&figures);
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|') && !line.starts_with("|-")).collect();
        let expected = [
            "| call-interleaved | 32 B, 1 w              |",
            "| wasm             | 200 ns (180–220)       |",
            "| erlang           | 500 ns (450–550) · 2.50× |",
            "| call-exclusive | 32 B, 1 w              |",
            "| wasm           | 400 ns (360–440)       |",
            "| erlang         | 500 ns (450–550) · 1.25× |",
        ];
        let trimmed = |rows: &[&str]| rows.iter().map(|row| row.replace(' ', "")).collect::<Vec<_>>();
        assert_eq!(trimmed(&rows), trimmed(&expected), "{text}");
        assert!(text.starts_with("### call\n\nRequest and reply"), "{text}");
    }

    #[test]
    fn many_cases_are_a_table_for_each_number_of_workers() {
        let mut lines = Vec::new();
        for (workers, width) in [(1, 1), (1, 50), (1, 500), (1, 5000), (2, 1), (2, 50), (2, 500)] {
            let mut line = line("tcp-echo", "wasm", 1e5, Unit::PerSecond);
            (line.workers, line.width, line.bytes) = (workers, width, 64);
            lines.push(line);
        }
        let text = all(&Figures::new(lines, vec![]));
        let heads: Vec<String> =
            text.lines().filter(|line| line.starts_with("| tcp-echo")).map(|line| line.replace(' ', "")).collect();
        let one = "|tcp-echo|64B×1,1w|64B×50,1w|64B×500,1w|64B×5000,1w|";
        assert_eq!(heads, [one, "|tcp-echo|64B×1,2w|64B×50,2w|64B×500,2w|"]);
    }
}
