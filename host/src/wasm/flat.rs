//! Modules that are run without the component model's machinery: "flat". Used by `load` and `instance`.
//!
//! | file | what |
//! |---|---|
//! | `main` | which components are just one core module, and that module |
//! | `hollow` | the types of such a component, without its code |
//! | `rewrite` | the module with its one way in, and with imports that can allocate |
//! | `places` | from places in that module to those in the guest's own |
//! | `abi`, `results` | memory, strings and results by hand |
//! | `state` | what a reload asks of an instance |
//! | `lower` | a delivery as the parameters of the way in |
//! | `imports` | what flat guests can call |
//!
//! Why: an entry and a call back into the host cost three to five times less than through wasmtime's component model, and
//! an instance takes less memory. Must hold: guest, manifest and tests cannot tell the two apart; every test of the suite
//! runs both ways.

mod abi;
mod hollow;
mod imports;
mod lower;
mod main;
mod places;
mod results;
mod rewrite;
mod state;
#[cfg(test)]
mod tests;

use wasmtime::{Caller, Instance, Module, ModuleExport, Result, Store, TypedFunc, bail, format_err};

pub(super) use abi::Crossing;
pub(super) use hollow::hollow;
pub(super) use imports::{link, link_blocking};
pub(super) use main::find;
pub(super) use places::{original, unmoved};
pub(super) use rewrite::{ADDED, NAMES, SEAL, rewrite};

use crate::sched::Letter;
use crate::wasm::entry::{Ended, Entry, Saved, Step};
use crate::wasm::flat::lower::Lowered;
use crate::wasm::flat::rewrite::{DELIVER, mode};
use crate::wasm::state::State;

/// Where a module's instances have what the host uses.
#[derive(Clone, Copy)]
pub(super) struct Places {
    memory: ModuleExport,
}

impl Places {
    /// Of a module that `rewrite` made.
    pub(super) fn of(module: &Module) -> Result<Self> {
        let memory = module.get_export_index(main::MEMORY).ok_or_else(|| format_err!("it has no memory"))?;
        Ok(Self { memory })
    }
}

/// Parameters of `deliver`: those of [`lower::Entry`], and the length of the bytes.
type Parameters = (i32, u32, u64, u64, u64, u32);

/// The one way into an instance.
#[derive(Clone)]
pub(super) struct Deliver {
    function: TypedFunc<Parameters, i64>,
    instance: Instance,
}

impl Deliver {
    /// Of a new instance in this store.
    pub(super) fn of(store: &mut Store<State>, instance: &Instance, places: &Places) -> Result<Self> {
        let memory = instance.get_module_export(&mut *store, &places.memory).and_then(|export| export.into_memory());
        store.data_mut().crossing.memory = memory;
        Ok(Self { function: instance.get_typed_func(store, DELIVER)?, instance: *instance })
    }
}

/// A turn as `deliver` is told of it. Inlined: what comes back is passed on at once, and would be read before it is written.
#[inline(always)]
fn turn(state: &mut State, letter: Letter) -> Result<Parameters> {
    let lowered = lower::event(&letter);
    let more = if state.cx().more() { mode::MORE } else { 0 };
    let Some(Lowered { entry: (how, case, a, b, c), bytes }) = lowered else {
        bail!("an event of the host's own came to a guest")
    };
    let length = bytes.map_or(Ok(0), |bytes| u32::try_from(bytes.len()));
    let parameters = (how | more, case, a, b, c, length.map_err(|_| format_err!("an event over 4 GiB"))?);
    if bytes.is_some() {
        state.crossing.bring(letter);
    }
    Ok(parameters)
}

/// The import `next`: a turn is done, without an error. The next one, if there may be one at once.
fn next(mut caller: Caller<'_, State>) -> Result<Parameters> {
    let state = caller.data_mut();
    state.limits.refused = None;
    match state.cx().next(Ok(())) {
        Some(letter) => turn(state, letter),
        None => Ok((mode::LEAVE, 0, 0, 0, 0, 0)),
    }
}

/// What `init` or `handle` said, and the call that frees it.
fn failed(store: &mut Store<State>, parameters: &Parameters, result: i64) -> Result<(String, Parameters)> {
    let memory = store.data().crossing.memory.ok_or_else(|| format_err!("a turn without a memory"))?;
    let at = u32::try_from(result).map_err(|_| format_err!("a result at no address"))?;
    let reason = abi::failure(memory.data(&*store), at)?;
    let mode = if parameters.0 == mode::INIT { mode::INIT_FAILED } else { mode::HANDLE_FAILED };
    Ok((reason, (mode, at, 0, 0, 0, 0)))
}

/// The first turn.
const INIT: Parameters = (mode::INIT, 0, 0, 0, 0, 0);

/// The results of `deliver` that are no addresses: "ok", and "ok" with other turns behind it.
const OK: i64 = -1;
const LEFT: i64 = -2;

impl Entry for Deliver {
    const FLAT: bool = true;

    fn call(&self, store: &mut Store<State>, letter: Option<Letter>) -> Result<Ended> {
        let parameters = letter.map_or(Ok(INIT), |letter| turn(store.data_mut(), letter))?;
        match self.function.call(&mut *store, parameters)? {
            OK => Ok(Ended::Done(Ok(()))),
            LEFT => Ok(Ended::Left),
            result => {
                let (reason, free) = failed(store, &parameters, result)?;
                self.function.call(store, free)?;
                Ok(Ended::Done(Err(reason)))
            }
        }
    }

    async fn call_async(&self, store: &mut Store<State>, letter: Option<Letter>) -> Result<Ended> {
        let parameters = letter.map_or(Ok(INIT), |letter| turn(store.data_mut(), letter))?;
        match self.function.call_async(&mut *store, parameters).await? {
            OK => Ok(Ended::Done(Ok(()))),
            LEFT => Ok(Ended::Left),
            result => {
                let (reason, free) = failed(store, &parameters, result)?;
                self.function.call_async(store, free).await?;
                Ok(Ended::Done(Err(reason)))
            }
        }
    }
    async fn state(&self, store: &mut Store<State>, step: Step<'_>) -> Result<Saved> {
        state::call(store, self.instance, step).await
    }
}
