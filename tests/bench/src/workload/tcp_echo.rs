//! An echo server that is one actor, and clients in one thread of the bench.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bench_protocol::kind;

use crate::client;
use crate::stats::quantile;
use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::unit::Unit;
use crate::workload::{FULL, Fit, Run, Workload};

const WARM_UP: Duration = Duration::from_millis(200);

pub(crate) const TCP_ECHO: Workload = Workload {
    name: "tcp-echo",
    about: "request over one of 1, 50 or 500 connections, closed loop, the client's thread is on the same machine; then latencies",
    sizes: &[
        (64, 1, 20_000),
        (64, 50, 100_000),
        (64, 500, 100_000),
        (4096, 1, 20_000),
        (4096, 50, 100_000),
        (4096, 500, 100_000),
    ],
    fit: Fit::Millis(500),
    ours: FULL,
    large: false,
    run: Run::Actors(run),
};

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let server = app.spawn("actor")?;
    let port = app.ask(server, kind::LISTEN, &[])?;
    let port = port.first().and_then(|port| u16::try_from(*port).ok()).context("the server has no port")?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    clients(at, case)
}

/// What clients see of an echo server, whoever it is.
pub(crate) fn clients(at: SocketAddr, case: &Case) -> Result<Vec<Sample>> {
    let run = client::Run { at, connections: case.width, bytes: case.bytes, warm_up: WARM_UP, requests: case.n };
    let mut done = run.run()?;
    done.latencies.sort_unstable();
    let at = |share| quantile(&done.latencies, share) as f64;
    Ok(vec![
        Sample::new(TCP_ECHO.name, done.latencies.len() as f64 / done.took.as_secs_f64(), Unit::PerSecond),
        Sample::ns("tcp-echo-p50", at(0.5)),
        Sample::ns("tcp-echo-p99", at(0.99)),
        Sample::ns("tcp-echo-p99.9", at(0.999)),
    ])
}
