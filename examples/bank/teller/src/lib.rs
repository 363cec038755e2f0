//! The teller: opens the bank, sends transfers, kills actors among them, and calls the auditor after each disaster.

use bank_books::{CASH, Entry, Report, ToAuditor, ToLedger, TransferId, Verdict};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use wasmactor_sdk::interleaved::{AsyncActor, join, join_all, sleep, spawn};
use wasmactor_sdk::{Address, Reply, Result, Sender, async_actor, done, error, exit, fail, info, lifecycle, random};

/// Customers who are served at once; each makes its transfers one by one.
const CUSTOMERS: u64 = 10;

#[derive(Deserialize)]
struct Args {
    /// Who has an account.
    names: Vec<String>,
    /// What each begins with.
    deposit: u64,
    /// How many transfers between two audits.
    transfers: u64,
}

#[derive(Serialize)]
struct AccountArgs<'a> {
    name: &'a str,
    ledger: Address,
}

#[derive(Serialize)]
struct LedgerArgs {
    accounts: Vec<(String, Address)>,
}

struct Teller {
    args: Args,
    accounts: RefCell<BTreeMap<String, Address>>,
    next: Cell<TransferId>,
    answered: Cell<u64>,
    promised: RefCell<Vec<TransferId>>,
}

impl Teller {
    fn living(&self) -> Vec<(String, Address)> {
        self.accounts.borrow().iter().map(|(name, address)| (name.clone(), *address)).collect()
    }

    async fn open_ledger(&self) -> Result<Address> {
        Ok(spawn("ledger", None, &LedgerArgs { accounts: self.living() }).await?)
    }

    async fn open_account(&self, name: &str, ledger: Address) -> Result {
        let account = spawn("account", None, &AccountArgs { name, ledger }).await?;
        // The account opens itself at the ledger; its first answer says that it is done.
        account.ask::<bank_books::Statement>(&bank_books::ToAccount::Statement).await?;
        self.accounts.borrow_mut().insert(name.to_owned(), account);
        Ok(())
    }

    /// Orders one transfer. What is answered `Done` is promised, whatever happens later.
    async fn transfer(&self, ledger: Address, from: &str, to: &str, amount: u64) {
        let id = self.next.get();
        self.next.set(id + 1);
        let entry = Entry { id, from: from.to_owned(), to: to.to_owned(), amount };
        if ledger.ask::<Verdict>(&ToLedger::Transfer(entry)).await == Ok(Verdict::Done) {
            self.promised.borrow_mut().push(id);
        }
        self.answered.set(self.answered.get() + 1);
    }

    /// A customer's transfers, between random accounts.
    async fn customer(&self, ledger: Address) {
        let names = &self.args.names;
        let pick = |bound: usize| usize::try_from(random::below(bound as u64)).unwrap_or(0);
        for _ in 0..self.args.transfers / CUSTOMERS {
            let from = pick(names.len());
            let to = (from + 1 + pick(names.len() - 1)) % names.len();
            self.transfer(ledger, &names[from], &names[to], 1 + random::below(self.args.deposit / 2)).await;
        }
    }

    /// Serves all customers; kills `victim` when half of the transfers are answered.
    async fn rush(&self, ledger: Address, victim: Option<Address>) -> Result {
        self.answered.set(0);
        let customers = join_all((0..CUSTOMERS).map(|_| self.customer(ledger)));
        let disaster = async {
            let Some(victim) = victim else { return Ok(()) };
            while self.answered.get() < self.args.transfers / 2 {
                sleep(Duration::ZERO).await;
            }
            lifecycle::kill(victim, "disaster")
        };
        Ok(join!(customers, disaster).1?)
    }

    async fn audit(&self, auditor: Address, ledger: Option<Address>) -> Result {
        let order = ToAuditor::Audit {
            ledger,
            accounts: self.living(),
            total: self.args.deposit * self.args.names.len() as u64,
            promised: self.promised.borrow().clone(),
        };
        let report: Report = auditor.ask(&order).await?;
        if !report.faults.is_empty() {
            fail!("the books do not balance");
        }
        Ok(())
    }

    async fn day(&self) -> Result {
        let Args { names, deposit, transfers } = &self.args;
        let auditor = spawn("auditor", None, &()).await?;
        let ledger = self.open_ledger().await?;
        for name in names {
            self.open_account(name, ledger).await?;
            self.transfer(ledger, CASH, name, *deposit).await;
        }
        info!("{} accounts are open", names.len());
        self.audit(auditor, Some(ledger)).await?;

        self.rush(ledger, None).await?;
        info!("{transfers} transfers");
        self.audit(auditor, Some(ledger)).await?;

        let victim = &names[1];
        let address = self.accounts.borrow()[victim];
        self.rush(ledger, Some(address)).await?;
        self.accounts.borrow_mut().remove(victim);
        info!("{transfers} transfers, {victim} killed among them");
        self.audit(auditor, Some(ledger)).await?;

        self.open_account(victim, ledger).await?;
        info!("{victim} begins again");
        self.audit(auditor, Some(ledger)).await?;

        self.rush(ledger, Some(ledger)).await?;
        info!("{transfers} transfers, the ledger killed among them");
        self.audit(auditor, None).await?;

        let ledger = self.open_ledger().await?;
        info!("a new ledger asks the accounts what happened");
        self.audit(auditor, Some(ledger)).await?;

        self.rush(ledger, None).await?;
        info!("{transfers} transfers");
        self.audit(auditor, Some(ledger)).await?;

        // They would live on without us, and the app with them.
        let accounts = self.accounts.take().into_values();
        accounts.chain([ledger, auditor]).try_for_each(|child| lifecycle::kill(child, "closing time"))?;
        Ok(())
    }
}

impl AsyncActor for Teller {
    type Args = Args;
    type Message = ();

    fn init(args: Args) -> Result<Self> {
        if args.names.len() < 2 || args.deposit < 2 {
            fail!("args: at least two `names`, and a `deposit` of at least 2");
        }
        Ok(Self {
            args,
            accounts: RefCell::default(),
            next: Cell::new(1),
            answered: Cell::new(0),
            promised: RefCell::default(),
        })
    }

    async fn start(self: Rc<Self>) -> Result {
        match self.day().await {
            Ok(()) => info!("closing time"),
            Err(failure) => error!("the bank is closed: {failure}"),
        }
        exit("the day is over");
        Ok(())
    }

    async fn handle(self: Rc<Self>, (): (), _from: Sender) -> Result<Reply> {
        done()
    }
}

async_actor!(Teller);
