//! `wit/random.wit`, flat.

use wasmtime::{Linker, Result};

use crate::wasm::flat::imports::From;
use crate::wasm::state::State;

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap("wasmactor:actor/random@0.1.0", "get", |mut from: From<'_>| from.data_mut().cx().random())?;
    Ok(())
}
