//! Death of an actor, whatever the cause. Run by the worker that has the actor; nobody else can.
//!
//! In order, each step for a reason:
//! 1. The mailbox closes: from here on every send is answered `no-such-actor`, so nothing gets in behind us.
//! 2. The behavior is dropped. A parked guest is unwound here; its context comes back first, so that step 5 can see
//!    what it owed.
//! 3. Names go: a successor may take them from now on.
//! 4. Timers and sockets end: nothing more will come for the dead one.
//! 5. Requests that it held, and those that wait in its mailbox (or at its bound), are answered with the reason.
//! 6. The spawner hears of a failed `init`, then the watchers get `down`. They come last: who hears of the death can
//!    rely on 1-5, in particular that the name is free.
//! 7. The slot goes back, with its next generation.
//!
//! Requests of its own that others still hold need nothing: their answers will find nobody.

use crate::actor::{Core, Slot};
use crate::base::sync::Arc;
use crate::base::sync::atomic::Ordering;
use crate::base::{Address, Body, CallError, Cause, ErrorCode, Message, Session};
use crate::node::context::Inner;
use crate::node::supervise::Ended;
use crate::node::{Context, Node};

impl Node {
    /// The end of an instance: for good, unless a supervisor gives the actor another one. `core` is out of its slot.
    pub(in crate::node) fn instance_ends(
        self: &Arc<Self>,
        seat: usize,
        slot: &Slot<Context>,
        mut core: Core<Context>,
        cause: Cause,
        reason: &str,
    ) {
        core.cx.inner_mut().exchange_ends();
        if core.cx.inner().is_member() {
            let index = core.cx.address().slot();
            core = match self.member_ends(slot, core, cause, reason) {
                Ended::ForGood(core) => core,
                Ended::Rests => return,
                Ended::Again => return self.run.push_tail(seat, index),
            };
        }
        self.end(slot, core, cause, reason);
    }

    /// Takes back what an instance asked the host to send it.
    pub(in crate::node) fn end_timers(&self, inner: &mut Inner) {
        for key in std::mem::take(&mut inner.timers).into_values().into_iter().flatten() {
            self.timers.cancel(key);
        }
        if std::mem::take(&mut inner.subscribed) {
            let address = inner.address;
            self.subscribers.lock().retain(|(_, subscriber)| *subscriber != address);
        }
    }

    /// Ends an actor. `core` is out of its slot already.
    fn end(self: &Arc<Self>, slot: &Slot<Context>, mut core: Core<Context>, cause: Cause, reason: &str) {
        let (address, worker) = (core.cx.inner().address, core.cx.inner().worker);
        let initialised = core.phase == crate::actor::Phase::Ready;
        self.log_end(&mut core.cx, cause, reason);

        let mut closed = slot.mailbox.close();
        closed.messages.prepend(std::mem::take(&mut core.cx.inner_mut().share));

        drop(core.behavior.take());

        let inner = core.cx.inner_mut();
        for name in inner.rare.as_ref().map_or(&[][..], |rare| &rare.names) {
            self.registry.unregister(name, address);
        }

        self.end_timers(inner);
        // A socket may have been handed over that the actor did not get to see.
        let unseen = closed.messages.any(|message| matches!(message.body, Body::Socket { .. }));
        if inner.has_sockets || unseen {
            self.net.close_all(address.raw());
        }
        slot.paused.store(false, Ordering::Relaxed);

        let ((to, session), parent) = (inner.spawner, inner.parent);
        let requests = core.cx.take_requests();
        if !(requests.is_empty() && closed.messages.is_empty() && closed.held.is_empty()) {
            let error = ended_error(address, cause, reason);
            for request in requests {
                self.reply(worker, address, request.source, request.session, Err(error.clone()));
            }
            for letter in closed.messages.chain(closed.held) {
                self.bounce(worker, address, letter.open(), &error);
            }
        }

        self.table.lose(parent);
        if !initialised && !session.is_none() {
            let error = init_error(cause, reason);
            self.answer(worker, to, Message { source: address, session, body: Body::Spawned(Err(error)) });
        }
        self.break_links(slot, worker, address, cause, reason);
        let watchers = slot.watchers.lock().take();
        for (watcher, watch) in watchers.map_or_else(Vec::new, |watchers| *watchers) {
            self.down(worker, watcher, watch, address, cause, reason);
        }

        if cause == Cause::Failed && parent == Address::HOST {
            self.failed.fetch_add(1, Ordering::SeqCst);
        }
        self.table.release(worker, address);
        if self.population.ended(worker) {
            self.outside.all_ended();
        }
    }

    /// Tells a watcher that an actor has ended.
    pub(in crate::node) fn down(
        &self,
        worker: Option<usize>,
        watcher: Address,
        watch: Session,
        actor: Address,
        cause: Cause,
        reason: &str,
    ) {
        let body = Body::Down { actor, cause, reason: reason.to_owned() };
        self.answer(worker, watcher, Message { source: actor, session: watch, body });
    }
}

/// What the senders of unanswered requests get.
pub(in crate::node) fn ended_error(address: Address, cause: Cause, reason: &str) -> CallError {
    let (code, verb) = match cause {
        Cause::Failed => (ErrorCode::ActorFailed, "failed"),
        Cause::Exited => (ErrorCode::ActorExited, "exited"),
        Cause::Killed => (ErrorCode::ActorExited, "was killed"),
        Cause::Stopped | Cause::Gone => (ErrorCode::ActorExited, "was stopped"),
    };
    let first = reason.lines().next().unwrap_or_default();
    CallError::new(
        code,
        if first.is_empty() { format!("{address} {verb}") } else { format!("{address} {verb}: {first}") },
    )
}

/// What the spawner gets.
fn init_error(cause: Cause, reason: &str) -> CallError {
    let code = match cause {
        Cause::Failed => ErrorCode::Refused,
        _ => ErrorCode::ActorExited,
    };
    CallError::new(code, reason.lines().next().unwrap_or("ended before init returned").to_owned())
}
