//! Birth of an actor. Used by boot and by actors.
//!
//! In order: (1) rights and names are checked, (2) a slot is reserved, (3) the names are registered, (4) the context
//! is put into the slot, (5) the mailbox opens, scheduled, (6) the mailbox goes to the run queue. The instance is
//! made and initialised by the worker that takes it first; then the spawner hears of it. Messages that come before
//! wait in the mailbox. A failure up to (3) leaves nothing behind.

use std::collections::BTreeMap;

use crate::actor::{Core, Module, Phase, Slot, registry};
use crate::base::sync::atomic::{AtomicU64, Ordering};
use crate::base::sync::{Arc, Padded, RwLock};
use crate::base::{Address, CallError, ErrorCode, Grants, Pattern, Payload, Session};
use crate::node::context::{Birth, Inner};
use crate::node::metrics::Times;
use crate::node::supervise::Membership;
use crate::node::{Context, Node};
use crate::sched::{Full, Tag};

/// A module as actors are made of it.
pub struct ModuleEntry {
    pub module: Arc<dyn Module<Context>>,
    /// For every actor of the module that is given no others.
    pub grants: Arc<Grants>,
    /// Bytes of linear memory of an actor.
    pub memory: usize,
}

impl std::fmt::Debug for ModuleEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModuleEntry")
            .field("grants", &self.grants)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

/// What to spawn. `Default` fills all but the module.
#[derive(Clone, Debug, Default)]
pub struct SpawnSpec {
    pub module: String,
    /// The name in the manifest; the module's if there is none.
    pub label: Option<String>,
    /// Which of `count` actors of this label.
    pub index: u32,
    pub count: u32,
    /// Registered before `init` runs.
    pub names: Vec<String>,
    pub args: Option<Payload>,
    /// Instead of the module's.
    pub grants: Option<Arc<Grants>>,
    pub mailbox: Option<usize>,
    pub full: Option<Full>,
    pub parent: Option<Address>,
    /// Who hears, under which session, when `init` has returned.
    pub spawner: Option<(Address, Session)>,
    /// The supervisor that it belongs to.
    pub member: Option<Membership>,
}

/// What all actors of a module, or of an entry of the manifest, have in common. There is one for each worker, on lines of
/// its own: births and ends write to its count.
#[derive(Clone)]
#[repr(align(128))]
pub(in crate::node) struct Kind {
    pub module: Arc<dyn Module<Context>>,
    pub grants: Arc<Grants>,
    /// Bytes of linear memory of an actor.
    pub memory: usize,
    /// What the turns of the module's actors took.
    pub times: Arc<Times>,
    /// The name in the manifest, or the module's, and its number.
    pub label: Arc<str>,
    pub number: u32,
    /// The module's name.
    name: Box<str>,
    /// The module and its version, as a number.
    pub edition: u32,
    /// `grants.send` has `*`.
    pub send_all: bool,
    /// Whose births are of this one: an index into the module's kinds.
    place: usize,
}

/// A module in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    pub module: Arc<str>,
    /// Empty if the module has none.
    pub version: Arc<str>,
}

/// The modules by their names.
#[derive(Default)]
pub(in crate::node) struct Modules {
    /// Each with one kind a worker, the last for everybody else.
    kinds: RwLock<BTreeMap<String, Box<[Arc<Kind>]>>>,
    /// Every module in each version that there was, in the order in which they came.
    editions: RwLock<Vec<Edition>>,
    /// Counts the changes: who remembers a kind knows by this whether it is still the one.
    version: Padded<AtomicU64>,
}

impl Modules {
    /// Times of each module's actors, by the modules' names.
    pub(in crate::node) fn times(&self) -> Vec<(String, Arc<Times>)> {
        self.kinds.read().iter().map(|(name, kinds)| (name.clone(), kinds[0].times.clone())).collect()
    }

    /// The number of a module's new version.
    fn edition(&self, module: &str, version: &str) -> u32 {
        let mut editions = self.editions.write();
        editions.push(Edition { module: module.into(), version: version.into() });
        u32::try_from(editions.len() - 1).expect("fewer versions than actors")
    }

