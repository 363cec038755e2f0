//! The sections of a manifest, from the tree to the checked types. Used by `manifest`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use toml::de::{DeTable, DeValue};
use tracing::Level;

use crate::manifest::actor::Above;
use crate::manifest::diagnostic::Findings;
use crate::manifest::grants::{self, Scope};
use crate::manifest::limits::Read;
use crate::manifest::raw::{self, Section};
use crate::manifest::{
    HostSettings, Limits, Manifest, ModuleSpec, actor, control, crashes, limits, reload, supervisor, values,
};
use crate::sched::Full;
use crate::wasm::Profile;

const WORKERS_MAX: u32 = 256;
/// Shorter slices cost more in switches than they give; longer ones are none.
const SLICE: std::ops::RangeInclusive<Duration> = Duration::from_micros(100)..=Duration::from_secs(1);

/// Words for `mailbox-full`.
pub(super) const FULL: [(&str, Full); 3] =
    [("refuse", Full::Refuse), ("drop-oldest", Full::DropOldest), ("hold", Full::Hold)];

/// Words for `profile`.
const PROFILES: [(&str, Profile); 2] = [("density", Profile::Density), ("speed", Profile::Speed)];

const LEVELS: [(&str, Level); 5] = [
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];

/// Reads all of it. `None`, or findings: it cannot be used.
pub(super) fn manifest(tree: &DeTable<'_>, path: &Path, findings: &mut Findings<'_>) -> Option<Manifest> {
    let mut top = Section::new("the manifest", 0..0, tree);
    let name = app(&mut top, findings);
    let host = host(&mut top, path, findings);
    let control = control::read(&mut top, path, findings);
    let all = Read::unnamed(Limits::default());
    let all = Read::unnamed(limits::read(top.get("limits"), "[limits]", &all, findings).limits);
    let env = env(&mut top, findings);
    let crashes = crashes::read(&mut top, path, findings);
    let modules = top.get("module").and_then(|node| Section::of("[module]", node, findings).map(|_| node));
    let modules = modules.and_then(|node| node.get_ref().as_table());
    let supervisors = top.get("supervisor").and_then(|node| Section::of("[supervisor]", node, findings).map(|_| node));
    let supervisors = supervisors.and_then(|node| node.get_ref().as_table());
    let entries = top.get("actor");
    top.finish(findings);

    let module_names: BTreeSet<&str> =
        modules.iter().flat_map(|table| table.keys()).map(|key| key.get_ref().as_ref()).collect();
    let labels = module_names.iter().copied().chain(actor::names(entries)).collect();
    let supervisor_names =
        supervisors.iter().flat_map(|table| table.keys()).map(|key| key.get_ref().as_ref()).collect();
    let scope = Scope {
        manifest: path,
        env: &env,
        modules: module_names,
        labels,
        actors: actor::names(entries).collect(),
        supervisors: supervisor_names,
    };
    let supervisors = supervisors.map(|table| supervisor::read(table, &scope, findings)).unwrap_or_default();
    let (modules, named) = modules.map(|table| module_tables(table, &scope, &all, findings)).unwrap_or_default();
    let actors = actor::read(entries, &scope, &Above { modules: &named, all: &all }, findings);
    let actors = supervisor::ordered(actors, findings);
    supervisor::several(&supervisors, &actors, findings);
    let (path, limits) = (path.to_owned(), all.limits);
    Some(Manifest { path, name: name?, host, control, limits, env, crashes, modules, supervisors, actors })
}

fn app(top: &mut Section<'_, '_>, findings: &mut Findings<'_>) -> Option<String> {
    let hint = "start the file with\n    [app]\n    name = \"my-app\"";
    let node = top.require("app", findings, hint)?;
    let mut section = Section::of("[app]", node, findings)?;
    let name = section.require("name", findings, "write name = \"my-app\"").and_then(|node| {
        let text = raw::string("name", node, findings)?;
        values::name("an app", text, node.span(), findings)
    });
    section.finish(findings);
    name
}

