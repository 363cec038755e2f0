//! Start and stop of an app. Used by the command line.
//!
//! Start, each step for a reason: (1) all modules are loaded and linked: a module that does not fit is found before
//! anything runs; (2) the node and its threads; (3) the actors, in the manifest's order, each when the `init` of the
//! one before has returned: later ones may rely on earlier ones. A failure in (3) stops what has started.
//!
//! Stop, at SIGTERM or SIGINT: (1) no more spawns; (2) every actor gets the stop signal, the last one of the manifest
//! first: those that others are `after`, and members of a supervisor, each when those behind them have ended; (3) those
//! that have not ended when `stop-timeout` is over are killed; (4) the threads. A second signal ends the process at once.
//! An app also stops by itself when no actor is left, or when a supervisor with nobody above it gave up.

mod check;
mod machine;
mod orders;
mod reload;
mod signals;
mod stop;
mod watch;

pub use check::check;

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use crate::base::sync::Arc;
use crate::base::{Address, Payload};
use crate::boot::reload::Reloader;
pub use crate::boot::watch::Builder;
use crate::boot::watch::Watching;
use crate::control::{Endpoints, Host, Server};
use crate::crash;
use crate::manifest::{ActorSpec, Manifest};
use crate::net::Net;
use crate::node::supervise::{Membership, SupervisorId};
use crate::node::{Budget, Node, NodeOptions, SpawnSpec};
use crate::threads::Threads;
use crate::time::Clock;
use crate::wasm::{LoadError, Source, WasmHost, WasmModule, WasmOptions};

/// How long an `init` may take. Thin air: a first start may compile, read or connect.
const INIT: Duration = Duration::from_secs(60);

/// Why an app did not start, or how it ended badly.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Exit code 2: the app's files are at fault.
    #[error("{}", lines(.0))]
    Load(Vec<LoadError>),
    /// Exit code 1: an actor's `init` failed.
    #[error("actor `{name}` did not start: {reason}")]
    Start { name: String, reason: String },
    /// Exit code 1: the machine does not give what the host needs.
    #[error("{what}: {error}")]
    Machine { what: &'static str, error: String },
}

fn lines(errors: &[LoadError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl BootError {
    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Load(_) => 2,
            Self::Start { .. } | Self::Machine { .. } => 1,
        }
    }
}

fn machine<E: ToString>(what: &'static str) -> impl FnOnce(E) -> BootError {
    move |error| BootError::Machine { what, error: error.to_string() }
}

/// Every module of the manifest, in the order of their names.
fn load(host: &WasmHost, manifest: &Manifest) -> Result<Vec<Arc<WasmModule>>, BootError> {
    let sources: Vec<Source> = manifest.modules.values().filter_map(reload::source).collect();
    let mut modules = Vec::new();
    let mut errors = Vec::new();
    for result in host.load_all(&sources) {
        match result {
            Ok(module) => modules.push(module),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(modules) } else { Err(BootError::Load(errors)) }
}

fn options(manifest: &Manifest) -> NodeOptions {
    let host = &manifest.host;
    let defaults = NodeOptions::default();
    let memory = host.memory.or_else(machine::most_memory).unwrap_or(usize::MAX);
    NodeOptions {
        workers: host.workers.unwrap_or(defaults.workers),
        call_timeout: host.call_timeout,
        payload: manifest.limits.payload,
        budget: Budget {
            actors: host.actors.unwrap_or(usize::MAX),
            sockets: host.sockets.unwrap_or(usize::MAX),
            memory,
            mailbox_bytes: host.mailbox_bytes.unwrap_or(memory / 2),
        },
        slice: host.slice,
        env: manifest.env.clone(),
    }
}

/// Whether modules whose files change are reloaded.
pub enum Watch {
    No,
    /// Their files only.
    Files,
    /// Crates are built when their source changes.
    Source(Box<dyn Builder>),
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "No",
            Self::Files => "Files",
            Self::Source(_) => "Source",
        })
    }
}

