//! The incremental parser of requests. [`Parser::feed`] takes bytes as they come, [`Parser::next`] gives commands until
//! it needs more. Arguments are slices of the parser's buffer; when all before was used up, that is the very `Vec` that
//! was fed, so a request that comes in one piece is never copied here.
//!
//! Accepted is what Redis accepts: it does not look at the two bytes that end a bulk string, so neither do we.

use crate::{inline, number};
use thiserror::Error;

/// What a client may send. Redis' numbers, but for `bulk` (512 MB there) and `request`, which keep an actor small.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest argument, in bytes.
    pub bulk: usize,
    /// The most arguments of a command.
    pub arguments: usize,
    /// The longest line: an inline command, or a header of a multibulk one.
    pub line: usize,
    /// The longest command, in bytes.
    pub request: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bulk: 8 << 20, arguments: 1 << 20, line: 64 << 10, request: 32 << 20 }
    }
}

/// Why a request makes no sense, in Redis' words. The connection cannot go on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProtocolError {
    #[error("Protocol error: invalid multibulk length")]
    MultibulkLength,
    #[error("Protocol error: expected '$', got '{}'", char::from(*.0))]
    ExpectedDollar(u8),
    #[error("Protocol error: invalid bulk length")]
    BulkLength,
    #[error("Protocol error: too big inline request")]
    BigInline,
    #[error("Protocol error: too big mbulk count string")]
    BigMultibulkLine,
    #[error("Protocol error: too big bulk count string")]
    BigBulkLine,
    #[error("Protocol error: unbalanced quotes in request")]
    Quotes,
    /// Redis has no words for it: it just closes.
    #[error("Protocol error: too big request")]
    BigRequest,
}

/// Reads the requests of one connection.
#[derive(Debug, Default)]
pub struct Parser {
    limits: Limits,
    bytes: Vec<u8>,
    /// Where the command begins that is being read; what is before was given out.
    start: usize,
    /// What is before was understood.
    read: usize,
    /// From `read` to here there is no line end.
    searched: usize,
    /// Arguments that a multibulk command still lacks. 0: no command has begun.
    lacking: usize,
    /// The length of the argument that begins at `read`, if its header was read.
    bulk: Option<usize>,
    /// The arguments read so far: (place after `start`, length).
    arguments: Vec<(usize, usize)>,
    /// The command was given out; the next call begins another one.
    given: bool,
    failed: Option<ProtocolError>,
}

/// A command: one argument at least, the first is its name.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    bytes: &'a [u8],
    arguments: &'a [(usize, usize)],
}

impl<'a> Command<'a> {
    /// How many arguments, the name among them.
    #[expect(clippy::len_without_is_empty, reason = "a command always has a name")]
    pub fn len(self) -> usize {
        self.arguments.len()
    }

    /// An argument; 0 is the name. Panics if there is none.
    pub fn get(self, index: usize) -> &'a [u8] {
        let (start, length) = self.arguments[index];
        &self.bytes[start..start + length]
    }

    /// The arguments from an index on.
    pub fn from(self, first: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        let bytes = self.bytes;
        self.arguments[first..].iter().map(move |&(start, length)| &bytes[start..start + length])
    }
}

