//! The rules. Each gives its findings for one file; the tests at the end show that each can fail.

use std::collections::BTreeSet;
use std::path::Path;

use crate::source::Source;

/// Lines of a file that needs no reason.
const LINES_MAX: usize = 400;

/// The host's layers, the lowest first; those of one line do not know each other.
const LAYERS: [&[&str]; 10] = [
    &["base"],
    &["sched", "time", "net"],
    &["actor"],
    &["node"],
    &["wasm", "threads", "crash"],
    &["control"],
    &["manifest"],
    &["boot"],
    &["cli"],
    &["main"],
];

/// How far above an `unsafe` its reason may begin.
const SAFETY_LINES: usize = 10;

pub(crate) fn head(source: &Source) -> Vec<String> {
    let first = source.text.lines().find(|line| !line.trim().is_empty());
    if first.is_some_and(|line| line.starts_with("//!")) {
        return Vec::new();
    }
    vec![source.finding(1, "no head: begin with `//!`: what it is, who uses it, what must always hold")]
}

pub(crate) fn size(source: &Source, large: &[(&str, &str)]) -> Vec<String> {
    let lines = source.text.lines().count();
    if lines <= LINES_MAX || large.iter().any(|(path, reason)| *path == source.path && !reason.is_empty()) {
        return Vec::new();
    }
    vec![source.finding(lines, format!("{lines} lines: split it, or list it in tidy.rs with a reason"))]
}

/// The layer of a part of the host.
fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&name))
}

/// `sched` for `host/src/sched.rs` and what is below `host/src/sched/`.
fn part(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("host/src/")?;
    let name = rest.split('/').next()?;
    Some(name.strip_suffix(".rs").unwrap_or(name))
}

pub(crate) fn layers(source: &Source) -> Vec<String> {
    // Tests may set up what stands above; the crate's root only lists.
    let test = source.path.split('/').any(|part| part.trim_end_matches(".rs").ends_with("tests"));
    let Some(own) = part(&source.path).filter(|name| *name != "lib" && !test) else { return Vec::new() };
    let Some(own_layer) = layer(own) else {
        return vec![source.finding(1, format!("`{own}` has no layer: give it one in tidy/rules.rs and in lib.rs"))];
    };
    let used = source.after(&["crate", ":", ":"]).into_iter().filter(|(name, _)| *name != own);
    let upward = used.filter(|(name, _)| layer(name).is_some_and(|layer| layer >= own_layer));
    upward
        .map(|(name, line)| source.finding(line, format!("`{own}` may not use `{name}`: imports go down only")))
        .collect()
}

pub(crate) fn wasmtime(source: &Source) -> Vec<String> {
    if part(&source.path).is_none_or(|name| name == "wasm") {
        return Vec::new();
    }
    let named = source.tokens.iter().filter(|token| token.text.starts_with("wasmtime"));
    named.map(|token| source.finding(token.line, "only `wasm` may name wasmtime")).collect()
}

pub(crate) fn door(source: &Source) -> Vec<String> {
    if part(&source.path).is_none() || source.path == "host/src/base/sync.rs" {
        return Vec::new();
    }
    let other = |name: &str| matches!(name, "atomic" | "Mutex" | "RwLock" | "Condvar" | "Barrier" | "Once" | "*");
    let std = source.after(&["std", ":", ":", "sync", ":", ":"]).into_iter().filter(|(name, _)| other(name));
    let locks = source.after(&["parking_lot", ":", ":"]).into_iter();
    std.chain(locks)
        .map(|(name, line)| source.finding(line, format!("`{name}`: take it from `crate::base::sync`")))
        .collect()
}

pub(crate) fn leftovers(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    for name in ["todo", "dbg", "unimplemented"] {
        for index in source.find(&[name, "!"]) {
            findings.push(source.finding(source.tokens[index].line, format!("`{name}!` is left over")));
        }
    }
    findings
}

