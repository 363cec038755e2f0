//! Who sent a message and what it waits for: [`Sender`], what handlers return: [`Reply`].
//!
//! A request is answered exactly once. It is *open* during its turn, *kept* after `defer`, *handed out* once a
//! `Deferred` owns it, and *over* after an answer. Both styles share these stages; only the interleaved one leaves
//! handlers pending after their turn.

use crate::bindings::wasmactor::actor::messaging;
use crate::codec::NOTHING;
use crate::deferred::DROPPED;
use crate::{Address, Deferred, ENCODED, Error, Failure, Result, encode};
use serde::Serialize;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// What a handler answers. Made by [`reply`], [`reply_raw`], [`done`], [`later`] and [`Sender::forward`].
#[derive(Debug)]
#[must_use]
pub struct Reply(pub(crate) Outcome);

#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing: what the caller decodes as `()`.
    Done,
    Now(Vec<u8>),
    /// A `Deferred` or a forward takes care of it.
    Elsewhere,
}

/// Answers with a value.
pub fn reply<T: Serialize>(value: T) -> Result<Reply> {
    Ok(Reply(Outcome::Now(encode(&value)?)))
}

/// Answers with bytes that the SDK does not look at.
pub fn reply_raw(payload: Vec<u8>) -> Result<Reply> {
    Ok(Reply(Outcome::Now(payload)))
}

/// Answers with nothing: the caller gets `()`. Also right for messages that want no reply.
pub fn done() -> Result<Reply> {
    Ok(Reply(Outcome::Done))
}

/// Answers later, through the token that [`Sender::defer`] gave.
pub fn later() -> Result<Reply> {
    Ok(Reply(Outcome::Elsewhere))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Being handled in this turn.
    Open,
    /// Its turn is over, the handler goes on. The host holds it under `session`.
    Kept,
    /// A `Deferred` owns it, which alone may answer.
    HandedOut,
    /// Answered, forwarded, or there was nothing to answer and the turn is over.
    Over,
}

pub(crate) struct Request {
    /// 0 if the message wants no reply.
    pub(crate) session: Cell<u64>,
    pub(crate) stage: Cell<Stage>,
    /// What a handler that failed within its turn said; `handle` returns it.
    pub(crate) failure: Cell<Option<String>>,
}

thread_local! {
    /// A request that is over and that nobody has.
    static SPARE: Cell<Option<Rc<Request>>> = const { Cell::new(None) };
}

/// The sender of the message that is being handled.
#[derive(Clone, Debug)]
pub struct Sender {
    address: Address,
    pub(crate) request: Rc<Request>,
}

impl Sender {
    pub(crate) fn new(address: u64, session: u64) -> Self {
        let request = match SPARE.take() {
            Some(request) => {
                request.session.set(session);
                request.stage.set(Stage::Open);
                request
            }
            None => Rc::new(Request::new(session)),
        };
        Self { address: address.into(), request }
    }

    /// Its turn is over, and its request with it: if nobody else has kept the sender, the next one needs no allocation.
    pub(crate) fn give_back(self) {
        if Rc::strong_count(&self.request) == 1 {
            SPARE.set(Some(self.request));
        }
    }

    /// Who sent it.
    pub fn address(&self) -> Address {
        self.address
    }

    /// True if the sender awaits an answer.
    pub fn wants_reply(&self) -> bool {
        self.request.wants_reply()
    }

    /// How long the sender still waits. None: it awaits nothing (any more).
    pub fn remaining(&self) -> Option<Duration> {
        if !self.wants_reply() {
            return None;
        }
        let session = match self.request.stage.get() {
            Stage::Open => 0,
            _ => self.request.session.get(),
        };
        messaging::remaining(session).map(Duration::from_millis)
    }

