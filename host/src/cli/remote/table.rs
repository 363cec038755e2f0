//! Columns of text, and figures as people read them.

use std::time::Duration;

use bytesize::ByteSize;

/// A column's head, and where its cells stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    head: &'static str,
    right: bool,
}

impl Column {
    pub(super) fn left(head: &'static str) -> Self {
        Self { head, right: false }
    }

    pub(super) fn right(head: &'static str) -> Self {
        Self { head, right: true }
    }
}

/// All rows below the heads, each column as wide as its widest cell.
pub(super) fn render<const N: usize>(columns: &[Column; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut lines = vec![columns.map(|column| column.head.to_owned())];
    lines.extend(rows.into_iter().map(|row| row.map(|cell| tame(&cell))));
    let width = |index: usize| lines.iter().map(|line| line[index].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let mut row = String::new();
        for ((cell, column), width) in line.iter().zip(columns).zip(&widths) {
            let cell = if column.right { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            row.push_str(&cell);
            row.push_str("  ");
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// What comes from guests may hold codes that a terminal would obey.
pub(super) fn tame(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// `64 KiB`.
pub(super) fn bytes(count: usize) -> String {
    ByteSize::b(count as u64).display().iec().to_string()
}

/// Time with a worker: `1.250s`.
pub(super) fn cpu(microseconds: u64) -> String {
    let milliseconds = microseconds / 1000;
    format!("{}.{:03}s", milliseconds / 1000, milliseconds % 1000)
}

/// `12.3us`; `-`: not known.
pub(super) fn nanos(count: Option<u64>) -> String {
    const UNITS: [(&str, u64); 4] = [("ns", 1), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000)];
    let Some(count) = count else { return "-".to_owned() };
    let (unit, size) = UNITS.into_iter().rev().find(|(_, size)| count >= *size).unwrap_or(UNITS[0]);
    if size == 1 { format!("{count}{unit}") } else { format!("{}.{}{unit}", count / size, count % size * 10 / size) }
}

/// The two largest units: `2m 5s`.
pub(super) fn age(milliseconds: u64) -> String {
    if milliseconds < 1000 {
        return format!("{milliseconds}ms");
    }
    let text = humantime::format_duration(Duration::from_secs(milliseconds / 1000)).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Column, age, bytes, cpu, nanos, render};

    #[test]
    fn columns_are_as_wide_as_they_must() {
        let columns = [Column::left("NAME"), Column::right("N")];
        let rows = [[".a".to_owned(), "1".to_owned()], [".longer\x1b[2J".to_owned(), "1000".to_owned()]];
        assert_eq!(render(&columns, rows), "NAME            N\n.a              1\n.longer [2J  1000\n");
    }

    #[test]
    fn figures_are_short() {
        assert_eq!((bytes(0), bytes(64 << 10), bytes(3 << 19)), ("0 B".into(), "64.0 KiB".into(), "1.5 MiB".into()));
        assert_eq!((cpu(0), cpu(1_250_999)), ("0.000s".into(), "1.250s".into()));
        assert_eq!((nanos(None), nanos(Some(999)), nanos(Some(12_345))), ("-".into(), "999ns".into(), "12.3us".into()));
        assert_eq!((age(999), age(1000), age(125_000)), ("999ms".into(), "1s".into(), "2m 5s".into()));
        assert_eq!(age(3 * 86_400_000 + 5000), "3days 5s");
    }
}
