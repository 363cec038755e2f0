//! What can build a Rust crate for wasm32-unknown-unknown on this machine. Used by `build`, and by xtask, which includes
//! this file: so it uses nothing of the host.
//!
//! Two ways. The usual one: the compiler in use has the target's standard library, by rustup. Where rustup cannot fetch
//! it: a compiler of the distribution that comes with the standard library's source, so that cargo builds that too;
//! Debian's packages are such a one. Guests only meet the host as wasm, so the compilers may differ.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, anyhow};

pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// Bytes of a guest's stack. `--stack-first` puts it below the data, so that an overflow traps instead of overwriting.
///
/// What is never used costs no memory, so there is room for deep calls. What is used shares a page of the machine with
/// what lies above it: the uppermost 768 bytes, which is what most handlers need, with the first of the data. So a small
/// actor touches two pages: what is used of its stack, 5 KiB of data, and its first 2 KiB of heap.
const STACK: u32 = 32 * 1024 + 768;

/// Where distributions put the standard library's source.
const SOURCE: &str = "/usr/lib/rustlib/src/rust/library";
/// Where distributions put their compiler. Debian's wasm linker carries LLVM's version in its name.
const SYSTEM: &str = "/usr/bin";
const LINKERS: [&str; 2] = ["wasm-ld-22", "wasm-ld"];

/// A way to build guests.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Toolchain {
    /// `cargo` as it is found on the path.
    Target,
    /// The system's cargo, which builds the standard library too.
    BuildStd { linker: PathBuf },
}

/// Finds a way for a crate in this folder: a `rust-toolchain.toml` there counts. Errors: none; it says what to install.
pub(super) fn find(folder: &Path) -> Result<Toolchain> {
    if has_target(folder) {
        return Ok(Toolchain::Target);
    }
    let system = Path::new(SYSTEM);
    let linker = LINKERS.iter().map(|name| system.join(name)).find(|linker| linker.is_file());
    let pair = system.join("cargo").is_file() && has_source(&system.join("rustc"));
    match linker {
        Some(linker) if pair => Ok(Toolchain::BuildStd { linker }),
        _ => Err(anyhow!(
            "no Rust compiler for {TARGET} found. Either of these installs one:\n    rustup target add {TARGET}\n    \
             apt-get install rustc-web cargo-web rust-web-src lld-22      (Debian 12; as root)"
        )),
    }
}

impl Toolchain {
    /// A cargo command (`build`, `test`) for wasm in this folder, without packages and outputs.
    pub(super) fn cargo(&self, subcommand: &str, folder: &Path) -> Command {
        let mut flags = vec![format!("-Clink-arg=-zstack-size={STACK}"), "-Clink-arg=--stack-first".to_owned()];
        // Names stay, for the traces of traps.
        flags.push("-Cstrip=debuginfo".to_owned());
        if matches!(self, Self::BuildStd { .. }) {
            // Panics name places in the library, and the names lie in every actor's memory: so they are short.
            flags.push(format!("--remap-path-prefix={SOURCE}=std"));
        }
        let flags_key = format!("CARGO_TARGET_{}_RUSTFLAGS", TARGET.to_uppercase().replace('-', "_"));
        flags.extend(env::var(&flags_key));
        let mut command = match self {
            Self::Target => Command::new("cargo"),
            Self::BuildStd { linker } => {
                let mut command = Command::new(Path::new(SYSTEM).join("cargo"));
                command.env("PATH", system_first()).env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTC");
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                command
            }
        };
        command.current_dir(folder).args([subcommand, "--release", "--target", TARGET]).env(flags_key, flags.join(" "));
        if matches!(self, Self::BuildStd { .. }) {
            command.arg("-Zbuild-std=std,panic_abort");
        }
        // Flags meant for the host's own build, and what an outer cargo said about its crate, are not for guests.
        for key in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            command.env_remove(key);
        }
        command
    }
}

/// Whether the compiler that rustup, or the path, picks in this folder has the target's library.
fn has_target(folder: &Path) -> bool {
    let mut rustc = Command::new("rustc");
    let Some(libraries) = stdout(rustc.current_dir(folder).args(["--print", "target-libdir", "--target", TARGET]))
    else {
        return false;
    };
    let core = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    };
    std::fs::read_dir(libraries.trim()).is_ok_and(|mut entries| entries.any(core))
}

/// Whether a compiler has the standard library's source beside it.
fn has_source(rustc: &Path) -> bool {
    let sysroot = stdout(Command::new(rustc).args(["--print", "sysroot"]));
    sysroot
        .is_some_and(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file())
}

/// What a command prints, if it runs and says that it went well.
fn stdout(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// The search path with the system's folder before rustup's.
fn system_first() -> OsString {
    let mut path = OsString::from(SYSTEM);
    if let Some(rest) = env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}
