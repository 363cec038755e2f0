//! `wit/state.wit`, flat: `save`, `load` and `self-test` of a guest, by the exports that `rewrite` has kept. Used by the
//! behavior between two turns.
//!
//! `save` must leave an instance that goes on, even if it traps or never ends: so the guest's memory and globals are copied
//! before, and put back after a failure. With the copy, a store of examples/kv with 64 KiB of state pauses for 0.3 ms in all
//! (`cargo xtask bench reload`); pages of zeros are not copied. What cannot be put back is the length of the memory (the guest's allocator does not know of more) and
//! what it stored in tables, which no toolchain of ours does.
//!
//! Must hold: after a failed `save` the instance is as it was; what the guest passes is checked as everywhere; while its
//! allocator or a post-return runs the guest is sealed, as in `deliver`.

use wasmtime::{Error, Global, Instance, Memory, Result, Store, Val, WasmParams, WasmResults, bail, format_err};

use crate::wasm::contract::STATE;
use crate::wasm::entry::{Saved, Step};
use crate::wasm::evidence;
use crate::wasm::fault::fault;
use crate::wasm::flat::abi::{aligned, beyond, failure, put, slice};
use crate::wasm::flat::main::{INITIALIZE, REALLOC};
use crate::wasm::flat::rewrite::{GLOBALS, SEAL};
use crate::wasm::state::State;

/// Bytes of a `result<option<list<u8>>, string>`, and of a `result<_, string>`.
const SAVED: usize = 16;
const DONE: usize = 12;
/// What is looked at for zeros at a time.
const PAGE: usize = 4096;

/// One call of `state`.
pub(super) async fn call(store: &mut Store<State>, instance: Instance, step: Step<'_>) -> Result<Saved> {
    let mut guest = Guest { store, instance };
    match step {
        Step::Save(in_flight) => {
            let copy = match Before::of(&mut guest) {
                Ok(copy) => copy,
                Err(why) => return Ok(Err(why.to_string())),
            };
            let saved = guest.save(in_flight).await;
            saved.or_else(|error| {
                guest.leave_evidence(&error);
                copy.put_back(&mut guest)?;
                Ok(Err(fault(&error, &guest.store.data().limits).to_string()))
            })
        }
        Step::Load(state, version) => {
            if let Ok(initialize) = guest.instance.get_typed_func::<(), ()>(&mut *guest.store, INITIALIZE) {
                initialize.call_async(&mut *guest.store, ()).await?;
            }
            let (state, version) = (guest.bring(state).await?, guest.bring(version.as_bytes()).await?);
            guest.done("load", (state.0, state.1, version.0, version.1)).await
        }
        Step::SelfTest => guest.done("self-test", ()).await,
    }
}

struct Guest<'a> {
    store: &'a mut Store<State>,
    instance: Instance,
}

