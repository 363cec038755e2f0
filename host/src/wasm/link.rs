//! An engine, and what modules are linked with to run in it. Used by [`super::load`] and [`super::twins`].

use wasmtime::component::{self, Component};
use wasmtime::{Engine, Linker, Module, Result};

use crate::wasm::contract::Contract;
use crate::wasm::error::LoadProblem;
use crate::wasm::flat::{self, Places};
use crate::wasm::instance::Code;
use crate::wasm::state::State;
use crate::wasm::{imports, perf_map, wasi};

/// A compiled file.
pub(super) enum Made {
    Component(Component),
    Flat(Module),
}

/// See the file's head.
pub(super) struct Linking {
    pub(super) engine: Engine,
    components: Linkers<component::Linker<State>>,
    flat: Linkers<Linker<State>>,
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

impl Linking {
    /// For an engine.
    pub(super) fn new(engine: Engine) -> Result<Self> {
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
        Ok(Self { engine, components, flat })
    }

    /// What instances are made of. The file was compiled by this engine; `parks`: its turns need a stack of their own.
    pub(super) fn link(&self, made: &Made, parks: bool) -> Result<Code, LoadProblem> {
        Ok(match made {
            Made::Component(component) => {
                let exports = Contract::get().exports(&self.engine, component)?;
                Code::Component(self.components.get(parks).instantiate_pre(component).map_err(unlinked)?, exports)
            }
            Made::Flat(module) => {
                perf_map::tell(module);
                let pre = self.flat.get(parks).instantiate_pre(module).map_err(unlinked)?;
                Code::Flat(pre, Places::of(module).map_err(unlinked)?)
            }
        })
    }
}

fn unlinked(error: wasmtime::Error) -> LoadProblem {
    LoadProblem::Link(format!("{error:#}"))
}
