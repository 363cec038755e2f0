//! Who supervises whom, and what follows from an end: decisions only, no actor is touched here. Used by [`super`], which
//! holds the lock, and carries out the steps when it has let go of it.
//!
//! A supervisor is a policy with members: actors, and other supervisors. Members have the order in which they were added,
//! which is that in which they start. A *round* is one restart under way: members that are to stop, the last started
//! first, each with its time; then the pause; then members that are to start, the first one first, each when the `init` of
//! the one before has returned.
//!
//! Must hold: an actor is in one round at most (a new one takes in those that it overlaps); a member whose state is
//! `Resting` has no instance and gets one by `Step::Start` only.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::base::{Address, Cause};
use crate::node::deadline::nanos;
use crate::node::supervise::policy::{MemberState, Policy, Restart, Step, Strategy, SupervisorView, Verdict};

/// A supervisor's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SupervisorId(u32);

#[derive(Debug)]
struct Child {
    supervisor: SupervisorId,
    restart: Restart,
    state: MemberState,
    order: u64,
    restarts: u64,
}

#[derive(Debug)]
struct Supervisor {
    name: String,
    policy: Policy,
    parent: Option<SupervisorId>,
    order: u64,
    /// When it restarted something, within the period.
    history: VecDeque<u64>,
    /// Restarts since a healthy run, and when the last one was.
    streak: u32,
    last: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Stopping,
    Pause,
    Starting,
}

#[derive(Debug)]
struct Round {
    by: SupervisorId,
    phase: Phase,
    /// The last one is next.
    stop: Vec<Address>,
    /// The last one of `stop` was told.
    told: bool,
    start: VecDeque<Address>,
    pause: u64,
    /// Alarms that were set for an earlier state are stale.
    alarm: u64,
}

/// See the file's head.
#[derive(Debug, Default)]
pub struct Tree {
    supervisors: BTreeMap<SupervisorId, Supervisor>,
    children: HashMap<Address, Child>,
    rounds: Vec<Round>,
    next: u64,
}

impl Tree {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Adds a supervisor below another one, or at the top.
    pub fn add(&mut self, name: &str, policy: Policy, parent: Option<SupervisorId>) -> SupervisorId {
        let order = self.number();
        let id = SupervisorId(u32::try_from(order).expect("fewer supervisors than actors"));
        let supervisor =
            Supervisor { name: name.to_owned(), policy, parent, order, history: VecDeque::new(), streak: 0, last: 0 };
        self.supervisors.insert(id, supervisor);
        id
    }

    /// Adds an actor to a supervisor's members.
    pub fn join(&mut self, address: Address, supervisor: SupervisorId, restart: Restart) {
        let order = self.number();
        let child = Child { supervisor, restart, state: MemberState::Running, order, restarts: 0 };
        self.children.insert(address, child);
    }

    /// Whether the tree knows an actor as a member.
    pub fn knows(&self, address: Address) -> bool {
        self.children.contains_key(&address)
    }

    /// A member was restarted without having ended: that is none of its supervisor's restarts.
    pub fn anew(&mut self, address: Address) {
        if let Some(child) = self.children.get_mut(&address) {
            child.restarts += 1;
        }
    }

    /// How often a member was restarted.
    pub fn restarts(&self, address: Address) -> u64 {
        self.children.get(&address).map_or(0, |child| child.restarts)
    }

    /// Forgets a supervisor and its members, and gives those, the last started first.
    fn dissolve(&mut self, id: SupervisorId) -> Vec<Address> {
        self.rounds.retain(|round| round.by != id);
        let members = self.below(id);
        for member in &members {
            self.children.remove(member);
        }
        self.supervisors.remove(&id);
        members.into_iter().rev().collect()
    }

    /// All supervisors, in their order.
    pub fn view(&self) -> Vec<SupervisorView> {
        let name = |id: &SupervisorId| self.supervisors.get(id).map(|one| one.name.clone());
        let view = |(id, one): (&SupervisorId, &Supervisor)| {
            let mut members: Vec<(&Address, &Child)> =
                self.children.iter().filter(|(_, child)| child.supervisor == *id).collect();
            members.sort_by_key(|(_, child)| child.order);
            let member = |(address, child): (&Address, &Child)| (*address, child.restart, child.state, child.restarts);
            SupervisorView {
                name: one.name.clone(),
                parent: one.parent.as_ref().and_then(name),
                strategy: one.policy.strategy,
                recent: one.history.len(),
                members: members.into_iter().map(member).collect(),
            }
        };
        self.supervisors.iter().map(view).collect()
    }

