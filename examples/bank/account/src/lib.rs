//! One account. It does what the ledger orders, and finds out by itself what became of a hold when no order comes.

use bank_books::{AccountBook, Entry, ToAccount, ToLedger, TransferId, Verdict};
use serde::Deserialize;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use wasmactor_sdk::interleaved::{AsyncActor, Queue, sleep, spawn_local};
use wasmactor_sdk::{
    Address, Error, ErrorCode, Failure, Reply, Result, Sender, async_actor, debug, done, exit, fail, reply,
};

/// After this time an account asks what became of its hold.
const LAPSE: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
struct Args {
    name: String,
    ledger: Address,
}

struct Account {
    name: String,
    ledger: Cell<Address>,
    book: RefCell<AccountBook>,
    /// Where the payees of our holds live.
    payees: RefCell<BTreeMap<TransferId, Address>>,
    /// Entered by `start` until the book is complete.
    opening: Queue,
}

/// True if the other side is dead, so that its word will never come. A deadline or a full mailbox say nothing of the kind.
fn is_dead(error: &Error) -> bool {
    matches!(error.code, ErrorCode::NoSuchActor | ErrorCode::ActorFailed | ErrorCode::ActorExited)
}

impl Account {
    /// Opens the account at the ledger, which knows what happened to it before.
    async fn open(&self) -> Result<(), Error> {
        let own = ToLedger::Open { name: self.name.clone(), address: Address::own() };
        let entries: Vec<Entry> = self.ledger.get().ask(&own).await?;
        self.book.borrow_mut().replay(entries);
        Ok(())
    }

    /// Orders of a ledger that was replaced, still on their way when it died, must change nothing.
    fn only_ledger(&self, from: &Sender) -> Result {
        if from.address() != self.ledger.get() {
            fail!("{} is not the ledger", from.address());
        }
        Ok(())
    }

    /// Watches over a hold until it is decided.
    async fn watch_over(self: Rc<Self>, id: TransferId) {
        loop {
            sleep(LAPSE).await;
            if self.resolve(id).await != Verdict::Open {
                self.payees.borrow_mut().remove(&id);
                return;
            }
        }
    }

    /// Asks the ledger, and if it is dead the payee, what became of a hold, and goes by the answer.
    async fn resolve(&self, id: TransferId) -> Verdict {
        let Some(entry) = self.book.borrow().held(id).cloned() else {
            return Verdict::Done;
        };
        let verdict = match self.ledger.get().ask::<Verdict>(&ToLedger::Verdict(id)).await {
            Ok(verdict) => verdict,
            Err(error) if is_dead(&error) => self.ask_payee(id).await,
            Err(_) => Verdict::Open,
        };
        match verdict {
            Verdict::Done => self.book.borrow_mut().settle(entry),
            Verdict::Refused => self.book.borrow_mut().release(id),
            Verdict::Open => {}
        }
        verdict
    }

    /// The payee is credited first of all, so it knows. If it is dead too nobody does: the hold waits for a new ledger.
    async fn ask_payee(&self, id: TransferId) -> Verdict {
        let Some(payee) = self.payees.borrow().get(&id).copied() else {
            return Verdict::Open;
        };
        match payee.ask::<bool>(&ToAccount::Credited(id)).await {
            Ok(true) => Verdict::Done,
            Ok(false) => Verdict::Refused,
            Err(_) => Verdict::Open,
        }
    }
}

impl AsyncActor for Account {
    type Args = Args;
    type Message = ToAccount;

    fn init(args: Args) -> Result<Self> {
        Ok(Self {
            book: RefCell::new(AccountBook::new(&args.name)),
            name: args.name,
            ledger: Cell::new(args.ledger),
            payees: RefCell::default(),
            opening: Queue::new(),
        })
    }

    async fn start(self: Rc<Self>) -> Result {
        if let Err(error) = self.opening.enter(self.open()).await {
            exit(&format!("the account could not be opened: {error}"));
        }
        Ok(())
    }

    async fn handle(self: Rc<Self>, message: ToAccount, from: Sender) -> Result<Reply> {
        match message {
            ToAccount::Accepts(id) => reply(self.book.borrow().accepts(id)),
            ToAccount::Hold { entry, payee } => {
                self.only_ledger(&from)?;
                let id = entry.id;
                let held = self.book.borrow_mut().hold(entry);
                if let Err(why) = &held {
                    debug!("not held: {why}");
                } else {
                    self.payees.borrow_mut().insert(id, payee);
                    spawn_local(self.watch_over(id)).detach();
                }
                reply(held.is_ok())
            }
            ToAccount::Credit(entry) => {
                self.only_ledger(&from)?;
                self.book.borrow_mut().credit(entry).map_err(Failure::new)?;
                done()
            }
            ToAccount::Settle(entry) => {
                self.only_ledger(&from)?;
                self.book.borrow_mut().settle(entry);
                done()
            }
            ToAccount::Release(id) => {
                self.only_ledger(&from)?;
                self.book.borrow_mut().release(id);
                done()
            }
            ToAccount::Credited(id) => reply(self.book.borrow_mut().credited(id)),
            ToAccount::Statement => {
                self.opening.enter(async {}).await;
                reply(self.book.borrow().statement())
            }
            ToAccount::Follow => {
                let undecided = self.book.borrow().undecided();
                for id in undecided {
                    self.resolve(id).await;
                }
                // In one turn with the answer: what the dead ledger ordered and comes later must not count.
                self.ledger.set(from.address());
                reply(self.book.borrow().entries())
            }
        }
    }
}

async_actor!(Account);
