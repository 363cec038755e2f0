//! A whole short life: start, one request, end.

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::{Run, Workload};

pub(crate) const SPAWN: Workload = Workload {
    name: "spawn",
    about: "start of an actor with its `init`, one request to it, its end; one after the other",
    sizes: &[(0, 0, 2_000)],
    run: Run::Actors(run),
};

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    let order = Order { n: case.n, ..Order::default() };
    Ok(vec![Sample::ns(SPAWN.name, app.time(driver, kind::SPAWN, &order)?)])
}
