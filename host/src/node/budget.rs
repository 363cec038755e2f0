//! How much all actors together may use of the machine, so that the sum of what each may use cannot take it. Read from the
//! manifest; asked at births, where memories grow, sockets are opened and large payloads go out.
//!
//! Actors and sockets are counted, and so is what waits in mailboxes ([`backlog`]). Memory is what the process really has (what actors may have is mostly not touched): the
//! monitor looks every few milliseconds, and while it is over the budget nothing more is given. What was given before can
//! still be touched: a budget leaves the machine some room.
//!
//! Must hold: a host at a budget refuses with an error that names it, and goes on.

use crate::base::sync::atomic::Ordering;
use crate::base::{CallError, ErrorCode, Payload};
use crate::node::Node;
use crate::node::context::Inner;
use crate::node::metrics::MemoryGauge;
use crate::sched::backlog;

/// See the file's head. The default is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Actors that live at once.
    pub actors: usize,
    /// Sockets that are open, those included that only send what is queued.
    pub sockets: usize,
    /// Bytes of the process's memory.
    pub memory: usize,
    /// Bytes that wait in mailboxes, of all nodes of the process.
    pub mailbox_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { actors: usize::MAX, sockets: usize::MAX, memory: usize::MAX, mailbox_bytes: usize::MAX }
    }
}

/// Bytes that the process has in memory. None: this system does not tell.
pub fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split(' ').nth(1)?.parse().ok()?;
    // The page of x86-64, and of most of what else Linux runs on.
    Some(pages * 4096)
}

#[cold]
fn spent(key: &str, most: usize) -> CallError {
    CallError::new(ErrorCode::OverLimit, format!("over the host's budget `{key}`, which is {most}"))
}

impl Node {
    /// Looks how much memory the process has, and says so when a budget is used up. From the monitor thread.
    pub fn look_at_budgets(&self) {
        self.look_at_mailboxes();
        let most = self.options.budget.memory;
        if most == usize::MAX {
            return;
        }
        let short = resident().is_some_and(|bytes| bytes > most);
        if self.short.swap(short, Ordering::Relaxed) != short {
            let what = if short { "is used up: no more actors, memory, large payloads" } else { "has room again" };
            tracing::warn!(target: "wasmactor", "the host's memory budget of {most} bytes {what}");
        }
    }

    fn look_at_mailboxes(&self) {
        let (bytes, most) = (backlog::bytes(), self.options.budget.mailbox_bytes);
        let said = self.crowded.load(Ordering::Relaxed);
        // It has room again when half of it is free: a flood that is refused now and then is told once.
        if said == (bytes > if said { most / 2 } else { most }) {
            return;
        }
        self.crowded.store(!said, Ordering::Relaxed);
        let what = if said { "has room again" } else { "is used up: no more messages and requests" };
        tracing::warn!(target: "wasmactor", "the host's budget of {most} bytes in mailboxes {what}");
    }

    fn is_short(&self) -> bool {
        // Relaxed: what was seen some milliseconds ago.
        self.short.load(Ordering::Relaxed)
    }

    /// Whether one more actor may be born, as far as memory goes.
    pub(in crate::node) fn check_birth(&self) -> Result<(), CallError> {
        if self.is_short() { Err(self.no_memory()) } else { Ok(()) }
    }

    /// The error of a table without room.
    pub(in crate::node) fn no_room(&self) -> CallError {
        spent("actors", self.options.budget.actors.min(1 << crate::base::address::SLOT_BITS))
    }

    /// The error of a socket too much.
    pub(in crate::node) fn check_all_sockets(&self) -> Result<(), CallError> {
        let most = self.options.budget.sockets;
        if self.net.open_sockets() < most { Ok(()) } else { Err(spent("sockets", most)) }
    }

    /// Whether the mailboxes hold as much as they may, all together.
    #[inline]
    pub(in crate::node) fn is_crowded(&self) -> bool {
        backlog::bytes() > self.options.budget.mailbox_bytes
    }

    /// The error of a message too much.
    #[cold]
    fn crowded(&self) -> CallError {
        spent("mailbox-bytes", self.options.budget.mailbox_bytes)
    }

    /// Whether a message from outside may go in.
    pub(in crate::node) fn check_crowd(&self) -> Result<(), CallError> {
        if self.is_crowded() { Err(self.crowded()) } else { Ok(()) }
    }

    fn no_memory(&self) -> CallError {
        spent("memory", self.options.budget.memory)
    }
}

impl Inner {
    /// Whether a message or a request with this payload may go out, as far as the host's budgets go: none while the mailboxes
    /// hold too much; while memory is used up those that lie in their letters. Answers always may: somebody waits for them.
    #[inline]
    pub(in crate::node) fn check_room_for(&self, payload: &Payload) -> Result<(), CallError> {
        if self.node.is_crowded() {
            return Err(self.node.crowded());
        }
        if payload.allocated() > 0 && self.node.is_short() { Err(self.node.no_memory()) } else { Ok(()) }
    }
}

impl MemoryGauge {
    /// Whether the actor's memory may grow, as far as the host's goes.
    pub fn has_room(&self) -> bool {
        !self.node().is_short()
    }
}
