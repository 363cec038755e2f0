//! The two kinds of instance, as `behavior` enters them: components as wasmtime runs them ([`Lifted`]), and core modules
//! that the host enters itself ([`super::flat::Deliver`]).

use wasmtime::component::{ComponentExportIndex, Instance, TypedFunc};
use wasmtime::{Result, Store};

use crate::sched::Letter;
use crate::wasm::bindings::exports::wasmactor::actor::handler::Event;
use crate::wasm::convert::event;
use crate::wasm::state::State;

/// What `init` and `handle` return.
pub(super) type Outcome = std::result::Result<(), String>;

/// How an entry ended.
pub(super) enum Ended {
    /// The turn is done.
    Done(Outcome),
    /// The turn is done, and others that the instance asked the node for; the node knows.
    Left,
}

/// The way into one instance: `init` without a message, else `handle`. Errors: the guest trapped.
pub(super) trait Entry: Clone + Send + Sync + 'static {
    /// The module was rewritten to run flat.
    const FLAT: bool;

    /// A plain call, for guests that cannot park.
    fn call(&self, store: &mut Store<State>, letter: Option<Letter>) -> Result<Ended>;

    /// A call on a stack of its own, which is left (pending) whenever the guest parks.
    fn call_async(
        &self,
        store: &mut Store<State>,
        letter: Option<Letter>,
    ) -> impl Future<Output = Result<Ended>> + Send;
}

/// A component's functions.
#[derive(Clone, Copy)]
pub(super) struct Lifted {
    init: TypedFunc<(), (Outcome,)>,
    handle: TypedFunc<(Event,), (Outcome,)>,
}

impl Lifted {
    /// Of a new instance in this store.
    pub(super) fn of(
        store: &mut Store<State>,
        instance: &Instance,
        [init, handle]: [ComponentExportIndex; 2],
    ) -> Result<Self> {
        Ok(Self {
            init: instance.get_typed_func(&mut *store, init)?,
            handle: instance.get_typed_func(&mut *store, handle)?,
        })
    }
}

impl Entry for Lifted {
    const FLAT: bool = false;

    fn call(&self, store: &mut Store<State>, letter: Option<Letter>) -> Result<Ended> {
        let Some(letter) = letter else { return Ok(Ended::Done(self.init.call(store, ())?.0)) };
        // None: the host's own affair.
        let Some(event) = event(letter.open()) else { return Ok(Ended::Done(Ok(()))) };
        Ok(Ended::Done(self.handle.call(store, (event,))?.0))
    }

    async fn call_async(&self, store: &mut Store<State>, letter: Option<Letter>) -> Result<Ended> {
        let Some(letter) = letter else { return Ok(Ended::Done(self.init.call_async(store, ()).await?.0)) };
        let Some(event) = event(letter.open()) else { return Ok(Ended::Done(Ok(()))) };
        Ok(Ended::Done(self.handle.call_async(store, (event,)).await?.0))
    }
}
