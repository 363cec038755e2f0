//! Seats, and the turns that were cut. Used by the run queue, by `node` (which cuts turns) and by the worker threads.
//!
//! A *seat* is the right to run as one of the workers: its queue, its run-next slot, its status. There are as many seats
//! as workers, and a thread runs actors only while it has one. A turn that has used up its slice while others wait is
//! *cut*: it waits in the run queue's slow lane for its next slice. There are two kinds:
//!
//! - A turn that left its thread (its stack is a fiber's, or it was between two messages): its mailbox waits, and
//!   whoever takes it goes on with it.
//! - A turn on the stack of its thread keeps that thread: the thread gives its seat to a spare one and sleeps. Who takes
//!   such a turn from the slow lane gives it the seat and becomes a spare itself.
//!
//! So threads without a seat only sleep, whatever the guests do, and the machine is never asked to run more of them
//! than there are workers.
//!
//! Must hold:
//! - A seat has one thread: it is passed on by [`Seats::relieve`] and [`Seats::swap`], once each.
//! - A cut turn goes on with whoever takes it out of the book ([`Seats::claim`]). The lane's entries only hint at it: they
//!   may be stale, and there may be two of one turn, since a kill queues another one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::base::sync::{Arc, Condvar, Mutex, OnceLock};
use crate::sched::run_queue::SlotIndex;

/// Threads that may sleep in the middle of a turn. Thin air: each costs a thread's stack, some tens of KiB.
#[cfg(not(loom))]
pub const CUT_MAX: usize = 1024;
#[cfg(loom)]
pub const CUT_MAX: usize = 2;

/// Where a thread without a seat sleeps.
#[derive(Debug)]
pub struct Chair {
    offer: Mutex<Offer>,
    came: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offer {
    None,
    Seat(usize),
    /// The host stops.
    Leave,
}

/// A turn that was cut.
#[derive(Debug)]
pub enum Cut {
    /// It left its thread: run the mailbox.
    Mailbox,
    /// It sleeps on its thread: give it the seat.
    Thread(Arc<Chair>),
}

/// Starts a thread that has this seat. False: the machine gives none.
pub type Hire = Box<dyn Fn(usize) -> bool + Send + Sync>;

#[derive(Debug, Default)]
struct Inner {
    spares: Vec<Arc<Chair>>,
    cut: BTreeMap<SlotIndex, Cut>,
    /// How many of `cut` keep a thread.
    threads: usize,
    stop: bool,
}

/// See the file's head.
pub struct Seats {
    inner: Mutex<Inner>,
    /// Spare threads that are kept; more end.
    keep: usize,
    hire: OnceLock<Hire>,
}

impl fmt::Debug for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seats").field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl Default for Chair {
    fn default() -> Self {
        Self { offer: Mutex::new(Offer::None), came: Condvar::new() }
    }
}

impl Chair {
    fn offer(&self, offer: Offer) {
        *self.offer.lock() = offer;
        self.came.notify_one();
    }

    /// Sleeps until there is a seat. None: the host stops.
    pub fn wait(&self) -> Option<usize> {
        let mut offer = self.offer.lock();
        loop {
            match std::mem::replace(&mut *offer, Offer::None) {
                Offer::Seat(seat) => return Some(seat),
                Offer::Leave => return None,
                Offer::None => self.came.wait(&mut offer),
            }
        }
    }
}

impl Seats {
    /// For so many seats; each is taken.
    pub fn new(seats: usize) -> Self {
        Self { inner: Mutex::new(Inner::default()), keep: seats, hire: OnceLock::new() }
    }

    /// How threads are made. Without it, turns that would need one are not cut.
    pub fn on_hire(&self, hire: Hire) {
        // A second one would be a second set of threads for the same node, and changes nothing.
        drop(self.hire.set(hire));
    }

    /// Whether one more thread may sleep in the middle of a turn.
    pub fn room(&self) -> bool {
        self.inner.lock().threads < CUT_MAX
    }

    /// Passes the caller's seat to a spare thread, or to a new one. False: there is none, the caller keeps it.
    pub fn relieve(&self, seat: usize) -> bool {
        let spare = {
            let mut inner = self.inner.lock();
            if inner.stop {
                return true;
            }
            inner.spares.pop()
        };
        match spare {
            Some(chair) => {
                chair.offer(Offer::Seat(seat));
                true
            }
            None => self.hire.get().is_some_and(|hire| hire(seat)),
        }
    }

