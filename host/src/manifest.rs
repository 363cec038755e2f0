//! app.toml: what an app consists of, checked. Read by `cli`, used by `boot`.
//!
//! Two steps: `raw` reads the text into a tree that knows where each value stands; `check` and its neighbours make the
//! plain types below of it.
//!
//! | file | what |
//! |---|---|
//! | `diagnostic` | one thing that is wrong: where, what, what to do |
//! | `raw` | tables whose keys are asked for by name and type; unknown keys |
//! | `check` | the sections `[app]`, `[host]`, `[env]`, `[module.*]` |
//! | `actor` | the `[[actor]]` entries, and that no two share a name |
//! | `control` | the `[control]` table |
//! | `crashes` | what is kept of actors that fault |
//! | `supervisor` | the `[supervisor.*]` tables, and in which order actors start |
//! | `grants` | what an actor may touch |
//! | `limits` | how much it may use |
//! | `reload` | what it gets for going on with another version |
//! | `args` | TOML values as MessagePack |
//! | `values` | names, durations, sizes, places of files |
//!
//! Must hold: whatever the text is, `parse` returns and does not panic; all errors that can be found are found in one
//! go; an `Ok` needs no further checks. What is not granted is denied.

mod actor;
mod args;
mod check;
mod control;
mod crashes;
mod diagnostic;
mod grants;
mod limits;
mod raw;
mod reload;
mod supervisor;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::Level;

use crate::control::Endpoints;
use crate::crash::Bounds;
use crate::node::ReloadOptions;
use crate::node::crash::CrashOptions;
use crate::node::supervise::{Policy, Restart};
use crate::wasm::Profile;

pub use crate::base::Grants;
pub use crate::node::Limits;
pub use diagnostic::Diagnostic;

/// Most actors that one `[[actor]]` entry may start.
pub const COUNT_MAX: u32 = 1 << 20;

/// A whole app, ready to start. Paths are absolute, or relative to the current folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The file, as the user wrote it.
    pub path: PathBuf,
    /// `[app] name`.
    pub name: String,
    pub host: HostSettings,
    /// The `[control]` table: where the host is controlled from.
    pub control: Endpoints,
    /// `[limits]`, with its defaults filled in.
    pub limits: Limits,
    /// The `[env]` table; actors see the entries that they are granted.
    pub env: BTreeMap<String, String>,
    /// The `[crashes]` table. None: no reports.
    pub crashes: Option<CrashSpec>,
    /// By name.
    pub modules: BTreeMap<String, ModuleSpec>,
    /// By name.
    pub supervisors: BTreeMap<String, SupervisorSpec>,
    /// In the order in which they start. At least one.
    pub actors: Vec<ActorSpec>,
}

/// The `[host]` table with its defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct HostSettings {
    /// Worker threads, 1 to 256. `None`: one for each core.
    pub workers: Option<usize>,
    /// Deadline of a request that names none. More than zero.
    pub call_timeout: Duration,
    /// What actors get to finish when the host stops.
    pub stop_timeout: Duration,
    /// What all actors together may have; `None` of memory: most of the machine's.
    pub actors: Option<usize>,
    pub sockets: Option<usize>,
    pub memory: Option<usize>,
    /// `None`: half of `memory`.
    pub mailbox_bytes: Option<usize>,
    /// How long a turn keeps its worker while others wait, 100 µs to 1 s.
    pub slice: Duration,
    /// Lines below this level are not logged.
    pub log: Level,
    /// Where the log goes instead of stderr; opened anew at SIGHUP.
    pub log_file: Option<PathBuf>,
}

impl Default for HostSettings {
    fn default() -> Self {
        Self {
            workers: None,
            call_timeout: Duration::from_secs(5),
            stop_timeout: Duration::from_secs(5),
            actors: None,
            sockets: None,
            memory: None,
            mailbox_bytes: None,
            slice: Duration::from_millis(1),
            log: Level::INFO,
            log_file: None,
        }
    }
}

/// Where a module comes from. What it names was there when the manifest was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder with a Cargo.toml, to be built.
    Crate(PathBuf),
    /// A `.wasm` file (component or core module) or a `.wat` file.
    File(PathBuf),
}

/// A `[module.NAME]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleSpec {
    pub name: String,
    pub source: Source,
    /// What to load. For a crate the build fills it in; `None` until then.
    pub file: Option<PathBuf>,
    /// `[limits]`, but for what its own table says.
    pub limits: Limits,
    /// What its actors are made for.
    pub profile: Profile,
    /// What they get for going on with another version.
    pub reload: ReloadOptions,
    /// For actors of this module that have no grants of their own, spawned ones among them.
    pub grants: Grants,
}

/// The `[crashes]` table with its defaults filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrashSpec {
    /// None: the user's folder for what programs keep.
    pub folder: Option<PathBuf>,
    pub bounds: Bounds,
    pub options: CrashOptions,
}

/// A `[supervisor.NAME]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct SupervisorSpec {
    pub name: String,
    pub policy: Policy,
    /// The supervisor above it.
    pub under: Option<String>,
}

/// An `[[actor]]` entry.
#[derive(Clone, Debug, PartialEq)]
pub struct ActorSpec {
    /// Without the leading dot.
    pub name: String,
    /// A key of `Manifest::modules`.
    pub module: String,
    /// How many to start, 1 to `COUNT_MAX`.
    pub count: u32,
    /// MessagePack; empty if the manifest gives none.
    pub args: Vec<u8>,
    /// The module's, but for what its own table says.
    pub limits: Limits,
    /// Instead of the module's.
    pub grants: Option<Grants>,
    /// A key of `Manifest::supervisors`.
    pub supervisor: Option<String>,
    pub restart: Restart,
    /// What it gets to finish; `None`: the supervisor's setting where it is restarted for another one's sake, the host's where
    /// the host stops.
    pub stop_timeout: Option<Duration>,
    /// Entries that start before this one, and stop after it.
    pub after: Vec<String>,
}

impl ActorSpec {
    /// The name that the actor with this index is registered under: `.alice`, or `.alice.2` where there are several.
    pub fn registered(&self, index: u32) -> String {
        if self.count > 1 { format!(".{}.{index}", self.name) } else { format!(".{}", self.name) }
    }
}

/// Reads and checks a manifest file. Errors: every fault that was found, in the order of their places; at least one.
pub fn load(path: &Path) -> Result<Manifest, Vec<Diagnostic>> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path),
        Err(error) => Err(vec![diagnostic::unreadable(path, &error)]),
    }
}

/// Checks the text of a manifest. `path` is where it is said to stand: relative sources and folders are looked for beside
/// it. Nothing but the presence of these files is read from disk. Errors as `load`.
pub fn parse(text: &str, path: &Path) -> Result<Manifest, Vec<Diagnostic>> {
    let mut findings = diagnostic::Findings::new(text, path);
    let (tree, errors) = toml::de::DeTable::parse_recoverable(text);
    for error in errors {
        findings.add(error.span().unwrap_or(0..0), error.message().trim_end());
    }
    // A broken text would only bring more errors that are none, such as keys that seem to be missing.
    let manifest = if findings.is_empty() { check::manifest(tree.get_ref(), path, &mut findings) } else { None };
    match manifest {
        Some(manifest) if findings.is_empty() => Ok(manifest),
        _ => Err(findings.finish()),
    }
}