/// Runs an app until it ends or is stopped.
pub fn run(manifest: &Manifest, wasm: &WasmOptions, watch: Watch) -> Result<ExitCode, BootError> {
    let host = Arc::new(WasmHost::new(wasm).map_err(machine("the sandbox does not start"))?);
    let modules = load(&host, manifest)?;
    let (net, poller) = Net::new().map_err(machine("no poll descriptor"))?;
    let node = Node::new(options(manifest), Clock::real(), net);
    let ticker = host.clone();
    node.on_tick(Box::new(move || ticker.tick()));
    for (module, spec) in modules.iter().zip(manifest.modules.values()) {
        node.add_module(&spec.name, reload::entry(spec, module.clone()));
    }
    let reloader = Arc::new(Reloader::new(manifest, &host, &node, &modules));
    node.on_order(orders::operator(&reloader));
    let crashes = crash_writer(&node, manifest)?;
    let signals = signals::Signals::start(&node).map_err(machine("no signal handlers"))?;
    let threads = Threads::start(node.clone(), poller);

    let control = control(&node, manifest, &signals, &reloader)?;
    let mut started = Started::new();
    let start = start_all(&node, manifest, &signals, &mut started);
    if start.is_ok() {
        tracing::debug!(target: "wasmactor", "{} actors of {} run", node.alive(), manifest.name);
        let watching = watching(watch, &reloader);
        let ended = || node.wait_all_ended(Duration::from_millis(100));
        while !ended() && !signals.stop_asked() && node.gave_up().is_none() {}
        if let Some(watching) = watching {
            watching.stop();
        }
    }
    stop::stop_all(&node, manifest, &started);
    if node.alive() == 0 {
        stop::drain(&node);
        threads.stop();
    } else {
        // A turn that cannot be cut short (a native bug) must not keep the process.
        tracing::warn!(target: "wasmactor", "{} actors did not end; going without them", node.alive());
    }
    if let Some(control) = control {
        control.stop();
    }
    signals.stop();
    if let Some(writer) = crashes {
        writer.stop();
    }
    start?;
    Ok(if node.failed() > 0 && !signals.stop_asked() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Begins to watch. Where it cannot be done the app runs all the same.
fn watching(watch: Watch, reloader: &Arc<Reloader>) -> Option<Watching> {
    let build = match watch {
        Watch::No => return None,
        Watch::Files => None,
        Watch::Source(build) => Some(build),
    };
    let failed = |why: &String| tracing::error!(target: "wasmactor", "modules are not watched: {why}");
    Watching::start(reloader.clone(), build).inspect_err(failed).ok()
}

/// Opens the control endpoint. An app that asked for a place of its own does not run without it; else a machine that has
/// none to give is no reason not to run.
fn control(
    node: &Arc<Node>,
    manifest: &Manifest,
    signals: &signals::Signals,
    reloader: &Arc<Reloader>,
) -> Result<Option<Server>, BootError> {
    let endpoints = &manifest.control;
    if *endpoints == Endpoints::default() {
        return Ok(None);
    }
    let app = manifest.name.clone();
    // It can only fail where there is no current folder.
    let path = std::path::absolute(&manifest.path).unwrap_or_else(|_| manifest.path.clone());
    let (reloader, stop) = (reloader.clone(), Box::new(signals.asker()));
    let reload = Box::new(move |ask: &_| reloader.run(ask));
    let host = Host { node: node.clone(), app, manifest: path, reload, stop };
    match Server::start(host, endpoints) {
        Ok(server) => Ok(Some(server)),
        Err(error) if *endpoints == (Endpoints { found: true, ..Endpoints::default() }) => {
            tracing::warn!(target: "wasmactor", "the host cannot be controlled: {error}");
            Ok(None)
        }
        Err(error) => Err(BootError::Machine { what: "no control", error }),
    }
}

/// Who writes the reports of crashes, if the manifest wants any.
fn crash_writer(node: &Arc<Node>, manifest: &Manifest) -> Result<Option<crash::Writer>, BootError> {
    let Some(spec) = &manifest.crashes else { return Ok(None) };
    let Some(folder) = spec.folder.clone().or_else(|| crash::user_folder(&manifest.name)) else {
        tracing::warn!(target: "wasmactor", "crashes have no reports: neither XDG_STATE_HOME nor HOME is set");
        return Ok(None);
    };
    let started = crash::Writer::start(node, &manifest.name, folder, spec.bounds, spec.options.clone());
    started.map(Some).map_err(machine("no thread for the reports of crashes"))
}

fn start_all(
    node: &Arc<Node>,
    manifest: &Manifest,
    signals: &signals::Signals,
    started: &mut Started,
) -> Result<(), BootError> {
    let mut supervisors = Supervisors::default();
    for (entry, actor) in manifest.actors.iter().enumerate() {
        let supervisor = actor.supervisor.as_ref().and_then(|name| supervisors.get(node, manifest, name));
        for index in 0..actor.count {
            if signals.stop_asked() {
                return Ok(());
            }
            let failed = |reason: String| BootError::Start { name: actor.registered(index), reason };
            let address = node.spawn_and_wait(spec(actor, index, supervisor), INIT);
            started.push((entry, address.map_err(|error| failed(error.to_string()))?));
        }
    }
    Ok(())
}

fn spec(actor: &ActorSpec, index: u32, supervisor: Option<SupervisorId>) -> SpawnSpec {
    SpawnSpec {
        module: actor.module.clone(),
        label: Some(actor.name.clone()),
        index,
        count: actor.count,
        names: vec![actor.registered(index)],
        args: Some(Payload::from(actor.args.clone())),
        grants: actor.grants.clone().map(Arc::new),
        limits: Some(actor.limits.clone()),
        member: supervisor.map(|supervisor| Membership {
            supervisor,
            restart: actor.restart,
            stop_timeout: actor.stop_timeout,
        }),
        ..SpawnSpec::default()
    }
}

/// The manifest's supervisors as the node knows them, each added when the first one below it starts.
#[derive(Default)]
struct Supervisors(BTreeMap<String, SupervisorId>);

impl Supervisors {
    fn get(&mut self, node: &Node, manifest: &Manifest, name: &str) -> Option<SupervisorId> {
        if let Some(known) = self.0.get(name) {
            return Some(*known);
        }
        let spec = manifest.supervisors.get(name)?;
        // The manifest has no cycles.
        let parent = spec.under.as_ref().and_then(|under| self.get(node, manifest, under));
        let id = node.add_supervisor(name, spec.policy.clone(), parent);
        self.0.insert(name.to_owned(), id);
        Some(id)
    }
}

/// Actors of the manifest, each with the number of its entry, in the order in which they started.
type Started = Vec<(usize, Address)>;
