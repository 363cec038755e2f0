//! The messages. All are requests.

use serde::{Deserialize, Serialize};
use wasmactor_sdk::Address;

/// The caller's number for a transfer: asking twice with one number moves the money once.
pub type TransferId = u64;

/// Not an account: where deposits come from.
pub const CASH: &str = "cash";

/// Money that moved, or shall.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: TransferId,
    pub from: String,
    pub to: String,
    pub amount: u64,
}

/// What became of a transfer.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The money moved.
    Done,
    /// It did not, and never will under this number.
    Refused,
    /// Not decided yet.
    Open,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum ToLedger {
    /// An account begins, or begins again. Answer: its entries so far, `Vec<Entry>`.
    Open { name: String, address: Address },
    /// Moves money. Answer: the `Verdict`; `Open` only if it was ordered before and is not decided yet.
    Transfer(Entry),
    /// What became of this transfer? Answer: the `Verdict`. A number that was never seen is refused from now on.
    Verdict(TransferId),
    /// Answer: all entries, `Vec<Entry>`.
    Journal,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum ToAccount {
    /// May money come in under this number? Answer: `bool`.
    Accepts(TransferId),
    /// Set the amount aside; `payee` is the address of the entry's `to`. Answer: `bool`; false if
    /// there is not enough, or the number is void.
    Hold { entry: Entry, payee: Address },
    /// Take the amount in. Refused: the number is void.
    Credit(Entry),
    /// The held amount is gone for good.
    Settle(Entry),
    /// The held amount is free again.
    Release(TransferId),
    /// From the payer, when the ledger is dead: was this credited? Answer: `bool`. If not, the number is void from now on.
    Credited(TransferId),
    /// Answer: the `Statement`.
    Statement,
    /// From a new ledger. Answer: all entries of this account, `Vec<Entry>`; from then on it obeys the sender only.
    Follow,
}

/// What an account has.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Free to spend.
    pub balance: u64,
    /// Set aside for transfers that are not decided.
    pub held: u64,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum ToAuditor {
    /// Answer: a `Report`.
    Audit {
        /// None: the accounts alone must make up the sum.
        ledger: Option<Address>,
        /// Who lives.
        accounts: Vec<(String, Address)>,
        /// What was paid in.
        total: u64,
        /// What customers were told is done.
        promised: Vec<TransferId>,
    },
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Balances and holds of those who live.
    pub living: u64,
    /// What the ledger says that dead accounts have.
    pub estates: u64,
    /// How many accounts are dead.
    pub dead: usize,
    /// What is wrong, in words; empty if all is well.
    pub faults: Vec<String>,
}
