//! Timers: what one costs, and how late it is.

use anyhow::{Result, bail};
use bench_protocol::{Order, kind};

use crate::stats::quantile;
use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::{Run, Workload};

pub(crate) const ARM: Workload = Workload {
    name: "timer-arm",
    about: "arming one of 100,000 timers",
    sizes: &[(0, 0, 100_000)],
    run: Run::Actors(arm),
};

pub(crate) const LATE: Workload = Workload {
    name: "timer-late",
    about: "how late a timer of 10 ms is on an idle node: median and 99 % of one run's 100",
    sizes: &[(0, 0, 100)],
    run: Run::Actors(late),
};

fn arm(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    let order = Order { n: case.n, ..Order::default() };
    Ok(vec![Sample::ns(ARM.name, app.time(driver, kind::ARM, &order)?)])
}

fn late(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    let mut lateness = app.ask(driver, kind::LATE, &Order { n: case.n, ..Order::default() })?;
    lateness.sort_unstable();
    if lateness.is_empty() {
        bail!("no timer fired");
    }
    let at = |share| quantile(&lateness, share) as f64;
    Ok(vec![Sample::ns("timer-late-p50", at(0.5)), Sample::ns("timer-late-p99", at(0.99))])
}
