//! Address → actor. Slots are made once and never freed, so a lookup is two loads and holds nothing; whether the
//! slot is still (or again) this address's is decided under the mailbox's lock. Used by `node` and the workers.
//!
//! Must hold: a slot is given out with a generation it never had; freed slots wait in a FIFO, so that a generation
//! lasts long; a slot whose generations are used up is retired.
//!
//! Who may touch what: `mailbox` anybody; `core` only the worker that has the mailbox (the lock is never contended,
//! it only proves it to the compiler); `watchers` anybody; the rest is written before the mailbox opens.

use std::collections::VecDeque;

use crate::actor::{Behavior, Module, Usage};
use crate::base::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::base::sync::{Arc, Mutex, OnceLock};
use crate::base::{Address, Session};
use crate::sched::Mailbox;

#[cfg(not(loom))]
const CHUNK: usize = 1024;
#[cfg(loom)]
const CHUNK: usize = 4;
#[cfg(not(loom))]
const CHUNKS: usize = (1 << crate::base::address::SLOT_BITS) / CHUNK;
#[cfg(loom)]
const CHUNKS: usize = 1;
/// Freed slots that wait before the oldest is used again.
#[cfg(not(loom))]
const COOL: usize = 256;
#[cfg(loom)]
const COOL: usize = 0;

/// Where an actor is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Neither created nor initialised.
    New,
    /// In `init`.
    Init,
    /// Handles messages.
    Ready,
}

/// The running half of an actor.
pub struct Core<C> {
    pub module: Arc<dyn Module<C>>,
    /// None until the first turn.
    pub behavior: Option<Box<dyn Behavior<C>>>,
    pub cx: C,
    pub phase: Phase,
    /// In the middle of a turn.
    pub parked: bool,
}

impl<C> std::fmt::Debug for Core<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("phase", &self.phase).field("parked", &self.parked).finish_non_exhaustive()
    }
}

/// One place in the table.
#[derive(Debug)]
pub struct Slot<C> {
    pub mailbox: Mailbox,
    pub core: Mutex<Option<Box<Core<C>>>>,
    /// Who asked for word of the end: only of the actor whose address the mailbox has.
    pub watchers: Mutex<Vec<(Address, Session)>>,
    /// What the actor has used so far.
    pub usage: Usage,
    /// Sockets were paused because the mailbox was full.
    pub paused: AtomicBool,
    generation: AtomicU32,
}

impl<C> Default for Slot<C> {
    fn default() -> Self {
        Self {
            mailbox: Mailbox::default(),
            core: Mutex::new(None),
            watchers: Mutex::new(Vec::new()),
            usage: Usage::default(),
            paused: AtomicBool::new(false),
            generation: AtomicU32::new(0),
        }
    }
}

/// Slots that are made together.
type Chunk<C> = Box<[Slot<C>]>;

#[derive(Debug)]
struct Free {
    slots: VecDeque<u32>,
    /// The first slot that was never used. 0 is never used at all: it is "none".
    fresh: u32,
}

/// See the file's head.
pub struct Table<C> {
    node: u8,
    chunks: Box<[OnceLock<Chunk<C>>]>,
    free: Mutex<Free>,
}

impl<C> std::fmt::Debug for Table<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("node", &self.node).finish_non_exhaustive()
    }
}

impl<C> Table<C> {
    /// An empty table of a node.
    pub fn new(node: u8) -> Self {
        Self {
            node,
            chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect(),
            free: Mutex::new(Free { slots: VecDeque::new(), fresh: 1 }),
        }
    }

    /// A free slot and the address it will have. None: 16.7 million actors are alive.
    pub fn reserve(&self) -> Option<(Address, &Slot<C>)> {
        let index = {
            let mut free = self.free.lock();
            let limit = u32::try_from(CHUNKS * CHUNK).expect("the table has 2^24 slots");
            if free.slots.len() > COOL || free.fresh == limit {
                free.slots.pop_front()?
            } else {
                free.fresh += 1;
                free.fresh - 1
            }
        };
        let chunk = &self.chunks[index as usize / CHUNK];
        let slots = chunk.get_or_init(|| (0..CHUNK).map(|_| Slot::default()).collect());
        let slot = &slots[index as usize % CHUNK];
        Some((Address::new(self.node, slot.generation.load(Ordering::Relaxed), index), slot))
    }

    /// Gives a slot back; its mailbox is closed. The address is never used again.
    pub fn release(&self, address: Address) {
        let slot = self.slot(address.slot()).expect("a reserved slot exists");
        let generation = slot.generation.load(Ordering::Relaxed);
        debug_assert_eq!(generation, address.generation());
        if generation == u32::MAX {
            return;
        }
        // Relaxed: the free list's lock orders it before the next `reserve`.
        slot.generation.store(generation + 1, Ordering::Relaxed);
        self.free.lock().slots.push_back(address.slot());
    }

    /// The slot of an address of this node, whoever is in it now.
    pub fn get(&self, address: Address) -> Option<&Slot<C>> {
        if address.node() != self.node { None } else { self.slot(address.slot()) }
    }

    /// A slot by its number.
    pub fn slot(&self, index: u32) -> Option<&Slot<C>> {
        if index == 0 {
            return None;
        }
        self.chunks.get(index as usize / CHUNK)?.get().map(|slots| &slots[index as usize % CHUNK])
    }

    /// Every slot that was ever used.
    pub fn slots(&self) -> impl Iterator<Item = &Slot<C>> {
        let fresh = self.free.lock().fresh;
        (1..fresh).filter_map(|index| self.slot(index))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{COOL, Table};
    use crate::base::Address;

    #[test]
    fn a_freed_slot_waits_and_comes_back_with_a_new_generation() {
        let table: Table<()> = Table::new(0);
        let (first, _) = table.reserve().expect("room");
        table.release(first);
        let mut seen = Vec::new();
        for _ in 0..2 * COOL + 2 {
            let (address, _) = table.reserve().expect("room");
            assert_ne!(address, first);
            table.release(address);
            seen.push(address);
        }
        assert!(seen.contains(&Address::new(0, 1, first.slot())));
    }

    #[test]
    fn forged_addresses_find_no_slot() {
        let table: Table<()> = Table::new(0);
        for raw in [0, 1, u64::MAX, 1 << 56, (1 << 24) - 1] {
            assert!(table.get(Address::from_raw(raw)).is_none(), "{raw:x}");
        }
    }
}
