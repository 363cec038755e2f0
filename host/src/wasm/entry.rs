//! The two kinds of instance, as `behavior` enters them: components as wasmtime runs them ([`Lifted`]), and core modules
//! that the host enters itself ([`super::flat::Deliver`]).

use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, TypedFunc};
use wasmtime::{Result, Store, format_err};

use crate::sched::Letter;
use crate::wasm::bindings::exports::wasmactor::actor::handler::Event;
use crate::wasm::contract::STATE;
use crate::wasm::convert::event;
use crate::wasm::state::State;

/// What `init` and `handle` return.
pub(super) type Outcome = std::result::Result<(), String>;

/// What `save` returns.
pub(super) type Saved = std::result::Result<Option<Vec<u8>>, String>;

/// One call of `state`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// With so many requests in flight.
    Save(u32),
    Load(&'a [u8], &'a str),
    SelfTest,
}

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

    /// A call of `state`, on a stack of its own. Errors: the guest trapped, and cannot be entered any more.
    fn state(&self, store: &mut Store<State>, step: Step<'_>) -> impl Future<Output = Result<Saved>> + Send;
}

/// A component's functions.
#[derive(Clone, Copy)]
pub(super) struct Lifted {
    init: TypedFunc<(), (Outcome,)>,
    handle: TypedFunc<(Event,), (Outcome,)>,
    instance: Instance,
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
            instance: *instance,
        })
    }

    /// A function of `state`; looked up when it is called, since that is seldom.
    fn of_state<Params: ComponentNamedList + Lower, Return: ComponentNamedList + Lift>(
        &self,
        store: &mut Store<State>,
        item: &str,
    ) -> Result<TypedFunc<Params, Return>> {
        let missing = || format_err!("it exports no `{item}`");
        let state = self.instance.get_export_index(&mut *store, None, STATE).ok_or_else(missing)?;
        let index = self.instance.get_export_index(&mut *store, Some(&state), item).ok_or_else(missing)?;
        self.instance.get_typed_func(store, index)
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
    async fn state(&self, store: &mut Store<State>, step: Step<'_>) -> Result<Saved> {
        let done = |outcome: (Outcome,)| outcome.0.map(|()| None);
        Ok(match step {
            Step::Save(in_flight) => {
                let save = self.of_state::<(u32,), (Saved,)>(store, "save")?;
                save.call_async(store, (in_flight,)).await?.0
            }
            Step::Load(state, version) => {
                let load = self.of_state::<(&[u8], &str), (Outcome,)>(store, "load")?;
                done(load.call_async(store, (state, version)).await?)
            }
            Step::SelfTest => done(self.of_state::<(), (Outcome,)>(store, "self-test")?.call_async(store, ()).await?),
        })
    }
}
