//! The bytes of a message. Made when a guest sends, moved between mailboxes, lowered into the receiver.
//!
//! Must hold: a payload is copied once out of the sender and once into the receiver, never between; a broadcast
//! keeps one allocation for all receivers.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Immutable bytes with one owner, or shared by the receivers of a broadcast.
#[derive(Clone)]
pub struct Payload(Bytes);

#[derive(Clone)]
enum Bytes {
    Owned(Box<[u8]>),
    Shared(Arc<[u8]>),
}

impl Payload {
    /// No bytes; allocates nothing.
    pub fn empty() -> Self {
        Self(Bytes::Owned(Box::default()))
    }

    /// The same bytes for many receivers: cloning the result copies no bytes.
    pub fn into_shared(self) -> Self {
        match self.0 {
            Bytes::Owned(bytes) => Self(Bytes::Shared(bytes.into())),
            shared @ Bytes::Shared(_) => Self(shared),
        }
    }

    /// The bytes as a vector: free for a payload with one owner, a copy for a shared one.
    pub fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Bytes::Owned(bytes) => bytes.into_vec(),
            Bytes::Shared(bytes) => bytes.to_vec(),
        }
    }
}

impl Deref for Payload {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Owned(bytes) => bytes,
            Bytes::Shared(bytes) => bytes,
        }
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Payload {}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Bytes::Owned(bytes.into_boxed_slice()))
    }
}

impl From<Box<[u8]>> for Payload {
    fn from(bytes: Box<[u8]>) -> Self {
        Self(Bytes::Owned(bytes))
    }
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Self {
        Self(Bytes::Owned(bytes.into()))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}
