//! What wit-bindgen makes of `wit/`: the raw imports and exports. The other modules wrap them; actors should not need
//! this one, but it is public because `actor!` and `async_actor!` expand to paths in it.
#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "actor",
    pub_export_macro: true,
    // What it works around are constructors that the linker runs at every export; Rust has none.
    disable_run_ctors_once_workaround: true,
    default_bindings_module: "wasmactor_sdk::bindings",
});
