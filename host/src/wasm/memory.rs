//! Linear memories as slots of one big mapping. Used by the engine; wasmtime calls it for each memory of an instance.
//!
//! Must hold: a slot reads as zeros when it is given out; it belongs to one memory at a time; there are no guard pages,
//! so the engine must compile explicit bounds checks (reservation 0, guard 0: see [`super::engine`]).
//!
//! Why: with a mapping for each memory the default `vm.max_map_count` ends the world at 21,826 actors, and each birth
//! and death pays for mmap, faults and munmap, which do not scale over threads (measured: 36 µs a cycle against 4).

use std::io;

use wasmtime::{LinearMemory, MemoryCreator, MemoryType, Result, bail};

use crate::base::sync::{Arc, Mutex};
use crate::wasm::region::{PAGE, Region};
use crate::wasm::scrub::Scrubber;

/// Address space for all linear memories: a thousand of the largest. Only what is touched costs memory.
const ARENA: usize = 4 << 40;
/// With less than this the host does not start.
const LEAST: usize = 4 << 30;
/// Slots of 4 KiB and each power of two up to the 4 GiB of a 32-bit memory.
const CLASSES: usize = 21;

/// Between two slots. Guests of one module use the same addresses; at a distance of a power of two those would fall into
/// the same few sets of the processor's caches, and a thousand actors would drive each other out of them.
const SHIFT: usize = PAGE;

/// The source of all linear memories of an engine.
#[derive(Clone, Debug)]
pub(super) struct Arena(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    region: Region,
    scrubber: Scrubber,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    /// Where the part that was never used begins.
    next: usize,
    /// Offsets of slots that are zero and unused, for each class.
    free: [Vec<usize>; CLASSES],
}

/// A power of two of bytes in the arena; it goes back when dropped.
struct Slot {
    arena: Arena,
    offset: usize,
    class: usize,
}

struct Memory {
    slot: Slot,
    size: usize,
}

impl Arena {
    /// Reserves the address space.
    pub(super) fn new() -> io::Result<Self> {
        let region = Region::reserve(ARENA, LEAST)?;
        Ok(Self(Arc::new(Inner { region, scrubber: Scrubber::new(), slots: Mutex::default() })))
    }

    /// A zeroed slot of at least `bytes`.
    fn slot(&self, bytes: usize) -> Result<Slot> {
        let capacity = bytes.max(PAGE).checked_next_power_of_two().unwrap_or(usize::MAX);
        let class = (capacity / PAGE).trailing_zeros() as usize;
        if class >= CLASSES {
            bail!("a linear memory of {bytes} bytes is more than the host can give");
        }
        let mut slots = self.0.slots.lock();
        let offset = match slots.free[class].pop() {
            Some(offset) => offset,
            None if self.0.region.len() - slots.next >= capacity.saturating_add(SHIFT) => {
                let offset = slots.next;
                slots.next += capacity + SHIFT;
                offset
            }
            None => bail!("the address space for linear memories is used up"),
        };
        Ok(Slot { arena: self.clone(), offset, class })
    }
}

impl Slot {
    fn capacity(&self) -> usize {
        PAGE << self.class
    }

    fn start(&self) -> *mut u8 {
        self.arena.0.region.at(self.offset)
    }

    /// Zeroes what was used and gives the slot back.
    #[expect(unsafe_code, reason = "the slot's bytes are no Rust object")]
    fn give_back(&self, used: usize) {
        let inner = &self.arena.0;
        // SAFETY: the slot is ours until it is in the free list, and the memory that used it is gone or has moved.
        unsafe { inner.scrubber.zero(self.start(), used) };
        inner.slots.lock().free[self.class].push(self.offset);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.slot.give_back(self.size);
    }
}

// SAFETY: base and size are those of a slot that this memory alone owns; capacity never shrinks; growing beyond it moves
// to a larger slot with the bytes copied, which `memory_may_move` (the default) allows.
#[expect(unsafe_code, reason = "wasmtime trusts the implementor")]
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.size
    }

    fn byte_capacity(&self) -> usize {
        self.slot.capacity()
    }

    fn grow_to(&mut self, new_size: usize) -> Result<()> {
        if new_size > self.slot.capacity() {
            let larger = self.slot.arena.slot(new_size)?;
            // SAFETY: two different slots, both at least `size` bytes long.
            unsafe { self.slot.start().copy_to_nonoverlapping(larger.start(), self.size) };
            self.slot.give_back(self.size);
            self.slot = larger;
        }
        self.size = new_size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.slot.start()
    }
}

// SAFETY: every memory gets a slot of its own, zeroed and at least as large as asked, and guards are refused.
#[expect(unsafe_code, reason = "wasmtime trusts the implementor")]
unsafe impl MemoryCreator for Arena {
    fn new_memory(
        &self,
        _ty: MemoryType,
        minimum: usize,
        _maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        if guard != 0 {
            return Err("the arena has no guard pages".to_owned());
        }
        let slot = self.slot(minimum.max(reserved.unwrap_or(0))).map_err(|error| error.to_string())?;
        Ok(Box::new(Memory { slot, size: minimum }))
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::LinearMemory;

    use super::{Arena, Memory, PAGE};

    #[test]
    fn a_slot_comes_back_zeroed() {
        let arena = Arena::new().expect("address space");
        let slot = arena.slot(3 * PAGE).expect("a slot");
        let start = slot.start();
        let mut memory = Memory { slot, size: 3 * PAGE };
        #[expect(unsafe_code, reason = "writes the memory as a guest would")]
        // SAFETY: inside of the memory, which nobody else has.
        unsafe {
            start.add(PAGE).write(7);
        }
        memory.grow_to(9 * PAGE).expect("grows");
        assert_ne!(memory.as_ptr(), start, "nine pages need a larger slot");
        #[expect(unsafe_code, reason = "reads the memory as a guest would")]
        // SAFETY: as above.
        let (moved, old) = unsafe { (memory.as_ptr().add(PAGE).read(), start.add(PAGE).read()) };
        assert_eq!((moved, old), (7, 0));
        assert_eq!(arena.slot(4 * PAGE).expect("a slot").start(), start, "the slot is used again");
    }

    #[test]
    fn too_large_is_an_error() {
        let arena = Arena::new().expect("address space");
        assert!(arena.slot((4 << 30) + 1).is_err());
        assert!(arena.slot(usize::MAX).is_err());
    }
}
