//! Which files the compiler sees: those that `mod` leads to. Used by one rule.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::source::{Source, Token};

/// Files that no crate root leads to.
pub(crate) fn orphans(root: &Path, all: &[PathBuf]) -> Vec<String> {
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut open: Vec<(PathBuf, PathBuf)> = Vec::new();
    let named = named(root);
    for path in all.iter().filter(|path| is_root(root, path) || named.contains(*path)) {
        open.push((path.clone(), folder(path)));
    }
    while let Some((path, below)) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let source = Source::read(root, &path);
        for child in children(&source.tokens, &folder(&path), &below) {
            if root.join(&child.0).is_file() {
                open.push(child);
            }
        }
    }
    let left = all.iter().filter(|path| !seen.contains(*path));
    left.map(|path| format!("{}:1: no `mod` leads to this file", path.display())).collect()
}

/// Roots that a Cargo.toml names by `path`.
fn named(root: &Path) -> BTreeSet<PathBuf> {
    let mut paths = BTreeSet::new();
    for manifest in crate::source::files(root, &["toml"]).iter().filter(|path| path.ends_with("Cargo.toml")) {
        let source = Source::read(root, manifest);
        let said = source.text.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
        paths.extend(said.map(|path| normal(&folder(manifest).join(path))));
    }
    paths
}

/// Where cargo starts a crate.
fn is_root(root: &Path, path: &Path) -> bool {
    let folder = folder(path);
    let has_manifest = |folder: &Path| root.join(folder).join("Cargo.toml").is_file();
    let parent = folder.parent().unwrap_or(Path::new(""));
    match (folder.file_name().and_then(|name| name.to_str()), path.file_name().and_then(|name| name.to_str())) {
        (Some("src"), Some("lib.rs" | "main.rs")) => has_manifest(parent),
        (Some("tests" | "benches" | "examples" | "fuzz_targets"), _) => has_manifest(parent),
        (Some("bin"), _) => parent.ends_with("src"),
        (_, Some("main.rs")) => parent.ends_with("tests") || parent.ends_with("benches"),
        (_, Some("build.rs")) => has_manifest(&folder),
        _ => false,
    }
}

fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

/// The files that a file's `mod`s name, each with the folder where its own are. `here` is the file's folder, `below` the
/// one where its modules are.
fn children(tokens: &[Token], here: &Path, below: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut found = Vec::new();
    // Folders of the inline modules that we are in, with the depth at which each one ends.
    let mut inline: Vec<(usize, PathBuf)> = Vec::new();
    let mut depth = 0;
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    for index in 0..tokens.len() {
        match text(index) {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inline.retain(|(end, _)| *end <= depth);
            }
            "mod" => {
                let name = text(index + 1);
                let folder = inline.last().map_or(below, |(_, folder)| folder);
                match (text(index + 2), explicit(tokens, index)) {
                    (";", Some(path)) => {
                        let path = normal(&here.join(path));
                        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
                        found.push((path, folder));
                    }
                    (";", None) => {
                        found.push((folder.join(format!("{name}.rs")), folder.join(name)));
                    }
                    ("{", _) => {
                        let folder = folder.join(name);
                        inline.push((depth + 1, folder));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    found
}

/// The text of a `#[path = "…"]` before this `mod`; other attributes and `pub(…)` may stand between.
fn explicit(tokens: &[Token], index: usize) -> Option<&str> {
    let start = tokens[..index]
        .iter()
        .rposition(|token| matches!(token.text.as_str(), ";" | "{" | "}"))
        .map_or(0, |end| end + 1);
    let before = &tokens[start..index];
    let at = before.windows(4).position(|four| four[0].text == "[" && four[1].text == "path" && four[2].text == "=")?;
    Some(before[at + 3].text.trim_matches('"'))
}

/// Without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(out.pop()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::children;
    use crate::source::Source;
    use std::path::Path;

    #[test]
    fn modules_are_followed() {
        let source = Source::new(
            "host/src/a.rs",
            "mod b; #[cfg(test)] pub(crate) mod c; mod d { mod e; } #[path = \"../x/y.rs\"] mod f; fn mod_g() {}",
        );
        let found = children(&source.tokens, Path::new("host/src"), Path::new("host/src/a"));
        let files: Vec<String> = found.iter().map(|(file, _)| file.display().to_string()).collect();
        assert_eq!(files, ["host/src/a/b.rs", "host/src/a/c.rs", "host/src/a/d/e.rs", "host/x/y.rs"]);
    }

    #[test]
    fn a_lost_file_is_found() {
        let root = std::env::temp_dir().join(format!("wasmactor-tidy-{}", std::process::id()));
        std::fs::create_dir_all(root.join("a/src")).expect("a temporary folder");
        for (file, text) in
            [("a/Cargo.toml", ""), ("a/src/lib.rs", "mod kept;"), ("a/src/kept.rs", ""), ("a/src/lost.rs", "")]
        {
            std::fs::write(root.join(file), text).expect("a temporary file");
        }
        let all = crate::source::files(&root, &["rs"]);
        assert_eq!(super::orphans(&root, &all), ["a/src/lost.rs:1: no `mod` leads to this file"]);
        std::fs::remove_dir_all(&root).expect("cleans up");
    }
}