    fn get(&self, name: &str, place: usize) -> Result<Arc<Kind>, CallError> {
        let kinds = self.kinds.read();
        kinds
            .get(name)
            .map(|kinds| kinds[place].clone())
            .ok_or_else(|| invalid(format!("the manifest has no module `{name}`")))
    }
}

fn invalid(reason: String) -> CallError {
    CallError::new(ErrorCode::Invalid, reason)
}

impl Node {
    /// Makes a module known under a name. A later module of the same name takes its place for new actors.
    pub fn add_module(&self, name: &str, entry: ModuleEntry) {
        let mut kinds = self.modules.kinds.write();
        let times = kinds.get(name).map(|known| known[0].times.clone()).unwrap_or_default();
        let edition = self.modules.edition(name, entry.module.version());
        let kind = Kind { edition, ..self.kind(name, entry.module, entry.grants, entry.memory, times, name) };
        let each = (0..=self.run.workers()).map(|place| Arc::new(Kind { place, ..kind.clone() }));
        kinds.insert(name.to_owned(), each.collect());
        drop(kinds);
        // Release: who sees the new version finds the new module.
        self.modules.version.fetch_add(1, Ordering::Release);
    }

    /// What an actor with this number is made of.
    pub(in crate::node) fn edition(&self, number: u32) -> Edition {
        self.modules.editions.read()[number as usize].clone()
    }

    /// The modules that new actors are made of, as they are now.
    pub fn modules(&self) -> Vec<Edition> {
        self.modules.kinds.read().values().map(|kinds| kinds[0].edition).map(|number| self.edition(number)).collect()
    }

    fn kind(
        &self,
        name: &str,
        module: Arc<dyn Module<Context>>,
        grants: Arc<Grants>,
        memory: usize,
        times: Arc<Times>,
        label: &str,
    ) -> Kind {
        let number = self.label_of(label);
        let send_all = grants.send.iter().any(Pattern::matches_all);
        let (label, name) = (self.label(number), name.into());
        Kind { module, grants, memory, times, label, number, name, send_all, edition: 0, place: 0 }
    }

    /// The place of a worker's kinds, or of everybody else's.
    fn kinds_of(&self, worker: Option<usize>) -> usize {
        worker.unwrap_or(self.run.workers())
    }

    /// Starts an actor; its `init` runs later, on a worker.
    pub fn spawn(self: &Arc<Self>, worker: Option<usize>, spec: SpawnSpec) -> Result<Address, CallError> {
        let mut kind = self.modules.get(&spec.module, self.kinds_of(worker))?;
        if spec.label.is_some() || spec.grants.is_some() {
            let label = spec.label.as_deref().unwrap_or(&spec.module);
            let grants = spec.grants.unwrap_or_else(|| kind.grants.clone());
            let edition = kind.edition;
            let own = self.kind(&spec.module, kind.module.clone(), grants, kind.memory, kind.times.clone(), label);
            kind = Arc::new(Kind { edition, ..own });
        }
        let birth = Birth {
            kind,
            parent: spec.parent.unwrap_or(Address::HOST),
            index: spec.index,
            several: spec.count > 1,
            args: spec.args.unwrap_or_else(Payload::empty),
            names: spec.names,
            spawner: spec.spawner.unwrap_or((Address::HOST, Session::NONE)),
            member: spec.member.is_some(),
        };
        let (bound, full) = (spec.mailbox.unwrap_or(self.options.mailbox), spec.full.unwrap_or(self.options.full));
        self.give_birth(worker, birth, bound, full, |address| {
            if let Some(membership) = spec.member {
                self.join(address, membership);
            }
        })
    }

