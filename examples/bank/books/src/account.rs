//! One account's book. Every change is one step of one actor, so it is done or not done, never half.

use crate::messages::{Entry, Statement, TransferId};
use std::collections::{BTreeMap, BTreeSet};

/// An account's book.
///
/// Always: what came in by entries = what went out by entries + `balance` + all holds.
#[derive(Debug, Default, Clone)]
pub struct AccountBook {
    name: String,
    balance: u64,
    /// Set aside, not decided. Gone from `balance` already.
    holds: BTreeMap<TransferId, Entry>,
    /// Done, in both directions: a second order for one number changes nothing.
    entries: BTreeMap<TransferId, Entry>,
    /// Numbers under which nothing may happen here any more.
    void: BTreeSet<TransferId>,
}

impl AccountBook {
    /// An empty book.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Takes over what happened before this actor began.
    pub fn replay(&mut self, entries: Vec<Entry>) {
        for entry in &entries {
            if entry.to == self.name && !self.entries.contains_key(&entry.id) {
                self.balance += entry.amount;
                self.entries.insert(entry.id, entry.clone());
            }
        }
        // Money goes out only after all that came in, whatever the order in the journal.
        for entry in entries {
            if entry.from == self.name {
                self.settle(entry);
            }
        }
    }

    /// Sets the amount aside. Errors: void, or not enough.
    pub fn hold(&mut self, entry: Entry) -> Result<(), String> {
        if self.holds.contains_key(&entry.id) || self.entries.contains_key(&entry.id) {
            return Ok(());
        }
        if self.void.contains(&entry.id) {
            return Err(format!("transfer {} is void", entry.id));
        }
        let Some(rest) = self.balance.checked_sub(entry.amount) else {
            return Err(format!("{} has {}, not {}", self.name, self.balance, entry.amount));
        };
        self.balance = rest;
        self.holds.insert(entry.id, entry);
        Ok(())
    }

    /// May money come in under this number?
    pub fn accepts(&self, id: TransferId) -> bool {
        !self.void.contains(&id)
    }

    /// Takes the amount in. Errors: void.
    pub fn credit(&mut self, entry: Entry) -> Result<(), String> {
        if self.void.contains(&entry.id) {
            return Err(format!("transfer {} is void", entry.id));
        }
        if let std::collections::btree_map::Entry::Vacant(vacant) = self.entries.entry(entry.id) {
            self.balance += entry.amount;
            vacant.insert(entry);
        }
        Ok(())
    }

    /// The held amount is gone for good; without a hold it goes out of the balance.
    pub fn settle(&mut self, entry: Entry) {
        if self.entries.contains_key(&entry.id) {
            return;
        }
        if self.holds.remove(&entry.id).is_none() {
            self.balance = self.balance.saturating_sub(entry.amount);
        }
        self.entries.insert(entry.id, entry);
    }

    /// The held amount is free again, and the number is void.
    pub fn release(&mut self, id: TransferId) {
        if let Some(entry) = self.holds.remove(&id) {
            self.balance += entry.amount;
        }
        if !self.entries.contains_key(&id) {
            self.void.insert(id);
        }
    }

    /// Was this credited here? If not it never will be: the asker goes by the answer.
    pub fn credited(&mut self, id: TransferId) -> bool {
        let credited = self.entries.contains_key(&id);
        if !credited {
            self.void.insert(id);
        }
        credited
    }

    /// The hold of this number, while it is undecided.
    pub fn held(&self, id: TransferId) -> Option<&Entry> {
        self.holds.get(&id)
    }

    /// The numbers of all undecided holds.
    pub fn undecided(&self) -> Vec<TransferId> {
        self.holds.keys().copied().collect()
    }

    /// All that was done.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.values().cloned().collect()
    }

    /// What the account has.
    pub fn statement(&self) -> Statement {
        Statement { balance: self.balance, held: self.holds.values().map(|entry| entry.amount).sum() }
    }
}
