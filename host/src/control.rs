//! The control endpoint: who asks what a running host does, and tells it what to do. Started by `boot`; its first client is
//! the command line (`cli::remote`). The protocol is told in docs/control.md.
//!
//! | file | what |
//! |---|---|
//! | `protocol` | requests and answers, as both sides know them |
//! | `lines` | one connection: lines of bounded length, in and out |
//! | `place` | where sockets lie, how a running host is found, the token's file |
//! | `server` | who may come in, and how many |
//! | `commands` | what each request does |
//! | `metrics` | figures for Prometheus |
//! | `verbosity` | how much is logged, of whom |
//! | `client` | the other side |
//!
//! Must hold: nothing here waits for a worker, but for what is asked of actors (`commands/actors.rs`: call), or of all actors of a module (reload). Threads of its
//! own, which get a core at once; locks that are held for nanoseconds, and none by a guest that runs. So it answers while
//! every worker is stuck in an endless loop. Whatever a client sends, or does not read, costs the host a bounded amount of
//! memory, one thread, and nobody else anything.

mod client;
mod commands;
mod lines;
mod metrics;
pub mod place;
pub mod protocol;
mod server;
pub mod verbosity;

use std::path::PathBuf;

use crate::base::sync::Arc;
use crate::node::Node;

pub use client::{Client, Failure};
pub(crate) use commands::ps;
pub use server::{Endpoints, Server};

/// Carries out a reload. Errors: there is no such module.
pub type Reloads = Box<dyn Fn(&protocol::Reload) -> Result<protocol::Reloaded, String> + Send + Sync>;

/// What requests act on.
pub struct Host {
    pub node: Arc<Node>,
    /// The app's name.
    pub app: String,
    /// Its app.toml.
    pub manifest: PathBuf,
    /// Exchanges modules; blocks until it is done.
    pub reload: Reloads,
    /// Asks the host to stop gracefully.
    pub stop: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("app", &self.app).finish_non_exhaustive()
    }
}
