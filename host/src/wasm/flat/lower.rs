//! A delivery as the parameters of `deliver`. Used by the behavior of flat modules.
//!
//! The values are those of `event` in `wit/handler.wit`, flattened as the canonical ABI does it: the case, then five that
//! all cases share. Every case has at most one list or string, whose address is the third or the fourth of the five.

use crate::base::{Body, CallError, Cause, Message, Signal, SocketEvent};
use crate::wasm::flat::abi::code;
use crate::wasm::flat::rewrite::mode;

/// The parameters of `deliver` without the length of the bytes: what to do, the event's case, its first three values.
pub(in crate::wasm) type Entry = (i32, u32, u64, u64, u64);

/// An event on its way in.
pub(super) struct Lowered<'a> {
    pub(super) entry: Entry,
    pub(super) bytes: Option<&'a [u8]>,
}

fn bare(case: u32, a: u64, b: u64, c: u64) -> Lowered<'static> {
    Lowered { entry: (mode::BARE, case, a, b, c), bytes: None }
}

fn early(case: u32, a: u64, b: u64, bytes: &[u8]) -> Lowered<'_> {
    Lowered { entry: (mode::EARLY, case, a, b, 0), bytes: Some(bytes) }
}

fn late(case: u32, a: u64, b: u64, c: u64, bytes: &[u8]) -> Lowered<'_> {
    Lowered { entry: (mode::LATE, case, a, b, c), bytes: Some(bytes) }
}

/// The case of a result.
const OK: u64 = 0;
const ERROR: u64 = 1;

fn failed(case: u32, session: u64, error: &CallError) -> Lowered<'_> {
    late(case, session, ERROR, u64::from(code(error.code)), error.reason.as_bytes())
}

/// None: the host's own affair.
#[inline]
pub(super) fn event(message: &Message) -> Option<Lowered<'_>> {
    let Message { source, session, body } = message;
    let session = session.0;
    Some(match body {
        Body::Message { kind, payload, deadline: _ } => late(0, source.raw(), session, u64::from(*kind), payload),
        Body::Reply(Ok(payload)) => early(1, session, OK, payload),
        Body::Reply(Err(error)) => failed(1, session, error),
        Body::Spawned(Ok(address)) => bare(2, session, OK, address.raw()),
        Body::Spawned(Err(error)) => failed(2, session, error),
        Body::Timeout => bare(3, session, 0, 0),
        Body::Socket { socket, event } => match event {
            SocketEvent::Connected(peer) => early(4, *socket, 0, peer.as_bytes()),
            SocketEvent::Accepted { socket: new, peer } => late(4, *socket, 1, *new, peer.as_bytes()),
            SocketEvent::Given(peer) => early(4, *socket, 2, peer.as_bytes()),
            SocketEvent::Data(bytes) => early(4, *socket, 3, bytes),
            SocketEvent::End => bare(4, *socket, 4, 0),
            SocketEvent::Closed(reason) => early(4, *socket, 5, reason.as_bytes()),
            SocketEvent::Backlog(bytes) => bare(4, *socket, 6, *bytes),
        },
        Body::Down { actor, cause: how, reason } => late(5, session, actor.raw(), cause(*how), reason.as_bytes()),
        Body::Signal(which) => bare(6, signal(*which), 0, 0),
        Body::Sweep => return None,
    })
}

/// The bytes of an event, if there are any.
pub(super) fn bytes(message: &Message) -> &[u8] {
    event(message).and_then(|lowered| lowered.bytes).unwrap_or_default()
}

fn cause(cause: Cause) -> u64 {
    match cause {
        Cause::Exited => 0,
        Cause::Failed => 1,
        Cause::Killed => 2,
        Cause::Stopped => 3,
        Cause::Gone => 4,
    }
}

fn signal(signal: Signal) -> u64 {
    match signal {
        Signal::Stop => 0,
        Signal::Hangup => 1,
        Signal::User1 => 2,
        Signal::User2 => 3,
    }
}
