//! The ledger's book: what was decided. A transfer happens when `commit` writes it, in one step of one actor.

use crate::messages::{CASH, Entry, TransferId, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// What `begin` says about a transfer.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new: go on with it.
    Begun,
    /// It was asked before.
    Known(Verdict),
}

/// All decisions.
#[derive(Debug, Default, Clone)]
pub struct Journal {
    entries: BTreeMap<TransferId, Entry>,
    refused: BTreeSet<TransferId>,
    open: BTreeSet<TransferId>,
}

impl Journal {
    /// Begins a transfer, unless its number is known.
    pub fn begin(&mut self, id: TransferId) -> Outcome {
        if self.entries.contains_key(&id) {
            return Outcome::Known(Verdict::Done);
        }
        if self.refused.contains(&id) {
            return Outcome::Known(Verdict::Refused);
        }
        if self.open.insert(id) { Outcome::Begun } else { Outcome::Known(Verdict::Open) }
    }

    /// Decides: the money has moved.
    pub fn commit(&mut self, entry: Entry) {
        self.open.remove(&entry.id);
        self.entries.insert(entry.id, entry);
    }

    /// Decides: the money has not moved.
    pub fn refuse(&mut self, id: TransferId) {
        self.open.remove(&id);
        self.refused.insert(id);
    }

    /// What became of a transfer. A number that was never seen is refused from now on: the asker goes by the answer.
    pub fn verdict(&mut self, id: TransferId) -> Verdict {
        match self.begin(id) {
            Outcome::Known(verdict) => verdict,
            Outcome::Begun => {
                self.refuse(id);
                Verdict::Refused
            }
        }
    }

    /// Takes over what an account remembers.
    pub fn replay(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.commit(entry);
        }
    }

    /// All that was done.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.values().cloned().collect()
    }

    /// All that was done with this account.
    pub fn of(&self, name: &str) -> Vec<Entry> {
        self.entries.values().filter(|entry| entry.from == name || entry.to == name).cloned().collect()
    }

    /// What each account has, by these entries.
    pub fn balances(entries: &[Entry]) -> BTreeMap<String, u64> {
        let mut balances = BTreeMap::<String, i128>::new();
        for entry in entries {
            *balances.entry(entry.from.clone()).or_default() -= i128::from(entry.amount);
            *balances.entry(entry.to.clone()).or_default() += i128::from(entry.amount);
        }
        balances.remove(CASH);
        // Below zero only if the books are wrong; then 0 makes the sum wrong, which the audit says.
        balances.into_iter().map(|(name, balance)| (name, u64::try_from(balance).unwrap_or(0))).collect()
    }

    /// What was paid in.
    pub fn deposits(entries: &[Entry]) -> u64 {
        entries.iter().filter(|entry| entry.from == CASH).map(|entry| entry.amount).sum()
    }
}
