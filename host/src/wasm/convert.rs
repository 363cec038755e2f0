//! The host's words in the guest's, and back: messages, errors, causes, signals. Used by `instance` and the imports.
//!
//! Must hold: this is the one place that knows both; payloads move, they are not copied (a broadcast's shared bytes are
//! copied once for each receiver).

use crate::base::{Address, Body, CallError, Cause, ErrorCode, Message, Payload, Session, Signal, SocketEvent};
use crate::node::supervise::Decision;
use crate::wasm::bindings::exports::wasmactor::actor::handler;
use crate::wasm::bindings::wasmactor::actor::{lifecycle, socket, types};

/// A delivery as the guest sees it; `None` for `Sweep`, which is the host's own.
pub(super) fn event(message: Message) -> Option<handler::Event> {
    let Message { source, session, body } = message;
    let session = session.0;
    Some(match body {
        Body::Message { kind, payload, deadline: _ } => handler::Event::Message(handler::Message {
            source: source.raw(),
            session,
            kind,
            payload: payload.into_vec(),
        }),
        Body::Reply(outcome) => {
            handler::Event::Reply(handler::Reply { session, outcome: outcome.map(Payload::into_vec).map_err(error) })
        }
        Body::Spawned(outcome) => {
            handler::Event::Spawned(handler::Spawned { session, outcome: outcome.map(Address::raw).map_err(error) })
        }
        Body::Timeout => handler::Event::Timeout(session),
        Body::Socket { socket, event } => {
            handler::Event::Socket(handler::SocketNews { socket, event: socket_event(event) })
        }
        Body::Down { actor, cause: how, reason } => {
            handler::Event::Down(handler::Down { watch: session, actor: actor.raw(), cause: cause(how), reason })
        }
        Body::Signal(which) => handler::Event::Signal(signal(which)),
        Body::Sweep => return None,
    })
}

/// An error on its way to a guest.
pub(super) fn error(error: CallError) -> types::Error {
    let code = match error.code {
        ErrorCode::NoSuchActor => types::ErrorCode::NoSuchActor,
        ErrorCode::ActorFailed => types::ErrorCode::ActorFailed,
        ErrorCode::ActorExited => types::ErrorCode::ActorExited,
        ErrorCode::Refused => types::ErrorCode::Refused,
        ErrorCode::MailboxFull => types::ErrorCode::MailboxFull,
        ErrorCode::Deadline => types::ErrorCode::Deadline,
        ErrorCode::NodeLost => types::ErrorCode::NodeLost,
        ErrorCode::NotGranted => types::ErrorCode::NotGranted,
        ErrorCode::Cycle => types::ErrorCode::Cycle,
        ErrorCode::Invalid => types::ErrorCode::Invalid,
        ErrorCode::Io => types::ErrorCode::Io,
        ErrorCode::OverLimit => types::ErrorCode::OverLimit,
    };
    types::Error { code, reason: error.reason.into_owned() }
}

/// A session that the host gives out, or the error instead.
pub(super) fn session(outcome: Result<Session, CallError>) -> Result<u64, types::Error> {
    outcome.map(|session| session.0).map_err(error)
}

/// What a guest decides.
pub(super) fn decision_from(decision: lifecycle::Decision) -> Decision {
    match decision {
        lifecycle::Decision::Policy => Decision::Policy,
        lifecycle::Decision::Restart => Decision::Restart,
        lifecycle::Decision::End => Decision::End,
        lifecycle::Decision::GiveUp => Decision::GiveUp,
    }
}

/// A signal that a guest names.
pub(super) fn signal_from(signal: lifecycle::Signal) -> Signal {
    match signal {
        lifecycle::Signal::Stop => Signal::Stop,
        lifecycle::Signal::Hangup => Signal::Hangup,
        lifecycle::Signal::User1 => Signal::User1,
        lifecycle::Signal::User2 => Signal::User2,
    }
}

fn signal(signal: Signal) -> lifecycle::Signal {
    match signal {
        Signal::Stop => lifecycle::Signal::Stop,
        Signal::Hangup => lifecycle::Signal::Hangup,
        Signal::User1 => lifecycle::Signal::User1,
        Signal::User2 => lifecycle::Signal::User2,
    }
}

fn cause(cause: Cause) -> lifecycle::Cause {
    match cause {
        Cause::Exited => lifecycle::Cause::Exited,
        Cause::Failed => lifecycle::Cause::Failed,
        Cause::Killed => lifecycle::Cause::Killed,
        Cause::Stopped => lifecycle::Cause::Stopped,
        Cause::Gone => lifecycle::Cause::Gone,
    }
}

fn socket_event(event: SocketEvent) -> socket::SocketEvent {
    match event {
        SocketEvent::Connected(peer) => socket::SocketEvent::Connected(peer),
        SocketEvent::Accepted { socket, peer } => socket::SocketEvent::Accepted(socket::Accepted { socket, peer }),
        SocketEvent::Given(peer) => socket::SocketEvent::Given(peer),
        SocketEvent::Data(bytes) => socket::SocketEvent::Data(bytes.into_vec()),
        SocketEvent::End => socket::SocketEvent::End,
        SocketEvent::Closed(reason) => socket::SocketEvent::Closed(reason),
        SocketEvent::Backlog(bytes) => socket::SocketEvent::Backlog(bytes),
    }
}
