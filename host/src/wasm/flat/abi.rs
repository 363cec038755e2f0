//! The canonical ABI by hand: a guest's memory, and what is on its way into it. Used by the imports and by the behavior
//! of flat modules.
//!
//! Offsets and alignments are those of the canonical ABI for the types of `wit/` (component-model, CanonicalABI.md,
//! "Alignment", "Element Size"). Must hold: nothing that a guest passes is believed: each pointer and length is held
//! against the memory, each pointer against its alignment, text is checked, discriminants too; what is wrong traps the
//! guest, as it does in a component. While the guest's `cabi_realloc` or post-return runs, it can call nothing: see
//! [`super::rewrite`].

use std::borrow::Cow;

use wasmtime::{Caller, Memory, Result, bail, format_err};

use crate::base::{Address, ErrorCode, Payload};
use crate::sched::Letter;
use crate::wasm::flat::lower;
use crate::wasm::state::State;

/// What a wrapped import returns: the size (low half) and alignment (high half) that the guest is to allocate.
pub(super) type Wanted = i64;
/// Nothing.
pub(super) const NOTHING: Wanted = -1;

/// Bytes that one call may make the host copy: lists of strings could name the same bytes many times. As for components.
const LISTED: usize = crate::wasm::instance::HOSTCALL_BYTES;

/// The flat half of a store's state.
#[derive(Default)]
pub(in crate::wasm) struct Crossing {
    /// None until the instance is made: a start function has no memory to speak of, as in a component.
    pub(in crate::wasm) memory: Option<Memory>,
    view: View,
    pending: Pending,
}

/// Where the memory is, and its bytes: wasmtime finds that by four loads that wait for each other, which is a fifth of a
/// short import.
#[derive(Clone, Copy)]
struct View(*mut u8, usize);

#[expect(unsafe_code, reason = "the memory is its store's alone, and so is this")]
// SAFETY: it moves with the store, and is used only with the store in hand.
unsafe impl Send for View {}
#[expect(unsafe_code, reason = "as above")]
// SAFETY: nothing is done with a shared one.
unsafe impl Sync for View {}

impl Default for View {
    fn default() -> Self {
        Self(std::ptr::NonNull::dangling().as_ptr(), 0)
    }
}

/// What is waiting for the guest to allocate for it.
#[derive(Default)]
pub(super) enum Pending {
    #[default]
    Nothing,
    /// The bytes of an event, in their letter.
    Event(Letter),
    /// Bytes of a result, and where their address and length go.
    Field(Bytes, u32),
    /// A list of names with addresses.
    Names(Box<Names>),
}

