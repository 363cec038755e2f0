//! The part of a socket's state that workers and the poller look at without a lock: one atomic word.
//!
//! Why no edge is lost. Both sides of each pair write their bit and look at the other's in one atomic step on one word,
//! so one of them comes second and sees both:
//! - `READABLE` (poller, at an edge) and `READING` (worker, in `start`): if `start` comes second, it sees `READABLE` and
//!   tells the poller; if the edge comes second, the poller sees `READING` and reads.
//! - `READABLE` and `HELD` in the same way, with `resume` in the place of `start`.
//! - `WRITABLE` (poller, at an edge) and `QUEUED` (whoever queues): if queueing comes second, it sees `WRITABLE` and
//!   tries again itself; if the edge comes second, the poller sees `QUEUED` and sends.
//!
//! `RESUMED` keeps a `resume` that overtakes the sink's `Flow::Pause`: the poller clears it before it asks the sink, and
//! holds only if it is still clear.

use crate::base::sync::atomic::{AtomicU32, Ordering};

/// The owner lets data in. Set and cleared by workers.
pub(super) const READING: u32 = 1 << 0;
/// The sink asked to wait. Set by the poller, cleared by `resume` and `give`.
pub(super) const HELD: u32 = 1 << 1;
/// A `resume` came since the poller last asked the sink.
pub(super) const RESUMED: u32 = 1 << 2;
/// The kernel may have something to read. Set and cleared by the poller.
pub(super) const READABLE: u32 = 1 << 3;
/// The kernel may have room to write. Set by the poller at an edge; cleared, under the send lock, before a try.
pub(super) const WRITABLE: u32 = 1 << 4;
/// Something waits in the send queue. Changed under the send lock.
pub(super) const QUEUED: u32 = 1 << 5;
/// Not connected yet. Cleared by the poller under the send lock.
pub(super) const CONNECTING: u32 = 1 << 6;
/// The other side sends no more, or there is an error to fetch: a short read is not the last. Set by the poller.
pub(super) const HUNG_UP: u32 = 1 << 7;
/// `close` was called: send what is queued, then finish.
pub(super) const CLOSING: u32 = 1 << 8;
/// `abort` was called: finish now, with a reset.
pub(super) const ABORTED: u32 = 1 << 9;
/// Finished; `Closed` was or is being sent. Set by the poller under both locks.
pub(super) const GONE: u32 = 1 << 10;
/// Any of these: no operation is possible any more.
pub(super) const CLOSED: u32 = CLOSING | ABORTED | GONE;

/// One socket's word. All steps are AcqRel: the word itself orders them, the locks order the rest.
#[derive(Debug)]
pub(super) struct Flags(AtomicU32);

impl Flags {
    pub(super) fn new(bits: u32) -> Self {
        Self(AtomicU32::new(bits))
    }

    pub(super) fn get(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// Whether any of the bits is set.
    pub(super) fn any(&self, bits: u32) -> bool {
        self.get() & bits != 0
    }

    /// Whether all of the bits are set.
    pub(super) fn all(&self, bits: u32) -> bool {
        self.get() & bits == bits
    }

    /// Whether there may be something to read and the owner wants it.
    pub(super) fn may_receive(&self) -> bool {
        self.get() & (READING | READABLE | HELD | CLOSED) == READING | READABLE
    }

    /// Sets bits; returns the word before.
    pub(super) fn set(&self, bits: u32) -> u32 {
        self.0.fetch_or(bits, Ordering::AcqRel)
    }

    /// Clears bits; returns the word before.
    pub(super) fn clear(&self, bits: u32) -> u32 {
        self.0.fetch_and(!bits, Ordering::AcqRel)
    }

    /// Sets `HELD` unless a resume came since `RESUMED` was cleared.
    pub(super) fn hold(&self) {
        let _ = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |bits| (bits & RESUMED == 0).then_some(bits | HELD));
    }

    /// Lets reading go on after `HELD`; returns whether the poller has to be told.
    pub(super) fn resume(&self) -> bool {
        self.set(RESUMED);
        let before = self.clear(HELD);
        before & (HELD | READABLE) == HELD | READABLE
    }
}
