//! TCP sockets: one poll, and operations that any thread may call. Used by `node::sockets`, the workers and the socket
//! thread.
//!
//! Knows no actors: a socket has an [`Owner`], a number, and what happens to it goes to a [`Sink`].
//!
//! How a byte comes in: the poller gets an edge from the kernel, reads once, in the way that fits this
//! connection's last reads, and moves what came to the sink. How it goes out: the worker writes to the kernel itself;
//! only what does not fit is queued, and the poller sends it when the kernel says that there is room.
//!
//! Must hold:
//! - All events of a socket come from who polls, one thread at a time, in order; after `Closed` there is none.
//! - A socket is registered once, edge-triggered, for both directions, and never again: no system call to change what
//!   is watched. [`flags`] says how no edge is lost.
//! - Locks are taken in the order receive side, send side, table; none is held while the poller waits.
//! - An id is never used twice, so a stale one reaches nothing.
//!
//! `poller` says who polls, `serve` is what is done then, `ops` what actors may do, `socket` the state between them.

pub mod error;
pub mod event;
pub mod id;
pub mod info;
pub mod ops;
pub mod poller;

mod accept;
mod flags;
mod open;
mod read_buffer;
mod send_queue;
mod serve;
mod socket;
mod table;
mod watch;

#[cfg(test)]
mod tests;

pub use error::NetError;
pub use event::{Flow, NetEvent, Sink};
pub use id::{Owner, SocketId};
pub use info::SocketInfo;
pub use ops::Net;
pub use poller::{Duty, Poller};
