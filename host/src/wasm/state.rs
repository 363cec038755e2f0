//! What a store carries while guest code runs: the way back into the host, and the guest's limits. Used by the imports.
//!
//! Must hold: the node's [`Context`] is in the store exactly while a turn runs, and goes back to whoever runs the actor
//! when the turn ends or parks. A dropped store or future never holds it, so the host can still answer the actor's
//! callers.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use wasmtime::{ResourceLimiter, Result};

use crate::base::sync::Arc;
use crate::node::{Context, MemoryGauge};
use crate::wasm::flat::Crossing;
use crate::wasm::wasi::Wasi;

/// Bytes of memory up to which an actor may grow also while the host's budget is used up: those that need a little are not
/// to end for others' sake.
const SMALL: usize = 1 << 20;

/// The data of a store.
pub(super) struct State {
    home: Home,
    pub(super) limits: Limits,
    /// Only flat guests use it.
    pub(super) crossing: Crossing,
    /// The guest runs on a fiber that outlives this call of the host: at the end of its slice it can be suspended.
    pub(super) yields: bool,
    /// Only for a component that imports WASI.
    pub(super) wasi: Option<Box<Wasi>>,
}

/// Where the context is during a turn. A guest that can park runs inside of a future that owns its store, which cannot
/// be reached while it is suspended: there both sides share a place.
enum Home {
    Own(Context),
    Shared(Place),
}

/// Where a parkable actor's context is during a turn; hollow otherwise. There are two: one of the behavior, which only
/// puts and takes while the guest does not run, and one of the store, which only guest code that runs reaches. So there is no
/// lock: it would cost as much as the rest of a short import.
#[derive(Clone)]
pub(super) struct Place(Arc<Cell>);

struct Cell(UnsafeCell<Context>);

#[expect(unsafe_code, reason = "shared by two that take turns")]
// SAFETY: the two holders of a place are the behavior and the store inside of its future. The future runs only while the
// behavior polls it, on the same thread, and the behavior does not touch the place meanwhile.
unsafe impl Sync for Cell {}

impl Default for Place {
    fn default() -> Self {
        Self(Arc::new(Cell(UnsafeCell::new(Context::hollow()))))
    }
}

#[expect(unsafe_code, reason = "shared by two that take turns")]
impl Place {
    /// The behavior's: the guest is about to run.
    pub(super) fn put(&self, cx: Context) {
        // SAFETY: see `Cell`: the guest does not run.
        unsafe { *self.0.0.get() = cx };
    }

    /// The behavior's: the guest has stopped.
    pub(super) fn take(&self) -> Context {
        // SAFETY: as above.
        unsafe { (*self.0.0.get()).take() }
    }

    /// The store's, which guest code has borrowed.
    fn get(&mut self) -> &mut Context {
        // SAFETY: see `Cell`: the guest runs, and what it reaches the place by is borrowed for as long as the result lives.
        unsafe { &mut *self.0.0.get() }
    }
}

/// Borrows the context for one import. Never kept over a suspension, after which the behavior could want it: so it is not
/// `Send`, while the futures of imports are.
pub(super) struct Borrowed<'a> {
    cx: &'a mut Context,
    here: PhantomData<*const ()>,
}

impl State {
    /// For a guest that cannot park.
    pub(super) fn own(limits: Limits) -> Self {
        Self { home: Home::Own(Context::hollow()), limits, crossing: Crossing::default(), yields: false, wasi: None }
    }

    /// For a guest that can.
    pub(super) fn shared(place: Place, limits: Limits, wasi: Option<Box<Wasi>>) -> Self {
        Self { home: Home::Shared(place), limits, crossing: Crossing::default(), yields: false, wasi }
    }

    /// Takes the context for a turn (of a guest that cannot park).
    pub(super) fn enter(&mut self, cx: &mut Context) {
        *self.cx() = cx.take();
    }

    /// Gives it back.
    pub(super) fn leave(&mut self, cx: &mut Context) {
        *cx = self.cx().take();
    }

    /// The way into the host. While a turn runs, the context is here.
    pub(super) fn cx(&mut self) -> Borrowed<'_> {
        let cx = match &mut self.home {
            Home::Own(cx) => cx,
            Home::Shared(place) => place.get(),
        };
        Borrowed { cx, here: PhantomData }
    }
}

impl Deref for Borrowed<'_> {
    type Target = Context;
    fn deref(&self) -> &Context {
        self.cx
    }
}

impl DerefMut for Borrowed<'_> {
    fn deref_mut(&mut self) -> &mut Context {
        self.cx
    }
}

/// Bounds of one actor: the sum over all of its memories, and over all of its tables.
#[derive(Debug)]
pub(super) struct Limits {
    bound: usize,
    table: usize,
    files: usize,
    memory: usize,
    elements: usize,
    /// The size that was refused last in this turn, for the text of the trap that usually follows.
    pub(super) refused: Option<usize>,
    /// A memory has grown, or is about to, since this was set to false: it may be somewhere else now.
    pub(super) grown: bool,
    /// It was refused because the host's budget is used up.
    short: bool,
    gauge: MemoryGauge,
}

impl Limits {
    /// For an actor that is about to be made.
    pub(super) fn new(cx: &Context) -> Self {
        let (bound, table) = (cx.memory_limit(), cx.table_limit());
        Self {
            bound,
            table,
            files: cx.files_limit(),
            memory: 0,
            elements: 0,
            refused: None,
            grown: true,
            short: false,
            gauge: cx.memory_gauge(),
        }
    }

    /// Bytes of memory that it has.
    pub(super) fn used(&self) -> usize {
        self.memory
    }

    /// Elements of tables that the actor may have.
    pub(super) fn table(&self) -> usize {
        self.table
    }

    /// Files, streams and pollables of WASI that the actor may have.
    pub(super) fn files(&self) -> usize {
        self.files
    }

    /// What refused it, in words.
    pub(super) fn most(&self) -> String {
        match self.short {
            true => "the host's budget `memory` is used up".to_owned(),
            false => format!("the limit is {} bytes", self.bound),
        }
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if desired > current && total > SMALL && !self.gauge.has_room() {
            (self.refused, self.short) = (Some(total), true);
            return Ok(false);
        }
        if total > self.bound || maximum.is_some_and(|maximum| desired > maximum) {
            (self.refused, self.short) = (Some(total), false);
            return Ok(false);
        }
        self.memory = total;
        self.grown = true;
        self.gauge.set(total);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if total > self.table || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}
