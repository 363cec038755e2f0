//! The commands for a host that runs. Each is one request of the control endpoint, and what is printed of its answer.
//!
//! | file | what |
//! |---|---|
//! | `target` | which host is meant, and the way to it |
//! | `table` | columns, and figures for people |
//!
//! Must hold: what `--json` prints is the answer as it came, one line; the exit code is 2 for what cannot be asked (no
//! such host, no such actor), 1 for what an actor refused.

mod table;
mod target;

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use clap::Args;
use serde::de::DeserializeOwned;

use crate::cli::bad_input;
use crate::control::Failure;
use crate::control::protocol::{self as protocol, Actors, Command, Nothing, Pong, Sort};
use table::{Column, age, bytes, cpu};
use target::Target;

/// Commands without arguments of their own.
#[derive(Debug, Args)]
pub(super) struct Plain {
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(super) struct Ps {
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

/// `wasmactor ps`.
pub(super) fn ps(ps: &Ps) -> ExitCode {
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
        let mut text = table::render(&columns, rows);
        let left = actors.total - actors.actors.len();
        if left > 0 {
            text.push_str(&format!("and {left} more: --limit 0 shows all\n"));
        }
        text
    })
}

/// `wasmactor ping`.
pub(super) fn ping(plain: &Plain) -> ExitCode {
    shown(&plain.target, Command::Ping(Nothing {}), |pong: &Pong| {
        let Pong { app, pid, version, workers, actors, manifest, uptime_ms } = pong;
        let up = age(*uptime_ms);
        format!("{app} (pid {pid}, wasmactor {version}) runs {manifest}: {actors} actors, {workers} workers, up {up}\n")
    })
}

/// `wasmactor stop`.
pub(super) fn stop(plain: &Plain) -> ExitCode {
    done(plain.target.connect().and_then(|mut client| {
        let pong = client.ping()?;
        let answer = client.ask(Command::Stop(Nothing {}))?;
        client.wait_end();
        let text = if plain.target.json {
            format!("{answer}\n")
        } else {
            format!("{} (pid {}) has stopped\n", pong.app, pong.pid)
        };
        Ok(text)
    }))
}

fn module(name: &str, version: &str) -> String {
    if version.is_empty() { name.to_owned() } else { format!("{name}@{version}") }
}

/// Asks for something and prints it: as it came, or as `show` says.
fn shown<T: DeserializeOwned>(target: &Target, command: Command, show: impl FnOnce(&T) -> String) -> ExitCode {
    done(target.connect().and_then(|mut client| {
        if target.json {
            return Ok(format!("{}\n", client.ask(command)?));
        }
        Ok(show(&client.get(command)?))
    }))
}

/// Prints the outcome of a command.
fn done(outcome: Result<String, Failure>) -> ExitCode {
    match outcome {
        Ok(text) => {
            // A reader that goes away early wanted no more.
            drop(stdout().write_all(text.as_bytes()));
            ExitCode::SUCCESS
        }
        Err(failure) => bad_input(format_args!("error: {failure}")),
    }
}
