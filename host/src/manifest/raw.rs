//! Tables of a manifest, read key by key. Used by the files beside it.
//!
//! Must hold: a key is known once it was asked for; `finish` complains about all the others, so it comes last. A value
//! of the wrong type is a fault and reads as absent.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::manifest::diagnostic::Findings;

/// A value and where it stands.
pub(super) type Node<'t> = Spanned<DeValue<'t>>;

/// One table and what was asked of it.
#[derive(Debug)]
pub(super) struct Section<'a, 't> {
    /// As users call it: `[host]`.
    title: String,
    span: Range<usize>,
    table: &'a DeTable<'t>,
    known: Vec<&'static str>,
}

impl<'a, 't> Section<'a, 't> {
    pub(super) fn new(title: impl Into<String>, span: Range<usize>, table: &'a DeTable<'t>) -> Self {
        Self { title: title.into(), span, table, known: Vec::new() }
    }

    /// A value that shall be a table.
    pub(super) fn of(title: impl Into<String>, node: &'a Node<'t>, findings: &mut Findings<'_>) -> Option<Self> {
        let title = title.into();
        match node.get_ref() {
            DeValue::Table(table) => Some(Self::new(title, node.span(), table)),
            other => {
                findings.add(node.span(), format!("{title} must be a table, not {}", kind(other)));
                None
            }
        }
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The value of a key.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'a Node<'t>> {
        self.known.push(key);
        self.table.get(key)
    }

    /// The value of a key that must be there.
    pub(super) fn require(
        &mut self,
        key: &'static str,
        findings: &mut Findings<'_>,
        hint: &str,
    ) -> Option<&'a Node<'t>> {
        let node = self.get(key);
        if node.is_none() {
            findings.hint(self.span(), format!("{} has no `{key}`", self.title), hint);
        }
        node
    }

    pub(super) fn string(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<(&'a str, Range<usize>)> {
        let node = self.get(key)?;
        Some((string(key, node, findings)?, node.span()))
    }

    pub(super) fn boolean(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<bool> {
        let node = self.get(key)?;
        let value = node.get_ref().as_bool();
        if value.is_none() {
            wrong(key, "true or false", node, findings);
        }
        value
    }

    pub(super) fn integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        findings: &mut Findings<'_>,
    ) -> Option<u32> {
        let node = self.get(key)?;
        let Some(value) = integer(node.get_ref()) else {
            wrong(key, "a whole number", node, findings);
            return None;
        };
        let fits = u32::try_from(value).ok().filter(|value| range.contains(value));
        if fits.is_none() {
            findings.add(node.span(), format!("`{key}` must be {} to {}, not {value}", range.start(), range.end()));
        }
        fits
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
        findings: &mut Findings<'_>,
    ) -> Option<T> {
        let (text, span) = self.string(key, findings)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            findings.hint(span, format!("`{key}` cannot be `{text}`"), suggest(text, &names, "it is one of"));
        }
        found
    }

    /// A list of strings, each with its place.
    pub(super) fn strings(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Vec<(&'a str, Range<usize>)> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Some(array) = array(key, "a list of strings", node, findings) else { return Vec::new() };
        array.iter().filter_map(|entry| Some((string(key, entry, findings)?, entry.span()))).collect()
    }

    /// Complains about keys that nobody asked for.
    pub(super) fn finish(self, findings: &mut Findings<'_>) {
        for key in self.table.keys().filter(|key| !self.known.contains(&key.get_ref().as_ref())) {
            let hint = suggest(key.get_ref(), &self.known, "keys here:");
            findings.hint(key.span(), format!("unknown key `{}` in {}", key.get_ref(), self.title), hint);
        }
    }
}

/// A value that shall be a string.
pub(super) fn string<'a>(key: &str, node: &'a Node<'_>, findings: &mut Findings<'_>) -> Option<&'a str> {
    let text = node.get_ref().as_str();
    if text.is_none() {
        wrong(key, "a string", node, findings);
    }
    text
}

/// A value that shall be a list.
pub(super) fn array<'a, 't>(
    key: &str,
    wanted: &str,
    node: &'a Node<'t>,
    findings: &mut Findings<'_>,
) -> Option<&'a DeArray<'t>> {
    let array = node.get_ref().as_array();
    if array.is_none() {
        wrong(key, wanted, node, findings);
    }
    array
}

/// A whole number, if the value is one and fits.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

pub(super) fn wrong(key: &str, wanted: &str, node: &Node<'_>, findings: &mut Findings<'_>) {
    findings.add(node.span(), format!("`{key}` must be {wanted}, not {}", kind(node.get_ref())));
}

/// What a value is, in users' words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Advice for a word that is none of these.
pub(super) fn suggest(word: &str, known: &[&str], all: &str) -> String {
    // Alike enough for a slip of the finger; from trying slips of the keys that there are.
    const ALIKE: f64 = 0.75;
    let alike = known.iter().map(|other| (strsim::jaro_winkler(word, other), *other));
    let best = alike.filter(|(score, _)| *score >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((_, best)) => format!("did you mean `{best}`?"),
        None if known.is_empty() => "there are none".to_owned(),
        None => format!("{all} {}", known.join(", ")),
    }
}
