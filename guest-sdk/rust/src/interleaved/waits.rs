//! Who waits for which session. A future that is made for a session ends when `end` is called for it, and calls its
//! cancel function when it is dropped before. Knows nothing of the host but the shape of what ends.

use crate::{Down, Error};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

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
    waker: Cell<Option<Waker>>,
}

thread_local! {
    static WAITING: RefCell<FxHashMap<u64, Rc<Slot>>> = RefCell::new(FxHashMap::default());
}

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

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ending> {
        match self.slot.ending.take() {
            Some(ending) => Poll::Ready(ending),
            None => {
                self.slot.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        // Still in the table: its end has not come.
        if WAITING.with_borrow_mut(|waiting| waiting.remove(&self.session)).is_some() {
            (self.cancel)(self.session);
        }
    }
}

/// Ends a wait. Gives the ending back if nobody waits for this session.
pub(super) fn end(session: u64, ending: Ending) -> Result<(), Ending> {
    let Some(slot) = WAITING.with_borrow_mut(|waiting| waiting.remove(&session)) else {
        return Err(ending);
    };
    slot.ending.set(Some(ending));
    if let Some(waker) = slot.waker.take() {
        waker.wake();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Ending, Wait, end};
    use crate::interleaved::tasks::{run_until_stalled, spawn_local};
    use std::cell::Cell;

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
}
