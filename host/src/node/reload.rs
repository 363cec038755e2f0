//! Another version of a module for the actors that run. Used by boot, and by what speaks to operators; never by a worker, since
//! it waits.
//!
//! In order: (1) the new version is made known, to nobody who is born; (2) actors are told, few at a time, the first one alone:
//! if it refuses, nobody else is asked, nor after one that breaks while it saves; each exchanges its own instance between two turns ([`super::exchange`]); (3) what
//! became of each is collected; (4) new actors get the new version, the old one stays as the former one, to roll back to.
//! With a share of less than all, a trial, (4) waits for `commit` or `rollback`; where one broke, what was done is a trial.
//!
//! Must hold: whatever goes wrong, an actor has either its old instance or a new one that has loaded all of the state. No actor
//! is missed: who was born of the old version in the meantime is told after (4), or sees in its first turn that it is over.

mod rolling;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::mpsc;
use std::time::Duration;

use crate::actor::Module;
use crate::base::Address;
use crate::base::histogram::Counts;
use crate::base::sync::atomic::{AtomicUsize, Ordering};
use crate::base::sync::{Arc, Mutex};
use crate::node::editions::{Book, Kinds};
use crate::node::reload::rolling::Rolling;
use crate::node::{Context, ModuleEntry, Node};

/// How actors are exchanged. The defaults are the manifest's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadOptions {
    /// How long an actor may take until its turn, and its requests in flight, are over. In the second half of it ordinary
    /// messages wait.
    pub grace: Duration,
    /// How long each of `save` and `load` (with `self-test`) may take.
    pub step: Duration,
    /// Largest state in bytes.
    pub state: usize,
    /// Actors that cannot save or load begin anew under their address. Else they stay as they are.
    pub restart: bool,
}

impl Default for ReloadOptions {
    fn default() -> Self {
        Self { grace: Duration::from_secs(5), step: Duration::from_secs(1), state: 64 << 20, restart: false }
    }
}

/// What became of a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadReport {
    pub module: String,
    /// What its actors were made of, and are now.
    pub from: String,
    pub to: String,
    /// Actors that go on with their state.
    pub exchanged: usize,
    /// Actors that began anew.
    pub restarted: usize,
    /// Actors that go on as they were (or that broke while they saved), and why.
    pub kept: Vec<(Address, String)>,
    /// Actors that were not asked: because the first one refused, or one broke, or because it is a trial.
    pub untouched: usize,
    /// One broke while it saved: nobody was asked after it.
    pub broke: bool,
    /// How long each one that was exchanged handled nothing, in nanoseconds.
    pub pauses: Counts,
    /// The longest of them.
    pub longest: Duration,
}

impl ReloadReport {
    /// Whether the new version is in use: by some actor, or since there was none to refuse it.
    pub fn is_taken(&self) -> bool {
        self.exchanged + self.restarted > 0 || self.kept.is_empty()
    }
}

/// Why nothing was tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    #[error("there is no module `{0}`")]
    NoModule(String),
    #[error("a trial of `{0}` is under way: commit it or roll it back first")]
    OnTrial(String),
    #[error("there is no trial of `{0}`")]
    NoTrial(String),
    #[error("there is no former version of `{0}` to roll back to")]
    NoFormer(String),
}

/// The versions of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// What new actors are made of.
    pub current: String,
    pub former: Option<String>,
    /// On trial.
    pub trial: Option<String>,
}

/// What became of one actor.
#[derive(Debug)]
pub(in crate::node) enum Outcome {
    /// After a pause of so many nanoseconds.
    Exchanged(u64),
    Restarted,
    Kept(String),
    /// It broke while it saved, and has failed.
    Broken(String),
    /// It did not come to it in time.
    Late(String),
    /// It has ended by itself, or has the version already.
    Ended,
    /// Not yet: requests are in flight.
    Waits,
}

/// One reload, as its actors see it.
pub(in crate::node) struct Swap {
    pub kinds: Kinds,
    pub options: ReloadOptions,
    report: Mutex<mpsc::Sender<(Address, Outcome)>>,
}

