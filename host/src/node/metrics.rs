//! Figures: what each actor uses, and how long the turns and waits of each module's actors are. Always on; read by
//! whoever wants to know, without stopping anybody.
//!
//! Times cost: reading a clock takes as long as a fifth of a message. So an actor's time is counted in rounds of the
//! monitor ([`Usage`]), and of turns and waits one in about 64 is measured, with a clock, and counts for all of them;
//! turns that were cut are all measured and count once. Histograms belong to modules, so an idle actor has none.

use std::cell::Cell;
use std::time::Duration;

use crate::actor::{COUNTED, Slot, Usage};
use crate::base::Address;
use crate::base::histogram::{Counts, Histogram};
use crate::base::sync::Arc;
use crate::node::context::Home;
use crate::node::{Context, Node};

/// Chances to measure, on average, between two that are taken; a power of two.
const EVERY: u32 = 64;

/// What one actor has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorStats {
    /// The actor's name in the manifest, or its module's.
    pub label: Arc<str>,
    /// Messages of all kinds that it was given.
    pub messages: u64,
    /// Messages that wait in its mailbox.
    pub waiting: usize,
    /// Time with a worker, in whole rounds of the monitor: half a slice each.
    pub busy: Duration,
    /// Bytes of linear memory.
    pub memory: usize,
}

/// Times of all actors of a module, those that have ended among them.
#[derive(Debug, Default)]
pub struct Times {
    /// From the begin of a turn to its end, without what it waited in between, in nanoseconds.
    turns: Histogram,
    /// From a message's way into the mailbox to the begin of its turn, in nanoseconds. Messages and requests from actors
    /// and from outside only, not what actors asked for themselves (replies, timers, sockets).
    waits: Histogram,
}

/// The same, as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimesRead {
    pub turns: Counts,
    pub waits: Counts,
}

impl Times {
    pub(in crate::node) fn turn(&self, nanoseconds: u64, weight: u64) {
        self.turns.record(nanoseconds, weight);
    }

    fn read(&self) -> TimesRead {
        TimesRead { turns: self.turns.read(), waits: self.waits.read() }
    }
}

/// Says which chances to take: at random, so that it does not fall into step with what it looks at. One a thread.
struct Sampler {
    left: Cell<u32>,
    drawn: Cell<u32>,
    seed: Cell<u32>,
}

impl Sampler {
    const fn new() -> Self {
        Self { left: Cell::new(EVERY), drawn: Cell::new(EVERY), seed: Cell::new(0x9e37_79b9) }
    }

    /// None mostly; else how many chances this one stands for.
    #[inline]
    fn due(&self) -> Option<u64> {
        if !COUNTED {
            return None;
        }
        let left = self.left.get() - 1;
        self.left.set(left);
        (left == 0).then(|| self.draw())
    }

    #[cold]
    fn draw(&self) -> u64 {
        let weight = self.drawn.get();
        // Marsaglia's xorshift32; EVERY / 2 to EVERY * 3 / 2 - 1 chances until the next.
        let mut seed = self.seed.get();
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        let next = EVERY / 2 + seed % EVERY;
        self.seed.set(seed);
        self.drawn.set(next);
        self.left.set(next);
        u64::from(weight)
    }
}

thread_local! {
    /// Messages that this thread sends, whose waits are measured.
    static SENT: Sampler = const { Sampler::new() };
    /// Turns that begin on this thread.
    static TURNS: Sampler = const { Sampler::new() };
    static BEGUN: Cell<Option<Measured>> = const { Cell::new(None) };
}

/// A turn that is measured.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) struct Measured {
    /// When it began, in nanoseconds of the node's clock.
    pub begun: u64,
    /// For how many turns it stands; 0: for none, it is only timed.
    pub weight: u64,
}

/// A turn begins on this thread; `now` is asked if it is to be measured.
#[inline]
pub(in crate::node) fn turn_begins(now: impl FnOnce() -> u64) {
    if let Some(weight) = TURNS.with(Sampler::due) {
        BEGUN.set(Some(Measured { begun: now(), weight }));
    }
}

