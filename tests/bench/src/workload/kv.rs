//! `examples/kv` and a real redis-server under redis's own benchmark. Both are programs of their own: the host is this
//! program started again as `wasmactor` (see `main`), so that one build serves.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::child;
use crate::root;
use crate::system::{Case, Sample};
use crate::unit::Unit;
use crate::workload::{Fit, Run, SDK, Workload};

pub(crate) const KV: Workload = Workload {
    name: "kv",
    about: "examples/kv, and redis-server, under `redis-benchmark -t set,get -c 50`, without and with `-P 16`",
    sizes: &[(3, 50, 40_000)],
    fit: Fit::No,
    ours: SDK,
    large: false,
    run: Run::Programs(wasmactor),
};

/// The address in the example's manifest, which is changed to a free port.
const EXAMPLE: &str = "127.0.0.1:7379";
/// A first start makes machine code of the guests.
const START: Duration = Duration::from_secs(300);

/// A server that ends with this value.
pub(super) struct Server {
    process: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

pub(crate) fn wasmactor(case: &Case) -> Result<Vec<Sample>> {
    build()?;
    let port = free_port()?;
    measure(&mut command(port, case.workers)?, port, case)
}

pub(crate) fn redis(case: &Case) -> Result<Vec<Sample>> {
    let port = free_port()?;
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    measure(&mut command, port, case)
}

/// The host with the example, whose guests are built.
pub(super) fn command(port: u16, workers: usize) -> Result<Command> {
    let mut command = child::this_program(child::HOST)?;
    command.arg("run").arg(manifest(port)?).args(["--no-build", "--log", "warn", "--workers", &workers.to_string()]);
    Ok(command)
}

/// The guests of the example; a moment if they are there.
pub(super) fn build() -> Result<()> {
    let built = child::this_program(child::HOST)?.arg("build").arg(manifest(free_port()?)?).output()?;
    ensure!(built.status.success(), "examples/kv is not built: {}", String::from_utf8_lossy(&built.stderr));
    Ok(())
}

pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The manifest of examples/kv with another port, beside the bench's other output.
fn manifest(port: u16) -> Result<PathBuf> {
    let example = root().join("examples/kv");
    let text = fs::read_to_string(example.join("app.toml")).context("examples/kv/app.toml")?;
    if !text.contains(EXAMPLE) {
        bail!("examples/kv/app.toml does not listen on {EXAMPLE} any more: please adapt tests/bench");
    }
    let text = text
        .replace(EXAMPLE, &format!("127.0.0.1:{port}"))
        .replace("source = \"", &format!("source = \"{}/", example.display()));
    let folder = root().join("target/bench");
    fs::create_dir_all(&folder)?;
    let path = folder.join("kv.toml");
    fs::write(&path, text)?;
    Ok(path)
}

fn measure(command: &mut Command, port: u16, case: &Case) -> Result<Vec<Sample>> {
    let (server, _) = Server::start(command, port)?;
    // Warm-up.
    server.benchmark(1, (case.n / 10).max(1))?;
    let mut samples = Vec::new();
    for depth in [1, 16] {
        // Pipelined ones are that much faster; half of it keeps a run short.
        for (test, rate) in server.benchmark(depth, case.n * depth.div_ceil(2))? {
            let pipelined = if depth > 1 { format!("-p{depth}") } else { String::new() };
            samples.push(Sample::new(format!("kv-{}{pipelined}", test.to_lowercase()), rate, Unit::PerSecond));
        }
    }
    Ok(samples)
}

impl Server {
    /// Starts it, and waits until it takes connections: this one.
    pub(super) fn start(command: &mut Command, port: u16) -> Result<(Self, TcpStream)> {
        let program = Path::new(command.get_program()).display().to_string();
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut server = Self { process: process.with_context(|| format!("{program} cannot be started"))?, port };
        let started = Instant::now();
        loop {
            if let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                return Ok((server, stream));
            }
            if let Some(status) = server.process.try_wait()? {
                bail!("{program} ended at once: {status}");
            }
            if started.elapsed() > START {
                bail!("{program} does not listen after {START:?}");
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Pairs of a test and its requests a second.
    fn benchmark(&self, depth: u64, requests: u64) -> Result<Vec<(String, f64)>> {
        let mut command = Command::new("redis-benchmark");
        command.args(["-p", &self.port.to_string(), "-t", "set,get", "-c", "50", "--csv"]);
        command.args(["-P", &depth.to_string(), "-n", &requests.to_string()]);
        let output = command.stderr(Stdio::null()).output().context("redis-benchmark cannot be started")?;
        let text = String::from_utf8_lossy(&output.stdout);
        // "SET","12345.67",…: other lines are headings.
        let line = |line: &str| {
            let mut fields = line.split(',').map(|field| field.trim_matches('"'));
            let test = fields.next()?.to_owned();
            let rate: f64 = fields.next()?.parse().ok()?;
            (rate > 0.0).then_some((test, rate))
        };
        let rates: Vec<_> = text.lines().filter_map(line).collect();
        if !output.status.success() || rates.is_empty() {
            bail!("redis-benchmark failed: {text}");
        }
        Ok(rates)
    }
}
