//! Supervision: an actor that ended gets another instance, by policy, in its own place. Used by the workers when an actor
//! ends ([`super::turn`]), by boot and by actors; the decisions are [`tree`]'s.
//!
//! What is kept, and what is not, is in [`super::restart`]. Must hold: what the tree decides is done after its lock was let go,
//! but for a stop, which is for one instance: under it a mailbox's lock is taken; an instance's end is told to the tree before its mailbox is suspended, and a start that comes in
//! between is not lost (`Mailbox::release`).

pub mod policy;
pub mod tree;

use std::time::Duration;

use crate::actor::{Core, Phase, Slot};
use crate::base::sync::atomic::Ordering;
use crate::base::sync::{Arc, Mutex, MutexGuard};
use crate::base::{Address, CallError, Cause, ErrorCode, Session};
use crate::node::timers::Due;
use crate::node::{Context, Node, turn};
use crate::sched::Parked;
pub use policy::{Decision, MemberState, Policy, Restart, Strategy, SupervisorView};
use policy::{End, Step, Verdict};
pub use tree::SupervisorId;
use tree::Tree;

/// What tells the session of a question from that of a watch: sessions are counted from 1.
const QUESTION: u64 = 1 << 63;

/// The node's tree, and who gave up.
#[derive(Debug, Default)]
pub(in crate::node) struct Supervision {
    tree: Mutex<Tree>,
    gave_up: Mutex<Option<String>>,
}

/// An actor's place among a supervisor's members.
#[derive(Clone, Copy, Debug)]
pub struct Membership {
    pub supervisor: SupervisorId,
    pub restart: Restart,
    /// Instead of the supervisor's.
    pub stop_timeout: Option<Duration>,
}

/// What became of an actor whose instance ended.
pub(in crate::node) enum Ended {
    /// It is still to be ended for good.
    ForGood(Core<Context>),
    /// It waits for its next instance.
    Rests,
    /// It goes on at once: its mailbox is scheduled.
    Again,
}

/// 0 to 1, by chance: so that those who failed together do not come back together.
fn jitter() -> f64 {
    // Without entropy every pause is the longest: that is late, not wrong.
    let random = getrandom::u32().unwrap_or(u32::MAX);
    f64::from(random) / f64::from(u32::MAX)
}

/// Whether a `down` event asks what is to become of a member.
pub(in crate::node) fn is_question(session: Session) -> bool {
    session.0 & QUESTION != 0
}

impl Context {
    /// Answers a `down` event that asks what is to become of a supervisor's member.
    pub fn decide(&mut self, question: Session, decision: Decision) -> Result<(), CallError> {
        let inner = self.inner();
        inner.outward()?;
        let (node, mut steps) = (&inner.node, Vec::new());
        let (by, now) = (Some(inner.address), node.clock.now_ns());
        let known = is_question(question)
            && node.tree().decided(question.0 & !QUESTION, by, decision, now, jitter(), &mut steps);
        node.carry_out(inner.worker, steps);
        if known {
            return Ok(());
        }
        Err(CallError::new(ErrorCode::Invalid, "no member waits for this decision (any more)"))
    }
}

