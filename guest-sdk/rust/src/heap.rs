//! The guest's allocator: freed blocks of the usual sizes are kept and handed out again, in front of talc, which keeps
//! the rest in order. Used by every module built with the feature `heap` (on by default); `cfg` keeps it to wasm.
//!
//! A message costs a few allocations, and most of what an allocator does for them is to merge and split the same blocks
//! again and again; here each is a pop and a push. And an actor is small: dlmalloc, the default, begins a fresh page of
//! 64 KiB and touches both ends of it. This one begins where the module's data ends and goes up step by step.
//!
//! Must hold: a block that is kept has the size of its class (`block`), whatever was asked for; the host does not
//! promise to be a thread of its own, but a core module without shared memory has only one.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr::{null_mut, with_exposed_provenance_mut};

/// Talc puts one word behind each block and rounds up to 16 bytes; these sizes leave no gap.
const UNIT: usize = 16;
const TAIL: usize = 4;
/// Sizes up to `UNIT * FINE - TAIL` (508 bytes) have a class for each unit;
const FINE: usize = 32;
/// larger ones four for each doubling, which wastes a fifth at most,
const COARSE: usize = 4;
/// up to `UNIT * LIMIT - TAIL` (4092 bytes). What is larger is not kept.
const LIMIT: usize = 256;
const CLASSES: usize = FINE + COARSE * (LIMIT / FINE).ilog2() as usize;
/// How many blocks of one class are kept, at most; others can be merged and used for other sizes.
const KEPT: Both = 32;
/// The same for the coarse classes.
const KEPT_COARSE: Both = 4;

/// Two words in one.
#[cfg(target_pointer_width = "32")]
type Both = u64;
#[cfg(not(target_pointer_width = "32"))]
type Both = u128;

/// Freed blocks of one class, linked through their first words: the first one's address, and above it how many there are.
/// Together, so that a pop or a push is one load and one store of it: each access of a guest checks its bounds.
struct List(Cell<Both>);

const ONE: Both = 1 << usize::BITS;

impl List {
    fn length(both: Both) -> Both {
        both >> usize::BITS
    }

    fn first(both: Both) -> *mut usize {
        with_exposed_provenance_mut(both as usize)
    }

    /// What `both` is with another first block.
    fn with_first(both: Both, first: usize) -> Both {
        (both & !(ONE - 1)) | first as Both
    }
}

/// Keeps freed blocks for reuse, in front of another allocator.
pub(crate) struct Heap<A> {
    /// The block of each class that was given up last, or null. It is not linked: most actors free what they were given
    /// before they are given more, and this way a message's first allocation does not wait for the block itself, which
    /// is in no cache after a while.
    last: [Cell<*mut u8>; CLASSES],
    /// The others.
    lists: [List; CLASSES],
    rest: A,
}

/// The class of what is small enough to be kept.
#[inline(always)]
fn class(layout: Layout) -> Option<usize> {
    let units = (layout.size() + (TAIL - 1)) / UNIT;
    if layout.align() > UNIT || units >= LIMIT {
        return None;
    }
    if units < FINE {
        return Some(units);
    }
    // Four for each doubling: the bits behind the highest say which.
    let doubling = units.ilog2();
    Some(FINE + COARSE * ((doubling - FINE.ilog2()) as usize) + ((units >> (doubling - COARSE.ilog2())) - COARSE))
}

/// What is asked of the other allocator for a block of this class.
#[inline(always)]
fn block(class: usize) -> Layout {
    let units = match class.checked_sub(FINE) {
        None => class,
        Some(coarse) => {
            let step = (FINE / COARSE) << (coarse / COARSE);
            (COARSE + coarse % COARSE + 1) * step - 1
        }
    };
    let Ok(layout) = Layout::from_size_align(units * UNIT + (UNIT - TAIL), UNIT) else {
        unreachable!("the alignment is a power of two, and the size far from the end");
    };
    layout
}

impl<A> Heap<A> {
    pub(crate) const fn new(rest: A) -> Self {
        Self { last: [const { Cell::new(null_mut()) }; CLASSES], lists: [const { List(Cell::new(0)) }; CLASSES], rest }
    }
}

