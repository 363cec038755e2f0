//! The binary `wasmactor`; all of it is in `wasmactor::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    wasmactor::cli::main()
}
