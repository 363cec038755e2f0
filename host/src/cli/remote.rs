//! The commands for a host that runs. Each is one request of the control endpoint, and what is printed of its answer.
//!
//! | file | what |
//! |---|---|
//! | `list` | `ps` and other lists |
//! | `one` | what is about one actor |
//! | `log` | how much is logged |
//! | `live` | what goes on: waits, why, each turn |
//! | `reload` | other versions of modules |
//! | `target` | which host is meant, and the way to it |
//! | `table`, `figures` | columns; figures for people |
//!
//! Must hold: what `--json` prints is the answer as it came, one line; the exit code is 2 for what cannot be asked (no
//! such host, no such actor), 1 for what an actor refused.

pub(super) mod figures;
mod list;
mod live;
mod log;
mod one;
mod reload;
mod table;
mod target;

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use clap::Args;
use serde::de::DeserializeOwned;

use crate::cli::bad_input;
use crate::control::Failure;
use crate::control::protocol::{Command, Nothing, Pong, Problem};
use figures::age;
pub(super) use list::{Few, Ps, modules, netstat, ps, timers, tree};
pub(super) use live::{Trace, WatchMailbox, trace, waits, watch_mailbox, why};
pub(super) use log::{Log, log, logoff, logon};
pub(super) use one::{Call, Kill, Send, Signal, Who, call, describe, info, kill, restart, send, signal};
pub(super) use reload::{Reload, reload};
pub(super) use table::tame;
pub(super) use target::Target;

/// An actor could not do what it was asked for.
const FAILED: u8 = 1;
/// What a problem's code is if nothing was asked of an actor at all.
const UNASKED: [&str; 6] = [
    Problem::BAD_REQUEST,
    Problem::UNAUTHORIZED,
    Problem::BUSY,
    Problem::NO_SUCH_ACTOR,
    Problem::NO_SUCH_MODULE,
    Problem::AMBIGUOUS,
];

/// Commands without arguments of their own.
#[derive(Debug, Args)]
pub(super) struct Plain {
    #[command(flatten)]
    target: Target,
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

/// Asks for something and prints it: as it came, or as `show` says.
fn shown<T: DeserializeOwned>(target: &Target, command: Command, show: impl FnOnce(&T) -> String) -> ExitCode {
    done(target.connect().and_then(|mut client| {
        if target.json {
            return Ok(format!("{}\n", client.ask(command)?));
        }
        Ok(show(&client.get(command)?))
    }))
}

/// Asks for a stream and prints each event: as it came, or as `show` says; at most so many.
fn streamed<T: DeserializeOwned>(
    target: &Target,
    command: Command,
    most: Option<u64>,
    mut show: impl FnMut(&T) -> String,
) -> ExitCode {
    let mut left = most.unwrap_or(u64::MAX);
    done(target.connect().and_then(|mut client| {
        let mut strange = None;
        let ended = client.stream(command, |event| {
            let text = if target.json {
                format!("{event}\n")
            } else {
                match serde_json::from_value(event) {
                    Ok(event) => show(&event),
                    Err(error) => {
                        strange = Some(error);
                        return false;
                    }
                }
            };
            left -= 1;
            // A reader that goes away wants no more.
            stdout().write_all(text.as_bytes()).is_ok() && left > 0
        })?;
        match (strange, ended) {
            (Some(error), _) => Err(Failure::Lost(format!("another host's answer: {error}"))),
            (None, Some(answer)) if target.json => Ok(format!("{answer}\n")),
            (None, Some(_)) => Ok("the actor has ended\n".to_owned()),
            (None, None) => Ok(String::new()),
        }
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
        Err(failure) => report(&failure),
    }
}

/// Says why there is no answer; the exit code says whose fault it is.
pub(super) fn report(failure: &Failure) -> ExitCode {
    match failure {
        Failure::Problem(problem) if !UNASKED.contains(&&*problem.code) => {
            let _said = bad_input(format_args!("error: {}: {problem}", problem.code));
            ExitCode::from(FAILED)
        }
        failure => bad_input(format_args!("error: {failure}")),
    }
}
