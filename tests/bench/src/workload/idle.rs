//! What an actor that waits costs in memory. It has handled a message, so all that it ever touches at once is there.

use anyhow::{Context as _, Result};
use bench_protocol::{Order, kind};

use crate::memory::Memory;
use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::unit::Unit;
use crate::workload::{EVERY, Fit, Run, Workload};

pub(crate) const IDLE: Workload = Workload {
    name: "idle",
    about: "100,000 actors that have answered one message each, in a fresh process: time to start one, its share of the \
            process's memory (RSS), of the kernel's page tables, and how many mappings",
    sizes: &[(0, 100_000, 100_000)],
    fit: Fit::Width,
    ours: EVERY,
    large: false,
    run: Run::Alone(run),
};

/// Started at an order: their addresses are its answer.
pub(super) const CROWD: usize = 10_000;

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    // The first actors make what all share: code pages, the allocator's arenas, tables.
    crowd(app, driver, 100, kind::ECHO)?;
    let before = Memory::now()?;
    let started = start(app, driver, case.n, kind::ECHO)?;
    let after = Memory::now()?;
    let each = |what: fn(&Memory) -> f64| (what(&after) - what(&before)).max(0.0) / case.n as f64;
    Ok(vec![
        Sample::ns("idle-spawn", started.ns / case.n as f64),
        Sample::new("idle-rss", each(|memory| memory.rss), Unit::Bytes),
        Sample::new("idle-page-tables", each(|memory| memory.page_tables), Unit::Bytes),
        Sample::new("idle-mappings", each(|memory| memory.mappings), Unit::Count),
    ])
}

/// Actors that stay.
pub(super) struct Started {
    pub(super) ns: f64,
    pub(super) addresses: Vec<u64>,
}

/// Starts `n` actors, each of which answers a first message of this kind.
pub(super) fn start(app: &App, driver: u64, n: u64, first: u32) -> Result<Started> {
    let mut all = Started { ns: 0.0, addresses: Vec::new() };
    while (all.addresses.len() as u64) < n {
        let some = (CROWD as u64).min(n - all.addresses.len() as u64);
        let started = crowd(app, driver, some, first)?;
        all.ns += started.ns;
        all.addresses.extend(started.addresses);
    }
    Ok(all)
}

fn crowd(app: &App, driver: u64, n: u64, first: u32) -> Result<Started> {
    let numbers = app.order(driver, kind::CROWD, &Order { n, inner: first, ..Order::default() })?;
    let (ns, addresses) = numbers.split_first().context("a driver answered without a number")?;
    anyhow::ensure!(addresses.len() as u64 == n, "{} of {n} actors were started", addresses.len());
    Ok(Started { ns: *ns as f64, addresses: addresses.to_vec() })
}
