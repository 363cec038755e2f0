//! `wit/blocking.wit`, flat: how it suspends stands in `crate::wasm::imports::blocking`.

use wasmtime::{Linker, Result};

use crate::base::{Address, Payload};
use crate::node::Awaited;
use crate::wasm::flat::abi::{Bytes, guest};
use crate::wasm::flat::imports::From;
use crate::wasm::imports::mixed_up;
use crate::wasm::state::State;

const INTERFACE: &str = "wasmactor:actor/blocking@0.1.0";

/// Parameters of `call`: to, kind, the payload, timeout, and where the result goes.
type Call = (u64, u32, u32, u32, u32, u32);
/// Parameters of `spawn`: module, name, args, and where the result goes.
type Spawn = (u32, u32, u32, u32, u32, u32, u32, u32);

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap_async(INTERFACE, "call", |mut from: From<'_>, call: Call| {
        Box::new(async move {
            let (to, kind, at, length, timeout, result) = call;
            let begun = {
                let guest = guest(&mut from)?;
                let payload = guest.payload(at, length)?;
                guest.state.cx().call_begin(Address::from_raw(to), kind, payload, timeout)
            };
            let outcome = match begun {
                Ok(session) => match from.data_mut().outcome(session).await {
                    Awaited::Reply(outcome) => outcome,
                    _ => Err(mixed_up()),
                },
                Err(error) => Err(error),
            };
            guest(&mut from)?.list(result, outcome.map(Bytes::from))
        })
    })?;
    linker.func_wrap_async(INTERFACE, "spawn", |mut from: From<'_>, spawn: Spawn| {
        Box::new(async move {
            let (module, module_length, named, name, name_length, args, args_length, result) = spawn;
            let begun = {
                let guest = guest(&mut from)?;
                let module = guest.text(module, module_length)?;
                let name = guest.optional(named, name, name_length)?;
                let args: Payload = guest.payload(args, args_length)?;
                guest.state.cx().spawn_begin(&module, name.as_deref(), args)
            };
            let outcome = match begun {
                Ok(session) => match from.data_mut().outcome(session).await {
                    Awaited::Spawned(outcome) => outcome.map(Address::raw),
                    _ => Err(mixed_up()),
                },
                Err(error) => Err(error),
            };
            guest(&mut from)?.number(result, outcome)
        })
    })?;
    linker.func_wrap_async(INTERFACE, "sleep", |mut from: From<'_>, (milliseconds,): (u64,)| {
        Box::new(async move {
            let begun = from.data_mut().cx().sleep_begin(milliseconds);
            from.data_mut().outcome(begun).await;
            Ok::<_, wasmtime::Error>(())
        })
    })?;
    Ok(())
}
