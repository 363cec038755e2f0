//! Names of actors. A name of this node starts with `.` and has up to 64 characters of `a-z A-Z 0-9 . _ - /`. The first
//! registration wins; names end with their actor.

use crate::bindings::wasmactor::actor::registry;
use crate::{Address, Error, ErrorCode};

/// Registers a name for this actor. Errors: `Invalid` (malformed, or taken), `NotGranted`.
pub fn register(name: &str) -> Result<(), Error> {
    Ok(registry::register(name)?)
}

/// Gives a name of this actor back. False: it was not this actor's.
pub fn unregister(name: &str) -> bool {
    registry::unregister(name)
}

/// The address behind a name. Errors: `NoSuchActor`.
pub fn lookup(name: &str) -> Result<Address, Error> {
    registry::lookup(name)
        .map(Address::from)
        .ok_or_else(|| Error { code: ErrorCode::NoSuchActor, reason: format!("nobody is named {name}") })
}

/// All names that start with a prefix, sorted.
pub fn list(prefix: &str) -> Vec<(String, Address)> {
    registry::list(prefix).into_iter().map(|(name, address)| (name, address.into())).collect()
}
