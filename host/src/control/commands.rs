//! What each request does. Used by the server, on the client's thread.
//!
//! Must hold: see the head of `control`: nothing waits for a worker but where it says so.

mod actors;

use std::time::Duration;

use crate::control::Host;
use crate::control::protocol::{Answer, Command, Nothing, Pong, json};

/// Carries a request out.
pub(super) fn answer(host: &Host, command: Command) -> Answer {
    match command {
        Command::Ping(Nothing {}) => json(&ping(host)),
        Command::Ps(which) => json(&actors::ps(&host.node, &which)),
        Command::Stop(Nothing {}) => {
            tracing::info!(target: "wasmactor", "stopping, as the control endpoint was told");
            (host.stop)();
            json(&Nothing {})
        }
    }
}

fn ping(host: &Host) -> Pong {
    Pong {
        app: host.app.clone(),
        manifest: host.manifest.display().to_string(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        workers: host.node.options().workers,
        actors: host.node.alive(),
        uptime_ms: milliseconds(Duration::from_nanos(host.node.clock().now_ns())),
    }
}

/// Five hundred million years fit.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
