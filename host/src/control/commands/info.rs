//! One actor, and what actors have: timers, sockets.

use std::time::Duration;

use crate::base::Address;
use crate::control::commands::actors::row;
use crate::control::commands::milliseconds;
use crate::control::commands::who::{caller, find, sender};
use crate::control::protocol::{
    ActorInfo, Few, LimitRow, Membership, Problem, Running, SocketRow, Sockets, TimerRow, Timers, Who,
};
use crate::net::SocketInfo;
use crate::node::allowance::Limited;
use crate::node::supervise::{MemberState, Restart};
use crate::node::{Names, Node, State};
use crate::sched::Full;

/// `info`.
pub(super) fn info(node: &Node, who: &Who) -> Result<ActorInfo, Problem> {
    let address = find(node, &who.actor)?;
    let (watch, names) = (node.watch_workers(), node.names());
    let gone = || Problem::new(Problem::NO_SUCH_ACTOR, format!("{address} has just ended"));
    let view = node.view(address, &watch).ok_or_else(gone)?;
    let running = match view.state {
        State::Running { worker, kind, source } => {
            Some(Running { worker, kind: kind.to_owned(), from: sender(node, &names, source) })
        }
        _ => None,
    };
    let allowance = node.allowance(address);
    let granted = |(key, what): (&str, String)| (key.to_owned(), what);
    let limit = |limit: Limited| LimitRow { key: limit.key.to_owned(), most: limit.most, used: limit.used };
    let owned = node.net().stats().into_iter().filter(|socket| socket.owner == address.raw());
    Ok(ActorInfo {
        row: row(&view, &names),
        names: names.get(&address).cloned().unwrap_or_default(),
        label: view.label.to_string(),
        parent: caller(node, &names, view.parent),
        supervisor: membership(node, address),
        running,
        waits_on: view.waits_on.and_then(|on| caller(node, &names, on)),
        mailbox_bound: view.bound,
        mailbox_full: full(view.full).to_owned(),
        held: view.held,
        killed: view.killed,
        timers: node.armed_timers().iter().filter(|timer| timer.owner == address).count(),
        sockets: owned.map(|info| socket(node, &names, &info)).collect(),
        grants: allowance.as_ref().map(|allowance| allowance.grants.given().into_iter().map(granted).collect()),
        withheld: allowance.iter().flat_map(|allowance| allowance.grants.withheld()).map(str::to_owned).collect(),
        limits: allowance.into_iter().flat_map(|allowance| allowance.limits).map(limit).collect(),
    })
}

fn membership(node: &Node, address: Address) -> Option<Membership> {
    node.supervisors().into_iter().find_map(|supervisor| {
        let (_, restart, state, restarts) = supervisor.members.iter().find(|(member, ..)| *member == address)?;
        Some(Membership {
            supervisor: supervisor.name,
            restart: restart_name(*restart).to_owned(),
            state: member_state(*state).to_owned(),
            restarts: *restarts,
        })
    })
}

fn restart_name(restart: Restart) -> &'static str {
    match restart {
        Restart::Permanent => "permanent",
        Restart::Transient => "transient",
        Restart::Temporary => "temporary",
    }
}

fn member_state(state: MemberState) -> &'static str {
    match state {
        MemberState::Running => "running",
        MemberState::Resting => "resting",
        MemberState::Starting => "starting",
    }
}

fn full(full: Full) -> &'static str {
    match full {
        Full::Refuse => "refuse",
        Full::DropOldest => "drop-oldest",
        Full::Hold => "hold",
    }
}

/// Whose timers or sockets are wanted. None: everybody's.
fn of(node: &Node, few: &Few) -> Result<Option<Address>, Problem> {
    few.actor.as_deref().map(|actor| find(node, actor)).transpose()
}

fn cut<T>(rows: &mut Vec<T>, limit: usize) -> usize {
    let total = rows.len();
    if limit > 0 {
        rows.truncate(limit);
    }
    total
}

/// `timers`.
pub(super) fn timers(node: &Node, few: &Few) -> Result<Timers, Problem> {
    let of = of(node, few)?;
    let (now, names) = (node.clock().now_ns(), node.names());
    let mut armed = node.armed_timers();
    armed.retain(|timer| of.is_none_or(|of| of == timer.owner));
    armed.sort_unstable_by_key(|timer| timer.due);
    let total = cut(&mut armed, few.limit);
    let row = |timer: &crate::node::timers::TimerView| TimerRow {
        due_in_ms: milliseconds(Duration::from_nanos(timer.due.saturating_sub(now))),
        what: timer.what.to_owned(),
        owner: caller(node, &names, timer.owner),
    };
    Ok(Timers { timers: armed.iter().map(row).collect(), total })
}

/// `netstat`.
pub(super) fn netstat(node: &Node, few: &Few) -> Result<Sockets, Problem> {
    let of = of(node, few)?;
    let names = node.names();
    let mut open = node.net().stats();
    open.retain(|socket| of.is_none_or(|of| of.raw() == socket.owner));
    let total = cut(&mut open, few.limit);
    Ok(Sockets { sockets: open.iter().map(|info| socket(node, &names, info)).collect(), total })
}

fn socket(node: &Node, names: &Names, info: &SocketInfo) -> SocketRow {
    let state = match info {
        SocketInfo { closing: true, .. } => "closing",
        SocketInfo { peer: None, .. } => "listening",
        SocketInfo { held: true, .. } => "held",
        SocketInfo { reading: false, .. } => "paused",
        _ => "open",
    };
    SocketRow {
        id: info.id.raw(),
        owner: sender(node, names, Address::from_raw(info.owner)),
        state: state.to_owned(),
        local: info.local.map(|at| at.to_string()),
        peer: info.peer.map(|at| at.to_string()),
        bytes_in: info.bytes_in,
        bytes_out: info.bytes_out,
        backlog: info.backlog,
    }
}
