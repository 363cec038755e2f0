//! What is left for others while endless loops are about: one for each worker.

use std::time::Duration;

use anyhow::{Result, ensure};
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::unit::Unit;
use crate::workload::{Fit, Run, SDK, Workload};

pub(crate) const FAIRNESS: Workload = Workload {
    name: "fairness",
    about: "calls that a pair of actors gets done while as many actors as there are workers run endless loops, in per \
            cent of what it gets done without them",
    sizes: &[(32, 0, 1_000)],
    fit: Fit::No,
    ours: SDK,
    large: false,
    run: Run::Actors(run),
};

/// For an answer that is late because of the loops. A pair that gets nothing done in this time gets nothing.
const PATIENCE: Duration = Duration::from_secs(10);

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let (driver, echo) = (app.spawn("driver")?, app.spawn("actor")?);
    let loops = app.spawn_many("actor", case.workers)?;
    let order = Order { n: case.n, bytes: case.bytes, targets: vec![echo], ..Order::default() };
    app.order(driver, kind::COUNT, &Order { n: case.n / 10, ..order.clone() })?;
    let before = app.order(driver, kind::COUNT, &order)?.first().copied().unwrap_or(0);
    ensure!(before > 0, "no call was done in {} ms", case.n);
    for actor in loops {
        app.post(actor, kind::SPIN, &[])?;
    }
    std::thread::sleep(Duration::from_millis(100));
    let patience = PATIENCE + Duration::from_millis(case.n);
    let during = app.order_within(driver, kind::COUNT, &order, patience)?.map_or(0, |counts| counts[0]);
    Ok(vec![Sample::new(FAIRNESS.name, during as f64 * 100.0 / before as f64, Unit::Percent)])
}
