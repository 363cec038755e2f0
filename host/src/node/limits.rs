//! How much one actor may use of what all share. Read from the manifest, kept with the module or the actor's entry, asked
//! wherever an actor asks the host for more.
//!
//! Must hold: each limit has an error of its own, which names it as the manifest does: `over-limit` where the guest can be
//! told, the end of the actor where it cannot. What is over a limit changes nothing. A limit costs nothing while it is not
//! reached but the look at a count that is there anyway.

use std::fmt::Display;
use std::time::Duration;

use crate::base::{CallError, ErrorCode};
use crate::node::quota::WHOLE;
use crate::sched::{Bounds, Full};

/// Elements that all tables of an actor may have at most: a function table of the largest program known needs 100,000.
pub const TABLE: usize = 1 << 20;

/// See the file's head. `Default` is what the manifest's `[limits]` says of none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, of all memories together.
    pub memory: usize,
    /// Elements of tables, of all tables together.
    pub table: usize,
    /// Time that one turn may run without a pause; zero: any.
    pub turn: Duration,
    /// Percent of a core, [`WHOLE`](crate::node::quota::WHOLE) at most.
    pub cpu: u32,
    /// Ordinary messages that wait.
    pub mailbox: usize,
    /// Bytes of the payloads that wait, those apart that are so small that they lie in their letters.
    pub mailbox_bytes: usize,
    /// What happens then.
    pub full: Full,
    /// Bytes of one payload that it sends.
    pub payload: usize,
    /// Requests and spawns that it made and whose answers it has not handled.
    pub requests: u32,
    /// Timers that are armed, or whose events it has not handled.
    pub timers: u32,
    /// Sockets that it has, listeners too.
    pub sockets: u32,
    /// Actors that it started and that live.
    pub children: u32,
    /// Watches whose event it has not handled.
    pub watches: u32,
    /// Links, those that others made with it too.
    pub links: u32,
    /// Names, those that it was started with too.
    pub names: u32,
    /// Files, streams and pollables of WASI that it holds.
    pub files: u32,
    /// Lines in the log in a second.
    pub log: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            table: TABLE,
            turn: Duration::from_secs(60),
            cpu: WHOLE,
            mailbox: 65_536,
            mailbox_bytes: 64 << 20,
            full: Full::Refuse,
            payload: 64 << 20,
            requests: 65_536,
            timers: 65_536,
            sockets: 65_536,
            children: 65_536,
            watches: 65_536,
            links: 4096,
            names: 1024,
            files: 1024,
            log: 1000,
        }
    }
}

impl Limits {
    /// No limits but the mailbox's: for behaviors that are trusted, in tests and benches.
    pub fn free() -> Self {
        let none = u32::MAX;
        Self {
            mailbox_bytes: usize::MAX,
            requests: none,
            timers: none,
            sockets: none,
            children: none,
            watches: none,
            links: none,
            names: none,
            log: none,
            ..Self::default()
        }
    }

    /// What the mailbox has to know.
    pub(in crate::node) fn bounds(&self) -> Bounds {
        Bounds { messages: self.mailbox, bytes: self.mailbox_bytes, full: self.full }
    }
}

/// The error of an actor that is at a limit. `key` is the manifest's word for it.
#[cold]
pub(in crate::node) fn over(key: &str, most: impl Display) -> CallError {
    CallError::new(ErrorCode::OverLimit, format!("over this actor's limit `{key}`, which is {most}"))
}
