//! Names of guest functions for `perf`. Used by [`super::link`].
//!
//! `WASMACTOR_PERF_MAP=1` in the environment makes the host append where each function of its flat modules lies to
//! `/tmp/perf-PID.map`, where `perf report` looks (tools/perf/Documentation/jit-interface.txt of the kernel). Without it,
//! guest code is anonymous memory. Must hold: never more than a warning comes of it.

use std::fmt::Write as _;
use std::io::Write as _;

use wasmtime::Module;

const SWITCH: &str = "WASMACTOR_PERF_MAP";

/// Tells where the functions of a module are, if somebody wants to know.
pub(super) fn tell(module: &Module) {
    if std::env::var_os(SWITCH).is_none() {
        return;
    }
    let text = module.text().as_ptr().addr();
    let mut lines = String::new();
    for function in module.functions() {
        let name = function.name.unwrap_or_else(|| format!("function {}", function.index.as_u32()));
        let name = name.replace(char::is_whitespace, "_");
        let _ = writeln!(lines, "{:x} {:x} wasm:{name}", text + function.offset, function.len);
    }
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    if let Err(error) = opened.and_then(|mut file| file.write_all(lines.as_bytes())) {
        tracing::warn!("{SWITCH}: cannot write `{path}`: {error}");
    }
}
