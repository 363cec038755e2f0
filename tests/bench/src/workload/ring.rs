//! A token that goes around a ring: each hop finds a receiver whose memory is cold.

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::Workload;

pub(crate) const RING: Workload =
    Workload::repeated("ring", "hop of a token in a ring of 1000 actors", &[(32, 1000, 100_000)], run);

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    let ring = app.spawn_many("actor", case.width)?;
    for (actor, next) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        app.post(*actor, kind::NEXT, &[*next])?;
    }
    let order = Order { n: case.n, bytes: case.bytes, targets: vec![ring[0]], ..Order::default() };
    Ok(vec![Sample::ns(RING.name, app.time(driver, kind::RING, &order)?)])
}
