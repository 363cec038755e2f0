//! `[supervisor.NAME]`, and what an `[[actor]]` entry says about its place: `supervisor`, `restart`, `after`.
//!
//! Must hold: no supervisor is below itself; an entry stands behind every entry that it is `after`, else the order is the
//! file's.

use std::collections::BTreeMap;

use toml::de::DeTable;

use crate::manifest::diagnostic::Findings;
use crate::manifest::grants::Scope;
use crate::manifest::raw::{self, Section};
use crate::manifest::{ActorSpec, SupervisorSpec, values};
use crate::node::supervise::{Policy, Restart, Strategy};

const STRATEGIES: [(&str, Strategy); 3] = [
    ("one-for-one", Strategy::OneForOne),
    ("one-for-all", Strategy::OneForAll),
    ("rest-for-one", Strategy::RestForOne),
];

const RESTARTS: [(&str, Restart); 3] =
    [("permanent", Restart::Permanent), ("transient", Restart::Transient), ("temporary", Restart::Temporary)];

/// More restarts than this within any period are a loop.
const RESTARTS_MAX: u32 = 1_000_000;

/// Reads all tables.
pub(super) fn read(
    table: &DeTable<'_>,
    scope: &Scope<'_>,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, SupervisorSpec> {
    let mut all = BTreeMap::new();
    for (key, node) in table {
        let name = values::name("a supervisor", key.get_ref(), key.span(), findings);
        let Some(mut section) = Section::of(format!("[supervisor.{}]", key.get_ref()), node, findings) else {
            continue;
        };
        let default = Policy::default();
        let mut time = |key, default| values::duration(&mut section, key, findings).unwrap_or(default);
        let (period, backoff) = (time("period", default.period), time("backoff", default.backoff));
        let backoff_max = time("backoff-max", default.backoff_max.max(backoff));
        let stop_timeout = time("stop-timeout", default.stop_timeout);
        let decide_timeout = time("decide-timeout", default.decide_timeout);
        if backoff_max < backoff {
            findings.add(section.span(), "`backoff-max` must not be less than `backoff`");
        }
        let policy = Policy {
            strategy: section.choice("strategy", &STRATEGIES, findings).unwrap_or_default(),
            max_restarts: section.integer("max-restarts", 0..=RESTARTS_MAX, findings).unwrap_or(default.max_restarts),
            period,
            backoff,
            backoff_max,
            stop_timeout,
            clear_mailbox: section.boolean("clear-mailbox", findings).unwrap_or(false),
            decider: decider(&mut section, scope, findings),
            decide_timeout,
        };
        let under = reference(&mut section, "under", scope, findings);
        section.finish(findings);
        let Some(name) = name else { continue };
        all.insert(name.clone(), SupervisorSpec { name, policy, under });
    }
    for (key, _) in table {
        let mut above = all.get(key.get_ref().as_ref()).and_then(|one| one.under.as_ref());
        let mut ways = 0;
        while let Some(name) = above.filter(|_| ways <= all.len()) {
            if *name == *key.get_ref() {
                let hint = "take one `under` away: supervisors form a tree";
                findings.hint(key.span(), format!("supervisor `{name}` is under itself"), hint);
                break;
            }
            above = all.get(name).and_then(|one| one.under.as_ref());
            ways += 1;
        }
    }
    all
}

/// The actor that is asked. That it is one, not several, is known when the actors are read ([`several`]).
fn decider(section: &mut Section<'_, '_>, scope: &Scope<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let (text, span) = section.string("decider", findings)?;
    if scope.actors.contains(text) {
        return Some(text.to_owned());
    }
    let known: Vec<&str> = scope.actors.iter().copied().collect();
    let hint = raw::suggest(text, &known, "there are");
    findings.hint(span, format!("there is no actor `{text}` to decide"), hint);
    None
}

/// Deciders of which there are several.
pub(super) fn several(
    supervisors: &BTreeMap<String, SupervisorSpec>,
    actors: &[ActorSpec],
    findings: &mut Findings<'_>,
) {
    for one in supervisors.values() {
        let decider = one.policy.decider.as_ref().and_then(|name| actors.iter().find(|actor| actor.name == *name));
        if let Some(actor) = decider.filter(|actor| actor.count > 1) {
            let text =
                format!("`{}` cannot decide for supervisor `{}`: there are {}", actor.name, one.name, actor.count);
            findings.hint(0..0, text, "name an actor without a `count`");
        }
    }
}

/// A supervisor that another place names.
fn reference(
    section: &mut Section<'_, '_>,
    key: &'static str,
    scope: &Scope<'_>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let (text, span) = section.string(key, findings)?;
    if scope.supervisors.contains(text) {
        return Some(text.to_owned());
    }
    let known: Vec<&str> = scope.supervisors.iter().copied().collect();
    let hint = match known.is_empty() {
        true => format!("write\n    [supervisor.{text}]\n    strategy = \"one-for-one\""),
        false => raw::suggest(text, &known, "there are"),
    };
    findings.hint(span, format!("there is no supervisor `{text}`"), hint);
    None
}

/// What an `[[actor]]` entry says about its place.
pub(super) fn membership(
    section: &mut Section<'_, '_>,
    scope: &Scope<'_>,
    findings: &mut Findings<'_>,
) -> (Option<String>, Restart, Vec<String>) {
    let restart = section.choice("restart", &RESTARTS, findings);
    let supervisor = reference(section, "supervisor", scope, findings);
    if restart.is_some() && section.get("supervisor").is_none() {
        let hint = "name the [supervisor.NAME] that restarts it: supervisor = \"NAME\"";
        findings.hint(section.span(), "`restart` without a `supervisor`: nobody would do it", hint);
    }
    let mut after = Vec::new();
    for (name, span) in section.strings("after", findings) {
        if scope.actors.contains(name) {
            after.push(name.to_owned());
        } else {
            let known: Vec<&str> = scope.actors.iter().copied().collect();
            findings.hint(
                span,
                format!("there is no actor `{name}` to start after"),
                raw::suggest(name, &known, "there are"),
            );
        }
    }
    (supervisor, restart.unwrap_or_default(), after)
}

/// Puts each entry behind those that it is after.
pub(super) fn ordered(actors: Vec<ActorSpec>, findings: &mut Findings<'_>) -> Vec<ActorSpec> {
    let mut waiting = actors;
    let mut ordered: Vec<ActorSpec> = Vec::new();
    while !waiting.is_empty() {
        let free = |actor: &ActorSpec| actor.after.iter().all(|name| !waiting.iter().any(|other| other.name == *name));
        let Some(next) = waiting.iter().position(free) else {
            let names: Vec<&str> = waiting.iter().map(|actor| &*actor.name).collect();
            let text = format!("actors that start after each other: {}", names.join(", "));
            findings.hint(0..0, text, "take one `after` away");
            break;
        };
        ordered.push(waiting.remove(next));
    }
    ordered
}
