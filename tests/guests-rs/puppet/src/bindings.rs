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

use super::Puppet;

#[cfg(feature = "blocking")]
wit_bindgen::generate!({ path: "../../../wit", world: "actor" });
#[cfg(not(feature = "blocking"))]
wit_bindgen::generate!({ path: "../../../wit", world: "interleaved" });

export!(Puppet with_types_in self);
