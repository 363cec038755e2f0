//! What each command needs: operations on the stores, or a reply that is known here (for those see `local`).

use crate::local;
use crate::round::{Round, Step};
use crate::set;
use kv_resp::{Command, integer, reply};
use kv_wire::{Operation, Set};
use std::ops::RangeInclusive;

/// What the client said about itself.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: i64,
    /// Milliseconds since 1970.
    pub(crate) clock: fn() -> u64,
    pub(crate) name: Vec<u8>,
    /// It speaks RESP3 since its `HELLO 3`. Of our replies only null and maps differ.
    pub(crate) resp3: bool,
    /// It is to be closed when all is answered.
    pub(crate) leaves: bool,
}

impl Client {
    pub(crate) fn new(id: i64, clock: fn() -> u64) -> Self {
        Self { id, clock, name: Vec::new(), resp3: false, leaves: false }
    }
}

/// The longest name that we know, in bytes.
const NAME: usize = 8;

/// How many commands `arity` knows.
pub(crate) const COMMANDS: i64 = 20;

/// How many arguments a command takes, its name among them. None: we do not know it.
fn arity(name: &[u8]) -> Option<RangeInclusive<usize>> {
    const MANY: usize = usize::MAX;
    Some(match name {
        b"DBSIZE" => 1..=1,
        b"INCRBY" => 3..=3,
        b"PING" => 1..=2,
        b"COMMAND" | b"FLUSHALL" | b"HELLO" | b"INFO" | b"QUIT" => 1..=MANY,
        b"ECHO" | b"GET" | b"INCR" | b"KEYS" | b"SELECT" => 2..=2,
        b"CLIENT" | b"CONFIG" | b"DEL" | b"EXISTS" | b"MGET" => 2..=MANY,
        b"MSET" | b"SET" => 3..=MANY,
        _ => return None,
    })
}

/// Adds a command to a round.
pub(crate) fn plan(command: Command<'_>, client: &mut Client, round: &mut Round) {
    let mut buffer = [0; NAME];
    let name = upper(command.get(0), &mut buffer);
    match arity(name) {
        None => return round.local(|out| local::unknown(command, out)),
        Some(arity) if !arity.contains(&command.len()) => {
            return round.local(|out| local::wrong_arity(command.get(0), out));
        }
        Some(_) => {}
    }
    let one = if client.resp3 { Step::One3 } else { Step::One };
    match name {
        b"GET" => single(round, one, command.get(1), Operation::Get),
        b"INCR" => single(round, one, command.get(1), |key| Operation::Increment { key, by: 1 }),
        b"INCRBY" => match integer(command.get(2)) {
            Some(by) => single(round, one, command.get(1), |key| Operation::Increment { key, by }),
            None => round.local(|out| reply::error(out, set::NUMBER)),
        },
        b"SET" => match set::options(command, client.clock) {
            Ok(how) => {
                single(round, one, command.get(1), |key| Operation::Set { key, value: command.get(2), how });
            }
            Err(error) => round.local(|out| reply::error(out, error)),
        },
        b"MGET" => {
            round.step(Step::Array(command.len() - 1, client.resp3));
            command.from(1).for_each(|key| round.push(key, Operation::Get(key)));
        }
        b"MSET" => write_many(command, round),
        b"DEL" => {
            round.step(Step::Sum(command.len() - 1));
            command.from(1).for_each(|key| round.push(key, Operation::Delete(key)));
        }
        b"EXISTS" => {
            round.step(Step::Sum(command.len() - 1));
            command.from(1).for_each(|key| round.push(key, Operation::Exists(key)));
        }
        b"KEYS" => everywhere(round, Step::Joined(round.stores()), Operation::Keys(command.get(1))),
        b"DBSIZE" => everywhere(round, Step::Sum(round.stores()), Operation::Size),
        b"FLUSHALL" => flush(command, round),
        _ => round.local(|out| local::answer(name, command, client, out)),
    }
}

/// A name in capitals. What does not fit is a name that we do not know.
pub(crate) fn upper<'a>(name: &[u8], buffer: &'a mut [u8; NAME]) -> &'a [u8] {
    let Some(upper) = buffer.get_mut(..name.len()) else { return b"" };
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    upper
}

fn single<'a>(round: &mut Round, step: Step, key: &'a [u8], operation: impl FnOnce(&'a [u8]) -> Operation<'a>) {
    round.step(step);
    round.push(key, operation(key));
}

fn everywhere(round: &mut Round, step: Step, operation: Operation<'_>) {
    round.step(step);
    for store in 0..round.stores() {
        round.push_to(store, operation);
    }
}

fn write_many(command: Command<'_>, round: &mut Round) {
    if command.len().is_multiple_of(2) {
        return round.local(|out| local::wrong_arity(b"mset", out));
    }
    round.step(Step::Done(command.len() / 2));
    for index in (1..command.len()).step_by(2) {
        let (key, value) = (command.get(index), command.get(index + 1));
        round.push(key, Operation::Set { key, value, how: Set::default() });
    }
}

fn flush(command: Command<'_>, round: &mut Round) {
    let understood = match command.len() {
        1 => true,
        2 => [b"ASYNC".as_slice(), b"SYNC"].iter().any(|word| command.get(1).eq_ignore_ascii_case(word)),
        _ => false,
    };
    if understood {
        everywhere(round, Step::Done(round.stores()), Operation::Clear);
    } else {
        round.local(|out| reply::error(out, "ERR syntax error"));
    }
}
