//! wasmactor: a host for actors that are WebAssembly components.
//!
//! Principles. An actor is touched by one worker at a time. Every request ends with a reply or a reason. A guest can
//! make no call that blocks a worker for good, and none that makes the host panic. What is not granted is denied.
//!
//! Layers, imports go down only (a test holds the code to it):
//!
//! | 7 | `cli` | the command line |
//! | 6 | `boot`, `manifest`, `control` | start and stop order; app.toml; what a running host tells, and is told |
//! | 5 | `wasm`, `threads`, `crash` | the sandbox; worker, timer, monitor and socket loops; reports of crashes |
//! | 4 | `node` | what everything shares: send, spawn, exit |
//! | 3 | `actor` | behavior, table, registry |
//! | 2 | `sched`, `time`, `net` | mailbox, run queue, idle; wheel, clock; sockets |
//! | 1 | `base` | addresses, sessions, messages, errors, the one door to locks and atomics |
//!
//! Under `cfg(loom)` only the concurrent cores are built, for their models (`sched::loom_tests`, `net::watch`).
//!
//! Without the features `wasm` and `cli` this is the core alone, which runs native behaviors.

pub mod actor;
pub mod base;
#[cfg(feature = "cli")]
pub mod boot;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod control;
#[cfg(feature = "cli")]
pub mod crash;
#[cfg(feature = "cli")]
pub mod manifest;
#[cfg(not(loom))]
pub mod net;
#[cfg(loom)]
mod net {
    #[allow(dead_code, reason = "the model calls what is concurrent, not all of it")]
    mod watch;
}
#[cfg(not(loom))]
pub mod node;
pub mod sched;
#[cfg(not(loom))]
pub mod threads;
pub mod time;
#[cfg(feature = "wasm")]
pub mod wasm;
