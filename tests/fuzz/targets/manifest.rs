//! Text of an app.toml: a manifest, or faults with their places; never a panic.
#![no_main]

#[path = "../oracles/manifest.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
