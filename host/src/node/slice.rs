//! Time slices: a turn that has run for a slice while others wait makes room. Asked by the sandbox whenever the epoch
//! interrupts a guest; the monitor decides whose slice is over (`threads/monitor.rs`).
//!
//! A guest on a fiber yields: its turn ends as `Turn::Yielded` and its mailbox goes to the slow lane. A guest on its
//! thread's own stack stays on it: the thread passes its seat on and sleeps in here until the turn has another slice
//! (`sched/seats.rs`). Native behaviors cannot be interrupted.
//!
//! Must hold: when [`Context::slice_over`] returns `GoOn`, the actor has a seat, and it is the one that its context
//! names; the seat may be another one than before. It sleeps: no lock may be held that a worker could want.

use crate::base::{Address, CallError};
use crate::node::Context;
use crate::node::context::Inner;
use crate::node::deadline::nanos;
use crate::node::limits::over;
use crate::node::turn_kind::TURN_NAMES;
use crate::sched::Aside;
use crate::sched::status::TurnView;

/// A turn this long is worth a warning, again each time it has lasted that much longer (skynet_start.c: 5 s).
pub const ENDLESS_NS: u64 = 5_000_000_000;

/// How a guest that was interrupted goes on.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Slice {
    GoOn,
    /// On a fiber: suspend it.
    Yield,
    /// The turn is to end in a trap with these words.
    End(String),
    /// The same: the actor is over a limit.
    Over(CallError),
}

/// What is known of a turn that was cut.
#[derive(Debug)]
pub(in crate::node) struct Long {
    pub source: u64,
    pub kind: u64,
    /// When it was cut first, in nanoseconds of the node's clock.
    since: u64,
    /// When it got its slice of now.
    resumed: u64,
    /// Nanoseconds that it had before.
    busy: u64,
    /// Warnings so far.
    warned: u64,
    /// Its fiber is about to be suspended for the next slice.
    yields: bool,
}

impl Context {
    /// A guest was interrupted: is it to stop, make room, or go on?
    pub fn slice_over(&mut self, fiber: bool) -> Slice {
        let inner = self.inner_mut();
        let (node, address) = (inner.node.clone(), inner.address);
        let killed = || node.table.slot(address.slot()).is_some_and(|slot| slot.mailbox.killed());
        if killed() {
            return Slice::End("killed".to_owned());
        }
        if node.run.stopped() {
            return stops();
        }
        let now = node.clock.now_ns();
        // In an exchange a guest cannot be suspended: it keeps its stack, and has a deadline.
        let fiber = match inner.step_ends() {
            Some(until) if until <= now => return Slice::End("its time is over".to_owned()),
            Some(_) => false,
            None => fiber,
        };
        if let (Some(seat), Some(slot)) = (inner.worker, node.table.slot(address.slot())) {
            node.charge(seat, &slot.usage);
        }
        if let Some(long) = &mut inner.long {
            long.warn(address, now);
        }
        let Some(seat) = inner.worker else { return Slice::GoOn };
        let most = inner.kind.limits.turn;
        if !most.is_zero() && inner.ran(seat, now) > nanos(most) {
            return Slice::Over(over("turn", format_args!("{most:?}")));
        }
        let status = node.run.status(seat);
        let Some(turn) = status.running().filter(|_| status.is_over()) else { return Slice::GoOn };
        let slice = nanos(node.options.slice);
        let long = inner.long.get_or_insert_with(|| Box::new(Long::new(&turn, now, slice)));
        if fiber {
            long.busy += now - long.resumed;
            long.yields = true;
            return Slice::Yield;
        }
        if !node.run.seats().room() {
            return long.crowded(now);
        }
        long.busy += now - long.resumed;
        status.end();
        status.rest();
        inner.worker = match node.run.step_aside(seat, address.slot(), killed) {
            Aside::Stays => Some(seat),
            Aside::Seat(seat) => Some(seat),
            Aside::Leave => None,
        };
        let Some(seat) = inner.worker else { return stops() };
        let status = node.run.status(seat);
        status.take(true, node.run.counted());
        status.begin(turn.actor, turn.source, turn.kind);
        if let Some(long) = &mut inner.long {
            long.resume(node.clock.now_ns());
        }
        if killed() { Slice::End("killed".to_owned()) } else { Slice::GoOn }
    }

    /// Whether the guest was suspended because its slice is over, not because it waits.
    pub fn take_yield(&mut self) -> bool {
        self.inner_mut().long.as_mut().is_some_and(|long| std::mem::take(&mut long.yields))
    }
}

impl Inner {
    /// How long the turn of now has run, in nanoseconds, as far as interrupts show.
    fn ran(&mut self, seat: usize, now: u64) -> u64 {
        if let Some(long) = &self.long {
            return long.ran(now);
        }
        let Some(turn) = self.node.run.status(seat).running() else { return 0 };
        let interrupted = &mut self.rare().interrupted;
        if interrupted.0 != turn.version {
            *interrupted = (turn.version, now);
        }
        now - interrupted.1
    }
}

/// Only where nobody killed the actor first: a host that stops without waiting for its actors.
fn stops() -> Slice {
    Slice::End("the host stops".to_owned())
}

impl Long {
    fn new(turn: &TurnView, now: u64, slice: u64) -> Self {
        let (source, kind) = (turn.source, turn.kind);
        // It has had about a slice, or the monitor would not have told.
        Self { source, kind, since: now, resumed: now, busy: slice, warned: 0, yields: false }
    }

    /// When it was cut first.
    pub(in crate::node) fn since(&self) -> u64 {
        self.since
    }

    /// It goes on, with a slice from now on.
    pub(in crate::node) fn resume(&mut self, now: u64) {
        self.resumed = now;
    }

    /// How long it has run until now.
    pub(in crate::node) fn ran(&self, now: u64) -> u64 {
        self.busy + (now - self.resumed)
    }

    /// Too many turns sleep on their threads for this one to do so, too. It goes on, others wait: but not for ever.
    fn crowded(&self, now: u64) -> Slice {
        if now - self.since < ENDLESS_NS {
            return Slice::GoOn;
        }
        let seconds = ENDLESS_NS / 1_000_000_000;
        let others = crate::sched::seats::CUT_MAX;
        Slice::End(format!("its turn has run for {seconds} s, and {others} others wait in the middle of theirs"))
    }

    fn warn(&mut self, actor: Address, now: u64) {
        let times = (now - self.since) / ENDLESS_NS;
        if times > self.warned {
            self.warned = times;
            warn_endless(&TurnView { version: 0, actor: actor.raw(), source: self.source, kind: self.kind }, times);
        }
    }
}

/// Tells of a turn that has lasted so many times [`ENDLESS_NS`].
pub fn warn_endless(turn: &TurnView, times: u64) {
    let kind = usize::try_from(turn.kind).ok().and_then(|kind| TURN_NAMES.get(kind)).unwrap_or(&"?");
    let (actor, source) = (Address::from_raw(turn.actor), Address::from_raw(turn.source));
    let age = times * (ENDLESS_NS / 1_000_000_000);
    tracing::warn!(
        target: "wasmactor", address = %actor,
        "a {kind} from {source} to {actor} may be in an endless loop: its turn has run for {age} s"
    );
}
