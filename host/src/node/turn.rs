//! A mailbox's share of messages through its actor's behavior. Run by the worker that took the mailbox from the run
//! queue; the worker thread's loop is this function again and again.
//!
//! Must hold: a turn may end on another seat than it began on ([`super::slice`]): the worker follows it there. What begins
//! and ends each turn of the share, and what it owes then, stands in [`super::step`].

use crate::actor::{Behavior, Core, Phase, Slot, Turn};
use crate::base::sole::SoleGuard;
use crate::base::sync::Arc;
use crate::base::sync::atomic::Ordering;
use crate::base::{Address, Body, Cause, Message, Session, Signal};
use crate::net::Poller;
use crate::node::crash::Head;
use crate::node::exchange::Exchanging;
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
    /// How many times in a row an actor whose turns are long gave way ([`super::long`]).
    pub(in crate::node) passed: u32,
}

impl Worker {
    /// The worker of an index, with skynet's weight for it.
    pub fn new(index: usize) -> Self {
        let (cursor, chair) = (run_queue::Cursor::default(), Arc::default());
        Self { index, unseated: false, chair, cursor, weight: weight::of_worker(index), passed: 0 }
    }

    /// Where an actor's turn has ended: there the worker sits now.
    fn follow(&mut self, seat: Option<usize>) {
        if seat != Some(self.index) {
            self.sit(seat);
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
pub(in crate::node) enum Next {
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
        if !self.gives_way(worker, index) {
            self.run_taken(worker, index);
        }
        !worker.unseated
    }

    /// Runs mailboxes until none waits; never sleeps. For tests that drive a node by hand.
    pub fn run_ready(self: &Arc<Self>, worker: &mut Worker) {
        while let Some(index) = self.run.try_take(worker.index, &mut worker.cursor) {
            if !self.gives_way(worker, index) {
                self.run_taken(worker, index);
            }
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
        loop {
            let mut guard = enter(slot);
            let Some(core) = guard.as_mut() else { return };
            core.cx.inner_mut().worker = Some(worker.index);
            let has_quota = core.cx.has_quota();
            if has_quota
                && !slot.mailbox.killed()
                && let Some(until) = self.may_run_at(&mut core.cx)
            {
                let address = core.cx.address();
                drop(guard);
                if self.delay(slot, address, until) {
                    return;
                }
                continue;
            }
            let next = if core.phase == Phase::New && !slot.mailbox.killed() {
                self.start(worker, core)
            } else {
                self.share(worker, slot, core)
            };
            let next = match next {
                Next::On if core.cx.inner().exchanging != Exchanging::No => self.exchange(worker, slot, core),
                next => next,
            };
            let next = match next {
                Next::On => after(slot, core),
                other => other,
            };
            if has_quota && !worker.unseated {
                self.spend(worker.index, slot, core);
            }
            let (address, more) = (core.cx.address(), !core.cx.inner().share.is_empty());
            // From here on the actor may be another worker's.
            match next {
                Next::On => drop(guard),
                Next::Parked => {
                    drop(guard);
                    match slot.mailbox.park() {
                        Parked::Yes => return,
                        Parked::No => continue,
                    }
                }
                Next::Cut => {
                    drop(guard);
                    return self.run.cut(index, || slot.mailbox.killed());
                }
                Next::End(cause, reason) => {
                    if let Some(core) = guard.take() {
                        drop(guard);
                        self.instance_ends(worker.index, slot, core, cause, &reason);
                    }
                    return;
                }
            }
            let rest = if more { Rest::Again } else { slot.mailbox.rest() };
            match rest {
                Rest::Idle => {
                    if slot.usage.measures() {
                        slot.usage.forget();
                    }
                    return self.unpause(slot, address);
                }
                // skynet's rule: to the tail only if another mailbox waits, else no queue traffic.
                Rest::Again => {
                    let status = self.run.status(worker.index);
                    if status.is_over() {
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
        self.renew(&mut core.cx);
        self.create(worker, core)
    }

    pub(in crate::node) fn create(self: &Arc<Self>, worker: &mut Worker, core: &mut Core<Context>) -> Next {
        let inner = core.cx.inner_mut();
        inner.turn_begins(worker.index, inner.parent.raw(), 0);
        let kind = inner.kind.clone();
        match kind.module.create(&mut core.cx) {
            Err(error) => {
                // Its start function trapped; else there is no instance to tell of.
                if core.cx.has_evidence() {
                    self.crashed(core, &error);
                }
                self.leaves(worker, core, Next::End(Cause::Failed, error))
            }
            Ok(behavior) => self.begin(worker, core, behavior),
        }
    }

    /// Runs `init` of an instance that was just made.
    pub(in crate::node) fn begin(
        self: &Arc<Self>,
        worker: &mut Worker,
        core: &mut Core<Context>,
        behavior: Box<dyn Behavior<Context>>,
    ) -> Next {
        core.phase = Phase::Init;
        let turn = core.behavior.insert(behavior).init(&mut core.cx);
        self.first(worker, core, turn)
    }

    /// What `init`, or what was left of it, came to.
    fn first(self: &Arc<Self>, worker: &mut Worker, core: &mut Core<Context>, turn: Turn) -> Next {
        let next = match turn {
            Turn::Done(result) => self.initialised(core, result),
            turn => self.unfinished(core, turn),
        };
        match next {
            Next::End(cause, reason) => self.not_begun(worker, core, cause, reason),
            next => self.leaves(worker, core, next),
        }
    }

    /// What a turn came to, and those that follow it at once.
    fn turns(&self, worker: &mut Worker, core: &mut Core<Context>, mut turn: Turn) -> Next {
        loop {
            turn = match turn {
                Turn::Done(outcome) => match (core.cx.next(outcome), core.behavior.as_mut()) {
                    (Some(letter), Some(behavior)) => behavior.handle(&mut core.cx, letter),
                    _ => Turn::Left,
                },
                Turn::Left => {
                    worker.follow(core.cx.inner().worker);
                    return Next::On;
                }
                turn => {
                    let next = self.unfinished(core, turn);
                    return self.leaves(worker, core, next);
                }
            };
        }
    }

    /// The end of a turn that is not followed by another one at once.
    pub(in crate::node) fn leaves(&self, worker: &mut Worker, core: &mut Core<Context>, next: Next) -> Next {
        let inner = core.cx.inner_mut();
        inner.turn_ends(matches!(next, Next::Cut));
        worker.follow(inner.worker);
        next
    }

    /// A turn that is not done. A fault ends the actor.
    fn unfinished(&self, core: &mut Core<Context>, turn: Turn) -> Next {
        match turn {
            Turn::Yielded => {
                core.parked = true;
                Next::Cut
            }
            Turn::Parked => {
                core.parked = true;
                Next::Parked
            }
            Turn::Fault(fault) => {
                // A turn that was cut short by a kill is no fault of the guest.
                let kill = self.table.get(core.cx.address()).and_then(|slot| slot.mailbox.take_kill());
                let (cause, reason) = kill.unwrap_or_else(|| {
                    let reason = fault.to_string();
                    self.crashed(core, &reason);
                    (Cause::Failed, reason)
                });
                Next::End(cause, reason)
            }
            Turn::Done(_) | Turn::Left => Next::On,
        }
    }

    /// Runs some of the mailbox: as many messages as the worker's weight says, and more while no other mailbox waits. They
    /// come from the share, which is filled from the mailbox when it is empty: so it is one lock for many messages,
    /// also where each turn of the queue handles but one.
    fn share(self: &Arc<Self>, worker: &mut Worker, slot: &Slot<Context>, core: &mut Core<Context>) -> Next {
        let share = &mut core.cx.inner_mut().share;
        let taken = if share.is_empty() || core.parked || slot.mailbox.urgent() {
            let before = share.len();
            let taken = slot.mailbox.take(share, core.parked);
            slot.usage.took(share.len() - before);
            taken
        } else {
            Taken::Messages { overload: None }
        };
        match taken {
            Taken::Nothing => Next::On,
            Taken::Killed(cause, reason) => Next::End(cause, reason),
            Taken::Stop => {
                let inner = core.cx.inner_mut();
                (inner.stopping, inner.leaving) = (true, true);
                let body = Body::Signal(Signal::Stop);
                inner.turn_begins(worker.index, Address::HOST.raw(), turn_kind(&body));
                let letter = Letter::new(Message { source: Address::HOST, session: Session::NONE, body });
                inner.event = Head::of(&letter);
                let turn = core.behavior.as_mut().map_or(Turn::Left, |behavior| behavior.handle(&mut core.cx, letter));
                self.turns(worker, core, turn)
            }
            Taken::Resume => {
                core.parked = false;
                let inner = core.cx.inner_mut();
                inner.due = 1;
                let answer = (0, TURN_NAMES.len() as u64 - 1);
                let (source, kind) = inner.long.as_ref().map_or(answer, |long| (long.source, long.kind));
                inner.turn_begins(worker.index, source, kind);
                if let Some(long) = &mut inner.long {
                    long.resume(self.clock.now_ns());
                }
                let turn = core.behavior.as_mut().map_or(Turn::Parked, |behavior| behavior.resume(&mut core.cx));
                if core.phase == Phase::Init {
                    return self.first(worker, core, turn);
                }
                self.turns(worker, core, turn)
            }
            Taken::Messages { overload } => {
                if let Some(length) = overload {
                    let first = core.cx.inner().share.front();
                    let (from, kind) = first.map_or((Address::HOST, ""), |first| (first.source, first.body.name()));
                    core.cx.warn(&format!("may be overloaded: {length} messages wait (next: {kind} from {from})"));
                }
                let inner = core.cx.inner_mut();
                inner.due = u32::try_from(weight::batch(worker.weight, inner.share.len())).unwrap_or(u32::MAX);
                let (Some(letter), Some(behavior)) = (core.cx.begin(slot), core.behavior.as_mut()) else {
                    return Next::On;
                };
                let turn = behavior.handle(&mut core.cx, letter);
                self.turns(worker, core, turn)
            }
        }
    }

    fn initialised(self: &Arc<Self>, core: &mut Core<Context>, result: Result<(), String>) -> Next {
        if let Err(error) = result {
            return Next::End(Cause::Failed, error);
        }
        core.phase = Phase::Ready;
        let inner = core.cx.inner_mut();
        inner.begun_anew();
        if inner.is_member() {
            self.member_runs(inner.worker, inner.address);
        }
        let (to, session) = std::mem::replace(&mut inner.spawner, (Address::HOST, Session::NONE));
        if !session.is_none() {
            let body = Body::Spawned(Ok(inner.address));
            self.answer(inner.worker, to, Message { source: inner.address, session, body });
        }
        Next::On
    }
}

/// The running half of the actor whose mailbox this worker has.
#[expect(unsafe_code, reason = "the mailbox's stage is the right to it")]
pub(in crate::node) fn enter(slot: &Slot<Context>) -> SoleGuard<'_, Option<Core<Context>>> {
    // SAFETY: the mailbox is `Scheduled`, and this worker has taken it from the run queue, where it is once at most
    // (sched/mailbox.rs, with its models). Guards are dropped before it goes back, rests, parks or closes; all of that, and
    // how it comes to the next worker, is under the mailbox's lock or through the queue.
    unsafe { slot.core.enter() }
}

/// Whether the actor ends by itself after a share.
fn after(slot: &Slot<Context>, core: &mut Core<Context>) -> Next {
    let inner = core.cx.inner_mut();
    if inner.exiting {
        return Next::End(Cause::Exited, std::mem::take(&mut inner.rare().exit));
    }
    let finished = inner.stopping && inner.owed() == 0 && inner.outstanding.is_empty();
    if finished && core.phase == Phase::Ready {
        if inner.leaving {
            return Next::End(Cause::Stopped, "it stops to be restarted".to_owned());
        }
        if slot.mailbox.is_empty() {
            return Next::End(Cause::Stopped, "the host stops".to_owned());
        }
    }
    Next::On
}