/// What lists of bytes and strings are made of.
pub(in crate::wasm) enum Bytes {
    Payload(Payload),
    Text(Cow<'static, str>),
}

pub(super) struct Names {
    pub(super) list: Vec<(String, u64)>,
    /// Where the list's address and length go.
    pub(super) field: u32,
    /// The list, once it is there, and the name that comes next.
    pub(super) at: Option<u32>,
    pub(super) next: usize,
}

/// Bytes of a name with its address: `tuple<string, u64>`.
pub(super) const NAMED: u32 = 16;

impl Bytes {
    pub(super) fn get(&self) -> &[u8] {
        match self {
            Self::Payload(payload) => payload,
            Self::Text(text) => text.as_bytes(),
        }
    }
}

impl From<Payload> for Bytes {
    fn from(payload: Payload) -> Self {
        Self::Payload(payload)
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

fn wanted(size: usize, align: u32) -> Result<Wanted> {
    let size = u32::try_from(size).map_err(|_| format_err!("{size} bytes do not fit a 32-bit memory"))?;
    Ok(i64::from(align) << 32 | i64::from(size))
}

impl Crossing {
    /// Leaves an event's bytes for `deliver` to fetch.
    #[inline]
    pub(super) fn bring(&mut self, letter: Letter) {
        self.pending = Pending::Event(letter);
    }

    /// Nothing is on its way any more.
    pub(super) fn forget(&mut self) {
        self.pending = Pending::Nothing;
    }

    pub(super) fn want(&mut self, pending: Pending, size: usize, align: u32) -> Result<Wanted> {
        self.pending = pending;
        wanted(size, align)
    }
}

/// A guest's memory with the store's state beside it, for one import.
pub(super) struct Guest<'a> {
    pub(super) bytes: &'a mut [u8],
    pub(super) state: &'a mut State,
}

/// The way in for every import; those that need no memory use the store's data as it is.
#[inline]
#[expect(unsafe_code, reason = "a guest's memory is no Rust object")]
pub(super) fn guest<'a>(caller: &'a mut Caller<'_, State>) -> Result<Guest<'a>> {
    if caller.data().limits.grown {
        return look(caller);
    }
    let state = caller.data_mut();
    let View(at, size) = state.crossing.view;
    // SAFETY: `look` saw the memory there with this size. A memory lives as long as its store, which is borrowed, and moves
    // or grows only after `Limits::memory_growing` was asked, which sets `grown`. The guest does not run meanwhile, and its
    // memory is no part of the state.
    let bytes = unsafe { std::slice::from_raw_parts_mut(at, size) };
    Ok(Guest { bytes, state })
}

/// Finds the memory.
#[cold]
fn look<'a>(caller: &'a mut Caller<'_, State>) -> Result<Guest<'a>> {
    let Some(memory) = caller.data().crossing.memory else {
        bail!("the guest calls the host before it is instantiated");
    };
    let (bytes, state) = memory.data_and_store_mut(caller);
    state.crossing.view = View(bytes.as_mut_ptr(), bytes.len());
    state.limits.grown = false;
    Ok(Guest { bytes, state })
}

/// The import `filled`: the guest has allocated what was wanted.
pub(super) fn filled(mut caller: Caller<'_, State>, at: u32) -> Result<Wanted> {
    let mut guest = guest(&mut caller)?;
    // The usual case, where nothing is moved once more.
    if let Pending::Event(letter) = &guest.state.crossing.pending {
        put(guest.bytes, at, lower::bytes(letter)).map_err(|_| beyond(at))?;
        guest.state.crossing.pending = Pending::Nothing;
        return Ok(NOTHING);
    }
    match std::mem::take(&mut guest.state.crossing.pending) {
        Pending::Field(bytes, field) => guest.fill_field(at, bytes.get(), field)?,
        Pending::Names(names) => return guest.fill_names(at, *names),
        Pending::Event(_) | Pending::Nothing => bail!("an allocation that nobody asked for"),
    }
    Ok(NOTHING)
}

/// The import `sealed`: the guest called something while it may call nothing.
pub(super) fn sealed() -> Result<()> {
    bail!("cannot leave the guest: it calls the host from its allocator or its post-return")
}

/// Bytes of a `result<_, string>`.
pub(super) const RESULT: u32 = 12;

/// The text of a failed `init` or `handle`, whose result is at `result`: a `result<_, string>` that is not "ok".
pub(super) fn failure(memory: &[u8], result: u32) -> Result<String> {
    aligned(result, 4)?;
    let area: &[u8; RESULT as usize] = area(memory, result)?;
    if area[0] != 1 {
        bail!("an unknown discriminant of a result: {}", area[0]);
    }
    let number = |at: usize| u32::from_le_bytes([area[at], area[at + 1], area[at + 2], area[at + 3]]);
    Ok(text(memory, number(4), number(8))?.to_owned())
}

fn area<const N: usize>(memory: &[u8], at: u32) -> Result<&[u8; N]> {
    slice(memory, at, N).map(|bytes| bytes.first_chunk().unwrap_or(&[0; N]))
}

pub(super) fn slice(memory: &[u8], at: u32, length: usize) -> Result<&[u8]> {
    let part = memory.get(at as usize..).and_then(|rest| rest.get(..length));
    part.ok_or_else(|| outside(at, length))
}

fn text(memory: &[u8], at: u32, length: u32) -> Result<&str> {
    std::str::from_utf8(slice(memory, at, length as usize)?)
        .map_err(|error| format_err!("a string is not UTF-8: {error}"))
}

#[cold]
fn outside(at: u32, length: usize) -> wasmtime::Error {
    format_err!("a pointer out of bounds: {length} bytes at {at:#x}")
}

/// Writes into a guest's memory.
pub(super) fn put(memory: &mut [u8], at: u32, bytes: &[u8]) -> Result<()> {
    let part = memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..bytes.len()));
    part.ok_or_else(|| outside(at, bytes.len()))?.copy_from_slice(bytes);
    Ok(())
}

