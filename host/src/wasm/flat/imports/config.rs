//! `wit/config.wit`, flat.

use wasmtime::{Linker, Result};

use crate::base::Payload;
use crate::wasm::flat::abi::{Bytes, guest};
use crate::wasm::flat::imports::From;
use crate::wasm::state::State;

const INTERFACE: &str = "wasmactor:actor/config@0.1.0";

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(INTERFACE, "args", |mut from: From<'_>, result: u32| {
        let mut guest = guest(&mut from)?;
        let args = Payload::from(guest.state.cx().args());
        guest.plain(result, Bytes::Payload(args))
    })?;
    linker.func_wrap(INTERFACE, "env", |mut from: From<'_>, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let key = guest.text(at, length)?;
        let value = guest.state.cx().env(&key);
        guest.optional_text(result, value)
    })?;
    linker.func_wrap(INTERFACE, "name", |mut from: From<'_>, result: u32| {
        let mut guest = guest(&mut from)?;
        let name = guest.state.cx().name().to_owned();
        guest.plain(result, name.into())
    })?;
    linker.func_wrap(INTERFACE, "index", |mut from: From<'_>| from.data_mut().cx().index())?;
    Ok(())
}
