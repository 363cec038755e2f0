//! `log`, `logon`, `logoff`: how much is logged, of whom.

use std::process::ExitCode;

use clap::Args;

use crate::cli::remote::target::Target;
use crate::cli::remote::{Who, shown};
use crate::control::protocol::{self as protocol, Command, LevelName, LogLevels};

#[derive(Debug, Args)]
pub(in crate::cli) struct Log {
    /// Leave out lines below this level [default: only show the levels of now]
    #[arg(value_enum)]
    level: Option<LevelName>,
    /// Only of these: `host`, `guests`, an actor (an address or a name), or those of a module that live now
    #[arg(long, value_name = "WHOSE", requires = "level")]
    of: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// `wasmactor log`.
pub(in crate::cli) fn log(log: &Log) -> ExitCode {
    set(&log.target, log.level, log.of.clone())
}

/// `wasmactor logon`.
pub(in crate::cli) fn logon(who: &Who) -> ExitCode {
    set(&who.target, Some(LevelName::Trace), Some(who.actor.clone()))
}

/// `wasmactor logoff`.
pub(in crate::cli) fn logoff(who: &Who) -> ExitCode {
    set(&who.target, Some(LevelName::Default), Some(who.actor.clone()))
}

fn set(target: &Target, level: Option<LevelName>, of: Option<String>) -> ExitCode {
    shown(target, Command::Log(protocol::Log { level, of }), |levels: &LogLevels| {
        let own: String = levels.actors.iter().map(|one| format!("{}: {}\n", one.actor, one.level)).collect();
        format!("host: {}\nguests: {}\n{own}", levels.host, levels.guests)
    })
}
