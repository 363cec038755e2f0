//! Supervision: an actor that ended gets another instance, by policy, in its own place. Used by the workers when an actor
//! ends ([`super::turn`]), by boot and by actors; the decisions are [`tree`]'s.
//!
//! What is kept, and what is not, is in [`super::restart`]. Must hold: the tree's lock is a leaf: what it decides is done
//! after it was let go; an instance's end is told to the tree before its mailbox is suspended, and a start that comes in
//! between is not lost (`Mailbox::release`).

pub mod policy;
pub mod tree;

use crate::actor::{Core, Phase, Slot};
use crate::base::sync::atomic::Ordering;
use crate::base::sync::{Arc, Mutex, MutexGuard};
use crate::base::{Address, Body, Cause, Message, Session, Signal};
use crate::node::timers::Due;
use crate::node::{Context, Node, turn};
use crate::sched::Parked;
pub use policy::{MemberState, Policy, Restart, Strategy, SupervisorView};
use policy::{Step, Verdict};
pub use tree::SupervisorId;
use tree::Tree;

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

    /// A member has another instance, of another version of its module, without having ended.
    pub(in crate::node) fn member_anew(&self, address: Address) {
        self.tree().anew(address);
    }

    /// A new actor is a member from now on.
    pub(in crate::node) fn join(&self, address: Address, membership: Membership) {
        self.tree().join(address, membership.supervisor, membership.restart);
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
        self.tree().alarm(alarm, self.clock.now_ns(), &mut steps);
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
        let once = core.phase == Phase::Ready || inner.earlier() > 0;
        let mut steps = Vec::new();
        let verdict = self.tree().ended(address, cause, once, self.clock.now_ns(), jitter(), &mut steps);
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
                    // Only for the instance that runs now, or is about to: the next one is not to find it in its mailbox.
                    let session = self.stop_mark(address);
                    let body = Body::Signal(Signal::Stop);
                    self.answer(worker, address, Message { source: Address::HOST, session, body });
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
                Step::GaveUp(name) => {
                    tracing::error!(target: "wasmactor", "supervisor `{name}` gave up: too many restarts; the app stops");
                    self.supervision.gave_up.lock().get_or_insert(name);
                    self.failed.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }

    /// What a stop is marked with that is meant for one instance only.
    fn stop_mark(&self, address: Address) -> Session {
        Session(1 + self.tree().restarts(address))
    }
}
