//! How much is logged, of whom.

use std::collections::BTreeSet;

use tracing::Level;

use crate::control::commands::who::find;
use crate::control::protocol::{LevelName, Log, LogLevel, LogLevels, Problem};
use crate::control::verbosity::{self, Scope};
use crate::node::Node;

/// `log`.
pub(super) fn log(node: &Node, log: &Log) -> Result<LogLevels, Problem> {
    if let Some(name) = log.level {
        let level = level(name);
        match log.of.as_deref() {
            None => {
                verbosity::set(Scope::Host, level);
                verbosity::set(Scope::Guests, level);
            }
            Some("host") => verbosity::set(Scope::Host, level),
            Some("guests") => verbosity::set(Scope::Guests, level),
            Some(of) => verbosity::set(Scope::Actors(&keys(node, of)?), level),
        }
    } else if log.of.is_some() {
        return Err(Problem::new(Problem::BAD_REQUEST, "`of` without a `level`"));
    }
    let now = verbosity::levels();
    let actors = now.actors.into_iter().map(|(actor, level)| LogLevel { actor, level: word(level) });
    Ok(LogLevels { host: word(now.host), guests: word(now.guests), actors: actors.collect() })
}

/// By what the log knows the actors that are meant: one by its address, all that are called so, those of a module that live
/// now.
fn keys(node: &Node, of: &str) -> Result<Vec<String>, Problem> {
    if of.starts_with([':', '.']) {
        return Ok(vec![find(node, of)?.to_string()]);
    }
    let watch = node.watch_workers();
    let views = node.each_view(&watch).filter(|view| *view.label == *of || *view.edition.module == *of);
    let labels: BTreeSet<String> = views.map(|view| view.label.to_string()).collect();
    if labels.is_empty() {
        find(node, of).map(|address| vec![address.to_string()])
    } else {
        Ok(labels.into_iter().collect())
    }
}

/// None: as at the start.
fn level(name: LevelName) -> Option<Level> {
    Some(match name {
        LevelName::Default => return None,
        LevelName::Error => Level::ERROR,
        LevelName::Warn => Level::WARN,
        LevelName::Info => Level::INFO,
        LevelName::Debug => Level::DEBUG,
        LevelName::Trace => Level::TRACE,
    })
}

fn word(level: Level) -> String {
    level.as_str().to_lowercase()
}
