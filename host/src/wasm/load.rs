//! From a file to a [`WasmModule`]: read, encode, compile or find in the cache, hold against the contract, link.
//!
//! Must hold: whatever is in the file, the outcome is a module or one [`LoadError`]; a panic of a library while it
//! compiles is one, too. Each file is compiled once, several at the same time.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;

use sha2::{Digest, Sha256};
use wasmtime::component::{self, Component};
use wasmtime::{Engine, Linker, Module};

use crate::base::sync::atomic::{AtomicUsize, Ordering};
use crate::base::sync::{Arc, OnceLock};
use crate::wasm::cache::{Cache, hex};
use crate::wasm::contract::{BLOCKING, Contract};
use crate::wasm::encode;
use crate::wasm::engine::Profile;
use crate::wasm::error::{LoadError, LoadProblem};
use crate::wasm::flat::{self, Places};
use crate::wasm::instance::{Code, WasmModule};
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

/// What all loads into one engine share.
pub(super) struct Loader {
    pub(super) engine: Engine,
    cache: Cache,
    components: Linkers<component::Linker<State>>,
    flat: Linkers<Linker<State>>,
    force_component: bool,
}

struct Linkers<L> {
    /// For guests that cannot park: nothing in it suspends, so plain calls work.
    plain: L,
    /// For the others: with `blocking`, and WASI where it can be had.
    parking: L,
}

impl<L> Linkers<L> {
    fn get(&self, parks: bool) -> &L {
        if parks { &self.parking } else { &self.plain }
    }
}

/// A compiled file.
enum Made {
    Component(Component),
    Flat(Module),
}

impl Loader {
    /// `force_component`: no module is run flat.
    pub(super) fn new(engine: Engine, cache: Cache, force_component: bool) -> wasmtime::Result<Self> {
        let mut components =
            Linkers { plain: component::Linker::new(&engine), parking: component::Linker::new(&engine) };
        imports::link(&mut components.plain)?;
        imports::link(&mut components.parking)?;
        imports::link_blocking(&mut components.parking)?;
        wasi::link(&mut components.parking)?;
        let mut flat = Linkers { plain: Linker::new(&engine), parking: Linker::new(&engine) };
        flat::link(&mut flat.plain)?;
        flat::link(&mut flat.parking)?;
        flat::link_blocking(&mut flat.parking)?;
        Ok(Self { engine, cache, components, flat, force_component })
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
        let name = source.name.clone();
        let linked = unpanicked(|| match &made {
            Made::Component(component) => self.link_component(name, version, component),
            Made::Flat(module) => self.link_flat(name, version, module),
        });
        linked.map(Arc::new).map_err(failed)
    }

    fn cached(&self, content: &[u8; 32]) -> Option<Made> {
        let flat = if self.force_component { None } else { self.cache.get(&self.engine, content).map(Made::Flat) };
        flat.or_else(|| self.cache.get(&self.engine, content).map(Made::Component))
    }

    fn compile(&self, path: &Path, bytes: &[u8], content: &[u8; 32]) -> Result<Made, LoadProblem> {
        let failed = |error: wasmtime::Error| LoadProblem::Compile(format!("{error:#}"));
        let component = encode::component(path, bytes)?;
        if let Some(main) = flat::find(&component).filter(|_| !self.force_component) {
            let hollow = flat::hollow(&component).map_err(LoadProblem::Compile)?;
            let types = Component::from_binary(&self.engine, &hollow).map_err(failed)?;
            Contract::get().needs(&self.engine, &types)?;
            Contract::get().exports(&self.engine, &types)?;
            let module = flat::rewrite(&main).map_err(LoadProblem::Compile)?;
            let module = Module::from_binary(&self.engine, &module).map_err(failed)?;
            self.cache.put(content, &module);
            return Ok(Made::Flat(module));
        }
        let component = Component::from_binary(&self.engine, &component).map_err(failed)?;
        self.cache.put(content, &component);
        Ok(Made::Component(component))
    }

    fn link_component(&self, name: String, version: String, component: &Component) -> Result<WasmModule, LoadProblem> {
        let contract = Contract::get();
        let needs = contract.needs(&self.engine, component)?;
        let exports = contract.exports(&self.engine, component)?;
        let parks = needs.blocking || needs.wasi;
        let pre = self.components.get(parks).instantiate_pre(component);
        let code = Code::Component(pre.map_err(unlinked)?, exports);
        Ok(WasmModule { name, version, imports: needs.imports, code, parks, wasi: needs.wasi })
    }

    fn link_flat(&self, name: String, version: String, module: &Module) -> Result<WasmModule, LoadProblem> {
        let interfaces = module.imports().map(|import| import.module().to_owned());
        let imports: BTreeSet<String> = interfaces.filter(|interface| interface != flat::ADDED).collect();
        let parks = imports.iter().any(|interface| interface.starts_with(BLOCKING));
        let pre = self.flat.get(parks).instantiate_pre(module).map_err(unlinked)?;
        let code = Code::Flat(pre, Places::of(module).map_err(unlinked)?);
        Ok(WasmModule { name, version, imports: imports.into_iter().collect(), code, parks, wasi: false })
    }
}

fn unlinked(error: wasmtime::Error) -> LoadProblem {
    LoadProblem::Link(format!("{error:#}"))
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
fn unpanicked<T>(work: impl FnOnce() -> Result<T, LoadProblem>) -> Result<T, LoadProblem> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(LoadProblem::Panicked(text.unwrap_or_else(|| "without a word".to_owned())))
    })
}
