//! Where peers are put and how they are built. Used by `list`, and by the workload `figures` for its own programs.
//!
//! Must hold: all that is built goes to `target/bench`; before something is installed or built for minutes, what and why
//! is said; the tools' own progress is shown.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::apt;

/// The folders.
pub(crate) struct Places {
    /// The peers' sources.
    sources: PathBuf,
    /// `target/bench`.
    built: PathBuf,
}

impl Places {
    pub(crate) fn new(root: &Path) -> Self {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Self { sources: root.join("tests/bench/peers"), built: target.join("bench") }
    }

    /// A peer's sources.
    pub(super) fn source(&self, peer: &str) -> PathBuf {
        self.sources.join(peer)
    }

    /// A folder for what is built of a peer. It exists.
    pub(crate) fn built(&self, peer: &str) -> Result<PathBuf> {
        let folder = self.built.join(peer);
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(folder)
    }

    /// Builds a program of a workspace of its own and gives its path.
    pub(super) fn cargo_build(&self, workspace: &str, program: &str) -> Result<PathBuf> {
        let built = self.built(workspace)?;
        Self::cargo_build_in(&self.source(workspace), &built, program, "")?;
        Ok(built.join("release").join(program))
    }

    /// Builds a program of the workspace in a folder into another one, with these flags for the compiler.
    pub(crate) fn cargo_build_in(source: &Path, built: &Path, program: &str, flags: &str) -> Result<()> {
        let mut cargo = cargo();
        cargo.current_dir(source).args(["build", "--release", "--locked", "--bin", program]);
        run(cargo.env("CARGO_TARGET_DIR", built).env("RUSTFLAGS", flags))
    }
}

/// The cargo that runs us.
pub(super) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Says what comes next.
pub(crate) fn step(text: &str) {
    eprintln!("\n== {text}");
}

/// Installs packages of the distribution if a program of theirs is missing.
pub(crate) fn need(program: &str, packages: &[&str], why: &str) -> Result<()> {
    if apt::installed(program) {
        return Ok(());
    }
    apt::install(packages, why)?;
    if !apt::installed(program) {
        bail!("{} did not bring {program}", packages.join(" "));
    }
    Ok(())
}

/// Runs it with its output shown, on stderr: stdout is for figures.
pub(super) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdout(std::io::stderr()).status().with_context(|| format!("{name} does not start"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}

/// The files of a folder with this ending.
pub(super) fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    files.sort();
    Ok(files)
}
