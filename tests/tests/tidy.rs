//! House rules as tests: what a reviewer would say again and again. Run by `cargo test`.
//!
//! `tidy/source.rs` reads files, `tidy/modules.rs` follows `mod`, `tidy/rules.rs` has the rules, each with a test that it
//! can fail. An exception is an entry in a list here, with its reason.

#[path = "tidy/modules.rs"]
mod modules;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;

use std::path::{Path, PathBuf};

use source::Source;

/// Files that may have more than 400 lines, and why.
const LARGE: [(&str, &str); 2] = [
    ("host/src/sched/mailbox.rs", "one lock's whole state and its tests stand together"),
    ("host/src/sched/loom_tests.rs", "models stand together, each is a few lines"),
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// All Rust files of the workspace.
fn sources() -> Vec<Source> {
    source::files(root(), &["rs"]).iter().map(|path| Source::read(root(), path)).collect()
}

/// Fails with all findings.
#[track_caller]
fn none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

fn each(rule: fn(&Source) -> Vec<String>) -> Vec<String> {
    sources().iter().flat_map(rule).collect()
}

#[test]
fn the_workspace_is_found() {
    assert!(sources().len() > 50, "too few files: the rules would hold for nothing");
}

#[test]
fn every_file_says_what_it_is() {
    none(each(rules::head));
}

#[test]
fn files_are_small() {
    none(each(|source| rules::size(source, &LARGE)));
    let gone = LARGE.iter().filter(|(path, _)| !root().join(path).is_file());
    none(gone.map(|(path, _)| format!("{path}: is listed as large, but is not there")).collect());
}

#[test]
fn imports_go_down_only() {
    none(each(rules::layers));
}

#[test]
fn only_the_sandbox_names_wasmtime() {
    none(each(rules::wasmtime));
}

#[test]
fn locks_and_atomics_have_one_door() {
    none(each(rules::door));
}

#[test]
fn nothing_is_left_to_do() {
    none(each(rules::leftovers));
}

#[test]
fn unsafe_is_explained() {
    none(each(rules::safety));
}

#[test]
fn every_file_is_compiled() {
    let all: Vec<PathBuf> = source::files(root(), &["rs"]);
    none(modules::orphans(root(), &all));
}

#[test]
fn every_interface_has_its_import_file() {
    none(rules::interfaces(root()));
}

#[test]
fn lines_end_as_they_should() {
    let files = source::files(root(), &["rs", "toml", "wit", "wat", "md", "py", "sh", "txt"]);
    none(files.iter().map(|path| Source::read(root(), path)).flat_map(|source| rules::whitespace(&source)).collect());
}

#[test]
fn commands_in_the_docs_exist() {
    let commands = |program, path| (program, Source::read(root(), Path::new(path)).variants("Command"));
    let known = [commands("cargo xtask", "xtask/src/main.rs"), commands("wasmactor", "host/src/cli.rs")];
    assert!(known.iter().all(|(_, words)| words.contains("help") && words.len() > 3), "{known:?}");
    let files = source::files(root(), &["md"]);
    none(
        files
            .iter()
            .map(|path| Source::read(root(), path))
            .flat_map(|source| rules::commands(&source, &known))
            .collect(),
    );
}

#[test]
fn every_crate_takes_the_lints() {
    let crates = source::files(root(), &["toml"]).into_iter().filter(|path| path.ends_with("Cargo.toml"));
    none(crates.map(|path| Source::read(root(), &path)).flat_map(|source| rules::lints(&source)).collect());
}