impl Parser {
    /// A parser with other limits than Redis'.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes bytes from the client. After a protocol error they are ignored.
    pub fn feed(&mut self, bytes: Vec<u8>) {
        if self.failed.is_some() {
            return;
        }
        self.forget_given();
        if self.start == self.bytes.len() {
            self.bytes = bytes;
            (self.start, self.read, self.searched) = (0, 0, 0);
            return;
        }
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.read -= self.start;
            self.searched = self.searched.saturating_sub(self.start);
            self.start = 0;
        }
        if let Some(length) = self.bulk {
            // A large value then grows its buffer once.
            let whole = self.read + length + 2;
            self.bytes.reserve_exact(whole.max(self.bytes.len() + bytes.len()) - self.bytes.len());
        }
        self.bytes.extend_from_slice(&bytes);
    }

    /// How many bytes were fed and not given out yet.
    pub fn buffered(&self) -> usize {
        self.rest().len()
    }

    /// The bytes that were fed and not given out yet: another parser that is fed them goes on here.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[if self.given { self.read } else { self.start }..]
    }

    /// The next whole command. None: it needs more bytes. An error is final.
    #[expect(clippy::should_implement_trait, reason = "what it gives borrows from the parser")]
    pub fn next(&mut self) -> Result<Option<Command<'_>>, ProtocolError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.forget_given();
        match self.advance() {
            Ok(false) => Ok(None),
            Ok(true) => {
                self.given = true;
                Ok(Some(Command { bytes: &self.bytes[self.start..self.read], arguments: &self.arguments }))
            }
            Err(error) => {
                self.failed = Some(error);
                (self.bytes, self.arguments) = (Vec::new(), Vec::new());
                (self.start, self.read) = (0, 0);
                Err(error)
            }
        }
    }

    fn forget_given(&mut self) {
        if self.given {
            self.given = false;
            self.begin();
        }
    }

    /// A command begins at `read`.
    fn begin(&mut self) {
        self.start = self.read;
        self.arguments.clear();
    }

    /// Reads on. True: a command with at least one argument is complete.
    fn advance(&mut self) -> Result<bool, ProtocolError> {
        while self.lacking == 0 {
            let begun = match self.bytes.get(self.read) {
                None => return Ok(false),
                Some(b'*') => self.multibulk_header()?,
                Some(_) => self.inline()?,
            };
            if !begun {
                return Ok(false);
            }
            if self.lacking == 0 {
                if !self.arguments.is_empty() {
                    return Ok(true);
                }
                // An empty command gets no answer.
                self.begin();
            }
        }
        while self.lacking > 0 {
            if !self.argument()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `*COUNT\r\n`
    fn multibulk_header(&mut self) -> Result<bool, ProtocolError> {
        let Some(end) = self.line(b'\r', 2, ProtocolError::BigMultibulkLine)? else { return Ok(false) };
        let count = number::integer(&self.bytes[self.read + 1..end]).ok_or(ProtocolError::MultibulkLength)?;
        // A negative count is an empty command.
        self.lacking = usize::try_from(count.max(0)).map_err(|_| ProtocolError::MultibulkLength)?;
        if self.lacking > self.limits.arguments {
            return Err(ProtocolError::MultibulkLength);
        }
        self.read = end + 2;
        Ok(true)
    }

    /// `$LENGTH\r\nBYTES\r\n`
    fn argument(&mut self) -> Result<bool, ProtocolError> {
        let length = match self.bulk {
            Some(length) => length,
            None => {
                let Some(end) = self.line(b'\r', 2, ProtocolError::BigBulkLine)? else { return Ok(false) };
                let line = &self.bytes[self.read..end];
                // An empty line: what is found instead is its end.
                let mark = line.first().copied().unwrap_or(b'\r');
                if mark != b'$' {
                    return Err(ProtocolError::ExpectedDollar(mark));
                }
                let length = number::integer(&line[1..]).and_then(|length| usize::try_from(length).ok());
                let length = length.filter(|length| *length <= self.limits.bulk).ok_or(ProtocolError::BulkLength)?;
                if end + 2 - self.start + length > self.limits.request {
                    return Err(ProtocolError::BigRequest);
                }
                self.read = end + 2;
                self.bulk = Some(length);
                length
            }
        };
        if self.bytes.len() - self.read < length + 2 {
            return Ok(false);
        }
        self.arguments.push((self.read - self.start, length));
        self.read += length + 2;
        self.bulk = None;
        self.lacking -= 1;
        Ok(true)
    }

    /// `WORD WORD\n`, with or without `\r`.
    fn inline(&mut self) -> Result<bool, ProtocolError> {
        let Some(end) = self.line(b'\n', 1, ProtocolError::BigInline)? else { return Ok(false) };
        let line = &mut self.bytes[self.start..end];
        let length = line.strip_suffix(b"\r").map_or(line.len(), <[u8]>::len);
        if !inline::split(&mut line[..length], &mut self.arguments) {
            return Err(ProtocolError::Quotes);
        }
        self.read = end + 1;
        Ok(true)
    }

    /// Where the line that begins at `read` has its end mark. None: not here yet, or not all of its `width` bytes.
    fn line(&mut self, mark: u8, width: usize, too_long: ProtocolError) -> Result<Option<usize>, ProtocolError> {
        let from = self.searched.max(self.read);
        let found = self.bytes[from..].iter().position(|byte| *byte == mark).map(|at| from + at);
        self.searched = found.unwrap_or(self.bytes.len());
        if self.searched - self.read > self.limits.line {
            return Err(too_long);
        }
        Ok(found.filter(|at| at + width <= self.bytes.len()))
    }
}

#[cfg(test)]
mod tests;
