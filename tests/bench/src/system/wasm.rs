//! The host with guests: `wasm` are those of the Rust SDK in `tests/bench/guests`, built as `wasmactor build` does it;
//! `wasm-min` is one written by hand, which shows what the SDK adds; `wasm-speed` are the SDK's in the profile `speed`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use wasmactor::base::Grants;
use wasmactor::base::sync::Arc;
use wasmactor::node::{Limits, ModuleEntry};
use wasmactor::wasm::{Profile, Source, WasmHost, WasmModule, WasmOptions};

use crate::system::app::App;
use crate::system::ours::Form;
use crate::toolchain::{self, TARGET};

const GUESTS: [&str; 3] = ["driver", "actor", "exclusive"];

/// Modules, shared by all runs.
pub(crate) struct Wasm {
    name: &'static str,
    host: Arc<WasmHost>,
    /// The names that the workloads know the modules by.
    names: &'static [&'static str],
    modules: Vec<Arc<WasmModule>>,
}

/// Starts the sandbox. Errors: the machine lacks something.
fn host() -> Result<Arc<WasmHost>> {
    WasmHost::new(&WasmOptions::default()).map(Arc::new).context("the sandbox does not start")
}

impl Wasm {
    /// Loads the guests of the SDK, which `build` made.
    pub(crate) fn sdk(name: &'static str, profile: Profile) -> Result<Self> {
        let (host, folder) = (host()?, guests());
        let source = |name: &str| Source::new(name, folder.join(format!("bench_{name}.wasm"))).with(profile);
        let modules = host.load_all(&GUESTS.map(source)).into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Self { name, host, names: &GUESTS, modules })
    }

    /// Loads the guest that is written by hand.
    pub(crate) fn min() -> Result<Self> {
        let host = host()?;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/min.wat");
        let module = host.load(&Source::new("min", path))?;
        let modules = vec![module.clone(), module];
        Ok(Self { name: "wasm-min", host, names: &["driver", "actor"], modules })
    }
}

impl Form for Wasm {
    fn name(&self) -> &'static str {
        self.name
    }

    fn start(&self, workers: usize) -> Result<App> {
        App::start(workers, self.names, |node| {
            let host = self.host.clone();
            node.on_tick(Box::new(move || host.tick()));
            for (name, module) in self.names.iter().zip(&self.modules) {
                let (grants, limits) = (Arc::new(Grants::all()), Limits::free());
                node.add_module(name, ModuleEntry { module: module.clone(), grants, limits });
            }
        })
    }
}

/// The folder with the guests' files.
fn guests() -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    std::env::var_os("CARGO_TARGET_DIR").map_or(target, PathBuf::from).join(TARGET).join("release")
}

/// Builds the guests of the SDK.
pub(crate) fn build() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = toolchain::find(root)?.cargo("build", root);
    for guest in GUESTS {
        command.args(["--package", &format!("bench-{guest}")]);
    }
    // Cargo's own words go to stderr, which they share with the table.
    if !command.arg("--quiet").status().context("cargo cannot be started")?.success() {
        bail!("the guests of tests/bench are not built (cargo's words are above)");
    }
    Ok(())
}
