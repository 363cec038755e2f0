//! One line of the log: what an event says, and how it looks. Used by `log`.
//!
//! Must hold: whatever a guest writes, it cannot make a line that looks like another actor's, nor send control codes to
//! the terminal.

use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use crate::node::log::{KEY_END, VALUE_END};

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// For people: `TIME LEVEL NAME ADDRESS TEXT KEY=VALUE`.
    Pretty { colours: bool },
    /// For programs: one object a line.
    Json,
    /// For comparing runs: `NAME: TEXT`, and of the host's own lines warnings and errors only.
    Plain,
}

/// What an event says.
#[derive(Debug)]
pub(super) struct Line {
    time: SystemTime,
    level: Level,
    target: &'static str,
    actor: String,
    address: String,
    text: String,
    fields: Vec<(String, String)>,
}

impl Line {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        let [actor, address, text] = [const { String::new() }; 3];
        let mut line = Self { time: SystemTime::now(), level, target, actor, address, text, fields: Vec::new() };
        event.record(&mut line);
        line
    }

    /// Whose line it is; empty: the host's.
    pub(super) fn actor(&self) -> &str {
        &self.actor
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The line with its newline; `None` if this style leaves it out.
    pub(super) fn render(&self, style: Style) -> Option<String> {
        match style {
            Style::Pretty { colours } => Some(self.pretty(colours)),
            Style::Json => Some(self.json()),
            Style::Plain => self.plain(),
        }
    }

    fn pretty(&self, colours: bool) -> String {
        let paint =
            |code: &str, text: &str| if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
        let colour = match self.level {
            Level::ERROR => "31",
            Level::WARN => "33",
            Level::INFO => "32",
            Level::DEBUG => "34",
            Level::TRACE => "35",
        };
        let mut out = paint("2", &humantime::format_rfc3339_millis(self.time).to_string());
        out.push(' ');
        out.push_str(&paint(colour, &format!("{:5}", self.level)));
        let host = if self.target == "guest" { "" } else { self.target };
        for (code, part) in [("2", host), ("1", &self.actor), ("2", &self.address)] {
            if !part.is_empty() {
                out.push(' ');
                out.push_str(&paint(code, &tame(part)));
            }
        }
        out.push(' ');
        out.push_str(&tame(&self.text));
        for (key, value) in &self.fields {
            out.push(' ');
            out.push_str(&paint("2", &tame(&format!("{key}={value}"))));
        }
        out.push('\n');
        out
    }

    fn json(&self) -> String {
        let time = humantime::format_rfc3339_millis(self.time).to_string();
        let parts = [
            ("time", time.as_str()),
            ("level", self.level.as_str()),
            ("target", self.target),
            ("actor", &self.actor),
            ("address", &self.address),
            ("message", &self.text),
        ];
        // By hand, for the order of the keys: the time first, as in the other forms.
        let said = parts.into_iter().filter(|(key, value)| !value.is_empty() || *key == "message");
        let mut members: Vec<String> =
            said.map(|(key, value)| format!("\"{key}\":{}", serde_json::Value::from(value))).collect();
        if !self.fields.is_empty() {
            let fields = self.fields.iter().map(|(key, value)| (key.clone(), serde_json::Value::from(value.as_str())));
            members.push(format!("\"fields\":{}", serde_json::Value::Object(fields.collect())));
        }
        format!("{{{}}}\n", members.join(","))
    }

    fn plain(&self) -> Option<String> {
        let (actor, text) = (tame(&self.actor), tame(&self.text));
        match (self.target, self.level) {
            ("guest", _) => Some(format!("{actor}: {text}\n")),
            (target, Level::ERROR | Level::WARN) if actor.is_empty() => Some(format!("{target}: {text}\n")),
            (target, Level::ERROR | Level::WARN) => Some(format!("{target}: {actor}: {text}\n")),
            _ => None,
        }
    }

    fn put(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.text = value,
            "actor" => self.actor = value,
            "address" => self.address = value,
            "fields" => self.fields.extend(guest_fields(&value)),
            other => self.fields.push((other.to_owned(), value)),
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

/// What a guest's fields are, from the one field that carries them.
fn guest_fields(packed: &str) -> impl Iterator<Item = (String, String)> + '_ {
    let pairs = packed.split_terminator(VALUE_END).filter_map(|pair| pair.split_once(KEY_END));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned()))
}

/// Text without control codes; more lines than one are indented, so that none of them looks like a line of its own.
fn tame(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.trim_end_matches('\n').chars() {
        match character {
            '\n' => out.push_str("\n    "),
            '\t' => out.push('\t'),
            control if control.is_control() => out.extend(control.escape_default()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Line, Style, guest_fields};
    use std::time::{Duration, SystemTime};
    use tracing::Level;

    fn line(target: &'static str, level: Level, actor: &str, text: &str) -> Line {
        Line {
            time: SystemTime::UNIX_EPOCH + Duration::from_millis(1500),
            level,
            target,
            actor: actor.to_owned(),
            address: ":0000002a".to_owned(),
            text: text.to_owned(),
            fields: guest_fields("k\u{1f}v w\u{1e}").collect(),
        }
    }

    #[track_caller]
    fn check(line: &Line, style: Style, expected: Option<&str>) {
        assert_eq!(line.render(style).as_deref(), expected);
    }

    #[test]
    fn guests_lines() {
        let line = line("guest", Level::INFO, "alice", "hello");
        check(&line, Style::Plain, Some("alice: hello\n"));
        check(
            &line,
            Style::Pretty { colours: false },
            Some("1970-01-01T00:00:01.500Z INFO  alice :0000002a hello k=v w\n"),
        );
        check(
            &line,
            Style::Json,
            Some(
                "{\"time\":\"1970-01-01T00:00:01.500Z\",\"level\":\"INFO\",\"target\":\"guest\",\"actor\":\"alice\",\"address\":\":0000002a\",\"message\":\"hello\",\"fields\":{\"k\":\"v w\"}}\n",
            ),
        );
    }

    #[test]
    fn the_hosts_lines() {
        check(&line("wasmactor", Level::INFO, "", "started"), Style::Plain, None);
        check(&line("wasmactor", Level::WARN, "", "slow"), Style::Plain, Some("wasmactor: slow\n"));
        check(&line("wasmactor", Level::ERROR, "bob", "failed"), Style::Plain, Some("wasmactor: bob: failed\n"));
    }

    #[test]
    fn a_guest_cannot_forge_a_line() {
        let line = line("guest", Level::INFO, "eve", "x\nalice: paid\r\x1b[2J");
        check(&line, Style::Plain, Some("eve: x\n    alice: paid\\r\\u{1b}[2J\n"));
    }
}
