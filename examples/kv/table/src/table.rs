//! The keys and values of one store, and what each operation does to them. Replies are what a Redis server says.
//!
//! A key whose time is over is gone at once for everybody who asks; its memory is given back by the next operation on it
//! or by [`Table::sweep`].

mod saved;

use crate::glob;
use foldhash::fast::FixedState;
use kv_resp::{integer, reply};
use kv_wire::{Condition, Malformed, Operation, Operations, Replies, Set};
use std::collections::{BTreeSet, HashMap};

/// Replies beyond this end a batch early: what a client does not read must not pile up here.
const ANSWER: usize = 1 << 20;

#[derive(Debug)]
struct Entry {
    value: Vec<u8>,
    /// Milliseconds since 1970. 0: never.
    expires: u64,
}

/// The keys and values of one store.
#[derive(Debug)]
pub struct Table {
    entries: HashMap<Box<[u8]>, Entry, FixedState>,
    /// The keys that expire, by time.
    expiring: BTreeSet<(u64, Box<[u8]>)>,
    /// Milliseconds since 1970. Asked only if some key expires.
    clock: fn() -> u64,
}

impl Table {
    /// An empty table. `seed` keeps clients from choosing keys that collide.
    pub fn new(seed: u64, clock: fn() -> u64) -> Self {
        Self { entries: HashMap::with_hasher(FixedState::with_seed(seed)), expiring: BTreeSet::new(), clock }
    }

    /// Does the operations of a batch, all or (see `kv-wire`) the first ones. Returns the answer.
    ///
    /// Errors: the bytes are not a batch; what came before the wrong place is done.
    pub fn run(&mut self, batch: &[u8]) -> Result<Vec<u8>, Malformed> {
        // One time for the whole batch, asked when it first matters.
        let mut now = 0;
        let mut replies = Replies::default();
        let mut operations = Operations::new(batch);
        while replies.size() < ANSWER
            && let Some(operation) = operations.next()
        {
            if now == 0 && !self.expiring.is_empty() {
                now = (self.clock)();
            }
            self.operate(operation?, now, replies.reply());
            replies.end();
        }
        Ok(replies.finish(batch.len() - operations.unread()))
    }

    /// True if some key expires, so that `sweep` has something to do some day.
    pub fn expires(&self) -> bool {
        !self.expiring.is_empty()
    }

    /// Removes the keys whose time is over.
    pub fn sweep(&mut self) {
        let now = (self.clock)();
        while self.expiring.first().is_some_and(|(time, _)| *time <= now)
            && let Some((_, key)) = self.expiring.pop_first()
        {
            self.entries.remove(&key);
        }
    }

    fn operate(&mut self, operation: Operation<'_>, now: u64, out: &mut Vec<u8>) {
        match operation {
            Operation::Get(key) => value(self.live(key, now).as_deref(), out),
            Operation::Set { key, value, how } => self.set(key, value, how, now, out),
            Operation::Delete(key) => {
                let deleted = self.live(key, now).is_some();
                self.remove(key);
                reply::integer(out, deleted.into());
            }
            Operation::Exists(key) => reply::integer(out, self.live(key, now).is_some().into()),
            Operation::Increment { key, by } => self.increment(key, by, now, out),
            Operation::Keys(pattern) => self.keys(pattern, now, out),
            Operation::Size => {
                let over = self.expiring.iter().take_while(|(time, _)| *time <= now).count();
                reply::integer(out, i64::try_from(self.entries.len() - over).unwrap_or(i64::MAX));
            }
            Operation::Clear => {
                self.entries.clear();
                self.entries.shrink_to_fit();
                self.expiring.clear();
                reply::simple(out, "OK");
            }
        }
    }

    /// The entry of a key whose time is not over.
    fn live(&mut self, key: &[u8], now: u64) -> Option<&mut Entry> {
        self.entries.get_mut(key).filter(|entry| is_live(entry, now))
    }

    fn remove(&mut self, key: &[u8]) {
        if let Some((key, entry)) = self.entries.remove_entry(key)
            && entry.expires != 0
        {
            self.expiring.remove(&(entry.expires, key));
        }
    }

    fn set(&mut self, key: &[u8], new: &[u8], how: Set, now: u64, out: &mut Vec<u8>) {
        let entry = self.entries.get_mut(key);
        let live = entry.as_ref().is_some_and(|entry| is_live(entry, now));
        let done = match how.condition {
            Condition::Always => true,
            Condition::IfAbsent => !live,
            Condition::IfPresent => live,
        };
        if how.get {
            value(entry.as_deref().filter(|_| live), out);
        } else if done {
            reply::simple(out, "OK");
        } else {
            out.extend_from_slice(reply::NULL);
        }
        if !done {
            return;
        }
        let mut expires = how.expires.unwrap_or(0);
        let before = match entry {
            Some(entry) => {
                let before = entry.expires;
                if how.keep_expiry && live {
                    expires = before;
                }
                entry.expires = expires;
                assign(&mut entry.value, new);
                before
            }
            None => {
                self.entries.insert(key.into(), Entry { value: new.to_vec(), expires });
                0
            }
        };
        if before != expires {
            self.move_expiry(key, before, expires);
        }
    }

    fn move_expiry(&mut self, key: &[u8], before: u64, after: u64) {
        let mut mark = (before, Box::from(key));
        if before != 0 {
            self.expiring.remove(&mark);
        }
        if after != 0 {
            mark.0 = after;
            self.expiring.insert(mark);
        }
    }

    fn increment(&mut self, key: &[u8], by: i64, now: u64, out: &mut Vec<u8>) {
        let Some(entry) = self.live(key, now) else {
            self.set(key, b"1", Set::default(), now, &mut Vec::new());
            return reply::integer(out, 1);
        };
        match integer(&entry.value).map(|number| number.checked_add(by)) {
            None => reply::error(out, "ERR value is not an integer or out of range"),
            Some(None) => reply::error(out, "ERR increment or decrement would overflow"),
            Some(Some(number)) => {
                reply::integer(out, number);
                // The reply is `:NUMBER\r\n`.
                let start = out.iter().rposition(|byte| *byte == b':').map_or(0, |mark| mark + 1);
                assign(&mut entry.value, &out[start..out.len() - 2]);
            }
        }
    }

    fn keys(&self, pattern: &[u8], now: u64, out: &mut Vec<u8>) {
        let live = self.entries.iter().filter(|(_, entry)| is_live(entry, now));
        let keys: Vec<_> = live.map(|(key, _)| key).filter(|key| glob::matches(pattern, key)).collect();
        reply::array(out, keys.len());
        for key in keys {
            reply::bulk(out, key);
        }
    }
}

fn is_live(entry: &Entry, now: u64) -> bool {
    entry.expires == 0 || entry.expires > now
}

fn value(entry: Option<&Entry>, out: &mut Vec<u8>) {
    match entry {
        Some(entry) => reply::bulk(out, &entry.value),
        None => out.extend_from_slice(reply::NULL),
    }
}

/// Overwrites a value in its place, unless that would keep much more memory than is needed.
fn assign(value: &mut Vec<u8>, new: &[u8]) {
    if value.capacity() > 2 * new.len() + 64 {
        *value = new.to_vec();
    } else {
        value.clear();
        value.extend_from_slice(new);
    }
}

#[cfg(test)]
mod tests;
