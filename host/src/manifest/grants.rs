//! `grants`: what an actor may touch. One table for a module's actors, or for one `[[actor]]` entry.
//!
//! Must hold: a list that is absent grants nothing; `clock`, `random` and `log` are on unless they are turned off. A pattern that can mean nothing is a fault, because it was meant to
//! grant something.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::Path;

use crate::actor::registry;
use crate::base::grants::{Control, Folder};
use crate::base::{Grants, Pattern};
use crate::manifest::diagnostic::Findings;
use crate::manifest::raw::{self, Node, Section};
use crate::manifest::values;

/// What the patterns may mean.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) manifest: &'a Path,
    pub(super) env: &'a BTreeMap<String, String>,
    /// Names of `[module.*]`.
    pub(super) modules: BTreeSet<&'a str>,
    /// Names of `[module.*]` and `[[actor]]`: what a running actor can be called.
    pub(super) labels: BTreeSet<&'a str>,
    /// Names of `[[actor]]`.
    pub(super) actors: BTreeSet<&'a str>,
    /// Names of `[supervisor.*]`.
    pub(super) supervisors: BTreeSet<&'a str>,
}

/// Reads the table.
pub(super) fn read(node: &Node<'_>, owner: &str, scope: &Scope<'_>, findings: &mut Findings<'_>) -> Grants {
    let Some(mut section) = Section::of(format!("the grants of {owner}"), node, findings) else {
        return Grants::default();
    };
    let env: BTreeSet<&str> = scope.env.keys().map(String::as_str).collect();
    let grants = Grants {
        send: among(&mut section, "send", "actor or module", &scope.labels, findings),
        names: names(&mut section, findings),
        spawn: among(&mut section, "spawn", "module", &scope.modules, findings),
        kill: among(&mut section, "kill", "actor or module", &scope.labels, findings),
        listen: addresses(&mut section, "listen", findings),
        connect: addresses(&mut section, "connect", findings),
        env: among(&mut section, "env", "key of [env]", &env, findings),
        files: files(&mut section, scope, findings),
        control: control(&mut section, owner, scope, findings),
        clock: section.boolean("clock", findings).unwrap_or(true),
        random: section.boolean("random", findings).unwrap_or(true),
        log: section.boolean("log", findings).unwrap_or(true),
    };
    section.finish(findings);
    grants
}

/// What operators do.
fn control(section: &mut Section<'_, '_>, owner: &str, scope: &Scope<'_>, findings: &mut Findings<'_>) -> Control {
    let Some(node) = section.get("control") else { return Control::default() };
    let title = format!("`control` in the grants of {owner}");
    let Some(mut section) = Section::of(title, node, findings) else { return Control::default() };
    let control = Control {
        reload: among(&mut section, "reload", "module", &scope.modules, findings),
        restart: among(&mut section, "restart", "actor or module", &scope.labels, findings),
        ps: among(&mut section, "ps", "actor or module", &scope.labels, findings),
    };
    section.finish(findings);
    control
}

/// Patterns that must each mean one of these names at least. `*` may mean none yet.
fn among(
    section: &mut Section<'_, '_>,
    key: &'static str,
    what: &str,
    names: &BTreeSet<&str>,
    findings: &mut Findings<'_>,
) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for (text, span) in section.strings(key, findings) {
        let pattern = Pattern::parse(text);
        if !pattern.matches_all() && !names.iter().any(|name| pattern.matches(name)) {
            let known: Vec<&str> = names.iter().copied().collect();
            let hint = match text.strip_prefix('.').filter(|rest| names.contains(rest)) {
                Some(rest) => format!("write `{rest}`, without the dot"),
                None => raw::suggest(text.trim_end_matches('*'), &known, "there are"),
            };
            findings.hint(span, format!("`{key}` grants `{text}`, but there is no such {what}"), hint);
        }
        patterns.push(pattern);
    }
    patterns
}

