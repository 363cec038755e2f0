//! `wit/timer.wit`, flat.

use wasmtime::{Linker, Result};

use crate::base::Session;
use crate::wasm::fault::over;
use crate::wasm::flat::imports::From;
use crate::wasm::state::State;

const INTERFACE: &str = "wasmactor:actor/timer@0.1.0";

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(INTERFACE, "timeout", |mut from: From<'_>, milliseconds: u64| {
        from.data_mut().cx().timeout(milliseconds).map(|session| session.0).map_err(over)
    })?;
    linker.func_wrap(INTERFACE, "cancel", |mut from: From<'_>, timer: u64| {
        u32::from(from.data_mut().cx().cancel_timer(Session(timer)))
    })?;
    linker.func_wrap(INTERFACE, "now", |mut from: From<'_>| from.data_mut().cx().seen_now())?;
    linker.func_wrap(INTERFACE, "wall", |mut from: From<'_>| from.data_mut().cx().seen_wall())?;
    Ok(())
}
