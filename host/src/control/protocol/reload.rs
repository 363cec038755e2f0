//! A reload, as it is asked for and told of.

use serde::{Deserialize, Serialize};

use crate::control::protocol::Problem;

/// Which modules are to be reloaded, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reload {
    /// None: all.
    pub module: Option<String>,
    pub action: ReloadAction,
    /// Actors of a module that keeps no state may begin anew.
    pub restart: bool,
    /// How long an actor may take until its requests in flight are over; none: the manifest's.
    pub grace_ms: Option<u64>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReloadAction {
    /// All actors get what is in the module's file now.
    #[default]
    Reload,
    /// Nothing: only say what would be.
    Check,
    /// So many percent of them do, on trial.
    Trial(u8),
    /// After a trial, all others do, too.
    Commit,
    /// After a trial, those that have it get the old version again; else all get the former one.
    Rollback,
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    pub modules: Vec<ReloadRow>,
}

/// What became of one module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadRow {
    pub module: String,
    /// Versions: the first digits of the content's hash. `to` is empty if it cannot be loaded.
    pub from: String,
    pub to: String,
    /// What should be known before: above all, whether actors lose their state.
    pub notes: Vec<String>,
    /// Why nothing was tried.
    pub problem: Option<String>,
    /// Actors that go on with their state, and those that began anew.
    pub exchanged: usize,
    pub restarted: usize,
    /// Actors that go on as they were.
    pub kept: Vec<Kept>,
    /// Actors that were not asked.
    pub untouched: usize,
    /// How long an actor handled nothing, in microseconds.
    pub pause_p50_us: Option<u64>,
    pub pause_p99_us: Option<u64>,
    pub pause_max_us: Option<u64>,
}

/// An actor that goes on as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub actor: String,
    pub why: String,
}

impl ReloadRow {
    /// Whether all is as it was asked for.
    pub fn is_well(&self) -> bool {
        self.problem.is_none() && self.kept.is_empty()
    }
}

impl Problem {
    /// The manifest has no module of this name.
    pub const NO_SUCH_MODULE: &'static str = "no-such-module";
}
