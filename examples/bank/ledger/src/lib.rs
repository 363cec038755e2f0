//! The ledger: decides every transfer, and remembers all decisions. README.md has the protocol as a numbered list.

use bank_books::{CASH, Entry, Journal, Outcome, ToAccount, ToLedger, Verdict};
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasmactor_sdk::interleaved::{AsyncActor, Queue, join, join_all};
use wasmactor_sdk::{Address, Error, Reply, Result, Sender, async_actor, debug, reply};

#[derive(Deserialize)]
struct Args {
    /// What a dead ledger leaves: its accounts. Empty for a bank that opens.
    accounts: Vec<(String, Address)>,
}

struct Ledger {
    journal: RefCell<Journal>,
    accounts: RefCell<BTreeMap<String, Address>>,
    /// Entered by `start` until the journal is complete.
    opening: Queue,
}

impl Ledger {
    /// Collects what the accounts remember. From its answer on each obeys this ledger and no other.
    async fn replay(&self) {
        let accounts: Vec<Address> = self.accounts.borrow().values().copied().collect();
        let histories =
            join_all(accounts.into_iter().map(|account| account.ask::<Vec<Entry>>(&ToAccount::Follow))).await;
        for entries in histories.into_iter().flatten() {
            self.journal.borrow_mut().replay(entries);
        }
    }

    fn account(&self, name: &str) -> Option<Address> {
        self.accounts.borrow().get(name).copied()
    }

    async fn transfer(&self, entry: Entry) -> Verdict {
        if let Outcome::Known(verdict) = self.journal.borrow_mut().begin(entry.id) {
            return verdict;
        }
        if !self.prepare(&entry).await {
            self.journal.borrow_mut().refuse(entry.id);
            if let Some(payer) = self.account(&entry.from) {
                order(payer, &ToAccount::Release(entry.id)).await;
            }
            return Verdict::Refused;
        }
        // From here on the money has moved. An account that dies now begins again with this entry.
        self.journal.borrow_mut().commit(entry.clone());
        if let Some(payee) = self.account(&entry.to) {
            order(payee, &ToAccount::Credit(entry.clone())).await;
        }
        if let Some(payer) = self.account(&entry.from) {
            order(payer, &ToAccount::Settle(entry)).await;
        }
        Verdict::Done
    }

    /// Asks both sides. False: one of them cannot, or is dead.
    async fn prepare(&self, entry: &Entry) -> bool {
        let Some(payee) = self.account(&entry.to) else {
            return false;
        };
        let accepts = payee.ask::<bool>(&ToAccount::Accepts(entry.id));
        if entry.from == CASH {
            return accepts.await == Ok(true);
        }
        let Some(payer) = self.account(&entry.from) else {
            return false;
        };
        let held = payer.ask::<bool>(&ToAccount::Hold { entry: entry.clone(), payee });
        let (held, accepted) = join!(held, accepts);
        // An account that began again meanwhile knows nothing of what its dead self said.
        held == Ok(true)
            && accepted == Ok(true)
            && self.account(&entry.from) == Some(payer)
            && self.account(&entry.to) == Some(payee)
    }
}

/// Tells an account what was decided. If it is dead it learns it when it begins again, and a hold asks by itself.
async fn order(account: Address, order: &ToAccount) {
    let outcome: Result<(), Error> = account.ask(order).await;
    if let Err(error) = outcome {
        debug!("{account} did not take an order: {error}");
    }
}

impl AsyncActor for Ledger {
    type Args = Args;
    type Message = ToLedger;

    fn init(args: Args) -> Result<Self> {
        Ok(Self {
            journal: RefCell::default(),
            accounts: RefCell::new(args.accounts.into_iter().collect()),
            opening: Queue::new(),
        })
    }

    async fn start(self: Rc<Self>) -> Result {
        self.opening.enter(self.replay()).await;
        Ok(())
    }

    async fn handle(self: Rc<Self>, message: ToLedger, _from: Sender) -> Result<Reply> {
        if let ToLedger::Verdict(id) = message {
            // Never waits: an account that asks may be one that the replay waits for.
            let known = self.opening.is_free();
            return reply(if known { self.journal.borrow_mut().verdict(id) } else { Verdict::Open });
        }
        self.opening.enter(async {}).await;
        match message {
            ToLedger::Open { name, address } => {
                let entries = self.journal.borrow().of(&name);
                self.accounts.borrow_mut().insert(name, address);
                reply(entries)
            }
            ToLedger::Transfer(entry) => reply(self.transfer(entry).await),
            ToLedger::Journal => reply(self.journal.borrow().entries()),
            ToLedger::Verdict(id) => reply(self.journal.borrow_mut().verdict(id)),
        }
    }
}

async_actor!(Ledger);
