//! Who waits for which session. A future that is made for a session ends when `end` is called for it, and calls its
//! cancel function when it is dropped before. Knows nothing of the host but the shape of what ends.

use super::tasks::Waiter;
use crate::{Down, Error};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// How a wait ends.
#[derive(Debug)]
pub(super) enum Ending {
    Reply(Result<Vec<u8>, Error>),
    Spawned(Result<u64, Error>),
    Timeout,
    Down(Down),
}

#[derive(Default)]
struct Slot {
    ending: Cell<Option<Ending>>,
    waiter: Cell<Option<Waiter>>,
}

/// Sessions and their slots: an open table with linear search. The host counts sessions up, so they spread well, and a
/// wait is found in a few steps.
struct Table {
    /// A power of two of places, at most half of them taken; or none at all.
    places: Vec<Option<(u64, Rc<Slot>)>>,
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
        while self.places[at].as_ref().is_some_and(|(other, _)| *other != session) {
            at = (at + 1) & (self.places.len() - 1);
        }
        at
    }

    fn insert(&mut self, session: u64, slot: Rc<Slot>) {
        if self.taken * 2 >= self.places.len() {
            let more = (self.places.len() * 2).max(Self::FIRST);
            let mut old = std::mem::take(&mut self.places);
            self.places.resize_with(more, || None);
            for taken in old.drain(..).flatten() {
                let at = self.find(taken.0);
                self.places[at] = Some(taken);
            }
        }
        let at = self.find(session);
        self.taken += usize::from(self.places[at].is_none());
        self.places[at] = Some((session, slot));
    }

    fn remove(&mut self, session: u64) -> Option<Rc<Slot>> {
        if self.places.is_empty() {
            return None;
        }
        let mut hole = self.find(session);
        let (_, slot) = self.places[hole].take()?;
        self.taken -= 1;
        // What comes behind, up to the next empty place, and began its search at the hole or before it, moves up.
        let last = self.places.len() - 1;
        let mut at = (hole + 1) & last;
        while let Some((other, _)) = &self.places[at] {
            let home = self.home(*other);
            if (at.wrapping_sub(home) & last) >= (at.wrapping_sub(hole) & last) {
                self.places.swap(at, hole);
                hole = at;
            }
            at = (at + 1) & last;
        }
        Some(slot)
    }
}

thread_local! {
    static WAITING: RefCell<Table> = const { RefCell::new(Table { places: Vec::new(), taken: 0 }) };
}

/// No session has this number.
const OVER: u64 = 0;

/// Waits for the end of one session.
pub(super) struct Wait {
    session: u64,
    slot: Rc<Slot>,
    /// What tells the host that nobody waits any more.
    cancel: fn(u64),
}

impl std::fmt::Debug for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wait").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Wait {
    pub(super) fn new(session: u64, cancel: fn(u64)) -> Self {
        let slot = Rc::new(Slot::default());
        WAITING.with_borrow_mut(|waiting| waiting.insert(session, slot.clone()));
        Self { session, slot, cancel }
    }
}

impl Future for Wait {
    type Output = Ending;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ending> {
        match self.slot.ending.take() {
            Some(ending) => {
                self.session = OVER;
                Poll::Ready(ending)
            }
            None => {
                self.slot.waiter.set(Some(Waiter::new(context.waker())));
                Poll::Pending
            }
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        // Still in the table: its end has not come.
        if self.session != OVER && WAITING.with_borrow_mut(|waiting| waiting.remove(self.session)).is_some() {
            (self.cancel)(self.session);
        }
    }
}

/// Ends a wait. Gives the ending back if nobody waits for this session.
pub(super) fn end(session: u64, ending: Ending) -> Result<(), Ending> {
    let Some(slot) = WAITING.with_borrow_mut(|waiting| waiting.remove(session)) else {
        return Err(ending);
    };
    slot.ending.set(Some(ending));
    let waiter = slot.waiter.take();
    drop(slot);
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
    use std::rc::Rc;

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
                let slot = Rc::new(Slot::default());
                table.insert(session, slot.clone());
                model.insert(session, slot);
            } else {
                let (got, expected) = (table.remove(session), model.remove(&session));
                assert_eq!(got.as_ref().map(Rc::as_ptr), expected.as_ref().map(Rc::as_ptr), "round {round}");
            }
            assert_eq!(table.taken, model.len());
        }
        for (session, slot) in model {
            assert!(table.remove(session).is_some_and(|got| Rc::ptr_eq(&got, &slot)));
        }
    }
}