#[cold]
pub(super) fn beyond(at: u32) -> wasmtime::Error {
    format_err!("the guest's allocator gives {at:#x}: beyond end of memory")
}

pub(super) fn aligned(at: u32, align: u32) -> Result<()> {
    if at & (align - 1) != 0 {
        bail!("a pointer that is not aligned to {align}: {at:#x}");
    }
    Ok(())
}

/// Arguments.
impl Guest<'_> {
    /// A `list<u8>`, and the state beside it.
    pub(super) fn bytes_and_state(&mut self, at: u32, length: u32) -> Result<(&[u8], &mut State)> {
        Ok((slice(self.bytes, at, length as usize)?, self.state))
    }

    /// The same as a payload.
    #[inline(always)]
    pub(super) fn payload(&self, at: u32, length: u32) -> Result<Payload> {
        let length = length as usize;
        Payload::part_of(self.bytes, at as usize, length).ok_or_else(|| outside(at, length))
    }

    /// A `string`.
    pub(super) fn text(&self, at: u32, length: u32) -> Result<String> {
        text(self.bytes, at, length).map(str::to_owned)
    }

    /// An `option<string>`.
    pub(super) fn optional(&self, case: u32, at: u32, length: u32) -> Result<Option<String>> {
        match case {
            0 => Ok(None),
            1 => self.text(at, length).map(Some),
            case => bail!("an unknown discriminant of an option: {case}"),
        }
    }

    /// A `list<u64>` of addresses.
    pub(super) fn addresses(&self, at: u32, length: u32) -> Result<Vec<Address>> {
        aligned(at, 8)?;
        let bytes = slice(self.bytes, at, length as usize * 8)?;
        Ok(bytes.as_chunks().0.iter().map(|raw| Address::from_raw(u64::from_le_bytes(*raw))).collect())
    }

    /// A `list<tuple<string, string>>`.
    pub(super) fn pairs(&self, at: u32, length: u32) -> Result<Vec<(String, String)>> {
        aligned(at, 4)?;
        let items = slice(self.bytes, at, length as usize * 16)?;
        let mut budget = LISTED;
        let mut spent = |length: u32| {
            budget =
                budget.checked_sub(length as usize + 64).ok_or_else(|| format_err!("a list over {LISTED} bytes"))?;
            Ok::<_, wasmtime::Error>(())
        };
        let mut pairs = Vec::new();
        for item in items.as_chunks::<16>().0 {
            let number = |at: usize| u32::from_le_bytes([item[at], item[at + 1], item[at + 2], item[at + 3]]);
            let [key, key_length, value, value_length] = [0, 4, 8, 12].map(number);
            spent(key_length)?;
            spent(value_length)?;
            pairs.push((self.text(key, key_length)?, self.text(value, value_length)?));
        }
        Ok(pairs)
    }
}

/// The place of a code in the enum of `wit/types.wit`.
pub(super) fn code(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::NoSuchActor => 0,
        ErrorCode::ActorFailed => 1,
        ErrorCode::ActorExited => 2,
        ErrorCode::Refused => 3,
        ErrorCode::MailboxFull => 4,
        ErrorCode::Deadline => 5,
        ErrorCode::NodeLost => 6,
        ErrorCode::NotGranted => 7,
        ErrorCode::Cycle => 8,
        ErrorCode::Invalid => 9,
        ErrorCode::Io => 10,
        ErrorCode::OverLimit => 11,
    }
}
