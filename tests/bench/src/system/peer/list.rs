//! Which peers there are, what each needs, how it is started, and what it cannot do. Used by `peer`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::system::peer::install::{Places, cargo, files, need, run, step};
use crate::system::peer::{Peer, Start};

/// A peer before it is installed.
pub(super) struct Entry {
    pub(super) name: &'static str,
    workloads: &'static [&'static str],
    most: Option<usize>,
    single: bool,
    /// Installs it, if it is not there, and says how it is started.
    pub(super) install: fn(&Places) -> Result<Start>,
}

impl Entry {
    /// One that holds any number of actors, with any number of workers.
    const fn new(
        name: &'static str,
        workloads: &'static [&'static str],
        install: fn(&Places) -> Result<Start>,
    ) -> Self {
        Self { name, workloads, most: None, single: false, install }
    }

    /// It holds no more actors at once.
    const fn holding(self, most: usize) -> Self {
        Self { most: Some(most), ..self }
    }

    /// It has one thread, whatever is asked for.
    const fn single(self) -> Self {
        Self { single: true, ..self }
    }

    pub(super) fn peer(&self, start: Start) -> Peer {
        Peer { name: self.name, workloads: self.workloads, most: self.most, single: self.single, start }
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

/// A queue of messages and nothing else.
const LOOP: &[&str] = &["send", "call", "fan-in", "ring", "pairs", "tree"];

/// All, in the order of the tables.
pub(super) const ALL: [Entry; 11] = [
    Entry::new("erlang", EVERYTHING, |places| erlang(places, "bench_bare")),
    Entry::new("erlang-gen-server", GEN_SERVER, |places| erlang(places, "bench_server")),
    Entry::new("go", EVERYTHING, go),
    Entry::new("ractor", LIBRARY, |places| rust(places, "ractor")),
    Entry::new("kameo", LIBRARY, |places| rust(places, "kameo")),
    Entry::new("actix", LIBRARY, |places| rust(places, "actix")),
    // It ends at 16,381: each has 8 GiB of the address space.
    Entry::new("lunatic", EVERYTHING, lunatic).holding(10_000),
    // Its components serve HTTP and WebSockets, not plain TCP. It leaves wasmtime's pool of stacks at 1000: what is
    // started beyond, its bench's driver counted, fails at its first call.
    Entry::new("rusm", LIBRARY, rusm).holding(800),
    Entry::new("bare", LOOP, |places| rust(places, "bare")).single(),
    Entry::new("global-queue", LOOP, |places| rust(places, "global-queue")),
    // The limit for TCP, and nothing else.
    Entry::new("mio", &["tcp-echo"], |places| rust(places, "mio")),
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

/// A program of the workspace `rust`.
fn rust(places: &Places, name: &'static str) -> Result<Start> {
    step(&format!("peer {name}: cargo build into target/bench/rust, crates from crates.io (minutes the first time)"));
    Ok(plain(places.cargo_build("rust", name)?))
}

/// The guest for a host of WebAssembly, in a folder of what is built.
fn guest(places: &Places, host: &str) -> Result<PathBuf> {
    let why = format!("a compiler for the guests of the peer {host}");
    need("clang", &["clang", "lld"], &why)?;
    need("wasm-ld", &["lld"], &why)?;
    let guest = places.built(host)?.join("guest.wasm");
    let mut clang = Command::new("clang");
    clang.current_dir(places.source("wasm")).args(["--target=wasm32", "-O2", "-nostdlib", "-ffreestanding"]);
    clang.args(["-fno-builtin", "-Wl,--no-entry,-z,stack-size=16384", "actors.c", &format!("{host}.c"), "-o"]);
    run(clang.arg(&guest))?;
    Ok(guest)
}

fn lunatic(places: &Places) -> Result<Start> {
    let guest = guest(places, "lunatic")?;
    let built = places.built("lunatic")?;
    let program = built.join("bin/lunatic");
    if !program.is_file() {
        step("peer lunatic: cargo install lunatic-runtime 0.13.2 into target/bench/lunatic (about 10 minutes)");
        let mut install = cargo();
        install.args(["install", "lunatic-runtime", "--version", "0.13.2", "--root"]).arg(&built);
        run(install.env("CARGO_TARGET_DIR", built.join("build")))?;
    }
    Ok(Box::new(move |workers| {
        let mut lunatic = Command::new(&program);
        lunatic.env("TOKIO_WORKER_THREADS", workers.to_string()).arg("run").arg(&guest);
        lunatic
    }))
}

fn rusm(places: &Places) -> Result<Start> {
    let guest = guest(places, "rusm")?;
    step("peer rusm: cargo build of a host with rusm-wasm 0.7 into target/bench/rusm (10 minutes the first time)");
    let program = places.cargo_build("rusm", "wasmactor-bench-rusm")?;
    Ok(Box::new(move |_| {
        let mut rusm = Command::new(&program);
        rusm.arg(&guest);
        rusm
    }))
}

/// A program that sets its workers itself.
fn plain(program: PathBuf) -> Start {
    Box::new(move |_| Command::new(&program))
}
