//! What is due when: a hierarchical timing wheel. Used by `node` behind one lock; driven by the timer thread.
//!
//! Eleven levels of 64 slots cover every u64 tick, so nothing is ever too far away. A timer stands on the level of the
//! highest 6-bit digit in which its deadline differs from the current tick. When time enters a slot of a higher level,
//! its timers move down (a cascade), each at most ten times in its life. All timers are entries of one slab, chained
//! by index: arming and cancelling touch a few words and allocate nothing once the slab has grown.
//!
//! Must hold:
//! - Nothing fires early. Deadlines fire in order, and timers of one tick in the order they were armed. This last holds
//!   because for a given deadline the level only ever goes down, and at the moment it does, the cascade brings all
//!   older timers of that deadline along before a new one can be put there.
//! - A slot of level 1 or higher that is not empty lies ahead of the current tick on that level; therefore the lowest
//!   level that is not empty holds what is due next.
//! - A key that is used up matches nothing: an entry's generation counts its uses, and an entry whose generations are
//!   used up is never used again.

/// Bits of one digit of a tick.
const DIGIT: u32 = 6;
/// Slots of a level: one bit each in its `occupied` word.
const SLOTS: usize = 1 << DIGIT;
/// 11 digits of 6 bits cover 64 bits.
const LEVELS: usize = 11;
/// "No entry" in a chain.
const NONE: u32 = u32::MAX;

/// Names one armed timer. Good for [`Wheel::cancel`] once; later it matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerKey {
    index: u32,
    generation: u32,
}

/// Timers with a payload each, by deadline in ticks.
#[derive(Debug)]
pub struct Wheel<T> {
    entries: Vec<Entry<T>>,
    /// Chain of entries that can be used again.
    free: u32,
    armed: usize,
    /// Everything due before this tick has fired; what is due at it may be firing.
    current: u64,
    occupied: [u64; LEVELS],
    chains: Box<[Chain]>,
}

#[derive(Debug)]
struct Entry<T> {
    deadline: u64,
    /// None while free.
    payload: Option<T>,
    previous: u32,
    next: u32,
    /// Which chain it stands in: level * SLOTS + slot.
    chain: u32,
    generation: u32,
}

#[derive(Clone, Copy, Debug)]
struct Chain {
    head: u32,
    tail: u32,
}

