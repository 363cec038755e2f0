//! The monitor thread: warns of endless turns, moves what such a turn would hold up, and drives the sandbox's epoch.

use std::time::Duration;

use crate::base::Address;
use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicBool, Ordering};
use crate::node::Node;
use crate::node::turn::TURN_NAMES;
use crate::sched::status::TurnView;

/// Between two rounds. Thin air; the longest that a mailbox waits behind an endless turn is two of these.
const ROUND: Duration = Duration::from_millis(10);
/// A turn this long is worth a warning, again each time it has lasted that much longer (skynet_start.c: 5 s).
const ENDLESS: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
struct Seen {
    turn: TurnView,
    rounds: u32,
}

pub(in crate::threads) fn run(node: &Arc<Node>, stop: &AtomicBool) {
    let workers = node.run_queue().workers();
    let mut seen: Vec<Option<Seen>> = vec![None; workers];
    while !stop.load(Ordering::SeqCst) {
        std::thread::park_timeout(ROUND);
        node.tick();
        for (worker, seen) in seen.iter_mut().enumerate() {
            let turn = node.run_queue().status(worker).running();
            *seen = match (turn, *seen) {
                (Some(turn), Some(before)) if turn == before.turn => {
                    node.run_queue().rescue(worker);
                    warn(&before);
                    Some(Seen { turn, rounds: before.rounds + 1 })
                }
                (turn, _) => turn.map(|turn| Seen { turn, rounds: 1 }),
            };
        }
    }
}

fn warn(seen: &Seen) {
    let rounds_of_warning = u32::try_from(ENDLESS.as_millis() / ROUND.as_millis()).unwrap_or(u32::MAX);
    if !seen.rounds.is_multiple_of(rounds_of_warning) {
        return;
    }
    let turn = seen.turn;
    let kind = usize::try_from(turn.kind).ok().and_then(|kind| TURN_NAMES.get(kind)).unwrap_or(&"?");
    let (actor, source) = (Address::from_raw(turn.actor), Address::from_raw(turn.source));
    let age = ENDLESS.as_secs() * u64::from(seen.rounds / rounds_of_warning);
    tracing::warn!(
        target: "wasmactor", address = %actor,
        "a {kind} from {source} to {actor} may be in an endless loop: its turn has run for {age} s"
    );
}
