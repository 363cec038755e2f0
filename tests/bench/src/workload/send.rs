//! One-way messages from one actor to another, with a barrier so that the mailbox stays bounded.

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::Workload;

pub(crate) const SEND: Workload = Workload::repeated(
    "send",
    "one-way message; the sender waits for an echo every 1000 messages (64 KiB: every 100)",
    &[(32, 0, 200_000), (1024, 0, 100_000), (65_536, 0, 5_000)],
    run,
);

/// Messages between two barriers.
pub(crate) fn batch(bytes: usize) -> u64 {
    if bytes > 4096 { 100 } else { 1000 }
}

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let (driver, sink) = (app.spawn("driver")?, app.spawn("actor")?);
    let order =
        Order { n: case.n, bytes: case.bytes, batch: batch(case.bytes), targets: vec![sink], ..Order::default() };
    Ok(vec![Sample::ns(SEND.name, app.time(driver, kind::SEND, &order)?)])
}