impl<T> Wheel<T> {
    /// An empty wheel that stands at tick 0.
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: NONE,
            armed: 0,
            current: 0,
            occupied: [0; LEVELS],
            chains: vec![Chain { head: NONE, tail: NONE }; LEVELS * SLOTS].into_boxed_slice(),
        }
    }

    /// Arms a timer. One whose deadline has passed counts as due now and fires when the wheel is next advanced, even
    /// if that is to the tick where it stands.
    pub fn insert(&mut self, deadline_tick: u64, payload: T) -> TimerKey {
        let deadline = deadline_tick.max(self.current);
        let index = self.allocate(deadline, payload);
        self.link(index);
        self.armed += 1;
        TimerKey { index, generation: self.entries[index as usize].generation }
    }

    /// Takes a timer back. None if it has fired or was cancelled before.
    pub fn cancel(&mut self, key: TimerKey) -> Option<T> {
        let entry = self.entries.get(key.index as usize)?;
        if entry.generation != key.generation || entry.payload.is_none() {
            return None;
        }
        self.unlink(key.index);
        Some(self.release(key.index))
    }

    /// Fires everything due at or before `now_tick`, in order. A tick in the past counts as the current one.
    pub fn advance(&mut self, now_tick: u64, mut fire: impl FnMut(T)) {
        while let Some(payload) = self.pop_due(now_tick) {
            fire(payload);
        }
    }

    /// The next payload due at or before `now_tick`; None if there is no more. For callers that want to let go of a lock
    /// between two.
    pub fn pop_due(&mut self, now_tick: u64) -> Option<T> {
        let now_tick = now_tick.max(self.current);
        while let Some((level, slot, start)) = self.next_slot()
            && start <= now_tick
        {
            self.current = start;
            let chain = level * SLOTS + slot;
            if level == 0 {
                let index = self.chains[chain].head;
                self.unlink(index);
                return Some(self.release(index));
            }
            self.cascade(chain);
        }
        self.current = now_tick;
        None
    }

    /// No timer is due before this tick (one may be due later than it). None if nothing is armed.
    pub fn next_due(&self) -> Option<u64> {
        self.next_slot().map(|(_, _, start)| start)
    }

    /// All armed timers, in no order: when each is due, and what it carries.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.entries.iter().filter_map(|entry| entry.payload.as_ref().map(|payload| (entry.deadline, payload)))
    }

    /// Number of armed timers.
    pub fn len(&self) -> usize {
        self.armed
    }

    /// Whether nothing is armed.
    pub fn is_empty(&self) -> bool {
        self.armed == 0
    }

    /// The first slot that is not empty, as level, slot and first tick.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let level = self.occupied.iter().position(|slots| *slots != 0)?;
        let slot = self.occupied[level].trailing_zeros();
        let shift = digit_shift(level);
        // The digits above this level are the current ones; those below are zero. The top level has none above.
        let above = self.current.checked_shr(shift + DIGIT).map_or(0, |high| high << (shift + DIGIT));
        Some((level, slot as usize, above | u64::from(slot) << shift))
    }

    /// Moves a slot's timers down, in order, now that `current` is the slot's first tick.
    fn cascade(&mut self, chain: usize) {
        let mut index = self.chains[chain].head;
        self.chains[chain] = Chain { head: NONE, tail: NONE };
        self.occupied[chain / SLOTS] &= !(1 << (chain % SLOTS));
        while index != NONE {
            let next = self.entries[index as usize].next;
            self.link(index);
            index = next;
        }
    }

    /// Puts an entry at the tail of the chain where its deadline belongs.
    fn link(&mut self, index: u32) {
        let deadline = self.entries[index as usize].deadline;
        let level = (deadline ^ self.current).checked_ilog2().map_or(0, |bit| bit / DIGIT) as usize;
        let slot = usize::try_from(deadline >> digit_shift(level) & (SLOTS as u64 - 1)).expect("six bits");
        let number = level * SLOTS + slot;
        let tail = std::mem::replace(&mut self.chains[number].tail, index);
        match tail {
            NONE => {
                self.chains[number].head = index;
                self.occupied[level] |= 1 << slot;
            }
            last => self.entries[last as usize].next = index,
        }
        let entry = &mut self.entries[index as usize];
        entry.previous = tail;
        entry.next = NONE;
        entry.chain = u32::try_from(number).expect("704 chains");
    }

    /// Takes an entry out of its chain.
    fn unlink(&mut self, index: u32) {
        let entry = &self.entries[index as usize];
        let (previous, next, number) = (entry.previous, entry.next, entry.chain as usize);
        match previous {
            NONE => self.chains[number].head = next,
            other => self.entries[other as usize].next = next,
        }
        match next {
            NONE => self.chains[number].tail = previous,
            other => self.entries[other as usize].previous = previous,
        }
        if self.chains[number].head == NONE {
            self.occupied[number / SLOTS] &= !(1 << (number % SLOTS));
        }
    }

    /// An entry that is in no chain yet.
    fn allocate(&mut self, deadline: u64, payload: T) -> u32 {
        if self.free != NONE {
            let index = self.free;
            let entry = &mut self.entries[index as usize];
            self.free = entry.next;
            entry.deadline = deadline;
            entry.payload = Some(payload);
            return index;
        }
        // Whoever arms timers is limited long before four billion of them (some 200 GB).
        let index =
            u32::try_from(self.entries.len()).ok().filter(|index| *index != NONE).expect("fewer than 2^32 timers");
        self.entries.push(Entry {
            deadline,
            payload: Some(payload),
            previous: NONE,
            next: NONE,
            chain: 0,
            generation: 0,
        });
        index
    }

    /// Gives an unlinked entry back for another use, unless its generations are used up.
    fn release(&mut self, index: u32) -> T {
        let entry = &mut self.entries[index as usize];
        let payload = entry.payload.take().expect("a linked entry has a payload");
        self.armed -= 1;
        if entry.generation < u32::MAX {
            entry.generation += 1;
            entry.next = self.free;
            self.free = index;
        }
        payload
    }
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Where a level's digit starts in a tick.
fn digit_shift(level: usize) -> u32 {
    DIGIT * u32::try_from(level).expect("eleven levels")
}

#[cfg(test)]
mod tests;
