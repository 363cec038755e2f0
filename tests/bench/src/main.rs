//! Measures the host as a whole: `cargo xtask bench`. The core's parts alone are in `benches/core.rs`.
//!
//! | file | what |
//! |---|---|
//! | `cli` | the command line |
//! | `rounds` | the order in which all is measured |
//! | `workload`, `system` | what is done, and by whom |
//! | `client`, `child`, `memory`, `machine`, `stats` | what they need |
//! | `report`, `figures` | from runs to lines; lines of several runs together |
//! | `unit`, `table`, `targets`, `plot`, `page` | what people read |
//!
//! Figures go to stdout as JSON lines, tables to stderr; `--markdown` writes docs/performance.md and its plots.

#[path = "../../../xtask/src/apt.rs"]
mod apt;
mod child;
mod cli;
mod client;
mod figures;
mod machine;
mod memory;
mod page;
mod plot;
mod report;
mod rounds;
mod stats;
mod system;
mod table;
mod targets;
#[path = "../../../host/src/cli/toolchain.rs"]
mod toolchain;
mod unit;
mod workload;

use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use crate::cli::Cli;
use crate::figures::Figures;
use crate::rounds::Rounds;
use crate::system::{System, ours, peer, redis::Redis};

/// That of the binary `wasmactor`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap_or_else(|_| PathBuf::from("."))
}

fn main() -> ExitCode {
    let role = child::role();
    if role.as_deref() == Some(child::HOST) {
        return wasmactor::cli::main();
    }
    let done = if role.as_deref() == Some(child::ALONE) { alone() } else { bench(&Cli::parse()) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One workload in a process of its own.
fn alone() -> Result<()> {
    let request = std::env::args().nth(1).context("no request")?;
    writeln!(stdout(), "{}", ours::serve(&request)?)?;
    Ok(())
}

fn bench(cli: &Cli) -> Result<()> {
    let (figures, failures) = if cli.render.is_empty() {
        let ran = Rounds::new(cli, cli.chosen()?, systems(cli)?).run(command());
        (ran.figures, ran.failures)
    } else {
        (Figures::read(&cli.render)?, Vec::new())
    };
    let lines = figures.json()?;
    write!(stdout(), "{lines}")?;
    if let Some(path) = &cli.save {
        fs::write(path, lines).with_context(|| path.display().to_string())?;
    }
    eprintln!("\n{}\n{}", table::all(&figures), targets::table(&figures));
    if let Some(date) = &cli.markdown {
        page::write(&root().join("docs"), &figures, date)?;
    }
    rounds::say_failures(&failures)
}

fn systems(cli: &Cli) -> Result<Vec<Box<dyn System>>> {
    let mut systems = ours::all(|name| cli.wants(name))?;
    if cli.wants("redis") {
        systems.push(Box::new(Redis));
    }
    if let Some(names) = &cli.peers {
        systems.append(&mut peer::all(names, &root())?);
    }
    Ok(systems)
}

/// How this run was asked for.
fn command() -> String {
    let mut words = vec!["cargo xtask bench".to_owned()];
    words.extend(std::env::args().skip(1));
    words.join(" ")
}
