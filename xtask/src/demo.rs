//! `cargo xtask demo`: wasm actors at work, in about a minute once all is built.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::server::Server;
use crate::setup;
use crate::shell::{self, cargo, command, output, step, target};

/// Where examples/kv listens.
const KV: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7379);

/// What is typed into redis-cli.
const TYPED: [&[&str]; 8] = [
    &["PING"],
    &["SET", "greeting", "hello from wasm"],
    &["GET", "greeting"],
    &["INCR", "visits"],
    &["INCR", "visits"],
    &["MSET", "a", "1", "b", "2"],
    &["MGET", "a", "b", "nothing"],
    &["LPUSH", "a", "1"],
];

/// `cargo xtask demo`.
pub(crate) fn run() -> Result<()> {
    step("building the host (the first time takes some minutes)");
    shell::run(&mut cargo(&shell::BUILD_HOST))?;

    step("examples/hello: one actor, one timer");
    shell::run(wasmactor().args(["run", "examples/hello/app.toml"]))?;

    step("examples/kv: a key-value server; its listener, connections and stores are actors");
    shell::run(wasmactor().args(["build", "examples/kv/app.toml"]).stdout(Stdio::null()))?;
    let server = Server::start(wasmactor().args(["run", "--no-build", "examples/kv/app.toml"]), KV)?;

    step("redis-cli talks to it");
    let port = KV.port().to_string();
    for words in TYPED {
        let answer = output(command("redis-cli", &["--no-raw", "-p", &port]).args(words))?;
        let answer: Vec<&str> = answer.trim_end().lines().collect();
        eprintln!("  {:<32} -> {}", words.join(" "), answer.join(" | "));
    }

    step(
        "redis-benchmark: 50 connections, 20000 requests each of SET, GET and INCR (a build for debugging; see docs/performance.md for figures)",
    );
    let table = output(&mut command(
        "redis-benchmark",
        &["-p", &port, "-t", "set,get,incr", "-c", "50", "-n", "20000", "--csv"],
    ))?;
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').map(|cell| cell.trim_matches('"')).collect();
        if let [test, rate, latency, ..] = cells[..] {
            eprintln!("  {test:<5} {rate:>10} requests/s, {latency} ms on average");
        }
    }

    step("redis-py, over every command that the example has (tests/py/redis_py.py)");
    shell::run(command(setup::python(), &["tests/py/redis_py.py"]).arg(KV.to_string()))?;

    step("SIGTERM: the actors finish, the host ends");
    server.stop()?;
    eprintln!(
        "\nThat was it. Your own: target/debug/wasmactor new my-app && target/debug/wasmactor run my-app/app.toml"
    );
    Ok(())
}

/// The built host.
fn wasmactor() -> Command {
    command(target().join("debug/wasmactor"), &[])
}
