//! A guest that lies, run flat and as a component: no difference, and the host survives.
#![no_main]

#[path = "../oracles/flat.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
