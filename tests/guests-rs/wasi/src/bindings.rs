//! What wit-bindgen makes of `wit/`, and the exports.
#![allow(
    missing_debug_implementations,
    unreachable_pub,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    dead_code,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated code"
)]

use super::Wasi;

wit_bindgen::generate!({ path: ["../../../wit", "wit"], world: "wasmactor-test:wasi/guest", generate_all });

export!(Wasi with_types_in self);
