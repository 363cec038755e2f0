//! `wit/messaging.wit`, flat.

use wasmtime::{Linker, Result};

use crate::base::{Address, Session};
use crate::wasm::flat::abi::guest;
use crate::wasm::flat::imports::From;
use crate::wasm::state::State;

const INTERFACE: &str = "wasmactor:actor/messaging@0.1.0";

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(INTERFACE, "self", |mut from: From<'_>| from.data_mut().cx().address().raw())?;
    linker.func_wrap(
        INTERFACE,
        "send",
        |mut from: From<'_>, to: u64, kind: u32, at: u32, length: u32, result: u32| {
            let mut guest = guest(&mut from)?;
            let payload = guest.payload(at, length)?;
            let sent = guest.state.cx().send(Address::from_raw(to), kind, payload);
            guest.unit(result, sent)
        },
    )?;
    linker.func_wrap(
        INTERFACE,
        "broadcast",
        |mut from: From<'_>, to: u32, count: u32, kind: u32, at: u32, length: u32| {
            let guest = guest(&mut from)?;
            let (to, payload) = (guest.addresses(to, count)?, guest.payload(at, length)?);
            Ok(guest.state.cx().broadcast(&to, kind, payload))
        },
    )?;
    linker.func_wrap(
        INTERFACE,
        "request",
        |mut from: From<'_>, to: u64, kind: u32, at: u32, length: u32, timeout: u32, within: u64, result: u32| {
            let mut guest = guest(&mut from)?;
            let payload = guest.payload(at, length)?;
            let sent = guest.state.cx().request(Address::from_raw(to), kind, payload, timeout, Session(within));
            guest.session(result, sent)
        },
    )?;
    linker.func_wrap(INTERFACE, "cancel", |mut from: From<'_>, request: u64| {
        u32::from(from.data_mut().cx().cancel(Session(request)))
    })?;
    linker.func_wrap(INTERFACE, "ret", |mut from: From<'_>, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let payload = guest.payload(at, length)?;
        let answered = guest.state.cx().ret(payload);
        guest.unit(result, answered)
    })?;
    linker.func_wrap(INTERFACE, "defer", |mut from: From<'_>, result: u32| {
        let mut guest = guest(&mut from)?;
        let deferred = guest.state.cx().defer();
        guest.session(result, deferred)
    })?;
    linker.func_wrap(INTERFACE, "reply", |mut from: From<'_>, request: u64, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let payload = guest.payload(at, length)?;
        let answered = guest.state.cx().reply(Session(request), payload);
        guest.unit(result, answered)
    })?;
    linker.func_wrap(INTERFACE, "reject", |mut from: From<'_>, request: u64, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let reason = guest.text(at, length)?;
        let rejected = guest.state.cx().reject(Session(request), reason);
        guest.unit(result, rejected)
    })?;
    linker.func_wrap(
        INTERFACE,
        "forward",
        |mut from: From<'_>, request: u64, to: u64, kind: u32, at: u32, length: u32, result: u32| {
            let mut guest = guest(&mut from)?;
            let payload = guest.payload(at, length)?;
            let forwarded = guest.state.cx().forward(Session(request), Address::from_raw(to), kind, payload);
            guest.unit(result, forwarded)
        },
    )?;
    linker.func_wrap(INTERFACE, "remaining", |mut from: From<'_>, request: u64, result: u32| {
        let mut guest = guest(&mut from)?;
        let remaining = guest.state.cx().remaining(Session(request));
        guest.option(result, remaining)
    })?;
    Ok(())
}
