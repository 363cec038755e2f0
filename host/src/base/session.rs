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

/// What an actor awaits, by session. Few entries are looked through one by one, which is cheaper than a hash; the
/// limit is thin air. Empty, it owns no memory (or what four entries need).
#[derive(Debug)]
pub struct SessionMap<T>(Entries<T>);

/// Entries that are looked through.
const FEW: usize = 8;

#[derive(Debug)]
enum Entries<T> {
    Few(Vec<(Session, T)>),
    #[expect(clippy::box_collection, reason = "an actor has three of these, and hardly one that is large")]
    Many(Box<HashMap<Session, T, BuildHasherDefault<CounterHasher>>>),
}

impl<T> Default for SessionMap<T> {
    fn default() -> Self {
        Self(Entries::Few(Vec::new()))
    }
}

impl<T> SessionMap<T> {
    /// Adds an entry; the session is new (the host numbers them).
    #[inline]
    pub fn insert(&mut self, session: Session, value: T) {
        match &mut self.0 {
            Entries::Few(entries) if entries.len() < FEW => entries.push((session, value)),
            Entries::Few(entries) => {
                let mut many: HashMap<_, _, _> = std::mem::take(entries).into_iter().collect();
                many.insert(session, value);
                self.0 = Entries::Many(Box::new(many));
            }
            Entries::Many(map) => {
                map.insert(session, value);
            }
        }
    }

    /// Takes an entry out.
    #[inline]
    pub fn remove(&mut self, session: &Session) -> Option<T> {
        match &mut self.0 {
            Entries::Few(entries) => {
                let place = entries.iter().position(|(other, _)| other == session)?;
                Some(entries.swap_remove(place).1)
            }
            Entries::Many(map) => {
                let value = map.remove(session);
                if map.is_empty() {
                    *self = Self::default();
                }
                value
            }
        }
    }

    /// An entry.
    #[inline]
    pub fn get(&self, session: &Session) -> Option<&T> {
        match &self.0 {
            Entries::Few(entries) => entries.iter().find(|(other, _)| other == session).map(|(_, value)| value),
            Entries::Many(map) => map.get(session),
        }
    }

    /// How many entries.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Entries::Few(entries) => entries.len(),
            Entries::Many(map) => map.len(),
        }
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Entries::Few(entries) => entries.is_empty(),
            Entries::Many(map) => map.is_empty(),
        }
    }

    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Session, &T)> {
        let (few, many) = match &self.0 {
            Entries::Few(entries) => (Some(entries), None),
            Entries::Many(map) => (None, Some(map)),
        };
        let few = few.into_iter().flatten().map(|(session, value)| (*session, value));
        few.chain(many.into_iter().flat_map(|map| map.iter()).map(|(session, value)| (*session, value)))
    }

    /// All values, in no order.
    pub fn into_values(self) -> Vec<T> {
        match self.0 {
            Entries::Few(entries) => entries.into_iter().map(|(_, value)| value).collect(),
            Entries::Many(map) => map.into_values().collect(),
        }
    }
}

/// Fibonacci hashing of one u64: a multiplication is enough, the keys are the host's own counters, no guest chooses them.
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{FEW, Session, SessionMap};

    #[test]
    fn entries_are_found_whether_few_or_many() {
        let mut map = SessionMap::default();
        let count = 3 * FEW as u64;
        for number in 1..=count {
            map.insert(Session(number), number);
            assert_eq!((map.get(&Session(1)), map.get(&Session(number + 1))), (Some(&1), None));
            assert_eq!(map.iter().count() as u64, number);
        }
        for number in (1..=count).rev() {
            assert_eq!((map.remove(&Session(number)), map.remove(&Session(number))), (Some(number), None));
        }
        assert!(map.is_empty());
        map.insert(Session(9), 9);
        assert_eq!(map.into_values(), [9]);
    }
}