    /// Writes down a turn that was cut.
    pub fn enter(&self, slot: SlotIndex, cut: Cut) {
        let mut inner = self.inner.lock();
        if let Cut::Thread(chair) = &cut {
            if inner.stop {
                return chair.offer(Offer::Leave);
            }
            inner.threads += 1;
        }
        let before = inner.cut.insert(slot, cut);
        debug_assert!(before.is_none(), "a turn is cut once");
    }

    /// Takes a cut turn, to go on with it. None: somebody else did.
    pub fn claim(&self, slot: SlotIndex) -> Option<Cut> {
        let mut inner = self.inner.lock();
        let cut = inner.cut.remove(&slot)?;
        inner.threads -= usize::from(matches!(cut, Cut::Thread(_)));
        Some(cut)
    }

    /// Whether this actor's turn is cut now.
    pub fn is_cut(&self, slot: SlotIndex) -> bool {
        self.inner.lock().cut.contains_key(&slot)
    }

    /// All actors whose turns are cut now.
    pub fn all_cut(&self) -> BTreeSet<SlotIndex> {
        self.inner.lock().cut.keys().copied().collect()
    }

    /// Passes the caller's seat to a thread that sleeps in the middle of a turn, and makes the caller a spare. Returns
    /// its next seat; None: there are spares enough, or the host stops, and the caller's thread is to end.
    pub fn swap(&self, own: &Arc<Chair>, turn: &Chair, seat: usize) -> Option<usize> {
        let stays = {
            let mut inner = self.inner.lock();
            let stays = !inner.stop && inner.spares.len() < self.keep;
            if stays {
                inner.spares.push(own.clone());
            }
            stays
        };
        turn.offer(Offer::Seat(seat));
        if stays { own.wait() } else { None }
    }

    /// Ends the spare threads, and the turns that sleep on a thread.
    pub fn stop(&self) {
        let (spares, cut) = {
            let mut inner = self.inner.lock();
            inner.stop = true;
            inner.threads = 0;
            (std::mem::take(&mut inner.spares), std::mem::take(&mut inner.cut))
        };
        spares.iter().for_each(|chair| chair.offer(Offer::Leave));
        for cut in cut.into_values() {
            if let Cut::Thread(chair) = cut {
                chair.offer(Offer::Leave);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Chair, Cut, Seats};
    use crate::base::sync::Arc;
    use crate::base::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_seat_goes_to_a_new_thread_and_then_to_the_spare_one() {
        let seats = Arc::new(Seats::new(1));
        assert!(!seats.relieve(0), "nobody makes threads");
        let hired = Arc::new(AtomicUsize::new(0));
        let count = hired.clone();
        seats.on_hire(Box::new(move |seat| seat == 0 && count.fetch_add(1, Ordering::SeqCst) == 0));
        assert!(seats.relieve(0) && !seats.relieve(0));
        // A turn that sleeps gets the seat of the thread that takes it, and that one gets the seat back.
        let turn = Arc::new(Chair::default());
        seats.enter(7, Cut::Thread(turn.clone()));
        let other = seats.clone();
        let worker = std::thread::spawn(move || {
            let Some(Cut::Thread(turn)) = other.claim(7) else { panic!("it was entered") };
            other.swap(&Arc::new(Chair::default()), &turn, 0)
        });
        assert_eq!(turn.wait(), Some(0));
        assert!(seats.relieve(0));
        assert_eq!(worker.join().expect("no panic"), Some(0));
        assert_eq!(hired.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_cut_turn_is_claimed_once_and_counts_until_then() {
        let seats = Seats::new(1);
        seats.enter(3, Cut::Mailbox);
        assert!(seats.is_cut(3) && matches!(seats.claim(3), Some(Cut::Mailbox)));
        assert!(!seats.is_cut(3) && seats.claim(3).is_none());
        for slot in 0..super::CUT_MAX {
            assert!(seats.room());
            seats.enter(u32::try_from(slot).expect("small"), Cut::Thread(Arc::default()));
        }
        assert!(!seats.room());
        assert!(seats.claim(0).is_some() && seats.room());
    }

    #[test]
    fn a_stop_wakes_all() {
        let seats = Seats::new(1);
        let (before, after) = (Arc::new(Chair::default()), Arc::new(Chair::default()));
        seats.enter(1, Cut::Thread(before.clone()));
        seats.stop();
        seats.enter(2, Cut::Thread(after.clone()));
        assert_eq!((before.wait(), after.wait()), (None, None));
        assert_eq!(seats.swap(&Arc::new(Chair::default()), &Chair::default(), 0), None);
    }
}
