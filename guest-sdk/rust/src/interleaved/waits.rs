//! Who waits for which session. A future that is made for a session ends when [`end`] is called for it, and calls its
//! cancel function when it is dropped before. Knows nothing of the host but the shape of what ends.
//!
//! The usual task waits for one thing at a time, and the wait that was made last is the next to end: so it is found
//! without a search, and comes into the table only when another one is made. All state that this way touches is in
//! `Cell`s, for the reason given in [`super::tasks`].

use super::tasks::Waiter;
use crate::{Down, Error};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll};

/// How a wait ends. Small: it is moved several times.
#[derive(Debug)]
pub(super) enum Ending {
    /// A request was answered.
    Answer(Vec<u8>),
    Timeout,
    Other(Box<Other>),
}

/// The rarer ways.
#[derive(Debug)]
pub(super) enum Other {
    /// Of a request.
    Failed(Error),
    Spawned(Result<u64, Error>),
    Down(Down),
}

impl From<Other> for Ending {
    fn from(other: Other) -> Self {
        Self::Other(Box::new(other))
    }
}

/// What a wait and its end share. Given to the next wait when both are done with it, never back.
#[derive(Default)]
struct Slot {
    session: Cell<u64>,
    ending: Cell<Option<Ending>>,
    waiter: Cell<Option<Waiter>>,
    next_free: Cell<Option<&'static Slot>>,
}

impl Slot {
    #[cold]
    fn leaked() -> &'static Self {
        Box::leak(Box::default())
    }
}

/// Slots by their sessions: an open table with linear search. The host counts sessions up, so they spread well, and a wait
/// is found in a few steps.
struct Table {
    /// A power of two of places, at most half of them taken; or none at all.
    places: Vec<Option<&'static Slot>>,
    taken: usize,
}

impl Table {
    const FIRST: usize = 8;

    /// Where the search for a session begins.
    fn home(&self, session: u64) -> usize {
        // The upper half of the product: what differs in any bit of the session differs there.
        (session.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (self.places.len() - 1)
    }

    /// The place of a session, or the empty one where it belongs.
    fn find(&self, session: u64) -> usize {
        let mut at = self.home(session);
        while self.places[at].is_some_and(|other| other.session.get() != session) {
            at = (at + 1) & (self.places.len() - 1);
        }
        at
    }

    fn insert(&mut self, slot: &'static Slot) {
        if self.taken * 2 >= self.places.len() {
            let more = (self.places.len() * 2).max(Self::FIRST);
            let mut old = std::mem::take(&mut self.places);
            self.places.resize_with(more, || None);
            for taken in old.drain(..).flatten() {
                let at = self.find(taken.session.get());
                self.places[at] = Some(taken);
            }
        }
        let at = self.find(slot.session.get());
        self.taken += usize::from(self.places[at].is_none());
        self.places[at] = Some(slot);
    }

    fn remove(&mut self, session: u64) -> Option<&'static Slot> {
        if self.places.is_empty() {
            return None;
        }
        let mut hole = self.find(session);
        let slot = self.places[hole].take()?;
        self.taken -= 1;
        // What comes behind, up to the next empty place, and began its search at the hole or before it, moves up.
        let last = self.places.len() - 1;
        let mut at = (hole + 1) & last;
        while let Some(other) = &self.places[at] {
            let home = self.home(other.session.get());
            if (at.wrapping_sub(home) & last) >= (at.wrapping_sub(hole) & last) {
                self.places.swap(at, hole);
                hole = at;
            }
            at = (at + 1) & last;
        }
        Some(slot)
    }
}

/// The actor's waits.
struct Waits {
    /// The one that was made last, if it has not ended.
    newest: Cell<Option<&'static Slot>>,
    /// All others that have not.
    table: RefCell<Table>,
    free: Cell<Option<&'static Slot>>,
}

thread_local! {
    static WAITS: Waits = const {
        Waits {
            newest: Cell::new(None),
            table: RefCell::new(Table { places: Vec::new(), taken: 0 }),
            free: Cell::new(None),
        }
    };
}

impl Waits {
    #[inline(always)]
    fn insert(&self, session: u64) -> &'static Slot {
        let slot = match self.free.get() {
            Some(slot) => {
                self.free.set(slot.next_free.get());
                slot
            }
            None => Slot::leaked(),
        };
        slot.session.set(session);
        if let Some(older) = self.newest.replace(Some(slot)) {
            self.keep(older);
        }
        slot
    }

    /// No longer the newest.
    #[cold]
    fn keep(&self, older: &'static Slot) {
        self.table.borrow_mut().insert(older);
    }

    #[inline(always)]
    fn remove(&self, session: u64) -> Option<&'static Slot> {
        match self.newest.get() {
            Some(newest) if newest.session.get() == session => self.newest.take(),
            _ => self.find(session),
        }
    }

    #[inline(never)]
    fn find(&self, session: u64) -> Option<&'static Slot> {
        self.table.borrow_mut().remove(session)
    }

    #[inline]
    fn free(&self, slot: &'static Slot) {
        slot.next_free.set(self.free.replace(Some(slot)));
    }
}