fn host(top: &mut Section<'_, '_>, path: &Path, findings: &mut Findings<'_>) -> HostSettings {
    let default = HostSettings::default();
    let Some(mut section) = top.get("host").and_then(|node| Section::of("[host]", node, findings)) else {
        return default;
    };
    let call_timeout = values::duration(&mut section, "call-timeout", findings);
    if call_timeout.is_some_and(|time| time.is_zero()) {
        findings.add(section.span(), "`call-timeout` must be more than zero: every call would fail");
    }
    let slice = values::duration(&mut section, "slice", findings);
    if slice.is_some_and(|time| !SLICE.contains(&time)) {
        findings.add(section.span(), "`slice` must be 100us to 1s");
    }
    let settings = HostSettings {
        workers: section.integer("workers", 1..=WORKERS_MAX, findings).map(|count| count as usize),
        call_timeout: call_timeout.unwrap_or(default.call_timeout),
        stop_timeout: values::duration(&mut section, "stop-timeout", findings).unwrap_or(default.stop_timeout),
        actors: section.integer("actors", 1..=u32::MAX, findings).map(|count| count as usize),
        sockets: section.integer("sockets", 0..=u32::MAX, findings).map(|count| count as usize),
        memory: values::size(&mut section, "memory", 64 << 20..=1 << 50, findings),
        mailbox_bytes: values::size(&mut section, "mailbox-bytes", 1 << 20..=1 << 50, findings),
        slice: slice.unwrap_or(default.slice),
        log: section.choice("log", &LEVELS, findings).unwrap_or(default.log),
        log_file: section.string("log-file", findings).map(|(text, _)| values::base(path).join(text)),
    };
    section.finish(findings);
    settings
}

fn env(top: &mut Section<'_, '_>, findings: &mut Findings<'_>) -> BTreeMap<String, String> {
    let Some(node) = top.get("env") else { return BTreeMap::new() };
    let DeValue::Table(table) = node.get_ref() else {
        raw::wrong("env", "a table", node, findings);
        return BTreeMap::new();
    };
    let entry = |(key, node): (&toml::Spanned<toml::de::DeString<'_>>, &raw::Node<'_>)| {
        let key = key.get_ref().as_ref();
        Some((key.to_owned(), raw::string(key, node, findings)?.to_owned()))
    };
    table.iter().filter_map(entry).collect()
}

/// The modules, and their limits with the keys that they name.
type Modules = (BTreeMap<String, ModuleSpec>, BTreeMap<String, Read>);

fn module_tables(table: &DeTable<'_>, scope: &Scope<'_>, all: &Read, findings: &mut Findings<'_>) -> Modules {
    let (mut modules, mut named) = Modules::default();
    for (key, node) in table {
        let name = values::name("a module", key.get_ref(), key.span(), findings);
        let title = format!("[module.{}]", key.get_ref());
        let Some(mut section) = Section::of(title, node, findings) else { continue };
        let hint = "write source = \"FOLDER\" (a crate), \"FILE.wasm\" or \"FILE.wat\"";
        let source = section.require("source", findings, hint);
        let source = source.and_then(|node| values::source(scope.manifest, node, findings));
        let profile = section.choice("profile", &PROFILES, findings).unwrap_or_default();
        let owner = section.title().to_owned();
        let limits = limits::read(section.get("limits"), &format!("the limits of {owner}"), all, findings);
        let grants = section.get("grants").map(|node| grants::read(node, &owner, scope, findings)).unwrap_or_default();
        let reload = reload::read(section.get("reload"), &owner, findings);
        section.finish(findings);
        named.insert(key.get_ref().as_ref().to_owned(), limits.clone());
        let (Some(name), Some(source)) = (name, source) else { continue };
        let file = match &source {
            super::Source::File(file) => Some(file.clone()),
            super::Source::Crate(_) => None,
        };
        modules.insert(name.clone(), ModuleSpec { name, source, file, limits: limits.limits, profile, reload, grants });
    }
    (modules, named)
}
