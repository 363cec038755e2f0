//! What one actor has used: messages, time, memory. Kept in its slot; written by whoever runs the actor, read by any
//! thread at any time.
//!
//! Must hold: it costs a turn no clock and no locked instruction. Time is counted in the monitor's rounds: an actor that
//! has a worker when a round passes is charged with it, so one that has run for long is charged rightly within some
//! rounds, and one that has run for nanoseconds now and then is charged a round now and then.

use crate::base::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Whether anything is counted and measured. Always: but for the build that shows what it costs (`tests/bench/price`).
pub const COUNTED: bool = !cfg!(wasmactor_uncounted);

/// Instead of a time: somebody looks at the actor, and no wait is measured.
const LOOKED: u64 = u64::MAX;

/// See the file's head.
#[derive(Debug)]
pub struct Usage {
    /// Messages that workers took from the mailbox.
    taken: AtomicU64,
    busy_ns: AtomicU64,
    memory: AtomicUsize,
    /// When the actor was born, by the clock that costs little, in nanoseconds.
    born: AtomicU64,
    /// When a message was sent whose wait is measured, in nanoseconds of the node's clock; 0: none is;
    /// [`LOOKED`].
    sent: AtomicU64,
    /// Which one: the value of `taken` with it.
    which: AtomicU64,
}

impl Default for Usage {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self { taken: zero(), busy_ns: zero(), memory: AtomicUsize::new(0), born: zero(), sent: zero(), which: zero() }
    }
}

impl Usage {
    /// For a new actor in the slot, born now.
    pub fn reset(&self, now: u64) {
        for count in [&self.taken, &self.busy_ns, &self.sent] {
            count.store(0, Ordering::Relaxed);
        }
        self.memory.store(0, Ordering::Relaxed);
        self.born.store(now, Ordering::Relaxed);
    }

    /// Messages that were taken from the mailbox.
    pub fn messages(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// A share of so many messages was taken. Only who has the mailbox may call this.
    pub fn took(&self, messages: usize) {
        if !COUNTED {
            return;
        }
        self.taken.store(self.messages() + messages as u64, Ordering::Relaxed);
    }

    /// When the actor was born.
    pub fn born(&self) -> u64 {
        self.born.load(Ordering::Relaxed)
    }

    /// Time with a worker, in nanoseconds.
    pub fn busy_ns(&self) -> u64 {
        self.busy_ns.load(Ordering::Relaxed)
    }

    /// The actor had a worker for so long. May come when another worker has it already.
    pub fn busy(&self, nanoseconds: u64) {
        self.busy_ns.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Bytes of linear memory.
    pub fn memory(&self) -> usize {
        self.memory.load(Ordering::Relaxed)
    }

    /// The actor has so much memory now.
    pub fn has_memory(&self, bytes: usize) {
        self.memory.store(bytes, Ordering::Relaxed);
    }

    /// Who looks at the actor meanwhile stays: then nothing changes. Release: pairs with `begins`, for `which`.
    fn change(&self, from: u64, to: u64) {
        let _unchanged = self.sent.compare_exchange(from, to, Ordering::Release, Ordering::Relaxed);
    }

    /// A message is sent now, and so many that nobody has taken wait with it: its wait is measured, unless (false) another one's is.
    pub fn sent(&self, now: u64, waiting: usize) -> bool {
        let free = !self.measures();
        if free {
            // Of two senders at once one measures the other's message: both are as good.
            self.which.store(self.messages() + waiting as u64, Ordering::Relaxed);
            self.change(0, now.max(1));
        }
        free
    }

    /// Whether some message's wait is measured.
    pub fn measures(&self) -> bool {
        COUNTED && self.sent.load(Ordering::Relaxed) != 0
    }

    /// A turn begins, and so many of the share are left behind it: if it is the turn of the message that is measured,
    /// when that was sent.
    pub fn begins(&self, left: usize) -> Option<u64> {
        let sent = self.sent.load(Ordering::Acquire);
        if sent == 0 || sent == LOOKED || self.messages() - (left as u64) < self.which.load(Ordering::Relaxed) {
            return None;
        }
        self.change(sent, 0);
        Some(sent)
    }

    /// The message that is measured did not come, or was thrown away.
    pub fn forget(&self) {
        if let Some(sent) = self.timed() {
            self.change(sent, 0);
        }
    }

    /// When the message was sent whose wait is measured now.
    pub fn timed(&self) -> Option<u64> {
        Some(self.sent.load(Ordering::Relaxed)).filter(|sent| *sent != 0 && *sent != LOOKED)
    }

    /// From now on somebody looks at the actor, or nobody any more. Each turn's begin finds that in the word that tells
    /// whether a wait is measured.
    pub fn look(&self, on: bool) {
        if on {
            self.sent.store(LOOKED, Ordering::Relaxed);
        } else {
            self.change(LOOKED, 0);
        }
    }

    /// Whether somebody looks at the actor.
    pub fn looked_at(&self) -> bool {
        self.sent.load(Ordering::Relaxed) == LOOKED
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Usage;

    #[test]
    fn the_message_that_was_measured_is_found_behind_others() {
        let usage = Usage::default();
        usage.took(5);
        assert!(usage.sent(1000, 3) && !usage.sent(2000, 9));
        usage.took(4);
        assert!(usage.measures());
        assert_eq!(
            (usage.begins(3), usage.begins(2), usage.begins(1), usage.begins(0)),
            (None, None, Some(1000), None)
        );
        assert_eq!(usage.messages(), 9);
    }

    #[test]
    fn who_is_looked_at_has_no_wait_measured() {
        let usage = Usage::default();
        usage.look(false);
        assert!(!usage.looked_at() && usage.sent(7, 1) && usage.timed() == Some(7));
        usage.look(true);
        usage.took(9);
        usage.forget();
        assert!(usage.measures() && usage.looked_at() && !usage.sent(9, 1));
        assert_eq!((usage.begins(0), usage.timed()), (None, None));
        usage.look(false);
        assert!(!usage.measures() && usage.sent(9, 1));
    }

    #[test]
    fn figures_are_of_one_actor() {
        let usage = Usage::default();
        usage.took(1);
        assert!(usage.sent(7, 1));
        usage.busy(10);
        usage.has_memory(64);
        assert_eq!((usage.messages(), usage.busy_ns(), usage.memory()), (1, 10, 64));
        usage.reset(3);
        assert_eq!((usage.messages(), usage.busy_ns(), usage.memory(), usage.measures()), (0, 0, 0, false));
        assert_eq!(usage.born(), 3);
    }
}
