//! From a file to a [`WasmModule`]: read, encode, compile or find in the cache, hold against the contract, link.
//!
//! Must hold: whatever is in the file, the outcome is a module or one [`LoadError`]; a panic of a library while it
//! compiles is one, too. Each file is compiled once, several at the same time.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::base::sync::atomic::{AtomicUsize, Ordering};
use crate::base::sync::{Arc, OnceLock};
use crate::wasm::cache::{Cache, hex};
use crate::wasm::contract::Contract;
use crate::wasm::encode;
use crate::wasm::error::{LoadError, LoadProblem};
use crate::wasm::instance::WasmModule;
use crate::wasm::state::State;
use crate::wasm::{imports, wasi};

/// Hex digits of the content's hash that make a version.
const VERSION: usize = 12;
/// Parsers recurse over nested input; threads that load get the room of a main thread.
const STACK: usize = 8 << 20;

/// A file to load, and the name that the manifest gives it.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: String,
    /// A component or a core module, binary or text.
    pub path: PathBuf,
}

/// What all loads share.
pub(super) struct Loader {
    pub(super) engine: Engine,
    cache: Cache,
    /// For guests that cannot park: nothing in it suspends, so plain calls work.
    plain: Linker<State>,
    /// For the others: with `blocking` and WASI.
    parking: Linker<State>,
}

impl Loader {
    pub(super) fn new(engine: Engine, cache: Cache) -> wasmtime::Result<Self> {
        let mut plain = Linker::new(&engine);
        imports::link(&mut plain)?;
        let mut parking = Linker::new(&engine);
        imports::link(&mut parking)?;
        imports::link_blocking(&mut parking)?;
        wasi::link(&mut parking)?;
        Ok(Self { engine, cache, plain, parking })
    }

    /// Loads all, in parallel; the results are in the order of the sources.
    pub(super) fn load_all(&self, sources: &[Source]) -> Vec<Result<Arc<WasmModule>, LoadError>> {
        let results: Vec<OnceLock<_>> = sources.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(sources.len());
        thread::scope(|scope| {
            for _ in 0..threads {
                let work = || {
                    loop {
                        // Relaxed: each index is taken once; the scope's end publishes the results.
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(source) = sources.get(index) else { break };
                        let _ = results[index].set(self.load(source));
                    }
                };
                // Without a thread there is still this one.
                if thread::Builder::new().name("load".to_owned()).stack_size(STACK).spawn_scoped(scope, work).is_err() {
                    work();
                }
            }
        });
        results.into_iter().map(|result| result.into_inner().expect("each index was taken")).collect()
    }

    /// Loads one.
    pub(super) fn load(&self, source: &Source) -> Result<Arc<WasmModule>, LoadError> {
        let failed = |what| LoadError { module: source.name.clone(), path: source.path.clone(), what: Box::new(what) };
        let bytes = std::fs::read(&source.path).map_err(LoadProblem::Read).map_err(failed)?;
        let content = Sha256::digest(&bytes).into();
        let component = match self.cache.get(&self.engine, &content) {
            Some(component) => component,
            None => {
                let compiled = unpanicked(|| self.compile(&source.path, &bytes)).map_err(failed)?;
                self.cache.put(&content, &compiled);
                compiled
            }
        };
        let version = hex(&content)[..VERSION].to_owned();
        unpanicked(|| self.link(source.name.clone(), version, &component)).map(Arc::new).map_err(failed)
    }

    fn compile(&self, path: &Path, bytes: &[u8]) -> Result<Component, LoadProblem> {
        let component = encode::component(path, bytes)?;
        Component::from_binary(&self.engine, &component).map_err(|error| LoadProblem::Compile(format!("{error:#}")))
    }

    fn link(&self, name: String, version: String, component: &Component) -> Result<WasmModule, LoadProblem> {
        let contract = Contract::get();
        let needs = contract.needs(&self.engine, component)?;
        let exports = contract.exports(&self.engine, component)?;
        let parks = needs.blocking || needs.wasi;
        let linker = if parks { &self.parking } else { &self.plain };
        let pre = linker.instantiate_pre(component).map_err(|error| LoadProblem::Link(format!("{error:#}")))?;
        let (init, handle) = (exports.init, exports.handle);
        Ok(WasmModule { name, version, imports: needs.imports, pre, init, handle, parks, wasi: needs.wasi })
    }
}

/// Turns a panic of a library into an error: it was fed a stranger's file.
fn unpanicked<T>(work: impl FnOnce() -> Result<T, LoadProblem>) -> Result<T, LoadProblem> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(LoadProblem::Panicked(text.unwrap_or_else(|| "without a word".to_owned())))
    })
}
