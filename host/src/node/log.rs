//! The log, as actors and the host write it: events of `tracing`, with the actor's name and address as fields.
//!
//! Targets: `guest` for what actors say, `wasmactor` for what the host says. What becomes of them is the command
//! line's affair.

use tracing::Level;

use crate::base::Cause;
use crate::node::log_rate::Line;
use crate::node::{Context, Node};

/// One event; `tracing` wants the level as a constant.
macro_rules! guest_event {
    ($level:expr, $cx:expr, $text:expr, $fields:expr) => {
        match $level {
            Level::ERROR => guest_event!(@ Level::ERROR, $cx, $text, $fields),
            Level::WARN => guest_event!(@ Level::WARN, $cx, $text, $fields),
            Level::INFO => guest_event!(@ Level::INFO, $cx, $text, $fields),
            Level::DEBUG => guest_event!(@ Level::DEBUG, $cx, $text, $fields),
            Level::TRACE => guest_event!(@ Level::TRACE, $cx, $text, $fields),
        }
    };
    (@ $level:expr, $cx:expr, $text:expr, $fields:expr) => {
        tracing::event!(
            target: "guest", $level,
            actor = &*$cx.display(), address = %$cx.address(), fields = $fields, "{}", $text
        )
    };
}

/// Stands behind a key in the `fields` of an event.
pub const KEY_END: char = '\u{1f}';
/// Stands behind a value.
pub const VALUE_END: char = '\u{1e}';

/// `tracing` knows the keys of an event at compile time, a guest chooses its own: so all of them are one field, with
/// ASCII's unit and record separators (taken out of what the guest gave) between them.
fn field(key: &str, value: &str) -> String {
    let clean = |text: &str| text.replace([KEY_END, VALUE_END], " ");
    format!("{}{KEY_END}{}{VALUE_END}", clean(key), clean(value))
}

impl Context {
    /// Writes a line of the actor.
    pub fn log(&mut self, level: Level, text: &str, fields: &[(String, String)]) {
        if !self.log_enabled(level) || !self.may_write() {
            return;
        }
        let fields: Vec<String> = fields.iter().map(|(key, value)| field(key, value)).collect();
        guest_event!(level, self, text, fields.concat());
    }

    /// Whether a line of this level would go anywhere.
    pub fn log_enabled(&self, level: Level) -> bool {
        self.grants().log && level <= tracing::level_filters::LevelFilter::current()
    }

    /// What the host has to say about this actor.
    pub(in crate::node) fn warn(&mut self, text: &str) {
        if self.may_write() {
            self.say(text);
        }
    }

    fn say(&self, text: &str) {
        let actor = &*self.display();
        tracing::warn!(target: "wasmactor", actor, address = %self.address(), "{text}");
    }

    /// Whether one more line of, or about, the actor is within its limit. Says how many were not.
    fn may_write(&mut self) -> bool {
        let inner = self.inner_mut();
        let (most, now) = (inner.kind.limits.log, inner.node.clock.now_ns());
        match inner.rare().log_rate.line(now, most) {
            Line::Written => {}
            Line::WrittenAfter(count) => self.say_left_out(count),
            Line::LeftOut => return false,
        }
        true
    }

    fn say_left_out(&self, count: u32) {
        let most = self.inner().kind.limits.log;
        self.say(&format!("{count} lines were left out: over this actor's limit `log`, which is {most} a second"));
    }
}

impl Node {
    pub(in crate::node) fn log_end(&self, cx: &mut Context, cause: Cause, reason: &str) {
        let left_out = cx.inner_mut().rare.as_mut().map_or(0, |rare| rare.log_rate.left_out());
        if left_out > 0 {
            cx.say_left_out(left_out);
        }
        let (actor, address) = (&*cx.display(), cx.address());
        match cause {
            Cause::Failed => tracing::error!(target: "wasmactor", actor, %address, "failed: {reason}"),
            Cause::Killed => tracing::info!(target: "wasmactor", actor, %address, "killed: {reason}"),
            _ => tracing::debug!(target: "wasmactor", actor, %address, "ended ({cause:?}): {reason}"),
        }
    }
}
