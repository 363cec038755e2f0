//! The modules that actors are made of, each in several versions: the one of now, the one before, one on trial. Used by
//! [`super::spawn`] for births, by [`super::reload`], and by who tells of actors.
//!
//! What was loaded lives as long as an actor of it does, or as it may come back. What remains of it is its number, and the name
//! and version behind that: its *edition*.

use std::collections::BTreeMap;

use crate::actor::Module;
use crate::base::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::base::sync::{Arc, Padded, RwLock};
use crate::base::{CallError, Grants, Pattern};
use crate::node::metrics::Times;
use crate::node::spawn::invalid;
use crate::node::{Context, Limits, ModuleEntry, Node};

/// A module as it was loaded once, with its grants and limits.
pub(in crate::node) struct Loaded {
    number: u32,
    entry: ModuleEntry,
    /// Another one has taken its place for good.
    retired: AtomicBool,
}

/// A module in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    pub module: Arc<str>,
    /// Empty if the module has none.
    pub version: Arc<str>,
}

impl Loaded {
    /// Stands for the module's name and version.
    pub(in crate::node) fn number(&self) -> u32 {
        self.number
    }
}

/// What all actors of a module, or of an entry of the manifest, have in common. There is one for each worker, on lines of
/// its own: births and ends write to its count.
#[derive(Clone)]
#[repr(align(128))]
pub(in crate::node) struct Kind {
    pub module: Arc<dyn Module<Context>>,
    pub grants: Arc<Grants>,
    pub limits: Limits,
    /// What the turns of the module's actors took.
    pub times: Arc<Times>,
    /// The name in the manifest, or the module's, and its number.
    pub label: Arc<str>,
    pub number: u32,
    /// The module's name.
    pub name: Box<str>,
    /// `grants.send` has `*`.
    pub send_all: bool,
    pub edition: Arc<Loaded>,
    /// The grants, or the limits, are not the module's.
    own: (bool, bool),
    /// Whose births are of this one: an index into the module's kinds.
    pub place: usize,
}

/// One edition's kinds: one a worker, the last for everybody else.
pub(in crate::node) type Kinds = Arc<[Arc<Kind>]>;

/// The editions of one module that matter.
#[derive(Clone)]
pub(in crate::node) struct Book {
    /// New actors are made of it.
    pub current: Kinds,
    /// Before that they were made of this one.
    pub former: Option<Kinds>,
    /// Some actors have it, and it is not decided whether the others get it.
    pub trial: Option<Kinds>,
}

/// The modules by their names.
#[derive(Default)]
pub(in crate::node) struct Modules {
    books: RwLock<BTreeMap<String, Book>>,
    /// Counts the changes: who remembers a kind knows by this whether it is still the one.
    version: Padded<AtomicU64>,
    /// Names and versions, by the editions' numbers. One that comes again has its old number, so this grows with what is
    /// new only.
    editions: RwLock<Vec<Edition>>,
}

impl Modules {
    /// Times of each module's actors, by the modules' names.
    pub(in crate::node) fn times(&self) -> Vec<(String, Arc<Times>)> {
        self.books.read().iter().map(|(name, book)| (name.clone(), book.current[0].times.clone())).collect()
    }

    /// The kind that new actors are of.
    pub(in crate::node) fn get(&self, name: &str, place: usize) -> Result<Arc<Kind>, CallError> {
        let books = self.books.read();
        let book = books.get(name).ok_or_else(|| invalid(format!("the manifest has no module `{name}`")))?;
        Ok(book.current[place].clone())
    }

    /// Changes whenever [`Modules::get`] gives something else.
    pub(in crate::node) fn version(&self) -> u64 {
        // Acquire: pairs with `put`.
        self.version.load(Ordering::Acquire)
    }

    /// The editions of a module.
    pub(in crate::node) fn book(&self, name: &str) -> Option<Book> {
        self.books.read().get(name).cloned()
    }

    /// Changes which editions matter; what new actors are made of is not retired, what they were made of is.
    pub(in crate::node) fn put(&self, name: &str, book: Book) {
        let mut books = self.books.write();
        if let Some(before) = books.get(name) {
            before.current[0].edition.retired.store(true, Ordering::Relaxed);
        }
        // Release: who sees the one before retired finds this one behind the lock.
        book.current[0].edition.retired.store(false, Ordering::Release);
        books.insert(name.to_owned(), book);
        drop(books);
        // Release: who sees the new version finds the new module.
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Whether a number is of this module.
    pub(in crate::node) fn is_of(&self, number: u32, name: &str) -> bool {
        self.editions.read().get(number as usize).is_some_and(|edition| &*edition.module == name)
    }

    fn number_of(&self, module: &str, version: &str) -> u32 {
        let mut editions = self.editions.write();
        let known = editions.iter().position(|known| &*known.module == module && &*known.version == version);
        let index = known.unwrap_or_else(|| {
            editions.push(Edition { module: module.into(), version: version.into() });
            editions.len() - 1
        });
        u32::try_from(index).expect("fewer versions than actors")
    }
}

impl Node {
    /// Makes a module known under a name. A later module of the same name takes its place for new actors.
    pub fn add_module(&self, name: &str, entry: ModuleEntry) {
        let current = self.kinds(name, entry);
        self.modules.put(name, Book { current, former: None, trial: None });
    }

