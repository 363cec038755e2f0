//! `wit/registry.wit`, flat.

use wasmtime::{Linker, Result};

use crate::wasm::flat::abi::guest;
use crate::wasm::flat::imports::From;
use crate::wasm::state::State;

const INTERFACE: &str = "wasmactor:actor/registry@0.1.0";

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(INTERFACE, "register", |mut from: From<'_>, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let name = guest.text(at, length)?;
        let registered = guest.state.cx().register(&name);
        guest.unit(result, registered)
    })?;
    linker.func_wrap(INTERFACE, "unregister", |mut from: From<'_>, at: u32, length: u32| {
        let guest = guest(&mut from)?;
        let name = guest.text(at, length)?;
        Ok(u32::from(guest.state.cx().unregister(&name)))
    })?;
    linker.func_wrap(INTERFACE, "lookup", |mut from: From<'_>, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let name = guest.text(at, length)?;
        let found = guest.state.cx().lookup(&name);
        guest.option(result, found.map(|address| address.raw()))
    })?;
    linker.func_wrap(INTERFACE, "list", |mut from: From<'_>, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let prefix = guest.text(at, length)?;
        let names = guest.state.cx().list(&prefix);
        guest.names(result, names.into_iter().map(|(name, address)| (name, address.raw())).collect())
    })?;
    Ok(())
}
