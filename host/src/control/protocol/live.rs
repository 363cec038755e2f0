//! Answers about what goes on: who waits, why, each turn as it comes.

use serde::{Deserialize, Serialize};

use crate::control::protocol::{ActorRow, Caller, Running};

/// Who waits for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    pub waits: Vec<Wait>,
    /// Actors that did not come to a place where one can look into them: what they owe is not told.
    pub unseen: usize,
}

/// An actor waits for another one's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    pub from: Caller,
    pub on: Caller,
    /// It does nothing else meanwhile.
    pub exclusive: bool,
    /// The request is not begun: it waits in the mailbox.
    pub queued: bool,
    pub deadline_in_ms: Option<u64>,
    /// Who is waited for waits, by however many others, for who waits.
    pub cycle: bool,
}

/// Why an actor does not get on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    #[serde(flatten)]
    pub row: ActorRow,
    pub running: Option<Running>,
    /// How long its turn of now has lasted at least.
    pub turn_ms: Option<u64>,
    /// The guest's functions in this turn, the innermost first. Empty: it is between two turns, or did not come to a place
    /// where one can look.
    pub stack: Vec<String>,
    pub waits_on: Option<Caller>,
    /// Requests that it handles or holds, and answers that it waits for; none: not seen.
    pub open: Option<usize>,
    pub outstanding: Option<usize>,
    /// What it did while it was looked at: thousandths of a core, and messages.
    pub looked_ms: u64,
    pub cpu_permille: u64,
    pub handled: u64,
    /// How long some message has waited at least, if one is timed.
    pub waited_ms: Option<u64>,
    /// Who fills the mailbox with what, the most first, of so many messages looked at.
    pub senders: Vec<Sender>,
    pub of: usize,
}

/// Messages of one sender and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    pub from: Caller,
    /// `message`, `reply`, `timeout` …
    pub event: String,
    /// Of messages.
    pub kind: u32,
    pub count: usize,
}

/// A turn's begin, what it sends, or its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum TraceEvent {
    Begins {
        /// Since the host's start.
        at_us: u64,
        /// `message`, `reply`, `timeout` …
        event: String,
        from: Caller,
        /// Of what is awaited; 0: of nothing.
        session: u64,
        kind: u32,
        /// Bytes of the payload.
        length: u32,
        /// Messages behind this one.
        waiting: usize,
    },
    /// The actor sends, forwards or answers.
    Sends {
        at_us: u64,
        /// `message` or `reply`.
        event: String,
        to: Caller,
        session: u64,
        kind: u32,
        length: u32,
        /// False: it was refused, or waits for room.
        taken: bool,
    },
    /// The handler has returned, or waits.
    Ends { at_us: u64, ran_ns: u64 },
    /// So many events did not come, since the client did not read.
    Lost { events: u64 },
}

/// A mailbox at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxEvent {
    /// Since the host's start.
    pub at_us: u64,
    pub state: String,
    pub waiting: usize,
    /// Of those, what its worker has taken and not begun.
    pub taken: usize,
    pub bound: usize,
    pub held: usize,
    /// All that the actor was given so far.
    pub messages: u64,
}

/// What is logged now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLevels {
    pub host: String,
    pub guests: String,
    /// Those that have a level of their own.
    pub actors: Vec<LogLevel>,
}

/// An actor's own level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLevel {
    /// Its address, or what the manifest calls it.
    pub actor: String,
    pub level: String,
}

/// How a stream ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traced {
    pub events: u64,
    /// The actor has ended.
    pub ended: bool,
}
