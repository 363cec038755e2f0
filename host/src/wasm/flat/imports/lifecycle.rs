//! `wit/lifecycle.wit`, flat.

use wasmtime::{Linker, Result, bail};

use crate::base::{Address, Session, Signal};
use crate::node::supervise::Decision;
use crate::wasm::fault::over;
use crate::wasm::flat::abi::guest;
use crate::wasm::flat::imports::From;
use crate::wasm::state::State;

const INTERFACE: &str = "wasmactor:actor/lifecycle@0.1.0";

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        INTERFACE,
        "spawn",
        |mut from: From<'_>,
         module: u32,
         module_length: u32,
         named: u32,
         name: u32,
         name_length: u32,
         args: u32,
         args_length: u32,
         result: u32| {
            let mut guest = guest(&mut from)?;
            let module = guest.text(module, module_length)?;
            let name = guest.optional(named, name, name_length)?;
            let args = guest.payload(args, args_length)?;
            let spawned = guest.state.cx().spawn(&module, name.as_deref(), args);
            guest.session(result, spawned)
        },
    )?;
    linker.func_wrap(INTERFACE, "exit", |mut from: From<'_>, at: u32, length: u32| {
        let guest = guest(&mut from)?;
        let reason = guest.text(at, length)?;
        guest.state.cx().exit(reason);
        Ok(())
    })?;
    linker.func_wrap(INTERFACE, "kill", |mut from: From<'_>, target: u64, at: u32, length: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let reason = guest.text(at, length)?;
        let killed = guest.state.cx().kill(Address::from_raw(target), reason);
        guest.unit(result, killed)
    })?;
    linker.func_wrap(INTERFACE, "watch", |mut from: From<'_>, target: u64| {
        from.data_mut().cx().watch(Address::from_raw(target)).map(|session| session.0).map_err(over)
    })?;
    linker.func_wrap(INTERFACE, "unwatch", |mut from: From<'_>, watch: u64| {
        u32::from(from.data_mut().cx().unwatch(Session(watch)))
    })?;
    linker.func_wrap(INTERFACE, "link", |mut from: From<'_>, target: u64, result: u32| {
        let mut guest = guest(&mut from)?;
        let linked = guest.state.cx().link(Address::from_raw(target));
        guest.unit(result, linked)
    })?;
    linker.func_wrap(INTERFACE, "unlink", |mut from: From<'_>, target: u64| {
        u32::from(from.data_mut().cx().unlink(Address::from_raw(target)))
    })?;
    linker.func_wrap(INTERFACE, "decide", |mut from: From<'_>, watch: u64, which: u32, result: u32| {
        let mut guest = guest(&mut from)?;
        let decision = decision(which)?;
        let decided = guest.state.cx().decide(Session(watch), decision);
        guest.unit(result, decided)
    })?;
    linker.func_wrap(INTERFACE, "subscribe", |mut from: From<'_>, which: u32| {
        from.data_mut().cx().subscribe(signal(which)?);
        Ok(())
    })?;
    Ok(())
}

/// The enum of `wit/lifecycle.wit`.
fn decision(case: u32) -> Result<Decision> {
    Ok(match case {
        0 => Decision::Policy,
        1 => Decision::Restart,
        2 => Decision::End,
        3 => Decision::GiveUp,
        case => bail!("an unknown discriminant of a decision: {case}"),
    })
}

/// The enum of `wit/lifecycle.wit`.
fn signal(case: u32) -> Result<Signal> {
    Ok(match case {
        0 => Signal::Stop,
        1 => Signal::Hangup,
        2 => Signal::User1,
        3 => Signal::User2,
        case => bail!("an unknown discriminant of a signal: {case}"),
    })
}
