//! What is left for others while endless loops are about: one for each worker.

use std::time::Duration;

use anyhow::{Result, ensure};
use bench_protocol::{Order, kind, unpack};

use crate::stats::quantile;
use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::unit::Unit;
use crate::workload::{Fit, Run, SDK, Workload};

pub(crate) const FAIRNESS: Workload = Workload {
    name: "fairness",
    about: "calls that a pair of actors gets done while as many actors as there are workers run endless loops, in per \
            cent of what it gets done without them; then, with as many more actors that look at the clock without pause, \
            how long one of those kept its worker each time until it was cut, while all others waited",
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
    let mut samples = vec![Sample::new(FAIRNESS.name, during as f64 * 100.0 / before as f64, Unit::Percent)];
    samples.extend(turns(app, case, driver, &order)?);
    Ok(samples)
}

/// Beside all that runs already, for as long: actors that watch the clock in one turn, while the pair goes on.
fn turns(app: &App, case: &Case, driver: u64, order: &Order) -> Result<Vec<Sample>> {
    let watchers = app.spawn_many("actor", case.workers)?;
    app.post(driver, kind::COUNT, &unpack(&order.encode()))?;
    let mut turns = app.ask_all(&watchers, kind::WATCH, &[case.n])?;
    ensure!(!turns.is_empty(), "no turn was cut in {} ms", case.n);
    turns.sort_unstable();
    let sample = |what: &str, share| Sample::ns(format!("fairness-turn-{what}"), quantile(&turns, share) as f64);
    Ok(vec![sample("p50", 0.5), sample("p99", 0.99), sample("max", 1.0)])
}
