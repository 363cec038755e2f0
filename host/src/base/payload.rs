//! The bytes of a message. Made when a guest sends, moved between mailboxes, lowered into the receiver.
//!
//! Must hold: a payload is copied once out of the sender and once into the receiver. In between only small ones move
//! with their message ([`INLINE`]: that is cheaper than to ask an allocator, and keeps a message in two cache lines);
//! larger ones keep their place. A broadcast keeps one allocation for all receivers.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Bytes that live in the message itself, without an allocation.
pub const INLINE: usize = 64;

/// Immutable bytes with one owner, or shared by the receivers of a broadcast.
#[derive(Clone)]
pub struct Payload(Bytes);

#[derive(Clone)]
enum Bytes {
    /// Never more than [`INLINE`].
    Inline(u8, Place),
    Owned(Vec<u8>),
    Shared(Arc<[u8]>),
}

/// Words, so that it is copied as such.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Place([u8; INLINE]);

impl Payload {
    /// No bytes; allocates nothing.
    pub fn empty() -> Self {
        Self(Bytes::Inline(0, Place([0; INLINE])))
    }

    /// The bytes in the message itself; at most [`INLINE`].
    #[inline]
    fn inline(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() <= INLINE);
        #[expect(clippy::cast_possible_truncation, reason = "64 at most")]
        let mut payload = Self(Bytes::Inline(bytes.len() as u8, Place([0; INLINE])));
        if let Bytes::Inline(_, place) = &mut payload.0 {
            place.0[..bytes.len()].copy_from_slice(bytes);
        }
        payload
    }

    /// Some bytes of a larger memory, from `at` on. The same as of those bytes alone, but cheaper: where it can, it copies
    /// as many bytes as there may be, whatever lies there, since a copy of known length is a few moves, while one of any
    /// length is a call, and what it wrote is read again before it has arrived. None: out of bounds.
    #[inline(always)]
    pub fn part_of(memory: &[u8], at: usize, length: usize) -> Option<Self> {
        let rest = memory.get(at..)?;
        if let (Some(place), Ok(short)) = (rest.first_chunk(), u8::try_from(length))
            && length <= INLINE
        {
            return Some(Self(Bytes::Inline(short, Place(*place))));
        }
        rest.get(..length).map(Self::from)
    }

    /// The same bytes for many receivers: cloning the result allocates nothing.
    pub fn into_shared(self) -> Self {
        match self.0 {
            Bytes::Owned(bytes) => Self(Bytes::Shared(bytes.into())),
            other => Self(other),
        }
    }

    /// Bytes that do not lie in the message itself.
    #[inline]
    pub fn allocated(&self) -> usize {
        match &self.0 {
            Bytes::Inline(..) => 0,
            Bytes::Owned(bytes) => bytes.len(),
            Bytes::Shared(bytes) => bytes.len(),
        }
    }

    /// The bytes as a vector: free for a large payload with one owner, a copy for the others.
    pub fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Bytes::Owned(bytes) => bytes,
            other => Self(other).to_vec(),
        }
    }
}

impl Deref for Payload {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Inline(length, place) => &place.0[..usize::from(*length)],
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
    #[inline]
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.len() <= INLINE { Self::inline(&bytes) } else { Self(Bytes::Owned(bytes)) }
    }
}

impl From<&[u8]> for Payload {
    #[inline]
    fn from(bytes: &[u8]) -> Self {
        if bytes.len() <= INLINE { Self::inline(bytes) } else { Self(Bytes::Owned(bytes.to_vec())) }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{INLINE, Payload};

    #[test]
    fn bytes_come_back_from_each_kind() {
        for length in [0, 1, INLINE - 1, INLINE, INLINE + 1, 1000] {
            let bytes: Vec<u8> = (0..length).map(|index| index.to_le_bytes()[0]).collect();
            let payload = Payload::from(&bytes[..]);
            assert_eq!(*payload, bytes[..]);
            let memory = [&[1; 7][..], &bytes, &[2; 9]].concat();
            for room in [0, 8, 9] {
                let memory = &memory[..memory.len() - 9 + room];
                assert_eq!(Payload::part_of(memory, 7, bytes.len()).expect("inside"), payload);
                assert_eq!(Payload::part_of(memory, 7, bytes.len() + room + 1), None);
                assert_eq!(Payload::part_of(memory, memory.len() + 1, 0), None);
            }
            assert_eq!(*payload.clone().into_shared(), bytes[..]);
            assert_eq!(payload.clone().into_shared().into_vec(), bytes);
            assert_eq!(Payload::from(bytes.clone()).into_vec(), bytes);
        }
    }

    #[test]
    fn large_bytes_keep_their_place() {
        let bytes = vec![7; INLINE + 1];
        let place = bytes.as_ptr();
        let back = Payload::from(bytes).into_vec();
        assert_eq!(back.as_ptr(), place);
        let shared = Payload::from(vec![7; INLINE + 1]).into_shared();
        assert_eq!(shared.clone().as_ptr(), shared.as_ptr());
    }
}
