//! The `log` crate's macros, written to the host's log; panics too.
//!
//! `info!("text")`, `info!(user = id, size; "text {}", x)`: what stands before the `;` are fields, kept apart in the JSON
//! form of the host's log (`name:?` and `name:%` take a field's `Debug` or `Display`).

use crate::bindings::wasmactor::actor::log as host;
use log::kv::{Error, Key, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record};

pub use log::Level;

/// Writes a line with fields that are not known when the actor is compiled; else use the macros.
pub fn write(at: Level, text: &str, fields: &[(String, String)]) {
    host::log(level(at), text, fields);
}

struct HostLog;

fn level(level: Level) -> host::Level {
    match level {
        Level::Error => host::Level::Error,
        Level::Warn => host::Level::Warn,
        Level::Info => host::Level::Info,
        Level::Debug => host::Level::Debug,
        Level::Trace => host::Level::Trace,
    }
}

struct Fields(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0.push((key.to_string(), value.to_string()));
        Ok(())
    }
}

impl Log for HostLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        host::enabled(level(metadata.level()))
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut fields = Fields(Vec::new());
        // Our visitor never fails.
        let _ = record.key_values().visit(&mut fields);
        let text = record.args();
        match text.as_str() {
            Some(text) => host::log(level(record.level()), text, &fields.0),
            None => host::log(level(record.level()), &text.to_string(), &fields.0),
        }
    }

    fn flush(&self) {}
}

/// Called once, before the actor's `init`.
pub(crate) fn install() {
    if log::set_logger(&HostLog).is_ok() {
        log::set_max_level(LevelFilter::Trace);
    }
    // The trap that follows a panic carries no message, so it is logged first; on one line, as other lines.
    std::panic::set_hook(Box::new(|panic| {
        let what = panic.payload_as_str().unwrap_or("(no text)");
        let text = match panic.location() {
            Some(place) => format!("panicked at {place}: {what}"),
            None => format!("panicked: {what}"),
        };
        host::log(host::Level::Error, &text, &[]);
    }));
}