pub(crate) fn safety(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let explained = |line: usize| {
        let from = line.saturating_sub(SAFETY_LINES + 1);
        let above = lines[from..line].iter().rev().take_while(|line| !line.trim().is_empty());
        above.into_iter().any(|line| line.contains("// SAFETY:") || line.contains("# Safety"))
    };
    let mut findings = Vec::new();
    for index in source.find(&["unsafe"]) {
        // `#[unsafe(no_mangle)]` and function pointer types explain themselves.
        let attribute = source.at(index + 1, &["("]);
        let line = source.tokens[index].line;
        if !attribute && !explained(line) {
            findings.push(source.finding(line, "`unsafe` without a `// SAFETY:` note"));
        }
    }
    findings
}

/// Every WIT interface that the host provides has a file of its name.
pub(crate) fn interfaces(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for wit in crate::source::files(&root.join("wit"), &["wit"]) {
        let stem = wit.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if ["handler", "state", "types", "world"].contains(&stem.as_str()) {
            continue;
        }
        let file = format!("host/src/wasm/imports/{}.rs", stem.replace('-', "_"));
        if !root.join(&file).is_file() {
            findings.push(format!("wit/{}:1: there is no {file}", wit.display()));
        }
    }
    findings
}

pub(crate) fn whitespace(source: &Source) -> Vec<String> {
    // What a program prints may end with a space.
    let expected = source.path.ends_with("expected.txt");
    let mut findings = Vec::new();
    for (index, line) in source.text.split('\n').enumerate() {
        let fault = if line.ends_with('\r') {
            "ends with a carriage return"
        } else if line.contains('\t') {
            "has a tab"
        } else if line.ends_with(' ') && !expected {
            "ends with a space"
        } else {
            continue;
        };
        findings.push(source.finding(index + 1, fault));
    }
    if !source.text.is_empty() && !source.text.ends_with('\n') {
        findings.push(source.finding(source.text.lines().count(), "the last line has no end"));
    }
    findings
}

/// Commands in a Markdown text: lines of code that start with a program, and code in a sentence.
pub(crate) fn commands(source: &Source, known: &[(&str, BTreeSet<String>)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let code =
            if line.starts_with("    ") { vec![line.trim()] } else { line.split('`').skip(1).step_by(2).collect() };
        for (program, words) in known {
            for said in code.iter().filter_map(|code| code.strip_prefix("$ ").unwrap_or(code).strip_prefix(program)) {
                let word = said.split_whitespace().next().filter(|_| said.starts_with(' '));
                if let Some(word) = word.filter(|word| word.starts_with(char::is_alphabetic) && !words.contains(*word))
                {
                    findings.push(source.finding(index + 1, format!("`{program}` has no command `{word}`")));
                }
            }
        }
    }
    findings
}

pub(crate) fn lints(source: &Source) -> Vec<String> {
    let package = source.text.contains("[package]");
    let own_workspace = source.text.lines().any(|line| line == "[workspace]");
    if !package || own_workspace || source.text.contains("[lints]\nworkspace = true") {
        return Vec::new();
    }
    vec![source.finding(1, "add `[lints]` with `workspace = true`")]
}

#[cfg(test)]
mod tests {
    use super::{commands, door, head, layers, leftovers, lints, safety, size, wasmtime, whitespace};
    use crate::source::Source;
    use std::collections::BTreeSet;

    /// How many findings a rule has for a text.
    #[track_caller]
    fn check(rule: fn(&Source) -> Vec<String>, path: &str, text: &str, expected: usize) {
        let findings = rule(&Source::new(path, text));
        assert_eq!(findings.len(), expected, "{text}: {findings:?}");
    }

    #[test]
    fn head_can_fail() {
        check(head, "a.rs", "//! A.\n", 0);
        check(head, "a.rs", "// A.\n", 1);
        check(head, "a.rs", "", 1);
    }

