//! The `[[actor]]` entries: what is started, in this order.
//!
//! Must hold: no two actors are registered under one name, whatever their counts.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::actor::registry;
use crate::manifest::diagnostic::Findings;
use crate::manifest::grants::{self, Scope};
use crate::manifest::raw::{self, Node, Section};
use crate::manifest::{ActorSpec, COUNT_MAX, limits, supervisor, values};

const FORM: &str = "write\n    [[actor]]\n    name = \"alice\"\n    module = \"account\"";

/// Limits that actors have where their entries say nothing.
#[derive(Debug)]
pub(super) struct Above<'a> {
    pub(super) modules: &'a BTreeMap<String, limits::Read>,
    /// Where the module is none.
    pub(super) all: &'a limits::Read,
}

/// The names as written, good or bad: what grants may mean.
pub(super) fn names<'a>(entries: Option<&'a Node<'_>>) -> impl Iterator<Item = &'a str> {
    let array = entries.and_then(|node| node.get_ref().as_array());
    array.into_iter().flat_map(|array| array.iter()).filter_map(|entry| entry.get_ref().get("name")?.get_ref().as_str())
}

/// Reads all entries.
pub(super) fn read(
    entries: Option<&Node<'_>>,
    scope: &Scope<'_>,
    above: &Above<'_>,
    findings: &mut Findings<'_>,
) -> Vec<ActorSpec> {
    let Some(node) = entries else {
        findings.hint(0..0, "no [[actor]]: there is nothing to start", FORM);
        return Vec::new();
    };
    let Some(array) = node.get_ref().as_array() else {
        findings.hint(node.span(), "`actor` must be a list of tables", FORM);
        return Vec::new();
    };
    if array.is_empty() {
        findings.hint(node.span(), "no [[actor]]: there is nothing to start", FORM);
    }
    let mut taken = Taken::default();
    array.iter().filter_map(|entry| actor(entry, scope, above, &mut taken, findings)).collect()
}

fn actor(
    entry: &Node<'_>,
    scope: &Scope<'_>,
    above: &Above<'_>,
    taken: &mut Taken,
    findings: &mut Findings<'_>,
) -> Option<ActorSpec> {
    let mut section = Section::of("[[actor]]", entry, findings)?;
    let name_node = section.require("name", findings, FORM);
    let name = name_node
        .and_then(|node| values::name("an actor", raw::string("name", node, findings)?, node.span(), findings));
    let module = section.require("module", findings, FORM).and_then(|node| module(node, scope, findings));
    let count = section.integer("count", 1..=COUNT_MAX, findings).unwrap_or(1);
    let args = section.get("args").map(|node| crate::manifest::args::encode(node, findings)).unwrap_or_default();
    let owner = name.as_ref().map_or_else(|| "an actor".to_owned(), |name| format!("actor `{name}`"));
    let most = module.as_ref().and_then(|module| above.modules.get(module)).unwrap_or(above.all);
    let limits = limits::read(section.get("limits"), &format!("the limits of {owner}"), most, findings).limits;
    let grants = section.get("grants").map(|node| grants::read(node, &owner, scope, findings));
    let stop_timeout = values::duration(&mut section, "stop-timeout", findings);
    let member = supervisor::membership(&mut section, scope, findings);
    section.finish(findings);
    let (supervisor, restart, after) = member;
    let (name, module) = (name?, module?);
    let actor = ActorSpec { name, module, count, args, limits, grants, supervisor, restart, stop_timeout, after };
    let span = name_node.map_or(0..0, Node::span);
    let longest = actor.registered(count - 1);
    if longest.len() > registry::NAME_MAX {
        findings.add(span.clone(), format!("the name `{longest}` has more than {} characters", registry::NAME_MAX));
    }
    taken.add(&actor, span, findings);
    Some(actor)
}

/// The module of an actor: one of the manifest's.
fn module(node: &Node<'_>, scope: &Scope<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let name = raw::string("module", node, findings)?;
    if scope.modules.contains(name) {
        return Some(name.to_owned());
    }
    let known: Vec<&str> = scope.modules.iter().copied().collect();
    let hint = if known.is_empty() {
        format!("write\n    [module.{name}]\n    source = \"{name}\"")
    } else {
        raw::suggest(name, &known, "there are")
    };
    findings.hint(node.span(), format!("there is no module `{name}`"), hint);
    None
}

/// The names given so far, each with its count. An entry of several actors takes `NAME.0` to `NAME.(count - 1)`.
#[derive(Debug, Default)]
struct Taken(BTreeMap<String, u32>);

impl Taken {
    fn add(&mut self, actor: &ActorSpec, span: Range<usize>, findings: &mut Findings<'_>) {
        if self.0.contains_key(&actor.name) {
            let hint = "give each [[actor]] its own name, or one of them a `count`";
            findings.hint(span, format!("two actors have the name `{}`", actor.name), hint);
            return;
        }
        if let Some(clash) = self.clash(actor) {
            findings.add(span, format!("two actors have the name `{clash}`: one by its `name`, one by its number"));
        }
        self.0.insert(actor.name.clone(), actor.count);
    }

    /// A single actor whose name is one that a `count` gives.
    fn clash(&self, actor: &ActorSpec) -> Option<String> {
        if actor.count > 1 {
            let singles = self.0.iter().filter(|(_, count)| **count == 1);
            let clashes =
                |name: &&String| numbered(name).is_some_and(|(base, n)| base == actor.name && n < actor.count);
            return singles.map(|(name, _)| name).find(clashes).cloned();
        }
        let (base, number) = numbered(&actor.name)?;
        self.0.get(base).is_some_and(|count| *count > 1 && number < *count).then(|| actor.name.clone())
    }
}

/// `alice.2` as `alice` and 2, if it is what a `count` would make.
fn numbered(name: &str) -> Option<(&str, u32)> {
    let (base, digits) = name.rsplit_once('.')?;
    let number: u32 = digits.parse().ok()?;
    (number.to_string() == digits).then_some((base, number))
}
