//! Timers: what one costs, and how late it is.

use anyhow::{Result, ensure};
use bench_protocol::{Order, kind, unpack};

use crate::stats::quantile;
use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::{FULL, Fit, Run, Workload};

pub(crate) const ARM: Workload = Workload {
    name: "timer-arm",
    about: "arming one of 100,000 timers",
    sizes: &[(0, 0, 100_000)],
    fit: Fit::No,
    ours: FULL,
    large: false,
    run: Run::Actors(arm),
};

pub(crate) const LATE: Workload = Workload {
    name: "timer-late",
    about: "how late a timer of 10 ms is for each of 100 sleepers, on an idle node and beside 4 pairs that call each \
            other without pause: earliest, median, 99 % and 99.9 % of a run",
    sizes: &[(0, 0, 10_000), (0, 4, 10_000)],
    fit: Fit::No,
    ours: FULL,
    large: false,
    run: Run::Actors(late),
};

const SLEEPERS: usize = 100;

fn arm(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    let order = Order { n: case.n, ..Order::default() };
    Ok(vec![Sample::ns(ARM.name, app.time(driver, kind::ARM, &order)?)])
}

fn late(app: &App, case: &Case) -> Result<Vec<Sample>> {
    for caller in app.spawn_many("driver", case.width)? {
        let echo = app.spawn("actor")?;
        // More than any run can do.
        let order = Order { n: u64::MAX, bytes: 32, targets: vec![echo], ..Order::default() };
        app.post(caller, kind::CALL, &unpack(&order.encode()))?;
    }
    let sleepers = app.spawn_many("driver", SLEEPERS)?;
    let order = Order { n: case.n.div_ceil(SLEEPERS as u64), ..Order::default() };
    // Too early would be negative.
    let lateness = app.order_all(&sleepers, kind::LATE, &order)?;
    let mut lateness: Vec<i64> = lateness.into_iter().map(u64::cast_signed).collect();
    ensure!(!lateness.is_empty(), "no timer fired");
    lateness.sort_unstable();
    let sample = |what: &str, share: f64| Sample::ns(format!("timer-late-{what}"), quantile(&lateness, share) as f64);
    Ok(vec![sample("min", 0.0), sample("p50", 0.5), sample("p99", 0.99), sample("p99.9", 0.999)])
}
