//! Measures the host as a whole: `cargo xtask bench`. The core's parts alone are in `benches/core.rs`.
//!
//! Method: runs are interleaved (each round goes over all workloads, numbers of workers and systems), every run has a
//! fresh node and a warm-up, and nothing else should run on the machine: what others took is in the output.
//! Figures go to stdout as JSON lines, the table to stderr; `--markdown` writes it into docs/performance.md.

mod client;
mod machine;
mod report;
mod stats;
mod system;
#[path = "../../../host/src/cli/toolchain.rs"]
mod toolchain;
mod workload;

use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;

use crate::report::Report;
use crate::stats::CpuTime;
use crate::system::wasm::{self, Wasm};
use crate::system::{Case, System, native::Native, redis::Redis};
use crate::workload::Workload;

/// With this in the environment the program is `wasmactor` itself; see `workload::kv`.
const HOST: &str = "WASMACTOR_BENCH_IS_HOST";
/// What surrounds the generated section.
const MARKS: [&str; 2] = ["<!-- bench: begin, written by `cargo xtask bench --markdown` -->", "<!-- bench: end -->"];

/// Measure messages, calls, spawns, timers and sockets of this host, with guests and with native behaviors.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench", after_help = workloads(), max_term_width = 100)]
struct Cli {
    /// Only these [default: all]
    workloads: Vec<String>,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Numbers of worker threads
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    workers: Vec<usize>,
    /// Only these: native, wasm (Rust SDK), wasm-min (by hand), redis
    #[arg(long, value_delimiter = ',')]
    systems: Vec<String>,
    /// Divide the number of messages by this, for a quick look
    #[arg(long, default_value_t = 1)]
    quick: u64,
    /// Write the table and what it was measured on into docs/performance.md, with this date
    #[arg(long, value_name = "DATE")]
    markdown: Option<String>,
}

fn workloads() -> String {
    let line = |workload: &Workload| format!("  {:17} {}\n", workload.name, workload.about);
    format!("Workloads:\n{}", workload::ALL.iter().map(line).collect::<String>())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap_or_else(|_| PathBuf::from("."))
}

fn main() -> ExitCode {
    if std::env::var_os(HOST).is_some() {
        return wasmactor::cli::main();
    }
    // As `wasmactor run` does.
    wasmactor::boot::keep_heap();
    match bench(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(cli: &Cli) -> Result<()> {
    let chosen: Vec<(usize, &Workload)> = workload::ALL
        .iter()
        .enumerate()
        .filter(|(_, workload)| cli.workloads.is_empty() || cli.workloads.iter().any(|name| name == workload.name))
        .collect();
    if let Some(unknown) =
        cli.workloads.iter().find(|name| workload::ALL.iter().all(|workload| workload.name != **name))
    {
        bail!("there is no workload `{unknown}`; see --help");
    }
    let systems = systems(cli)?;
    let mut report = Report::default();
    for round in 1..=cli.runs {
        eprintln!("round {round} of {}", cli.runs);
        for (place, workload) in &chosen {
            measure(cli, &systems, *place, workload, &mut report)?;
        }
    }
    let mut out = stdout().lock();
    for line in report.lines() {
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    eprintln!("\n{}", report.table());
    if let Some(date) = &cli.markdown {
        write_section(&report.section(&command(), date))?;
    }
    Ok(())
}

fn systems(cli: &Cli) -> Result<Vec<Box<dyn System>>> {
    let wanted = |name: &str| cli.systems.is_empty() || cli.systems.iter().any(|system| system == name);
    let mut systems: Vec<Box<dyn System>> = Vec::new();
    if wanted("native") {
        systems.push(Box::new(Native));
    }
    let host = wasm::host()?;
    if wanted("wasm") {
        systems.push(Box::new(Wasm::sdk(host.clone())?));
    }
    if wanted("wasm-min") {
        systems.push(Box::new(Wasm::min(host)?));
    }
    if wanted("redis") {
        systems.push(Box::new(Redis));
    }
    Ok(systems)
}

fn measure(
    cli: &Cli,
    systems: &[Box<dyn System>],
    place: usize,
    workload: &Workload,
    report: &mut Report,
) -> Result<()> {
    for (bytes, width, n) in workload.sizes {
        for workers in &cli.workers {
            let case = Case { workers: *workers, bytes: *bytes, width: *width, n: (n / cli.quick).max(1) };
            for system in systems {
                let before = CpuTime::now();
                let samples = system
                    .measure(workload, &case)
                    .with_context(|| format!("{} on {}, {workers} workers", workload.name, system.name()))?;
                let noise = before.zip(CpuTime::now()).map_or(0.0, |(before, now)| now.taken_by_others(&before));
                if let Some(samples) = samples {
                    report.add(place, system.name(), &case, samples, noise);
                }
            }
        }
    }
    Ok(())
}

/// How this run was asked for.
fn command() -> String {
    let mut words = vec!["cargo xtask bench".to_owned()];
    words.extend(std::env::args().skip(1));
    words.join(" ")
}

/// Puts the section between its marks.
fn write_section(section: &str) -> Result<()> {
    let path = root().join("docs/performance.md");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let [begin, end] = MARKS;
    let (Some((before, _)), Some((_, after))) = (text.split_once(begin), text.split_once(end)) else {
        bail!("{} has not the lines `{begin}` and `{end}`", path.display());
    };
    fs::write(&path, format!("{before}{begin}\n\n{section}\n{end}{after}"))?;
    Ok(())
}
