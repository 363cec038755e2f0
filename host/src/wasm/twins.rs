//! The same compiled code in several engines, one for each worker that starts many actors. Used by [`super::instance`].
//!
//! Why: wasmtime counts who uses an engine, a module and its types, each in one place, and the birth and the end of an
//! actor write to some dozens of such counts. Two workers that did so at once waited for each other's cache lines, and
//! together started no more actors than one. Memories come from their engine's arena, so its lock is the worker's own, too.
//!
//! Must hold: guests cannot tell in which engine they are. An actor stays where it was born, whoever runs it. A twin is
//! made when its worker has started [`MANY`] actors of the module, so an app of few actors pays nothing; where it cannot be
//! made, the first engine goes on serving all.

use crate::base::sync::atomic::{AtomicU32, Ordering};
use crate::base::sync::{Arc, OnceLock, Padded};
use crate::wasm::cache::Compiled;
use crate::wasm::engine::{Profile, engine};
use crate::wasm::error::LoadProblem;
use crate::wasm::instance::Code;
use crate::wasm::link::{Linking, Made};

/// Engines beside the first. Further workers share: each engine takes 5 TiB of 128 TiB of address space.
pub(super) const TWINS: usize = 7;
/// Births at a worker before it gets an engine of its own. Thin air: a twin costs some milliseconds, once.
const MANY: u32 = 256;

/// The engines of a profile.
pub(super) struct Engines {
    first: Linking,
    /// Made when they are needed first; None: it failed.
    twins: [OnceLock<Option<Linking>>; TWINS],
}

impl Engines {
    /// The first, and room for the others.
    pub(super) fn new(first: Linking) -> Self {
        Self { first, twins: Default::default() }
    }

    /// The one that compiles and loads.
    pub(super) fn first(&self) -> &Linking {
        &self.first
    }

    /// Moves the epoch of all.
    pub(super) fn tick(&self) {
        self.first.engine.increment_epoch();
        for twin in self.twins.iter().filter_map(|twin| twin.get()?.as_ref()) {
            twin.engine.increment_epoch();
        }
    }

    fn twin(&self, number: usize) -> Option<&Linking> {
        let made = self.twins[number].get_or_init(|| {
            let made = engine(Profile::Density).map_err(|error| error.to_string());
            let made = made.and_then(|engine| Linking::new(engine).map_err(|error| format!("{error:#}")));
            made.inspect_err(|why| tracing::warn!("workers share an engine, births on several are slower: {why}")).ok()
        });
        made.as_ref()
    }
}

/// One worker's own, on lines of its own.
#[derive(Default)]
struct Twin {
    births: AtomicU32,
    /// None: it could not be made.
    code: OnceLock<Option<Code>>,
}

/// See the file's head.
pub(super) struct Twins {
    first: Code,
    parks: bool,
    /// None: there is but one engine of this profile.
    engines: Option<Arc<Engines>>,
    others: [Padded<Twin>; TWINS],
}

impl Twins {
    /// A module in the first of the engines, or in the only one.
    pub(super) fn new(first: Code, parks: bool, engines: Option<Arc<Engines>>) -> Self {
        Self { first, parks, engines, others: Default::default() }
    }

    /// What was loaded.
    pub(super) fn first(&self) -> &Code {
        &self.first
    }

    /// What an actor that is born on this worker is made of.
    pub(super) fn of(&self, worker: Option<usize>) -> &Code {
        let number = worker.unwrap_or(0) % (TWINS + 1);
        let (Some(engines), Some(number)) = (&self.engines, number.checked_sub(1)) else { return &self.first };
        let twin = &self.others[number];
        match twin.code.get() {
            Some(code) => code.as_ref().unwrap_or(&self.first),
            // Relaxed: only a count.
            None if twin.births.fetch_add(1, Ordering::Relaxed) < MANY => &self.first,
            None => twin.code.get_or_init(|| self.make(engines.twin(number)?)).as_ref().unwrap_or(&self.first),
        }
    }

    #[cold]
    fn make(&self, into: &Linking) -> Option<Code> {
        let made = match &self.first {
            Code::Component(pre, _) => copy(pre.component(), into).map(Made::Component),
            Code::Flat(pre, _) => copy(pre.module(), into).map(Made::Flat),
        };
        let linked = made.map_err(|error| LoadProblem::Link(format!("{error:#}")));
        let linked = linked.and_then(|made| into.link(&made, self.parks));
        linked.inspect_err(|why| tracing::warn!("workers share a module, births on several are slower: {why}")).ok()
    }
}

/// The same code in another engine.
#[expect(unsafe_code, reason = "wasmtime cannot know where compiled code comes from; we can")]
fn copy<C: Compiled>(code: &C, into: &Linking) -> wasmtime::Result<C> {
    let bytes = code.to_bytes()?;
    // SAFETY: the bytes are what wasmtime gave in the line before, and never left this process.
    unsafe { C::from_bytes(&into.engine, &bytes) }
}
