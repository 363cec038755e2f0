//! What a module imports, and which grants that needs. Used by `check`, and at an upgrade: a module that imports more than
//! the one before may need grants that its actors do not have.
//!
//! Must hold: every import of the contract that a grant guards stands in [`needed`], WASI's too.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Grants;

/// Functions by the interface that they are imported from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses(BTreeMap<String, BTreeSet<String>>);

/// What a module imports that the one before did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// `INTERFACE.FUNCTION`, those apart that need no grant.
    pub imports: Vec<String>,
    /// Grants that these need, as the manifest calls them, and that are not given: each with an import that needs it.
    pub missing: Vec<(&'static str, String)>,
}

/// Grants of which a function needs one at least, or which decide what it does. None: everybody may call it.
fn needed(interface: &str, function: &str) -> &'static [&'static str] {
    let name = interface.split('@').next().unwrap_or(interface);
    match (name.trim_start_matches("wasmactor:actor/"), function) {
        ("messaging", "send" | "broadcast" | "request" | "forward") | ("blocking", "call") | ("socket", "give") => {
            &["send"]
        }
        ("lifecycle" | "blocking", "spawn") => &["spawn", "names"],
        ("lifecycle", "kill" | "link") => &["kill"],
        ("registry", "register") => &["names"],
        ("control", "reload") => &["control.reload"],
        ("control", "restart") => &["control.restart"],
        ("control", "ps") => &["control.ps"],
        ("socket", "listen") => &["listen"],
        ("socket", "connect") => &["connect"],
        ("timer", "now" | "wall") => &["clock"],
        ("random", "get") => &["random"],
        ("log", "log") => &["log"],
        ("config", "env") => &["env"],
        ("wasi:cli/environment", _) => &["env"],
        ("wasi:cli/stdout" | "wasi:cli/stderr", _) => &["log"],
        (wasi, _) if wasi.starts_with("wasi:filesystem/") => &["files"],
        (wasi, _) if wasi.starts_with("wasi:clocks/") => &["clock"],
        (wasi, _) if wasi.starts_with("wasi:random/") => &["random"],
        _ => &[],
    }
}

impl Uses {
    /// Notes a function.
    pub(super) fn add(&mut self, interface: &str, function: &str) {
        self.0.entry(interface.to_owned()).or_default().insert(function.to_owned());
    }

    /// Interfaces with their functions, sorted.
    pub fn interfaces(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.0
    }

    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(interface, functions)| functions.iter().map(|name| (&**interface, &**name)))
    }

    /// Grants that some import can make use of.
    pub fn grants(&self) -> BTreeSet<&'static str> {
        self.all().flat_map(|(interface, function)| needed(interface, function)).copied().collect()
    }

    /// Which of the grants that an actor was given explicitly no import can make use of.
    pub fn unused(&self, grants: &Grants) -> Vec<&'static str> {
        let used = self.grants();
        grants.given().into_iter().filter(|(key, _)| !used.contains(key)).map(|(key, _)| key).collect()
    }

    /// What this module imports that `before` did not, and what its actors, which have `grants`, lack for that.
    pub fn growth(&self, before: &Self, grants: &Grants) -> Growth {
        let mut growth = Growth::default();
        for (interface, function) in self.all() {
            let known = before.0.get(interface).is_some_and(|functions| functions.contains(function));
            let needs = needed(interface, function);
            if known || needs.is_empty() {
                continue;
            }
            let import = format!("{interface}.{function}");
            // The first is what it cannot do without; others are for some of its calls.
            let first = needs[0];
            if !grants.has(first) && !growth.missing.iter().any(|(key, _)| *key == first) {
                growth.missing.push((first, import.clone()));
            }
            growth.imports.push(import);
        }
        growth
    }
}

#[cfg(test)]
mod tests {
    use super::{Uses, needed};
    use crate::base::{Grants, Pattern};
    use crate::wasm::contract::Contract;

    fn uses(functions: &[(&str, &str)]) -> Uses {
        let mut uses = Uses::default();
        functions.iter().for_each(|(interface, name)| uses.add(&format!("wasmactor:actor/{interface}@0.1.0"), name));
        uses
    }

    #[test]
    fn what_is_granted_and_of_no_use() {
        let actor = uses(&[("messaging", "request"), ("config", "args")]);
        let list = || vec![Pattern::parse("*")];
        let grants = Grants { send: list(), listen: list(), spawn: list(), ..Grants::default() };
        assert_eq!(actor.unused(&grants), ["spawn", "listen"]);
        assert_eq!(uses(&[("socket", "listen"), ("blocking", "spawn"), ("socket", "give")]).unused(&grants), [""; 0]);
        assert_eq!(actor.unused(&Grants::default()), [""; 0], "what is on by itself is not given");
    }

    #[test]
    fn imports_that_grow_and_grants_that_they_lack() {
        let before = uses(&[("messaging", "send"), ("messaging", "ret")]);
        let after = uses(&[
            ("messaging", "send"),
            ("messaging", "ret"),
            ("messaging", "self"),
            ("socket", "listen"),
            ("random", "get"),
        ]);
        let growth = after.growth(&before, &Grants::default());
        assert_eq!(growth.imports, ["wasmactor:actor/random@0.1.0.get", "wasmactor:actor/socket@0.1.0.listen"]);
        assert_eq!(growth.missing, [("listen", "wasmactor:actor/socket@0.1.0.listen".to_owned())]);
        let grants = Grants { listen: vec![Pattern::parse("127.0.0.1:80")], random: false, ..Grants::default() };
        let missing = after.growth(&before, &grants).missing;
        assert_eq!(missing, [("random", "wasmactor:actor/random@0.1.0.get".to_owned())]);
        assert_eq!(before.growth(&after, &Grants::default()), super::Growth::default());
    }

    #[test]
    fn every_grant_is_of_use_to_some_function_of_the_contract() {
        let mut used = std::collections::BTreeSet::from(["files"]);
        for (interface, functions) in Contract::get().all_functions() {
            for function in functions {
                used.extend(needed(interface, function));
            }
        }
        let all: std::collections::BTreeSet<&str> = Grants::KEYS.into_iter().collect();
        assert_eq!(used, all);
    }
}
