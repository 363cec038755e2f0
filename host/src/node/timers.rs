//! The node's timers: one wheel, one lock, one thread that fires what is due. Used by actors (through their
//! context), by the deadlines, and by the timer thread.
//!
//! Must hold: a timer of n ms is due n ms after it was asked for, or later. All timers of an actor end with it.

use crate::base::sync::{Arc, Condvar, Mutex};
use crate::base::{Address, Body, CallError, Message, Session};
use crate::node::limits::over;
use crate::node::{Context, Node};
pub use crate::time::TimerKey;
use crate::time::clock::NANOS_PER_TICK;
use crate::time::{Clock, Wheel};

/// What is due.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) enum Due {
    /// A timeout event, or the end of an exclusive sleep.
    Timeout(Address, Session),
    /// Some deadline of an actor.
    Sweep(Address),
    /// An actor that waits for its share of a core may go on.
    Quota(Address),
    /// Something that a supervisor waits for.
    Supervision(u64),
}

#[derive(Debug)]
struct State {
    wheel: Wheel<Due>,
    /// The tick that the timer thread sleeps until.
    wake: u64,
    stop: bool,
}

/// See the file's head.
#[derive(Debug)]
pub struct Timers {
    state: Mutex<State>,
    earlier: Condvar,
}

/// An armed timer as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerView {
    /// In nanoseconds of the clock.
    pub due: u64,
    /// [`Address::HOST`]: the host's own.
    pub owner: Address,
    /// `timer` (an actor's, or its exclusive sleep), `deadline` (of requests), `supervision`.
    pub what: &'static str,
}

const NANOS_PER_MILLISECOND: u64 = 1_000_000;

impl Timers {
    pub(in crate::node) fn new() -> Self {
        Self { state: Mutex::new(State { wheel: Wheel::new(), wake: u64::MAX, stop: false }), earlier: Condvar::new() }
    }

    /// Arms a timer for a time of the clock in nanoseconds.
    pub(in crate::node) fn arm_at(&self, deadline: u64, due: Due) -> TimerKey {
        // Rounded up: never early.
        let tick = Clock::tick_of(deadline);
        let mut state = self.state.lock();
        let key = state.wheel.insert(tick, due);
        if tick < state.wake {
            state.wake = tick;
            drop(state);
            self.earlier.notify_one();
        }
        key
    }

    pub(in crate::node) fn cancel(&self, key: TimerKey) -> bool {
        self.state.lock().wheel.cancel(key).is_some()
    }

    /// Of each armed timer when it is due, in nanoseconds of the clock, and whose it is. The lock is held for all of them,
    /// some nanoseconds each.
    fn view(&self) -> Vec<TimerView> {
        let state = self.state.lock();
        let view = |(tick, due): (u64, &Due)| {
            let (owner, what) = match due {
                Due::Timeout(owner, _) => (*owner, "timer"),
                Due::Sweep(owner) => (*owner, "deadline"),
                Due::Quota(owner) => (*owner, "quota"),
                Due::Supervision(_) => (Address::HOST, "supervision"),
            };
            TimerView { due: tick.saturating_mul(NANOS_PER_TICK), owner, what }
        };
        state.wheel.iter().map(view).collect()
    }

    /// Ends the timer thread.
    pub fn stop(&self) {
        self.state.lock().stop = true;
        self.earlier.notify_one();
    }
}

impl Node {
    /// Every armed timer, in no order.
    pub fn armed_timers(&self) -> Vec<TimerView> {
        self.timers.view()
    }

    /// Fires what is due now.
    pub fn fire_due(self: &Arc<Self>) {
        let now = self.clock.tick();
        let mut due = Vec::new();
        self.timers.state.lock().wheel.advance(now, |item| due.push(item));
        for item in due {
            match item {
                Due::Timeout(to, session) => self.timeout_due(to, session),
                Due::Sweep(to) => self.sweep_due(to),
                Due::Quota(to) => self.quota_due(to),
                Due::Supervision(alarm) => self.supervision_due(alarm),
            }
        }
    }

    /// Sleeps until something is due; false: the host stops.
    pub fn wait_due(&self) -> bool {
        let mut state = self.timers.state.lock();
        loop {
            if state.stop {
                return false;
            }
            let next = state.wheel.next_due();
            state.wake = next.unwrap_or(u64::MAX);
            let Some(next) = next else {
                self.timers.earlier.wait(&mut state);
                continue;
            };
            let left = self.clock.until_tick(next);
            if left.is_zero() {
                return true;
            }
            self.timers.earlier.wait_for(&mut state, left);
        }
    }

    fn timeout_due(&self, to: Address, session: Session) {
        self.answer(None, to, Message { source: Address::HOST, session, body: Body::Timeout });
    }

    pub(in crate::node) fn arm_timeout(&self, to: Address, session: Session, milliseconds: u64) -> TimerKey {
        let deadline = self.clock.now_ns().saturating_add(milliseconds.saturating_mul(NANOS_PER_MILLISECOND));
        self.timers.arm_at(deadline, Due::Timeout(to, session))
    }
}

impl Context {
    /// Asks for a timeout event after at least so many milliseconds; 0 goes to the tail of the own mailbox.
    /// Error: `OverLimit`.
    pub fn timeout(&mut self, milliseconds: u64) -> Result<Session, CallError> {
        let most = self.inner().kind.limits.timers;
        if self.inner().timers.len() >= most as usize {
            return Err(over("timers", most));
        }
        let session = self.next_session();
        let inner = self.inner_mut();
        let key = if milliseconds == 0 {
            let message = Message { source: Address::HOST, session, body: Body::Timeout };
            inner.node.answer(inner.worker, inner.address, message);
            None
        } else {
            Some(inner.node.arm_timeout(inner.address, session, milliseconds))
        };
        inner.timers.insert(session, key);
        Ok(session)
    }

    /// Takes a timer back. True: its event does not come.
    pub fn cancel_timer(&mut self, timer: Session) -> bool {
        let inner = self.inner_mut();
        if inner.is_aside() {
            return false;
        }
        let Some(key) = inner.timers.remove(&timer) else { return false };
        // It may have fired into the mailbox already: without its entry here it is passed over.
        if let Some(key) = key {
            inner.node.timers.cancel(key);
        }
        true
    }

    /// Nanoseconds since the node started.
    pub fn now(&self) -> u64 {
        self.inner().node.clock.now_ns()
    }

    /// The same as far as the actor may see clocks: else they stand still at 0.
    pub fn seen_now(&self) -> u64 {
        if self.grants().clock { self.now() } else { 0 }
    }

    /// Nanoseconds since 1970-01-01 UTC as far as the actor may see clocks: else 0.
    pub fn seen_wall(&self) -> u64 {
        if self.grants().clock { self.wall() } else { 0 }
    }

    /// Nanoseconds since 1970-01-01 UTC.
    pub fn wall(&self) -> u64 {
        self.inner().node.clock.wall_ns()
    }
}
