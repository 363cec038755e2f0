//! `wasmactor new`: a small project that builds and runs at once. Used by `cli`.
//!
//! Must hold: nothing that is there already is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::cli::fault;

/// The files of a project; `NAME`, `TYPE` and `SDK` stand for what differs.
const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("new/Cargo.toml.txt")),
    ("src/lib.rs", include_str!("new/lib.rs.txt")),
    ("app.toml", include_str!("new/app.toml.txt")),
    ("README.md", include_str!("new/README.md.txt")),
    (".gitignore", "target/\n"),
];

/// Where the SDK stands in the source tree that this binary was built from.
const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../guest-sdk/rust");

#[derive(Debug, Args)]
pub(super) struct New {
    /// The folder to make; its last part is the name of the app and of its actor
    #[arg(value_name = "NAME")]
    folder: PathBuf,
    /// The SDK's folder [default: guest-sdk/rust in the source tree that this binary was built from]
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

/// `wasmactor new`. 2 if the folder cannot be made.
pub(super) fn run(new: &New) -> ExitCode {
    match make(new) {
        Ok(name) => {
            let manifest = new.folder.join("app.toml");
            eprintln!("made {name}. Next:\n    wasmactor run {}", manifest.display());
            ExitCode::SUCCESS
        }
        Err(error) => fault(&error),
    }
}

fn make(new: &New) -> Result<&str> {
    let folder = &new.folder;
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(letters) || name.len() > 63 {
        bail!("`{name}` cannot be a name: up to 63 of a-z 0-9 - _, starting with a letter");
    }
    if RESERVED.contains(&name) {
        bail!("`{name}` is a word of Rust's own; take another name");
    }
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is there already, and not empty; take another name", folder.display());
    }
    let sdk = sdk(new.sdk.as_deref())?;
    for (file, text) in FILES {
        let path = folder.join(file);
        let text = text.replace("NAME", name).replace("TYPE", &type_name(name)).replace("SDK", &sdk);
        let made = fs::create_dir_all(path.parent().unwrap_or(folder)).and_then(|()| fs::write(&path, text));
        made.with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(name)
}

/// Names that a crate may have but that would hide something, or that cargo does not take.
const RESERVED: [&str; 14] = [
    "test",
    "core",
    "std",
    "alloc",
    "proc_macro",
    "build",
    "deps",
    "examples",
    "incremental",
    "self",
    "super",
    "crate",
    "fn",
    "wasmactor-sdk",
];

/// The right side of `wasmactor-sdk = `.
fn sdk(given: Option<&Path>) -> Result<String> {
    let folder = match given {
        Some(path) => path.canonicalize().with_context(|| format!("the SDK's folder {}", path.display()))?,
        None => {
            Path::new(SDK).canonicalize().with_context(|| format!("no SDK at {SDK}; say where it is: --sdk PATH"))?
        }
    };
    if !folder.join("Cargo.toml").is_file() {
        bail!("{} is not the SDK: it has no Cargo.toml", folder.display());
    }
    // As a TOML string, whatever the folder is called.
    Ok(format!("{{ path = {} }}", toml::Value::from(folder.to_string_lossy().as_ref())))
}

/// `my-app` as `MyApp`.
fn type_name(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split(['-', '_']).filter(|word| !word.is_empty()).map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::{New, make, type_name};
    use std::fs;

    #[test]
    fn makes_a_project_once() {
        let folder = std::env::temp_dir().join(format!("wasmactor-new-{}", std::process::id())).join("my-app");
        let new = New { folder: folder.clone(), sdk: None };
        assert_eq!(make(&new).expect("made"), "my-app");
        let manifest = crate::manifest::load(&folder.join("app.toml")).expect("a sound manifest");
        assert_eq!(manifest.name, "my-app");
        let source = fs::read_to_string(folder.join("src/lib.rs")).expect("a source");
        assert!(source.contains("actor!(MyApp)"), "{source}");
        let error = make(&new).expect_err("it is there already").to_string();
        assert!(error.contains("is there already, and not empty"), "{error}");
        fs::remove_dir_all(folder.parent().expect("a parent")).expect("cleans up");
    }

    #[test]
    fn names_are_checked() {
        for bad in ["", "9lives", "My", "a b", "..", "test", "ä"] {
            let error = make(&New { folder: bad.into(), sdk: None }).expect_err(bad).to_string();
            assert!(error.starts_with(&format!("`{}`", bad.trim_matches('.'))), "{error}");
        }
        assert_eq!(type_name("key_value-store"), "KeyValueStore");
    }
}
