//! Streams: each turn of an actor, its mailbox again and again. They have the client's thread.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use crate::base::sync::Arc;
use crate::control::commands::who::{find, sender};
use crate::control::protocol::{MailboxEvent, Problem, TraceEvent, Traced, WatchMailbox, Who};
use crate::control::server::Outlet;
use crate::node::{Node, inspect};

/// How often the client is asked whether it wants more.
const GLANCE: Duration = Duration::from_millis(50);
/// How often names are asked for anew.
const NAMES: Duration = Duration::from_secs(1);
/// The shortest interval of a mailbox's events, and the usual one.
const LEAST: Duration = Duration::from_millis(10);
const USUAL: Duration = Duration::from_secs(1);

fn micros(nanoseconds: u64) -> u64 {
    nanoseconds / 1000
}

/// `trace`.
pub(super) fn trace(node: &Arc<Node>, who: &Who, outlet: &mut Outlet<'_>) -> Result<Traced, Problem> {
    let address = find(node, &who.actor)?;
    let gone = || Problem::new(Problem::NO_SUCH_ACTOR, format!("{address} has just ended"));
    let trace = node.trace(address).ok_or_else(gone)?;
    let (mut events, mut lost) = (0, 0);
    let (mut names, mut named, mut glanced) = (node.names(), Instant::now(), Instant::now());
    loop {
        let come = match trace.events.recv_timeout(GLANCE) {
            Ok((at, inspect::Traced::Begins { head, waiting })) => Some(TraceEvent::Begins {
                at_us: micros(at),
                event: head.event().to_owned(),
                from: sender(node, &names, head.source),
                session: head.session.0,
                kind: head.kind,
                length: head.length,
                waiting,
            }),
            Ok((at, inspect::Traced::Sends { to, head, taken })) => Some(TraceEvent::Sends {
                at_us: micros(at),
                event: head.event().to_owned(),
                to: sender(node, &names, to),
                session: head.session.0,
                kind: head.kind,
                length: head.length,
                taken,
            }),
            Ok((at, inspect::Traced::Ends { ran })) => Some(TraceEvent::Ends { at_us: micros(at), ran_ns: ran }),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        };
        let quiet = come.is_none();
        if let Some(event) = come {
            events += 1;
            if outlet.event(&event).is_err() {
                return Ok(Traced { events, ended: false });
            }
        }
        let missed = trace.lost() - lost;
        if missed > 0 {
            lost += missed;
            if outlet.event(&TraceEvent::Lost { events: missed }).is_err() {
                return Ok(Traced { events, ended: false });
            }
        }
        if quiet && !node.is_alive(address) {
            return Ok(Traced { events, ended: true });
        }
        if quiet || glanced.elapsed() >= GLANCE {
            glanced = Instant::now();
            if outlet.is_over() {
                return Ok(Traced { events, ended: false });
            }
        }
        if named.elapsed() >= NAMES {
            (names, named) = (node.names(), Instant::now());
        }
    }
}

/// `watch-mailbox`.
pub(super) fn mailbox(node: &Node, watch: &WatchMailbox, outlet: &mut Outlet<'_>) -> Result<Traced, Problem> {
    let address = find(node, &watch.actor)?;
    let interval = match watch.interval_ms {
        0 => USUAL,
        interval => Duration::from_millis(interval).max(LEAST),
    };
    let mut events = 0;
    loop {
        let Some(view) = node.view(address, &node.watch_workers()) else {
            return Ok(Traced { events, ended: true });
        };
        let event = MailboxEvent {
            at_us: micros(node.clock().now_ns()),
            state: view.state.name().to_owned(),
            waiting: view.waiting,
            taken: view.taken,
            bound: view.bound,
            held: view.held,
            messages: view.messages,
        };
        events += 1;
        if outlet.event(&event).is_err() {
            return Ok(Traced { events, ended: false });
        }
        let due = Instant::now() + interval;
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(GLANCE));
            if outlet.is_over() {
                return Ok(Traced { events, ended: false });
            }
        }
    }
}
