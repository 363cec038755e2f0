//! [`Address`]: an actor's id, and sending to it. How to *wait* for an answer differs by style, so `call` (exclusive)
//! and `ask` (interleaved) are added in those modules.

use crate::bindings::wasmactor::actor::messaging;
use crate::{ENCODED, Error, encode, names};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An actor's id. It is never given to a second actor: a stale one answers `NoSuchActor`. Goes into messages and
/// arguments as it is (MessagePack: an unsigned integer). Printed `:0000002a`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(u64);

impl Address {
    /// The address of this actor.
    pub fn own() -> Self {
        Self(messaging::self_())
    }

    /// The address behind a name: what [`names::lookup`] says.
    pub fn named(name: &str) -> Result<Self, Error> {
        names::lookup(name)
    }

    /// The number inside.
    pub fn get(self) -> u64 {
        self.0
    }

    /// Sends a message that wants no reply. `Ok` means that it is in the mailbox, not that it was handled.
    ///
    /// Errors: `NoSuchActor`, `MailboxFull`, `NotGranted`, `Invalid` (too large, or cannot be encoded).
    pub fn send<M: Serialize + ?Sized>(self, message: &M) -> Result<(), Error> {
        self.send_raw(ENCODED, &encode(message)?)
    }

    /// Sends bytes that the SDK does not look at. The receiver's `raw` handler gets them if `kind` is not 0.
    pub fn send_raw(self, kind: u32, payload: &[u8]) -> Result<(), Error> {
        Ok(messaging::send(self.0, kind, payload)?)
    }
}

/// Sends one message to many actors; it is encoded and kept once. Returns how many took it.
pub fn broadcast<M: Serialize + ?Sized>(to: &[Address], message: &M) -> Result<u32, Error> {
    Ok(broadcast_raw(to, ENCODED, &encode(message)?))
}

/// [`broadcast`] for bytes.
pub fn broadcast_raw(to: &[Address], kind: u32, payload: &[u8]) -> u32 {
    let to: Vec<u64> = to.iter().map(|address| address.0).collect();
    messaging::broadcast(&to, kind, payload)
}

impl From<u64> for Address {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ":{:08x}", self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn prints_as_the_host_does() {
        assert_eq!(Address::from(42).to_string(), ":0000002a");
        assert_eq!(Address::from(0x1_0000_0001).to_string(), ":100000001");
    }
}
