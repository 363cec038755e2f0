//! "Is this a bug?" for app.toml. Used by the fuzz target and by the replay test in `host/tests/corpus.rs`.
//!
//! What must hold for any text: no panic; either a manifest with at least one actor, each of a module that is there, or
//! at least one fault, each with a place inside the text and words.

use std::path::Path;

use wasmactor::manifest;

/// Panics if one of these does not hold.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match manifest::parse(text, Path::new("fuzz/app.toml")) {
        Ok(manifest) => {
            assert!(!manifest.actors.is_empty());
            for actor in &manifest.actors {
                assert!(manifest.modules.contains_key(&actor.module));
                assert!((1..=manifest::COUNT_MAX).contains(&actor.count));
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                let said = fault.to_string();
                assert!(said.starts_with("fuzz/app.toml"), "no place: {said}");
                assert!(said.contains("error: "), "no words: {said}");
            }
        }
    }
}
