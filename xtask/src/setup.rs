//! `cargo xtask setup`: what demo and test need beside this repository and Rust.
//!
//! Must hold: what is there is left alone; what is installed, and why, is said before.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::apt::{self, installed};
use crate::shell::{self, command, root, step, succeeds, target};
use crate::toolchain::{self, TARGET};

/// `cargo xtask setup`: installs what is missing.
pub(crate) fn run() -> Result<()> {
    let installed = [wasm()?, redis()?, redis_py()?, tmux()?];
    if !installed.contains(&true) {
        eprintln!("setup: all that is needed is here, nothing to do");
    }
    Ok(())
}

/// A compiler for the guests.
fn wasm() -> Result<bool> {
    if toolchain::find(root()).is_ok() {
        return Ok(false);
    }
    if installed("rustup") {
        step(&format!("setup: rustup target add {TARGET}, to build the actors"));
        if succeeds(&mut command("rustup", &["target", "add", TARGET])) && toolchain::find(root()).is_ok() {
            return Ok(true);
        }
        eprintln!(
            "rustup cannot fetch it here; the distribution's compiler, with the standard library's source, will do"
        );
    }
    let packages = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
    apt::install(&packages, "a compiler, the standard library's source and a linker, to build the actors")?;
    toolchain::find(root())?;
    Ok(true)
}

/// Clients for `examples/kv`, and the server to compare it with.
fn redis() -> Result<bool> {
    if ["redis-cli", "redis-benchmark", "redis-server"].into_iter().all(installed) {
        return Ok(false);
    }
    apt::install(
        &["redis-server", "redis-tools"],
        "clients that drive examples/kv, and the server to compare it with",
    )?;
    Ok(true)
}

/// A terminal that tests can look at.
fn tmux() -> Result<bool> {
    if installed("tmux") {
        return Ok(false);
    }
    apt::install(&["tmux"], "a terminal in which `wasmactor top` is tested")?;
    Ok(true)
}

fn venv() -> PathBuf {
    target().join("venv")
}

/// A Python that has redis-py, once `run` has been here.
pub(crate) fn python() -> PathBuf {
    venv().join("bin/python")
}

/// The redis client of Python, in a folder of its own under target/.
fn redis_py() -> Result<bool> {
    let (venv, python) = (venv(), python());
    if succeeds(command(&python, &["-c", "import redis"]).current_dir(root())) {
        return Ok(false);
    }
    step(&format!("setup: redis-py into {}, another client of examples/kv", venv.display()));
    let make =
        || command("python3", &["-m", "venv", "--clear"]).arg(&venv).status().is_ok_and(|status| status.success());
    if !make() {
        apt::install(&["python3", "python3-venv"], "Python, for redis-py")?;
        if !make() {
            bail!("`python3 -m venv` does not work; redis-py cannot be installed");
        }
    }
    shell::run(&mut command(&python, &["-m", "pip", "install", "--quiet", "redis"]))?;
    Ok(true)
}
