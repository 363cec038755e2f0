//! The sandbox: actors that are WebAssembly components. Used by `boot`; the node sees `Module` and `Behavior` only.
//!
//! | `engine` | wasmtime's settings; `memory`, `stack`, `region`, `scrub`: where guests' memory comes from |
//! | `load` | file → module; `encode`, `contract`, `cache`, `error` |
//! | `instance` | module → actor; `behavior` runs it, `entry` is the way in, `state` is what its store carries, `fault` its end in words |
//! | `flat` | modules without the component model's machinery |
//! | `slice` | what becomes of a guest that the epoch interrupts |
//! | `imports` | what guests can call; `bindings` (generated), `convert`; `wasi`, `output` |
//!
//! Must hold: nothing a guest does makes the host panic, blocks a worker for longer than a slice of time, or reaches another guest's memory. wasmtime's types and errors stay in here.

mod behavior;
mod bindings;
mod cache;
mod contract;
mod convert;
mod encode;
mod engine;
mod entry;
mod error;
mod fault;
mod flat;
mod imports;
mod instance;
mod load;
mod memory;
mod output;
mod region;
mod scrub;
mod slice;
mod stack;
mod state;
#[cfg(test)]
mod tests;
mod wasi;

pub use cache::CacheFolder;
pub use engine::EngineError;
pub use error::{LoadError, LoadProblem};
pub use instance::WasmModule;
pub use load::Source;

use crate::base::sync::Arc;
use crate::wasm::cache::Cache;
use crate::wasm::load::Loader;

/// Settings of the sandbox.
#[derive(Clone, Debug, Default)]
pub struct WasmOptions {
    /// Where compiled code is kept between runs.
    pub cache: CacheFolder,
    /// Runs every module the general way, none flat: slower, for comparisons.
    pub force_component: bool,
}

/// One engine and everything that loads into it.
pub struct WasmHost {
    loader: Loader,
}

impl std::fmt::Debug for WasmHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasmHost").finish_non_exhaustive()
    }
}

impl WasmHost {
    /// Starts the engine. Errors: the machine has no address space for it.
    pub fn new(options: &WasmOptions) -> Result<Self, EngineError> {
        let engine = engine::engine()?;
        let cache = Cache::open(&options.cache, &engine);
        let loader = Loader::new(engine, cache, options.force_component).map_err(EngineError::Wasmtime)?;
        Ok(Self { loader })
    }

    /// Loads modules, several at the same time. The results are in the order of the sources.
    pub fn load_all(&self, sources: &[Source]) -> Vec<Result<Arc<WasmModule>, LoadError>> {
        self.loader.load_all(sources)
    }

    /// Loads one module.
    pub fn load(&self, source: &Source) -> Result<Arc<WasmModule>, LoadError> {
        self.loader.load(source)
    }

    /// Makes every guest in the middle of a turn ask, at its next loop or call, whether it may go on: `slice`. Between
    /// two calls this costs a turn nothing.
    pub fn tick(&self) {
        self.loader.engine.increment_epoch();
    }
}