#[expect(unsafe_code, reason = "an allocator")]
// SAFETY: blocks come from `rest` with a layout that covers the one asked for (`block(class)` is at least as large and as
// aligned as every layout of that class), and go back to it with the same. A block that is kept is nobody's: `alloc` takes
// it out, `dealloc` puts in what its owner gave up. The lists' links lie in blocks that are in a list, which have
// room for a pointer (12 bytes or more).
unsafe impl<A: GlobalAlloc> GlobalAlloc for Heap<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = class(layout) else {
            // SAFETY: the caller's promise is the same.
            return unsafe { self.rest.alloc(layout) };
        };
        let last = self.last[class].replace(null_mut());
        if !last.is_null() {
            return last;
        }
        let List(list) = &self.lists[class];
        let both = list.get();
        let first = List::first(both);
        if first.is_null() {
            // SAFETY: a block's size is never 0.
            return unsafe { self.rest.alloc(block(class)) };
        }
        // SAFETY: a block in a list holds the next one's address, or 0, written by `dealloc`.
        let next = unsafe { first.read() };
        list.set(List::with_first(both - ONE, next));
        first.cast()
    }

    // SAFETY: what is asked of the caller is what the trait asks.
    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let Some(class) = class(layout) else {
            // SAFETY: `alloc` of this layout asked `rest` for just that.
            return unsafe { self.rest.dealloc(at, layout) };
        };
        let last = &self.last[class];
        if last.get().is_null() {
            return last.set(at);
        }
        let List(list) = &self.lists[class];
        let both = list.get();
        if List::length(both) >= if class < FINE { KEPT } else { KEPT_COARSE } {
            // SAFETY: `alloc` of this layout asked `rest` for a block of its class.
            return unsafe { self.rest.dealloc(at, block(class)) };
        }
        // SAFETY: the block is the caller's to give up, aligned to 16 and large enough for a pointer.
        unsafe { at.cast::<usize>().write(List::first(both).addr()) };
        list.set(List::with_first(both + ONE, at.expose_provenance()));
    }

    // SAFETY: what is asked of the caller is what the trait asks.
    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises a size that fits the alignment.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (class(layout), class(new)) {
            (Some(old), Some(new)) if old == new => at,
            // SAFETY: both are layouts that go to `rest` as they are.
            (None, None) => unsafe { self.rest.realloc(at, layout, size) },
            _ => {
                // SAFETY: the new block is another one; both have room for the smaller size; the old one is given up.
                unsafe {
                    let moved = self.alloc(new);
                    if !moved.is_null() {
                        at.copy_to_nonoverlapping(moved, layout.size().min(size));
                        self.dealloc(at, layout);
                    }
                    moved
                }
            }
        }
    }
}

#[cfg(target_family = "wasm")]
mod wasm {
    //! Where the memory comes from.

    use super::Heap;
    use std::alloc::Layout;
    use std::arch::wasm32::{memory_grow, memory_size};
    use std::ptr::NonNull;

    use talc::base::Talc;
    use talc::base::binning::Binning;
    use talc::cell::TalcSyncCell;
    use talc::source::Source;
    use talc::wasm::WasmBinning;

    const PAGE: usize = 64 << 10;
    /// The heap's end moves up by this much at least. Small: whatever is below it is touched, and every actor has one.
    const STEP: usize = 1 << 10;
    /// More than talc's own lists, which it puts at the arena's start, need.
    const LISTS: usize = 512;
    /// More than talc adds to a block.
    const SPARE: usize = 64;

    /// One arena, from the end of the module's data upwards.
    #[derive(Debug)]
    struct Upwards {
        /// The arena's end, once it is there.
        end: Option<NonNull<u8>>,
        /// The end of the memory that is ours.
        limit: usize,
    }

    #[expect(unsafe_code, reason = "an allocator's memory")]
    // SAFETY: it allocates nothing.
    unsafe impl Source for Upwards {
        fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
            unsafe extern "C" {
                /// The linker's symbol for the end of the data; its address counts.
                static __heap_base: u8;
            }
            let (from, lists) = match talc.source.end {
                Some(end) => (end.as_ptr() as usize, 0),
                None => {
                    talc.source.limit = memory_size::<0>() * PAGE;
                    (&raw const __heap_base as usize, LISTS)
                }
            };
            let need = layout.size().checked_add(layout.align() + lists + SPARE).ok_or(())?;
            let end = from.checked_add(need).and_then(|end| end.checked_next_multiple_of(STEP)).ok_or(())?;
            if end > talc.source.limit {
                let pages = (end - talc.source.limit).div_ceil(PAGE);
                let at = memory_grow::<0>(pages);
                if at == usize::MAX {
                    return Err(());
                }
                let (start, size) = (at * PAGE, pages * PAGE);
                let between = start != talc.source.limit;
                talc.source.limit = start + size;
                if between {
                    // The actor's own code grew the memory between: the arena goes on behind that. Talc asks again if
                    // this is too little.
                    // SAFETY: the memory is new, so nobody's.
                    talc.source.end = unsafe { talc.claim(start as *mut u8, size) };
                    return talc.source.end.map(|_| ()).ok_or(());
                }
            }
            // SAFETY: what lies between the end of the data, or of the arena, and the end of the memory that is ours was
            // never given to anybody.
            talc.source.end = unsafe {
                match talc.source.end {
                    Some(old) => Some(talc.extend(old, end as *mut u8)),
                    None => talc.claim(from as *mut u8, end - from),
                }
            };
            talc.source.end.map(|_| ()).ok_or(())
        }
    }

    #[expect(unsafe_code, reason = "`Cell` in a static")]
    // SAFETY: the module has one thread.
    unsafe impl<A> Sync for Heap<A> {}

    #[global_allocator]
    static HEAP: Heap<TalcSyncCell<Upwards, WasmBinning>> =
        Heap::new(TalcSyncCell::new_wasm(Upwards { end: None, limit: 0 }));
}

