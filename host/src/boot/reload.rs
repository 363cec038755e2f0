//! Other versions of modules while an app runs: from a file that has changed to actors that go on with it. Asked for at the
//! control endpoint and by `run --watch`.
//!
//! Must hold: the new module is loaded, and held against the contract, the grants, and the old one, aside: nothing that runs is
//! touched before. Whatever goes wrong is told, and the app goes on with what it has.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::actor::Module as _;
use crate::base::Grants;
use crate::base::sync::{Arc, Mutex};
use crate::control::protocol::{Kept, Reload, ReloadAction, ReloadRow, Reloaded};
use crate::manifest::{Manifest, ModuleSpec};
use crate::node::{ModuleEntry, Node, ReloadError, ReloadOptions, ReloadReport};
use crate::wasm::{Source, Uses, WasmHost, WasmModule};

/// A module as nodes know it.
pub(super) fn entry(spec: &ModuleSpec, module: Arc<WasmModule>) -> ModuleEntry {
    ModuleEntry { module, grants: Arc::new(spec.grants.clone()), limits: spec.limits.clone() }
}

/// Where a module is loaded from; None: it was not built.
pub(super) fn source(spec: &ModuleSpec) -> Option<Source> {
    Some(Source::new(&spec.name, spec.file.as_ref()?).with(spec.profile))
}

/// What is remembered of a version.
#[derive(Clone, Debug)]
struct Facts {
    uses: Uses,
    keeps: bool,
    /// What traps can be put back as it was.
    flat: bool,
}

impl Facts {
    fn of(module: &WasmModule) -> Self {
        Self { uses: module.uses().clone(), keeps: module.keeps(), flat: module.is_flat() }
    }
}

/// See the file's head.
pub(super) struct Reloader {
    pub(super) manifest: Manifest,
    host: Arc<WasmHost>,
    node: Arc<Node>,
    /// By the names and versions of modules: each that was loaded.
    facts: Mutex<BTreeMap<(String, String), Facts>>,
}

impl Reloader {
    pub(super) fn new(
        manifest: &Manifest,
        host: &Arc<WasmHost>,
        node: &Arc<Node>,
        modules: &[Arc<WasmModule>],
    ) -> Self {
        let facts = modules.iter().map(|module| (key(module.name(), module.version()), Facts::of(module))).collect();
        Self { manifest: manifest.clone(), host: host.clone(), node: node.clone(), facts: Mutex::new(facts) }
    }

    /// Where the modules run.
    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// Carries it out. Errors: there is no such module.
    pub(super) fn run(&self, ask: &Reload) -> Result<Reloaded, String> {
        let names: Vec<&String> = match &ask.module {
            Some(name) => vec![self.manifest.modules.get_key_value(name).ok_or_else(|| self.unknown(name))?.0],
            None => self.manifest.modules.keys().collect(),
        };
        Ok(Reloaded { modules: names.into_iter().map(|name| self.one(name, ask)).collect() })
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<&str> = self.manifest.modules.keys().map(String::as_str).collect();
        format!("there is no module `{name}`; there are {}", known.join(", "))
    }

    fn one(&self, name: &str, ask: &Reload) -> ReloadRow {
        let current = self.node.versions(name).map(|versions| versions.current).unwrap_or_default();
        let mut row = ReloadRow { module: name.to_owned(), from: current, ..ReloadRow::default() };
        if let Err(problem) = self.carry_out(name, ask, &mut row) {
            row.problem = Some(problem);
        }
        row
    }

    fn carry_out(&self, name: &str, ask: &Reload, row: &mut ReloadRow) -> Result<(), String> {
        let mut options = ReloadOptions { restart: ask.restart, ..self.manifest.modules[name].reload.clone() };
        options.grace = ask.grace_ms.map_or(options.grace, Duration::from_millis);
        let words = |error: ReloadError| error.to_string();
        let report = match ask.action {
            ReloadAction::Commit => self.node.commit(name, options).map_err(words)?,
            ReloadAction::Rollback => self.node.rollback(name, options).map_err(words)?,
            ReloadAction::Reload | ReloadAction::Check | ReloadAction::Trial(_) => {
                let Some(entry) = self.prepare(name, ask, row)? else { return Ok(()) };
                match ask.action {
                    ReloadAction::Trial(percent) => self.node.reload_some(name, entry, percent, options),
                    _ => self.node.reload(name, entry, options),
                }
                .map_err(words)?
            }
        };
        fill(row, report);
        Ok(())
    }

