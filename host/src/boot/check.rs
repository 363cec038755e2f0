//! What `wasmactor check` says of an app: what each module imports, what it is granted, and what is granted in vain. Used
//! by the command line.
//!
//! Must hold: nothing is started.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::{BootError, load, machine};
use crate::base::Grants;
use crate::manifest::Manifest;
use crate::wasm::{Uses, WasmHost, WasmOptions};

/// See the file's head.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    pub modules: Vec<ModuleReport>,
    /// Entries that have grants of their own.
    pub actors: Vec<ActorReport>,
}

/// One module.
#[derive(Clone, Debug, Serialize)]
pub struct ModuleReport {
    pub name: String,
    /// First digits of the content's hash.
    pub version: String,
    /// Whether its actors may park in blocking calls.
    pub parks: bool,
    /// Functions by the interface that they are imported from.
    pub imports: BTreeMap<String, BTreeSet<String>>,
    pub grants: GrantReport,
}

/// One `[[actor]]` entry.
#[derive(Clone, Debug, Serialize)]
pub struct ActorReport {
    pub name: String,
    pub module: String,
    pub grants: GrantReport,
}

/// What somebody is granted.
#[derive(Clone, Debug, Serialize)]
pub struct GrantReport {
    /// Patterns or folders, by the manifest's keys.
    pub granted: BTreeMap<&'static str, String>,
    /// What is on by itself and turned off.
    pub withheld: Vec<&'static str>,
    /// Granted, but of no use to what the module imports.
    pub unused: Vec<&'static str>,
}

impl GrantReport {
    fn new(grants: &Grants, uses: &Uses) -> Self {
        Self { granted: grants.given().into_iter().collect(), withheld: grants.withheld(), unused: uses.unused(grants) }
    }
}

impl fmt::Display for GrantReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.granted.iter().try_for_each(|(key, what)| write!(f, "\n  granted {key}: {what}"))?;
        self.withheld.iter().try_for_each(|key| write!(f, "\n  without {key}"))?;
        let hint = "the module imports nothing that needs it";
        self.unused.iter().try_for_each(|key| write!(f, "\n  granted but never used: {key} ({hint})"))
    }
}

impl fmt::Display for ModuleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parks = if self.parks { ", may park" } else { "" };
        write!(f, "{}@{}{parks}", self.name, self.version)?;
        for (interface, functions) in &self.imports {
            let functions: Vec<&str> = functions.iter().map(String::as_str).collect();
            write!(f, "\n  imports {interface}: {}", functions.join(", "))?;
        }
        write!(f, "{}", self.grants)
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.modules.iter().try_for_each(|module| writeln!(f, "{module}"))?;
        self.actors.iter().try_for_each(|actor| writeln!(f, "actor {} of {}{}", actor.name, actor.module, actor.grants))
    }
}

/// Parses, compiles and links everything, starts nothing.
pub fn check(manifest: &Manifest, wasm: &WasmOptions) -> Result<CheckReport, BootError> {
    let host = WasmHost::new(wasm).map_err(machine("the sandbox does not start"))?;
    let loaded = load(&host, manifest)?;
    let uses = |name: &str| loaded.iter().find(|module| module.name() == name).map(|module| module.uses());
    let modules = loaded.iter().zip(manifest.modules.values()).map(|(module, spec)| ModuleReport {
        name: module.name().to_owned(),
        version: module.version().to_owned(),
        parks: module.parks(),
        imports: module.uses().interfaces().clone(),
        grants: GrantReport::new(&spec.grants, module.uses()),
    });
    let actors = manifest.actors.iter().filter_map(|actor| {
        let grants = GrantReport::new(actor.grants.as_ref()?, uses(&actor.module)?);
        Some(ActorReport { name: actor.name.clone(), module: actor.module.clone(), grants })
    });
    Ok(CheckReport { modules: modules.collect(), actors: actors.collect() })
}
