//! A file of the workspace: its text, and for Rust its tokens. Used by the rules.
//!
//! Comments are no tokens; doc comments are, as attributes, so a rule never trips over words in prose.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Empty for files that are not Rust.
    pub(crate) tokens: Vec<Token>,
}

/// An identifier, a punctuation character, a literal, or a bracket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// From 1.
    pub(crate) line: usize,
}

impl Source {
    /// Reads a file below the root.
    pub(crate) fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read(root.join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let text = String::from_utf8(text).unwrap_or_else(|_| panic!("{}: not UTF-8", path.display()));
        Self::new(&path.to_string_lossy(), text)
    }

    pub(crate) fn new(path: &str, text: impl Into<String>) -> Self {
        let (path, text) = (path.to_owned(), text.into());
        let mut tokens = Vec::new();
        if path.ends_with(".rs") {
            let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
            flatten(stream, &mut tokens);
        }
        Self { path, text, tokens }
    }

    /// `PATH:LINE: MESSAGE`, as editors understand it.
    pub(crate) fn finding(&self, line: usize, message: impl std::fmt::Display) -> String {
        format!("{}:{line}: {message}", self.path)
    }

    /// Whether the tokens from an index on are these.
    pub(crate) fn at(&self, index: usize, words: &[&str]) -> bool {
        let here = self.tokens.get(index..).unwrap_or_default();
        words.len() <= here.len() && words.iter().zip(here).all(|(word, token)| token.text == *word)
    }

    /// Where these tokens stand.
    pub(crate) fn find(&self, words: &[&str]) -> impl Iterator<Item = usize> {
        (0..self.tokens.len()).filter(move |index| self.at(*index, words))
    }

    /// The names that follow `path ::`: one, or those at the top of a `{…}` group. With their lines.
    pub(crate) fn after(&self, words: &[&str]) -> Vec<(&str, usize)> {
        let mut names = Vec::new();
        for found in self.find(words) {
            let start = found + words.len();
            let Some(first) = self.tokens.get(start) else { continue };
            if first.text != "{" {
                names.push((first.text.as_str(), first.line));
                continue;
            }
            let (mut depth, mut fresh) = (0, false);
            for token in &self.tokens[start..] {
                match token.text.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    name if fresh && depth == 1 => names.push((name, token.line)),
                    _ => {}
                }
                fresh = depth == 1 && matches!(token.text.as_str(), "{" | ",");
                if depth == 0 {
                    break;
                }
            }
        }
        names
    }

    /// The variants of an enum of clap's, as they are typed, with `help`.
    pub(crate) fn variants(&self, name: &str) -> BTreeSet<String> {
        let mut words = BTreeSet::from(["help".to_owned()]);
        let Some(start) = self.find(&["enum", name, "{"]).next() else { return words };
        let mut depth = 0;
        for (index, token) in self.tokens.iter().enumerate().skip(start + 2) {
            match token.text.as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                word if depth == 1 && word.starts_with(char::is_uppercase) => drop(words.insert(word.to_lowercase())),
                _ => {}
            }
            if depth == 0 && index > start + 2 {
                break;
            }
        }
        words
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                let end = group.span_close().end().line;
                tokens.push(Token { text: open.to_owned(), line });
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), line: end });
            }
            other => tokens.push(Token { text: other.to_string(), line }),
        }
    }
}

/// Files with one of these endings, relative to the root, sorted. What git ignores, and hidden folders, are left out.
pub(crate) fn files(root: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder)).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries.flatten() {
            let (name, path) = (entry.file_name(), folder.join(entry.file_name()));
            let name = name.to_string_lossy();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn names_after_a_path() {
        let source = Source::new(
            "x.rs",
            "use crate::a::b;\nuse crate::{c, d::{e, f}, g as h};\n// crate::i\nfn j() { crate::k(); }",
        );
        let names: Vec<&str> = source.after(&["crate", ":", ":"]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "c", "d", "g", "k"]);
    }

    #[test]
    fn variants_are_words() {
        let source = Source::new("x.rs", "enum Command { /// Doc.\n Run(Args), #[x(Y)] Bench { Z: u8 }, Check }");
        assert_eq!(source.variants("Command").into_iter().collect::<Vec<_>>(), ["bench", "check", "help", "run"]);
    }
}
