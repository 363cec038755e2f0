//! "Is this a bug?" for modules. Used by the fuzz target and by the replay test in `host/tests/corpus.rs`.
//!
//! What must hold for any bytes: loading returns; an error names the module and is no panic of a library.

use std::sync::OnceLock;

use wasmactor::wasm::{CacheFolder, LoadProblem, Source, WasmHost, WasmOptions};

/// Panics if one of these does not hold.
pub(crate) fn check(data: &[u8]) {
    static HOST: OnceLock<WasmHost> = OnceLock::new();
    let host = HOST.get_or_init(|| {
        WasmHost::new(&WasmOptions { cache: CacheFolder::Off, force_component: false }).expect("the engine starts")
    });
    let path = std::env::temp_dir().join(format!("wasmactor-fuzz-{}.wasm", std::process::id()));
    std::fs::write(&path, data).expect("a temporary file");
    let loaded = host.load(&Source::new("fuzz", &path));
    std::fs::remove_file(&path).expect("it is ours");
    if let Err(error) = loaded {
        assert!(error.to_string().contains("module \"fuzz\""), "{error}");
        assert!(!matches!(*error.what, LoadProblem::Panicked(_)), "{error}");
    }
}
