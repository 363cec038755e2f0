//! The host's number for one thing that an actor awaits: a reply, a timer, a watch, a spawn.
//!
//! Must hold: unique on the node for as long as the host runs, so a number that reaches the wrong actor, or comes
//! twice, matches nothing.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

/// Unique on its node; 0 is "none".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Session(pub u64);

impl Session {
    /// No answer wanted.
    pub const NONE: Self = Self(0);

    /// Whether this is no session at all.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A map by session. Its hash is one multiplication: the keys are the host's own counters, no guest chooses them.
pub type SessionMap<T> = HashMap<Session, T, BuildHasherDefault<CounterHasher>>;

/// Fibonacci hashing of one u64.
#[derive(Debug, Default, Clone, Copy)]
pub struct CounterHasher(u64);

impl Hasher for CounterHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, value: u64) {
        // 2^64 / golden ratio (Knuth, TAOCP 3, 6.4): spreads counters over the high bits that the map looks at.
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
