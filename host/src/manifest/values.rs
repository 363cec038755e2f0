//! Values that mean something: names, durations, sizes, places. Used by the sections.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use toml::de::DeValue;

use crate::actor::registry;
use crate::manifest::Source;
use crate::manifest::diagnostic::Findings;
use crate::manifest::raw::{self, Node, Section};

/// A name of an actor or a module: what may stand in the registry, without the dot.
pub(super) fn name(what: &str, text: &str, span: Range<usize>, findings: &mut Findings<'_>) -> Option<String> {
    if registry::check(&format!(".{text}")).is_ok() && !text.starts_with('.') {
        return Some(text.to_owned());
    }
    let hint = match text.strip_prefix('.') {
        Some(rest) => format!("write `{rest}`: the host adds the dot"),
        None => format!("1 to {} characters of a-z A-Z 0-9 . _ - /", registry::NAME_MAX - 1),
    };
    findings.hint(span, format!("`{text}` cannot be the name of {what}"), hint);
    None
}

/// A duration such as `"5s"` or `"250ms"`.
pub(super) fn duration(
    section: &mut Section<'_, '_>,
    key: &'static str,
    findings: &mut Findings<'_>,
) -> Option<Duration> {
    let (text, span) = section.string(key, findings)?;
    let parsed = humantime::parse_duration(text).ok();
    if parsed.is_none() {
        let hint = "write a number and a unit: \"250ms\", \"5s\", \"2m\", \"1h\"";
        findings.hint(span, format!("`{key}` is no duration: `{text}`"), hint);
    }
    parsed
}

/// A number of bytes: `"16MiB"`, or a whole number.
pub(super) fn size(
    section: &mut Section<'_, '_>,
    key: &'static str,
    range: RangeInclusive<u64>,
    findings: &mut Findings<'_>,
) -> Option<usize> {
    let node = section.get(key)?;
    let bytes = match node.get_ref() {
        DeValue::String(text) => text.parse::<ByteSize>().ok().map(|size| size.as_u64()),
        value => raw::integer(value).and_then(|value| u64::try_from(value).ok()),
    };
    let Some(bytes) = bytes else {
        findings.hint(
            node.span(),
            format!("`{key}` is no size"),
            "write \"64KiB\", \"16MiB\", \"1GiB\", or a number of bytes",
        );
        return None;
    };
    if !range.contains(&bytes) {
        let (least, most) = (ByteSize::b(*range.start()), ByteSize::b(*range.end()));
        findings.add(node.span(), format!("`{key}` must be {least} to {most}, not {}", ByteSize::b(bytes)));
        return None;
    }
    usize::try_from(bytes).ok()
}

/// The folder that relative paths start from.
pub(super) fn base(manifest: &Path) -> &Path {
    manifest.parent().unwrap_or(Path::new(""))
}

/// What a module is made of.
pub(super) fn source(manifest: &Path, node: &Node<'_>, findings: &mut Findings<'_>) -> Option<Source> {
    const KINDS: &str =
        "`source` is a crate's folder (with a Cargo.toml), a .wasm or a .wat file, seen from the manifest's folder";
    let text = raw::string("source", node, findings)?;
    let path = base(manifest).join(text);
    let extension = path.extension().and_then(|extension| extension.to_str());
    if path.is_dir() {
        if path.join("Cargo.toml").is_file() {
            return Some(Source::Crate(path));
        }
        findings.hint(node.span(), format!("the folder `{}` has no Cargo.toml", path.display()), KINDS);
    } else if !path.is_file() {
        findings.hint(node.span(), format!("there is no `{}`", path.display()), KINDS);
    } else if matches!(extension, Some("wasm" | "wat")) {
        return Some(Source::File(path));
    } else {
        findings.hint(node.span(), format!("`{}` is neither .wasm nor .wat", path.display()), KINDS);
    }
    None
}

/// A folder on the host's disk.
pub(super) fn folder(manifest: &Path, text: &str, span: Range<usize>, findings: &mut Findings<'_>) -> Option<PathBuf> {
    let path = base(manifest).join(text);
    if path.is_dir() {
        return Some(path);
    }
    let fault = if path.exists() { "is not a folder" } else { "does not exist" };
    findings.hint(span, format!("`{}` {fault}", path.display()), format!("make it: mkdir -p {}", path.display()));
    None
}
