//! What a report says. Made of a [`Crash`] by the writer, of a file by who reads it.
//!
//! Must hold: fields are only ever added; a reader of this version understands older files.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use crate::actor::Frame;
use crate::node::crash::{Crash, Head};

/// One crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// When, as RFC 3339 in UTC.
    pub time: String,
    /// Name and version of the host.
    pub host: String,
    /// The app's name.
    pub app: String,
    /// The actor's name, with its number where there are several.
    pub actor: String,
    pub address: String,
    pub parent: String,
    /// 1 for the first one; a supervisor's restarts make others.
    pub instance: u64,
    pub supervised: bool,
    pub module: String,
    /// First digits of the SHA-256 of the module's file.
    pub version: String,
    /// The first line says what happened, the others are notes.
    pub reason: String,
    /// What was handled.
    pub event: Event,
    /// The innermost function first.
    pub backtrace: Vec<Frame>,
    /// Why it has no lines of source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_lines: Option<String>,
    /// What was handled before, the oldest first.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Limits in force, and what was in use of them; the unit is the last part of each name.
    #[serde(default)]
    pub limits: BTreeMap<String, u64>,
    /// Why the file has no core dump.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_dump: Option<String>,
    /// Crashes before this one that have no report, since there were too many.
    #[serde(default)]
    pub left_out: u64,
}

/// One event without its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    /// As in `wit/handler.wit`, or `init`.
    pub event: String,
    pub source: String,
    /// The sender's name, if it was alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// 0: none.
    pub session: u64,
    /// Of a message, the sender's number for what it is.
    pub kind: u32,
    /// Bytes of its payload.
    pub length: u64,
    /// The first of them, as base64, if the manifest asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// What a file's core dump holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dump {
    pub memories: u32,
    /// Bytes of all memories.
    pub memory_bytes: u64,
    pub globals: u32,
    pub instances: u32,
}

impl Event {
    fn of(head: &Head, from: Option<&str>) -> Self {
        Self {
            event: head.event().to_owned(),
            source: head.source.to_string(),
            from: from.map(str::to_owned),
            session: head.session.0,
            kind: head.kind,
            length: u64::from(head.length),
            payload: None,
        }
    }

    /// The payload's bytes, if there are any that make sense.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(self.payload.as_ref()?).ok()
    }
}

/// What happened, and the notes to it, without the trace that the log has.
fn reason(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("  at ")).collect();
    lines.join("\n")
}

impl Report {
    /// The report of a crash. It reads the module's file for its lines of source, and may take long.
    pub(super) fn of(app: &str, crash: &mut Crash) -> Self {
        let mut backtrace = std::mem::take(&mut crash.evidence.frames);
        let no_lines = crash.module.locate(&mut backtrace).err();
        let events = |(head, from): &(Head, Option<_>)| {
            let from: &Option<crate::base::sync::Arc<str>> = from;
            Event::of(head, from.as_deref())
        };
        let mut event = events(&crash.event);
        event.payload = (!crash.payload.is_empty()).then(|| BASE64_STANDARD.encode(&crash.payload));
        Self {
            time: humantime::format_rfc3339_millis(crash.at).to_string(),
            host: concat!("wasmactor ", env!("CARGO_PKG_VERSION")).to_owned(),
            app: app.to_owned(),
            actor: crash.actor.clone(),
            address: crash.address.to_string(),
            parent: crash.parent.to_string(),
            instance: crash.earlier + 1,
            supervised: crash.supervised,
            module: crash.module_name.clone(),
            version: crash.module.version().to_owned(),
            reason: reason(&crash.reason),
            event,
            backtrace,
            no_lines,
            events: crash.events.iter().map(events).collect(),
            limits: crash.limits.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            no_dump: crash.evidence.undumped.clone(),
            left_out: crash.left_out,
        }
    }
}
