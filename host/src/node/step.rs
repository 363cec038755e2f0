//! From one turn of an actor to its next: what the last one owes, whether there may be another one at once, and what the
//! host's book and figures say of it. Used by the worker's loop ([`super::turn`]), and in the middle of an entry by guests
//! that take one message after another ([`Context::next`]).
//!
//! Must hold: when a turn ends, its request is answered, deferred, forwarded, or refused by the host: none is lost. Each
//! message has a turn of its own, with its own accounts, however many of them one entry into a guest handles.

use crate::actor::Slot;
use crate::base::{Body, CallError, ErrorCode, Message, Signal};
use crate::node::Context;
use crate::node::context::{Inner, Request};
use crate::node::crash::{Head, RECORDED};
use crate::node::exchange::Exchanging;
use crate::node::metrics::{self, Measured};
use crate::node::supervise::is_question;
use crate::node::turn_kind::turn_kind;
use crate::sched::Letter;

impl Context {
    /// The turn of now has this outcome. The next message of the share, whose turn begins with it; None: there is none, or
    /// the actor has to give way, and no turn runs any more.
    pub fn next(&mut self, outcome: Result<(), String>) -> Option<Letter> {
        let inner = self.inner_mut();
        let owed = inner.settle(&outcome);
        if owed.is_some() || outcome.is_err() {
            self.refuse(owed, outcome);
        }
        let inner = self.inner_mut();
        inner.turn_ends(false);
        inner.due = inner.due.saturating_sub(1);
        if inner.exiting || inner.leaving || inner.share.is_empty() || inner.exchanging != Exchanging::No {
            return None;
        }
        let (node, seat) = (inner.node.clone(), inner.worker?);
        if node.run.status(seat).is_over() || inner.due == 0 && node.run.waits(seat) {
            return None;
        }
        let slot = node.table.slot(inner.address.slot())?;
        if slot.mailbox.urgent() { None } else { self.begin(slot) }
    }

    /// Begins the turn of the next message of the share that is still wanted.
    #[inline]
    pub(in crate::node) fn begin(&mut self, slot: &Slot<Context>) -> Option<Letter> {
        loop {
            let inner = self.inner_mut();
            // Before a letter is out: it would be lost.
            let seat = inner.worker?;
            if inner.exchanging == Exchanging::Held {
                inner.hold_back();
            }
            let letter = slot.mailbox.begin(&mut inner.share)?;
            if slot.usage.measures() {
                inner.node.waited(&slot.usage, &inner.kind.times, inner.share.len());
                inner.looked_at(slot, &letter);
            }
            if !admit(inner, &letter) {
                continue;
            }
            if matches!(letter.body, Body::Sweep) {
                self.sweep();
                // Those behind it are for the next instance.
                if self.inner_mut().looks_for_exchange() {
                    return None;
                }
                continue;
            }
            inner.turn_begins(seat, letter.source.raw(), turn_kind(&letter.body));
            inner.event = Head::of(&letter);
            if inner.noted & RECORDED != 0 {
                inner.record(&letter);
            }
            return Some(letter);
        }
    }

    /// The host answers what the actor did not; an error without a request is for the log.
    #[cold]
    fn refuse(&mut self, owed: Option<Request>, outcome: Result<(), String>) {
        let inner = self.inner();
        match (owed, outcome) {
            (Some(request), outcome) => {
                let reason = outcome.err().unwrap_or_else(|| "dropped without an answer".to_owned());
                let error = CallError::new(ErrorCode::Refused, reason);
                inner.node.reply(inner.worker, inner.address, request.source, request.session, Err(error));
            }
            (None, Err(error)) => self.warn(&format!("handler error: {error}")),
            (None, Ok(())) => {}
        }
    }

    /// Whether [`Context::next`] has something to look at.
    pub fn more(&self) -> bool {
        !self.inner().share.is_empty()
    }
}

impl Inner {
    /// For the report of a crash.
    #[cold]
    fn record(&mut self, message: &Message) {
        let head = self.event;
        if let Some(recorder) = &mut self.rare().recorder {
            recorder.note(head, message);
        }
    }

    /// What the monitor sees, and the figures.
    #[inline]
    pub(in crate::node) fn turn_begins(&self, seat: usize, source: u64, kind: u64) {
        self.node.run.status(seat).begin(self.address.raw(), source, kind);
        metrics::turn_begins(|| self.node.clock.now_ns());
    }

    /// The same at the end; `cut`: there is more of it to come.
    #[inline]
    pub(in crate::node) fn turn_ends(&mut self, cut: bool) {
        if let Some(seat) = self.worker {
            self.node.run.status(seat).end();
        }
        let measured = metrics::turn_ends();
        if measured.is_some() || self.long.is_some() {
            self.measured(measured, cut);
        }
    }

    /// The turn was one of the few that are measured.
    #[cold]
    fn measured(&mut self, measured: Option<Measured>, cut: bool) {
        let now = self.node.clock.now_ns();
        let turn = if self.long.is_none() {
            measured.map(|Measured { begun, weight }| (now - begun, weight))
        } else if cut {
            None
        } else {
            self.long.take().map(|long| (long.ran(now), 1))
        };
        if let Some((ran, weight)) = turn {
            if weight > 0 {
                self.kind.times.turn(ran, weight);
            }
            self.took(ran);
            self.looked_after(now, ran);
        }
    }

    /// A turn is done: the request that it leaves without an answer.
    #[inline]
    fn settle(&mut self, result: &Result<(), String>) -> Option<Request> {
        let deferred = std::mem::take(&mut self.deferred);
        // An actor that exits drops nothing: its end answers what it holds, this request too.
        if result.is_ok() && self.exiting {
            return None;
        }
        self.current.take().or_else(|| if result.is_err() { self.open.remove(&deferred) } else { None })
    }
}

/// Whether a message is still wanted, and what it changes in the host's book about the actor.
fn admit(inner: &mut Inner, message: &Message) -> bool {
    let session = message.session;
    match &message.body {
        Body::Message { deadline, .. } => {
            if !session.is_none() {
                inner.current = Some(Request { source: message.source, session, deadline: *deadline });
            }
            true
        }
        Body::Reply(_) | Body::Spawned(_) => inner.outstanding.remove(&session).is_some(),
        Body::Timeout => inner.timers.remove(&session).is_some(),
        Body::Down { .. } => is_question(session) || inner.rare().watches.remove(&session).is_some(),
        Body::Signal(signal) => {
            inner.stopping |= *signal == Signal::Stop;
            true
        }
        Body::Socket { socket, event } => inner.admit_socket(*socket, event),
        Body::Sweep => true,
    }
}
