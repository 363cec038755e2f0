//! A mailbox's share of messages through its actor's behavior. Run by the worker that took the mailbox from the run
//! queue; the worker thread's loop is this function again and again.
//!
//! Must hold: when a turn ends, its request is answered, deferred, forwarded, or refused by the host: none is lost.
//! A turn may end on another seat than it began on ([`super::slice`]): what is the seat's is looked up after each turn.

use crate::actor::{Core, Phase, Slot, Turn};
use crate::base::sync::Arc;
use crate::base::sync::atomic::Ordering;
use crate::base::{Address, Body, CallError, Cause, ErrorCode, Message, Signal};
use crate::net::Poller;
use crate::node::context::{Inner, Request};
use crate::node::metrics::Sampler;
use crate::node::sockets::Sockets;
use crate::node::turn_kind::{TURN_NAMES, turn_kind};
use crate::node::{Context, Node};
use crate::sched::seats::{Chair, Cut};
use crate::sched::{Letter, Parked, Rest, Taken, run_queue, weight};

/// What a worker thread keeps between turns.
#[derive(Debug)]
pub struct Worker {
    /// Its seat.
    pub index: usize,
    /// It has no seat any more, and is to end.
    unseated: bool,
    chair: Arc<Chair>,
    pub cursor: run_queue::Cursor,
    weight: i32,
    sampler: Sampler,
    /// The turn is measured: when it began, and for how many it stands.
    measured: Option<(u64, u64)>,
}

/// Messages that change from a mailbox to its actor's share at a time, at most: enough that the lock does not show, and
/// so few that a mailbox that grows is noticed.
const SHARE: usize = 256;

impl Worker {
    /// The worker of an index, with skynet's weight for it.
    pub fn new(index: usize) -> Self {
        let (cursor, chair) = (run_queue::Cursor::default(), Arc::default());
        Self {
            index,
            unseated: false,
            chair,
            cursor,
            weight: weight::of_worker(index),
            sampler: Sampler::new(),
            measured: None,
        }
    }

    /// Goes on with another seat, or none.
    fn sit(&mut self, seat: Option<usize>) {
        self.unseated = seat.is_none();
        if let Some(seat) = seat {
            (self.index, self.weight) = (seat, weight::of_worker(seat));
        }
    }
}

/// How an actor went on after a turn.
enum Next {
    On,
    Parked,
    /// Its slice is over: to the slow lane.
    Cut,
    End(Cause, String),
}

impl Node {
    /// Runs the next mailbox; looks after the sockets, or sleeps, while there is none. False: the thread is not needed any
    /// more.
    pub fn run_one(self: &Arc<Self>, worker: &mut Worker, poller: &Poller) -> bool {
        let sockets = Sockets { node: self, poller };
        let Some(index) = self.run.take(worker.index, &mut worker.cursor, &sockets) else { return false };
        self.run_taken(worker, index);
        !worker.unseated
    }

    /// Runs mailboxes until none waits; never sleeps. For tests that drive a node by hand.
    pub fn run_ready(self: &Arc<Self>, worker: &mut Worker) {
        while let Some(index) = self.run.try_take(worker.index, &mut worker.cursor) {
            self.run_taken(worker, index);
        }
    }

    fn run_taken(self: &Arc<Self>, worker: &mut Worker, index: u32) {
        let slow = index & run_queue::CUT != 0;
        let index = index & !run_queue::CUT;
        if slow {
            match self.run.seats().claim(index) {
                None => return,
                Some(Cut::Mailbox) => {}
                Some(Cut::Thread(turn)) => {
                    let seat = self.run.seats().swap(&worker.chair, &turn, worker.index);
                    return worker.sit(seat);
                }
            }
        }
        if let Some(slot) = self.table.slot(index) {
            self.run.status(worker.index).take(slow, self.run.counted());
            self.run_slot(worker, index, slot);
            if !worker.unseated {
                self.charge(worker.index, &slot.usage);
                self.run.status(worker.index).rest();
            }
        }
    }

