//! The sandbox: actors that are WebAssembly components. Used by `boot`; the node sees `Module` and `Behavior` only.
//!
//! | `engine` | wasmtime's settings; `memory`, `stack`, `region`, `scrub`: where guests' memory comes from |
//! | `load` | file → module; `encode`, `contract`, `cache`, `link`, `error` |
//! | `uses` | what a module imports, and which grants that needs |
//! | `twins` | a module in several engines, for workers that start many actors |
//! | `evidence`, `lines` | what is known of a trap, and its places in the source |
//! | `instance` | module → actor; `behavior` runs it, `entry` is the way in, `state` is what its store carries, `fault` its end in words |
//! | `flat` | modules without the component model's machinery |
//! | `slice` | what becomes of a guest that the epoch interrupts |
//! | `imports` | what guests can call; `bindings` (generated), `convert`; `wasi`, `output` |
//!
//! Must hold: nothing a guest does makes the host panic, blocks a worker for longer than a slice of time, or
//! reaches another guest's memory. wasmtime's types and errors stay in here.

mod behavior;
mod bindings;
mod cache;
mod contract;
mod convert;
mod encode;
mod engine;
mod entry;
mod error;
mod evidence;
mod fault;
mod flat;
mod imports;
mod instance;
mod lines;
mod link;
mod load;
mod memory;
mod output;
mod perf_map;
mod region;
mod scrub;
mod slice;
mod stack;
mod state;
#[cfg(test)]
mod tests;
mod twins;
mod uses;
mod wasi;

pub use cache::CacheFolder;
pub use engine::{EngineError, Profile};
pub use error::{LoadError, LoadProblem};
pub use instance::WasmModule;
pub use load::Source;
pub use uses::{Growth, Uses};

use crate::base::sync::{Arc, OnceLock};
use crate::wasm::cache::Cache;
use crate::wasm::link::Linking;
use crate::wasm::load::Loader;
use crate::wasm::twins::Engines;

/// Settings of the sandbox.
#[derive(Clone, Debug, Default)]
pub struct WasmOptions {
    /// Where compiled code is kept between runs.
    pub cache: CacheFolder,
    /// Runs every module the general way, none flat: slower, for comparisons.
    pub force_component: bool,
}

/// The engines of each profile that is used, and everything that loads into them.
pub struct WasmHost {
    options: WasmOptions,
    density: Loader,
    /// Made when the first module asks for it.
    speed: OnceLock<Result<Loader, EngineError>>,
}

fn loader(options: &WasmOptions, profile: Profile) -> Result<Loader, EngineError> {
    let engine = engine::engine(profile)?;
    let cache = Cache::open(&options.cache, &engine, options.force_component);
    let engines = Arc::new(Engines::new(Linking::new(engine).map_err(EngineError::Wasmtime)?));
    // There is one pool for `speed`, with room for all that the profile promises.
    Ok(Loader::new(engines, profile == Profile::Density, cache, options.force_component))
}

impl std::fmt::Debug for WasmHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasmHost").finish_non_exhaustive()
    }
}

impl WasmHost {
    /// Starts the engine. Errors: the machine has no address space for it.
    pub fn new(options: &WasmOptions) -> Result<Self, EngineError> {
        let density = loader(options, Profile::Density)?;
        Ok(Self { options: options.clone(), density, speed: OnceLock::new() })
    }

    /// Loads modules, several at the same time. The results are in the order of the sources.
    pub fn load_all(&self, sources: &[Source]) -> Vec<Result<Arc<WasmModule>, LoadError>> {
        load::load_all(sources, |source| self.load(source))
    }

    /// Loads one module.
    pub fn load(&self, source: &Source) -> Result<Arc<WasmModule>, LoadError> {
        match source.profile {
            Profile::Density => self.density.load(source),
            Profile::Speed => match self.speed.get_or_init(|| loader(&self.options, Profile::Speed)) {
                Ok(loader) => loader.load(source),
                Err(error) => Err(source.failed(LoadProblem::Engine(error.to_string()))),
            },
        }
    }

    /// Makes every guest in the middle of a turn ask, at its next loop or call, whether it may go on: `slice`. Between
    /// two calls this costs a turn nothing.
    pub fn tick(&self) {
        self.density.tick();
        if let Some(Ok(speed)) = self.speed.get() {
            speed.tick();
        }
    }
}
