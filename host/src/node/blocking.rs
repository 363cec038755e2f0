//! Exclusive waiting: the actor parks in the middle of a turn until its one answer comes. Used by the sandbox's
//! `blocking` imports: begin, then ask [`Context::awaited`] until it is there, parking in between.
//!
//! Cycles. Each exclusive call is an edge "waits on", kept in the caller's mailbox from before the request is sent
//! until its answer is in the lane. A caller that finds itself by following the edges from the callee would wait for
//! itself: it gets `cycle` instead, with the way printed. Of two that close a cycle at once at least one sees it,
//! since each writes its own edge before it reads (a fence between, see `Mailbox::expect`). A forward moves the edge.

use crate::base::{Address, Body, CallError, ErrorCode, Message, Payload, Session};
use crate::node::context::Awaited;
use crate::node::{Context, Node, deliver};
use crate::sched::{Letter, Pushed};

/// Longest way that is followed; longer waits are left to their deadlines. Thin air.
const LONGEST: usize = 10_000;

impl Context {
    /// Sends a request whose answer this actor waits for exclusively.
    pub fn call_begin(
        &mut self,
        to: Address,
        kind: u32,
        payload: Payload,
        timeout_ms: u32,
    ) -> Result<Session, CallError> {
        self.inner().check_payload(&payload)?;
        self.inner().check_room_for(&payload)?;
        let deadline = self.inner().deadline(timeout_ms, Session::NONE)?;
        let session = self.next_session();
        let inner = self.inner_mut();
        let (node, worker, me) = (inner.node.clone(), inner.worker, inner.address);
        let Some(slot) = node.table.get(me) else { return Err(deliver::no_such_actor(me)) };
        slot.mailbox.expect(session, Some(to), deadline);
        if let Some(cycle) = node.cycle(me) {
            slot.mailbox.unexpect();
            return Err(CallError::new(ErrorCode::Cycle, cycle));
        }
        let letter = Letter::new(Message { source: me, session, body: Body::Message { kind, payload, deadline } });
        let sent = inner.deliver(to, letter);
        if let Err(undelivered) = sent {
            let held =
                if undelivered.hold { node.hold(worker, to, undelivered.letter) } else { Err(undelivered.error) };
            if let Err(error) = held {
                slot.mailbox.unexpect();
                return Err(error);
            }
        }
        inner.arm_sweep(deadline);
        Ok(session)
    }

    /// Starts an actor whose `init` this one waits for exclusively.
    pub fn spawn_begin(&mut self, module: &str, name: Option<&str>, args: Payload) -> Result<Session, CallError> {
        let session = self.next_session();
        let node = self.inner().node.clone();
        let me = self.address();
        let Some(slot) = node.table.get(me) else { return Err(deliver::no_such_actor(me)) };
        // While it initialises, the child may not call its waiting parent exclusively, that is a cycle too: so the edge
        // is there before the child can run.
        let wait = |child| slot.mailbox.expect(session, Some(child), 0);
        self.spawn_as(session, module, name, args, wait)?;
        Ok(session)
    }

    /// Waits exclusively for at least so many milliseconds. No session: there is no waiting now.
    pub fn sleep_begin(&mut self, milliseconds: u64) -> Session {
        // Nothing parks in the middle of an exchange.
        if self.inner().is_aside() {
            return Session::NONE;
        }
        let session = self.next_session();
        let inner = self.inner_mut();
        if let Some(slot) = inner.node.table.get(inner.address) {
            slot.mailbox.expect(session, None, 0);
        }
        inner.node.arm_timeout(inner.address, session, milliseconds.max(1));
        session
    }

    /// What the exclusive wait ended with; None: not yet, park.
    pub fn awaited(&mut self, session: Session) -> Option<Awaited> {
        let inner = self.inner();
        let slot = inner.node.table.get(inner.address)?;
        let answer = slot.mailbox.answered()?;
        debug_assert_eq!(answer.session, session);
        match answer.body {
            Body::Reply(outcome) => Some(Awaited::Reply(outcome)),
            Body::Spawned(outcome) => Some(Awaited::Spawned(outcome)),
            Body::Timeout => Some(Awaited::Timeout),
            // `expect` names sessions of requests, spawns and timers only.
            _ => None,
        }
    }
}

impl Node {
    /// The way from an actor back to itself along the edges, in words. Without a cycle it allocates nothing.
    fn cycle(&self, me: Address) -> Option<String> {
        let next = |at: Address| self.table.get(at)?.mailbox.waits_on();
        let mut length = 0;
        let mut at = me;
        loop {
            at = next(at)?;
            length += 1;
            if at == me {
                break;
            }
            if length == LONGEST {
                return None;
            }
        }
        let way: Vec<String> =
            std::iter::successors(Some(me), |at| next(*at)).take(length + 1).map(|at| at.to_string()).collect();
        Some(format!("an exclusive call would wait for itself: {}", way.join(" waits for ")))
    }

    /// A request changed hands: if its sender waits exclusively, it waits on another one now. If that closes a
    /// cycle, the sender's call is answered with it.
    pub(in crate::node) fn forwarded(&self, source: Address, session: Session, to: Address) {
        let Some(slot) = self.table.get(source) else { return };
        slot.mailbox.waits_on_instead(source, session, to);
        if slot.mailbox.waits_on() == Some(to)
            && let Some(cycle) = self.cycle(source)
        {
            self.reply(None, to, source, session, Err(CallError::new(ErrorCode::Cycle, cycle)));
        }
    }

    /// Leaves a request with a full mailbox until there is room; its sender is about to park.
    fn hold(&self, worker: Option<usize>, to: Address, letter: Letter) -> Result<(), CallError> {
        let slot = self.table.get(to).ok_or_else(|| deliver::no_such_actor(to))?;
        match slot.mailbox.hold(to, letter) {
            Pushed::Queued => Ok(()),
            Pushed::Schedule => {
                self.run.push(worker, to.slot());
                Ok(())
            }
            Pushed::Gone(_) | Pushed::Full(..) | Pushed::Denied(_) => Err(deliver::no_such_actor(to)),
        }
    }
}
