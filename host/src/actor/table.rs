//! Address → actor. Slots are made once and never freed, so a lookup is two loads and holds nothing; whether the
//! slot is still (or again) this address's is decided under the mailbox's lock. Used by `node` and the workers.
//!
//! Must hold: a slot is given out with a generation it never had; freed slots wait in a FIFO, so that a generation
//! lasts long; a slot whose generations are used up is retired.
//!
//! Each worker has a shelf of free slots of its own, so that workers that spawn do not wait for each other; what is
//! too much for a shelf (where actors end that were started elsewhere) goes to the store, which fills the other shelves.
//!
//! Who may touch what: `mailbox` anybody; `core` only the worker that has the mailbox (the lock is never contended,
//! it only proves it to the compiler); `watchers` anybody; the rest is written before the mailbox opens.

use std::collections::VecDeque;

use crate::actor::{Behavior, Usage};
use crate::base::sole::Sole;
use crate::base::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::base::sync::{Brief, OnceLock, Padded};
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
/// Freed slots that wait on a shelf before the oldest is used again.
#[cfg(not(loom))]
const COOL: usize = 256;
#[cfg(loom)]
const COOL: usize = 0;
/// Slots that go from a shelf to the store, or from there to a shelf, at a time.
#[cfg(not(loom))]
const LOT: usize = 64;
#[cfg(loom)]
const LOT: usize = 1;

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

/// Who asked for word of an end, and under which session.
pub type Watchers = Vec<(Address, Session)>;

/// One place in the table. It begins a cache line, so that neighbours on two workers do not share one, and its fields keep
/// their order: what senders write lies in the first two lines, what the worker writes in the others.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Slot<C> {
    pub mailbox: Mailbox,
    /// Belongs to the thread to which the mailbox's stage is `Scheduled`: to the spawner until the mailbox is open, then to
    /// the worker that took it from the run queue, until it goes back, rests, parks or closes.
    pub core: Sole<Option<Core<C>>>,
    /// Only of the actor whose address the mailbox has. Most have none.
    pub watchers: Brief<Option<Box<Watchers>>>,
    /// What the actor has used so far.
    pub usage: Usage,
    /// Actors that this one started and that live, in the low half; the generation that they are counted for in the high one.
    children: AtomicU64,
    /// Sockets that the actor may have.
    pub sockets: AtomicU32,
    /// Sockets were paused because the mailbox was full.
    pub paused: AtomicBool,
    /// The last of the actor's turns that was measured was a long one.
    pub long: AtomicBool,
    generation: AtomicU32,
}

impl<C> Default for Slot<C> {
    fn default() -> Self {
        Self {
            mailbox: Mailbox::default(),
            core: Sole::new(None),
            watchers: Brief::new(None),
            usage: Usage::default(),
            children: AtomicU64::new(0),
            sockets: AtomicU32::new(0),
            paused: AtomicBool::new(false),
            long: AtomicBool::new(false),
            generation: AtomicU32::new(0),
        }
    }
}

/// Slots that are made together.
type Chunk<C> = Box<[Slot<C>]>;

/// Free slots, those that were freed first in front.
type Shelf = Brief<VecDeque<u32>>;

/// See the file's head.
pub struct Table<C> {
    node: u8,
    chunks: Box<[OnceLock<Chunk<C>>]>,
    /// One a worker, the last for everybody else.
    shelves: Box<[Padded<Shelf>]>,
    store: Padded<Shelf>,
    /// Slots that there may be, the one that is none among them.
    room: u32,
    /// The first slot that was never given out. 0 never is: it is "none".
    fresh: Padded<AtomicU32>,
}

impl<C> std::fmt::Debug for Table<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("node", &self.node).finish_non_exhaustive()
    }
}

impl<C> Table<C> {
    /// An empty table of a node with so many workers.
    pub fn new(node: u8, workers: usize) -> Self {
        Self::with_room(node, workers, usize::MAX)
    }

    /// The same for so many actors at once.
    pub fn with_room(node: u8, workers: usize, most: usize) -> Self {
        let all = CHUNKS * CHUNK;
        let room = u32::try_from(most.saturating_add(1).min(all)).expect("the table has 2^24 slots");
        let shelf = || Padded(Brief::new(VecDeque::new()));
        Self {
            node,
            chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect(),
            shelves: (0..=workers).map(|_| shelf()).collect(),
            store: shelf(),
            room,
            fresh: Padded(AtomicU32::new(1)),
        }
    }

    fn shelf(&self, worker: Option<usize>) -> &Shelf {
        &self.shelves[worker.unwrap_or(self.shelves.len() - 1)]
    }

    /// A free slot and the address it will have. None: there is room for no more, at most 16.7 million.
    pub fn reserve(&self, worker: Option<usize>) -> Option<(Address, &Slot<C>)> {
        let cool = {
            let mut shelf = self.shelf(worker).lock();
            if shelf.len() > COOL { shelf.pop_front() } else { None }
        };
        let index = cool.or_else(|| self.fetch()).or_else(|| self.any())?;
        let chunk = &self.chunks[index as usize / CHUNK];
        let slots = chunk.get_or_init(|| (0..CHUNK).map(|_| Slot::default()).collect());
        let slot = &slots[index as usize % CHUNK];
        // Relaxed: what was stored before the slot was freed comes with the shelf's lock.
        let generation = slot.generation.load(Ordering::Relaxed);
        slot.children.store(u64::from(generation) << 32, Ordering::Relaxed);
        Some((Address::new(self.node, generation, index), slot))
    }

