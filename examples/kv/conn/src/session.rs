//! What a connection does, without actor and socket: bytes and answers come in, an [`Io`] takes what has to happen.
//!
//! Commands run in *rounds*. A round is all commands that are complete when it begins (up to [`ROUND`] bytes): each store
//! that they touch gets one request with its operations, and when all have answered, the replies go out in the commands'
//! order by one write. Bytes that come meanwhile make the next round.
//!
//! What always holds:
//! 1. Replies go out in the order of the commands. What a later command sees was done by the earlier ones: operations on
//!    one key all go to one store, in order, and commands on all keys go to every store, each in its place.
//! 2. Nothing grows without bound. While [`BACKLOG`] bytes wait for a client that does not read, no round begins or goes
//!    on, and no more is read once [`BUFFER`] bytes wait to be understood.
//! 3. A store that fails spoils the replies of its commands in this round, nothing else.

mod saved;

use crate::commands::{self, Client};
use crate::round::Round;
use kv_resp::{Parser, reply};
pub(crate) use saved::Saved;

/// A round takes no more commands once its requests have so many bytes.
const ROUND: usize = 1 << 20;

/// So many unsent bytes stop the rounds until all is sent. Clients like to send a whole pipeline before they read: with
/// less room those that ask for large values would wait for us while we wait for them. (Not below 1 MiB, from where on the
/// host tells of a backlog and of its end.)
const BACKLOG: u64 = 32 << 20;

/// So many bytes may wait while a round is under way.
const BUFFER: usize = 1 << 20;

/// What a session needs from the world.
pub(crate) trait Io {
    /// Sends a batch to a store; [`Session::answer`] follows. An error means that it does not.
    fn request(&mut self, store: usize, batch: &[u8]) -> Result<(), String>;
    /// Sends bytes to the client. Returns how many wait to be sent now.
    fn write(&mut self, bytes: &[u8]) -> u64;
    /// Lets bytes come in, or not.
    fn read(&mut self, on: bool);
    /// Sends what waits, then closes.
    fn close(&mut self);
}

/// One connection's state.
#[derive(Debug)]
pub(crate) struct Session {
    parser: Parser,
    client: Client,
    round: Round,
    /// Requests without an answer.
    awaited: usize,
    /// Too much waits to be sent.
    blocked: bool,
    reading: bool,
    /// The client sends no more.
    ended: bool,
    closed: bool,
}

impl Session {
    /// A new connection to so many stores. `id` is what `CLIENT ID` says, `clock` gives milliseconds since 1970.
    pub(crate) fn new(stores: usize, id: i64, clock: fn() -> u64) -> Self {
        Self {
            parser: Parser::default(),
            client: Client::new(id, clock),
            round: Round::new(stores),
            awaited: 0,
            blocked: false,
            reading: true,
            ended: false,
            closed: false,
        }
    }

    /// Bytes from the client.
    pub(crate) fn data(&mut self, bytes: Vec<u8>, io: &mut impl Io) {
        if !self.client.leaves {
            self.parser.feed(bytes);
        }
        self.proceed(io);
    }

    /// The end of a request to a store.
    pub(crate) fn answer(&mut self, store: usize, outcome: Result<Vec<u8>, String>, io: &mut impl Io) {
        self.awaited -= 1;
        self.round.answer(store, outcome);
        self.proceed(io);
    }

    /// All is sent.
    pub(crate) fn drained(&mut self, io: &mut impl Io) {
        self.blocked = false;
        self.proceed(io);
    }

    /// The client sends no more; what it sent is still answered.
    pub(crate) fn end(&mut self, io: &mut impl Io) {
        self.ended = true;
        self.proceed(io);
    }

    fn proceed(&mut self, io: &mut impl Io) {
        while self.awaited == 0 && !self.closed {
            let waiting = self.round.write_ready(|bytes| io.write(bytes));
            self.blocked |= waiting >= BACKLOG;
            if self.round.is_over() && self.client.leaves {
                self.close(io);
                break;
            }
            if self.blocked {
                break;
            }
            if self.round.is_over() {
                self.begin_round();
                if self.round.is_over() {
                    if self.ended {
                        self.close(io);
                    }
                    break;
                }
            }
            self.awaited = self.round.send(|store, batch| io.request(store, batch));
        }
        let waits_for_bytes = self.round.is_over() && !self.blocked;
        let read = waits_for_bytes || self.parser.buffered() < BUFFER;
        if read != self.reading && !self.closed && !self.ended {
            self.reading = read;
            io.read(read);
        }
    }

    fn begin_round(&mut self) {
        self.round.clear();
        while self.round.size() < ROUND && !self.client.leaves {
            match self.parser.next() {
                Ok(Some(command)) => commands::plan(command, &mut self.client, &mut self.round),
                Ok(None) => break,
                Err(error) => {
                    self.round.local(|out| reply::error(out, format!("ERR {error}")));
                    self.client.leaves = true;
                }
            }
        }
    }

    fn close(&mut self, io: &mut impl Io) {
        self.closed = true;
        io.close();
    }
}

#[cfg(test)]
mod tests;
