//! Actors that start actors, as in the benchmark called "skynet": ten children each, sums come up, everyone ends.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bench_protocol::kind;

use crate::memory::Memory;
use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::unit::Unit;
use crate::workload::{EVERY, Fit, Run, Workload};

pub(crate) const TREE: Workload = Workload {
    name: "tree",
    about: "a tree of actors with 100,000 or 1,000,000 leaves, each node with ten children, whose answers it sums: wall \
            time for one actor, inner ones too, from the first start to the last end; most memory meanwhile, for one",
    sizes: &[(0, 100_000, 111_111), (0, 1_000_000, 1_111_111)],
    fit: Fit::Width,
    ours: EVERY,
    large: false,
    run: Run::Alone(run),
};

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    grow(app, 100)?;
    let before = Memory::now()?;
    let leaves = case.width as u64;
    let took = grow(app, leaves)?;
    let actors = (leaves * 10 - 1) as f64 / 9.0;
    let peak = (Memory::now()?.peak - before.rss).max(0.0);
    Ok(vec![
        Sample::ns(TREE.name, took.as_nanos() as f64 / actors),
        Sample::new("tree-peak-rss", peak / actors, Unit::Bytes),
    ])
}

fn grow(app: &App, leaves: u64) -> Result<Duration> {
    let root = app.spawn("actor")?;
    let started = Instant::now();
    let counted = app.ask(root, kind::TREE, &[leaves])?;
    while app.alive() > 0 {
        std::thread::sleep(Duration::from_micros(50));
    }
    ensure!(counted == [leaves], "a tree of {leaves} leaves counted {counted:?}");
    Ok(started.elapsed())
}
