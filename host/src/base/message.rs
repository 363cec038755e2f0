//! What a mailbox holds: everything that can reach an actor, from actors, timers, sockets, watches and signals.
//!
//! The variants are those of `wit/handler.wit`, and one that never reaches a guest (`Sweep`).

use crate::base::{Address, CallError, Payload, Session};

/// One delivery.
#[derive(Debug)]
pub struct Message {
    /// Who sent it; [`Address::HOST`] for what no actor sent.
    pub source: Address,
    /// Of a message: the request to answer, or none. Of the others: the receiver's own number for what it awaited.
    pub session: Session,
    pub body: Body,
}

/// Kind and content.
#[derive(Debug)]
pub enum Body {
    /// From another actor. `deadline` is in nanoseconds of the node's clock, 0 for none.
    Message { kind: u32, payload: Payload, deadline: u64 },
    /// The end of a request.
    Reply(Result<Payload, CallError>),
    /// The end of a spawn.
    Spawned(Result<Address, CallError>),
    /// A timer is due.
    Timeout,
    /// Something happened to a socket; for `Accepted` this is the listener.
    Socket { socket: u64, event: SocketEvent },
    /// A watched actor ended.
    Down { actor: Address, cause: Cause, reason: String },
    /// The host or an operator says something.
    Signal(Signal),
    /// Some deadline of the receiver may be over, or it is to be exchanged; handled by the host.
    Sweep,
}

impl Body {
    /// The event's name in `wit/handler.wit`, for warnings and traces.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Reply(_) => "reply",
            Self::Spawned(_) => "spawned",
            Self::Timeout => "timeout",
            Self::Socket { .. } => "socket",
            Self::Down { .. } => "down",
            Self::Signal(_) => "signal",
            Self::Sweep => "sweep",
        }
    }
}

/// See `wit/socket.wit`.
#[derive(Debug)]
pub enum SocketEvent {
    Connected(String),
    Accepted { socket: u64, peer: String },
    Given(String),
    Data(Payload),
    End,
    Closed(String),
    Backlog(u64),
}

/// How an actor ended; see `wit/lifecycle.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Exited,
    Failed,
    Killed,
    Stopped,
    Gone,
}

/// See `wit/lifecycle.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Stop,
    Hangup,
    User1,
    User2,
}
