//! The host with behaviors in Rust instead of guests: what the same workloads cost without the sandbox.
//!
//! They do what the guests in `tests/bench/guests` do. Payloads are fresh for each message, as they are from a guest.

mod actor;
mod driver;

use anyhow::Result;

use crate::system::app::App;
use crate::system::{Case, Sample, System};
use crate::workload::{Run, Workload};

pub(crate) struct Native;

impl System for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn measure(&self, workload: &Workload, case: &Case) -> Result<Option<Vec<Sample>>> {
        let Run::Actors(run) = &workload.run else { return Ok(None) };
        let app = App::start(case.workers, &["driver", "actor"], |node| {
            node.add_native("actor", |_| Ok(actor::handler()));
            node.add_native("driver", |_| Ok(driver::handler()));
        })?;
        run(&app, case).map(Some)
    }
}
