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
//!
//! One sleeper at a time may wait elsewhere than on its condvar: in the kernel, for sockets ([`super::Inlet`]). It says
//! so under its parker's lock, under which the waker leaves the token: either the sleeper sees the token and does not
//! wait, or the waker sees where it waits and rings there. A ring that comes before the wait ends it.
//!
//! The monitor sleeps while all workers do, and is woken by the first of them that wakes: a price that only a wake-up
//! pays. By the same argument it misses none: it says that it sleeps, passes a fence, and then counts the sleepers; a
//! worker is off the list of sleepers, passes a fence, and then asks whether the monitor sleeps.

use crate::base::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use crate::base::sync::{Condvar, Mutex};

#[derive(Debug)]
struct Parker {
    state: Mutex<State>,
    condvar: Condvar,
}

impl Parker {
    fn new() -> Self {
        Self { state: Mutex::new(State::default()), condvar: Condvar::new() }
    }

    /// Sleeps until there is a token, and takes it.
    fn park(&self) {
        let mut state = self.state.lock();
        while !state.token {
            self.condvar.wait(&mut state);
        }
        state.token = false;
    }
}

#[derive(Debug, Default)]
struct State {
    /// Set by who wakes, cleared by who slept: a wake-up that comes before the sleep is kept.
    token: bool,
    /// The sleeper waits for sockets, where only a ring reaches it.
    away: bool,
}

/// Ends the wait of a worker for sockets.
type Ring = Box<dyn Fn() + Send + Sync>;

/// See the file's head.
pub struct Idle {
    searching: AtomicUsize,
    sleeping: AtomicUsize,
    sleepers: Mutex<Vec<usize>>,
    parkers: Box<[Parker]>,
    ring: Ring,
    monitor: Parker,
    monitor_sleeps: AtomicBool,
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idle")
            .field("searching", &self.searching)
            .field("sleepers", &self.sleepers)
            .finish_non_exhaustive()
    }
}

impl Idle {
    /// For so many workers, all awake. `ring` ends the wait of a worker for sockets.
    pub fn new(workers: usize, ring: impl Fn() + Send + Sync + 'static) -> Self {
        let parkers = (0..workers).map(|_| Parker::new()).collect();
        Self {
            searching: AtomicUsize::new(0),
            sleeping: AtomicUsize::new(0),
            sleepers: Mutex::new(Vec::with_capacity(workers)),
            parkers,
            ring: Box::new(ring),
            monitor: Parker::new(),
            monitor_sleeps: AtomicBool::new(false),
        }
    }

    /// Whether a wake-up may be worth a look; may be out of date.
    #[inline]
    pub fn anybody_sleeps(&self) -> bool {
        self.sleeping.load(Ordering::Relaxed) != 0
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
        self.lie_down(worker, searching);
        if work_left() && self.get_up(worker) {
            return false;
        }
        // Woken, or somebody took us off the list and is about to wake us: take that wake-up, it made us a searcher.
        self.woken(worker)
    }

    /// The same, but it sleeps in `wait`, which ends by itself when a socket has something, or by the ring.
    pub fn sleep_in(
        &self,
        worker: usize,
        searching: bool,
        work_left: impl FnOnce() -> bool,
        wait: impl FnOnce(),
    ) -> bool {
        self.lie_down(worker, searching);
        if work_left() && self.get_up(worker) {
            return false;
        }
        let goes = {
            let mut state = self.parkers[worker].state.lock();
            state.away = !state.token;
            state.away
        };
        if goes {
            wait();
            self.parkers[worker].state.lock().away = false;
        }
        if self.get_up(worker) {
            return false;
        }
        self.woken(worker)
    }

    fn lie_down(&self, worker: usize, searching: bool) {
        {
            let mut sleepers = self.sleepers.lock();
            sleepers.push(worker);
            self.sleeping.store(sleepers.len(), Ordering::Relaxed);
            if searching {
                self.searching.fetch_sub(1, Ordering::Relaxed);
            }
        }
        fence(Ordering::SeqCst);
    }

    /// Takes the worker off the list. False: somebody else has, and its wake-up is there or comes.
    fn get_up(&self, worker: usize) -> bool {
        {
            let mut sleepers = self.sleepers.lock();
            let Some(position) = sleepers.iter().position(|other| *other == worker) else { return false };
            sleepers.remove(position);
            self.sleeping.store(sleepers.len(), Ordering::Relaxed);
        }
        self.wake_monitor();
        true
    }

    /// Takes the wake-up; the worker is a searcher now.
    fn woken(&self, worker: usize) -> bool {
        self.parkers[worker].park();
        self.wake_monitor();
        true
    }

    /// The monitor's sleep: until a worker wakes, unless one is awake.
    pub fn monitor_sleep(&self) {
        self.monitor_sleeps.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.sleeping.load(Ordering::Relaxed) == self.parkers.len() {
            self.monitor.park();
        }
        self.monitor_sleeps.store(false, Ordering::Relaxed);
    }

    /// Wakes the monitor if it sleeps.
    fn wake_monitor(&self) {
        fence(Ordering::SeqCst);
        if self.monitor_sleeps.load(Ordering::Relaxed) && self.monitor_sleeps.swap(false, Ordering::Relaxed) {
            self.monitor.state.lock().token = true;
            self.monitor.condvar.notify_one();
        }
    }

    fn unpark(&self, worker: usize) {
        let parker = &self.parkers[worker];
        let away = {
            let mut state = parker.state.lock();
            state.token = true;
            state.away
        };
        if away {
            (self.ring)();
        } else {
            parker.condvar.notify_one();
        }
    }
}
