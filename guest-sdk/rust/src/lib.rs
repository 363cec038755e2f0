//! Write wasmactor actors in Rust.
//!
//! An actor is one instance of a WebAssembly component with its own memory and mailbox. It handles one event at a time.
//! There are two styles, which differ in how an actor waits for others:
//!
//! - [`exclusive`]: `&mut self` handlers and a blocking `call`. Nothing else enters the actor while it waits.
//! - [`interleaved`]: `async` handlers, many at once in one actor; `.await` lets the others go on.
//!
//! Everything else is common: [`Address`], [`names`], [`lifecycle`], [`timer`], [`socket`], [`config`], [`control`], [`random`] and
//! the log macros. Messages are serde types, encoded as MessagePack ([`encode`], [`decode`]).
//!
//! ```standalone_crate
//! use serde::{Deserialize, Serialize};
//! use wasmactor_sdk::{Reply, Result, Sender, actor, done, exclusive::Actor, reply};
//!
//! #[derive(Serialize, Deserialize)]
//! enum Ask { Add(i64), Total }
//!
//! struct Counter { total: i64 }
//!
//! impl Actor for Counter {
//!     type Args = ();
//!     type Message = Ask;
//!
//!     fn init((): ()) -> Result<Self> { Ok(Self { total: 0 }) }
//!
//!     fn handle(&mut self, message: Ask, _from: &Sender) -> Result<Reply> {
//!         match message {
//!             Ask::Add(n) => { self.total += n; done() }
//!             Ask::Total => reply(self.total),
//!         }
//!     }
//! }
//!
//! actor!(Counter);
//! # fn main() {}
//! ```
//!
//! Layers, imports go down only: `export` `entry` `state` | `exclusive` `interleaved` | `sender` | `deferred` | `address` `names` `lifecycle` `timer`
//! `socket` `config` `control` `random` `logger` | `codec` `error` | `bindings` | `heap`. What `interleaved` is built of (tasks, waits,
//! queue) never touches `bindings`, so it is tested natively.

/// The README's samples compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// The generated code, and our own macros, name this crate by its outside name.
extern crate self as wasmactor_sdk;

mod address;
pub mod bindings;
mod codec;
pub mod config;
pub mod control;
mod deferred;
#[doc(hidden)]
pub mod entry;
mod error;
pub mod exclusive;
mod export;
#[cfg(any(test, all(feature = "heap", target_family = "wasm")))]
mod heap;
pub mod interleaved;
pub mod lifecycle;
pub mod logger;
pub mod names;
pub mod random;
mod sender;
pub mod socket;
#[doc(hidden)]
pub mod state;
pub mod timer;

pub use address::{Address, broadcast, broadcast_raw};
pub use codec::{ENCODED, decode, encode};
pub use deferred::{Deferred, Held};
pub use error::{Error, ErrorCode, Failure, Result};
pub use lifecycle::{Cause, Down, Signal, exit};
pub use log::{debug, error, info, log_enabled, trace, warn};
pub use sender::{Reply, Sender, done, later, reply, reply_raw};
pub use socket::{Socket, SocketEvent};
pub use state::{Bytes, Keep};
pub use timer::Timer;
