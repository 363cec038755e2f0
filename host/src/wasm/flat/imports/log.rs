//! `wit/log.wit`, flat.

use tracing::Level;
use wasmtime::{Linker, Result, bail};

use crate::wasm::flat::abi::guest;
use crate::wasm::flat::imports::From;
use crate::wasm::state::State;

const INTERFACE: &str = "wasmactor:actor/log@0.1.0";

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        INTERFACE,
        "log",
        |mut from: From<'_>, case: u32, at: u32, length: u32, fields: u32, count: u32| {
            let guest = guest(&mut from)?;
            let (level, text, fields) = (level(case)?, guest.text(at, length)?, guest.pairs(fields, count)?);
            guest.state.cx().log(level, &text, &fields);
            Ok(())
        },
    )?;
    linker.func_wrap(INTERFACE, "enabled", |mut from: From<'_>, case: u32| {
        Ok(u32::from(from.data_mut().cx().log_enabled(level(case)?)))
    })?;
    Ok(())
}

/// The enum of `wit/log.wit`.
fn level(case: u32) -> Result<Level> {
    Ok(match case {
        0 => Level::ERROR,
        1 => Level::WARN,
        2 => Level::INFO,
        3 => Level::DEBUG,
        4 => Level::TRACE,
        case => bail!("an unknown discriminant of a level: {case}"),
    })
}
