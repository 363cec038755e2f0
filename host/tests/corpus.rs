//! Plays what fuzzing found, and seeded damage to it, through the fuzz targets' oracles.
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;

#[path = "../../tests/fuzz/oracles/control.rs"]
mod control;
#[path = "../../tests/fuzz/oracles/crash.rs"]
mod crash;
#[path = "../../tests/fuzz/oracles/flat.rs"]
mod flat;
#[path = "../../tests/fuzz/oracles/manifest.rs"]
mod manifest;
#[path = "../../tests/fuzz/oracles/module.rs"]
mod module;

/// Plays each file, and `damaged` copies of it with a few bytes changed, cut or doubled.
fn play(name: &str, damaged: usize, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(name);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 40).expect("24 bits") % below.max(1)
    };
    let mut played = 0;
    for entry in fs::read_dir(&folder).expect("the corpus is in git") {
        let original = fs::read(entry.expect("readable").path()).expect("readable");
        check(&original);
        played += 1;
        for _ in 0..damaged {
            let mut data = original.clone();
            for _ in 0..=next(4) {
                let at = next(data.len());
                match next(4) {
                    0 => data.truncate(at),
                    1 => data.extend_from_within(at..),
                    _ if at < data.len() => data[at] = next(256).to_le_bytes()[0],
                    _ => {}
                }
            }
            check(&data);
        }
    }
    assert!(played >= 8, "{} has only {played} files", folder.display());
}

#[test]
fn control_requests() {
    play("control", 2_000, control::check);
}

#[test]
fn manifests() {
    play("manifest", 2_000, manifest::check);
}

#[test]
fn crashes() {
    play("crash", 2_000, crash::check);
}

#[test]
fn modules() {
    play("module", 60, module::check);
}

#[test]
fn lies_to_flat_lifting() {
    play("flat", 120, flat::check);
}
