//! `wit/socket.wit`, flat.

use wasmtime::{Linker, Result};

use crate::base::{Address, CallError};
use crate::node::Context;
use crate::wasm::flat::abi::guest;
use crate::wasm::flat::imports::From;
use crate::wasm::state::State;

const INTERFACE: &str = "wasmactor:actor/socket@0.1.0";

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    open(linker, "listen", Context::listen)?;
    open(linker, "connect", Context::connect)?;
    change(linker, "start", Context::start)?;
    change(linker, "pause", Context::pause)?;
    change(linker, "shutdown", Context::shutdown)?;
    change(linker, "close", Context::close)?;
    linker.func_wrap(INTERFACE, "write", |mut from: From<'_>, socket: u64, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        // Straight from the guest's memory into the kernel.
        let (data, state) = guest.bytes_and_state(at, length)?;
        let written = state.cx().write(socket, data);
        guest.number(result, written)
    })?;
    linker.func_wrap(INTERFACE, "give", |mut from: From<'_>, socket: u64, to: u64, result: u32| {
        let mut guest = guest(&mut from)?;
        let given = guest.state.cx().give(socket, Address::from_raw(to));
        guest.unit(result, given)
    })?;
    linker.func_wrap(INTERFACE, "local", |mut from: From<'_>, socket: u64, result: u32| {
        let mut guest = guest(&mut from)?;
        let local = guest.state.cx().local(socket);
        guest.list(result, local.map(Into::into))
    })?;
    Ok(())
}

/// From an address to a socket.
fn open(linker: &mut Linker<State>, item: &str, work: fn(&mut Context, &str) -> Result<u64, CallError>) -> Result<()> {
    linker.func_wrap(INTERFACE, item, move |mut from: From<'_>, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let address = guest.text(at, length)?;
        let opened = work(&mut guest.state.cx(), &address);
        guest.number(result, opened)
    })?;
    Ok(())
}

/// Something done to a socket.
fn change(linker: &mut Linker<State>, item: &str, work: fn(&mut Context, u64) -> Result<(), CallError>) -> Result<()> {
    linker.func_wrap(INTERFACE, item, move |mut from: From<'_>, socket: u64, result: u32| {
        let mut guest = guest(&mut from)?;
        let changed = work(&mut guest.state.cx(), socket);
        guest.unit(result, changed)
    })?;
    Ok(())
}
