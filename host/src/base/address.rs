//! An actor's id, in one word. Used by everybody; made only by the actor table.
//!
//! Must hold: a generation of a slot is used once, so a stale address never reaches a new actor. A slot whose
//! generations are used up is never given out again.

use std::fmt;

/// Bits of the slot: 16.7 million actors alive at once on a node.
pub const SLOT_BITS: u32 = 24;
/// Bits of the generation: a slot is used 4 billion times, then retired.
pub const GENERATION_BITS: u32 = 32;

/// Node (8 bits, high), generation (32) and slot (24, low). Printed `:0000002a`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Address(u64);

impl Address {
    /// The host itself, as the source of what no actor sent. Slot 0 of generation 0 is never an actor.
    pub const HOST: Self = Self(0);

    /// The address of a slot in one of its generations. `slot` must fit 24 bits.
    pub fn new(node: u8, generation: u32, slot: u32) -> Self {
        debug_assert!(slot < 1 << SLOT_BITS);
        Self(u64::from(node) << (SLOT_BITS + GENERATION_BITS) | u64::from(generation) << SLOT_BITS | u64::from(slot))
    }

    /// Any number that a guest made up; it may name no actor.
    pub fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number that guests see.
    pub fn raw(self) -> u64 {
        self.0
    }

    /// Index in the actor table.
    pub fn slot(self) -> u32 {
        (self.0 & ((1 << SLOT_BITS) - 1)) as u32
    }

    /// How often the slot was used before.
    #[expect(clippy::cast_possible_truncation, reason = "32 bits by construction")]
    pub fn generation(self) -> u32 {
        (self.0 >> SLOT_BITS) as u32
    }

    /// The node, 0 while there is only one.
    pub fn node(self) -> u8 {
        (self.0 >> (SLOT_BITS + GENERATION_BITS)) as u8
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
    fn parts_come_back() {
        let address = Address::new(3, u32::MAX, (1 << 24) - 1);
        assert_eq!((address.node(), address.generation(), address.slot()), (3, u32::MAX, (1 << 24) - 1));
    }

    #[test]
    fn first_generation_prints_as_skynet_does() {
        assert_eq!(Address::new(0, 0, 0x2a).to_string(), ":0000002a");
    }
}
