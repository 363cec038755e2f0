//! What wit-bindgen makes of `wit/`, and the exports. What is not used is not imported: without the feature `blocking`
//! that interface is not.
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

use super::Stress;

wit_bindgen::generate!({ path: "../../../wit", world: "stateful" });

export!(Stress with_types_in self);
