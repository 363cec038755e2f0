//! How many actors are alive. Counted apart for each worker, so that two workers that spawn do not write to one cache
//! line. Used by `node`.
//!
//! Must hold: `alive` is never 0 while an actor is alive that was there when it was asked: the ends are summed up before
//! the births. Who waits for 0 says so, passes a SeqCst fence, and then counts; who ends is counted, passes a fence, and
//! then asks whether somebody waits, and counts: so either the waiter sees the 0 or the last end sees the waiter, and of
//! two ends at once at least one sees both.

use crate::base::sync::Padded;
use crate::base::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

#[derive(Debug, Default)]
struct Count {
    born: AtomicUsize,
    ended: AtomicUsize,
}

/// See the file's head.
#[derive(Debug)]
pub struct Population {
    /// One a worker, the last for everybody else.
    counts: Box<[Padded<Count>]>,
    awaited: Padded<AtomicBool>,
}

impl Population {
    /// Nobody yet.
    pub fn new(workers: usize) -> Self {
        Self { counts: (0..=workers).map(|_| Padded::default()).collect(), awaited: Padded::default() }
    }

    fn count(&self, worker: Option<usize>) -> &Count {
        &self.counts[worker.unwrap_or(self.counts.len() - 1)]
    }

    /// An actor begins.
    pub fn born(&self, worker: Option<usize>) {
        // Release: who sees an end, which comes later, sees the birth.
        self.count(worker).born.fetch_add(1, Ordering::Release);
    }

    /// An actor has ended. True: it was the last, and somebody waits for that.
    #[must_use]
    pub fn ended(&self, worker: Option<usize>) -> bool {
        self.count(worker).ended.fetch_add(1, Ordering::AcqRel);
        fence(Ordering::SeqCst);
        self.awaited.load(Ordering::Relaxed) && self.alive() == 0
    }

    /// From here on the last end is told.
    pub fn wait(&self) {
        self.awaited.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Actors alive.
    pub fn alive(&self) -> usize {
        let sum = |of: fn(&Count) -> &AtomicUsize| {
            self.counts.iter().fold(0, |sum: usize, count| sum.wrapping_add(of(count).load(Ordering::Acquire)))
        };
        let ended = sum(|count| &count.ended);
        sum(|count| &count.born).wrapping_sub(ended)
    }
}
