//! What the manifest, or the spawner, says to this actor.

use crate::bindings::wasmactor::actor::config;
use crate::{Error, decode};
use serde::de::DeserializeOwned;

/// The arguments as a `T`. `actor!` and `async_actor!` call this for the actor's `Args`. Errors: `Invalid`.
pub fn args<T: DeserializeOwned>() -> Result<T, Error> {
    decode(&raw_args()).map_err(|error| Error::invalid(format_args!("args: {}", error.reason)))
}

/// The arguments' bytes: MessagePack from a manifest or an SDK, else what the spawner gave.
pub fn raw_args() -> Vec<u8> {
    config::args()
}

/// An entry of the manifest's `[env]` table, if it is there and granted to this actor.
pub fn env(key: &str) -> Option<String> {
    config::env(key)
}

/// The name in the manifest, or the module's name for a spawned actor.
pub fn name() -> String {
    config::name()
}

/// Which of the manifest's `count` this actor is, from 0. 0 for a spawned actor.
pub fn index() -> u32 {
    config::index()
}
