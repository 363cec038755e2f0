//! A message, or an answer, into a mailbox, and the mailbox into the run queue. Used by every other file of `node`.
//!
//! Must hold: a request that cannot be delivered, or is dropped later, is answered; so every path that throws a
//! message away goes through [`Node::bounce`].

use crate::base::{Address, Body, CallError, ErrorCode, Message, Payload, Session};
use crate::node::Node;
use crate::sched::{Full, Letter, Pushed, Tag};

/// An undelivered message, and why.
#[derive(Debug)]
pub(in crate::node) struct Undelivered {
    pub error: CallError,
    pub letter: Letter,
    /// The receiver would hold back a sender that can be parked.
    pub hold: bool,
}

pub(in crate::node) fn no_such_actor(address: Address) -> CallError {
    CallError::new(ErrorCode::NoSuchActor, format!("no actor has the address {address}"))
}

impl Node {
    /// Puts a message into a mailbox if `admit` agrees. From a worker's turn the receiver runs next on that worker.
    pub(in crate::node) fn deliver(
        &self,
        worker: Option<usize>,
        to: Address,
        letter: Letter,
        admit: impl FnOnce(Tag) -> bool,
    ) -> Result<(), Box<Undelivered>> {
        let Some(slot) = self.table.get(to) else { return fail(no_such_actor(to), letter, false) };
        let measured = self.measure(slot);
        let push = slot.mailbox.push(to, letter, admit);
        if let Some(dropped) = push.dropped {
            dropped.for_each(|letter| self.bounce(worker, to, letter.open(), &full_error(to)));
        }
        if measured && !matches!(push.outcome, Pushed::Queued | Pushed::Schedule) {
            slot.usage.forget();
        }
        match push.outcome {
            Pushed::Queued => Ok(()),
            Pushed::Schedule => {
                self.run.push(worker, to.slot());
                Ok(())
            }
            Pushed::Full(letter, full) => fail(full_error(to), letter, full == Full::Hold),
            Pushed::Gone(letter) => fail(no_such_actor(to), letter, false),
            Pushed::Denied(letter) => {
                let error = CallError::new(ErrorCode::NotGranted, format!("no grant to send to {to}"));
                fail(error, letter, false)
            }
        }
    }

    /// Brings an answer (reply, spawned, timeout) to who awaits it. If it is gone, nobody misses it.
    pub(in crate::node) fn answer(&self, worker: Option<usize>, to: Address, message: Message) {
        if to == Address::HOST {
            return self.outside.complete(message);
        }
        let Some(slot) = self.table.get(to) else { return };
        if matches!(slot.mailbox.answer(to, Letter::new(message)), Pushed::Schedule) {
            self.run.push(worker, to.slot());
        }
    }

    /// Answers a request.
    pub(in crate::node) fn reply(
        &self,
        worker: Option<usize>,
        from: Address,
        to: Address,
        session: Session,
        outcome: Result<Payload, CallError>,
    ) {
        self.answer(worker, to, Message { source: from, session, body: Body::Reply(outcome) });
    }

    /// A message that nobody will handle: if it is a request, its sender gets the error.
    pub(in crate::node) fn bounce(&self, worker: Option<usize>, at: Address, message: Message, error: &CallError) {
        if matches!(message.body, Body::Message { .. }) && !message.session.is_none() {
            self.reply(worker, at, message.source, message.session, Err(error.clone()));
        }
    }
}

#[cold]
fn fail(error: CallError, letter: Letter, hold: bool) -> Result<(), Box<Undelivered>> {
    Err(Box::new(Undelivered { error, letter, hold }))
}

pub(in crate::node) fn full_error(to: Address) -> CallError {
    CallError::new(ErrorCode::MailboxFull, format!("the mailbox of {to} is full"))
}
