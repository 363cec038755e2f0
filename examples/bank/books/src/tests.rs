//! The protocol of README.md over the bare books: each transfer is stopped after each of its steps, with each of its
//! three actors dead, and the rest does what the protocol says. The sum never changes, and nobody keeps a hold.

use crate::{AccountBook, CASH, Entry, Journal, Verdict};

const TOTAL: u64 = 200;

struct Bank {
    journal: Option<Journal>,
    alice: Option<AccountBook>,
    bob: Option<AccountBook>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Dead {
    Nobody,
    Ledger,
    Payer,
    Payee,
}

fn entry(id: u64, from: &str, to: &str, amount: u64) -> Entry {
    Entry { id, from: from.into(), to: to.into(), amount }
}

fn bank() -> Bank {
    let mut journal = Journal::default();
    let mut books = ["alice", "bob"].map(AccountBook::new);
    for (id, (name, book)) in (1..).zip(["alice", "bob"].iter().zip(&mut books)) {
        let deposit = entry(id, CASH, name, TOTAL / 2);
        journal.begin(id);
        journal.commit(deposit.clone());
        book.credit(deposit).unwrap();
    }
    let [alice, bob] = books;
    Bank { journal: Some(journal), alice: Some(alice), bob: Some(bob) }
}

impl Bank {
    /// Step by step; returns after `steps` of them, as the ledger would be stopped by its own death.
    fn transfer(&mut self, entry: &Entry, steps: usize, dead: Dead, when: usize) {
        for step in 0..=steps {
            if step == when {
                match dead {
                    Dead::Nobody => {}
                    Dead::Ledger => self.journal = None,
                    Dead::Payer => self.alice = None,
                    Dead::Payee => self.bob = None,
                }
            }
            let Some(journal) = &mut self.journal else {
                return;
            };
            match step {
                0 => {
                    journal.begin(entry.id);
                }
                1 => {
                    let held = self.alice.as_mut().is_some_and(|alice| alice.hold(entry.clone()).is_ok());
                    let accepted = self.bob.as_ref().is_some_and(|bob| bob.accepts(entry.id));
                    if !(held && accepted) {
                        journal.refuse(entry.id);
                        if let Some(alice) = &mut self.alice {
                            alice.release(entry.id);
                        }
                        return;
                    }
                }
                2 => journal.commit(entry.clone()),
                3 => {
                    if let Some(bob) = &mut self.bob {
                        bob.credit(entry.clone()).unwrap();
                    }
                }
                4 => {
                    if let Some(alice) = &mut self.alice {
                        alice.settle(entry.clone());
                    }
                }
                _ => return,
            }
        }
    }

    /// What the payer does when a hold lapses.
    fn lapse(&mut self, entry: &Entry) {
        let Some(alice) = &mut self.alice else { return };
        if alice.held(entry.id).is_none() {
            return;
        }
        let verdict = match (&mut self.journal, &mut self.bob) {
            (Some(journal), _) => journal.verdict(entry.id),
            (None, Some(bob)) => match bob.credited(entry.id) {
                true => Verdict::Done,
                false => Verdict::Refused,
            },
            (None, None) => Verdict::Open,
        };
        match verdict {
            Verdict::Done => alice.settle(entry.clone()),
            Verdict::Refused => alice.release(entry.id),
            Verdict::Open => {}
        }
    }

    /// Whoever is dead begins again from what the others know.
    fn begin_again(&mut self) {
        let books = [&self.alice, &self.bob];
        let journal = self.journal.get_or_insert_with(|| {
            let mut journal = Journal::default();
            books.into_iter().flatten().for_each(|book| journal.replay(book.entries()));
            journal
        });
        for (name, book) in [("alice", &mut self.alice), ("bob", &mut self.bob)] {
            book.get_or_insert_with(|| AccountBook::new(name)).replay(journal.of(name));
        }
    }

    fn sum(&self) -> u64 {
        let books = [&self.alice, &self.bob].into_iter().flatten();
        let estate = |name| {
            self.journal
                .as_ref()
                .map_or(0, |journal| Journal::balances(&journal.entries()).get(name).copied().unwrap_or(0))
        };
        let living: u64 = books.map(|book| book.statement().balance + book.statement().held).sum();
        let alice = if self.alice.is_none() { estate("alice") } else { 0 };
        living + alice + if self.bob.is_none() { estate("bob") } else { 0 }
    }
}

#[test]
fn a_transfer_moves_all_or_nothing_whoever_dies_whenever() {
    for dead in [Dead::Nobody, Dead::Ledger, Dead::Payer, Dead::Payee] {
        for when in 0..=5 {
            for amount in [30, 1000] {
                let mut bank = bank();
                let entry = entry(7, "alice", "bob", amount);
                bank.transfer(&entry, 5, dead, when);
                bank.lapse(&entry);
                let case = format!("{dead:?} dead at step {when}, amount {amount}");
                assert_eq!(bank.sum(), TOTAL, "{case}");
                bank.begin_again();
                assert_eq!(bank.sum(), TOTAL, "{case}, begun again");
                let [alice, bob] = [&bank.alice, &bank.bob].map(|book| book.as_ref().unwrap().statement());
                assert_eq!((alice.held, bob.held), (0, 0), "{case}");
                let balances = Journal::balances(&bank.journal.as_ref().unwrap().entries());
                assert_eq!((balances["alice"], balances["bob"]), (alice.balance, bob.balance), "{case}");
            }
        }
    }
}

#[test]
fn a_number_that_was_answered_no_stays_no() {
    let mut bob = AccountBook::new("bob");
    assert!(!bob.credited(9));
    bob.credit(entry(9, "alice", "bob", 1)).unwrap_err();
    let mut journal = Journal::default();
    assert_eq!(journal.verdict(9), Verdict::Refused);
    assert_eq!(journal.begin(9), crate::Outcome::Known(Verdict::Refused));
}

#[test]
fn orders_that_come_twice_count_once() {
    let mut bank = bank();
    let entry = entry(7, "alice", "bob", 10);
    bank.transfer(&entry, 5, Dead::Nobody, 0);
    let (alice, bob) = (bank.alice.as_mut().unwrap(), bank.bob.as_mut().unwrap());
    alice.hold(entry.clone()).unwrap();
    alice.settle(entry.clone());
    alice.release(entry.id);
    bob.credit(entry).unwrap();
    assert_eq!((alice.statement().balance, bob.statement().balance), (90, 110));
}
