//! Many senders, one receiver.

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::send::batch;
use crate::workload::{Run, Workload};

pub(crate) const FAN_IN: Workload = Workload {
    name: "fan-in",
    about: "one-way message from one of 8 or 64 senders, each with a barrier every 1000 messages",
    sizes: &[(32, 8, 256_000), (32, 64, 256_000)],
    run: Run::Actors(run),
};

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    let mut targets = app.spawn_many("driver", case.width)?;
    targets.push(app.spawn("actor")?);
    let order = Order { n: case.n, bytes: case.bytes, batch: batch(case.bytes), targets };
    Ok(vec![Sample::ns(FAN_IN.name, app.time(driver, kind::GATHER, &order)?)])
}