    /// An actor's instance has ended. `once`: it had been initialised at least once. `jitter`: 0 to 1.
    pub fn ended(
        &mut self,
        address: Address,
        cause: Cause,
        once: bool,
        now: u64,
        jitter: f64,
        steps: &mut Vec<Step>,
    ) -> Verdict {
        let Some(child) = self.children.get_mut(&address) else { return Verdict::End };
        let (supervisor, restart) = (child.supervisor, child.restart);
        let clear = self.supervisors.get(&supervisor).is_some_and(|one| one.policy.clear_mailbox);
        // A kill in the pause changes nothing: it gets a new instance anyway.
        if child.state == MemberState::Resting {
            return Verdict::Rest { clear };
        }
        let planned = self.rounds.iter().any(|round| round.stop.contains(&address));
        let again = match restart {
            Restart::Permanent => once,
            Restart::Transient => once && cause != Cause::Exited,
            Restart::Temporary => false,
        };
        if planned && restart != Restart::Temporary && once || again {
            child.state = MemberState::Resting;
        } else {
            self.children.remove(&address);
        }
        if again && !planned {
            self.restart(address, now, jitter, steps);
        }
        self.advance(now, steps);
        if self.children.contains_key(&address) { Verdict::Rest { clear } } else { Verdict::End }
    }

    /// An actor's `init` has returned.
    pub fn initialised(&mut self, address: Address, now: u64, steps: &mut Vec<Step>) {
        if let Some(child) = self.children.get_mut(&address) {
            child.state = MemberState::Running;
            let mut at = Some(child.supervisor);
            while let Some(one) = at.and_then(|id| self.supervisors.get_mut(&id)) {
                one.last = now;
                at = one.parent;
            }
            self.advance(now, steps);
        }
    }

    /// An alarm's time has come.
    pub fn alarm(&mut self, number: u64, now: u64, steps: &mut Vec<Step>) {
        let Some(round) = self.rounds.iter_mut().find(|round| round.alarm == number) else { return };
        match round.phase {
            Phase::Stopping => {
                if let Some(address) = round.stop.last().filter(|_| round.told) {
                    let reason = "it did not finish in time to be restarted".to_owned();
                    steps.push(Step::Kill(*address, Cause::Killed, reason));
                }
            }
            Phase::Pause => round.phase = Phase::Starting,
            Phase::Starting => {}
        }
        self.advance(now, steps);
    }

    /// The members below a supervisor, in their order.
    fn below(&self, id: SupervisorId) -> Vec<Address> {
        let within = |mut at: SupervisorId| loop {
            if at == id {
                return true;
            }
            match self.supervisors.get(&at).and_then(|one| one.parent) {
                Some(parent) => at = parent,
                None => return false,
            }
        };
        let mut all: Vec<(&Address, &Child)> =
            self.children.iter().filter(|(_, child)| within(child.supervisor)).collect();
        all.sort_by_key(|(_, child)| child.order);
        all.into_iter().map(|(address, _)| *address).collect()
    }

