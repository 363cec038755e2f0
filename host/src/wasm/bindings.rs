//! What wasmtime generates from `wit/`. Used by the imports, by `convert` and by `instance`.
//!
//! Must hold: no import can trap (each returns its WIT result) but for `timer`'s and `watch`, where a limit is reached, and
//! only those of `blocking` may suspend. A linker that holds an async import refuses plain calls, so `blocking` is linked
//! for those that import it only.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "actor",
    imports: {
        "wasmactor:actor/blocking": async,
        "wasmactor:actor/timer": trappable,
        "wasmactor:actor/lifecycle.watch": trappable,
    },
});
