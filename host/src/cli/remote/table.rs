//! Columns of text.

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
pub(in crate::cli) fn tame(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Column, render};

    #[test]
    fn columns_are_as_wide_as_they_must() {
        let columns = [Column::left("NAME"), Column::right("N")];
        let rows = [[".a".to_owned(), "1".to_owned()], [".longer\x1b[2J".to_owned(), "1000".to_owned()]];
        assert_eq!(render(&columns, rows), "NAME            N\n.a              1\n.longer [2J  1000\n");
    }
}
