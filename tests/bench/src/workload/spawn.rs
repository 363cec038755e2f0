//! A whole short life: start, one request, end. Several spawners show how far starts go in parallel.

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::Workload;

pub(crate) const SPAWN: Workload = Workload {
    ours: &["native", "wasm", "wasm-min", "wasm-speed"],
    ..Workload::repeated(
        "spawn",
        "start of an actor with its `init`, one request to it, its end; by one spawner, and by two at once",
        &[(0, 1, 2_000), (0, 2, 2_000)],
        run,
    )
};

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    let targets = app.spawn_many("driver", case.width)?.into_iter().flat_map(|spawner| [spawner, 0]).collect();
    let order = Order { n: case.n, inner: kind::SPAWN, targets, ..Order::default() };
    Ok(vec![Sample::ns(SPAWN.name, app.time(driver, kind::SHARE, &order)?)])
}
