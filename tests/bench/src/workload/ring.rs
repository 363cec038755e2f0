//! A token that goes around a ring: each hop finds a receiver whose memory is cold.

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::{Run, Workload};

const ACTORS: usize = 1000;

pub(crate) const RING: Workload = Workload {
    name: "ring",
    about: "hop of a token in a ring of 1000 actors",
    sizes: &[(32, 100_000)],
    run: Run::Actors(run),
};

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let driver = app.spawn("driver")?;
    let ring = app.spawn_many("actor", ACTORS)?;
    for (actor, next) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        app.post(*actor, kind::NEXT, &[*next])?;
    }
    let order = Order { n: case.n, bytes: case.bytes, batch: 0, targets: vec![ring[0]] };
    Ok(vec![Sample::new(RING.name, app.time(driver, kind::RING, &order)?)])
}
