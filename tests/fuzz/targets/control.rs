//! A line of a control client: a request, or a problem with words; never a panic.
#![no_main]

#[path = "../oracles/control.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
