//! The command line. Used by `main`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Parser;

use crate::system::peer;
use crate::workload::{self, Workload};

/// Measure messages, calls, spawns, memory, timers and sockets of this host, beside others if wanted.
///
/// Each round goes over all workloads, numbers of workers and systems, so that what is compared was measured at the same
/// time. Before the first round each system does every workload once: that warms it up, and shows how often a thing must
/// be done for a run of 200 ms or more. What others took of the machine is in the output; runs with much of it are left
/// out where quieter ones exist.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench", after_help = after_help(), max_term_width = 100)]
pub(crate) struct Cli {
    /// Only these [default: all but the large ones]
    workloads: Vec<String>,
    /// Rounds
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) runs: usize,
    /// Numbers of worker threads
    #[arg(long, value_delimiter = ',', default_value = "1,2", value_name = "N,…")]
    pub(crate) workers: Vec<usize>,
    /// Only these of ours: native (behaviors in Rust, no sandbox), wasm (Rust SDK), wasm-min (by hand), wasm-speed (Rust SDK,
    /// profile `speed`); and redis
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    systems: Vec<String>,
    /// Others beside ours, all or these (see below), installed from registries where they are missing
    #[arg(long, value_delimiter = ',', num_args = 0.., require_equals = true, value_name = "NAME,…")]
    pub(crate) peers: Option<Vec<String>>,
    /// The large workloads too
    #[arg(long)]
    full: bool,
    /// Divide the length of runs, and large numbers of actors, by this, for a quick look
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) quick: u64,
    /// Keep the lines in a file, for --render
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Measure nothing: take the lines of these files, of each row those of the latest run
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["workloads", "save", "peers", "full"])]
    pub(crate) render: Vec<PathBuf>,
    /// Write tables and plots into docs/performance.md and docs/performance/, with this date
    #[arg(long, value_name = "DATE")]
    pub(crate) markdown: Option<String>,
}

const OUTPUT: &str = "A table on stderr, and one line of JSON for each figure of each system on stdout: median, min and \
    max of the runs, `ns` for one, and `ratio`, what it costs over what it costs with `wasm` in the same run.";

const EXAMPLES: &str = "
  cargo xtask bench send call --peers=erlang,go
  cargo xtask bench --quick 10 --runs 1
  cargo xtask bench --peers --save target/most.jsonl
  cargo xtask bench million --runs 1 --save target/million.jsonl
  cargo xtask bench --render target/most.jsonl target/million.jsonl --markdown 2026-11-24";

fn after_help() -> String {
    let line = |workload: &Workload| {
        let large = if workload.large { " (large)" } else { "" };
        format!("  {}{large}\n{}\n", workload.name, wrapped(workload.about, 6))
    };
    let workloads: String = workload::ALL.iter().map(line).collect();
    let (peers, output) = (wrapped(&peer::names_of_all(), 2), wrapped(OUTPUT, 2));
    format!("Peers:\n{peers}\n\nOutput:\n{output}\n\nExamples:{EXAMPLES}\n\nWorkloads:\n{workloads}")
}

/// In lines of up to 90 characters, indented.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = vec![" ".repeat(indent)];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            let empty = line.trim().is_empty();
            if empty || line.chars().count() + 1 + word.chars().count() <= 90 {
                if !empty {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
        }
        lines.push(format!("{}{word}", " ".repeat(indent)));
    }
    lines.join("\n")
}

impl Cli {
    /// The workloads to run. Errors: one of them does not exist.
    pub(crate) fn chosen(&self) -> Result<Vec<&'static Workload>> {
        if let Some(unknown) = self.workloads.iter().find(|name| workload::find(name).is_none()) {
            bail!("there is no workload `{unknown}`; see --help");
        }
        let named = |workload: &Workload| self.workloads.iter().any(|name| name == workload.name);
        let wanted =
            |workload: &&Workload| named(workload) || (self.workloads.is_empty() && (self.full || !workload.large));
        Ok(workload::ALL.iter().filter(wanted).collect())
    }

    /// Whether a system of ours is to be measured.
    pub(crate) fn wants(&self, system: &str) -> bool {
        self.systems.is_empty() || self.systems.iter().any(|name| name == system)
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{CommandFactory as _, Parser as _};

    fn chosen(arguments: &[&str]) -> Vec<&'static str> {
        let cli = Cli::try_parse_from([&["bench"], arguments].concat()).expect("right");
        cli.chosen().expect("all exist").iter().map(|workload| workload.name).collect()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_is_wrapped() {
        assert_eq!(super::wrapped("a b", 2), "  a b");
        let text = super::wrapped(&"word ".repeat(40), 4);
        assert!(text.lines().all(|line| line.len() <= 90 && line.starts_with("    word")), "{text}");
        assert_eq!(text.split_whitespace().count(), 40);
    }

    #[test]
    fn large_ones_only_if_asked_for() {
        assert!(!chosen(&[]).contains(&"million"));
        assert!(chosen(&["--full"]).contains(&"million"));
        assert_eq!(chosen(&["million", "send"]), ["send", "million"]);
        assert!(Cli::try_parse_from(["bench", "walk"]).expect("a word").chosen().is_err());
    }

    #[test]
    fn peers_may_be_named() {
        let peers = |arguments: &[&str]| Cli::try_parse_from(arguments).expect("right").peers;
        assert_eq!(peers(&["bench", "send"]), None);
        assert_eq!(peers(&["bench", "--peers", "send"]), Some(vec![]));
        assert_eq!(peers(&["bench", "--peers=erlang,go"]), Some(vec!["erlang".to_owned(), "go".to_owned()]));
    }
}
