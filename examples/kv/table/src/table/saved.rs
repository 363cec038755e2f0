//! A table as bytes and back, for a store that goes on in another version.
//!
//! For each entry: the lengths of key and value in 4 bytes each, when it expires in 8, the key, the value; all little-endian.

use super::{Entry, Table};

/// Bytes before a key.
const HEAD: usize = 16;

impl Table {
    /// All entries.
    pub fn save(&self) -> Vec<u8> {
        let size = self.entries.iter().map(|(key, entry)| HEAD + key.len() + entry.value.len()).sum();
        let mut saved = Vec::with_capacity(size);
        for (key, entry) in &self.entries {
            // Keys and values came in batches, which are shorter than 4 GiB.
            for length in [key.len(), entry.value.len()] {
                saved.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
            }
            saved.extend(entry.expires.to_le_bytes());
            saved.extend_from_slice(key);
            saved.extend_from_slice(&entry.value);
        }
        saved
    }

    /// Adds what [`save`](Self::save) gave. False: it is something else; what came before the wrong place is there.
    pub fn load(&mut self, mut saved: &[u8]) -> bool {
        while !saved.is_empty() {
            let Some((head, rest)) = saved.split_first_chunk::<HEAD>() else { return false };
            let length = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
            let Some((key, rest)) = rest.split_at_checked(length(0)) else { return false };
            let Some((value, rest)) = rest.split_at_checked(length(4)) else { return false };
            let expires = head.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            if expires != 0 {
                self.expiring.insert((expires, key.into()));
            }
            self.entries.insert(key.into(), Entry { value: value.to_vec(), expires });
            saved = rest;
        }
        true
    }
}