impl Swap {
    pub(in crate::node) fn module(&self) -> &Arc<dyn Module<Context>> {
        &self.kinds[0].module
    }

    /// Stands for the new version.
    pub(in crate::node) fn number(&self) -> u32 {
        self.kinds[0].edition.number()
    }

    pub(in crate::node) fn report(&self, actor: Address, outcome: Outcome) {
        // A receiver that is gone waits for nobody any more.
        drop(self.report.lock().send((actor, outcome)));
    }
}

/// What an actor was told.
#[derive(Clone)]
pub(in crate::node) struct Told {
    pub swap: Arc<Swap>,
    /// Ordinary messages are to wait.
    pub holds: bool,
}

/// Actors that are to be exchanged.
#[derive(Default)]
pub(in crate::node) struct Exchanges {
    waiting: Mutex<HashMap<Address, Told>>,
    /// How many are told and have no outcome: mostly none, and then nobody locks.
    count: AtomicUsize,
    /// Held by the reload of now: one after the other.
    one: Mutex<()>,
}

impl Exchanges {
    /// Whether there may be some.
    pub(in crate::node) fn any(&self) -> bool {
        self.count.load(Ordering::SeqCst) != 0
    }

    /// What an actor is to be exchanged for.
    pub(in crate::node) fn get(&self, actor: Address) -> Option<Told> {
        if self.any() { self.waiting.lock().get(&actor).cloned() } else { None }
    }

    /// The actor does it now, or never will.
    pub(in crate::node) fn take(&self, actor: Address) -> Option<Arc<Swap>> {
        if self.any() { self.waiting.lock().remove(&actor).map(|told| told.swap) } else { None }
    }

    /// It cannot yet.
    pub(in crate::node) fn give_back(&self, actor: Address, swap: Arc<Swap>, holds: bool) {
        self.waiting.lock().insert(actor, Told { swap: swap.clone(), holds });
        swap.report(actor, Outcome::Waits);
    }

    /// An actor has ended.
    pub(in crate::node) fn ended(&self, actor: Address) {
        if let Some(swap) = self.take(actor) {
            swap.report(actor, Outcome::Ended);
        }
    }
}

impl Node {
    /// Puts another version in the place of the module of this name, and blocks this thread (never a worker) until all of its
    /// actors have been exchanged or keep what they have. If none could be, new actors are made of the old one still.
    pub fn reload(
        self: &Arc<Self>,
        name: &str,
        entry: ModuleEntry,
        options: ReloadOptions,
    ) -> Result<ReloadReport, ReloadError> {
        let _one = self.exchanges.one.lock();
        let book = self.settled(name)?;
        let new = self.kinds(name, entry);
        Ok(self.replace(name, &book, new, options))
    }

    /// The same for so many percent of the actors: the others, and new ones, keep the old version until [`Node::commit`].
    pub fn reload_some(
        self: &Arc<Self>,
        name: &str,
        entry: ModuleEntry,
        percent: u8,
        options: ReloadOptions,
    ) -> Result<ReloadReport, ReloadError> {
        let _one = self.exchanges.one.lock();
        let book = self.settled(name)?;
        let new = self.kinds(name, entry);
        let all = self.others(name, &new);
        let wanted = (all.len() * usize::from(percent.min(100))).div_ceil(100);
        // Spread over them all.
        let some = (0..wanted).map(|index| all[index * all.len() / wanted.max(1)]).collect();
        let mut report = self.exchange_all(some, &new, options);
        report.untouched += all.len() - wanted;
        report.names(name, &book.current, &new);
        if report.is_taken() {
            self.modules.put(name, Book { trial: Some(new), ..book });
        }
        Ok(report)
    }

    /// Ends a trial well: all others get the version, too.
    pub fn commit(self: &Arc<Self>, name: &str, options: ReloadOptions) -> Result<ReloadReport, ReloadError> {
        let _one = self.exchanges.one.lock();
        let book = self.book(name)?;
        let new = book.trial.clone().ok_or_else(|| ReloadError::NoTrial(name.to_owned()))?;
        Ok(self.replace(name, &book, new, options))
    }

