//! The host with behaviors in Rust instead of guests: what the same workloads cost without the sandbox.
//!
//! They do what the guests in `tests/bench/guests` do. Payloads are fresh for each message, as they are from a guest.

mod actor;
mod driver;

use anyhow::Result;

use crate::system::app::App;
use crate::system::ours::Form;

pub(crate) struct Native;

impl Form for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn start(&self, workers: usize) -> Result<App> {
        App::start(workers, &["driver", "actor"], |node| {
            node.add_native("actor", |_| Ok(actor::handler()));
            node.add_native("driver", |_| Ok(driver::handler()));
        })
    }
}
