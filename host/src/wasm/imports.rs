//! What guests can call. One file for each interface of `wit/`; each function is a few lines over the node's `Context`.
//!
//! Must hold: nothing here decides anything (grants, bounds and sessions are the node's), nothing here traps or panics
//! whatever the guest passes, and only `blocking` suspends.

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

pub(super) use blocking::mixed_up;
use wasmtime::Result;
use wasmtime::component::{HasSelf, Linker};

use crate::wasm::bindings::wasmactor::actor;
use crate::wasm::state::State;

impl actor::types::Host for State {}

/// Links everything that never suspends: the world `interleaved`.
pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    actor::types::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    actor::messaging::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    actor::lifecycle::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    actor::registry::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    actor::timer::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    actor::socket::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    actor::log::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    actor::config::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    actor::random::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    actor::control::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

/// Links what suspends.
pub(super) fn link_blocking(linker: &mut Linker<State>) -> Result<()> {
    actor::blocking::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}
