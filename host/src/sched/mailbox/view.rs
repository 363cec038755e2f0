//! A mailbox as others see it. Used by `node` for whoever looks at the running host.
//!
//! Must hold: looking changes nothing, and takes the lock once.

use crate::base::{Address, Message};
use crate::sched::mailbox::{Full, GRAIN, Mailbox, Stage, Tag};

/// Where an actor stands between two looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has nothing to do.
    Idle,
    /// In a run queue, or with a worker.
    Scheduled,
    /// It waits in the middle of a turn.
    Parked,
    /// It waits for its next instance.
    Suspended,
}

/// What a mailbox is and holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    pub address: Address,
    pub tag: Tag,
    pub standing: Standing,
    /// Messages that wait, those of a worker's share among them.
    pub waiting: usize,
    /// Of those, what a worker has taken and not begun.
    pub taken: usize,
    /// Bytes of their payloads, as the bound of bytes counts them.
    pub bytes: usize,
    /// Ordinary messages that it holds at most, and what happens then.
    pub bound: usize,
    pub full: Full,
    /// Senders that are held back at the bound.
    pub held: usize,
    /// Whose answer the actor waits for exclusively.
    pub waits_on: Option<Address>,
    /// It is to end.
    pub killed: bool,
}

impl Mailbox {
    /// What it is and holds now. None: no actor has it.
    pub fn view(&self) -> Option<View> {
        let inner = self.settled();
        let standing = match inner.stage {
            Stage::Free => return None,
            Stage::Idle => Standing::Idle,
            // It waits for its turn as well.
            Stage::Scheduled | Stage::Delayed => Standing::Scheduled,
            Stage::Parked => Standing::Parked,
            Stage::Suspended => Standing::Suspended,
        };
        Some(View {
            address: inner.address,
            tag: inner.tag,
            standing,
            waiting: inner.queue.len() + inner.shared as usize,
            taken: (inner.shared as usize).saturating_sub(usize::from(self.first.is_some())),
            bytes: (inner.bytes + inner.shared_bytes) as usize * GRAIN,
            bound: inner.bound as usize,
            full: inner.full,
            held: inner.rare.as_ref().map_or(0, |rare| rare.held.len()),
            waits_on: self.waits_on(),
            killed: inner.killed(),
        })
    }
}

impl Mailbox {
    /// Calls `look` while no worker has this actor, or can get it. None: one has, or it has ended. Senders wait meanwhile:
    /// it is to be short.
    pub fn at_rest<R>(&self, of: Address, look: impl FnOnce() -> R) -> Option<R> {
        let inner = self.inner.lock();
        let rests = matches!(inner.stage, Stage::Idle | Stage::Parked | Stage::Suspended | Stage::Delayed);
        (inner.address == of && rests).then(look)
    }

    /// Shows the first messages that wait and that no worker has taken; the one that made an idle actor ready not before its
    /// turn, unless that was put off. Senders wait meanwhile: `most` is small.
    pub fn peek(&self, of: Address, most: usize, mut look: impl FnMut(&Message)) {
        let inner = self.inner.lock();
        if !inner.is(of) {
            return;
        }
        if inner.stage == Stage::Delayed {
            #[expect(unsafe_code, reason = "the stage is the right to it")]
            // SAFETY: no worker has a mailbox of this stage, and it stays as long as the lock is held.
            unsafe {
                self.first.look(&mut look);
            }
        }
        inner.queue.iter().take(most).for_each(look);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Standing;
    use crate::base::{Address, Body, Message, Payload, Session};
    use crate::sched::mailbox::{Bounds, Mailbox, Rest, Tag};
    use crate::sched::{Chain, Letter, Taken};

    #[test]
    fn what_waits_and_what_is_taken_is_seen() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.view(), None);
        let address = Address::new(0, 0, 1);
        let tag = Tag { label: 3, edition: 5, parent: Address::HOST };
        mailbox.open(address, tag, Bounds::of(9));
        for kind in 0..3 {
            let body = Body::Message { kind, payload: Payload::empty(), deadline: 0 };
            let message = Message { source: address, session: Session::NONE, body };
            let _pushed = mailbox.push(address, Letter::new(message), |_| true);
        }
        let mut seen = 0;
        mailbox.peek(address, 2, |_| seen += 1);
        mailbox.peek(Address::new(0, 1, 1), 2, |_| seen += 1);
        assert_eq!((seen, mailbox.at_rest(address, || ())), (2, None));
        let mut share = Chain::default();
        assert!(matches!(mailbox.take(&mut share, false), Taken::Messages { .. }));
        drop(mailbox.begin(&mut share));
        let view = mailbox.view().expect("open");
        assert_eq!((view.address, view.tag, view.standing), (address, tag, Standing::Scheduled));
        assert_eq!((view.waiting, view.taken, view.bound, view.held, view.killed), (2, 2, 9, 0, false));
        while mailbox.begin(&mut share).is_some() {}
        assert_eq!(mailbox.rest(), Rest::Idle);
        assert_eq!((mailbox.at_rest(address, || 5), mailbox.at_rest(Address::HOST, || 5)), (Some(5), None));
        assert_eq!(mailbox.view().expect("open").standing, Standing::Idle);
    }
}
