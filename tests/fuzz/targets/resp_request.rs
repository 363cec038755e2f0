//! Bytes from a client of the kv example: no panic, and the same meaning however they are cut.
#![no_main]

#[path = "../oracles/resp_request.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
