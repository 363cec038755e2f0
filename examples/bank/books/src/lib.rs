//! What the bank's actors say to each other (`messages`) and the bookkeeping of an account (`account`) and of the ledger
//! (`journal`). The bookkeeping waits for nobody and sends nothing, so it is tested here, step by step, with every kill.

mod account;
mod journal;
mod messages;

pub use account::AccountBook;
pub use journal::{Journal, Outcome};
pub use messages::{CASH, Entry, Report, Statement, ToAccount, ToAuditor, ToLedger, TransferId, Verdict};

#[cfg(test)]
mod tests;
