//! Many pairs at once, each for itself: what a second worker adds.

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::Workload;

pub(crate) const PAIRS: Workload = Workload::repeated(
    "pairs",
    "request and reply in each of 256 pairs of actors that do not know one another: wall time for one",
    &[(32, 256, 256_000)],
    run,
);

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    let (callers, echoes) = (app.spawn_many("driver", case.width)?, app.spawn_many("actor", case.width)?);
    let targets = callers.into_iter().zip(echoes).flat_map(|(caller, echo)| [caller, echo]).collect();
    let order = Order { n: case.n, bytes: case.bytes, inner: kind::CALL, targets, ..Order::default() };
    Ok(vec![Sample::ns(PAIRS.name, app.time(driver, kind::SHARE, &order)?)])
}