    /// Takes the duty to answer out of the handler, which then returns [`later()`](later).
    ///
    /// Errors: `Invalid` if the sender awaits no answer, or the duty was taken already.
    pub fn defer(&self) -> Result<Deferred, Error> {
        if !self.wants_reply() {
            return Err(Error::invalid("the message wants no reply"));
        }
        match self.request.stage.get() {
            Stage::Open => self.request.keep()?,
            Stage::Kept => {}
            Stage::HandedOut | Stage::Over => {
                return Err(Error::invalid("the request was deferred or answered before"));
            }
        }
        self.request.stage.set(Stage::HandedOut);
        Ok(Deferred::new(self.request.session.get()))
    }

    /// Hands the request to another actor, which answers the first sender directly, with the time that is left. A
    /// message that wants no reply is just sent on.
    pub fn forward<M: Serialize + ?Sized>(&self, to: Address, message: &M) -> Result<Reply> {
        self.forward_raw(to, ENCODED, &encode(message)?)
    }

    /// [`forward`](Self::forward) for bytes.
    pub fn forward_raw(&self, to: Address, kind: u32, payload: &[u8]) -> Result<Reply> {
        if self.wants_reply() {
            let session = match self.request.stage.get() {
                Stage::Open => 0,
                Stage::Kept => self.request.session.get(),
                Stage::HandedOut | Stage::Over => {
                    return Err(Failure::new("the request was deferred or answered before"));
                }
            };
            messaging::forward(session, to.get(), kind, payload).map_err(Error::from)?;
            self.request.stage.set(Stage::Over);
        } else {
            to.send_raw(kind, payload)?;
        }
        later()
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("session", &self.session).field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl Request {
    fn new(session: u64) -> Self {
        Self { session: Cell::new(session), stage: Cell::new(Stage::Open), failure: Cell::new(None) }
    }

    fn wants_reply(&self) -> bool {
        self.session.get() != 0
    }

    /// Keeps the request open beyond this turn.
    fn keep(&self) -> Result<(), Error> {
        self.session.set(messaging::defer()?);
        self.stage.set(Stage::Kept);
        Ok(())
    }

    /// The turn of an interleaved handler is over: if it goes on, its request is kept for it.
    pub(crate) fn turn_ends(&self) {
        if self.stage.get() != Stage::Open {
            return;
        }
        if self.wants_reply()
            && let Err(error) = self.keep()
        {
            // Its time is over: the handler's answer will find nobody.
            log::debug!("a request cannot be kept open: {error}");
        }
        self.stage.set(Stage::Kept);
    }

    /// Ends the request with what the handler returned. `Some`: an error that `handle` has to return.
    pub(crate) fn finish(&self, outcome: Result<Reply>) -> Option<String> {
        let stage = self.stage.replace(Stage::Over);
        let session = self.session.get();
        let answered = match (outcome, stage) {
            (Err(failure), Stage::Open) => return Some(failure.into_reason()),
            (Err(failure), Stage::Kept) if session != 0 => {
                log::warn!("a request failed: {failure}");
                messaging::reject(session, failure.reason())
            }
            (Err(failure), _) => {
                log::error!("a handler failed: {failure}");
                Ok(())
            }
            (Ok(_), _) if session == 0 => Ok(()),
            (Ok(Reply(Outcome::Done)), Stage::Open) => messaging::ret(NOTHING),
            (Ok(Reply(Outcome::Done)), Stage::Kept) => messaging::reply(session, NOTHING),
            (Ok(Reply(Outcome::Now(payload))), Stage::Open) => messaging::ret(&payload),
            (Ok(Reply(Outcome::Now(payload))), Stage::Kept) => messaging::reply(session, &payload),
            (Ok(Reply(Outcome::Done | Outcome::Now(_))), _) => {
                log::error!("a handler answered a request that it had deferred or forwarded; the answer is lost");
                Ok(())
            }
            (Ok(Reply(Outcome::Elsewhere)), Stage::Kept) => messaging::reject(session, DROPPED),
            // Open: the host rejects it when the turn ends.
            (Ok(Reply(Outcome::Elsewhere)), _) => Ok(()),
        };
        if let Err(error) = answered {
            // The caller's time is over, or it gave up: nobody is left to tell.
            log::debug!("an answer came too late: {}", Error::from(error));
        }
        None
    }
}
