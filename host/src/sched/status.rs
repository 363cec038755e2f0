//! What a worker is doing, for the monitor, and the monitor's word that it is enough. Written by the worker at each
//! turn, read by others at leisure.
//!
//! The fields are written without a lock, so a reader may see parts of two turns; the monitor believes only what
//! stays the same for a while.

use crate::base::sync::atomic::{AtomicU64, Ordering};

/// One worker's turn.
#[derive(Debug, Default)]
pub struct WorkerStatus {
    /// Counts turns, twice each: odd while a turn runs.
    version: AtomicU64,
    actor: AtomicU64,
    source: AtomicU64,
    kind: AtomicU64,
    /// The mailbox that the worker has now, as a [`Take`].
    take: AtomicU64,
    /// How much time the monitor had counted when it was taken, or charged last.
    since: AtomicU64,
    /// The take that has used up its slice: its turn is to be cut.
    over: AtomicU64,
}

/// One take of a mailbox from the run queue: changes with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take(u64);

impl Take {
    const BUSY: u64 = 1;
    const SLOW: u64 = 2;
    const ONE: u64 = 4;

    /// Whether the worker has a mailbox at all.
    pub fn busy(self) -> bool {
        self.0 & Self::BUSY != 0
    }

    /// Whether it came from the slow lane.
    pub fn slow(self) -> bool {
        self.0 & Self::SLOW != 0
    }
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
    /// The worker has a mailbox; `counted` is the time that the monitor has counted so far.
    pub fn take(&self, slow: bool, counted: u64) {
        self.since.store(counted, Ordering::Relaxed);
        let count = self.take.load(Ordering::Relaxed) / Take::ONE + 1;
        let flags = if slow { Take::BUSY | Take::SLOW } else { Take::BUSY };
        self.take.store((count * Take::ONE) | flags, Ordering::Relaxed);
    }

    /// The worker has none any more.
    pub fn rest(&self) {
        self.take.store(self.take.load(Ordering::Relaxed) & !Take::BUSY, Ordering::Relaxed);
    }

    /// The time that the monitor has counted since the mailbox was taken, or this was asked last: what to charge its
    /// actor with. Mostly 0.
    pub fn charge(&self, counted: u64) -> u64 {
        let since = self.since.load(Ordering::Relaxed);
        if since != counted {
            self.since.store(counted, Ordering::Relaxed);
        }
        counted - since
    }

    /// The mailbox that the worker has, or had last.
    pub fn taken(&self) -> Take {
        Take(self.take.load(Ordering::Relaxed))
    }

    /// A mailbox has used up its slice while others wait.
    pub fn slice_over(&self, take: Take) {
        self.over.store(take.0, Ordering::Relaxed);
    }

    /// Whether it is this worker's mailbox of now: its turn is to be cut.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed) == self.take.load(Ordering::Relaxed)
    }

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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::WorkerStatus;

    #[test]
    fn what_is_over_is_one_take() {
        let status = WorkerStatus::default();
        status.take(false, 5);
        let first = status.taken();
        assert!(first.busy() && !first.slow() && !status.is_over());
        status.slice_over(first);
        assert!(status.is_over());
        status.rest();
        assert!(!status.taken().busy() && !status.is_over());
        status.take(true, 9);
        assert_eq!((status.charge(9), status.charge(12), status.charge(12)), (0, 3, 0));
        assert!(status.taken().slow() && !status.is_over() && status.taken() != first);
    }
}
