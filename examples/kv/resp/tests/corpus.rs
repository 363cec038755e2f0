//! Plays what fuzzing found, and seeded noise, through the fuzz target's oracle.

use std::{fs, path::Path};

#[path = "../../../../tests/fuzz/oracles/resp_request.rs"]
mod oracle;

#[test]
fn the_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fuzz/corpus/resp_request");
    let mut played = 0;
    for entry in fs::read_dir(&folder).expect("the corpus is in git") {
        let path = entry.expect("readable").path();
        oracle::check(&fs::read(&path).expect("readable"));
        played += 1;
    }
    assert!(played > 10, "{} has only {played} files", folder.display());
}

/// Mostly what the parser looks at.
const BYTES: &[u8] = b"*$\r\n01234- \"'\\xaP\n\r$*\0\xff";

#[test]
fn seeded_noise_holds() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..50_000 {
        let mut data = Vec::new();
        loop {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let number = usize::try_from(state >> 40).expect("24 bits");
            data.push(BYTES[number % BYTES.len()]);
            if number.is_multiple_of(24) {
                break;
            }
        }
        oracle::check(&data);
    }
}