    #[test]
    fn size_can_fail() {
        let long = Source::new("a.rs", "\n".repeat(401));
        assert_eq!(size(&long, &[]).len(), 1);
        assert_eq!(size(&long, &[("a.rs", "because")]).len(), 0);
        assert_eq!(size(&long, &[("a.rs", "")]).len(), 1, "a reason is needed");
    }

    #[test]
    fn layers_can_fail() {
        check(layers, "host/src/sched/idle.rs", "use crate::base::sync; use crate::sched::x;", 0);
        check(layers, "host/src/sched/idle.rs", "use crate::net::x;", 1);
        check(layers, "host/src/base.rs", "fn f() { crate::node::g() }", 1);
        check(layers, "host/src/node.rs", "use crate::{base, wasm::{a, b}, cli};", 2);
        check(layers, "host/src/node/tests/talk.rs", "use crate::threads;", 0);
        check(layers, "host/src/surprise.rs", "", 1);
        check(layers, "host/src/lib.rs", "use crate::cli;", 0);
        check(layers, "xtask/src/main.rs", "use crate::cli;", 0);
    }

    #[test]
    fn wasmtime_can_fail() {
        check(wasmtime, "host/src/node/spawn.rs", "use wasmtime::Engine;", 1);
        check(wasmtime, "host/src/boot.rs", "use wasmtime_wasi::X;", 1);
        check(wasmtime, "host/src/node/spawn.rs", "// as wasmtime does\nfn f() {}", 0);
        check(wasmtime, "host/src/wasm/engine.rs", "use wasmtime::Engine;", 0);
    }

    #[test]
    fn door_can_fail() {
        check(door, "host/src/node.rs", "use std::sync::{Arc, Mutex};", 1);
        check(door, "host/src/node.rs", "use std::sync::atomic::AtomicBool;", 1);
        check(door, "host/src/node.rs", "use parking_lot::RwLock;", 1);
        check(door, "host/src/node.rs", "use std::sync::{Arc, mpsc};", 0);
        check(door, "host/src/base/sync.rs", "use std::sync::Mutex;", 0);
    }

    #[test]
    fn leftovers_can_fail() {
        check(leftovers, "a.rs", "fn f() { todo!() } fn g() { dbg!(1); }", 2);
        check(leftovers, "a.rs", "// todo!()\nfn f() { let todo = \"dbg!\"; }", 0);
    }

    #[test]
    fn safety_can_fail() {
        check(safety, "a.rs", "fn f() {\n    unsafe { g() }\n}", 1);
        check(safety, "a.rs", "fn f() {\n    // SAFETY: g is.\n    unsafe { g() }\n}", 0);
        check(safety, "a.rs", "// SAFETY: long ago.\n\nunsafe impl A for B {}", 1);
        check(safety, "a.rs", "/// # Safety\n/// Never.\npub unsafe fn f() {}", 0);
        check(safety, "a.rs", "#[unsafe(no_mangle)]\nfn f() {} // unsafe", 0);
    }

    #[test]
    fn whitespace_can_fail() {
        check(whitespace, "a.md", "a\r\nb \n\tc\n", 3);
        check(whitespace, "a.md", "a", 1);
        check(whitespace, "a.md", "a\n", 0);
    }

    #[test]
    fn commands_can_fail() {
        let known = [("wasmactor", BTreeSet::from(["run".to_owned()]))];
        let findings = |text: &str| commands(&Source::new("a.md", text), &known).len();
        assert_eq!(findings("    wasmactor walk\nand `wasmactor fly x`\n"), 2);
        assert_eq!(findings("    wasmactor run\nwasmactor is a host; `wasmactor --help`, `wasmactor-sdk x`\n"), 0);
    }

    #[test]
    fn lints_can_fail() {
        check(lints, "Cargo.toml", "[package]\n", 1);
        check(lints, "Cargo.toml", "[package]\n[lints]\nworkspace = true\n", 0);
        check(lints, "Cargo.toml", "[workspace]\n", 0);
    }
}
