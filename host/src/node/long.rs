//! Actors whose turns are long: found by the turns that are measured, and made to let others go first. Used by the worker's
//! loop ([`super::turn`]).
//!
//! Must hold: whose turns are short is not late by the length of a long turn that began while it waited at the same worker,
//! and whose turns are long is late by some short ones at most.

use crate::base::sync::atomic::Ordering;
use crate::node::Node;
use crate::node::context::Inner;
use crate::node::turn::Worker;
use crate::sched::run_queue;

/// Nanoseconds that make a turn a long one: so much that who waits behind it notices, and far more than it costs to let
/// others go first.
const LONG: u64 = 50_000;

/// How many times in a row one gives way at most: as many as a worker's streak of its run-next slot.
pub(in crate::node) const PASSES: u32 = run_queue::NEXT_STREAK;

impl Inner {
    /// A turn was measured, in nanoseconds.
    pub(in crate::node) fn took(&self, ran: u64) {
        if let Some(slot) = self.node.table.slot(self.address.slot()) {
            slot.long.store(ran >= LONG, Ordering::Relaxed);
        }
    }
}

impl Node {
    /// Whether an actor that was taken from the run queue went back, since its turns are long and others wait at this worker. A
    /// worker without work may have it meanwhile.
    #[inline]
    pub(in crate::node) fn gives_way(&self, worker: &mut Worker, index: u32) -> bool {
        let is_long = |index| self.table.slot(index).is_some_and(|slot| slot.long.load(Ordering::Relaxed));
        // A turn that was cut was due, or there was nothing else.
        if index & run_queue::CUT != 0 || !is_long(index) {
            return false;
        }
        let gives_way = worker.passed < PASSES && self.run.waits(worker.index);
        worker.passed = if gives_way { worker.passed + 1 } else { 0 };
        if gives_way {
            self.run.push_tail(worker.index, index);
        }
        gives_way
    }
}
