//! A loaded module, and how its instances are made. Made by [`super::load`]; used by the node to create actors.
//!
//! Must hold: everything that can be known before an actor starts (types, imports, exports) was checked at load, so
//! `create` fails only for what depends on the actor: its memory limit, its folders, its start function.

use std::pin::pin;
use std::task::{self, Poll, Waker};

use wasmtime::component::{ComponentExportIndex, Instance, InstancePre, TypedFunc};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::runtime::with_ambient_tokio_runtime;

use crate::actor::{Behavior, Module};
use crate::base::sync::{Arc, Mutex};
use crate::node::Context;
use crate::wasm::behavior::{Parkable, Plain};
use crate::wasm::bindings::exports::wasmactor::actor::handler::Event;
use crate::wasm::fault::{Killed, stillborn};
use crate::wasm::state::{Place, State};
use crate::wasm::wasi::Wasi;

/// Bytes that one call of a guest may make the host allocate: lists of strings could name the same bytes many times.
/// Over any payload, under what would hurt.
const HOSTCALL_BYTES: usize = 128 << 20;

/// One compiled module; actors share it.
pub struct WasmModule {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) imports: Vec<String>,
    pub(super) pre: InstancePre<State>,
    pub(super) init: ComponentExportIndex,
    pub(super) handle: ComponentExportIndex,
    /// It imports `blocking` or WASI: its turns run on a stack of their own.
    pub(super) parks: bool,
    pub(super) wasi: bool,
}

impl std::fmt::Debug for WasmModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasmModule").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}

/// An instance's two ways in.
#[derive(Clone, Copy)]
pub(super) struct Entries {
    pub(super) init: TypedFunc<(), (Outcome,)>,
    pub(super) handle: TypedFunc<(Event,), (Outcome,)>,
}

/// What both return.
pub(super) type Outcome = Result<(), String>;

impl WasmModule {
    /// The name in the manifest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// 12 hex digits of the SHA-256 of the file: changes when the file does.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The interfaces that it imports, as `wasmactor:actor/messaging@0.1.0`, sorted.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Whether its actors can park in the middle of a turn.
    pub fn parks(&self) -> bool {
        self.parks
    }

    fn store(&self, state: State, cx: &Context) -> Store<State> {
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(HOSTCALL_BYTES);
        let killed = cx.killed();
        store.epoch_deadline_callback(
            move |_| {
                if killed.get() { Err(Killed.into()) } else { Ok(UpdateDeadline::Continue(1)) }
            },
        );
        store.set_epoch_deadline(1);
        store
    }

    fn entries(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Entries> {
        Ok(Entries {
            init: instance.get_typed_func(&mut *store, self.init)?,
            handle: instance.get_typed_func(&mut *store, self.handle)?,
        })
    }

    fn plain(&self, cx: &mut Context) -> Result<Plain, String> {
        let mut store = self.store(State::own(cx.memory_limit()), cx);
        store.data_mut().enter(cx);
        let made = self.pre.instantiate(&mut store).and_then(|instance| self.entries(&mut store, &instance));
        store.data_mut().leave(cx);
        match made {
            Ok(entries) => Ok(Plain::new(store, entries)),
            Err(error) => Err(stillborn(&error, &store.data().limits)),
        }
    }

    fn parkable(&self, cx: &mut Context) -> Result<Parkable, String> {
        let wasi = if self.wasi { Some(Box::new(Wasi::new(cx)?)) } else { None };
        let place: Place = Arc::new(Mutex::new(Context::hollow()));
        let output = wasi.as_ref().map(|wasi| wasi.output().clone());
        let mut store = self.store(State::shared(place.clone(), cx.memory_limit(), wasi), cx);
        *place.lock() = cx.take();
        let made = {
            let future = pin!(self.pre.instantiate_async(&mut store));
            let mut task = task::Context::from_waker(Waker::noop());
            if self.wasi { with_ambient_tokio_runtime(|| future.poll(&mut task)) } else { future.poll(&mut task) }
        };
        *cx = place.lock().take();
        if let Some(output) = &output {
            output.drain(cx);
        }
        let made = match made {
            Poll::Ready(made) => made.and_then(|instance| self.entries(&mut store, &instance)),
            Poll::Pending => {
                return Err("its start function waits, which an actor can only do from `init` on".to_owned());
            }
        };
        match made {
            Ok(entries) => Ok(Parkable::new(store, entries, place, output)),
            Err(error) => Err(stillborn(&error, &store.data().limits)),
        }
    }
}

impl Module<Context> for WasmModule {
    fn create(&self, cx: &mut Context) -> Result<Box<dyn Behavior<Context>>, String> {
        Ok(if self.parks { Box::new(self.parkable(cx)?) } else { Box::new(self.plain(cx)?) })
    }
}
