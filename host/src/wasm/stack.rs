//! Stacks for actors that may park, as slots of one big mapping. Used by the engine; wasmtime takes one when a store
//! first needs it and keeps it with the store.
//!
//! Must hold: each stack has a guard page below it. Compiled wasm checks its depth by itself, so the guard is for host
//! code only, and touching it is a host bug that ends the process rather than a neighbour's stack.

use std::io;
use std::ops::Range;

use wasmtime::{Result, StackCreator, StackMemory, bail};

use crate::base::sync::{Arc, Mutex};
use crate::wasm::region::{PAGE, Region, discard};

/// Address space for stacks: about a million. Only what is touched costs memory.
const ARENA: usize = 1 << 40;
/// With less than this the host does not start.
const LEAST: usize = 1 << 30;
/// What stays resident of a stack that goes back: most turns need less.
const KEEP: usize = 64 << 10;
/// Guard pages without a mapping of their own (Linux 6.13); libc does not name it yet.
const MADV_GUARD_INSTALL: libc::c_int = 102;

/// The source of all stacks of an engine, all of one size.
#[derive(Debug)]
pub(super) struct Stacks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    region: Region,
    /// Bytes of a stack, without its guard.
    size: usize,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    next: usize,
    free: Vec<usize>,
}

struct Stack {
    stacks: Arc<Inner>,
    offset: usize,
}

impl Stacks {
    /// Reserves the address space for stacks of `size` bytes, a multiple of the page size.
    pub(super) fn new(size: usize) -> io::Result<Self> {
        let region = Region::reserve(ARENA, LEAST)?;
        Ok(Self(Arc::new(Inner { region, size, slots: Mutex::default() })))
    }
}

impl Inner {
    fn take(&self) -> Result<usize> {
        let mut slots = self.slots.lock();
        if let Some(offset) = slots.free.pop() {
            return Ok(offset);
        }
        let offset = slots.next;
        if self.region.len() - offset < self.size + PAGE {
            bail!("the address space for stacks is used up");
        }
        self.guard(offset)?;
        slots.next += self.size + PAGE;
        Ok(offset)
    }

    /// Makes the page at `offset` untouchable. The old way splits the mapping in two, the new one does not.
    #[expect(unsafe_code, reason = "madvise and mprotect have no safe form")]
    fn guard(&self, offset: usize) -> Result<()> {
        let page = self.region.at(offset).cast();
        // SAFETY: the page is inside of our region and was never given out.
        let failed = unsafe {
            libc::madvise(page, PAGE, MADV_GUARD_INSTALL) != 0 && libc::mprotect(page, PAGE, libc::PROT_NONE) != 0
        };
        if failed {
            bail!("no guard page for a stack: {}", io::Error::last_os_error());
        }
        Ok(())
    }
}

// SAFETY: every stack is a slot of its own with a guard page below.
#[expect(unsafe_code, reason = "wasmtime trusts the implementor")]
unsafe impl StackCreator for Stacks {
    fn new_stack(&self, size: usize, _zeroed: bool) -> Result<Box<dyn StackMemory>> {
        if size > self.0.size {
            bail!("a stack of {size} bytes was asked for, the arena's have {}", self.0.size);
        }
        Ok(Box::new(Stack { offset: self.0.take()?, stacks: self.0.clone() }))
    }
}

impl Stack {
    fn start(&self) -> *mut u8 {
        self.stacks.region.at(self.offset + PAGE)
    }
}

// SAFETY: page-aligned bounds of a slot that this stack alone owns.
#[expect(unsafe_code, reason = "wasmtime trusts the implementor")]
unsafe impl StackMemory for Stack {
    fn top(&self) -> *mut u8 {
        self.start().wrapping_add(self.stacks.size)
    }

    fn range(&self) -> Range<usize> {
        self.start().addr()..self.top().addr()
    }

    fn guard_range(&self) -> Range<*mut u8> {
        self.start().wrapping_sub(PAGE)..self.start()
    }
}

impl Drop for Stack {
    #[expect(unsafe_code, reason = "the slot's bytes are no Rust object")]
    fn drop(&mut self) {
        // SAFETY: nothing runs on the stack any more, and it is ours until it is in the free list.
        unsafe { discard(self.start(), self.stacks.size - KEEP) };
        self.stacks.slots.lock().free.push(self.offset);
    }
}
