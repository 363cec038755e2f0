//! Entropy from the host.

use crate::bindings::wasmactor::actor::random;

/// 64 random bits, fit for keys.
pub fn get() -> u64 {
    random::get()
}

/// A number from 0 up to, not including, `bound` (0 gives 0).
pub fn below(bound: u64) -> u64 {
    // The high half of a 64x64 bit product: no division, and a bias of at most bound / 2^64.
    ((u128::from(get()) * u128::from(bound)) >> 64) as u64
}
