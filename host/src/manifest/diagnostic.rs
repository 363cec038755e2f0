//! One thing that is wrong with a manifest: where, what, what to do about it. Printed by `cli`.
//!
//! Must hold: lines and columns count from 1, columns in characters, as editors do.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Prints as `app.toml:12:8: error: WHAT` and, below it, `  hint: WHAT TO DO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub path: PathBuf,
    /// 0 if the fault has no place in the file.
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub hint: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// The manifest could not be read at all.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let hint = match error.kind() {
        std::io::ErrorKind::NotFound => "give the path of an app.toml; `wasmactor new NAME` makes one",
        std::io::ErrorKind::IsADirectory => "give the path of the app.toml in this folder",
        _ => "the manifest must be a readable file of UTF-8 text",
    };
    let message = format!("cannot be read: {error}");
    Diagnostic { path: path.to_owned(), line: 0, column: 0, message, hint: Some(hint.to_owned()) }
}

/// The faults found so far in one text.
#[derive(Debug)]
pub(super) struct Findings<'t> {
    text: &'t str,
    path: &'t Path,
    list: Vec<Diagnostic>,
}

impl<'t> Findings<'t> {
    pub(super) fn new(text: &'t str, path: &'t Path) -> Self {
        Self { text, path, list: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a fault at a place in the text.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.push(span, message.into(), None);
    }

    /// Adds a fault that comes with advice.
    pub(super) fn hint(&mut self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.push(span, message.into(), Some(hint.into()));
    }

    fn push(&mut self, span: Range<usize>, message: String, hint: Option<String>) {
        let (line, column) = position(self.text, span.start);
        self.list.push(Diagnostic { path: self.path.to_owned(), line, column, message, hint });
    }

    /// All of them, in the order of their places.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|one| (one.line, one.column));
        self.list
    }
}

/// Line and column of a byte, both from 1. Any offset will do.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let offset = text.floor_char_boundary(offset);
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn positions_count_characters_from_one() {
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("ab\ncd", 4), (2, 2));
        assert_eq!(position("ä=1", 2), (1, 2));
        assert_eq!(position("ä", 1), (1, 1), "the middle of a character");
        assert_eq!(position("a\n", 99), (2, 1), "beyond the end");
    }
}
