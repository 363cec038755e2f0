//! The mailboxes that have messages, each at most once. Filled by `node`, emptied by the workers.
//!
//! Each worker has a run-next slot (the receiver of what it sent last: its cache is warm) and a queue of its own;
//! the global queue takes what comes from outside the workers and what does not fit. A worker without work looks
//! into the global queue, then steals from the others, then waits for sockets ([`Inlet`]) or, if another one does, on its
//! condvar. Turns that were cut ([`super::seats`]) wait in the slow lane: it is looked at when there is nothing else to do, or
//! when the monitor says that the lane's turn is due.
//!
//! Must hold:
//! - Fairness: after `NEXT_STREAK` takes from the run-next slot the own queue has its turn, and every `GLOBAL_EVERY`
//!   takes the global queue comes first. So a mailbox that is k-th in a worker's queue is taken within
//!   `2 * (NEXT_STREAK + 2) * k` takes of that worker, and one that is k-th in the global queue within
//!   `GLOBAL_EVERY * k`. The test below holds the code to it.
//!   An actor whose turns are long may be put back some times in a row by `node`, which adds as many takes.
//! - What lies in a run-next slot behind an endless turn is not lost: the monitor moves it ([`RunQueue::rescue`]).
//! - No lost wake-up for what others must take: see `idle.rs`. What a worker puts into its own queue it would come to
//!   itself, so waking somebody for it is a matter of speed: no fence is paid for it, and it is asked again at each take.
//!   A mailbox that is alone behind the turn that made it ready wakes nobody; if that turn does not end, the monitor does.

use crossbeam_queue::{ArrayQueue, SegQueue};

use crate::base::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::base::sync::{Arc, Padded};
use crate::sched::seats::{Chair, Cut, Seats};
use crate::sched::{Idle, Inlet, Wait, WorkerStatus};

#[cfg(all(test, not(loom)))]
mod tests;

/// Takes in a row from the run-next slot. Thin air; a pair of talkers keeps its warm cache, others wait 16 turns.
pub const NEXT_STREAK: u32 = 16;
/// Every so manyth take looks at the global queue first. Fired timers come through it, and what the socket thread reads,
/// so its turn is every other one: with 31 (tokio's; Go has 61) a hundred timers that were due together waited for 3100
/// turns of a busy worker, the last of them 50 ms. A look at an empty queue is two loads of a line that nobody writes.
pub const GLOBAL_EVERY: u32 = 2;
/// Every so manyth take looks after the sockets.
const GLANCE_EVERY: u32 = 31;
/// Mailboxes that a worker's own queue holds; more go to the global one. Thin air.
const LOCAL: usize = 1024;
/// Looks into all queues before a searcher goes to sleep, about 10-20 µs. Measured: a wake-up costs as much.
const SPINS: u32 = 200;

/// The slot of an actor in the table.
pub type SlotIndex = u32;

/// 0 is "none" in a run-next slot: slot 0 is never an actor's.
const NONE: u64 = 0;

/// What `take` adds to the slot of a turn that was cut: it must be claimed before it goes on. Slots have 24 bits.
pub const CUT: SlotIndex = 1 << 31;

/// How [`RunQueue::step_aside`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Aside {
    /// There is no thread for the seat: the caller kept it.
    Stays,
    /// The turn goes on with this seat.
    Seat(usize),
    /// The host stops; the caller has no seat any more.
    Leave,
}

#[derive(Debug)]
struct Local {
    next: AtomicU64,
    /// The slow lane is due at this worker.
    due: AtomicBool,
    queue: ArrayQueue<SlotIndex>,
    /// Written at each turn, read by the monitor: on lines of its own.
    status: Padded<WorkerStatus>,
    /// Where the others start to steal, so that they do not all start with worker 0.
    steal_from: AtomicUsize,
}

/// A worker's own counters; no other thread touches them.
#[derive(Debug, Default)]
pub struct Cursor {
    streak: u32,
    takes: u32,
}

/// See the file's head.
#[derive(Debug)]
pub struct RunQueue {
    global: SegQueue<SlotIndex>,
    slow: SegQueue<SlotIndex>,
    locals: Box<[Padded<Local>]>,
    seats: Seats,
    idle: Idle,
    /// Time that the monitor has counted while it was awake, in nanoseconds: a clock that costs nothing to read.
    counted: AtomicU64,
    stop: AtomicBool,
}

impl RunQueue {
    /// For so many workers (at least one), without sockets.
    pub fn new(workers: usize) -> Self {
        Self::with_ring(workers, || {})
    }

    /// The same; `ring` ends the wait of a worker for sockets.
    pub fn with_ring(workers: usize, ring: impl Fn() + Send + Sync + 'static) -> Self {
        let local = |index| Local {
            next: AtomicU64::new(NONE),
            due: AtomicBool::new(false),
            queue: ArrayQueue::new(LOCAL),
            status: Padded::default(),
            steal_from: AtomicUsize::new(index + 1),
        };
        Self {
            global: SegQueue::new(),
            slow: SegQueue::new(),
            locals: (0..workers).map(|index| Padded(local(index))).collect(),
            seats: Seats::new(workers),
            idle: Idle::new(workers, ring),
            counted: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        }
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.locals.len()
    }