    /// Plans what is due after the end of a member: a round, or the end of its supervisor.
    fn restart(&mut self, address: Address, now: u64, jitter: f64, steps: &mut Vec<Step>) {
        let Some(child) = self.children.get(&address) else { return };
        let (mut id, mut order, mut failed) = (child.supervisor, child.order, vec![address]);
        loop {
            let Some(one) = self.supervisors.get_mut(&id) else { return };
            let period = nanos(one.policy.period);
            while one.history.front().is_some_and(|then| now - then > period) {
                one.history.pop_front();
            }
            if one.history.len() < one.policy.max_restarts as usize {
                break;
            }
            one.history.clear();
            let (most, period) = (one.policy.max_restarts, one.policy.period);
            let words = format!("supervisor `{}` gave up: more than {most} restarts within {period:?}", one.name);
            let (parent, name) = (one.parent, one.name.clone());
            order = one.order;
            let Some(parent) = parent else {
                let members = self.dissolve(id);
                steps.extend(members.into_iter().map(|member| Step::Kill(member, Cause::Stopped, words.clone())));
                return steps.push(Step::GaveUp(name));
            };
            failed = self.below(id);
            id = parent;
        }
        let affected = match self.supervisors[&id].policy.strategy {
            Strategy::OneForOne => failed,
            Strategy::OneForAll => self.below(id),
            Strategy::RestForOne => {
                let mut rest = self.below(id);
                rest.retain(|member| self.place(*member, id) >= order);
                rest
            }
        };
        let one = self.supervisors.get_mut(&id).expect("it was found above");
        one.history.push_back(now);
        // A healthy run: a period without an end.
        one.streak = if now.saturating_sub(one.last) > nanos(one.policy.period) { 1 } else { one.streak + 1 };
        one.last = now;
        let full = nanos(one.policy.backoff).saturating_mul(1 << (one.streak - 1).min(32));
        let full = full.min(nanos(one.policy.backoff_max));
        // Half of it is certain, the other half by chance: members that fail together do not come back together.
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a pause"
        )]
        let pause = full / 2 + ((full / 2) as f64 * jitter.clamp(0.0, 1.0)) as u64;
        self.plan(id, affected, pause);
    }

    /// The order of the direct member of a supervisor that an actor is, or belongs to.
    fn place(&self, address: Address, id: SupervisorId) -> u64 {
        let Some(child) = self.children.get(&address) else { return 0 };
        let (mut order, mut at) = (child.order, child.supervisor);
        while at != id {
            let Some(one) = self.supervisors.get(&at) else { return 0 };
            let Some(parent) = one.parent else { return 0 };
            (order, at) = (one.order, parent);
        }
        order
    }

    /// Begins a round, which takes in those that it overlaps.
    fn plan(&mut self, mut by: SupervisorId, mut affected: Vec<Address>, pause: u64) {
        self.rounds.retain(|round| {
            let overlaps = round.start.iter().chain(&round.stop).any(|address| affected.contains(address));
            if overlaps {
                affected.extend(round.start.iter().chain(&round.stop));
                by = by.min(round.by);
            }
            !overlaps
        });
        affected.retain(|address| self.children.contains_key(address));
        affected.sort_by_key(|address| self.children[address].order);
        affected.dedup();
        let lasting = |address: &Address| self.children[address].restart != Restart::Temporary;
        let start = affected.iter().copied().filter(lasting).collect();
        let alarm = self.number();
        self.rounds.push(Round { by, phase: Phase::Stopping, stop: affected, told: false, start, pause, alarm });
    }

    /// Goes on with every round as far as it goes.
    fn advance(&mut self, now: u64, steps: &mut Vec<Step>) {
        let mut index = 0;
        while index < self.rounds.len() {
            if self.go_on(index, now, steps) {
                index += 1;
            } else {
                self.rounds.remove(index);
            }
        }
    }

    /// False: the round is over.
    fn go_on(&mut self, index: usize, now: u64, steps: &mut Vec<Step>) -> bool {
        loop {
            let alarm = self.number();
            let round = &mut self.rounds[index];
            match round.phase {
                Phase::Stopping => {
                    let Some(address) = round.stop.last().copied() else {
                        (round.phase, round.alarm) = (Phase::Pause, alarm);
                        if round.pause == 0 {
                            round.phase = Phase::Starting;
                        } else {
                            steps.push(Step::Alarm(now.saturating_add(round.pause), alarm));
                        }
                        continue;
                    };
                    let child = self.children.get(&address).filter(|child| child.state != MemberState::Resting);
                    let Some(child) = child else {
                        round.stop.pop();
                        round.told = false;
                        continue;
                    };
                    if round.told {
                        return true;
                    }
                    let policy = self.supervisors.get(&child.supervisor).map(|one| one.policy.stop_timeout);
                    (round.told, round.alarm) = (true, alarm);
                    steps.push(Step::Stop(address));
                    steps.push(Step::Alarm(now.saturating_add(nanos(policy.unwrap_or_default())), alarm));
                    return true;
                }
                Phase::Pause => return true,
                Phase::Starting => {
                    let Some(address) = round.start.front().copied() else { return false };
                    match self.children.get_mut(&address) {
                        Some(child) if child.state == MemberState::Resting => {
                            (child.state, child.restarts) = (MemberState::Starting, child.restarts + 1);
                            steps.push(Step::Start(address));
                            return true;
                        }
                        Some(child) if child.state == MemberState::Starting => return true,
                        // It runs already, or has ended for good.
                        _ => drop(round.start.pop_front()),
                    }
                }
            }
        }
    }
}
