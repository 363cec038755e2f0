//! Modules that are run without the component model's machinery: "flat". Used by `load` and `instance`.
//!
//! | file | what |
//! |---|---|
//! | `main` | which components are just one core module, and that module |
//! | `hollow` | the types of such a component, without its code |
//! | `rewrite` | the module with its one way in, and with imports that can allocate |
//! | `abi`, `results` | memory, strings and results by hand |
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
mod results;
mod rewrite;
#[cfg(test)]
mod tests;

use wasmtime::{Instance, Module, ModuleExport, Result, Store, TypedFunc, format_err};

pub(super) use abi::Crossing;
pub(super) use hollow::hollow;
pub(super) use imports::{link, link_blocking};
pub(super) use main::find;
pub(super) use rewrite::{ADDED, NAMES, rewrite};

use crate::base::Message;
use crate::wasm::entry::{Entry, Outcome};
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
pub(super) struct Deliver(TypedFunc<Parameters, i64>);

impl Deliver {
    /// Of a new instance in this store.
    pub(super) fn of(store: &mut Store<State>, instance: &Instance, places: &Places) -> Result<Self> {
        let memory = instance.get_module_export(&mut *store, &places.memory).and_then(|export| export.into_memory());
        store.data_mut().crossing.memory = memory;
        instance.get_typed_func(store, DELIVER).map(Self)
    }
}

/// A turn as `deliver` is told of it; without a message it is the first.
fn turn(store: &mut Store<State>, message: Option<Message>) -> Result<Option<Parameters>> {
    let crossing = &mut store.data_mut().crossing;
    let Some(message) = message else {
        crossing.bring(None)?;
        return Ok(Some((mode::INIT, 0, 0, 0, 0, 0)));
    };
    let Some(Lowered { entry: (mode, case, a, b, c), bytes }) = lower::event(message) else { return Ok(None) };
    let length = crossing.bring(bytes)?;
    Ok(Some((mode, case, a, b, c, length)))
}

/// What `init` or `handle` said, and the call that frees it.
fn failed(store: &mut Store<State>, parameters: &Parameters, result: i64) -> Result<(String, Parameters)> {
    let memory = store.data().crossing.memory.ok_or_else(|| format_err!("a turn without a memory"))?;
    let at = u32::try_from(result).map_err(|_| format_err!("a result at no address"))?;
    let reason = abi::failure(memory.data(&*store), at)?;
    store.data_mut().crossing.seal();
    let mode = if parameters.0 == mode::INIT { mode::INIT_FAILED } else { mode::HANDLE_FAILED };
    Ok((reason, (mode, at, 0, 0, 0, 0)))
}

/// The result of `deliver` for "ok".
const OK: i64 = -1;

impl Entry for Deliver {
    fn call(&self, store: &mut Store<State>, message: Option<Message>) -> Result<Outcome> {
        let Some(parameters) = turn(store, message)? else { return Ok(Ok(())) };
        let result = self.0.call(&mut *store, parameters)?;
        if result == OK {
            return Ok(Ok(()));
        }
        let (reason, free) = failed(store, &parameters, result)?;
        self.0.call(store, free)?;
        Ok(Err(reason))
    }

    async fn call_async(&self, store: &mut Store<State>, message: Option<Message>) -> Result<Outcome> {
        let Some(parameters) = turn(store, message)? else { return Ok(Ok(())) };
        let result = self.0.call_async(&mut *store, parameters).await?;
        if result == OK {
            return Ok(Ok(()));
        }
        let (reason, free) = failed(store, &parameters, result)?;
        self.0.call_async(store, free).await?;
        Ok(Err(reason))
    }
}
