//! `.logger`: writes the lines that other actors send to the host's log, under the sender's address.
//!
//! For actors that shall not, or cannot, use the log import themselves, and for one order of lines among many actors.
//! Messages (MessagePack, kind 0):
//!
//! - `{"Line": {"level": "info", "text": "...", "fields": {"key": "value"}}}`: writes a line. `level` is one of error,
//!   warn, info, debug, trace; `fields` may be left out.
//! - `{"Level": "warn"}`: from now on lines below this level are dropped.
//! - `"Flush"`: a request; answered (nil) when all lines sent before are written.
//!
//! Kind 1 is a line of plain UTF-8 text at level info.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wasmactor_sdk::exclusive::Actor;
use wasmactor_sdk::logger::{Level, write};
use wasmactor_sdk::{Address, Reply, Result, Sender, actor, done, fail, names};

/// The kind of messages that are plain text.
const TEXT: u32 = 1;

#[derive(Serialize, Deserialize)]
enum Message {
    Line {
        level: Severity,
        text: String,
        #[serde(default)]
        fields: BTreeMap<String, String>,
    },
    Level(Severity),
    Flush,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Deserialize)]
#[serde(default)]
struct Args {
    /// Lines below this level are dropped.
    level: Severity,
}

impl Default for Args {
    fn default() -> Self {
        Self { level: Severity::Trace }
    }
}

struct Logger {
    level: Severity,
}

impl Logger {
    fn line(&self, from: Address, severity: Severity, text: &str, fields: BTreeMap<String, String>) {
        if severity > self.level {
            return;
        }
        let level = match severity {
            Severity::Error => Level::Error,
            Severity::Warn => Level::Warn,
            Severity::Info => Level::Info,
            Severity::Debug => Level::Debug,
            Severity::Trace => Level::Trace,
        };
        let mut fields: Vec<(String, String)> = fields.into_iter().collect();
        fields.push(("from".to_owned(), from.to_string()));
        write(level, text, &fields);
    }
}

impl Actor for Logger {
    type Args = Args;
    type Message = Message;

    fn init(args: Args) -> Result<Self> {
        // Named `logger` in the manifest it has the name already.
        if names::lookup(".logger") != Ok(Address::own()) {
            names::register(".logger")?;
        }
        Ok(Self { level: args.level })
    }

    fn handle(&mut self, message: Message, from: &Sender) -> Result<Reply> {
        match message {
            Message::Line { level, text, fields } => self.line(from.address(), level, &text, fields),
            Message::Level(level) => self.level = level,
            Message::Flush => {}
        }
        done()
    }

    fn raw(&mut self, kind: u32, payload: Vec<u8>, from: &Sender) -> Result<Reply> {
        if kind != TEXT {
            fail!("messages of kind {kind} are not understood here");
        }
        self.line(from.address(), Severity::Info, &String::from_utf8_lossy(&payload), BTreeMap::new());
        done()
    }
}

actor!(Logger);

#[cfg(test)]
mod tests {
    use super::{Message, Severity};
    use serde::Serialize;
    use wasmactor_sdk::{decode, encode};

    #[test]
    fn a_line_needs_no_fields() {
        #[derive(Serialize)]
        struct Line<'a> {
            level: &'a str,
            text: &'a str,
        }
        #[derive(Serialize)]
        enum Sent<'a> {
            Line(Line<'a>),
        }
        let bytes = encode(&Sent::Line(Line { level: "warn", text: "hot" })).unwrap();
        let Message::Line { level, text, fields } = decode(&bytes).unwrap() else { panic!("no line") };
        assert!(level == Severity::Warn && text == "hot" && fields.is_empty());
    }
}