    /// Ends a trial badly: those that have the new version get the old one again. Without a trial: all get the former version,
    /// and what they have now becomes the former one.
    pub fn rollback(self: &Arc<Self>, name: &str, options: ReloadOptions) -> Result<ReloadReport, ReloadError> {
        let _one = self.exchanges.one.lock();
        let book = self.book(name)?;
        let Some(trial) = book.trial.clone() else {
            let former = book.former.clone().ok_or_else(|| ReloadError::NoFormer(name.to_owned()))?;
            return Ok(self.replace(name, &book, former, options));
        };
        let current = book.current.clone();
        let mut report = self.exchange_all(self.others(name, &current), &current, options);
        report.names(name, &trial, &current);
        if report.is_taken() {
            self.modules.put(name, Book { trial: None, ..book });
        }
        Ok(report)
    }

    /// The versions of a module. None: there is no such module.
    pub fn versions(&self, name: &str) -> Option<Versions> {
        let book = self.modules.book(name)?;
        let version = |kinds: &Kinds| kinds[0].module.version().to_owned();
        Some(Versions {
            current: version(&book.current),
            former: book.former.as_ref().map(version),
            trial: book.trial.as_ref().map(version),
        })
    }

    fn book(&self, name: &str) -> Result<Book, ReloadError> {
        self.modules.book(name).ok_or_else(|| ReloadError::NoModule(name.to_owned()))
    }

    /// The same of one that is not on trial.
    fn settled(&self, name: &str) -> Result<Book, ReloadError> {
        let book = self.book(name)?;
        if book.trial.is_some() { Err(ReloadError::OnTrial(name.to_owned())) } else { Ok(book) }
    }

    /// Exchanges all actors of a module, and makes the new version the one of new actors.
    fn replace(self: &Arc<Self>, name: &str, book: &Book, new: Kinds, options: ReloadOptions) -> ReloadReport {
        let mut report = self.exchange_all(self.others(name, &new), &new, options.clone());
        if report.broke && report.untouched > 0 && report.is_taken() {
            report.names(name, &book.current, &new);
            self.modules.put(name, Book { trial: Some(new), ..book.clone() });
            return report;
        }
        let is_new = new[0].edition.number() != book.current[0].edition.number();
        if report.is_taken() && (is_new || book.trial.is_some()) {
            let former = if is_new { Some(book.current.clone()) } else { book.former.clone() };
            self.modules.put(name, Book { current: new.clone(), former, trial: None });
            // Those that were born meanwhile.
            let asked: HashSet<Address> = report.kept.iter().map(|(actor, _)| *actor).collect();
            let mut late = self.others(name, &new);
            late.retain(|actor| !asked.contains(actor));
            report.add(self.exchange_all(late, &new, options));
        }
        report.names(name, &book.current, &new);
        report
    }

    /// Actors of a module that are of another version than this one.
    fn others(&self, name: &str, new: &Kinds) -> VecDeque<Address> {
        let number = new[0].edition.number();
        let other = |address: &Address| {
            let tag = self.table.get(*address).and_then(|slot| slot.mailbox.tag(*address));
            tag.is_some_and(|tag| tag.edition != number && self.modules.is_of(tag.edition, name))
        };
        self.table.slots().filter_map(|slot| slot.mailbox.address()).filter(other).collect()
    }

    /// Tells these actors, and waits for what becomes of them.
    fn exchange_all(self: &Arc<Self>, actors: VecDeque<Address>, new: &Kinds, options: ReloadOptions) -> ReloadReport {
        Rolling::run(self, actors, new, options)
    }
}

impl ReloadReport {
    fn names(&mut self, module: &str, from: &Kinds, to: &Kinds) {
        self.module = module.to_owned();
        self.from = from[0].module.version().to_owned();
        self.to = to[0].module.version().to_owned();
    }

    fn add(&mut self, more: Self) {
        self.exchanged += more.exchanged;
        self.restarted += more.restarted;
        self.kept.extend(more.kept);
        self.untouched += more.untouched;
        self.broke |= more.broke;
        self.untouched += more.untouched;
        self.pauses.add(&more.pauses);
        self.longest = self.longest.max(more.longest);
    }
}