impl Node {
    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.supervision.tree.lock()
    }

    /// Adds a supervisor, below another one or at the top.
    pub fn add_supervisor(&self, name: &str, policy: Policy, parent: Option<SupervisorId>) -> SupervisorId {
        self.tree().add(name, policy, parent)
    }

    /// Every supervisor with its members, in the order in which they start.
    pub fn supervisors(&self) -> Vec<SupervisorView> {
        self.tree().view()
    }

    /// The supervisor of the manifest that gave up, with nobody above it.
    pub fn gave_up(&self) -> Option<String> {
        self.supervision.gave_up.lock().clone()
    }

    /// Gives an actor of a supervisor another instance, as if it had ended by itself. False: it has no supervisor.
    pub fn restart(&self, worker: Option<usize>, address: Address, reason: &str) -> bool {
        self.tree().knows(address) && self.kill(worker, address, Cause::Killed, reason.to_owned())
    }

    /// A new actor is a member from now on.
    pub(in crate::node) fn join(&self, address: Address, membership: Membership) {
        self.tree().join(address, membership);
    }

    /// A member's `init` has returned.
    pub(in crate::node) fn member_runs(self: &Arc<Self>, worker: Option<usize>, address: Address) {
        let mut steps = Vec::new();
        self.tree().initialised(address, self.clock.now_ns(), &mut steps);
        self.carry_out(worker, steps);
    }

    /// From the timer thread.
    pub(in crate::node) fn supervision_due(&self, alarm: u64) {
        let mut steps = Vec::new();
        self.tree().alarm(alarm, self.clock.now_ns(), jitter(), &mut steps);
        self.carry_out(None, steps);
    }

    /// A member's instance has ended: is that its end? `core` is out of its slot.
    pub(in crate::node) fn member_ends(
        self: &Arc<Self>,
        slot: &Slot<Context>,
        mut core: Core<Context>,
        cause: Cause,
        reason: &str,
    ) -> Ended {
        let inner = core.cx.inner();
        let (address, worker) = (inner.address, inner.worker);
        if self.stopping.load(Ordering::SeqCst) {
            return Ended::ForGood(core);
        }
        let once = core.phase == Phase::Ready || inner.had_another();
        let mut steps = Vec::new();
        // Who is dead, or the one that has ended, is not asked.
        let decider = self.tree().decider(address).map(|name| format!(".{name}"));
        let decider = decider.and_then(|name| self.lookup(&name)).filter(|decider| *decider != address);
        let end = End { cause, reason: reason.to_owned(), once };
        let verdict = self.tree().ended(address, end, decider, self.clock.now_ns(), jitter(), &mut steps);
        let Verdict::Rest { clear } = verdict else {
            self.carry_out(worker, steps);
            return Ended::ForGood(core);
        };
        self.lay_to_rest(slot, &mut core, cause, reason, clear);
        *turn::enter(slot) = Some(core);
        let rests = slot.mailbox.suspend();
        self.carry_out(worker, steps);
        match rests {
            Parked::Yes => Ended::Rests,
            Parked::No => Ended::Again,
        }
    }

    /// The host stops: who has no instance gets none any more.
    pub(in crate::node) fn end_resting(&self) {
        let members = self.tree().view().into_iter().flat_map(|one| one.members);
        let resting: Vec<Address> =
            members.filter(|(_, _, state, _)| *state == MemberState::Resting).map(|(address, ..)| address).collect();
        for address in resting {
            self.kill(None, address, Cause::Stopped, "the host stops".to_owned());
        }
    }

    fn carry_out(&self, worker: Option<usize>, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Stop(address) => {
                    // Under the tree's lock: if the instance has ended meanwhile, the next one is not told.
                    let told = {
                        let tree = self.tree();
                        let slot = self.table.get(address).filter(|_| tree.stops(address));
                        slot.and_then(|slot| slot.mailbox.stop(address))
                    };
                    if told == Some(true) {
                        self.run.push(worker, address.slot());
                    }
                }
                Step::Kill(address, cause, reason) => drop(self.kill(worker, address, cause, reason)),
                Step::Start(address) => {
                    let slot = self.table.get(address);
                    if slot.is_some_and(|slot| slot.mailbox.release(address)) {
                        self.run.push(worker, address.slot());
                    }
                }
                Step::Alarm(at, number) => {
                    self.timers.arm_at(at, Due::Supervision(number));
                }
                Step::Ask { decider, member, number, cause, reason } => {
                    self.down(worker, decider, Session(QUESTION | number), member, cause, &reason);
                }
                Step::Escalated(words) => tracing::warn!(target: "wasmactor", "{words}"),
                Step::GaveUp(name, words) => {
                    tracing::error!(target: "wasmactor", "{words}; the app stops");
                    self.supervision.gave_up.lock().get_or_insert(name);
                    self.failed.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }

    /// How often a supervisor has restarted an actor.
    pub(in crate::node) fn restarts(&self, address: Address) -> u64 {
        self.tree().restarts(address)
    }
}
