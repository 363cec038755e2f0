//! Birth of an actor. Used by boot and by actors.
//!
//! In order: (1) rights and names are checked, (2) a slot is reserved, (3) the names are registered, (4) the context
//! is put into the slot, (5) the mailbox opens, scheduled, (6) the mailbox goes to the run queue. The instance is
//! made and initialised by the worker that takes it first; then the spawner hears of it. Messages that come before
//! wait in the mailbox. A failure up to (3) leaves nothing behind.

use crate::actor::{Core, Module, Phase, registry};
use crate::base::sync::Arc;
use crate::base::sync::atomic::Ordering;
use crate::base::{Address, CallError, ErrorCode, Grants, Pattern, Payload, Session};
use crate::node::context::Birth;
use crate::node::metrics::Times;
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

/// A module and what its actors' turns took.
pub(in crate::node) struct Known {
    pub entry: ModuleEntry,
    pub times: Arc<Times>,
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
}

fn invalid(reason: String) -> CallError {
    CallError::new(ErrorCode::Invalid, reason)
}

impl Node {
    /// Makes a module known under a name. A later module of the same name takes its place for new actors.
    pub fn add_module(&self, name: &str, entry: ModuleEntry) {
        let mut modules = self.modules.write();
        let times = modules.get(name).map(|known| known.times.clone()).unwrap_or_default();
        modules.insert(name.to_owned(), Arc::new(Known { entry, times }));
    }

    /// Starts an actor; its `init` runs later, on a worker.
    pub fn spawn(self: &Arc<Self>, worker: Option<usize>, spec: SpawnSpec) -> Result<Address, CallError> {
        self.spawn_told(worker, spec, |_| {})
    }

    /// The same; `before` gets the new address before the actor can do anything.
    pub(in crate::node) fn spawn_told(
        self: &Arc<Self>,
        worker: Option<usize>,
        spec: SpawnSpec,
        before: impl FnOnce(Address),
    ) -> Result<Address, CallError> {
        if self.stopping.load(Ordering::SeqCst) {
            return Err(CallError::new(ErrorCode::Refused, "the host is stopping"));
        }
        let Some(known) = self.modules.read().get(&spec.module).cloned() else {
            return Err(invalid(format!("the manifest has no module `{}`", spec.module)));
        };
        let entry = &known.entry;
        let Some((address, slot)) = self.table.reserve() else {
            return Err(CallError::new(ErrorCode::Refused, "the node has no room for another actor"));
        };
        for (done, name) in spec.names.iter().enumerate() {
            if let Err(error) = self.registry.register(name, address) {
                for name in &spec.names[..done] {
                    self.registry.unregister(name, address);
                }
                self.table.release(address);
                return Err(invalid(format!("name `{name}`: {error}")));
            }
        }
        let label = spec.label.as_deref().unwrap_or(&spec.module);
        let number = self.label_of(label);
        let label = self.label(number);
        let display = if spec.count > 1 { format!("{label}.{}", spec.index).into() } else { label.clone() };
        let parent = spec.parent.unwrap_or(Address::HOST);
        let cx = Context::new(Birth {
            node: self.clone(),
            address,
            parent,
            label,
            display,
            index: spec.index,
            args: spec.args.unwrap_or_else(Payload::empty),
            grants: spec.grants.unwrap_or_else(|| entry.grants.clone()),
            memory: entry.memory,
            times: known.times.clone(),
            names: spec.names,
            spawner: spec.spawner,
        });
        let core = Core { module: entry.module.clone(), behavior: None, cx, phase: Phase::New, parked: false };
        *slot.core.lock() = Some(Box::new(core));
        slot.usage.reset();
        self.alive.fetch_add(1, Ordering::SeqCst);
        let (bound, full) = (spec.mailbox.unwrap_or(self.options.mailbox), spec.full.unwrap_or(self.options.full));
        before(address);
        slot.mailbox.open(address, Tag { label: number, parent }, bound, full);
        match worker {
            // The spawner goes on first: what it sends to the child is there when the child runs.
            Some(worker) => self.run.push_tail(worker, address.slot()),
            None => self.run.push(None, address.slot()),
        }
        Ok(address)
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
        let inner = self.inner();
        inner.check_payload(&args)?;
        if !Pattern::any(&inner.grants.spawn, module) {
            return Err(CallError::new(ErrorCode::NotGranted, format!("no grant to spawn `{module}`")));
        }
        if let Some(name) = name {
            registry::check(name).map_err(|error| invalid(error.to_string()))?;
            if !Pattern::any(&inner.grants.names, name) {
                return Err(CallError::new(ErrorCode::NotGranted, format!("no grant to use the name `{name}`")));
            }
        }
        let spec = SpawnSpec {
            module: module.to_owned(),
            names: name.map(str::to_owned).into_iter().collect(),
            args: Some(args),
            parent: Some(inner.address),
            spawner: Some((inner.address, session)),
            ..SpawnSpec::default()
        };
        let node = inner.node.clone();
        node.spawn_told(inner.worker, spec, before)
    }
}
