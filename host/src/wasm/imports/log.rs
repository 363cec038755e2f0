//! `wit/log.wit`. Traps: none.

use crate::wasm::bindings::wasmactor::actor::log::{Host, Level};
use crate::wasm::state::State;

impl Host for State {
    fn log(&mut self, level: Level, text: String, fields: Vec<(String, String)>) {
        // What the guest printed before must not come after this line.
        self.drain_output();
        self.cx().log(tracing_level(level), &text, &fields);
    }

    fn enabled(&mut self, level: Level) -> bool {
        self.cx().log_enabled(tracing_level(level))
    }
}

fn tracing_level(level: Level) -> tracing::Level {
    match level {
        Level::Error => tracing::Level::ERROR,
        Level::Warn => tracing::Level::WARN,
        Level::Info => tracing::Level::INFO,
        Level::Debug => tracing::Level::DEBUG,
        Level::Trace => tracing::Level::TRACE,
    }
}
