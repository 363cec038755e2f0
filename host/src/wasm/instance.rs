//! A loaded module, and how its instances are made. Made by [`super::load`]; used by the node to create actors.
//!
//! Must hold: everything that can be known before an actor starts (types, imports, exports) was checked at load, so
//! `create` fails only for what depends on the actor: its memory limit, its folders, its start function.

use std::path::PathBuf;
use std::pin::pin;
use std::task::{self, Poll, Waker};

use wasmtime::component::ComponentExportIndex;
use wasmtime::{Engine, InstancePre, Store, WasmBacktrace, component};
use wasmtime_wasi::runtime::with_ambient_tokio_runtime;

use crate::actor::{Behavior, Frame, Module};
use crate::node::Context;
use crate::wasm::behavior::{Parkable, Plain};
use crate::wasm::entry::{Entry, Lifted};
use crate::wasm::fault::stillborn;
use crate::wasm::flat::{Deliver, Places};
use crate::wasm::slice::on_epoch;
use crate::wasm::state::{Limits, Place, State};
use crate::wasm::twins::Twins;
use crate::wasm::uses::Uses;
use crate::wasm::wasi::Wasi;
use crate::wasm::{evidence, fault, lines};

/// Bytes that one call of a guest may make the host allocate: lists of strings could name the same bytes many times.
/// Over any payload, under what would hurt.
pub(super) const HOSTCALL_BYTES: usize = 128 << 20;

/// One compiled module; actors share it.
pub struct WasmModule {
    pub(super) name: String,
    pub(super) version: String,
    /// The file, and its SHA-256.
    pub(super) path: PathBuf,
    pub(super) content: [u8; 32],
    pub(super) imports: Uses,
    pub(super) code: Twins,
    /// It imports `blocking` or WASI: its turns run on a stack of their own.
    pub(super) parks: bool,
    pub(super) wasi: bool,
    /// It exports `state`.
    pub(super) keeps: bool,
}

impl std::fmt::Debug for WasmModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasmModule").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}

/// What instances are made of, linked.
pub(super) enum Code {
    /// A component, with its `init` and `handle`.
    Component(component::InstancePre<State>, [ComponentExportIndex; 2]),
    /// A core module that the host enters itself.
    Flat(InstancePre<State>, Places),
}

impl Code {
    pub(super) fn engine(&self) -> &Engine {
        match self {
            Self::Component(pre, _) => pre.engine(),
            Self::Flat(pre, _) => pre.module().engine(),
        }
    }
}

impl WasmModule {
    /// The name in the manifest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// 12 hex digits of the SHA-256 of the file: changes when the file does.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What it imports.
    pub fn uses(&self) -> &Uses {
        &self.imports
    }

    /// Whether its actors can park in the middle of a turn.
    pub fn parks(&self) -> bool {
        self.parks
    }

    /// Whether it runs without the component model's machinery.
    pub fn is_flat(&self) -> bool {
        matches!(self.code.first(), Code::Flat(..))
    }

    fn store(&self, engine: &Engine, state: State) -> Store<State> {
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(HOSTCALL_BYTES);
        store.epoch_deadline_callback(|mut store| {
            if store.data_mut().cx().is_looked_into() {
                let stack = fault::stack(&WasmBacktrace::force_capture(&store));
                store.data_mut().cx().look_into(stack);
            }
            on_epoch(store.data_mut())
        });
        store.set_epoch_deadline(1);
        store
    }

    /// An instance that cannot park. `make` is given its store, with the context in it.
    fn plain<E: Entry>(
        &self,
        engine: &Engine,
        cx: &mut Context,
        make: impl FnOnce(&mut Store<State>) -> wasmtime::Result<E>,
    ) -> Result<Box<dyn Behavior<Context>>, String> {
        let mut store = self.store(engine, State::own(Limits::new(cx)));
        store.data_mut().enter(cx);
        let made = make(&mut store);
        store.data_mut().leave(cx);
        match made {
            Ok(entry) => Ok(Box::new(Plain::new(store, entry))),
            Err(error) => {
                evidence::leave(cx, &error, &mut store, E::FLAT);
                Err(stillborn(&error, &store.data().limits))
            }
        }
    }

    /// An instance that can.
    fn parkable<E: Entry>(
        &self,
        engine: &Engine,
        cx: &mut Context,
        make: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<E>,
    ) -> Result<Box<dyn Behavior<Context>>, String> {
        let wasi = if self.wasi { Some(Box::new(Wasi::new(cx)?)) } else { None };
        let place = Place::default();
        let output = wasi.as_ref().map(|wasi| wasi.output().clone());
        let mut store = self.store(engine, State::shared(place.clone(), Limits::new(cx), wasi));
        place.put(cx.take());
        let made = {
            let future = pin!(make(&mut store));
            let mut task = task::Context::from_waker(Waker::noop());
            if self.wasi { with_ambient_tokio_runtime(|| future.poll(&mut task)) } else { future.poll(&mut task) }
        };
        *cx = place.take();
        if let Some(output) = &output {
            output.drain(cx);
        }
        match made {
            Poll::Ready(Ok(entry)) => Ok(Box::new(Parkable::new(store, entry, place, output))),
            Poll::Ready(Err(error)) => {
                evidence::leave(cx, &error, &mut store, E::FLAT);
                Err(stillborn(&error, &store.data().limits))
            }
            Poll::Pending => Err("its start function waits, which an actor can only do from `init` on".to_owned()),
        }
    }
}

impl Module<Context> for WasmModule {
    fn create(&self, cx: &mut Context) -> Result<Box<dyn Behavior<Context>>, String> {
        let code = self.code.of(cx.worker());
        self.instance(code, cx)
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn keeps(&self) -> bool {
        self.keeps
    }

    fn locate(&self, frames: &mut [Frame]) -> Result<(), String> {
        lines::locate(&self.path, &self.content, self.is_flat(), frames)
    }
}

impl WasmModule {
    /// An instance made of one of the module's twins.
    pub(super) fn instance(&self, code: &Code, cx: &mut Context) -> Result<Box<dyn Behavior<Context>>, String> {
        let engine = code.engine();
        match code {
            Code::Component(pre, exports) if self.parks => self.parkable(engine, cx, async |store| {
                let instance = pre.instantiate_async(&mut *store).await?;
                Lifted::of(store, &instance, *exports)
            }),
            Code::Component(pre, exports) => self.plain(engine, cx, |store| {
                let instance = pre.instantiate(&mut *store)?;
                Lifted::of(store, &instance, *exports)
            }),
            Code::Flat(pre, places) if self.parks => self.parkable(engine, cx, async |store| {
                let instance = pre.instantiate_async(&mut *store).await?;
                Deliver::of(store, &instance, places)
            }),
            Code::Flat(pre, places) => self.plain(engine, cx, |store| {
                let instance = pre.instantiate(&mut *store)?;
                Deliver::of(store, &instance, places)
            }),
        }
    }
}
