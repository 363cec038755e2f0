//! Answers with more than a line: one actor, the tree, modules, timers, sockets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::control::protocol::ActorRow;

/// An actor's details.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActorInfo {
    #[serde(flatten)]
    pub row: ActorRow,
    /// All registered names.
    pub names: Vec<String>,
    /// What it is called in the manifest, or its module.
    pub label: String,
    /// Who spawned it; none: the host.
    pub parent: Option<Caller>,
    /// Its supervisor, if it has one.
    pub supervisor: Option<Membership>,
    /// What runs, while something does.
    pub running: Option<Running>,
    /// Whose answer it waits for exclusively.
    pub waits_on: Option<Caller>,
    /// Messages that the mailbox holds, and what happens then: `refuse`, `drop-oldest`, `hold`.
    pub mailbox_bound: usize,
    pub mailbox_full: String,
    /// Senders that are held back.
    pub held: usize,
    /// It is to end as soon as it can.
    pub killed: bool,
    /// Armed timers, those of deadlines too.
    pub timers: usize,
    pub sockets: Vec<SocketRow>,
    /// Patterns or folders that it is granted, by the manifest's keys, and what is on by itself and off for it. None: it is
    /// busy, and could not be looked into.
    #[serde(default)]
    pub grants: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub withheld: Vec<String>,
    /// Its limits; none, as above.
    #[serde(default)]
    pub limits: Vec<LimitRow>,
}

/// A limit, and how much of it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitRow {
    /// The manifest's word.
    pub key: String,
    /// Bytes, milliseconds (`turn`; 0: any), percent (`cpu`), else a number.
    pub most: u64,
    /// None: it is not known, or is no stock.
    pub used: Option<u64>,
}

/// An actor, briefly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub address: String,
    pub name: String,
}

impl std::fmt::Display for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.name.is_empty() { f.write_str(&self.address) } else { write!(f, "{} ({})", self.name, self.address) }
    }
}

/// A place among a supervisor's members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub supervisor: String,
    /// `permanent`, `transient`, `temporary`.
    pub restart: String,
    /// `running`, `resting`, `starting`.
    pub state: String,
    pub restarts: u64,
}

/// A turn that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub worker: usize,
    /// `message`, `reply`, `timeout` …
    pub kind: String,
    /// Whom its event is from; the host's address is `:00000000`.
    pub from: Caller,
}

/// What stands under each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

/// A supervisor with its members, or an actor with those that it spawned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub name: String,
    /// None: a supervisor.
    pub address: Option<String>,
    /// A supervisor's strategy; an actor's module.
    pub what: String,
    /// An actor's.
    pub state: Option<String>,
    /// A member's, or within the period of a supervisor.
    pub restarts: u64,
    pub below: Vec<Node>,
    /// So many more below are left out.
    pub more: usize,
}

/// All modules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modules {
    pub modules: Vec<ModuleRow>,
}

/// A module in one version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRow {
    pub name: String,
    pub version: String,
    /// New actors are made of it.
    pub current: bool,
    pub actors: usize,
    /// Of all versions.
    pub turns: Spread,
    pub waits: Spread,
}

/// How long something takes: bounds, a quarter too large at most. None: nothing was measured, or it takes minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    pub count: u64,
    pub p50_ns: Option<u64>,
    pub p99_ns: Option<u64>,
}

/// Timers, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    pub timers: Vec<TimerRow>,
    pub total: usize,
}

/// An armed timer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerRow {
    pub due_in_ms: u64,
    /// `timer`, `deadline`, `supervision`.
    pub what: String,
    /// None: the host.
    pub owner: Option<Caller>,
}

/// Sockets, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sockets {
    pub sockets: Vec<SocketRow>,
    pub total: usize,
}

/// An open socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketRow {
    /// The number that its owner knows.
    pub id: u64,
    pub owner: Caller,
    /// `listening`, `open`, `paused` (its owner does not read), `held` (its owner's mailbox is full), `closing`.
    pub state: String,
    pub local: Option<String>,
    /// None: a listener.
    pub peer: Option<String>,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Bytes that wait to be sent.
    pub backlog: u64,
}
