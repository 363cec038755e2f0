//! When time is over. Every request has a deadline; arming a timer for each would cost more than the request, so an
//! actor has at most one armed timer, for its earliest deadline, and is swept when it is due.
//!
//! Must hold: whenever an actor awaits something with a deadline, or holds a request with one beyond a turn, a timer is armed
//! for that time or earlier. A held request whose time is over keeps up nothing: no stop, no restart, no reload. The last few
//! of them are remembered all the same, since what is asked within them has no time left either.

use std::time::Duration;

use crate::base::{Address, Body, CallError, ErrorCode, Message, Session};
use crate::node::context::{Inner, Request};
use crate::node::timers::Due;
use crate::node::{Context, Node};
use crate::sched::Expired;

/// Held requests whose time is over that an actor remembers. Thin air: who asks within an older one has its own deadline only.
const REMEMBERED: usize = 64;

/// Nanoseconds, capped at 584 years.
pub(in crate::node) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Inner {
    /// Makes sure that the actor is swept at a deadline (nanoseconds of the node's clock) or earlier.
    pub(in crate::node) fn arm_sweep(&mut self, deadline: u64) {
        if self.sweep_at == 0 || deadline < self.sweep_at {
            self.sweep_at = deadline;
            self.node.timers.arm_at(deadline, Due::Sweep(self.address));
        }
    }

    /// Requests held beyond their turn that somebody may still wait for.
    pub(in crate::node) fn owed(&self) -> usize {
        if self.open.is_empty() {
            return 0;
        }
        let now = self.node.clock.now_ns();
        self.open.iter().filter(|(_, request)| !request.is_over(now)).count()
    }

    /// Forgets all but the last few held requests whose time is over. The next deadline of the others; 0: none.
    fn forget_held(&mut self, now: u64) -> u64 {
        let (mut over, mut next) = (Vec::new(), 0);
        for (session, request) in self.open.iter() {
            match request.deadline {
                0 => {}
                due if due <= now => over.push((due, session)),
                due if next == 0 || due < next => next = due,
                _ => {}
            }
        }
        if over.len() > REMEMBERED {
            over.sort_unstable();
            for (_, session) in &over[..over.len() - REMEMBERED] {
                self.open.remove(session);
            }
        }
        next
    }
}

impl Request {
    /// Whether nobody waits for it any more.
    pub(in crate::node) fn is_over(&self, now: u64) -> bool {
        self.deadline != 0 && self.deadline <= now
    }
}

impl Context {
    /// A sweep is due: what is over is answered with `deadline`, in the order of the sessions.
    pub(in crate::node) fn sweep(&mut self) {
        let inner = self.inner_mut();
        let now = inner.node.clock.now_ns();
        let mut over: Vec<Session> = Vec::new();
        let mut next = inner.forget_held(now);
        for (session, outstanding) in inner.outstanding.iter() {
            match outstanding.deadline {
                0 => {}
                due if due <= now => over.push(session),
                due if next == 0 || due < next => next = due,
                _ => {}
            }
        }
        inner.sweep_at = 0;
        if next != 0 {
            inner.arm_sweep(next);
        }
        over.sort_unstable();
        for session in over {
            // The session stays outstanding until this answer is handled: if the real one is in the mailbox already,
            // it comes first and counts.
            let error = CallError::new(ErrorCode::Deadline, "no answer came in time");
            inner.node.reply(inner.worker, Address::HOST, inner.address, session, Err(error));
        }
    }
}

impl Node {
    /// From the timer thread: some deadline of an actor is over.
    pub(in crate::node) fn sweep_due(&self, to: Address) {
        let Some(slot) = self.table.get(to) else { return };
        match slot.mailbox.expire(to, self.clock.now_ns()) {
            Expired::Answered(true) => self.run.push(None, to.slot()),
            Expired::Answered(false) | Expired::NotWaiting => {}
            Expired::Later(deadline) => {
                self.timers.arm_at(deadline, Due::Sweep(to));
            }
        }
        // The actor looks through the rest when it is not parked (any more).
        self.answer(None, to, Message { source: Address::HOST, session: Session::NONE, body: Body::Sweep });
    }
}
