//! The binary `wasmactor`; all of it is in `wasmactor::cli`.

use std::process::ExitCode;

/// Of the binary and not of the library: who embeds the host has an allocator of their own choice. A message allocated
/// by one worker and freed by another, and the births and ends of actors on two of them, cost less than with the C
/// library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    wasmactor::cli::main()
}
