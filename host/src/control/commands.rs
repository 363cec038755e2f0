//! What each request does. Used by the server, on the client's thread.
//!
//! Must hold: see the head of `control`: nothing waits for a worker but where it says so.

mod actors;
mod info;
mod live;
mod log;
mod tell;
mod tree;
mod waits;
mod who;
mod why;

pub(crate) use actors::ps;
use std::time::Duration;

use crate::control::Host;
use crate::control::protocol::{Answer, Command, Nothing, Pong, Problem, json};
use crate::control::server::Outlet;

/// Carries a request out.
pub(super) fn answer(host: &Host, command: Command, outlet: &mut Outlet<'_>) -> Answer {
    match command {
        Command::Ping(Nothing {}) => json(&ping(host)),
        Command::Ps(which) => json(&ps(&host.node, &which, |_| true)),
        Command::Info(who) => json(&info::info(&host.node, &who)?),
        Command::Tree(Nothing {}) => json(&tree::tree(&host.node)),
        Command::Modules(Nothing {}) => json(&tree::modules(&host.node)),
        Command::Timers(few) => json(&info::timers(&host.node, &few)?),
        Command::Waits(Nothing {}) => json(&waits::waits(&host.node)),
        Command::Why(who) => json(&why::why(&host.node, &who)?),
        Command::Trace(who) => json(&live::trace(&host.node, &who, outlet)?),
        Command::WatchMailbox(watch) => json(&live::mailbox(&host.node, &watch, outlet)?),
        Command::Log(log) => json(&log::log(&host.node, &log)?),
        Command::Netstat(few) => json(&info::netstat(&host.node, &few)?),
        Command::Send(send) => json(&tell::send(&host.node, &send)?),
        Command::Call(call) => json(&tell::call(&host.node, &call)?),
        Command::Signal(signal) => json(&tell::signal(&host.node, &signal)?),
        Command::Kill(kill) => json(&tell::kill(&host.node, &kill)?),
        Command::Restart(kill) => json(&tell::restart(&host.node, &kill)?),
        Command::Reload(ask) => json(&(host.reload)(&ask).map_err(|why| Problem::new(Problem::NO_SUCH_MODULE, why))?),
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
