//! What connections and stores say to each other: one request carries many operations on keys ([`Batch`], [`Operations`]),
//! its answer carries a reply for each ([`Answer`], [`Replies`]). Also which store a key belongs to ([`store_of`]).
//!
//! Own bytes, not MessagePack: keys and values stand in the message as they are, reading them allocates nothing, and a
//! reply is already what the client gets, so that a connection passes it on without a look.
//!
//! A batch is a row of operations, numbers little-endian:
//!
//! ```text
//! opcode u8, key length u32, key                        all but the next two; no key: length 0
//! opcode u8, key length u32, by i64, key                Increment
//! opcode u8, key length u32, flags u8, expiry u64, value length u32, key, value    Set
//! ```
//!
//! An answer is the replies in the operations' order, then their lengths, then two counts:
//!
//! ```text
//! replies, length u32 of each, count of replies u32, bytes of the batch that were done u32
//! ```
//!
//! A store may do only the first part of a batch, at least one operation, when the replies get large. The connection
//! sends the rest once the client has read.

mod answer;
mod batch;

pub use answer::{Answer, Replies};
pub use batch::{Batch, Condition, Malformed, Operation, Operations, Set};

/// The message kind of a batch; stores take no other.
pub const BATCH: u32 = 1;

/// The store, below `stores`, that keeps a key. Does not depend on the machine, the build or the run.
pub fn store_of(key: &[u8], stores: usize) -> usize {
    // FNV-1a, and murmur's last steps: by itself it spreads keys that differ in few digits badly.
    let mut hash = key
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    usize::try_from(((hash >> 32) * stores as u64) >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::store_of;

    #[test]
    fn keys_spread_over_the_stores_and_stay_there() {
        let mut shares = [0_u32; 4];
        for key in 0..10_000 {
            shares[store_of(format!("key:{key:012}").as_bytes(), 4)] += 1;
        }
        assert!(shares.iter().all(|share| (2_200..2_800).contains(share)), "{shares:?}");
        assert_eq!([store_of(b"", 4), store_of(b"a", 4), store_of(b"foo", 4), store_of(b"\xff\0", 4)], [3, 3, 1, 0]);
    }
}
