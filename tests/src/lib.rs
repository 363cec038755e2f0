//! The harness of the integration tests: whole apps on the built binary, observed from outside. Used by `it/`, and by
//! `cargo xtask stress`.
//!
//! | file | what |
//! |---|---|
//! | `app` | an app in a folder of its own: what it consists of, running it, asking its actors |
//! | `process` | the running host: its lines, its signals, its end |
//! | `terminal` | a real terminal, by tmux |
//! | `build` | where the binary is, and the guests that are crates |
//! | `wat` | guests written by hand as text |
//! | `stress` | an app in which everything goes wrong by chance, and whether the promises hold |
//!
//! How a test talks to an app: each has an actor `control` that listens on TCP and hands scripts to *puppets*
//! (`guests-rs/puppet`), and a puppet `witness` that only has to stay alive.
//!
//! Must hold: no test waits for a time and hopes; it waits for something that must come, and [`DEADLINE`] only ends what
//! hangs. Whatever happens, no process outlives its test.

mod app;
mod build;
mod process;
pub mod stress;
mod terminal;
pub mod wat;

use std::time::Duration;

pub use app::{ALL, App, Pending, Setup};
pub use build::{binary, guest, root, target};
pub use process::{Line, Process, Signal, command, components};
pub use terminal::Terminal;

/// When something that must come has not come: far longer than anything here takes, also on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);
