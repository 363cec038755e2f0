//! Why an actor does not get on: looked at twice, and into, for half a second.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::base::Address;
use crate::control::commands::actors::row;
use crate::control::commands::milliseconds;
use crate::control::commands::who::{caller, find, sender};
use crate::control::protocol::{Problem, Running, Sender, Who, Why};
use crate::node::crash::Head;
use crate::node::{Names, Node, State};

/// How long it is waited for that one can look into an actor that is in the middle of a turn.
const PATIENCE: Duration = Duration::from_millis(400);
/// How long it is looked at.
const WINDOW: Duration = Duration::from_millis(200);
/// Messages of its mailbox that are looked at, and senders that are told.
const PEEK: usize = 4096;
const SENDERS: usize = 10;

/// `why`.
pub(super) fn why(node: &Node, who: &Who) -> Result<Why, Problem> {
    let address = find(node, &who.actor)?;
    let gone = || Problem::new(Problem::NO_SUCH_ACTOR, format!("{address} has just ended"));
    let begin = Instant::now();
    let before = node.view(address, &node.watch_workers()).ok_or_else(gone)?;
    let waited = node.waits_since(address);
    let inside = node.look_inside(&[address], true, PATIENCE).remove(&address);
    std::thread::sleep(WINDOW.saturating_sub(begin.elapsed()));
    let (watch, names) = (node.watch_workers(), node.names());
    let view = node.view(address, &watch).ok_or_else(gone)?;
    let elapsed = begin.elapsed();
    let (mut heads, _) = node.peek(address, PEEK);
    heads.extend(inside.iter().flat_map(|inside| &inside.share));

    let running = match view.state {
        State::Running { worker, kind, source } => {
            Some(Running { worker, kind: kind.to_owned(), from: sender(node, &names, source) })
        }
        _ => None,
    };
    let busy = view.busy.saturating_sub(before.busy).as_micros();
    let cpu_permille = u64::try_from(busy * 1000 / elapsed.as_micros().max(1)).unwrap_or(u64::MAX);
    let now = node.clock().now_ns();
    let since = inside.as_ref().and_then(|inside| inside.long_since);
    // Without having been cut it is known by its having been there at both looks.
    let stayed = || (busy > 0 && view.messages == before.messages && running.is_some()).then_some(elapsed);
    let turn = since.map(|since| Duration::from_nanos(now.saturating_sub(since))).or_else(stayed);
    Ok(Why {
        row: row(&view, &names),
        running,
        turn_ms: turn.map(milliseconds),
        stack: inside.as_ref().map(|inside| inside.stack.clone()).unwrap_or_default(),
        waits_on: view.waits_on.and_then(|on| caller(node, &names, on)),
        open: inside.as_ref().map(|inside| inside.open.len() + inside.more_open),
        outstanding: inside.as_ref().map(|inside| inside.outstanding),
        looked_ms: milliseconds(elapsed),
        cpu_permille,
        handled: view.messages.saturating_sub(before.messages),
        waited_ms: waited.map(milliseconds),
        of: heads.len(),
        senders: senders(node, &names, &heads),
    })
}

fn senders(node: &Node, names: &Names, heads: &[Head]) -> Vec<Sender> {
    let mut counts: HashMap<(Address, &'static str, u32), usize> = HashMap::new();
    for head in heads {
        *counts.entry((head.source, head.event(), head.kind)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    // By address where they are as many, so that it is the same each time.
    counts.sort_by_key(|((source, event, kind), count)| (std::cmp::Reverse(*count), *source, *event, *kind));
    let sender = |((source, event, kind), count): &((Address, &'static str, u32), usize)| Sender {
        from: sender(node, names, *source),
        event: (*event).to_owned(),
        kind: *kind,
        count: *count,
    };
    counts.iter().take(SENDERS).map(sender).collect()
}
