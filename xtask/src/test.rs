//! `cargo xtask test`: all tests, the quick and small ones first.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::shell::{self, cargo, command, root, shown, step, target};
use crate::toolchain;

/// A step and what its test runners said last.
struct Ran {
    name: &'static str,
    closing: Vec<String>,
}

/// `cargo xtask test`.
pub(crate) fn run() -> Result<()> {
    let mut all = Vec::new();
    let core = ["--package", "wasmactor", "--no-default-features"];
    tests(&mut all, "the core, without wasm", cargo(&["test"]).args(core))?;
    tests(&mut all, "loom models of what is concurrent", &mut loom(&core))?;

    step("guests of examples and tests, built for wasm");
    shell::run(&mut cargo(&shell::BUILD_HOST))?;
    for manifest in manifests()? {
        shell::run(command(target().join("debug/wasmactor"), &["build"]).arg(manifest).stdout(Stdio::null()))?;
    }

    tests(&mut all, "the workspace: host, SDK, examples, the built binary", &mut cargo(&["test", "--workspace"]))?;
    let sandbox = ["test", "--workspace", "--lib", "wasm::"];
    tests(&mut all, "the sandbox again, with every module as a component", &mut as_components(&sandbox))?;
    let built = ["test", "--workspace", "--test", "it"];
    tests(&mut all, "the built binary again, with every module as a component", &mut as_components(&built))?;
    tests(&mut all, "the SDK's samples, compiled for wasm", &mut samples()?)?;

    step("closing lines");
    for ran in &all {
        eprintln!("{}:", ran.name);
        for line in &ran.closing {
            eprintln!("    {line}");
        }
    }
    Ok(())
}

/// Tests with `run --force-component`: a guest cannot tell which way it is run, so all that holds for one holds for both.
fn as_components(arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command.env("WASMACTOR_TEST_COMPONENTS", "1");
    command
}

/// Models run in release: they try all interleavings. Bounds are small here; deeper ones are for a night.
fn loom(core: &[&str]) -> Command {
    let mut command = cargo(&["test", "--release", "--lib"]);
    command.args(core).arg("loom").env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", target().join("loom"));
    command.env("LOOM_MAX_PREEMPTIONS", std::env::var("LOOM_MAX_PREEMPTIONS").unwrap_or_else(|_| "2".to_owned()));
    // Models gain nothing from what makes a release build slow.
    command.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    command
}

/// Doc tests for wasm: compiled and linked as guests are; the native run has run them already where they can.
fn samples() -> Result<Command> {
    let mut command = toolchain::find(root())?.cargo("test", root());
    command.args(["--doc", "--package", "wasmactor-sdk"]).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "true");
    Ok(command)
}

/// Every app.toml whose modules are crates: of the examples, the services, and the tests.
fn manifests() -> Result<Vec<PathBuf>> {
    let mut manifests = Vec::new();
    for folder in ["examples", "guests", "tests"] {
        let entries = fs::read_dir(root().join(folder)).with_context(|| folder.to_owned())?;
        manifests.extend(entries.flatten().map(|entry| entry.path().join("app.toml")).filter(|path| path.is_file()));
    }
    manifests.sort();
    Ok(manifests)
}

/// Runs tests with their output shown, and keeps the runners' closing lines.
fn tests(all: &mut Vec<Ran>, name: &'static str, command: &mut Command) -> Result<()> {
    step(name);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    let mut closing = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.context("the tests' output")?;
            eprintln!("{line}");
            // Runners without tests have nothing to close.
            if line.starts_with("test result:") && !line.contains(" 0 passed; 0 failed; 0 ignored") {
                closing.push(line);
            }
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    if closing.is_empty() {
        bail!("{} ran no test at all", shown(command));
    }
    all.push(Ran { name, closing });
    Ok(())
}
