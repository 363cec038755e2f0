//! From a file to a [`WasmModule`]: read, encode, compile or find in the cache, hold against the contract, link.
//!
//! Must hold: whatever is in the file, the outcome is a module or one [`LoadError`]; a panic of a library while it
//! compiles is one, too. Each file is compiled once, several at the same time.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;

use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::base::sync::atomic::{AtomicUsize, Ordering};
use crate::base::sync::{Arc, OnceLock};
use crate::wasm::cache::{Cache, hex};
use crate::wasm::contract::{BLOCKING, Contract, Needs};
use crate::wasm::engine::Profile;
use crate::wasm::error::{LoadError, LoadProblem};
use crate::wasm::instance::WasmModule;
use crate::wasm::link::Made;
use crate::wasm::twins::{Engines, Twins};
use crate::wasm::uses::Uses;
use crate::wasm::{encode, flat};

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
    /// What its actors are made for.
    pub profile: Profile,
}

impl Source {
    /// A file for the default profile.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), path: path.into(), profile: Profile::default() }
    }

    pub(super) fn failed(&self, what: LoadProblem) -> LoadError {
        LoadError { module: self.name.clone(), path: self.path.clone(), what: Box::new(what) }
    }

    /// The same for another profile.
    #[must_use]
    pub fn with(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }
}

/// What all loads for one profile share.
pub(super) struct Loader {
    engines: Arc<Engines>,
    /// Workers may have engines of their own.
    several: bool,
    cache: Cache,
    force_component: bool,
}

impl Loader {
    /// `force_component`: no module is run flat.
    pub(super) fn new(engines: Arc<Engines>, several: bool, cache: Cache, force_component: bool) -> Self {
        Self { engines, several, cache, force_component }
    }

    fn engine(&self) -> &Engine {
        &self.engines.first().engine
    }

    /// See [`super::WasmHost::tick`].
    pub(super) fn tick(&self) {
        self.engines.tick();
    }

    /// Loads one.
    pub(super) fn load(&self, source: &Source) -> Result<Arc<WasmModule>, LoadError> {
        let failed = |what| source.failed(what);
        let bytes = std::fs::read(&source.path).map_err(LoadProblem::Read).map_err(failed)?;
        let content = Sha256::digest(&bytes).into();
        let made = match self.cached(&content) {
            Some(made) => made,
            None => unpanicked(|| self.compile(&source.path, &bytes, &content)).map_err(failed)?,
        };
        let version = hex(&content)[..VERSION].to_owned();
        let identity = Identity { name: source.name.clone(), version, path: source.path.clone(), content };
        let linked = unpanicked(|| match &made {
            Made::Component(component) => self.link(identity, &made, Contract::get().needs(self.engine(), component)?),
            Made::Flat(module) => self.link(identity, &made, needs_of_flat(module)),
        });
        linked.map(Arc::new).map_err(failed)
    }

    fn cached(&self, content: &[u8; 32]) -> Option<Made> {
        let flat = if self.force_component { None } else { self.cache.get(self.engine(), content).map(Made::Flat) };
        flat.or_else(|| self.cache.get(self.engine(), content).map(Made::Component))
    }

    fn compile(&self, path: &Path, bytes: &[u8], content: &[u8; 32]) -> Result<Made, LoadProblem> {
        let failed = |error: wasmtime::Error| LoadProblem::Compile(format!("{error:#}"));
        let component = encode::component(path, bytes)?;
        if let Some(main) = flat::find(&component).filter(|_| !self.force_component) {
            let hollow = flat::hollow(&component).map_err(LoadProblem::Compile)?;
            let types = Component::from_binary(self.engine(), &hollow).map_err(failed)?;
            Contract::get().needs(self.engine(), &types)?;
            Contract::get().exports(self.engine(), &types)?;
            let module = flat::rewrite(&main).map_err(LoadProblem::Compile)?;
            let module = Module::from_binary(self.engine(), &module).map_err(failed)?;
            self.cache.put(content, &module);
            return Ok(Made::Flat(module));
        }
        let component = Component::from_binary(self.engine(), &component).map_err(failed)?;
        self.cache.put(content, &component);
        Ok(Made::Component(component))
    }

    fn link(&self, identity: Identity, made: &Made, needs: Needs) -> Result<WasmModule, LoadProblem> {
        let Identity { name, version, path, content } = identity;
        let Needs { imports, blocking, wasi, keeps } = needs;
        let parks = blocking || wasi;
        let first = self.engines.first().link(made, parks)?;
        let code = Twins::new(first, parks, self.several.then(|| self.engines.clone()));
        Ok(WasmModule { name, version, path, content, imports, code, parks, wasi, keeps })
    }
}

/// What a module is.
struct Identity {
    name: String,
    version: String,
    path: PathBuf,
    content: [u8; 32],
}

fn needs_of_flat(module: &Module) -> Needs {
    let mut imports = Uses::default();
    let all = module.imports().filter(|import| import.module() != flat::ADDED);
    all.for_each(|import| imports.add(import.module(), import.name()));
    let blocking = imports.interfaces().keys().any(|interface| interface.starts_with(BLOCKING));
    let keeps = module.exports().any(|export| export.name() == flat::SEAL);
    Needs { imports, blocking, wasi: false, keeps }
}

/// Loads all with `load`, in parallel; the results are in the order of the sources.
pub(super) fn load_all<R: Send + Sync>(sources: &[Source], load: impl Fn(&Source) -> R + Sync) -> Vec<R> {
    let results: Vec<OnceLock<R>> = sources.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(sources.len());
    thread::scope(|scope| {
        for _ in 0..threads {
            let work = || {
                loop {
                    // Relaxed: each index is taken once; the scope's end publishes the results.
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(source) = sources.get(index) else { break };
                    let _ = results[index].set(load(source));
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

/// Turns a panic of a library into an error: it was fed a stranger's file.
pub(super) fn unpanicked<T>(work: impl FnOnce() -> Result<T, LoadProblem>) -> Result<T, LoadProblem> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(LoadProblem::Panicked(text.unwrap_or_else(|| "without a word".to_owned())))
    })
}
