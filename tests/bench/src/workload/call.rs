//! A request and its reply, with the same payload both ways: in the two ways to wait.

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::{Run, Workload};

pub(crate) const INTERLEAVED: Workload = Workload {
    name: "call-interleaved",
    about: "request and reply, the reply comes as an event (Rust SDK: `ask(…).await`)",
    sizes: &[(32, 100_000), (1024, 50_000)],
    run: Run::Actors(interleaved),
};

pub(crate) const EXCLUSIVE: Workload = Workload {
    name: "call-exclusive",
    about: "request and reply, the caller is parked meanwhile",
    sizes: &[(32, 100_000), (1024, 50_000)],
    run: Run::Guests(exclusive),
};

fn interleaved(app: &App, case: &Case) -> Result<Vec<Sample>> {
    run(app, case, "driver", INTERLEAVED.name)
}

fn exclusive(app: &App, case: &Case) -> Result<Vec<Sample>> {
    run(app, case, "exclusive", EXCLUSIVE.name)
}

fn run(app: &App, case: &Case, caller: &str, name: &str) -> Result<Vec<Sample>> {
    let (driver, echo) = (app.spawn(caller)?, app.spawn("actor")?);
    let order = Order { n: case.n, bytes: case.bytes, batch: 0, targets: vec![echo] };
    Ok(vec![Sample::new(name, app.time(driver, kind::CALL, &order)?)])
}
