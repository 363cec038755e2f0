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

mod rounds;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use crate::base::{Address, Cause};
use crate::node::deadline::nanos;
use crate::node::supervise::Membership;
use crate::node::supervise::policy::{
    Decision, End, MemberState, Policy, Restart, Step, Strategy, SupervisorView, Verdict,
};
use rounds::{Phase, Round};

/// A supervisor's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SupervisorId(u32);

#[derive(Debug)]
struct Child {
    supervisor: SupervisorId,
    restart: Restart,
    stop_timeout: Option<Duration>,
    state: MemberState,
    order: u64,
    restarts: u64,
    /// It rests until this is answered, or until a round takes it in.
    question: Option<Question>,
    /// It is restarted whatever its policy says.
    wanted: bool,
}

#[derive(Debug)]
struct Question {
    /// Of the answer, and of the alarm.
    number: u64,
    asked: Address,
    end: End,
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
    pub fn join(&mut self, address: Address, membership: Membership) {
        let order = self.number();
        let Membership { supervisor, restart, stop_timeout } = membership;
        let child = Child {
            supervisor,
            restart,
            stop_timeout,
            state: MemberState::Running,
            order,
            restarts: 0,
            question: None,
            wanted: false,
        };
        self.children.insert(address, child);
    }

    /// Whether the tree knows an actor as a member.
    pub fn knows(&self, address: Address) -> bool {
        self.children.contains_key(&address)
    }

    /// Whether a member has been told to stop, and has not ended since.
    pub fn stops(&self, address: Address) -> bool {
        let told = self.rounds.iter().any(|round| round.told && round.stop.last() == Some(&address));
        told && self.children.get(&address).is_some_and(|child| child.state != MemberState::Resting)
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

    /// The name of who is asked what becomes of a member.
    pub fn decider(&self, address: Address) -> Option<&str> {
        let child = self.children.get(&address)?;
        self.supervisors.get(&child.supervisor)?.policy.decider.as_deref()
    }

    /// An actor's instance has ended. `asked`: who is to say what becomes of it. `jitter`: 0 to 1.
    pub fn ended(
        &mut self,
        address: Address,
        end: End,
        asked: Option<Address>,
        now: u64,
        jitter: f64,
        steps: &mut Vec<Step>,
    ) -> Verdict {
        let number = self.number();
        let Some(child) = self.children.get_mut(&address) else { return Verdict::End };
        let policy = self.supervisors.get(&child.supervisor).map(|one| &one.policy);
        let clear = policy.is_some_and(|policy| policy.clear_mailbox);
        // A kill in the pause changes nothing: it gets a new instance anyway.
        if child.state == MemberState::Resting {
            return Verdict::Rest { clear };
        }
        let planned = self.rounds.iter().any(|round| round.stop.contains(&address));
        if let Some(decider) = asked.filter(|_| end.once && !planned) {
            let timeout = policy.map(|policy| nanos(policy.decide_timeout)).unwrap_or_default();
            child.state = MemberState::Resting;
            let (cause, reason) = (end.cause, end.reason.clone());
            child.question = Some(Question { number, asked: decider, end });
            steps.push(Step::Ask { decider, member: address, number, cause, reason });
            steps.push(Step::Alarm(now.saturating_add(timeout), number));
            return Verdict::Rest { clear };
        }
        let again = again(child.restart, &end);
        if planned && child.restart != Restart::Temporary && end.once || again {
            child.state = MemberState::Resting;
        } else {
            self.children.remove(&address);
        }
        if again && !planned {
            self.restart(address, None, now, jitter, steps);
        }
        self.advance(now, steps);
        if self.children.contains_key(&address) { Verdict::Rest { clear } } else { Verdict::End }
    }

    /// The answer to a question, by who was asked, or (`by` none) because its time is over. False: nobody waits for it.
    pub fn decided(
        &mut self,
        number: u64,
        by: Option<Address>,
        decision: Decision,
        now: u64,
        jitter: f64,
        steps: &mut Vec<Step>,
    ) -> bool {
        let open = |question: &Question| question.number == number && by.is_none_or(|by| by == question.asked);
        let child = self.children.iter_mut().find(|(_, child)| child.question.as_ref().is_some_and(open));
        let Some((address, child)) = child else { return false };
        child.wanted = decision == Decision::Restart;
        let (address, restart, question) = (*address, child.restart, child.question.take());
        let Some(Question { end, .. }) = question else { return false };
        let given_up = by.filter(|_| decision == Decision::GiveUp);
        let restarts = match decision {
            Decision::Policy => again(restart, &end),
            Decision::Restart | Decision::GiveUp => true,
            Decision::End => false,
        };
        if restarts {
            self.restart(address, given_up, now, jitter, steps);
        } else {
            self.children.remove(&address);
            let first = end.reason.lines().next().unwrap_or_default();
            steps.push(Step::Kill(address, end.cause, format!("{first} (it is not restarted)")));
        }
        self.advance(now, steps);
        true
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
    pub fn alarm(&mut self, number: u64, now: u64, jitter: f64, steps: &mut Vec<Step>) {
        let Some(round) = self.rounds.iter_mut().find(|round| round.alarm == number) else {
            self.decided(number, None, Decision::Policy, now, jitter, steps);
            return;
        };
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

    /// Plans what is due after the end of a member: a round, or the end of its supervisor. `given_up`: who wants the latter.
    fn restart(
        &mut self,
        address: Address,
        mut given_up: Option<Address>,
        now: u64,
        jitter: f64,
        steps: &mut Vec<Step>,
    ) {
        let Some(child) = self.children.get(&address) else { return };
        let (mut id, mut order, mut failed) = (child.supervisor, child.order, vec![address]);
        loop {
            let Some(one) = self.supervisors.get_mut(&id) else { return };
            let period = nanos(one.policy.period);
            while one.history.front().is_some_and(|then| now - then > period) {
                one.history.pop_front();
            }
            let by = given_up.take();
            if by.is_none() && one.history.len() < one.policy.max_restarts as usize {
                break;
            }
            one.history.clear();
            let (most, period) = (one.policy.max_restarts, one.policy.period);
            let why = by.map(|by| format!("{by} said so"));
            let why = why.unwrap_or_else(|| format!("more than {most} restarts within {period:?}"));
            let words = format!("supervisor `{}` gave up: {why}", one.name);
            let (parent, name) = (one.parent, one.name.clone());
            order = one.order;
            let Some(parent) = parent else {
                let members = self.dissolve(id);
                steps.extend(members.into_iter().map(|member| Step::Kill(member, Cause::Stopped, words.clone())));
                return steps.push(Step::GaveUp(name, words));
            };
            let above = self.supervisors.get(&parent).map_or("", |above| &above.name);
            steps.push(Step::Escalated(format!("{words}; supervisor `{above}` sees to its members")));
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
}

/// Whether a member is restarted, by itself.
fn again(restart: Restart, end: &End) -> bool {
    match restart {
        Restart::Permanent => end.once,
        Restart::Transient => end.once && end.cause != Cause::Exited,
        Restart::Temporary => false,
    }
}
