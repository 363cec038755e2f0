//! Other people's systems beside ours, for `--peers`: each is an external program that runs one workload and prints its
//! samples. Used by `main`.
//!
//! `list` says which there are and how each is started, `install` gets what they need from registries, `program` runs
//! one. Their sources are in `tests/bench/peers`.
//!
//! Must hold: only what was asked for is installed, and said before; what cannot be installed here is said and left out.

pub(crate) mod install;
mod list;
mod program;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::system::peer::install::Places;
use crate::system::peer::program::{Memory, Program};
use crate::system::{Case, Sample, System};
use crate::workload::Workload;
use crate::workload::tcp_echo::{self, TCP_ECHO};

/// A peer that can be measured.
struct Peer {
    name: &'static str,
    /// The names of those that it can run.
    workloads: &'static [&'static str],
    /// As many actors as it holds at once; `None`: enough.
    most: Option<usize>,
    /// It has one thread, whatever is asked for, so it is measured with one worker.
    single: bool,
    /// Starts it, without the workload and its numbers.
    start: Start,
}

/// A command for so many workers.
type Start = Box<dyn Fn(usize) -> Command>;

/// The names of all peers, for people.
pub(crate) fn names_of_all() -> String {
    list::ALL.map(|entry| entry.name).join(", ")
}

/// All peers, or those with these names, installed. Errors: there is no such peer.
pub(crate) fn all(names: &[String], root: &Path) -> Result<Vec<Box<dyn System>>> {
    if let Some(unknown) = names.iter().find(|name| list::ALL.iter().all(|entry| entry.name != **name)) {
        bail!("there is no peer `{unknown}`; there are {}", names_of_all());
    }
    let places = Places::new(root);
    let mut peers: Vec<Box<dyn System>> = Vec::new();
    for entry in list::ALL.iter().filter(|entry| names.is_empty() || names.iter().any(|name| name == entry.name)) {
        match (entry.install)(&places) {
            Ok(start) => peers.push(Box::new(entry.peer(start))),
            Err(error) => eprintln!("peer {} is left out, it cannot be installed here: {error:#}", entry.name),
        }
    }
    Ok(peers)
}

impl Peer {
    /// A command line: `PROGRAM WORKLOAD WORKERS BYTES N WIDTH`.
    fn command(&self, workload: &str, case: &Case) -> Command {
        let mut command = (self.start)(case.workers);
        command.arg(workload);
        command.args([case.workers as u64, case.bytes as u64, case.n, case.width as u64].map(|word| word.to_string()));
        command
    }
}

impl System for Peer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn measure(&self, workload: &Workload, case: &Case) -> Result<Option<Vec<Sample>>> {
        if !self.workloads.contains(&workload.name) || (self.single && case.workers > 1) {
            return Ok(None);
        }
        let case = self.held(workload.name, case);
        let mut program = Program::start(self.command(workload.name, &case))?;
        if workload.name == TCP_ECHO.name {
            let at = SocketAddr::from((Ipv4Addr::LOCALHOST, program.port()?));
            return tcp_echo::clients(at, &case).map(Some);
        }
        let mut memory = Memory::default();
        let mut samples = program.samples(&mut memory)?;
        if let Some(bytes) = memory.grown() {
            let actors = u32::try_from(case.width).context("more actors than a figure has")?;
            samples.push(Sample::new(
                format!("{}-rss", workload.name),
                bytes / f64::from(actors),
                crate::unit::Unit::Bytes,
            ));
        }
        Ok(Some(samples))
    }
}

impl Peer {
    /// The case with no more actors than this peer holds: a figure for one of fewer says more than none.
    fn held(&self, workload: &str, case: &Case) -> Case {
        let Some(most) = self.most.filter(|most| case.width > *most) else { return *case };
        let width = match workload {
            "idle" | "ring" => most,
            // A power of ten; its inner nodes are a ninth more.
            "tree" => 10_usize.pow(most.ilog10()),
            _ => return *case,
        };
        eprintln!("  {}: {workload} with {width} actors instead of {}: it does not hold more", self.name, case.width);
        Case { width, ..*case }
    }
}
