//! What a socket and its owner are called. Used by everybody who speaks of sockets; ids are made only by the table.
//!
//! Must hold: an id is given to one socket only, for as long as the host runs.

use std::fmt;

/// Whom events go to and who may operate on a socket. What the number means is the caller's affair.
pub type Owner = u64;

/// Bits of the slot: 16.7 million sockets at once, more than a process can have descriptors.
const SLOT_BITS: u32 = 24;
/// Generations of a slot: 2^40 uses; at a million connections a second on one slot that is twelve days, on many slots
/// years. A slot whose generations are used up is retired.
pub(super) const GENERATIONS: u64 = 1 << (64 - SLOT_BITS);
/// Slots of the table.
pub(super) const SLOTS: usize = 1 << SLOT_BITS;

/// Generation (40 bits, high) and slot (24, low). Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(u64);

impl SocketId {
    /// The id of a slot in one of its generations, which count from 1.
    pub(super) fn new(generation: u64, slot: usize) -> Self {
        debug_assert!(slot < SLOTS && (1..GENERATIONS).contains(&generation));
        Self(generation << SLOT_BITS | slot as u64)
    }

    /// Any number that a guest made up; it may name no socket.
    pub fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number that guests see.
    pub fn raw(self) -> u64 {
        self.0
    }

    /// Index in the table.
    pub(super) fn slot(self) -> usize {
        usize::try_from(self.0 & (SLOTS as u64 - 1)).expect("24 bits")
    }

    /// Which use of the slot, from 1.
    pub(super) fn generation(self) -> u64 {
        self.0 >> SLOT_BITS
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
