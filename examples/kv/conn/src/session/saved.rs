//! A session as data and back, for a connection that goes on in another version: what the client said about itself, bytes that
//! make no command yet, and the round that is under way, with the requests that are.

use super::Session;
use crate::commands::Client;
use crate::round::{self, Round};
use kv_resp::Parser;
use serde::{Deserialize, Serialize};
use wasmactor_sdk::Bytes;

/// A session.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    unread: Bytes,
    id: i64,
    name: Bytes,
    resp3: bool,
    leaves: bool,
    round: round::Saved,
    awaited: usize,
    blocked: bool,
    reading: bool,
    ended: bool,
    closed: bool,
}

impl Session {
    /// Between two events.
    pub(crate) fn save(&self) -> Saved {
        Saved {
            unread: Bytes(self.parser.rest().to_vec()),
            id: self.client.id,
            name: Bytes(self.client.name.clone()),
            resp3: self.client.resp3,
            leaves: self.client.leaves,
            round: self.round.save(),
            awaited: self.awaited,
            blocked: self.blocked,
            reading: self.reading,
            ended: self.ended,
            closed: self.closed,
        }
    }

    /// None: that is no session.
    pub(crate) fn load(saved: Saved, clock: fn() -> u64) -> Option<Self> {
        let mut parser = Parser::default();
        parser.feed(saved.unread.0);
        let Saved { id, resp3, leaves, awaited, blocked, reading, ended, closed, .. } = saved;
        let client = Client { name: saved.name.0, resp3, leaves, ..Client::new(id, clock) };
        let round = Round::load(saved.round)?;
        Some(Self { parser, client, round, awaited, blocked, reading, ended, closed })
    }
}
