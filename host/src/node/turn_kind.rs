//! Kinds of turn. Used by the worker, which notes what it runs, and by those who tell of it.

use crate::base::Body;

/// Kinds of turn, as the monitor names them.
pub const TURN_NAMES: [&str; 10] =
    ["init", "message", "reply", "spawned", "timeout", "socket", "down", "signal", "sweep", "answer"];

/// Steps of a reload, which are no turns; in a [`super::crash::Head`] they stand behind those.
pub(in crate::node) const STEP_NAMES: [&str; 2] = ["save", "load"];

/// Index in `TURN_NAMES`. A match, not a search: this is asked for every message.
pub(in crate::node) fn turn_kind(body: &Body) -> u64 {
    match body {
        Body::Message { .. } => 1,
        Body::Reply(_) => 2,
        Body::Spawned(_) => 3,
        Body::Timeout => 4,
        Body::Socket { .. } => 5,
        Body::Down { .. } => 6,
        Body::Signal(_) => 7,
        Body::Sweep => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::{TURN_NAMES, turn_kind};
    use crate::base::{Address, Body, Cause, Payload, Signal, SocketEvent};

    #[test]
    fn each_kind_of_turn_has_its_events_name() {
        let down = Body::Down { actor: Address::HOST, cause: Cause::Gone, reason: String::new() };
        let bodies = [
            Body::Message { kind: 0, payload: Payload::empty(), deadline: 0 },
            Body::Reply(Ok(Payload::empty())),
            Body::Spawned(Ok(Address::HOST)),
            Body::Timeout,
            Body::Socket { socket: 0, event: SocketEvent::End },
            down,
            Body::Signal(Signal::Stop),
            Body::Sweep,
        ];
        for body in bodies {
            assert_eq!(TURN_NAMES[usize::try_from(turn_kind(&body)).expect("small")], body.name());
        }
    }
}
