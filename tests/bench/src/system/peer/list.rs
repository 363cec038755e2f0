//! Which peers there are, what each needs, how it is started, and what it cannot do. Used by `peer`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::system::peer::install::{Places, files, need, run, step};
use crate::system::peer::{Peer, Start};

/// A peer before it is installed.
pub(super) struct Entry {
    pub(super) name: &'static str,
    workloads: &'static [&'static str],
    most: Option<usize>,
    /// Installs it, if it is not there, and says how it is started.
    pub(super) install: fn(&Places) -> Result<Start>,
}

impl Entry {
    pub(super) fn peer(&self, start: Start) -> Peer {
        Peer { name: self.name, workloads: self.workloads, most: self.most, start }
    }
}

/// What a whole actor system does.
const EVERYTHING: &[&str] = &[
    "send",
    "call",
    "fan-in",
    "ring",
    "pairs",
    "spawn",
    "idle",
    "tree",
    "timer-arm",
    "timer-late",
    "tcp-echo",
    "fairness",
];
/// A `gen_server` has no timers of its own: `timer-arm` would be that of `erlang`.
const GEN_SERVER: &[&str] =
    &["send", "call", "fan-in", "ring", "pairs", "spawn", "idle", "tree", "timer-late", "tcp-echo", "fairness"];
/// The actor libraries have no sockets: an echo server would be tokio's.
const LIBRARY: &[&str] =
    &["send", "call", "fan-in", "ring", "pairs", "spawn", "idle", "tree", "timer-arm", "timer-late", "fairness"];

/// All, in the order of the tables.
pub(super) const ALL: [Entry; 7] = [
    Entry { name: "erlang", workloads: EVERYTHING, most: None, install: |places| erlang(places, "bench_bare") },
    Entry {
        name: "erlang-gen-server",
        workloads: GEN_SERVER,
        most: None,
        install: |places| erlang(places, "bench_server"),
    },
    Entry { name: "go", workloads: EVERYTHING, most: None, install: go },
    Entry { name: "ractor", workloads: LIBRARY, most: None, install: |places| rust(places, "ractor") },
    Entry { name: "kameo", workloads: LIBRARY, most: None, install: |places| rust(places, "kameo") },
    Entry { name: "actix", workloads: LIBRARY, most: None, install: |places| rust(places, "actix") },
    // The limit for TCP, and nothing else.
    Entry { name: "mio", workloads: &["tcp-echo"], most: None, install: |places| rust(places, "mio") },
];

/// `kind` is the module with the workloads.
fn erlang(places: &Places, kind: &'static str) -> Result<Start> {
    need("erlc", &["erlang-base"], "Erlang/OTP, the peers erlang and erlang-gen-server")?;
    let built = places.built("erlang")?;
    run(Command::new("erlc").arg("-o").arg(&built).args(files(&places.source("erlang"), "erl")?))?;
    Ok(Box::new(move |workers| {
        let mut erl = Command::new("erl");
        // Room for a million processes, and no dump of a run that fails.
        erl.env("ERL_CRASH_DUMP_SECONDS", "0").args(["-noshell", "+P", "4000000", "+Q", "65536"]);
        erl.arg("+S").arg(format!("{workers}:{workers}"));
        erl.arg("-pa").arg(&built).args(["-run", "bench_main", "main", kind]);
        erl
    }))
}

fn go(places: &Places) -> Result<Start> {
    need("go", &["golang-go"], "Go, the peer go")?;
    let program = places.built("go")?.join("peer");
    run(Command::new("go").current_dir(places.source("go")).arg("build").arg("-o").arg(&program).arg("."))?;
    Ok(plain(program))
}

/// An actor library of crates.io.
fn rust(places: &Places, name: &'static str) -> Result<Start> {
    step(&format!("peer {name}: cargo build into target/bench/rust, crates from crates.io (minutes the first time)"));
    Ok(plain(places.cargo_build("rust", name)?))
}

/// A program that sets its workers itself.
fn plain(program: PathBuf) -> Start {
    Box::new(move |_| Command::new(&program))
}
