//! What is done: one file a workload. Used by the systems.
//!
//! Every system gives its figures these names, so that they can be compared. `width` is the case's.
//!
//! | workload | width | n | figures |
//! |---|---|---|---|
//! | `send` | | messages | `send` |
//! | `call` | | round trips | `call`; ours: `call-interleaved`, `call-exclusive` |
//! | `fan-in` | senders | messages of all | `fan-in` |
//! | `ring` | actors | hops | `ring` |
//! | `pairs` | pairs | round trips of all | `pairs`: wall time over `n` |
//! | `spawn` | parallel spawners | starts of all | `spawn`: wall time over `n` |
//! | `idle` | actors | the same | `idle-spawn` (ns), `idle-rss` (bytes of one); ours: `idle-virtual`, `idle-page-tables`, `idle-mappings` |
//! | `tree` | leaves | actors, inner ones too | `tree`: wall time over `n` |
//! | `timer-arm` | | timers | `timer-arm` |
//! | `timer-late` | pairs that call each other without pause meanwhile | sleeps of 10 ms of all 100 sleepers | `timer-late-min`, `-p50`, `-p99`, `-p99.9` |
//! | `tcp-echo` | connections | requests | those of `client`, for every system |
//! | `fairness` | | milliseconds of each of the two countings | `fairness` (percent); as many endless loops as workers |
//!
//! Must hold: what is timed lies between a start and a done message; start-up, warm-up and the end of an app are not in
//! it.

pub(crate) mod call;
pub(crate) mod fan_in;
pub(crate) mod kv;
pub(crate) mod ring;
pub(crate) mod send;
pub(crate) mod spawn;
pub(crate) mod tcp_echo;
pub(crate) mod timers;

use anyhow::Result;

use crate::system::app::App;
use crate::system::{Case, Sample};

/// How a workload is run on a node.
pub(crate) type RunActors = fn(&App, &Case) -> Result<Vec<Sample>>;

/// What a system needs to know to run it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    /// Actors of a node, native or guests.
    Actors(RunActors),
    /// Redis's own benchmark against a server.
    Kv,
}

/// One thing to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// For people, one line.
    pub(crate) about: &'static str,
    /// A payload's size, the width and how often, as in `Case`.
    pub(crate) sizes: &'static [(usize, usize, u64)],
    pub(crate) run: Run,
}

/// All, in the order of the table.
pub(crate) const ALL: [Workload; 9] = [
    send::SEND,
    call::CALL,
    fan_in::FAN_IN,
    ring::RING,
    spawn::SPAWN,
    timers::ARM,
    timers::LATE,
    tcp_echo::TCP_ECHO,
    kv::KV,
];
