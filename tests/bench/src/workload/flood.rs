//! What others notice of an actor that is sent more than it can handle.

use std::time::Duration;

use anyhow::{Result, ensure};
use bench_protocol::{Order, kind, unpack};

use crate::stats::quantile;
use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::unit::Unit;
use crate::workload::{Fit, Run, SDK, Workload};

pub(crate) const FLOOD: Workload = Workload {
    name: "flood",
    about: "as many pairs as the width says, each with a call a millisecond: the latency that 99 % of the calls keep, without \
            and with an actor beside them that is sent 1,000 messages each millisecond, of which it can handle a few, so \
            that its mailbox is full and refuses the rest; and the second in per cent of the first",
    sizes: &[(32, 8, 2_000)],
    fit: Fit::No,
    ours: SDK,
    large: false,
    run: Run::Actors(run),
};

/// Messages of the flood in each millisecond.
const FLOODING: u64 = 1_000;
/// A flood's start: the mailbox fills.
const FILLING: Duration = Duration::from_millis(300);

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let mut pairs = Vec::new();
    for caller in app.spawn_many("driver", case.width)? {
        pairs.push((caller, app.spawn("actor")?));
    }
    probe(app, case, &pairs, case.n / 10)?;
    let before = probe(app, case, &pairs, case.n)?;
    let (flooder, victim) = (app.spawn("driver")?, app.spawn("actor")?);
    let time = case.n + u64::try_from(2 * FILLING.as_millis())?;
    let flood = Order { n: time, batch: FLOODING, targets: vec![victim], ..Order::default() };
    let (during, flooded) = std::thread::scope(|scope| {
        let flooded = scope.spawn(|| app.order(flooder, kind::FLOOD, &flood));
        std::thread::sleep(FILLING);
        (probe(app, case, &pairs, case.n), flooded.join())
    });
    let (during, flooded) = (during?, flooded.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
    ensure!(flooded.get(1).is_some_and(|refused| *refused > 0), "the mailbox was never full: {flooded:?}");
    Ok(vec![
        Sample::ns("flood-without-p99", before),
        Sample::ns("flood-with-p99", during),
        Sample::new("flood", during * 100.0 / before, Unit::Percent),
    ])
}

/// Nanoseconds that 99 % of the calls took at most, within so many milliseconds.
fn probe(app: &App, case: &Case, pairs: &[(u64, u64)], n: u64) -> Result<f64> {
    let order = |echo: u64| Order { n, bytes: case.bytes, targets: vec![echo], ..Order::default() };
    let asks = pairs.iter().map(|(caller, echo)| (*caller, unpack(&order(*echo).encode())));
    let mut took = app.ask_each(kind::PROBE, asks)?;
    ensure!(!took.is_empty(), "no call was done");
    took.sort_unstable();
    Ok(quantile(&took, 0.99) as f64)
}
