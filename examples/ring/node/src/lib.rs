//! One actor of a ring: it hands the token to the next one until the token has no hops left, then sends it home.

use serde::{Deserialize, Serialize};
use wasmactor_sdk::exclusive::Actor;
use wasmactor_sdk::{Address, Reply, Result, Sender, actor, done, exit, fail};

#[derive(Serialize, Deserialize)]
enum Message {
    /// Who comes next in the ring.
    Next(Address),
    /// It made `hops` and has `left` to go; then `home` wants it.
    Token {
        hops: u64,
        left: u64,
        home: Address,
    },
    Stop,
}

#[derive(Serialize)]
struct Home {
    hops: u64,
}

struct Node {
    next: Option<Address>,
}

impl Actor for Node {
    type Args = ();
    type Message = Message;

    fn init((): ()) -> Result<Self> {
        Ok(Self { next: None })
    }

    fn handle(&mut self, message: Message, _from: &Sender) -> Result<Reply> {
        match message {
            Message::Next(next) => self.next = Some(next),
            Message::Token { hops, left: 0, home } => home.send(&Home { hops })?,
            Message::Token { hops, left, home } => {
                let Some(next) = self.next else { fail!("a token came before the ring was closed") };
                next.send(&Message::Token { hops: hops + 1, left: left - 1, home })?;
            }
            Message::Stop => exit("the ring is done"),
        }
        done()
    }
}

actor!(Node);
