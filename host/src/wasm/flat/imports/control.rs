//! `wit/control.wit`, flat.

use wasmtime::{Linker, Result, bail};

use crate::base::Address;
use crate::node::order::Action;
use crate::wasm::flat::abi::guest;
use crate::wasm::flat::imports::From;
use crate::wasm::state::State;

const INTERFACE: &str = "wasmactor:actor/control@0.1.0";

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        INTERFACE,
        "reload",
        |mut from: From<'_>,
         module: u32,
         length: u32,
         case: u32,
         percent: u32,
         restart: u32,
         grace: u32,
         result: u32| {
            let mut guest = guest(&mut from)?;
            let module = guest.text(module, length)?;
            let action = action(case, percent)?;
            let ordered = guest.state.cx().reload(module, action, restart != 0, grace);
            guest.session(result, ordered)
        },
    )?;
    linker.func_wrap(INTERFACE, "restart", |mut from: From<'_>, target: u64, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let reason = guest.text(at, length)?;
        let restarted = guest.state.cx().restart(Address::from_raw(target), &reason);
        guest.unit(result, restarted)
    })?;
    linker.func_wrap(INTERFACE, "ps", |mut from: From<'_>, at: u32, length: u32, limit: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let filter = guest.text(at, length)?;
        let ordered = guest.state.cx().ps(filter, limit);
        guest.session(result, ordered)
    })?;
    Ok(())
}

/// The variant of `wit/control.wit`.
fn action(case: u32, percent: u32) -> Result<Action> {
    Ok(match case {
        0 => Action::Reload,
        1 => Action::Check,
        // As the canonical ABI lifts a u8: its low bits.
        2 => Action::Trial(percent.to_le_bytes()[0]),
        3 => Action::Commit,
        4 => Action::Rollback,
        case => bail!("an unknown discriminant of an action: {case}"),
    })
}
