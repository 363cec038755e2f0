//! `ps`, `mem`, `tree`, `modules`, `timers`, `netstat`: what there is.

use std::process::ExitCode;

use clap::Args;

use crate::cli::remote::figures::{age, bytes, cpu, nanos};
use crate::cli::remote::table::{self, Column};
use crate::cli::remote::target::Target;
use crate::cli::remote::{Plain, shown};
use crate::control::protocol::{
    self as protocol, Actors, Caller, Command, ModuleRow, Modules, Nothing, SocketRow, Sockets, Sort, Timers, Tree,
    TreeNode,
};

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Ps {
    /// Only actors whose name or module is this; `*` at the end stands for any rest
    #[arg(value_name = "NAME")]
    filter: Option<String>,
    /// What comes first
    #[arg(long, value_enum, default_value = "address")]
    sort: Sort,
    /// At most so many; 0: all
    #[arg(long, short = 'n', value_name = "N", default_value = "1000")]
    limit: usize,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Few {
    /// Only this actor's: an address (:0000002a) or a name
    actor: Option<String>,
    /// At most so many; 0: all
    #[arg(long, short = 'n', value_name = "N", default_value = "1000")]
    limit: usize,
    #[command(flatten)]
    target: Target,
}

impl Ps {
    /// The same, the largest first.
    pub(in crate::cli) fn by_memory(self) -> Self {
        Self { sort: Sort::Memory, ..self }
    }
}

impl Few {
    fn ask(&self) -> protocol::Few {
        protocol::Few { actor: self.actor.clone(), limit: self.limit }
    }
}

/// What a list says of the rest.
fn left(mut text: String, total: usize, shown: usize) -> String {
    if total > shown {
        text.push_str(&format!("and {} more: --limit 0 shows all\n", total - shown));
    }
    text
}

/// `wasmactor ps`.
pub(in crate::cli) fn ps(ps: &Ps) -> ExitCode {
    let ask = protocol::Ps { filter: ps.filter.clone(), sort: ps.sort, limit: ps.limit };
    shown(&ps.target, Command::Ps(ask), |actors: &Actors| {
        let columns = [
            Column::left("ADDRESS"),
            Column::left("NAME"),
            Column::left("MODULE"),
            Column::left("STATE"),
            Column::right("MAILBOX"),
            Column::right("CPU"),
            Column::right("MEMORY"),
            Column::right("MESSAGES"),
            Column::right("AGE"),
        ];
        let rows = actors.actors.iter().map(|row| {
            [
                row.address.clone(),
                row.name.clone(),
                module(&row.module, &row.version),
                row.state.clone(),
                row.mailbox.to_string(),
                cpu(row.cpu_us),
                bytes(row.memory),
                row.messages.to_string(),
                age(row.age_ms),
            ]
        });
        left(table::render(&columns, rows), actors.total, actors.actors.len())
    })
}

pub(super) fn module(name: &str, version: &str) -> String {
    if version.is_empty() { name.to_owned() } else { format!("{name}@{version}") }
}

/// `wasmactor tree`.
pub(in crate::cli) fn tree(plain: &Plain) -> ExitCode {
    shown(&plain.target, Command::Tree(Nothing {}), |tree: &Tree| {
        let mut text = String::new();
        tree.nodes.iter().for_each(|node| branch(node, "", "", &mut text));
        text
    })
}

/// A node behind `first`, and all below it behind `rest`.
fn branch(node: &TreeNode, first: &str, rest: &str, text: &mut String) {
    let restarts = if node.restarts > 0 { format!(", restarts {}", node.restarts) } else { String::new() };
    let said = match (&node.address, &node.state) {
        (Some(address), Some(state)) => format!("{} {address} {}, {state}{restarts}", node.name, node.what),
        _ => format!("[{}] {}{restarts}", node.name, node.what),
    };
    text.push_str(&format!("{first}{}\n", table::tame(&said)));
    let last = node.below.len() + usize::from(node.more > 0);
    for (index, below) in node.below.iter().enumerate() {
        let (head, tail) = if index + 1 == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        branch(below, &format!("{rest}{head}"), &format!("{rest}{tail}"), text);
    }
    if node.more > 0 {
        text.push_str(&format!("{rest}└─ and {} more\n", node.more));
    }
}

/// `wasmactor modules`.
pub(in crate::cli) fn modules(plain: &Plain) -> ExitCode {
    shown(&plain.target, Command::Modules(Nothing {}), |modules: &Modules| {
        let columns = [
            Column::left("MODULE"),
            Column::left("VERSION"),
            Column::right("ACTORS"),
            Column::right("TURNS"),
            Column::right("TURN P50"),
            Column::right("P99"),
            Column::right("WAIT P50"),
            Column::right("P99"),
        ];
        let row = |row: &ModuleRow| {
            let version = if row.current { row.version.clone() } else { format!("{} (old)", row.version) };
            [
                row.name.clone(),
                version,
                row.actors.to_string(),
                row.turns.count.to_string(),
                nanos(row.turns.p50_ns),
                nanos(row.turns.p99_ns),
                nanos(row.waits.p50_ns),
                nanos(row.waits.p99_ns),
            ]
        };
        table::render(&columns, modules.modules.iter().map(row))
    })
}

/// `wasmactor timers`.
pub(in crate::cli) fn timers(few: &Few) -> ExitCode {
    shown(&few.target, Command::Timers(few.ask()), |timers: &Timers| {
        let columns = [Column::right("DUE IN"), Column::left("WHAT"), Column::left("OWNER")];
        let rows = timers.timers.iter().map(|timer| {
            let owner = timer.owner.as_ref().map_or_else(|| "the host".to_owned(), Caller::to_string);
            [age(timer.due_in_ms), timer.what.clone(), owner]
        });
        left(table::render(&columns, rows), timers.total, timers.timers.len())
    })
}

/// `wasmactor netstat`.
pub(in crate::cli) fn netstat(few: &Few) -> ExitCode {
    shown(&few.target, Command::Netstat(few.ask()), |sockets: &Sockets| {
        left(self::sockets(&sockets.sockets), sockets.total, sockets.sockets.len())
    })
}

/// A table of sockets.
pub(super) fn sockets(rows: &[SocketRow]) -> String {
    let columns = [
        Column::left("STATE"),
        Column::left("LOCAL"),
        Column::left("PEER"),
        Column::right("IN"),
        Column::right("OUT"),
        Column::right("BACKLOG"),
        Column::left("OWNER"),
    ];
    let size = |count: u64| bytes(usize::try_from(count).unwrap_or(usize::MAX));
    let row = |row: &SocketRow| {
        let at = |at: &Option<String>| at.clone().unwrap_or_else(|| "-".to_owned());
        [
            row.state.clone(),
            at(&row.local),
            at(&row.peer),
            size(row.bytes_in),
            size(row.bytes_out),
            size(row.backlog),
            row.owner.to_string(),
        ]
    };
    table::render(&columns, rows.iter().map(row))
}