    /// The rest of every spawn; `before` gets the new address before the actor can do anything.
    fn give_birth(
        self: &Arc<Self>,
        worker: Option<usize>,
        birth: Birth,
        bound: usize,
        full: Full,
        before: impl FnOnce(Address),
    ) -> Result<Address, CallError> {
        if self.stopping.load(Ordering::SeqCst) {
            return Err(CallError::new(ErrorCode::Refused, "the host is stopping"));
        }
        let Some((address, slot)) = self.table.reserve(worker) else {
            return Err(CallError::new(ErrorCode::Refused, "the node has no room for another actor"));
        };
        for (done, name) in birth.names.iter().enumerate() {
            if let Err(error) = self.registry.register(name, address) {
                for name in &birth.names[..done] {
                    self.registry.unregister(name, address);
                }
                self.table.release(worker, address);
                return Err(invalid(format!("name `{name}`: {error}")));
            }
        }
        let tag = Tag { label: birth.kind.number, edition: birth.kind.edition, parent: birth.parent };
        let cx = Context::new(self, address, birth);
        put(slot, Core { behavior: None, cx, phase: Phase::New, parked: false });
        slot.usage.reset(self.clock.about_ns());
        self.population.born(worker);
        before(address);
        slot.mailbox.open(address, tag, bound, full);
        match worker {
            // The spawner goes on first: what it sends to the child is there when the child runs.
            Some(worker) => self.run.push_tail(worker, address.slot()),
            None => self.run.push(None, address.slot()),
        }
        Ok(address)
    }
}

impl Inner {
    /// The kind of a module at this worker; the last one is remembered.
    fn kind_of(&mut self, module: &str) -> Result<Arc<Kind>, CallError> {
        let place = self.node.kinds_of(self.worker);
        // Acquire: pairs with `add_module`.
        let version = self.node.modules.version.load(Ordering::Acquire);
        if let Some((known, kind)) = self.rare.as_ref().and_then(|rare| rare.spawned.as_ref())
            && *known == version
            && kind.place == place
            && *kind.name == *module
        {
            return Ok(kind.clone());
        }
        let kind = self.node.modules.get(module, place)?;
        self.rare().spawned = Some((version, kind.clone()));
        Ok(kind)
    }
}

impl Context {
    /// Starts an actor of a module; a spawned event with the session follows when its `init` has returned.
    pub fn spawn(&mut self, module: &str, name: Option<&str>, args: Payload) -> Result<Session, CallError> {
        let session = self.next_session();
        self.spawn_as(session, module, name, args, |_| {})?;
        let outstanding = crate::node::context::Outstanding { deadline: 0 };
        self.inner_mut().outstanding.insert(session, outstanding);
        Ok(session)
    }

    /// The same for an exclusive wait: no event, the answer goes to the lane.
    pub(in crate::node) fn spawn_as(
        &mut self,
        session: Session,
        module: &str,
        name: Option<&str>,
        args: Payload,
        before: impl FnOnce(Address),
    ) -> Result<Address, CallError> {
        let inner = self.inner_mut();
        inner.check_payload(&args)?;
        if !Pattern::any(&inner.kind.grants.spawn, module) {
            return Err(CallError::new(ErrorCode::NotGranted, format!("no grant to spawn `{module}`")));
        }
        if let Some(name) = name {
            registry::check(name).map_err(|error| invalid(error.to_string()))?;
            if !Pattern::any(&inner.kind.grants.names, name) {
                return Err(CallError::new(ErrorCode::NotGranted, format!("no grant to use the name `{name}`")));
            }
        }
        let birth = Birth {
            kind: inner.kind_of(module)?,
            parent: inner.address,
            index: 0,
            several: false,
            args,
            names: name.map(str::to_owned).into_iter().collect(),
            spawner: (inner.address, session),
            member: false,
        };
        let options = &inner.node.options;
        inner.node.give_birth(inner.worker, birth, options.mailbox, options.full, before)
    }
}

/// Fills a slot that was just acquired.
#[expect(unsafe_code, reason = "the slot is the caller's alone")]
fn put(slot: &Slot<Context>, core: Core<Context>) {
    // SAFETY: the table gave this free slot to this thread, which has not opened the mailbox: nobody else can have it. Who
    // had it before left it before it was released, and release and acquisition are under one lock.
    unsafe { *slot.core.enter() = Some(core) };
}
