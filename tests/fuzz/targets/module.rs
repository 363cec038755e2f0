//! Bytes of a module: it loads, or one error says why; never a panic.
#![no_main]

#[path = "../oracles/module.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