/// Names that the actor may register: `.x`, `.x*`, or `*`.
fn names(section: &mut Section<'_, '_>, findings: &mut Findings<'_>) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for (text, span) in section.strings("names", findings) {
        let pattern = Pattern::parse(text);
        let good = match &pattern {
            Pattern::Exact(name) => registry::check(name).is_ok(),
            Pattern::Prefix(prefix) => prefix.is_empty() || prefix == "." || registry::check(prefix).is_ok(),
        };
        if !good {
            let hint = "names start with a dot: \".bank\", \".bank*\", or \"*\" for all";
            findings.hint(span, format!("`names` cannot grant `{text}`"), hint);
        }
        patterns.push(pattern);
    }
    patterns
}

fn addresses(section: &mut Section<'_, '_>, key: &'static str, findings: &mut Findings<'_>) -> Vec<Pattern> {
    let listed = section.strings(key, findings);
    listed.into_iter().filter_map(|(text, span)| address(key, text, span, findings)).collect()
}

/// `IP:PORT`, `IP:*` or `*`, as a pattern of the way addresses are printed.
fn address(key: &str, text: &str, span: Range<usize>, findings: &mut Findings<'_>) -> Option<Pattern> {
    let any_port = |ip: &str| {
        let bare = ip.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let ip: IpAddr = bare.unwrap_or(ip).parse().ok()?;
        // IPv6 stands in brackets, IPv4 does not.
        (ip.is_ipv6() == bare.is_some()).then(|| SocketAddr::new(ip, 0).to_string())
    };
    let pattern = if text == "*" {
        Some(Pattern::parse(text))
    } else if let Some(ip) = text.strip_suffix(":*") {
        any_port(ip).map(|printed| Pattern::Prefix(printed.trim_end_matches('0').to_owned()))
    } else {
        text.parse::<SocketAddr>().ok().map(|address| Pattern::Exact(address.to_string()))
    };
    if pattern.is_none() {
        let hint = "write \"IP:PORT\" (\"127.0.0.1:7379\", \"[::1]:80\"), \"IP:*\" for all ports, or \"*\"";
        findings.hint(span, format!("`{key}` cannot grant `{text}`: not an address"), hint);
    }
    pattern
}

fn files(section: &mut Section<'_, '_>, scope: &Scope<'_>, findings: &mut Findings<'_>) -> Vec<Folder> {
    const FORM: &str = "write files = [{ host = \"data\", guest = \"/data\", write = true }]";
    let Some(node) = section.get("files") else { return Vec::new() };
    let Some(array) = raw::array("files", "a list of tables", node, findings) else { return Vec::new() };
    let mut folders: Vec<Folder> = Vec::new();
    for entry in array {
        let Some(mut section) = Section::of("an entry of `files`", entry, findings) else { continue };
        let host = section.require("host", findings, FORM).and_then(|node| {
            values::folder(scope.manifest, raw::string("host", node, findings)?, node.span(), findings)
        });
        let guest = section.require("guest", findings, FORM).and_then(|node| guest(node, &folders, findings));
        let write = section.boolean("write", findings).unwrap_or(false);
        section.finish(findings);
        if let (Some(host), Some(guest)) = (host, guest) {
            folders.push(Folder { host, guest, write });
        }
    }
    folders
}

/// The path under which a guest sees a folder.
fn guest(node: &Node<'_>, folders: &[Folder], findings: &mut Findings<'_>) -> Option<String> {
    let text = raw::string("guest", node, findings)?;
    if !text.starts_with('/') {
        findings.hint(
            node.span(),
            format!("`guest` must be an absolute path, not `{text}`"),
            format!("write `/{text}`"),
        );
        return None;
    }
    if folders.iter().any(|folder| folder.guest == text) {
        findings.add(node.span(), format!("two folders at `{text}`"));
        return None;
    }
    Some(text.to_owned())
}
