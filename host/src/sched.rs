//! Who runs next: mailboxes, the run queue, and idle workers. Used by `node` and the worker threads.
//!
//! Knows messages, not actors: what is scheduled is a slot number.

pub mod backlog;
pub mod idle;
pub mod inlet;
pub mod letter;
pub mod mailbox;
pub mod run_queue;
pub mod seats;
pub mod status;
pub mod weight;

#[cfg(all(test, loom))]
mod loom_seats;
#[cfg(all(test, loom))]
mod loom_tests;

pub use idle::Idle;
pub use inlet::{Inlet, Wait};
pub use letter::{Chain, Handover, Letter};
pub use mailbox::{Bounds, Close, Expired, Full, Mailbox, Parked, Push, Pushed, Rest, Standing, Tag, Taken, View};
pub use run_queue::{Aside, RunQueue};
pub use seats::Seats;
pub use status::WorkerStatus;