    fn run_slot(self: &Arc<Self>, worker: &mut Worker, index: u32, slot: &Slot<Context>) {
        let mut guard = slot.core.lock();
        let Some(core) = guard.as_mut() else { return };
        core.cx.inner_mut().worker = Some(worker.index);
        loop {
            let next = if core.phase == Phase::New && !slot.mailbox.killed() {
                self.start(worker, core)
            } else {
                self.share(worker, slot, core)
            };
            let next = match next {
                Next::On => after(slot, core),
                other => other,
            };
            match next {
                Next::On => {}
                Next::Parked => match slot.mailbox.park() {
                    Parked::Yes => return,
                    Parked::No => continue,
                },
                Next::Cut => {
                    drop(guard);
                    return self.run.cut(index, || slot.mailbox.killed());
                }
                Next::End(cause, reason) => {
                    if let Some(core) = guard.take() {
                        drop(guard);
                        self.end(slot, core, cause, &reason);
                    }
                    return;
                }
            }
            let rest = if core.share.is_empty() { slot.mailbox.rest() } else { Rest::Again };
            match rest {
                Rest::Idle => {
                    if slot.usage.measures() {
                        slot.usage.forget();
                    }
                    return self.unpause(slot, core.cx.address());
                }
                // skynet's rule: to the tail only if another mailbox waits, else no queue traffic.
                Rest::Again => {
                    let status = self.run.status(worker.index);
                    if status.is_over() {
                        drop(guard);
                        return self.run.cut(index, || slot.mailbox.killed());
                    }
                    // An actor that comes from the slow lane has its whole slice.
                    if self.run.waits(worker.index) && !status.taken().slow() {
                        return self.run.push_tail(worker.index, index);
                    }
                }
            }
        }
    }

    /// The mailbox is empty: sockets that were paused because it was full may go on.
    fn unpause(&self, slot: &Slot<Context>, address: Address) {
        if slot.paused.load(Ordering::SeqCst) && slot.paused.swap(false, Ordering::SeqCst) {
            self.net.resume_owner(address.raw());
        }
    }

    /// The first turn: makes the instance and runs `init`.
    fn start(self: &Arc<Self>, worker: &mut Worker, core: &mut Core<Context>) -> Next {
        let parent = core.cx.inner().parent.raw();
        self.turn_begins(worker, &core.cx, parent, 0);
        let kind = core.cx.inner().kind.clone();
        let next = match kind.module.create(&mut core.cx) {
            Err(error) => Next::End(Cause::Failed, error),
            Ok(behavior) => {
                core.phase = Phase::Init;
                let turn = core.behavior.insert(behavior).init(&mut core.cx);
                self.settle(core, turn)
            }
        };
        self.turn_over(worker, core, &next);
        next
    }

    /// What the monitor sees, and the figures.
    fn turn_begins(&self, worker: &mut Worker, cx: &Context, source: u64, kind: u64) {
        self.run.status(worker.index).begin(cx.inner().address.raw(), source, kind);
        if let Some(weight) = worker.sampler.due() {
            worker.measured = Some((self.clock.now_ns(), weight));
        }
    }

    /// The same at the end, and where the worker sits after the turn.
    fn turn_over(&self, worker: &mut Worker, core: &mut Core<Context>, next: &Next) {
        let inner = core.cx.inner_mut();
        if inner.worker != Some(worker.index) {
            worker.sit(inner.worker);
        }
        if !worker.unseated {
            self.run.status(worker.index).end();
        }
        if worker.measured.is_some() || inner.long.is_some() {
            self.measured(worker, inner, next);
        }
    }

    /// The turn was one of the few that are measured.
    #[cold]
    fn measured(&self, worker: &mut Worker, inner: &mut Inner, next: &Next) {
        let measured = worker.measured.take();
        if inner.long.is_none() {
            if let Some((begun, weight)) = measured {
                inner.kind.times.turn(self.clock.now_ns() - begun, weight);
            }
        } else if !matches!(next, Next::Cut) {
            let ran = inner.long.take().map(|long| long.ran(self.clock.now_ns()));
            ran.into_iter().for_each(|ran| inner.kind.times.turn(ran, 1));
        }
    }

    /// Runs some of the mailbox: as many messages as the worker's weight says, and more while no other mailbox waits. They
    /// come from the share, which is filled from the mailbox when it is empty: so it is one lock for many messages,
    /// also where each turn of the queue handles but one.
    fn share(self: &Arc<Self>, worker: &mut Worker, slot: &Slot<Context>, core: &mut Core<Context>) -> Next {
        let taken = if core.share.is_empty() || core.parked || slot.mailbox.killed() {
            let before = core.share.len();
            let taken = slot.mailbox.take(SHARE, &mut core.share, core.parked);
            slot.usage.took(core.share.len() - before);
            taken
        } else {
            Taken::Messages { overload: None }
        };
        match taken {
            Taken::Nothing => Next::On,
            Taken::Killed(cause, reason) => Next::End(cause, reason),
            Taken::Resume => {
                let answer = (0, TURN_NAMES.len() as u64 - 1);
                let (source, kind) = core.cx.inner().long.as_ref().map_or(answer, |long| (long.source, long.kind));
                self.turn_begins(worker, &core.cx, source, kind);
                if let Some(long) = &mut core.cx.inner_mut().long {
                    long.resume(self.clock.now_ns());
                }
                core.parked = false;
                let turn = core.behavior.as_mut().map_or(Turn::Parked, |behavior| behavior.resume(&mut core.cx));
                let next = self.settle(core, turn);
                self.turn_over(worker, core, &next);
                next
            }
            Taken::Messages { overload } => {
                if let Some(length) = overload {
                    let first = core.share.front();
                    let (from, kind) = first.map_or((Address::HOST, ""), |first| (first.source, first.body.name()));
                    core.cx.warn(&format!("may be overloaded: {length} messages wait (next: {kind} from {from})"));
                }
                let mut due = weight::batch(worker.weight, core.share.len());
                while let Some(letter) = slot.mailbox.begin(&mut core.share) {
                    if slot.usage.measures() {
                        self.waited(&slot.usage, &core.cx.inner().kind.times, core.share.len());
                    }
                    let next = self.turn(worker, core, letter);
                    due = due.saturating_sub(1);
                    if !matches!(next, Next::On) || core.cx.inner().exiting || slot.mailbox.killed() {
                        return next;
                    }
                    if self.run.status(worker.index).is_over() || due == 0 && self.run.waits(worker.index) {
                        break;
                    }
                }
                Next::On
            }
        }
    }

