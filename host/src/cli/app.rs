//! `run`, `check` and `build`: from a manifest's path to a running app. Used by `cli`.
//!
//! In order: (1) the manifest is read and checked, (2) what the command line says overrides it, (3) the guests are built,
//! (4) the log is opened, (5) `boot` takes over. Up to here nothing of the app has run.

use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;

use crate::boot::{self, Watch};
use crate::cli::{Build, Checked, Run, bad_input, build, fault, log};
use crate::control::Endpoints;
use crate::manifest::{self, Manifest};
use crate::wasm::WasmOptions;

/// `wasmactor run`. 0 or 1 is what became of the app, 2 means that it did not start.
pub(super) fn run(run: Run) -> ExitCode {
    let mut manifest = match load(&run.manifest) {
        Ok(manifest) => manifest,
        Err(code) => return code,
    };
    if run.no_control {
        manifest.control = Endpoints::default();
    }
    let host = &mut manifest.host;
    host.workers = run.workers.map(usize::from).or(host.workers);
    host.log = run.log.log.map_or(host.log, Into::into);
    host.log_file = run.log.log_file.clone().or(host.log_file.take());
    let started = build::all(&mut manifest, !run.no_build)
        .and_then(|()| log::start(manifest.host.log, run.log.log_format, manifest.host.log_file.as_deref()))
        .map(|()| boot::run(&manifest, &options(run.force_component), watch(&run, &manifest)));
    match started {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => failed(&error),
        Err(error) => fault(&error),
    }
}

fn watch(run: &Run, manifest: &Manifest) -> Watch {
    if !run.watch {
        return Watch::No;
    }
    if run.no_build {
        return Watch::Files;
    }
    Watch::Source(Box::new(build::Crates(manifest.clone())))
}

/// `wasmactor check`.
pub(super) fn check(check: &Checked) -> ExitCode {
    let mut manifest = match load(&check.manifest) {
        Ok(manifest) => manifest,
        Err(code) => return code,
    };
    if let Err(error) = build::all(&mut manifest, !check.no_build) {
        return fault(&error);
    }
    match boot::check(&manifest, &options(check.force_component)) {
        Ok(report) if check.json => {
            let line = serde_json::to_string(&report).expect("a report is JSON");
            drop(writeln!(stdout(), "{line}"));
            ExitCode::SUCCESS
        }
        Ok(report) => {
            drop(write!(stdout(), "{report}"));
            let actors: u64 = manifest.actors.iter().map(|actor| u64::from(actor.count)).sum();
            drop(writeln!(stdout(), "{}: ok; actors to start: {actors}", manifest.path.display()));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn options(force_component: bool) -> WasmOptions {
    WasmOptions { force_component, ..WasmOptions::default() }
}

/// Says why an app did not start; the exit code says whose fault it is.
fn failed(error: &boot::BootError) -> ExitCode {
    let _said = bad_input(format_args!("error: {error}"));
    ExitCode::from(error.exit_code())
}

/// `wasmactor build`. Prints what was built, one `MODULE FILE` a line.
pub(super) fn build(build: &Build) -> ExitCode {
    let mut manifest = match load(&build.manifest) {
        Ok(manifest) => manifest,
        Err(code) => return code,
    };
    if let Err(error) = build::all(&mut manifest, true) {
        return fault(&error);
    }
    for module in manifest.modules.values() {
        if let Some(file) = &module.file {
            drop(writeln!(stdout(), "{} {}", module.name, file.display()));
        }
    }
    ExitCode::SUCCESS
}

/// The manifest, or the exit code after all its faults were printed.
fn load(path: &Path) -> Result<Manifest, ExitCode> {
    manifest::load(path).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        bad_input(lines.join("\n"))
    })
}
