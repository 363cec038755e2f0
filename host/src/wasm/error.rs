//! Why a module cannot be loaded: one message that names the module, the file, and both sides of a mismatch.

use std::io;
use std::path::PathBuf;

use crate::wasm::contract::PACKAGE;
use crate::wasm::wasi::PACKAGES;

/// A module that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("module \"{module}\" ({}) {what}", path.display())]
pub struct LoadError {
    /// The name in the manifest.
    pub module: String,
    /// The file.
    pub path: PathBuf,
    /// A clause that continues "module … (…)".
    pub what: Box<LoadProblem>,
}

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum LoadProblem {
    #[error("cannot be read: {0}")]
    Read(io::Error),
    #[error("is neither WebAssembly nor its text format")]
    NotWasm,
    #[error("is not valid WebAssembly text: {0}")]
    Text(String),
    #[error("is not valid WebAssembly: {0}")]
    Invalid(String),
    #[error("is a core module that cannot be made a component of this world: {0}")]
    Encode(String),
    #[error("imports {interface} \"{item}\"; this host provides {PACKAGE}: rebuild it with the matching SDK")]
    Version { interface: String, item: String },
    #[error("imports {interface} \"{item}\"; this host provides {PACKAGE} and of WASI 0.2 {}: {hint}", PACKAGES.join(", "))]
    Unknown { interface: String, item: String, hint: &'static str },
    #[error("exports {found}; this host calls {expected}: rebuild it with the matching SDK")]
    ExportVersion { found: String, expected: &'static str },
    #[error("exports no {interface} \"{item}\", which this host calls: an actor exports `init` and `handle`")]
    NoExport { interface: &'static str, item: &'static str },
    #[error("export {interface} \"{item}\" has type {found}, expected {expected} ({reason})")]
    ExportType { interface: &'static str, item: &'static str, found: String, expected: &'static str, reason: String },
    #[error("does not fit what this host provides ({PACKAGE}): {0}")]
    Link(String),
    #[error("asks for `profile = \"speed\"`, which this machine does not give: {0}")]
    Engine(String),
    #[error("cannot be compiled: {0}")]
    Compile(String),
    #[error("makes the compiler fail: {0} (please report it)")]
    Panicked(String),
}
