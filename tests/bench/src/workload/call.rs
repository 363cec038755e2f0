//! A request and its reply, with the same payload both ways: in the two ways to wait.

use anyhow::Result;
use bench_protocol::{Order, kind};

use crate::system::app::App;
use crate::system::{Case, Sample};
use crate::workload::Workload;

pub(crate) const CALL: Workload = Workload::repeated(
    "call",
    "request and reply: call-interleaved, where the reply comes as an event (Rust SDK: `ask(…).await`), and \
     call-exclusive, where the caller is parked meanwhile (guests of the SDK only)",
    &[(32, 0, 100_000), (1024, 0, 50_000)],
    run,
);

fn run(app: &App, case: &Case) -> Result<Vec<Sample>> {
    let mut samples = one(app, case, "driver", "call-interleaved")?;
    if app.knows("exclusive") {
        samples.append(&mut one(app, case, "exclusive", "call-exclusive")?);
    }
    Ok(samples)
}

fn one(app: &App, case: &Case, caller: &str, name: &str) -> Result<Vec<Sample>> {
    let (driver, echo) = (app.spawn(caller)?, app.spawn("actor")?);
    let order = Order { n: case.n, bytes: case.bytes, targets: vec![echo], ..Order::default() };
    Ok(vec![Sample::ns(name, app.time(driver, kind::CALL, &order)?)])
}
