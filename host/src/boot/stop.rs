//! The end of an app, step by step; see [`super`]. Used by `run`.
//!
//! Must hold: each actor has its time to finish, `stop-timeout` of its own or the host's, from the moment on when it is told.

use std::time::{Duration, Instant};

use crate::base::sync::Arc;
use crate::base::{Address, Cause, Signal};
use crate::boot::Started;
use crate::manifest::{ActorSpec, Manifest};
use crate::node::Node;

/// How long killed actors may take to end before the process ends without them.
const KILL: Duration = Duration::from_secs(1);
/// How often the end of a wave is looked for.
const STEP: Duration = Duration::from_millis(1);
/// How long sockets may take, in nanoseconds, to send what is queued after their actors have ended. Thin air.
const DRAIN_NS: u64 = 1_000_000_000;

/// What the actors wrote last goes out, if the other sides take it.
pub(super) fn drain(node: &Node) {
    let start = node.clock().now_ns();
    while node.net().open_sockets() > 0 && node.clock().now_ns() - start < DRAIN_NS {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How many entries stop before each one, one after the other: those that are `after` it, and those behind it under the
/// same supervisor.
fn waves(actors: &[ActorSpec]) -> Vec<usize> {
    let mut waves = vec![0; actors.len()];
    // Entries stand behind those that they are after.
    for (index, actor) in actors.iter().enumerate().rev() {
        for (before, other) in actors[..index].iter().enumerate() {
            let same = actor.supervisor.is_some() && actor.supervisor == other.supervisor;
            if same || actor.after.contains(&other.name) {
                waves[before] = waves[before].max(waves[index] + 1);
            }
        }
    }
    waves
}

/// Kills an actor whose time to stop is over. False: it is not.
fn is_late(node: &Arc<Node>, address: Address, begun: Instant, grace: Duration) -> bool {
    let late = begun.elapsed() >= grace;
    if late && node.kill(None, address, Cause::Stopped, "the host stops".to_owned()) {
        tracing::warn!(target: "wasmactor", %address, "it has not ended in time and is killed");
    }
    late
}

/// Stops every actor.
pub(super) fn stop_all(node: &Arc<Node>, manifest: &Manifest, started: &Started) {
    let host = manifest.host.stop_timeout;
    let grace = |entry: usize| manifest.actors[entry].stop_timeout.unwrap_or(host);
    node.refuse_spawns();
    if node.alive() == 0 {
        return;
    }
    let waves = waves(&manifest.actors);
    let last = waves.iter().copied().max().unwrap_or(0);
    for wave in 0..last {
        let mut now: Vec<_> = started.iter().rev().filter(|(entry, _)| waves[*entry] == wave).collect();
        now.iter().for_each(|(_, address)| node.send_signal(*address, Signal::Stop));
        let begun = Instant::now();
        while !now.is_empty() {
            now.retain(|(entry, address)| node.is_alive(*address) && !is_late(node, *address, begun, grace(*entry)));
            std::thread::sleep(STEP);
        }
    }
    for (_, address) in started.iter().rev() {
        node.send_signal(*address, Signal::Stop);
    }
    // Those that were spawned by others; a second stop does no harm.
    node.signal(Signal::Stop);
    let begun = Instant::now();
    let mut own: Vec<_> = started.iter().filter(|(entry, _)| grace(*entry) != host).collect();
    if own.is_empty() && node.wait_all_ended(host) {
        return;
    }
    // Some have a time of their own, all others the host's.
    let mut over = begun.elapsed() >= host;
    while !(over && own.is_empty()) {
        if node.wait_all_ended(STEP) {
            return;
        }
        own.retain(|(entry, address)| node.is_alive(*address) && !is_late(node, *address, begun, grace(*entry)));
        if !over && begun.elapsed() >= host {
            over = true;
            let others = |address: &Address| own.iter().all(|(_, other)| other != address);
            for address in node.actors().into_iter().filter(others) {
                is_late(node, address, begun, host);
            }
        }
    }
    // Some were killed just now.
    if node.wait_all_ended(STEP) {
        return;
    }
    tracing::warn!(target: "wasmactor", "{} actors have not ended in time and are killed", node.alive());
    node.kill_all(Cause::Stopped, "the host stops");
    node.wait_all_ended(KILL);
}
