//! Operations on keys, many in one message.

use std::fmt;

/// When a `Set` is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Condition {
    #[default]
    Always,
    /// `NX`
    IfAbsent,
    /// `XX`
    IfPresent,
}

/// How a `Set` is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Set {
    pub condition: Condition,
    /// Reply the old value instead of OK.
    pub get: bool,
    /// Keep the key's expiry.
    pub keep_expiry: bool,
    /// Milliseconds since 1970 when the key ends. None: never.
    pub expires: Option<u64>,
}

/// What is done to a store. The reply to each is what a Redis server would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// A string or null.
    Get(&'a [u8]),
    /// OK, null if the condition does not hold, or what `get` asks for.
    Set { key: &'a [u8], value: &'a [u8], how: Set },
    /// 1 or 0.
    Delete(&'a [u8]),
    /// 1 or 0.
    Exists(&'a [u8]),
    /// The new number, or an error.
    Increment { key: &'a [u8], by: i64 },
    /// An array of the keys that match this pattern.
    Keys(&'a [u8]),
    /// How many keys.
    Size,
    /// OK.
    Clear,
}

const GET: u8 = 1;
const SET: u8 = 2;
const DELETE: u8 = 3;
const EXISTS: u8 = 4;
const INCREMENT: u8 = 5;
const KEYS: u8 = 6;
const SIZE: u8 = 7;
const CLEAR: u8 = 8;

const IF_ABSENT: u8 = 1;
const IF_PRESENT: u8 = 2;
const GET_OLD: u8 = 4;
const KEEP_EXPIRY: u8 = 8;

/// A batch that is being written. `clear` keeps its memory for the next one.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
}

impl Batch {
    /// Appends an operation.
    pub fn push(&mut self, operation: Operation<'_>) {
        match operation {
            Operation::Get(key) => self.keyed(GET, key),
            Operation::Delete(key) => self.keyed(DELETE, key),
            Operation::Exists(key) => self.keyed(EXISTS, key),
            Operation::Keys(pattern) => self.keyed(KEYS, pattern),
            Operation::Size => self.keyed(SIZE, b""),
            Operation::Clear => self.keyed(CLEAR, b""),
            Operation::Set { key, value, how } => self.set(key, value, how),
            Operation::Increment { key, by } => {
                self.bytes.push(INCREMENT);
                self.length(key);
                self.bytes.extend_from_slice(&by.to_le_bytes());
                self.bytes.extend_from_slice(key);
            }
        }
    }

    /// One that was written before: its message.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The message.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Empties it. Memory that one large value took is given back.
    pub fn clear(&mut self) {
        const KEPT: usize = 64 << 10;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
    }

    fn keyed(&mut self, opcode: u8, key: &[u8]) {
        self.bytes.reserve(5 + key.len());
        self.bytes.push(opcode);
        self.length(key);
        self.bytes.extend_from_slice(key);
    }

    fn set(&mut self, key: &[u8], value: &[u8], how: Set) {
        self.bytes.reserve(18 + key.len() + value.len());
        self.bytes.push(SET);
        self.length(key);
        let condition = match how.condition {
            Condition::Always => 0,
            Condition::IfAbsent => IF_ABSENT,
            Condition::IfPresent => IF_PRESENT,
        };
        let get = if how.get { GET_OLD } else { 0 };
        let keep = if how.keep_expiry { KEEP_EXPIRY } else { 0 };
        self.bytes.push(condition | get | keep);
        self.bytes.extend_from_slice(&how.expires.unwrap_or(0).to_le_bytes());
        self.length(value);
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    fn length(&mut self, of: &[u8]) {
        // The parser's limits keep keys and values far below 4 GiB.
        let length = u32::try_from(of.len()).expect("keys and values are below 4 GiB");
        self.bytes.extend_from_slice(&length.to_le_bytes());
    }
}

/// The bytes are not a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed message")
    }
}

impl std::error::Error for Malformed {}

/// Reads a batch.
#[derive(Clone, Copy, Debug)]
pub struct Operations<'a> {
    rest: &'a [u8],
}

impl<'a> Operations<'a> {
    /// The operations in a message.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes were not read yet.
    pub fn unread(&self) -> usize {
        self.rest.len()
    }

    fn operation(&mut self) -> Option<Operation<'a>> {
        let [opcode] = *self.array()?;
        let key_length = self.length()?;
        if opcode == SET {
            let [flags] = *self.array()?;
            let expires = u64::from_le_bytes(*self.array()?);
            let value_length = self.length()?;
            let how = Set {
                condition: match flags & (IF_ABSENT | IF_PRESENT) {
                    0 => Condition::Always,
                    IF_ABSENT => Condition::IfAbsent,
                    IF_PRESENT => Condition::IfPresent,
                    _ => return None,
                },
                get: flags & GET_OLD != 0,
                keep_expiry: flags & KEEP_EXPIRY != 0,
                expires: (expires != 0).then_some(expires),
            };
            let (key, value) = (self.bytes(key_length)?, self.bytes(value_length)?);
            return Some(Operation::Set { key, value, how });
        }
        if opcode == INCREMENT {
            let by = i64::from_le_bytes(*self.array()?);
            return Some(Operation::Increment { key: self.bytes(key_length)?, by });
        }
        let key = self.bytes(key_length)?;
        Some(match opcode {
            GET => Operation::Get(key),
            DELETE => Operation::Delete(key),
            EXISTS => Operation::Exists(key),
            KEYS => Operation::Keys(key),
            SIZE => Operation::Size,
            CLEAR => Operation::Clear,
            _ => return None,
        })
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(bytes)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(*self.array()?)).ok()
    }
}

impl<'a> Iterator for Operations<'a> {
    type Item = Result<Operation<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let operation = self.operation().ok_or(Malformed);
        if operation.is_err() {
            self.rest = &[];
        }
        Some(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, Condition, Malformed, Operation, Operations, Set};

    #[test]
    fn what_is_written_is_read() {
        let how = Set { condition: Condition::IfPresent, get: true, keep_expiry: false, expires: Some(7) };
        let operations = [
            Operation::Get(b"a"),
            Operation::Set { key: b"k\0", value: b"", how: Set::default() },
            Operation::Set { key: b"", value: b"v\r\n", how },
            Operation::Delete(b"b"),
            Operation::Exists(b"c"),
            Operation::Increment { key: b"d", by: -2 },
            Operation::Keys(b"*"),
            Operation::Size,
            Operation::Clear,
        ];
        let mut batch = Batch::default();
        for operation in operations {
            batch.push(operation);
        }
        let read: Result<Vec<_>, _> = Operations::new(batch.bytes()).collect();
        assert_eq!(read.unwrap(), operations);
        // No cut of it makes the reader panic.
        for cut in 0..batch.bytes().len() {
            let _ = Operations::new(&batch.bytes()[..cut]).count();
        }
        let mut wrong = Operations::new(b"\x63\0\0\0\0");
        assert_eq!([wrong.next(), wrong.next()], [Some(Err(Malformed)), None]);
    }
}
