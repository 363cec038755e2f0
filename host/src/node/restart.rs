//! From one instance of an actor to the next, in the same slot, without its state: a supervisor's restart, and a reload of a
//! module that keeps none. Run by the worker that has the actor.
//!
//! | kept | address, names, parent, arguments, grants, others' watches, ordinary messages that wait (unless the policy
//! clears them), sockets that were handed over and that the old instance has not seen |
//! | ended | the guest's memory, the message that was being handled, timers, subscriptions to signals, the actor's own
//! watches and links, its sockets (listeners too), what it awaited (replies, spawns: they come to nobody) |
//! | answered | requests that it held, the one of the failed turn among them, with the reason |
//!
//! Must hold: nothing that was meant for the old instance reaches the next: what it awaited is no longer in the book
//! (`step::admit` passes it over), socket events only come through for sockets that the next one has come by itself.

use std::collections::HashSet;

use crate::actor::{Core, Phase, Slot};
use crate::base::sync::atomic::Ordering;
use crate::base::{Body, CallError, Cause, Message, Session, SocketEvent};
use crate::node::exit::ended_error;
use crate::node::{Context, Node};
use crate::sched::Taken;

/// Sockets that an actor with an earlier instance has come by in this one.
pub(in crate::node) type OwnSockets = HashSet<u64>;

impl Node {
    /// Ends an instance, and makes the actor ready for the next one.
    pub(in crate::node) fn lay_to_rest(
        &self,
        slot: &Slot<Context>,
        core: &mut Core<Context>,
        cause: Cause,
        reason: &str,
        clear: bool,
    ) {
        self.log_end(&mut core.cx, cause, reason);
        drop(core.behavior.take());
        let error = ended_error(core.cx.address(), cause, reason);
        if clear {
            self.refuse_all(slot, core, &error);
        }
        (core.phase, core.parked) = (Phase::New, false);

        let (mut unseen, mut sockets) = (OwnSockets::new(), false);
        let mut look = |message: &Message| match &message.body {
            Body::Socket { socket, event: SocketEvent::Given(_) } => drop(unseen.insert(*socket)),
            Body::Socket { .. } => sockets = true,
            _ => {}
        };
        core.cx.inner().share.iter().for_each(&mut look);
        slot.mailbox.each(look);

        let requests = core.cx.take_requests();
        let inner = core.cx.inner_mut();
        let (address, worker) = (inner.address, inner.worker);
        self.end_timers(inner);
        if inner.has_sockets || sockets || !unseen.is_empty() {
            self.net.close_all_but(address.raw(), &|id| unseen.contains(&id.raw()));
        }
        slot.paused.store(false, Ordering::Relaxed);
        inner.has_sockets = !unseen.is_empty();
        (inner.exiting, inner.stopping, inner.leaving) = (false, false, false);
        (inner.deferred, inner.long) = (Session::NONE, None);
        inner.outstanding = Default::default();
        let rare = inner.rare();
        rare.exit.clear();
        rare.drawn = 0;
        rare.sockets = Some(unseen);
        if let Some(recorder) = &mut rare.recorder {
            recorder.clear();
        }
        let watches = std::mem::take(&mut rare.watches);
        for (session, target) in watches.iter() {
            self.unwatch(*target, session);
        }
        for request in requests {
            self.reply(worker, address, request.source, request.session, Err(error.clone()));
        }
        self.break_links(slot, worker, address, cause, reason);
    }

    /// Answers everything that waits with an error.
    fn refuse_all(&self, slot: &Slot<Context>, core: &mut Core<Context>, error: &CallError) {
        let (address, worker) = (core.cx.address(), core.cx.inner().worker);
        loop {
            while let Some(letter) = slot.mailbox.begin(&mut core.cx.inner_mut().share) {
                self.bounce(worker, address, letter.open(), error);
            }
            match slot.mailbox.take(&mut core.cx.inner_mut().share, false) {
                Taken::Messages { .. } | Taken::Stop => {}
                Taken::Killed(cause, reason) => {
                    slot.mailbox.kill(address, cause, reason);
                    return;
                }
                Taken::Resume | Taken::Nothing => return,
            }
        }
    }
}
