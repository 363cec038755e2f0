//! The one wasmtime engine and its settings. Made by [`super::WasmHost`].
//!
//! Must hold: whatever a guest does, it ends as a result or a trap, in bounded stack and memory. Guests are not trusted:
//! signal-based traps stay on, because wasmtime masks addresses against Spectre only with them.

use std::io;
use std::num::NonZeroUsize;

use wasmtime::{Config, Engine, WasmBacktraceDetails};

use crate::base::sync::Arc;
use crate::wasm::memory::Arena;
use crate::wasm::stack::Stacks;

/// Native stack that guest code may use before it traps; wasmtime's default.
pub(super) const GUEST_STACK: usize = 512 << 10;
/// The whole stack of an actor that may park: guest code, and on top of it the host's own functions.
const FIBER_STACK: usize = GUEST_STACK + (512 << 10);
/// Frames named in the text of a trap.
const FRAMES: usize = 16;

/// An engine that cannot be made: the machine lacks something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("no address space for the memories of actors: {0} (is `ulimit -v` set, or vm.overcommit_memory = 2?)")]
    AddressSpace(#[from] io::Error),
    #[error("wasmtime does not start on this machine: {0:#}")]
    Wasmtime(wasmtime::Error),
}

/// Makes the engine.
pub(super) fn engine() -> Result<Engine, EngineError> {
    // With RUST_BACKTRACE=1 in the environment each error would capture the host's stack, ten times the price of the
    // trap itself. The guest's frames are what a trap's text needs, and they do not come from there.
    wasmtime::error::disable_backtrace();
    Engine::new(&config()?).map_err(EngineError::Wasmtime)
}

fn config() -> Result<Config, EngineError> {
    let mut config = Config::new();
    config
        // Plain calls only: with concurrency support a call of a component costs three times as much.
        .concurrency_support(false)
        // So that an endless loop can be ended, and later preempted: see `WasmHost::tick`.
        .epoch_interruption(true)
        // C++ and other languages' exceptions.
        .wasm_exceptions(true)
        .max_wasm_stack(GUEST_STACK)
        .async_stack_size(FIBER_STACK)
        // Function names come from the name section, lines would need the debug info to be kept and parsed.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(NonZeroUsize::new(FRAMES))
        // Memories are slots of the arena, without guard pages: bounds are checked by compiled code.
        .with_host_memory(Arc::new(Arena::new()?))
        .memory_reservation(0)
        .memory_reservation_for_growth(0)
        .memory_guard_size(0)
        .memory_init_cow(false)
        .with_host_stack(Arc::new(Stacks::new(FIBER_STACK)?));
    Ok(config)
}