/// Waits for the end of one session.
pub(super) struct Wait {
    /// None: it is over.
    slot: Option<&'static Slot>,
    /// What tells the host that nobody waits any more.
    cancel: fn(u64),
}

impl std::fmt::Debug for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wait").field("session", &self.slot.map(|slot| slot.session.get())).finish_non_exhaustive()
    }
}

impl Wait {
    #[inline]
    pub(super) fn new(session: u64, cancel: fn(u64)) -> Self {
        Self { slot: Some(WAITS.with(|waits| waits.insert(session))), cancel }
    }
}

impl Future for Wait {
    type Output = Ending;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ending> {
        let slot = self.slot.expect("polled after its end");
        match slot.ending.take() {
            Some(ending) => {
                self.slot = None;
                WAITS.with(|waits| waits.free(slot));
                Poll::Ready(ending)
            }
            None => {
                slot.waiter.set(Some(Waiter::new(context.waker())));
                Poll::Pending
            }
        }
    }
}

impl Drop for Wait {
    #[inline]
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            self.give_up(slot);
        }
    }
}

impl Wait {
    #[cold]
    fn give_up(&self, slot: &'static Slot) {
        let ended = slot.ending.take().is_some();
        let session = slot.session.get();
        drop(slot.waiter.take());
        WAITS.with(|waits| {
            if !ended {
                waits.remove(session);
            }
            waits.free(slot);
        });
        if !ended {
            (self.cancel)(session);
        }
    }
}

/// Ends a wait. Gives the ending back if nobody waits for this session.
pub(super) fn end(session: u64, ending: Ending) -> Result<(), Ending> {
    end_here(session, ending)
}

/// [`end`] for the one place where it is hot.
#[inline(always)]
pub(super) fn end_here(session: u64, ending: Ending) -> Result<(), Ending> {
    let Some(slot) = WAITS.with(|waits| waits.remove(session)) else {
        return Err(ending);
    };
    let waiter = slot.waiter.take();
    slot.ending.set(Some(ending));
    if let Some(waiter) = waiter {
        waiter.wake();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Ending, Slot, Table, Wait, end};
    use crate::interleaved::tasks::{run_until_stalled, spawn_local};
    use std::cell::Cell;
    use std::collections::HashMap;

    thread_local! {
        static CANCELLED: Cell<u64> = const { Cell::new(0) };
    }

    fn wait(session: u64) -> Wait {
        Wait::new(session, |session| CANCELLED.set(session))
    }

    #[test]
    fn an_end_wakes_its_waiter() {
        let task = spawn_local(async { matches!(wait(7).await, Ending::Timeout) });
        run_until_stalled();
        assert!(end(8, Ending::Timeout).is_err());
        end(7, Ending::Timeout).unwrap();
        run_until_stalled();
        assert!(task.is_finished());
        assert_eq!(CANCELLED.get(), 0);
    }

    #[test]
    fn an_end_before_the_first_poll_is_kept() {
        let early = wait(3);
        end(3, Ending::Timeout).unwrap();
        let task = spawn_local(early);
        run_until_stalled();
        assert!(task.is_finished());
    }

    #[test]
    fn dropping_cancels_at_the_host_once() {
        drop(wait(5));
        assert_eq!(CANCELLED.replace(0), 5);
        assert!(end(5, Ending::Timeout).is_err());
        let done = wait(6);
        end(6, Ending::Timeout).unwrap();
        drop(done);
        assert_eq!(CANCELLED.get(), 0);
    }

    #[test]
    fn the_table_is_a_map() {
        let mut table = Table { places: Vec::new(), taken: 0 };
        let mut model = HashMap::new();
        // Any generator will do; this one is good enough to make all kinds of neighbours.
        let mut random = 1_u64;
        for round in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let session = (random >> 40) % 64 + 1;
            if random >> 63 == 0 && table.taken < 40 {
                let slot: &'static Slot = Box::leak(Box::default());
                slot.session.set(session);
                table.insert(slot);
                model.insert(session, slot);
            } else {
                let (got, expected) = (table.remove(session), model.remove(&session));
                assert_eq!(got.map(std::ptr::from_ref), expected.map(std::ptr::from_ref), "round {round}");
            }
            assert_eq!(table.taken, model.len());
        }
        for (session, slot) in model {
            assert!(table.remove(session).is_some_and(|got| std::ptr::eq(got, slot)));
        }
    }
}