#[cfg(test)]
#[expect(unsafe_code, reason = "an allocator is called here")]
mod tests {
    use super::{CLASSES, Heap, KEPT, LIMIT, TAIL, UNIT, block, class};
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    /// Counts what is out.
    struct Counted(Cell<usize>);

    // SAFETY: the system's allocator does it.
    unsafe impl GlobalAlloc for Counted {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.0.set(self.0.get() + layout.size());
            // SAFETY: the caller's promise is the same.
            unsafe { System.alloc(layout) }
        }

        // SAFETY: what is asked of the caller is what the trait asks.
        unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
            self.0.set(self.0.get() - layout.size());
            // SAFETY: the caller's promise is the same.
            unsafe { System.dealloc(at, layout) }
        }
    }

    #[test]
    fn a_class_has_room_for_what_belongs_to_it() {
        for size in 1..2 * UNIT * LIMIT {
            let layout = Layout::from_size_align(size, 8).unwrap();
            match class(layout) {
                Some(class) => {
                    assert!(block(class).size() >= size);
                    assert!(class == 0 || block(class - 1).size() < size);
                }
                None => assert!(size > UNIT * LIMIT - TAIL),
            }
        }
        assert_eq!(class(Layout::from_size_align(32, 64).unwrap()), None);
    }

    #[test]
    fn blocks_keep_their_bytes_and_come_back() {
        let heap = Heap::new(Counted(Cell::new(0)));
        let mut blocks: Vec<(*mut u8, Layout, u8)> = Vec::new();
        // Any generator will do.
        let mut random = 7_u64;
        let mut next = move |bound: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((random >> 33) % bound).unwrap()
        };
        let check = |(at, layout, byte): (*mut u8, Layout, u8), size: usize| {
            // SAFETY: the block is ours, and was filled when it was made.
            let bytes = unsafe { std::slice::from_raw_parts(at, layout.size().min(size)) };
            assert!(bytes.iter().all(|found| *found == byte));
        };
        for round in 0..30_000_u32 {
            let byte = round.to_le_bytes()[0];
            let most = if next(4) == 0 { 6000 } else { 200 };
            let size = 1 + next(most);
            match next(3) {
                0 if !blocks.is_empty() => {
                    let old = blocks.swap_remove(next(blocks.len() as u64));
                    check(old, usize::MAX);
                    // SAFETY: it came from this heap with this layout.
                    unsafe { heap.dealloc(old.0, old.1) };
                }
                1 if !blocks.is_empty() => {
                    let at = next(blocks.len() as u64);
                    let (old, layout, was) = blocks[at];
                    // SAFETY: it came from this heap with this layout.
                    let moved = unsafe { heap.realloc(old, layout, size) };
                    let new = Layout::from_size_align(size, layout.align()).unwrap();
                    check((moved, new, was), layout.size());
                    // SAFETY: the block is ours and has this size.
                    unsafe { moved.write_bytes(byte, size) };
                    blocks[at] = (moved, new, byte);
                }
                _ => {
                    let layout = Layout::from_size_align(size, 1 << next(6)).unwrap();
                    // SAFETY: the size is not 0; the block is ours and has this size.
                    let at = unsafe { heap.alloc(layout) };
                    assert_eq!(at.addr() % layout.align(), 0);
                    // SAFETY: as above.
                    unsafe { at.write_bytes(byte, size) };
                    blocks.push((at, layout, byte));
                }
            }
        }
        for (at, layout, byte) in blocks.drain(..) {
            check((at, layout, byte), usize::MAX);
            // SAFETY: it came from this heap with this layout.
            unsafe { heap.dealloc(at, layout) };
        }
        let kept: usize = (0..CLASSES).map(|class| block(class).size() * (usize::try_from(KEPT).unwrap() + 1)).sum();
        assert!(heap.rest.0.get() <= kept, "more is out than the lists may keep");
    }
}
