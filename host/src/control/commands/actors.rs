//! Lists of actors.

use std::cmp::Reverse;

use crate::base::Pattern;
use crate::control::commands::milliseconds;
use crate::control::protocol::{ActorRow, Actors, Ps, Sort};
use crate::node::{ActorView, Names, Node};

/// `ps`, of those whose label is shown.
pub(crate) fn ps(node: &Node, which: &Ps, shown: impl Fn(&str) -> bool) -> Actors {
    let (watch, names) = (node.watch_workers(), node.names());
    let filter = which.filter.as_deref().map(|text| Pattern::parse(text.strip_prefix('.').unwrap_or(text)));
    let wanted = |row: &ActorRow| {
        filter.as_ref().is_none_or(|filter| {
            filter.matches(row.name.strip_prefix('.').unwrap_or(&row.name)) || filter.matches(&row.module)
        })
    };
    let mut actors: Vec<ActorRow> = node
        .each_view(&watch)
        .filter(|view| shown(&view.label))
        .map(|view| row(&view, &names))
        .filter(wanted)
        .collect();
    match which.sort {
        // As they stand in the table.
        Sort::Address => {}
        Sort::Name => actors.sort_by(|a, b| a.name.cmp(&b.name)),
        Sort::Mailbox => actors.sort_by_key(|row| Reverse(row.mailbox)),
        Sort::Cpu => actors.sort_by_key(|row| Reverse(row.cpu_us)),
        Sort::Memory => actors.sort_by_key(|row| Reverse(row.memory)),
        Sort::Messages => actors.sort_by_key(|row| Reverse(row.messages)),
        Sort::Age => actors.sort_by_key(|row| Reverse(row.age_ms)),
    }
    let total = actors.len();
    if which.limit > 0 {
        actors.truncate(which.limit);
    }
    Actors { actors, total }
}

/// An actor on one line.
pub(super) fn row(view: &ActorView, names: &Names) -> ActorRow {
    let name = names.get(&view.address).and_then(|names| names.first());
    ActorRow {
        address: view.address.to_string(),
        name: name.cloned().unwrap_or_else(|| view.label.to_string()),
        module: view.edition.module.to_string(),
        version: view.edition.version.to_string(),
        state: view.state.name().to_owned(),
        mailbox: view.waiting,
        cpu_us: u64::try_from(view.busy.as_micros()).unwrap_or(u64::MAX),
        memory: view.memory,
        messages: view.messages,
        age_ms: milliseconds(view.age),
    }
}
