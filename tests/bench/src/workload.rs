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
//! | `idle` | actors | the same | `idle-spawn` (ns), `idle-rss` (bytes of one); ours: `idle-page-tables`, `idle-mappings` |
//! | `tree` | leaves | actors, inner ones too | `tree`: wall time over `n` |
//! | `timer-arm` | | timers | `timer-arm` |
//! | `timer-late` | pairs that call each other without pause meanwhile | sleeps of 10 ms of all 100 sleepers | `timer-late-min`, `-p50`, `-p99`, `-p99.9` |
//! | `tcp-echo` | connections | requests | those of `client`, for every system |
//! | `fairness` | | milliseconds of each of the two countings | `fairness` (percent); as many endless loops as workers; ours: `fairness-turn-p50`, `-p99`, `-max` |
//! | `flood` | pairs that go on meanwhile | milliseconds of each of the two | `flood-without-p99`, `flood-with-p99`, `flood` (percent) |
//! | `figures` | | messages of each run | `figures-send`, `-price` (ns), `-share` (percent); the same in instructions |
//! | `reload` | stores | reloads of all | ours: `reload-pause-p50`, `-p99`: how long a store handled nothing; `bytes` is its state |
//! | `loops` | | sorts; of the others 24 times as many | `loops-checksum`, `-histogram`, `-sort`: one pass |
//!
//! Must hold: what is timed lies between a start and a done message; start-up, warm-up and the end of an app are not in
//! it.

mod call;
mod cold_start;
mod fairness;
mod fan_in;
mod figures;
mod flood;
mod idle;
pub(crate) mod kv;
mod loops;
mod million;
mod pairs;
mod reload;
mod ring;
mod send;
mod spawn;
pub(crate) mod tcp_echo;
mod timers;
mod tree;

use anyhow::Result;

use crate::system::app::App;
use crate::system::{Case, Sample};

/// How a workload is run on a node.
pub(crate) type RunActors = fn(&App, &Case) -> Result<Vec<Sample>>;

/// How our systems run it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    /// Actors of a node, native or guests.
    Actors(RunActors),
    /// The same in a process of its own, whose memory is looked at.
    Alone(RunActors),
    /// Whole programs, which it starts itself.
    Programs(fn(&Case) -> Result<Vec<Sample>>),
}

/// What is fitted, to the system's speed or to the wish for a quick look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Nothing.
    No,
    /// `n`: a run shall take so many milliseconds, for every system.
    Millis(u64),
    /// Nothing to the speed; the width, with `n`, to a quick look.
    Width,
}

/// One thing to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// For people, a sentence or two.
    pub(crate) about: &'static str,
    /// A payload's size, the width and how often, as in `Case`.
    pub(crate) sizes: &'static [(usize, usize, u64)],
    pub(crate) fit: Fit,
    /// Which of our systems have it.
    pub(crate) ours: &'static [&'static str],
    /// Only if it is named, or all of them are asked for: it takes minutes, or most of a machine.
    pub(crate) large: bool,
    pub(crate) run: Run,
}

/// All, in the order of the tables.
pub(crate) const ALL: [Workload; 19] = [
    send::SEND,
    call::CALL,
    fan_in::FAN_IN,
    ring::RING,
    pairs::PAIRS,
    spawn::SPAWN,
    idle::IDLE,
    tree::TREE,
    timers::ARM,
    timers::LATE,
    tcp_echo::TCP_ECHO,
    fairness::FAIRNESS,
    flood::FLOOD,
    loops::LOOPS,
    figures::FIGURES,
    cold_start::COLD_START,
    kv::KV,
    reload::RELOAD,
    million::MILLION,
];

/// All forms of this host with the default profile.
const EVERY: &[&str] = &["native", "wasm", "wasm-min"];
/// Those whose actors know everything.
const FULL: &[&str] = &["native", "wasm"];
/// What only the SDK's guests do.
const SDK: &[&str] = &["wasm"];

impl Workload {
    /// One that repeats a small thing, in every form of this host.
    const fn repeated(
        name: &'static str,
        about: &'static str,
        sizes: &'static [(usize, usize, u64)],
        run: RunActors,
    ) -> Self {
        let (fit, run) = (Fit::Millis(200), Run::Actors(run));
        Self { name, about, sizes, fit, ours: EVERY, large: false, run }
    }
}

/// The one with this name.
pub(crate) fn find(name: &str) -> Option<&'static Workload> {
    ALL.iter().find(|workload| workload.name == name)
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn names_are_unique() {
        for workload in &ALL {
            assert_eq!(ALL.iter().filter(|other| other.name == workload.name).count(), 1, "{}", workload.name);
            assert!(!workload.sizes.is_empty() && !workload.ours.is_empty(), "{}", workload.name);
        }
    }
}
