//! Actors as they are seen from outside while everything runs. Used by the control endpoint.
//!
//! Must hold: no actor is stopped or asked for it, so it works whatever the guests do; what is seen of an actor and of its
//! worker may be of two moments.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::actor::Slot;
use crate::base::Address;
use crate::base::sync::Arc;
use crate::node::turn_kind::TURN_NAMES;
use crate::node::{Context, Edition, Node};
use crate::sched::status::TurnView;
use crate::sched::{Full, Standing};

/// What an actor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing: no message waits.
    Idle,
    /// It has a message, and waits for a worker.
    Queued,
    /// A worker runs its turn: which one, of which kind, from whom.
    Running { worker: usize, kind: &'static str, source: Address },
    /// Its turn has used up its slice, and waits for the next one.
    Cut,
    /// It waits in the middle of a turn: for an answer, or for time to pass.
    Parked,
    /// Its instance has ended, and a supervisor gives it another one soon.
    Resting,
}

impl State {
    /// One word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Queued => "queued",
            Self::Running { .. } => "running",
            Self::Cut => "cut",
            Self::Parked => "parked",
            Self::Resting => "resting",
        }
    }
}

/// One actor at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorView {
    pub address: Address,
    /// The name in the manifest, or the module's.
    pub label: Arc<str>,
    pub edition: Edition,
    pub parent: Address,
    pub state: State,
    /// Whose answer it waits for exclusively.
    pub waits_on: Option<Address>,
    /// Messages that wait; of those, what its worker has taken and not begun.
    pub waiting: usize,
    pub taken: usize,
    /// Ordinary messages that may wait, and what happens then.
    pub bound: usize,
    pub full: Full,
    /// Senders held back at the bound.
    pub held: usize,
    /// It is to end as soon as it can be.
    pub killed: bool,
    /// Messages of all kinds that it was given.
    pub messages: u64,
    /// Time with a worker, in whole rounds of the monitor.
    pub busy: Duration,
    /// Bytes of linear memory.
    pub memory: usize,
    pub age: Duration,
}

/// What the workers do: looked at once for many actors.
#[derive(Debug)]
pub struct Watch {
    running: Vec<Option<TurnView>>,
    cut: BTreeSet<u32>,
    now: u64,
}

/// Registered names by their owners, each one's sorted.
pub type Names = HashMap<Address, Vec<String>>;

impl Node {
    /// Looks at the workers.
    pub fn watch_workers(&self) -> Watch {
        let running = (0..self.run.workers()).map(|seat| self.run.status(seat).running()).collect();
        Watch { running, cut: self.run.seats().all_cut(), now: self.clock.about_ns() }
    }

    /// What each worker runs: the actor, the kind of its turn and whom that is from.
    pub fn turns_now(&self) -> Vec<Option<(Address, &'static str, Address)>> {
        let turns = self.watch_workers().running.into_iter();
        turns.map(|turn| turn.map(|turn| (Address::from_raw(turn.actor), kind(&turn), source(&turn)))).collect()
    }

    /// An actor at this moment. None: it has ended.
    pub fn view(&self, address: Address, watch: &Watch) -> Option<ActorView> {
        self.view_slot(address.slot(), watch).filter(|view| view.address == address)
    }

    /// Every actor that lives.
    pub fn each_view<'a>(&'a self, watch: &'a Watch) -> impl Iterator<Item = ActorView> + 'a {
        // Of a slot that nobody has the mailbox says so; that is all that is looked at.
        self.table.slots().filter_map(|slot| slot.mailbox.address()).filter_map(|address| self.view(address, watch))
    }

    fn view_slot(&self, index: u32, watch: &Watch) -> Option<ActorView> {
        let slot = self.table.slot(index)?;
        let seen = slot.mailbox.view()?;
        let state = match seen.standing {
            Standing::Idle => State::Idle,
            Standing::Parked => State::Parked,
            Standing::Suspended => State::Resting,
            Standing::Scheduled => watch.state(seen.address),
        };
        Some(ActorView {
            address: seen.address,
            label: self.label(seen.tag.label),
            edition: self.edition(seen.tag.edition),
            parent: seen.tag.parent,
            state,
            waits_on: seen.waits_on,
            waiting: seen.waiting,
            taken: seen.taken,
            bound: seen.bound,
            full: seen.full,
            held: seen.held,
            killed: seen.killed,
            messages: slot.usage.messages().saturating_sub(seen.taken as u64),
            busy: Duration::from_nanos(slot.usage.busy_ns()),
            memory: slot.usage.memory(),
            age: Duration::from_nanos(watch.now.saturating_sub(slot.usage.born())),
        })
    }

    /// All actors that the manifest calls so, or that are of this module and have no other name.
    pub fn called(&self, label: &str) -> Vec<Address> {
        let Some(number) = self.labels.read().iter().position(|known| &**known == label) else { return Vec::new() };
        let named = |slot: &Slot<Context>| {
            slot.mailbox.view().filter(|view| view.tag.label as usize == number).map(|view| view.address)
        };
        self.table.slots().filter_map(named).collect()
    }

    /// Every registered name.
    pub fn names(&self) -> Names {
        let mut names = Names::new();
        for (name, address) in self.registry.list("") {
            names.entry(address).or_default().push(name);
        }
        names
    }
}

impl Watch {
    /// What an actor does that is in a run queue or with a worker.
    fn state(&self, actor: Address) -> State {
        let turns = self.running.iter().enumerate();
        let mut turns = turns.filter_map(|(worker, turn)| turn.as_ref().map(|turn| (worker, turn)));
        match turns.find(|(_, turn)| turn.actor == actor.raw()) {
            Some((worker, turn)) => State::Running { worker, kind: kind(turn), source: source(turn) },
            None if self.cut.contains(&actor.slot()) => State::Cut,
            None => State::Queued,
        }
    }
}

fn kind(turn: &TurnView) -> &'static str {
    usize::try_from(turn.kind).ok().and_then(|kind| TURN_NAMES.get(kind)).unwrap_or(&"?")
}

fn source(turn: &TurnView) -> Address {
    Address::from_raw(turn.source)
}