/// The turn that begins on this thread is to be timed, for somebody who looks at it.
pub(in crate::node) fn time_turn(now: u64) {
    BEGUN.set(Some(Measured { begun: now, weight: 0 }));
}

/// A turn has ended on this thread: as it was begun here, if it was measured.
#[inline]
pub(in crate::node) fn turn_ends() -> Option<Measured> {
    let measured = BEGUN.get();
    if measured.is_some() {
        BEGUN.set(None);
    }
    measured
}

/// Where the sandbox says how much memory an actor has.
pub struct MemoryGauge {
    node: Home,
    slot: u32,
}

impl std::fmt::Debug for MemoryGauge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryGauge").field("slot", &self.slot).finish_non_exhaustive()
    }
}

impl MemoryGauge {
    pub(in crate::node) fn node(&self) -> &Node {
        &self.node
    }

    /// So much now. To be called by the actor's own turn only: later the slot may be somebody else's.
    pub fn set(&self, bytes: usize) {
        if let Some(slot) = self.node.table.slot(self.slot) {
            slot.usage.has_memory(bytes);
        }
    }
}

impl Context {
    /// This actor's gauge.
    pub fn memory_gauge(&self) -> MemoryGauge {
        let inner = self.inner();
        MemoryGauge { node: inner.node.clone(), slot: inner.address.slot() }
    }
}

impl Node {
    /// What an actor has used so far. None: it has ended.
    pub fn stats(&self, address: Address) -> Option<ActorStats> {
        let slot = self.table.get(address)?;
        let tag = slot.mailbox.tag(address)?;
        let stats = ActorStats {
            label: self.label(tag.label),
            messages: slot.usage.messages().saturating_sub(slot.mailbox.taken() as u64),
            waiting: slot.mailbox.len(),
            busy: Duration::from_nanos(slot.usage.busy_ns()),
            memory: slot.usage.memory(),
        };
        // If the slot changed hands meanwhile, the figures are of two actors.
        slot.mailbox.tag(address).map(|_| stats)
    }

    /// Every actor that lives now.
    pub fn actors(&self) -> Vec<Address> {
        self.table.slots().filter_map(|slot| slot.mailbox.address()).collect()
    }

    /// Times of each module's actors, by the modules' names.
    pub fn module_times(&self) -> Vec<(String, TimesRead)> {
        self.modules.times().into_iter().map(|(name, times)| (name, times.read())).collect()
    }

    /// Times of all actors together.
    pub fn times(&self) -> TimesRead {
        self.module_times().into_iter().fold(TimesRead::default(), |mut all, (_, times)| {
            all.turns.add(&times.turns);
            all.waits.add(&times.waits);
            all
        })
    }

    /// Charges the actor that has a seat with the rounds that have passed.
    #[inline]
    pub(in crate::node) fn charge(&self, seat: usize, usage: &Usage) {
        if !COUNTED {
            return;
        }
        let nanoseconds = self.run.status(seat).charge(self.run.counted());
        if nanoseconds > 0 {
            usage.busy(nanoseconds);
        }
    }

    /// A message is about to be put into a mailbox: true if its wait is measured.
    #[inline]
    pub(in crate::node) fn measure(&self, slot: &Slot<Context>) -> bool {
        SENT.with(Sampler::due).is_some() && self.measure_now(slot)
    }

    #[cold]
    fn measure_now(&self, slot: &Slot<Context>) -> bool {
        slot.usage.sent(self.clock.now_ns(), slot.mailbox.queued() + 1)
    }

    /// The turn of a message begins, with `left` more of its share behind it.
    #[cold]
    pub(in crate::node) fn waited(&self, usage: &Usage, times: &Times, left: usize) {
        if let Some(sent) = usage.begins(left) {
            times.waits.record(self.clock.now_ns().saturating_sub(sent), u64::from(EVERY));
        }
    }
}
