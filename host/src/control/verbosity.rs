//! Which lines of the log are written, while everything runs. Of the process, as `tracing` is: set by the command line at the
//! start, changed by control clients, asked by the log for each line.
//!
//! Must hold: a line that is left out costs what it cost before: the levels of now are told to `tracing`, which asks here
//! only for lines that some actor's level lets through.

use std::collections::BTreeMap;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};

use crate::base::sync::atomic::{AtomicUsize, Ordering};
use crate::base::sync::{OnceLock, RwLock};

/// The target of actors' lines; of the host's.
const GUEST: &str = "guest";
const HOST: &str = "wasmactor";

const LEVELS: [Level; 5] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];

/// Levels as they are now.
#[derive(Debug)]
struct State {
    start: Level,
    /// Indices into `LEVELS`; `most`: the highest of any actor.
    host: AtomicUsize,
    guests: AtomicUsize,
    most: AtomicUsize,
    /// By an actor's address, its name in the log, or what it is called in the manifest.
    actors: RwLock<BTreeMap<String, Level>>,
}

static STATE: OnceLock<State> = OnceLock::new();

fn index(level: Level) -> usize {
    LEVELS.iter().position(|other| *other == level).unwrap_or(0)
}

fn state() -> &'static State {
    let info = || AtomicUsize::new(index(Level::INFO));
    STATE.get_or_init(|| State {
        start: Level::INFO,
        host: info(),
        guests: info(),
        most: info(),
        actors: RwLock::default(),
    })
}

/// Whose lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    Host,
    Guests,
    /// Those with these keys: addresses, or names.
    Actors(&'a [String]),
}

/// The levels of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    pub host: Level,
    pub guests: Level,
    pub actors: Vec<(String, Level)>,
}

/// The level at the start. To be called once, before anything is logged.
pub fn start(level: Level) {
    let all = || AtomicUsize::new(index(level));
    let state = State { start: level, host: all(), guests: all(), most: all(), actors: RwLock::default() };
    // A second one would be a second log of the same process.
    drop(STATE.set(state));
}

/// Changes some; none: as at the start.
pub fn set(scope: Scope<'_>, level: Option<Level>) {
    let state = state();
    let mut actors = state.actors.write();
    // Relaxed: each is a word of its own, and a line more or less at the change hurts nobody.
    match (scope, level) {
        (Scope::Host, level) => state.host.store(index(level.unwrap_or(state.start)), Ordering::Relaxed),
        (Scope::Guests, level) => {
            state.guests.store(index(level.unwrap_or(state.start)), Ordering::Relaxed);
            if level.is_none() {
                actors.clear();
            }
        }
        (Scope::Actors(keys), Some(level)) => actors.extend(keys.iter().map(|key| (key.clone(), level))),
        (Scope::Actors(keys), None) => actors.retain(|key, _| !keys.contains(key)),
    }
    let most = actors.values().map(|level| index(*level)).max().unwrap_or(0);
    state.most.store(most.max(state.guests.load(Ordering::Relaxed)), Ordering::Relaxed);
    drop(actors);
    tracing::callsite::rebuild_interest_cache();
}

/// The levels of now.
pub fn levels() -> Levels {
    let state = state();
    let level = |of: &AtomicUsize| LEVELS[of.load(Ordering::Relaxed)];
    let actors = state.actors.read().iter().map(|(key, level)| (key.clone(), *level)).collect();
    Levels { host: level(&state.host), guests: level(&state.guests), actors }
}

/// The highest level of which any line is written.
pub fn highest() -> LevelFilter {
    let state = state();
    let most = state.most.load(Ordering::Relaxed).max(state.host.load(Ordering::Relaxed));
    LevelFilter::from_level(LEVELS[most])
}

/// Whether lines like this may be written: some actor's level lets them through.
pub fn may(line: &Metadata<'_>) -> bool {
    let state = state();
    let most = match line.target() {
        GUEST => LEVELS[state.most.load(Ordering::Relaxed)],
        target if target.starts_with(HOST) => LEVELS[state.host.load(Ordering::Relaxed)],
        // Of the libraries only what is wrong; an app that logs at debug does not mean the compiler's debugging.
        _ => state.start.min(Level::WARN),
    };
    *line.level() <= most
}

/// Whether this line of this actor is written, which `may` be.
pub fn allows(line: &Metadata<'_>, actor: &str, address: &str) -> bool {
    let state = state();
    let guests = state.guests.load(Ordering::Relaxed);
    if line.target() != GUEST || state.most.load(Ordering::Relaxed) == guests && state.actors.read().is_empty() {
        return true;
    }
    let actors = state.actors.read();
    // `many.3` is one of those called `many`.
    let label = actor.rsplit_once('.').filter(|(_, rest)| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let own = actors.get(address).or_else(|| actors.get(actor));
    let own = own.or_else(|| actors.get(label?.0));
    *line.level() <= own.copied().unwrap_or(LEVELS[guests])
}