    /// One message through the behavior.
    fn turn(self: &Arc<Self>, worker: &mut Worker, core: &mut Core<Context>, letter: Letter) -> Next {
        if !admit(core.cx.inner_mut(), &letter) {
            return Next::On;
        }
        if matches!(letter.body, Body::Sweep) {
            core.cx.sweep();
            return Next::On;
        }
        let Some(behavior) = core.behavior.as_mut() else { return Next::On };
        self.turn_begins(worker, &core.cx, letter.source.raw(), turn_kind(&letter.body));
        // Opened here and not before: the message is copied once, from its letter to where the behavior finds it.
        let turn = behavior.handle(&mut core.cx, letter.open());
        let next = self.settle(core, turn);
        self.turn_over(worker, core, &next);
        next
    }

    /// The end of a turn: its request must not be lost, a fault ends the actor.
    fn settle(self: &Arc<Self>, core: &mut Core<Context>, turn: Turn) -> Next {
        let result = match turn {
            Turn::Yielded => {
                core.parked = true;
                return Next::Cut;
            }
            Turn::Parked => {
                core.parked = true;
                return Next::Parked;
            }
            Turn::Fault(fault) => {
                // A turn that was cut short by a kill is no fault of the guest.
                let kill = self.table.get(core.cx.address()).and_then(|slot| slot.mailbox.take_kill());
                let (cause, reason) = kill.unwrap_or((Cause::Failed, fault.to_string()));
                return Next::End(cause, reason);
            }
            Turn::Done(result) => result,
        };
        if core.phase == Phase::Init {
            return self.initialised(core, result);
        }
        let inner = core.cx.inner_mut();
        let deferred = std::mem::take(&mut inner.deferred);
        // An actor that exits drops nothing: its end answers what it holds, this request too.
        if result.is_ok() && inner.exiting {
            return Next::On;
        }
        let owed = inner.current.take().or_else(|| if result.is_err() { inner.open.remove(&deferred) } else { None });
        match (owed, result) {
            (Some(request), result) => {
                let reason = result.err().unwrap_or_else(|| "dropped without an answer".to_owned());
                let error = CallError::new(ErrorCode::Refused, reason);
                self.reply(inner.worker, inner.address, request.source, request.session, Err(error));
            }
            (None, Err(error)) => core.cx.warn(&format!("handler error: {error}")),
            (None, Ok(())) => {}
        }
        Next::On
    }

    fn initialised(&self, core: &mut Core<Context>, result: Result<(), String>) -> Next {
        if let Err(error) = result {
            return Next::End(Cause::Failed, error);
        }
        core.phase = Phase::Ready;
        let inner = core.cx.inner_mut();
        let (to, session) = inner.spawner;
        if !session.is_none() {
            let body = Body::Spawned(Ok(inner.address));
            self.answer(inner.worker, to, Message { source: inner.address, session, body });
        }
        Next::On
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
        Body::Down { .. } => inner.rare().watches.remove(&session).is_some(),
        Body::Signal(signal) => {
            inner.stopping |= *signal == Signal::Stop;
            true
        }
        Body::Socket { .. } => {
            inner.has_sockets = true;
            true
        }
        Body::Sweep => true,
    }
}

/// Whether the actor ends by itself after a share.
fn after(slot: &Slot<Context>, core: &mut Core<Context>) -> Next {
    let inner = core.cx.inner_mut();
    if inner.exiting {
        return Next::End(Cause::Exited, std::mem::take(&mut inner.rare().exit));
    }
    let finished = inner.stopping && inner.open.is_empty() && inner.outstanding.is_empty() && slot.mailbox.is_empty();
    if finished && core.phase == Phase::Ready {
        return Next::End(Cause::Stopped, "the host stops".to_owned());
    }
    Next::On
}
