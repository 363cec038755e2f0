//! What stands under each other, and what actors are made of.

use std::collections::{BTreeMap, HashMap};

use crate::base::Address;
use crate::base::histogram::Counts;
use crate::control::commands::actors::row;
use crate::control::protocol::{ModuleRow, Modules, Spread, Tree, TreeNode};
use crate::node::supervise::{Strategy, SupervisorView};
use crate::node::{ActorView, Edition, Names, Node};

/// Actors that are shown below one place. Thin air: more are a crowd, of which a number says as much.
const CROWD: usize = 100;
/// A chain of spawns can be as long as there are actors.
const DEPTH: usize = 64;

/// `tree`.
pub(super) fn tree(node: &Node) -> Tree {
    let (watch, names) = (node.watch_workers(), node.names());
    let views: Vec<ActorView> = node.each_view(&watch).collect();
    let supervisors = node.supervisors();
    let restarts: HashMap<Address, u64> = supervisors
        .iter()
        .flat_map(|one| one.members.iter().map(|(address, .., restarts)| (*address, *restarts)))
        .collect();
    let mut below: HashMap<Address, Vec<usize>> = HashMap::new();
    let mut index = HashMap::new();
    for (at, view) in views.iter().enumerate() {
        index.insert(view.address, at);
        // A member stands under its supervisor.
        if !restarts.contains_key(&view.address) {
            below.entry(view.parent).or_default().push(at);
        }
    }
    let forest = Forest { views, names, restarts, below, index };
    let roots = supervisors.iter().filter(|one| one.parent.is_none());
    let mut nodes: Vec<TreeNode> = roots.map(|one| forest.supervisor(&supervisors, one, 0)).collect();
    // The rest, and those whose parents have ended.
    let orphan = |view: &&ActorView| {
        !forest.restarts.contains_key(&view.address)
            && (view.parent == Address::HOST || !forest.index.contains_key(&view.parent))
    };
    let roots = forest.views.iter().filter(orphan).map(|view| view.address);
    nodes.extend(forest.actors(&roots.collect::<Vec<_>>(), 0).0);
    Tree { nodes }
}

struct Forest {
    views: Vec<ActorView>,
    names: Names,
    restarts: HashMap<Address, u64>,
    /// Whom each one spawned.
    below: HashMap<Address, Vec<usize>>,
    index: HashMap<Address, usize>,
}

impl Forest {
    fn supervisor(&self, all: &[SupervisorView], one: &SupervisorView, depth: usize) -> TreeNode {
        let inner = all.iter().filter(|other| other.parent.as_ref() == Some(&one.name));
        let mut below: Vec<TreeNode> = inner.map(|inner| self.supervisor(all, inner, depth + 1)).collect();
        let members: Vec<Address> = one.members.iter().map(|(address, ..)| *address).collect();
        let (actors, more) = self.actors(&members, depth + 1);
        below.extend(actors);
        let what = match one.strategy {
            Strategy::OneForOne => "one-for-one",
            Strategy::OneForAll => "one-for-all",
            Strategy::RestForOne => "rest-for-one",
        };
        TreeNode {
            name: one.name.clone(),
            address: None,
            what: what.to_owned(),
            state: None,
            restarts: one.recent as u64,
            below,
            more,
        }
    }

    /// Nodes of these actors, and how many are left out.
    fn actors(&self, addresses: &[Address], depth: usize) -> (Vec<TreeNode>, usize) {
        let shown = if depth < DEPTH { addresses.len().min(CROWD) } else { 0 };
        let nodes = addresses[..shown].iter().filter_map(|address| self.actor(*address, depth));
        (nodes.collect(), addresses.len() - shown)
    }

    fn actor(&self, address: Address, depth: usize) -> Option<TreeNode> {
        let row = row(&self.views[*self.index.get(&address)?], &self.names);
        let children = self.below.get(&address).map_or(&[][..], Vec::as_slice);
        let children: Vec<Address> = children.iter().map(|at| self.views[*at].address).collect();
        let (below, more) = self.actors(&children, depth + 1);
        Some(TreeNode {
            name: row.name,
            address: Some(row.address),
            what: if row.version.is_empty() { row.module } else { format!("{}@{}", row.module, row.version) },
            state: Some(row.state),
            restarts: self.restarts.get(&address).copied().unwrap_or(0),
            below,
            more,
        })
    }
}

/// `modules`.
pub(super) fn modules(node: &Node) -> Modules {
    let watch = node.watch_workers();
    let mut actors: BTreeMap<(String, String), usize> = BTreeMap::new();
    let key = |edition: &Edition| (edition.module.to_string(), edition.version.to_string());
    for view in node.each_view(&watch) {
        *actors.entry(key(&view.edition)).or_default() += 1;
    }
    let current: Vec<(String, String)> = node.modules().iter().map(key).collect();
    for edition in &current {
        actors.entry(edition.clone()).or_default();
    }
    let times: HashMap<String, _> = node.module_times().into_iter().collect();
    let row = |((name, version), actors): ((String, String), usize)| {
        let times = times.get(&name).cloned().unwrap_or_default();
        let current = current.iter().any(|(other, newest)| (other, newest) == (&name, &version));
        ModuleRow { turns: spread(&times.turns), waits: spread(&times.waits), name, version, current, actors }
    };
    Modules { modules: actors.into_iter().map(row).collect() }
}

fn spread(counts: &Counts) -> Spread {
    Spread { count: counts.total(), p50_ns: counts.quantile(0.5), p99_ns: counts.quantile(0.99) }
}
