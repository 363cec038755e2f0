//! From the command line to the first answer, with compiled code in the cache and without.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::root;
use crate::system::{Case, Sample};
use crate::workload::kv::{self, Server};
use crate::workload::{Fit, Run, SDK, Workload};

pub(crate) const COLD_START: Workload = Workload {
    name: "cold-start",
    about: "`wasmactor run --no-build` of examples/kv, from the start of the process to the answer to a first PING, with \
            compiled code in the cache and without",
    sizes: &[(0, 0, 1)],
    fit: Fit::No,
    ours: SDK,
    large: false,
    run: Run::Programs(run),
};

fn run(case: &Case) -> Result<Vec<Sample>> {
    let cache = root().join("target/bench/cache");
    if cache.exists() {
        fs::remove_dir_all(&cache)?;
    }
    fs::create_dir_all(&cache)?;
    kv::build()?;
    let compiled = start(case, &cache)?;
    let cached = start(case, &cache)?;
    let sample = |name: &str, time: Duration| Sample::ns(name, time.as_nanos() as f64);
    Ok(vec![sample("cold-start-compiling", compiled), sample("cold-start-cached", cached)])
}

fn start(case: &Case, cache: &Path) -> Result<Duration> {
    let port = kv::free_port()?;
    let mut command = kv::command(port, case.workers)?;
    command.env("XDG_CACHE_HOME", cache);
    let started = Instant::now();
    let (_server, mut stream) = Server::start(&mut command, port)?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).context("no answer to PING")?;
    let took = started.elapsed();
    ensure!(answer == *b"+PONG\r\n", "the answer to PING was {:?}", String::from_utf8_lossy(&answer));
    Ok(took)
}
