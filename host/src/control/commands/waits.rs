//! Who waits for whom: exclusive calls stand in the mailboxes of who waits, requests in the books and mailboxes of those who
//! are to answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::Address;
use crate::control::commands::milliseconds;
use crate::control::commands::who::sender;
use crate::control::protocol::{Wait, Waits};
use crate::node::inspect::Debt;
use crate::node::{Node, State};

/// How long those that are in the middle of something are waited for, all together.
const PATIENCE: Duration = Duration::from_millis(300);
/// Of so many of them.
const BUSY: usize = 1000;
/// Messages of a mailbox that are looked at.
const PEEK: usize = 1024;
/// Waits that are told.
const MOST: usize = 10_000;

#[derive(Default)]
struct Edge {
    exclusive: bool,
    queued: bool,
    deadline: u64,
}

/// `waits`.
pub(super) fn waits(node: &Node) -> Waits {
    let (watch, names) = (node.watch_workers(), node.names());
    let mut edges: BTreeMap<(Address, Address), Edge> = BTreeMap::new();
    let (mut all, mut busy) = (Vec::new(), Vec::new());
    for view in node.each_view(&watch) {
        if let Some(on) = view.waits_on {
            edges.entry((view.address, on)).or_default().exclusive = true;
        }
        if view.waiting > view.taken {
            let (_, queued) = node.peek(view.address, PEEK);
            owed(&mut edges, view.address, &queued, true);
        }
        match view.state {
            State::Idle | State::Parked | State::Resting => all.push(view.address),
            State::Queued | State::Running { .. } | State::Cut => busy.push(view.address),
        }
    }
    let unasked = busy.len().saturating_sub(BUSY);
    busy.truncate(BUSY);
    all.extend(busy);
    let seen = node.look_inside(&all, false, PATIENCE);
    for (actor, inside) in &seen {
        owed(&mut edges, *actor, &inside.open, false);
    }
    let unseen = all.iter().filter(|actor| !seen.contains_key(actor) && node.is_alive(**actor)).count() + unasked;

    let pairs: BTreeSet<(Address, Address)> = edges.keys().copied().collect();
    let cycles = in_cycles(&pairs);
    let now = node.clock().now_ns();
    let mut waits: Vec<Wait> = edges
        .into_iter()
        .map(|((from, on), edge)| Wait {
            from: sender(node, &names, from),
            on: sender(node, &names, on),
            exclusive: edge.exclusive,
            queued: edge.queued,
            deadline_in_ms: (edge.deadline > 0)
                .then(|| milliseconds(Duration::from_nanos(edge.deadline.saturating_sub(now)))),
            cycle: cycles.contains(&(from, on)),
        })
        .collect();
    // What is in a cycle comes first.
    waits.sort_by_key(|wait| !wait.cycle);
    waits.truncate(MOST);
    Waits { waits, unseen }
}

fn owed(edges: &mut BTreeMap<(Address, Address), Edge>, by: Address, debts: &[Debt], queued: bool) {
    for debt in debts {
        let edge = edges.entry((debt.source, by)).or_default();
        edge.queued |= queued;
        if debt.deadline > 0 && (edge.deadline == 0 || debt.deadline < edge.deadline) {
            edge.deadline = debt.deadline;
        }
    }
}

/// The edges of which some way leads back to their begin.
fn in_cycles(edges: &BTreeSet<(Address, Address)>) -> BTreeSet<(Address, Address)> {
    let mut left = edges.clone();
    // Who waits for nobody, or is waited for by nobody, is in no cycle; nor is, without those, the next one.
    loop {
        let from: BTreeSet<Address> = left.iter().map(|(from, _)| *from).collect();
        let on: BTreeSet<Address> = left.iter().map(|(_, on)| *on).collect();
        let before = left.len();
        left.retain(|(a, b)| on.contains(a) && from.contains(b));
        if left.len() == before {
            break;
        }
    }
    let next =
        |at: Address| left.range((at, Address::HOST)..).take_while(move |(from, _)| *from == at).map(|edge| edge.1);
    let leads_to = |from: Address, to: Address| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                open.extend(next(at));
            }
        }
        false
    };
    left.iter().copied().filter(|(from, on)| leads_to(*on, *from)).collect()
}

#[cfg(test)]
mod tests {
    use super::in_cycles;
    use crate::base::Address;
    use std::collections::BTreeSet;

    #[track_caller]
    fn check(edges: &[(u32, u32)], expected: &[(u32, u32)]) {
        let at = |slot: u32| Address::new(0, 0, slot);
        let all = |edges: &[(u32, u32)]| -> BTreeSet<_> { edges.iter().map(|(a, b)| (at(*a), at(*b))).collect() };
        assert_eq!(in_cycles(&all(edges)), all(expected));
    }

    #[test]
    fn cycles_are_marked_and_what_only_touches_them_is_not() {
        check(&[], &[]);
        check(&[(1, 2), (2, 3)], &[]);
        check(&[(1, 1)], &[(1, 1)]);
        check(&[(9, 1), (1, 2), (2, 3), (3, 1), (3, 8)], &[(1, 2), (2, 3), (3, 1)]);
        // Two cycles and a bridge between them.
        check(&[(1, 2), (2, 1), (2, 3), (3, 4), (4, 3)], &[(1, 2), (2, 1), (3, 4), (4, 3)]);
    }
}
