//! `cargo xtask`: what needs more than one cargo command. Used by people and by `.ci/run`.
//!
//! Must hold: each command works from a clean clone, says what it installs before it does, and ends by itself.

mod apt;
mod demo;
mod server;
mod setup;
mod shell;
mod stress;
mod test;
#[path = "../../host/src/cli/toolchain.rs"]
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::shell::{cargo, run, step};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Set-up, demo, test, stress and bench of the workspace.
#[derive(Debug, Subcommand)]
enum Command {
    /// Install what demo and test need: the wasm target, redis's tools, redis-py, tmux
    Setup,
    /// Set up, build, and show wasm actors at work: examples/hello, then examples/kv driven by redis-cli
    Demo,
    /// Set up and run all tests
    Test,
    /// Run an app in which actors, connections and modules are killed, reloaded, flooded and cut off by chance, and check the
    /// promises of ARCHITECTURE.md. Exit code 1 if one is broken; then it says how to repeat it
    Stress {
        /// How long, half of it with flat guests and half with components
        #[arg(long, default_value_t = 2.0)]
        minutes: f64,
        /// What is done when; without it, another one each time
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Measure: `cargo xtask bench --help` for workloads and options
    Bench {
        /// Handed on to the benches
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Setup => setup::run(),
        Command::Demo => setup::run().and_then(|()| demo::run()),
        Command::Test => setup::run().and_then(|()| test::run()),
        Command::Stress { minutes, seed } => stress::run(minutes, seed),
        Command::Bench { arguments } => {
            step("benches, as users' builds are made (the first time takes minutes)");
            run(cargo(&["run", "--release", "--package", "wasmactor-bench", "--"]).args(arguments))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
