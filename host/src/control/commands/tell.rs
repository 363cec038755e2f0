//! What is told to actors: messages, signals, ends. A call is the one command that waits for an actor; it has the client's
//! thread to do so.

use std::time::Duration;

use crate::base::{Cause, Payload};
use crate::control::commands::who::find;
use crate::control::protocol::{self as protocol, Call, Kill, Nothing, Problem, Reply, Send, Signal, SignalName};
use crate::node::Node;

/// `send`.
pub(super) fn send(node: &Node, send: &Send) -> Result<Nothing, Problem> {
    let to = find(node, &send.actor)?;
    node.post(to, send.kind, bytes(node, &send.payload)?)?;
    Ok(Nothing {})
}

/// `call`.
pub(super) fn call(node: &Node, call: &Call) -> Result<Reply, Problem> {
    let to = find(node, &call.actor)?;
    let timeout = call.timeout_ms.map_or(node.options().call_timeout, Duration::from_millis);
    let reply = node.call(to, call.kind, bytes(node, &call.payload)?, timeout)?;
    let packed = matches!(call.payload, protocol::Payload::Value(_));
    Ok(Reply { reply: protocol::Payload::of(&reply, packed) })
}

fn bytes(node: &Node, payload: &protocol::Payload) -> Result<Payload, Problem> {
    let bytes = payload.bytes().map_err(|words| Problem::new(Problem::BAD_REQUEST, words))?;
    let most = node.options().payload;
    if bytes.len() > most {
        let words = format!("the payload has {} bytes, the host's limit is {most}", bytes.len());
        return Err(Problem::new(Problem::BAD_REQUEST, words));
    }
    Ok(bytes.into())
}

/// `signal`.
pub(super) fn signal(node: &Node, signal: &Signal) -> Result<Nothing, Problem> {
    let to = find(node, &signal.actor)?;
    let signal = match signal.signal {
        SignalName::Stop => crate::base::Signal::Stop,
        SignalName::Hangup => crate::base::Signal::Hangup,
        SignalName::User1 => crate::base::Signal::User1,
        SignalName::User2 => crate::base::Signal::User2,
    };
    node.send_signal(to, signal);
    Ok(Nothing {})
}

fn reason(kill: &Kill) -> String {
    kill.reason.clone().unwrap_or_else(|| "from the control endpoint".to_owned())
}

/// `kill`.
pub(super) fn kill(node: &Node, kill: &Kill) -> Result<Nothing, Problem> {
    let actor = find(node, &kill.actor)?;
    if !node.kill(None, actor, Cause::Killed, reason(kill)) {
        return Err(Problem::new(Problem::NO_SUCH_ACTOR, format!("{actor} has just ended")));
    }
    Ok(Nothing {})
}

/// `restart`.
pub(super) fn restart(node: &Node, kill: &Kill) -> Result<Nothing, Problem> {
    let actor = find(node, &kill.actor)?;
    if !node.restart(None, actor, &reason(kill)) {
        let words = format!("{actor} has no supervisor that could restart it; `wasmactor kill` ends it");
        return Err(Problem::new("refused", words));
    }
    Ok(Nothing {})
}
