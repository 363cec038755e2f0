//! Bytes of a file that `wasmactor crash` is given: a report, or a sentence; never a panic.
#![no_main]

#[path = "../oracles/crash.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
