//! This program started again: as `wasmactor` itself, so that one build serves, or to measure alone in a fresh process.
//! Used by `main` and by who starts such a child.

use std::process::Command;

use anyhow::{Context as _, Result};

/// With this in the environment the program is what its value says.
const ROLE: &str = "WASMACTOR_BENCH_ROLE";
/// The command line of the host.
pub(crate) const HOST: &str = "host";
/// One workload of one form of the host; see `system::ours`.
pub(crate) const ALONE: &str = "alone";

/// A command for this program in a role.
pub(crate) fn this_program(role: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("this program's own path")?);
    command.env(ROLE, role);
    Ok(command)
}

/// What this process is to be; `None`: the bench.
pub(crate) fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}