    /// Who has the seats, and the turns that were cut.
    pub fn seats(&self) -> &Seats {
        &self.seats
    }

    /// Wakes and sleeps of the workers, for the monitor.
    pub fn idle(&self) -> &Idle {
        &self.idle
    }

    /// The time that the monitor has counted.
    pub fn counted(&self) -> u64 {
        self.counted.load(Ordering::Relaxed)
    }

    /// The monitor has been awake for so many nanoseconds more.
    pub fn count(&self, nanoseconds: u64) {
        self.counted.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// What a worker is doing.
    pub fn status(&self, worker: usize) -> &WorkerStatus {
        &self.locals[worker].status
    }

    /// From a worker: this mailbox runs next here, what was to run next goes to the tail of the own queue. From
    /// outside (None): to the global queue.
    pub fn push(&self, worker: Option<usize>, slot: SlotIndex) {
        let Some(worker) = worker else {
            self.global.push(slot);
            return self.idle.work_came();
        };
        let local = &self.locals[worker];
        // Others only empty the place, so where it is empty a store is enough.
        if local.next.load(Ordering::Relaxed) == NONE {
            return local.next.store(u64::from(slot), Ordering::Release);
        }
        let before = local.next.swap(u64::from(slot), Ordering::AcqRel);
        if before != NONE {
            self.push_tail(worker, slot_of(before));
        }
    }

    /// From a worker: to the tail of its own queue.
    pub fn push_tail(&self, worker: usize, slot: SlotIndex) {
        let local = &self.locals[worker];
        if let Err(slot) = local.queue.push(slot) {
            self.global.push(slot);
            return self.idle.work_came();
        }
        // What is alone here runs as soon as this turn ends, sooner than somebody else wakes up and comes.
        if self.idle.anybody_sleeps() && (local.queue.len() > 1 || local.next.load(Ordering::Relaxed) != NONE) {
            self.idle.work_came();
        }
    }

    /// From a worker that has looked after the sockets: the first runs next, where nobody steals it, others go to the
    /// tail of its queue. Wakes nobody: the worker has others called when it knows how much there is.
    pub fn push_brought(&self, worker: usize, slot: SlotIndex) {
        let local = &self.locals[worker];
        let first = local.next.compare_exchange(NONE, u64::from(slot), Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if !first && let Err(slot) = local.queue.push(slot) {
            self.global.push(slot);
        }
    }

    /// Whether a worker's next take would not come back empty without stealing.
    pub fn waits(&self, worker: usize) -> bool {
        let local = &self.locals[worker];
        local.next.load(Ordering::Relaxed) != NONE
            || !local.queue.is_empty()
            || !self.global.is_empty()
            || local.due.load(Ordering::Relaxed)
    }

    /// Whether anything waits that a worker could do instead of the turn that it runs.
    pub fn others_wait(&self, worker: usize) -> bool {
        self.waits(worker) || self.any_work()
    }

    /// Whether turns that were cut wait for their next slice.
    pub fn cut_wait(&self) -> bool {
        !self.slow.is_empty()
    }

    /// A worker takes from the slow lane next.
    pub fn slow_is_due(&self, worker: usize) {
        self.locals[worker].due.store(true, Ordering::Relaxed);
    }

    /// Whether it has still to do so.
    pub fn is_due(&self, worker: usize) -> bool {
        self.locals[worker].due.load(Ordering::Relaxed)
    }

    /// A turn was cut and has left its thread: its mailbox waits in the slow lane. `killed` is asked when it is there.
    pub fn cut(&self, slot: SlotIndex, killed: impl FnOnce() -> bool) {
        self.seats.enter(slot, Cut::Mailbox);
        self.push_slow(slot, killed);
    }

    /// A turn was cut and keeps its thread, the caller's: passes the seat on, and sleeps until the turn may go on.
    pub fn step_aside(&self, seat: usize, slot: SlotIndex, killed: impl FnOnce() -> bool) -> Aside {
        if !self.seats.relieve(seat) {
            return Aside::Stays;
        }
        let chair = Arc::new(Chair::default());
        self.seats.enter(slot, Cut::Thread(chair.clone()));
        self.push_slow(slot, killed);
        chair.wait().map_or(Aside::Leave, Aside::Seat)
    }

    fn push_slow(&self, slot: SlotIndex, killed: impl FnOnce() -> bool) {
        self.slow.push(slot);
        self.idle.work_came();
        // The kill looks for the turn in the book after it has set its flag, we look at the flag after we have written
        // into the book: one of the two sees the other.
        if killed() {
            self.hurry(slot);
        }
    }

    /// An actor was killed: if its turn is cut, it goes on soon, to its end.
    pub fn hurry(&self, slot: SlotIndex) {
        if self.seats.is_cut(slot) {
            self.global.push(slot | CUT);
            self.idle.work_came();
        }
    }

    fn take_slow(&self) -> Option<SlotIndex> {
        self.slow.pop().map(|slot| slot | CUT)
    }

    /// The next mailbox for a worker, with [`CUT`] for a turn that was cut; sleeps while there is none. None: the host
    /// stops.
    pub fn take(&self, worker: usize, cursor: &mut Cursor, inlet: &impl Inlet) -> Option<SlotIndex> {
        if cursor.takes.is_multiple_of(GLANCE_EVERY) && inlet.glance(worker) > 0 {
            self.idle.work_came();
        }
        if let Some(slot) = self.take_own(worker, cursor) {
            if self.idle.anybody_sleeps() && !self.locals[worker].queue.is_empty() {
                self.idle.work_came();
            }
            return Some(slot);
        }
        // No search while there is a place to wait for sockets: their next event may be the one that is waited for.
        let mut searching = false;
        let mut brought = 0;
        let mut spins = 0;
        loop {
            if self.stop.load(Ordering::Acquire) {
                return None;
            }
            let mut found = self.take_own(worker, cursor).or_else(|| self.steal(worker));
            if found.is_none() && !self.slow.is_empty() {
                // A long turn keeps the worker for a slice at least: the sockets come first.
                brought += inlet.glance(worker);
                found = self.take_own(worker, cursor).or_else(|| self.take_slow());
            }
            if found.is_some() {
                if ((searching && self.idle.found()) || brought > 1) && self.any_work() {
                    self.idle.work_came();
                }
                return found;
            }
            let work_left = || self.any_work() || self.stop.load(Ordering::Acquire);
            if let Some(mut wait) = inlet.wait() {
                if !wait.has_more() {
                    searching = self.idle.sleep_in(worker, searching, work_left, || wait.wait());
                }
                brought += wait.bring(worker);
                continue;
            }
            if !searching && spins == 0 {
                searching = self.idle.search();
            }
            if searching && spins < SPINS {
                spins += 1;
                std::hint::spin_loop();
                continue;
            }
            spins = 0;
            searching = self.idle.sleep(worker, searching, work_left);
        }
    }

    /// The next mailbox for a worker if there is one; never sleeps. For tests that drive a node by hand.
    pub fn try_take(&self, worker: usize, cursor: &mut Cursor) -> Option<SlotIndex> {
        self.take_own(worker, cursor).or_else(|| self.steal(worker)).or_else(|| self.take_slow())
    }

    /// Moves what lies in the run-next slot of a worker to the global queue, when its turn does not end.
    pub fn rescue(&self, worker: usize) {
        let slot = self.locals[worker].next.swap(NONE, Ordering::AcqRel);
        if slot != NONE {
            self.global.push(slot_of(slot));
        }
        if self.any_work() {
            self.idle.work_came();
        }
    }

    /// All workers return from `take` with None.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.seats.stop();
        self.idle.wake_all();
    }

    /// Whether the workers are to end.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn take_own(&self, worker: usize, cursor: &mut Cursor) -> Option<SlotIndex> {
        let local = &self.locals[worker];
        if local.due.load(Ordering::Relaxed) {
            local.due.store(false, Ordering::Relaxed);
            if let Some(slot) = self.take_slow() {
                return Some(slot);
            }
        }
        cursor.takes = cursor.takes.wrapping_add(1);
        if cursor.takes.is_multiple_of(GLOBAL_EVERY)
            && !self.global.is_empty()
            && let Some(slot) = self.global.pop()
        {
            return Some(slot);
        }
        if cursor.streak < NEXT_STREAK && local.next.load(Ordering::Relaxed) != NONE {
            let next = local.next.swap(NONE, Ordering::AcqRel);
            if next != NONE {
                cursor.streak += 1;
                return Some(slot_of(next));
            }
        }
        cursor.streak = 0;
        if let Some(slot) = local.queue.pop() {
            return Some(slot);
        }
        let next = local.next.swap(NONE, Ordering::AcqRel);
        if next != NONE {
            return Some(slot_of(next));
        }
        self.global.pop()
    }

    fn steal(&self, worker: usize) -> Option<SlotIndex> {
        let count = self.locals.len();
        let start = self.locals[worker].steal_from.fetch_add(1, Ordering::Relaxed);
        (0..count)
            .map(|offset| (start + offset) % count)
            .filter(|victim| *victim != worker)
            .find_map(|victim| self.locals[victim].queue.pop())
    }

    /// Anything that a searcher could take: all but the run-next slots, which their workers will come to.
    fn any_work(&self) -> bool {
        !self.global.is_empty() || !self.slow.is_empty() || self.locals.iter().any(|local| !local.queue.is_empty())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only slot indices are stored")]
fn slot_of(next: u64) -> SlotIndex {
    next as SlotIndex
}