    /// What an actor with this number is made of.
    pub(in crate::node) fn edition(&self, number: u32) -> Edition {
        self.modules.editions.read()[number as usize].clone()
    }

    /// The modules that new actors are made of, as they are now.
    pub fn modules(&self) -> Vec<Edition> {
        let books = self.modules.books.read();
        books.values().map(|book| self.edition(book.current[0].edition.number)).collect()
    }

    /// A module of this name as actors can be made of it; nobody knows it yet.
    pub(in crate::node) fn kinds(&self, name: &str, entry: ModuleEntry) -> Kinds {
        let times = self.modules.get(name, 0).map(|known| known.times.clone()).unwrap_or_default();
        let (module, grants, limits) = (entry.module.clone(), entry.grants.clone(), entry.limits.clone());
        let number = self.modules.number_of(name, module.version());
        let edition = Arc::new(Loaded { number, entry, retired: AtomicBool::new(false) });
        let (number, send_all) = (self.label_of(name), sends_all(&grants));
        let label = self.label(number);
        let name = Box::from(name);
        let own = (false, false);
        let kind = Kind { module, grants, limits, times, label, number, name, send_all, edition, own, place: 0 };
        (0..=self.run.workers()).map(|place| Arc::new(Kind { place, ..kind.clone() })).collect()
    }

    /// The place of a worker's kinds, or of everybody else's.
    pub(in crate::node) fn place_of(&self, worker: Option<usize>) -> usize {
        worker.unwrap_or(self.run.workers())
    }

    /// A kind for actors with a label, grants, or limits of their own.
    pub(in crate::node) fn own_kind(
        &self,
        kind: &Kind,
        label: Option<&str>,
        grants: Option<Arc<Grants>>,
        limits: Option<Limits>,
    ) -> Kind {
        let number = label.map_or(kind.number, |label| self.label_of(label));
        let own = (grants.is_some(), limits.is_some());
        let limits = limits.unwrap_or_else(|| kind.limits.clone());
        let grants = grants.unwrap_or_else(|| kind.grants.clone());
        let (label, send_all) = (self.label(number), sends_all(&grants));
        Kind { grants, limits, label, number, send_all, own, ..kind.clone() }
    }

    /// What an actor of a kind is when it is made of another edition: the label, and grants and limits of its own, stay.
    pub(in crate::node) fn kind_in(&self, kind: &Kind, edition: &Kinds, worker: Option<usize>) -> Arc<Kind> {
        let plain = &edition[self.place_of(worker)];
        if kind.own == (false, false) && kind.number == plain.number {
            return plain.clone();
        }
        let grants = if kind.own.0 { kind.grants.clone() } else { plain.edition.entry.grants.clone() };
        let limits = if kind.own.1 { kind.limits.clone() } else { plain.limits.clone() };
        let send_all = sends_all(&grants);
        Arc::new(Kind {
            grants,
            limits,
            label: kind.label.clone(),
            number: kind.number,
            send_all,
            own: kind.own,
            ..(**plain).clone()
        })
    }

    /// An instance is about to be made: if its edition was retired since the actor was born, of the one of now.
    pub(in crate::node) fn renew(&self, cx: &mut Context) {
        let inner = cx.inner_mut();
        // Acquire: pairs with `put`.
        if !inner.kind.edition.retired.load(Ordering::Acquire) {
            return;
        }
        if let Some(book) = self.modules.book(&inner.kind.name) {
            let kind = self.kind_in(&inner.kind, &book.current, inner.worker);
            self.set_kind(cx, kind);
        }
    }

    /// The actor is of this kind from now on; gives the one that it was of.
    pub(in crate::node) fn set_kind(&self, cx: &mut Context, kind: Arc<Kind>) -> Arc<Kind> {
        let inner = cx.inner_mut();
        if let Some(slot) = self.table.get(inner.address) {
            slot.mailbox.has_edition(kind.edition.number);
        }
        inner.verdicts.clear();
        if let Some(rare) = &mut inner.rare {
            // With its grants, what it can hand on may have changed.
            rare.spawned = None;
        }
        std::mem::replace(&mut inner.kind, kind)
    }
}

fn sends_all(grants: &Grants) -> bool {
    grants.send.iter().any(Pattern::matches_all)
}
