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
    let mut callers = Vec::new();
    for caller in app.spawn_many("driver", case.width)? {
        callers.push((
            caller,
            Order { n: case.n, bytes: case.bytes, targets: vec![app.spawn("actor")?], ..Order::default() },
        ));
    }
    probe(
        app,
        &callers.iter().map(|(caller, order)| (*caller, Order { n: case.n / 10, ..order.clone() })).collect::<Vec<_>>(),
    )?;
    let before = probe(app, &callers)?;
    let (flooder, victim) = (app.spawn("driver")?, app.spawn("actor")?);
    let time = case.n + u64::try_from(2 * FILLING.as_millis())?;
    let flood = Order { n: time, batch: FLOODING, targets: vec![victim], ..Order::default() };
    let (during, flooded) = std::thread::scope(|scope| {
        let flooded = scope.spawn(|| app.order(flooder, kind::FLOOD, &flood));
        std::thread::sleep(FILLING);
        (probe(app, &callers), flooded.join())
    });
    let (during, flooded) = (during?, flooded.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
    ensure!(flooded.get(1).is_some_and(|refused| *refused > 0), "the mailbox was never full: {flooded:?}");
    Ok(vec![
        Sample::ns("flood-without-p99", before),
        Sample::ns("flood-with-p99", during),
        Sample::new("flood", during * 100.0 / before, Unit::Percent),
    ])
}

/// Nanoseconds that 99 % of the calls took at most.
fn probe(app: &App, callers: &[(u64, Order)]) -> Result<f64> {
    let mut took = std::thread::scope(|scope| {
        let asked: Vec<_> = callers
            .iter()
            .map(|(caller, order)| scope.spawn(|| app.ask(*caller, kind::PROBE, &unpack(&order.encode()))))
            .collect();
        let mut took = Vec::new();
        for thread in asked {
            took.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok::<_, anyhow::Error>(took)
    })?;
    ensure!(!took.is_empty(), "no call was done");
    took.sort_unstable();
    Ok(quantile(&took, 0.99) as f64)
}
