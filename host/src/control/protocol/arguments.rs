//! What requests carry.

use serde::{Deserialize, Serialize};

use crate::control::protocol::Payload;

/// No arguments; no answer but that it was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Which actors, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ps {
    /// Only those whose name or module is this; `*` at its end stands for any rest.
    pub filter: Option<String>,
    pub sort: Sort,
    /// At most so many, 0: all.
    pub limit: usize,
}

/// What comes first: the most, the oldest, the lowest address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    #[default]
    Address,
    Name,
    Mailbox,
    Cpu,
    Memory,
    Messages,
    Age,
}

/// Which actor: an address (`:0000002a`), a name (`.bank`), a name without its dot, or what it is called in the manifest if
/// no other one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    pub actor: String,
}

/// The first so many of something, of one actor or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Few {
    pub actor: Option<String>,
    /// 0: all.
    pub limit: usize,
}

/// Whose lines are logged from which level on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// None: nothing changes.
    pub level: Option<LevelName>,
    /// `host`, `guests`, an actor as in [`Who`], all that the manifest calls so, or those of a module that live now. None: all.
    pub of: Option<String>,
}

/// From which level on lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LevelName {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
    /// As at the start
    Default,
}

/// A mailbox to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchMailbox {
    pub actor: String,
    /// How often, at least every 10 ms; 0: every second.
    #[serde(default)]
    pub interval_ms: u64,
}

/// A message for an actor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    pub actor: String,
    /// 0 is for what the SDKs encode.
    #[serde(default)]
    pub kind: u32,
    pub payload: Payload,
}

/// A request to an actor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    pub actor: String,
    #[serde(default)]
    pub kind: u32,
    pub payload: Payload,
    /// Instead of the host's `call-timeout`.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

/// A signal for an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    pub actor: String,
    pub signal: SignalName,
}

/// See `wit/lifecycle.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SignalName {
    Stop,
    Hangup,
    User1,
    User2,
}

/// An end for an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kill {
    pub actor: String,
    /// For its callers, its watchers and the log.
    #[serde(default)]
    pub reason: Option<String>,
}
