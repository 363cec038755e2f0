//! What is done: one file a workload. Used by the systems.
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
    /// The same with something that only guests can do.
    Guests(RunActors),
    /// Redis's own benchmark against a server.
    Kv,
}

/// One thing to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// For people, one line.
    pub(crate) about: &'static str,
    /// Pairs of a payload's size and how often.
    pub(crate) sizes: &'static [(usize, u64)],
    pub(crate) run: Run,
}

/// All, in the order of the table.
pub(crate) const ALL: [Workload; 10] = [
    send::SEND,
    call::INTERLEAVED,
    call::EXCLUSIVE,
    fan_in::FAN_IN,
    ring::RING,
    spawn::SPAWN,
    timers::ARM,
    timers::LATE,
    tcp_echo::TCP_ECHO,
    kv::KV,
];