    /// Loads and checks what is in the file now. None: it is what runs, or only a check was asked for.
    fn prepare(&self, name: &str, ask: &Reload, row: &mut ReloadRow) -> Result<Option<ModuleEntry>, String> {
        let spec = &self.manifest.modules[name];
        let source = source(spec).ok_or_else(|| format!("module `{name}` is not built"))?;
        let new = self.host.load(&source).map_err(|error| error.to_string())?;
        new.version().clone_into(&mut row.to);
        if row.from == row.to {
            return Ok(None);
        }
        let facts = Facts::of(&new);
        let old = self.facts.lock().get(&key(name, &row.from)).cloned();
        if let Some(old) = old {
            row.notes.extend(self.check_imports(spec, &old, &facts)?);
            if let Some(why) = loss(&old, &facts) {
                let note = format!("{why}: its actors begin anew, without their state");
                row.notes.push(note.clone());
                if !ask.restart && ask.action != ReloadAction::Check {
                    return Err(format!("{note}; if that is meant, say so (`--restart`)"));
                }
            }
        }
        if ask.action == ReloadAction::Check {
            let breaks = self.facts.lock().get(&key(name, &row.from)).is_some_and(|old| old.keeps && !old.flat);
            if breaks && facts.keeps {
                let words = "its actors run as components: one whose `save` traps fails, and nobody is asked after it";
                row.notes.push(words.to_owned());
            }
            return Ok(None);
        }
        self.facts.lock().insert(key(name, &row.to), facts);
        Ok(Some(entry(spec, new)))
    }

    /// Tells of what the new version can do and the old one could not. Errors: the manifest grants it to nobody.
    fn check_imports(&self, spec: &ModuleSpec, old: &Facts, new: &Facts) -> Result<Option<String>, String> {
        let own = self.manifest.actors.iter().filter(|actor| actor.module == spec.name);
        let others: Vec<&Grants> = own.filter_map(|actor| actor.grants.as_ref()).collect();
        let growth = new.uses.growth(&old.uses, &spec.grants);
        for (grant, import) in &growth.missing {
            if !others.iter().any(|grants| grants.has(grant)) {
                return Err(format!(
                    "the new version imports {import}, which the old one did not, and needs the grant `{grant}`: give it in \
                     {}, and start the app again",
                    self.manifest.path.display(),
                ));
            }
        }
        Ok((!growth.imports.is_empty()).then(|| format!("it imports more: {}", growth.imports.join(", "))))
    }
}

/// Why actors cannot take their state along, if they cannot.
fn loss(old: &Facts, new: &Facts) -> Option<&'static str> {
    match (old.keeps, new.keeps) {
        (true, true) => None,
        (true, false) => Some("the new version does not export wasmactor:actor/state any more, the old one does"),
        (false, true) => Some("the old version does not export wasmactor:actor/state, the new one does"),
        (false, false) => Some("it does not export wasmactor:actor/state (`save` and `load`)"),
    }
}

fn key(name: &str, version: &str) -> (String, String) {
    (name.to_owned(), version.to_owned())
}

fn fill(row: &mut ReloadRow, report: ReloadReport) {
    if report.broke && report.untouched > 0 {
        let words =
            "one broke while it saved, so nobody was asked after it: `--commit` asks the others, `--rollback` undoes";
        row.notes.push(words.to_owned());
    }
    let pause = |share| report.pauses.quantile(share).map(|nanoseconds| nanoseconds / 1000);
    (row.pause_p50_us, row.pause_p99_us) = (pause(0.5), pause(0.99));
    row.pause_max_us = (report.exchanged > 0).then(|| u64::try_from(report.longest.as_micros()).unwrap_or(u64::MAX));
    (row.from, row.to) = (report.from, report.to);
    (row.exchanged, row.restarted, row.untouched) = (report.exchanged, report.restarted, report.untouched);
    row.kept = report.kept.into_iter().map(|(actor, why)| Kept { actor: actor.to_string(), why }).collect();
}

/// Says in the log what became of a reload that nobody else hears of.
pub(super) fn say(row: &ReloadRow) {
    let ReloadRow { module, from, to, exchanged, restarted, kept, .. } = row;
    if let Some(problem) = &row.problem {
        tracing::error!(target: "wasmactor", "{module} is not reloaded, {from} goes on: {problem}");
        return;
    }
    for Kept { actor, why } in kept {
        tracing::error!(target: "wasmactor", address = actor, "{actor} keeps {module}@{from}: {why}");
    }
    let longest = row.pause_max_us.map_or_else(String::new, |us| format!("; longest pause {us} µs"));
    tracing::info!(
        target: "wasmactor",
        "reloaded {module}: {from} is {to}; with their state {exchanged}, anew {restarted}, not {}{longest}", kept.len()
    );
}
