//! Events and errors as words.

use crate::bindings::exports::wasmactor::actor::handler::Event;
use crate::bindings::wasmactor::actor::lifecycle::{Cause, Signal};
use crate::bindings::wasmactor::actor::socket::SocketEvent;
use crate::bindings::wasmactor::actor::types::{Error, ErrorCode};

pub(crate) fn code(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NoSuchActor => "!no-such-actor",
        ErrorCode::ActorFailed => "!actor-failed",
        ErrorCode::ActorExited => "!actor-exited",
        ErrorCode::Refused => "!refused",
        ErrorCode::MailboxFull => "!mailbox-full",
        ErrorCode::Deadline => "!deadline",
        ErrorCode::NodeLost => "!node-lost",
        ErrorCode::NotGranted => "!not-granted",
        ErrorCode::Cycle => "!cycle",
        ErrorCode::Invalid => "!invalid",
        ErrorCode::Io => "!io",
        ErrorCode::OverLimit => "!over-limit",
    }
}

pub(crate) fn error(error: &Error) -> String {
    format!("{}: {}", code(error.code), error.reason)
}

pub(crate) fn signal(signal: Signal) -> &'static str {
    match signal {
        Signal::Stop => "stop",
        Signal::Hangup => "hangup",
        Signal::User1 => "user1",
        Signal::User2 => "user2",
    }
}

fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Exited => "exited",
        Cause::Failed => "failed",
        Cause::Killed => "killed",
        Cause::Stopped => "stopped",
        Cause::Gone => "gone",
    }
}

/// The kind of an event, its session or socket, and what it says.
pub(crate) fn event(event: &Event) -> (&'static str, u64, String) {
    match event {
        Event::Message(message) => ("message", message.session, String::from_utf8_lossy(&message.payload).into()),
        Event::Reply(reply) => {
            let text = match &reply.outcome {
                Ok(payload) => String::from_utf8_lossy(payload).into_owned(),
                Err(failed) => error(failed),
            };
            ("reply", reply.session, text)
        }
        Event::Spawned(spawned) => {
            let text = match &spawned.outcome {
                Ok(address) => address.to_string(),
                Err(failed) => error(failed),
            };
            ("spawned", spawned.session, text)
        }
        Event::Timeout(session) => ("timeout", *session, String::new()),
        Event::Socket(news) => {
            let text = match &news.event {
                SocketEvent::Connected(peer) => format!("connected {peer}"),
                SocketEvent::Accepted(accepted) => format!("accepted {}", accepted.socket),
                SocketEvent::Given(peer) => format!("given {peer}"),
                SocketEvent::Data(bytes) => format!("data {}", String::from_utf8_lossy(bytes)),
                SocketEvent::End => "end".to_owned(),
                SocketEvent::Closed(reason) => format!("closed {reason}"),
                SocketEvent::Backlog(bytes) => format!("backlog {bytes}"),
            };
            ("socket", news.socket, text)
        }
        Event::Down(down) => ("down", down.watch, format!("{} {}", cause(down.cause), down.reason)),
        Event::Signal(got) => ("signal", 0, signal(*got).to_owned()),
    }
}
