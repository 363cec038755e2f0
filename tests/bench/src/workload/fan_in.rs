//! Many senders, one receiver.

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::Workload;
use crate::workload::send::batch;

pub(crate) const FAN_IN: Workload = Workload::repeated(
    "fan-in",
    "one-way message from one of 8 or 64 senders, each with a barrier every 1000 messages",
    &[(32, 8, 256_000), (32, 64, 256_000)],
    run,
);

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    let (senders, sink) = (app.spawn_many("driver", case.width)?, app.spawn("actor")?);
    let targets = senders.into_iter().flat_map(|sender| [sender, sink]).collect();
    let order = Order { n: case.n, bytes: case.bytes, batch: batch(case.bytes), inner: kind::SEND, targets };
    Ok(vec![Sample::ns(FAN_IN.name, app.time(driver, kind::SHARE, &order)?)])
}
