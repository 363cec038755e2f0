//! What a worker is doing, for the monitor. Written by the worker at each turn, read by others at leisure.
//!
//! The fields are written without a lock, so a reader may see parts of two turns; the monitor believes only what
//! stays the same for seconds.

use crate::base::sync::atomic::{AtomicU64, Ordering};

/// One worker's turn.
#[derive(Debug, Default)]
pub struct WorkerStatus {
    /// Counts turns, twice each: odd while a turn runs.
    version: AtomicU64,
    actor: AtomicU64,
    source: AtomicU64,
    kind: AtomicU64,
}

/// A turn as the monitor sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnView {
    /// Changes with each turn.
    pub version: u64,
    /// Raw address of the actor.
    pub actor: u64,
    /// Raw address of the message's source.
    pub source: u64,
    /// The worker's own number for the kind of event.
    pub kind: u64,
}

impl WorkerStatus {
    /// A turn begins.
    pub fn begin(&self, actor: u64, source: u64, kind: u64) {
        self.actor.store(actor, Ordering::Relaxed);
        self.source.store(source, Ordering::Relaxed);
        self.kind.store(kind, Ordering::Relaxed);
        // Only this worker writes, so load + store is enough. Release: who sees the odd version sees the fields.
        self.version.store(self.version.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// The turn is over.
    pub fn end(&self) {
        self.version.store(self.version.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// The turn that runs now, if any. Acquire: pairs with `begin`.
    pub fn running(&self) -> Option<TurnView> {
        let version = self.version.load(Ordering::Acquire);
        (version % 2 == 1).then(|| TurnView {
            version,
            actor: self.actor.load(Ordering::Relaxed),
            source: self.source.load(Ordering::Relaxed),
            kind: self.kind.load(Ordering::Relaxed),
        })
    }
}
