//! The wasmtime engines, one for each profile, and their settings. Made by [`super::WasmHost`].
//!
//! Must hold: whatever a guest does, it ends as a result or a trap, in bounded stack and memory. Guests are not trusted:
//! signal-based traps stay on, because wasmtime masks addresses against Spectre only with them.

use std::io;
use std::num::NonZeroUsize;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

use crate::base::sync::Arc;
use crate::node::limits::TABLE;
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

/// What an engine's actors are made for: `profile` of a module in the manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// A million actors: memories are slots of one mapping, and each access checks its bounds.
    #[default]
    Density,
    /// Tight loops over memory: memories have guard pages, which check bounds for nothing, and cost 4 GiB of address
    /// space and three mappings each; so there are 8,000 of these at most.
    Speed,
}

/// Actors of all modules of the profile `speed` that can be alive at once: what fits into the kernel's default of 65,530
/// mappings, with room for the rest.
pub(super) const SPEED_ACTORS: u32 = 8_000;
/// Bytes of a memory that stay resident for its next user.
const SPEED_KEEP: usize = 256 << 10;

/// Makes an engine.
pub(super) fn engine(profile: Profile) -> Result<Engine, EngineError> {
    // With RUST_BACKTRACE=1 in the environment each error would capture the host's stack, ten times the price of the
    // trap itself. The guest's frames are what a trap's text needs, and they do not come from there.
    wasmtime::error::disable_backtrace();
    Engine::new(&config(profile)?).map_err(EngineError::Wasmtime)
}

fn config(profile: Profile) -> Result<Config, EngineError> {
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
        // Function names come from the name section. Lines are looked up for a report only, in the file (`lines`).
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(NonZeroUsize::new(FRAMES))
        // At a trap, what there is to be dumped is noted; see `evidence`.
        .coredump_on_trap(true);
    match profile {
        Profile::Density => dense(&mut config)?,
        Profile::Speed => fast(&mut config),
    }
    Ok(config)
}

fn dense(config: &mut Config) -> Result<(), EngineError> {
    config
        // Memories are slots of the arena, without guard pages: bounds are checked by compiled code.
        .with_host_memory(Arc::new(Arena::new()?))
        .memory_reservation(0)
        .memory_reservation_for_growth(0)
        .memory_guard_size(0)
        .memory_init_cow(false)
        .with_host_stack(Arc::new(Stacks::new(FIBER_STACK)?));
    Ok(())
}

fn fast(config: &mut Config) {
    let mut pool = PoolingAllocationConfig::new();
    // A component of one core module is three of them, with two tables: see `flat`.
    pool.total_component_instances(SPEED_ACTORS)
        .total_core_instances(3 * SPEED_ACTORS)
        .total_memories(SPEED_ACTORS)
        .total_tables(2 * SPEED_ACTORS)
        .total_stacks(SPEED_ACTORS)
        .table_elements(TABLE)
        .linear_memory_keep_resident(SPEED_KEEP)
        .pagemap_scan(Enabled::Auto);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
}
