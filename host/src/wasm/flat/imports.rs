//! What flat guests can call: the functions of `crate::wasm::imports` with the canonical ABI's flat parameters. One file
//! for each interface of `wit/`.
//!
//! Must hold: as for components, nothing here decides anything, and only `blocking` suspends; what traps is only what the
//! canonical ABI traps for (see [`super::abi`]). A function that can allocate returns what it wants, since its import is
//! wrapped (see [`super::rewrite`]); the others return their own results.

mod blocking;
mod config;
mod control;
mod lifecycle;
mod log;
mod messaging;
mod random;
mod registry;
mod socket;
mod timer;

use wasmtime::{Caller, Linker, Result};

use crate::wasm::flat::rewrite::ADDED;
use crate::wasm::flat::{abi, next};
use crate::wasm::state::State;

/// Who calls, as every import sees it.
type From<'a> = Caller<'a, State>;

/// Links everything that never suspends.
pub(in crate::wasm) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(ADDED, "filled", abi::filled)?;
    linker.func_wrap(ADDED, "sealed", abi::sealed)?;
    linker.func_wrap(ADDED, "next", next)?;
    messaging::link(linker)?;
    lifecycle::link(linker)?;
    registry::link(linker)?;
    timer::link(linker)?;
    socket::link(linker)?;
    log::link(linker)?;
    config::link(linker)?;
    random::link(linker)?;
    control::link(linker)
}

/// Links what suspends.
pub(in crate::wasm) fn link_blocking(linker: &mut Linker<State>) -> Result<()> {
    blocking::link(linker)
}
