//! Workers without work: who sleeps, who searches, whom to wake. Used by the run queue alone.
//!
//! A wake-up of a sleeping thread costs 15-20 µs on the machine this was measured on, so a push wakes at most one
//! worker, and none while another one is already searching: that one will find the work.
//!
//! No lost wake-up. The pusher puts the work into a queue, passes a SeqCst fence, then reads `searching` and
//! `sleeping`. The sleeper writes `sleeping` (and gives up `searching`), passes a SeqCst fence, then looks into all
//! queues once more before it sleeps. Of two such pairs at least one sees the other's write: either the pusher sees
//! a sleeper to wake, or the sleeper sees the work. A searcher that finds work and was the last one wakes the next
//! worker if there is more, so work never waits for a worker that only looked.

use crate::base::sync::atomic::{AtomicUsize, Ordering, fence};
use crate::base::sync::{Condvar, Mutex};

#[derive(Debug)]
struct Parker {
    /// Set by who wakes, cleared by who slept: a wake-up that comes before the sleep is kept.
    token: Mutex<bool>,
    condvar: Condvar,
}

/// See the file's head.
#[derive(Debug)]
pub struct Idle {
    searching: AtomicUsize,
    sleeping: AtomicUsize,
    sleepers: Mutex<Vec<usize>>,
    parkers: Box<[Parker]>,
}

impl Idle {
    /// For so many workers, all awake.
    pub fn new(workers: usize) -> Self {
        let parkers = (0..workers).map(|_| Parker { token: Mutex::new(false), condvar: Condvar::new() }).collect();
        Self {
            searching: AtomicUsize::new(0),
            sleeping: AtomicUsize::new(0),
            sleepers: Mutex::new(Vec::with_capacity(workers)),
            parkers,
        }
    }

    /// Work was put where a worker of the pool can find it: wakes one if nobody will come by soon.
    pub fn work_came(&self) {
        fence(Ordering::SeqCst);
        if self.sleeping.load(Ordering::Relaxed) == 0 || self.searching.load(Ordering::Relaxed) != 0 {
            return;
        }
        let woken = {
            let mut sleepers = self.sleepers.lock();
            if self.searching.load(Ordering::Relaxed) != 0 {
                return;
            }
            let Some(worker) = sleepers.pop() else { return };
            self.sleeping.store(sleepers.len(), Ordering::Relaxed);
            // The woken one starts as a searcher, so that the next push does not wake another.
            self.searching.fetch_add(1, Ordering::Relaxed);
            worker
        };
        self.unpark(woken);
    }

    /// Wakes all sleepers, for shutdown.
    pub fn wake_all(&self) {
        let all = {
            let mut sleepers = self.sleepers.lock();
            self.sleeping.store(0, Ordering::Relaxed);
            self.searching.fetch_add(sleepers.len(), Ordering::Relaxed);
            std::mem::take(&mut *sleepers)
        };
        for worker in all {
            self.unpark(worker);
        }
    }

    /// Asks to search; at most half of the workers (rounded up) may at a time. Pairs with `found` or `sleep`.
    pub fn search(&self) -> bool {
        let limit = self.parkers.len().div_ceil(2);
        let mut now = self.searching.load(Ordering::Relaxed);
        while now < limit {
            match self.searching.compare_exchange_weak(now, now + 1, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(other) => now = other,
            }
        }
        false
    }

    /// A searcher found work. True: it was the last searcher, so the caller must call `work_came` if there is more.
    #[must_use]
    pub fn found(&self) -> bool {
        self.searching.fetch_sub(1, Ordering::SeqCst) == 1
    }

    /// Sleeps until woken, unless `work_left` finds something after the worker was counted as a sleeper. Returns
    /// whether the worker is a searcher now (it was woken to search).
    pub fn sleep(&self, worker: usize, searching: bool, work_left: impl FnOnce() -> bool) -> bool {
        {
            let mut sleepers = self.sleepers.lock();
            sleepers.push(worker);
            self.sleeping.store(sleepers.len(), Ordering::Relaxed);
            if searching {
                self.searching.fetch_sub(1, Ordering::Relaxed);
            }
        }
        fence(Ordering::SeqCst);
        if work_left() {
            let mut sleepers = self.sleepers.lock();
            if let Some(position) = sleepers.iter().position(|other| *other == worker) {
                sleepers.remove(position);
                self.sleeping.store(sleepers.len(), Ordering::Relaxed);
                return false;
            }
            // Somebody took us off the list and is about to wake us: take that wake-up, it made us a searcher.
        }
        let parker = &self.parkers[worker];
        let mut token = parker.token.lock();
        while !*token {
            parker.condvar.wait(&mut token);
        }
        *token = false;
        true
    }

    fn unpark(&self, worker: usize) {
        let parker = &self.parkers[worker];
        *parker.token.lock() = true;
        parker.condvar.notify_one();
    }
}
