//! Results of imports, written where the guest wants them. Used by the imports of flat modules.
//!
//! What a result allocates is left pending (see [`super::abi`]): the function then returns what it wants. Must hold: the
//! whole place of a result is there and aligned, or the guest traps.

use wasmtime::Result;

use crate::base::{CallError, Session};
use crate::wasm::flat::abi::{Bytes, Guest, NAMED, NOTHING, Names, Pending, Wanted, aligned, beyond, code, put, slice};

/// Results, by the address that the guest gives for them.
impl Guest<'_> {
    /// `result<_, error>`.
    pub(super) fn unit(&mut self, result: u32, outcome: Result<(), CallError>) -> Result<Wanted> {
        match outcome {
            Ok(()) => self.ok(result, 4, 16),
            Err(error) => self.error(result, 4, 16, error),
        }
    }

    /// `result<u64, error>`.
    pub(super) fn number(&mut self, result: u32, outcome: Result<u64, CallError>) -> Result<Wanted> {
        match outcome {
            Ok(number) => {
                self.ok(result, 8, 24)?;
                self.put(result + 8, &number.to_le_bytes())?;
                Ok(NOTHING)
            }
            Err(error) => self.error(result, 8, 24, error),
        }
    }

    /// `result<session, error>`.
    pub(super) fn session(&mut self, result: u32, outcome: Result<Session, CallError>) -> Result<Wanted> {
        self.number(result, outcome.map(|session| session.0))
    }

    /// `result<list<u8>, error>` and `result<string, error>`.
    pub(super) fn list(&mut self, result: u32, outcome: Result<Bytes, CallError>) -> Result<Wanted> {
        match outcome {
            Ok(bytes) => {
                self.ok(result, 4, 16)?;
                self.field(bytes, result + 4)
            }
            Err(error) => self.error(result, 4, 16, error),
        }
    }

    /// `option<u64>`.
    pub(super) fn option(&mut self, result: u32, number: Option<u64>) -> Result<()> {
        self.room(result, 8, 16)?;
        self.put(result, &[u8::from(number.is_some())])?;
        self.put(result + 8, &number.unwrap_or(0).to_le_bytes())
    }

    /// `option<string>`.
    pub(super) fn optional_text(&mut self, result: u32, text: Option<String>) -> Result<Wanted> {
        self.room(result, 4, 12)?;
        self.put(result, &[u8::from(text.is_some())])?;
        match text {
            Some(text) => self.field(text.into(), result + 4),
            None => Ok(NOTHING),
        }
    }

    /// `list<u8>` and `string`.
    pub(super) fn plain(&mut self, result: u32, bytes: Bytes) -> Result<Wanted> {
        self.room(result, 4, 8)?;
        self.field(bytes, result)
    }

    /// `list<tuple<string, u64>>`.
    pub(super) fn names(&mut self, result: u32, list: Vec<(String, u64)>) -> Result<Wanted> {
        self.room(result, 4, 8)?;
        let size = list.len() * NAMED as usize;
        let names = Names { list, field: result, at: None, next: 0 };
        self.state.crossing.want(Pending::Names(Box::new(names)), size, 8)
    }

    fn room(&self, at: u32, align: u32, length: usize) -> Result<()> {
        aligned(at, align)?;
        slice(self.bytes, at, length).map(drop)
    }

    fn ok(&mut self, result: u32, align: u32, length: usize) -> Result<Wanted> {
        self.room(result, align, length)?;
        self.put(result, &[0])?;
        Ok(NOTHING)
    }

    /// The case "error" of a result whose payload starts at its alignment: the code, then the reason.
    fn error(&mut self, result: u32, align: u32, length: usize, error: CallError) -> Result<Wanted> {
        self.room(result, align, length)?;
        self.put(result, &[1])?;
        self.put(result + align, &[code(error.code)])?;
        self.field(Bytes::Text(error.reason), result + align + 4)
    }

    fn field(&mut self, bytes: Bytes, field: u32) -> Result<Wanted> {
        let size = bytes.get().len();
        self.state.crossing.want(Pending::Field(bytes, field), size, 1)
    }

    fn put(&mut self, at: u32, bytes: &[u8]) -> Result<()> {
        put(self.bytes, at, bytes)
    }

    pub(super) fn fill_field(&mut self, at: u32, bytes: &[u8], field: u32) -> Result<()> {
        self.put(at, bytes).map_err(|_| beyond(at))?;
        self.put(field, &at.to_le_bytes())?;
        // It was wanted as 32 bits.
        self.put(field + 4, &u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes())
    }

    pub(super) fn fill_names(&mut self, at: u32, mut names: Names) -> Result<Wanted> {
        match names.at {
            None => {
                aligned(at, 8)?;
                self.room(at, 8, names.list.len() * NAMED as usize)?;
                self.put(names.field, &at.to_le_bytes())?;
                self.put(names.field + 4, &u32::try_from(names.list.len()).unwrap_or(u32::MAX).to_le_bytes())?;
                names.at = Some(at);
            }
            Some(list) => {
                let (name, address) = &names.list[names.next];
                // The list was wanted as 32 bits, and lies inside of the memory.
                let item = list + u32::try_from(names.next).unwrap_or(u32::MAX) * NAMED;
                self.fill_field(at, name.as_bytes(), item)?;
                self.put(item + 8, &address.to_le_bytes())?;
                names.next += 1;
            }
        }
        match names.list.get(names.next) {
            Some((name, _)) => {
                let size = name.len();
                self.state.crossing.want(Pending::Names(Box::new(names)), size, 1)
            }
            None => Ok(NOTHING),
        }
    }
}
