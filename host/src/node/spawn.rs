//! Birth of an actor. Used by boot and by actors.
//!
//! In order: (1) rights and names are checked, (2) a slot is reserved, (3) the names are registered, (4) the context
//! is put into the slot, (5) the mailbox opens, scheduled, (6) the mailbox goes to the run queue. The instance is
//! made and initialised by the worker that takes it first; then the spawner hears of it. Messages that come before
//! wait in the mailbox. A failure up to (3) leaves nothing behind.

use crate::actor::{Core, Module, Phase, Slot, registry};
use crate::base::sync::Arc;
use crate::base::sync::atomic::Ordering;
use crate::base::{Address, CallError, ErrorCode, Grants, Pattern, Payload, Session};
use crate::node::context::{Birth, Inner};
use crate::node::editions::Kind;
use crate::node::limits::over;
use crate::node::supervise::Membership;
use crate::node::{Context, Limits, Node};
use crate::sched::Tag;

/// A module as actors are made of it.
pub struct ModuleEntry {
    pub module: Arc<dyn Module<Context>>,
    /// For every actor of the module that is given no others.
    pub grants: Arc<Grants>,
    /// The same.
    pub limits: Limits,
}

impl std::fmt::Debug for ModuleEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModuleEntry")
            .field("grants", &self.grants)
            .field("limits", &self.limits)
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
    /// Instead of the module's.
    pub limits: Option<Limits>,
    pub parent: Option<Address>,
    /// Who hears, under which session, when `init` has returned.
    pub spawner: Option<(Address, Session)>,
    /// The supervisor that it belongs to.
    pub member: Option<Membership>,
}

pub(in crate::node) fn invalid(reason: String) -> CallError {
    CallError::new(ErrorCode::Invalid, reason)
}

impl Node {
    /// Starts an actor; its `init` runs later, on a worker.
    pub fn spawn(self: &Arc<Self>, worker: Option<usize>, spec: SpawnSpec) -> Result<Address, CallError> {
        let mut kind = self.modules.get(&spec.module, self.place_of(worker))?;
        if spec.label.is_some() || spec.grants.is_some() || spec.limits.is_some() {
            kind = Arc::new(self.own_kind(&kind, spec.label.as_deref(), spec.grants, spec.limits));
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
        self.give_birth(worker, birth, |address| {
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
        before: impl FnOnce(Address),
    ) -> Result<Address, CallError> {
        if self.stopping.load(Ordering::SeqCst) {
            return Err(CallError::new(ErrorCode::Refused, "the host is stopping"));
        }
        self.check_birth()?;
        let Some((address, slot)) = self.table.reserve(worker) else {
            return Err(self.no_room());
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
        let tag = Tag { label: birth.kind.number, edition: birth.kind.edition.number(), parent: birth.parent };
        let bounds = birth.kind.limits.bounds();
        slot.sockets.store(birth.kind.limits.sockets, Ordering::Relaxed);
        let cx = Context::new(self, address, birth);
        put(slot, Core { behavior: None, cx, phase: Phase::New, parked: false });
        slot.usage.reset(self.clock.about_ns());
        slot.long.store(false, Ordering::Relaxed);
        self.population.born(worker);
        before(address);
        slot.mailbox.open(address, tag, bounds);
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
        let place = self.node.place_of(self.worker);
        let version = self.node.modules.version();
        if let Some((known, kind)) = self.rare.as_ref().and_then(|rare| rare.spawned.as_ref())
            && *known == version
            && kind.place == place
            && *kind.name == *module
        {
            return Ok(kind.clone());
        }
        let mut kind = self.node.modules.get(module, place)?;
        // What is started never gets more than who starts it has.
        if !Arc::ptr_eq(&kind.grants, &self.kind.grants) && !kind.grants.is_within(&self.kind.grants) {
            let grants = Arc::new(kind.grants.within(&self.kind.grants));
            kind = Arc::new(self.node.own_kind(&kind, None, Some(grants), None));
        }
        self.rare().spawned = Some((version, kind.clone()));
        Ok(kind)
    }
}

impl Context {
    /// Starts an actor of a module; a spawned event with the session follows when its `init` has returned.
    pub fn spawn(&mut self, module: &str, name: Option<&str>, args: Payload) -> Result<Session, CallError> {
        self.inner().check_requests()?;
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
        let most = inner.kind.limits.children;
        if !inner.node.table.adopt(inner.address, most) {
            return Err(over("children", most));
        }
        let born = inner.node.give_birth(inner.worker, birth, before);
        if born.is_err() {
            inner.node.table.lose(inner.address);
        }
        born
    }
}

/// Fills a slot that was just acquired.
#[expect(unsafe_code, reason = "the slot is the caller's alone")]
fn put(slot: &Slot<Context>, core: Core<Context>) {
    // SAFETY: the table gave this free slot to this thread, which has not opened the mailbox: nobody else can have it. Who
    // had it before left it before it was released, and release and acquisition are under one lock.
    unsafe { *slot.core.enter() = Some(core) };
}