    /// A slot from the store, or one that was never used.
    fn fetch(&self) -> Option<u32> {
        if let Some(slot) = self.store.lock().pop_front() {
            return Some(slot);
        }
        let next = |fresh| (fresh < self.room).then_some(fresh + 1);
        self.fresh.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()
    }

    /// The table is used up: any free slot.
    #[cold]
    fn any(&self) -> Option<u32> {
        self.shelves.iter().find_map(|shelf| shelf.lock().pop_front())
    }

    /// Gives a slot back; its mailbox is closed. The address is never used again.
    pub fn release(&self, worker: Option<usize>, address: Address) {
        let slot = self.slot(address.slot()).expect("a reserved slot exists");
        let generation = slot.generation.load(Ordering::Relaxed);
        debug_assert_eq!(generation, address.generation());
        if generation == u32::MAX {
            return;
        }
        // Relaxed: the shelf's lock orders it before the next `reserve`.
        slot.generation.store(generation + 1, Ordering::Relaxed);
        let surplus = {
            let mut shelf = self.shelf(worker).lock();
            shelf.push_back(address.slot());
            if shelf.len() < COOL + 2 * LOT {
                return;
            }
            shelf.drain(..LOT).collect::<Vec<u32>>()
        };
        self.store.lock().extend(surplus);
    }

    /// Counts one more child of an actor, which asks for itself. False: it has `most`.
    pub fn adopt(&self, parent: Address, most: u32) -> bool {
        let Some(slot) = self.get(parent) else { return false };
        let next = |word: u64| (word & u64::from(u32::MAX) < u64::from(most)).then_some(word + 1);
        // Relaxed: a count, nothing is read by it.
        slot.children.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// Children of an actor that live.
    pub fn children(&self, of: Address) -> u64 {
        let word = self.get(of).map_or(0, |slot| slot.children.load(Ordering::Relaxed));
        if word >> 32 == u64::from(of.generation()) { word & u64::from(u32::MAX) } else { 0 }
    }

    /// Counts one less, if the parent lives.
    pub fn lose(&self, parent: Address) {
        let Some(slot) = self.get(parent) else { return };
        let counted = |word: u64| word >> 32 == u64::from(parent.generation()) && word & u64::from(u32::MAX) > 0;
        let next = |word: u64| counted(word).then(|| word - 1);
        // Nothing to count where the parent has ended: its slot is empty, or another one's.
        let _ = slot.children.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
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
        let fresh = self.fresh.load(Ordering::Relaxed);
        (1..fresh).filter_map(|index| self.slot(index))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{COOL, LOT, Table};
    use crate::base::Address;

    #[test]
    fn a_freed_slot_waits_and_comes_back_with_a_new_generation() {
        let table: Table<()> = Table::new(0, 1);
        let (first, _) = table.reserve(Some(0)).expect("room");
        table.release(Some(0), first);
        let mut seen = Vec::new();
        for _ in 0..2 * COOL + 2 {
            let (address, _) = table.reserve(Some(0)).expect("room");
            assert_ne!(address, first);
            table.release(Some(0), address);
            seen.push(address);
        }
        assert!(seen.contains(&Address::new(0, 1, first.slot())));
    }

    #[test]
    fn children_are_counted_for_one_generation() {
        let table: Table<()> = Table::new(0, 1);
        let (parent, _) = table.reserve(None).expect("room");
        assert_eq!([2, 2, 2].map(|most| table.adopt(parent, most)), [true, true, false]);
        table.lose(parent);
        assert!(table.adopt(parent, 2) && !table.adopt(parent, 2));
        let later = Address::new(0, parent.generation() + 1, parent.slot());
        table.lose(later);
        assert!(!table.adopt(parent, 2), "another one's child");
        for _ in 0..3 {
            table.lose(parent);
        }
        assert!(table.adopt(parent, 1));
        table.lose(Address::HOST);
    }

    #[test]
    fn what_one_worker_frees_another_one_uses() {
        let table: Table<()> = Table::new(0, 2);
        let rounds = 20 * (COOL + 2 * LOT);
        for _ in 0..rounds {
            let (address, _) = table.reserve(Some(0)).expect("room");
            table.release(Some(1), address);
        }
        assert!(table.slots().count() < rounds / 10, "freed slots are not used again");
    }

    #[test]
    fn there_is_room_for_so_many() {
        let table: Table<()> = Table::with_room(0, 1, 3);
        let all: Vec<Address> = (0..3).map(|_| table.reserve(Some(0)).expect("room").0).collect();
        assert!(table.reserve(Some(0)).is_none() && table.reserve(None).is_none());
        table.release(Some(0), all[1]);
        assert_eq!(table.reserve(None).expect("room").0.slot(), all[1].slot());
        assert!(table.reserve(None).is_none());
    }

    #[test]
    fn forged_addresses_find_no_slot() {
        let table: Table<()> = Table::new(0, 1);
        for raw in [0, 1, u64::MAX, 1 << 56, (1 << 24) - 1] {
            assert!(table.get(Address::from_raw(raw)).is_none(), "{raw:x}");
        }
    }
}