impl Guest<'_> {
    async fn call<P: WasmParams + Sync, R: WasmResults + Sync>(&mut self, export: &str, params: P) -> Result<R> {
        let function = self.instance.get_typed_func::<P, R>(&mut *self.store, export)?;
        function.call_async(&mut *self.store, params).await
    }

    /// A call of the allocator or of a post-return, in which the guest can call nothing.
    async fn sealed<P: WasmParams + Sync, R: WasmResults + Sync>(&mut self, export: &str, params: P) -> Result<R> {
        let seal = self.instance.get_global(&mut *self.store, SEAL).ok_or_else(|| format_err!("it has no seal"))?;
        seal.set(&mut *self.store, Val::I32(1))?;
        let returned = self.call(export, params).await?;
        seal.set(&mut *self.store, Val::I32(0))?;
        Ok(returned)
    }

    /// What is known of the trap, before the memory is put back.
    fn leave_evidence(&mut self, error: &Error) {
        let mut cx = self.store.data_mut().cx().take();
        evidence::leave(&mut cx, error, self.store, true);
        *self.store.data_mut().cx() = cx;
    }

    fn memory(&mut self) -> Result<Memory> {
        self.store.data().crossing.memory.ok_or_else(|| format_err!("it has no memory"))
    }

    /// Bytes into memory that the guest allocates: where they are, and how many.
    async fn bring(&mut self, bytes: &[u8]) -> Result<(u32, u32)> {
        let length = u32::try_from(bytes.len()).map_err(|_| format_err!("a state over 4 GiB"))?;
        let at: u32 = self.sealed(REALLOC, (0u32, 0u32, 1u32, length)).await?;
        let memory = self.memory()?;
        put(memory.data_mut(&mut *self.store), at, bytes).map_err(|_| beyond(at))?;
        Ok((at, length))
    }

    async fn save(&mut self, in_flight: u32) -> Result<Saved> {
        let at: u32 = self.call(&format!("{STATE}#save"), (in_flight,)).await?;
        aligned(at, 4)?;
        let memory = self.memory()?.data(&*self.store);
        let area = slice(memory, at, SAVED)?;
        let number = |at: usize| area[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let saved = match (area[0], area[4]) {
            (0, 0) => Ok(None),
            (0, 1) => Ok(Some(slice(memory, number(8), number(12) as usize)?.to_vec())),
            (0, case) => bail!("an unknown discriminant of an option: {case}"),
            _ => Err(failure(memory, at)?),
        };
        self.returned("save", at).await?;
        Ok(saved)
    }

    /// A call of a function that returns a `result<_, string>`.
    async fn done<P: WasmParams + Sync>(&mut self, item: &str, params: P) -> Result<Saved> {
        let at: u32 = self.call(&format!("{STATE}#{item}"), params).await?;
        aligned(at, 4)?;
        let memory = self.memory()?.data(&*self.store);
        let done = if slice(memory, at, DONE)?[0] == 0 { Ok(None) } else { Err(failure(memory, at)?) };
        self.returned(item, at).await?;
        Ok(done)
    }

    /// The post-return, if there is one.
    async fn returned(&mut self, item: &str, at: u32) -> Result<()> {
        let post = format!("cabi_post_{STATE}#{item}");
        if self.instance.get_func(&mut *self.store, &post).is_none() {
            return Ok(());
        }
        self.sealed(&post, (at,)).await
    }
}

/// A guest's memory and globals at one moment.
struct Before {
    memory: Vec<u8>,
    globals: Vec<(Global, Val)>,
}

impl Before {
    /// Errors: the host has no memory for it.
    fn of(guest: &mut Guest<'_>) -> Result<Self> {
        let memory = guest.memory()?.data(&*guest.store);
        let copy = zeros(memory.len())?;
        let mut copy = Self { memory: copy, globals: Vec::new() };
        for (from, to) in memory.chunks(PAGE).zip(copy.memory.chunks_mut(PAGE)) {
            if from.iter().any(|byte| *byte != 0) {
                to.copy_from_slice(from);
            }
        }
        let exports = guest.instance.exports(&mut *guest.store);
        let globals: Vec<Global> = exports
            .filter(|export| export.name().starts_with(GLOBALS))
            .filter_map(|export| export.into_global())
            .collect();
        copy.globals = globals.into_iter().map(|global| (global, global.get(&mut *guest.store))).collect();
        Ok(copy)
    }

    fn put_back(self, guest: &mut Guest<'_>) -> Result<()> {
        let memory = guest.memory()?.data_mut(&mut *guest.store);
        let (old, new) = memory.split_at_mut(self.memory.len());
        old.copy_from_slice(&self.memory);
        new.fill(0);
        for (global, value) in self.globals {
            global.set(&mut *guest.store, value)?;
        }
        guest.store.data_mut().crossing.forget();
        Ok(())
    }
}

/// Zeros as the operating system gives them.
fn zeros(length: usize) -> Result<Vec<u8>> {
    // `vec!` ends the process where there is no memory for it: so it is asked for before, which costs no pages.
    let mut there = Vec::<u8>::new();
    there.try_reserve_exact(length).map_err(|error| format_err!("no memory for a copy of its own: {error}"))?;
    drop(there);
    Ok(vec![0; length])
}
