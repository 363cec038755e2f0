//! Tight loops over memory, the same code in guests and native: what the sandbox's way to guard memory costs. Used by the
//! workload `loops`.
//!
//! Must hold: each reads or writes memory at every step, through addresses that no compiler can foresee to be in bounds.

/// What they work on: larger than the nearest cache, smaller than the next.
pub const BYTES: usize = 256 << 10;

/// A loop over memory, which it may change; the result is the same for the same memory.
pub type Loop = fn(&mut [u8]) -> u64;

/// All, with the names of their figures.
pub const ALL: [(&str, Loop); 3] = [("checksum", checksum), ("histogram", histogram), ("sort", sort)];

/// Bytes that follow no pattern.
pub fn fill(memory: &mut [u8]) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for bytes in memory.chunks_mut(8) {
        // Xorshift: good enough to make a branch unforeseeable.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.copy_from_slice(&state.to_le_bytes()[..bytes.len()]);
    }
}

/// Adler-32's two sums: one read a step.
fn checksum(memory: &mut [u8]) -> u64 {
    let (mut low, mut high) = (1_u64, 0_u64);
    for byte in memory {
        low += u64::from(*byte);
        high += low;
    }
    ((high % 65_521) << 16) | (low % 65_521)
}

/// Counts pairs of bytes in a table within the same memory: two reads and a write a step, at places that the data says.
fn histogram(memory: &mut [u8]) -> u64 {
    let (table, data) = memory.split_at_mut(1 << 16);
    for pair in data.as_chunks::<2>().0 {
        let place = usize::from(u16::from_le_bytes(*pair));
        table[place] = table[place].wrapping_add(1);
    }
    table.iter().fold(0, |sum, count| sum.wrapping_mul(31).wrapping_add(u64::from(*count)))
}

/// Fills it anew and sorts it, as numbers of four bytes, by a heap: reads and writes at places far apart.
fn sort(memory: &mut [u8]) -> u64 {
    fill(memory);
    let numbers = memory.as_chunks_mut::<4>().0;
    let at = |numbers: &[[u8; 4]], place: usize| u32::from_le_bytes(numbers[place]);
    let sift = |numbers: &mut [[u8; 4]], mut root: usize, end: usize| {
        loop {
            let mut child = 2 * root + 1;
            if child >= end {
                return;
            }
            if child + 1 < end && at(numbers, child) < at(numbers, child + 1) {
                child += 1;
            }
            if at(numbers, root) >= at(numbers, child) {
                return;
            }
            numbers.swap(root, child);
            root = child;
        }
    };
    for root in (0..numbers.len() / 2).rev() {
        sift(numbers, root, numbers.len());
    }
    for end in (1..numbers.len()).rev() {
        numbers.swap(0, end);
        sift(numbers, 0, end);
    }
    u64::from(at(numbers, numbers.len() / 2))
}

#[cfg(test)]
mod tests {
    use super::{ALL, BYTES, fill};

    fn memory() -> Vec<u8> {
        let mut memory = vec![0; BYTES];
        fill(&mut memory);
        memory
    }

    #[test]
    fn sorted_is_sorted() {
        let mut memory = memory();
        let mut expected: Vec<u32> = memory.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        expected.sort_unstable();
        let middle = ALL[2].1(&mut memory);
        let found: Vec<u32> = memory.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        assert_eq!((found == expected, middle), (true, u64::from(expected[expected.len() / 2])));
    }

    #[test]
    fn the_same_memory_gives_the_same() {
        for (name, run) in ALL {
            assert_eq!(run(&mut memory()), run(&mut memory()), "{name}");
        }
        assert_eq!(ALL[0].1(&mut b"Wikipedia".to_vec()), 0x11E6_0398, "Adler-32");
    }
}
