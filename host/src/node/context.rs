//! What one actor acts through, and what the host keeps for it: its open requests, what it awaits, its timers,
//! watches and sockets.
//!
//! The content can be moved out ([`Context::take`]): while guest code runs, the sandbox keeps it where the guest's
//! imports find it, and gives it back when the turn ends, parks, or is dropped. Using a hollow context is a host bug.
//!
//! Must hold: every open request in here is answered by the host if the actor does not ([`super::exit`]).

use std::collections::VecDeque;
use std::ops::Range;

use crate::base::sync::Arc;
use crate::base::{Address, CallError, Grants, Payload, Session, SessionMap};
use crate::node::Node;
use crate::node::metrics::Times;
use crate::node::slice::Long;
use crate::node::timers::TimerKey;

/// A request that this actor is to answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) struct Request {
    pub source: Address,
    pub session: Session,
    /// Nanoseconds of the node's clock, 0 for none.
    pub deadline: u64,
}

/// Something that this actor asked for and that ends with a reply or spawned event.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) struct Outstanding {
    /// Nanoseconds of the node's clock, 0 for none.
    pub deadline: u64,
}

/// What an exclusive wait ended with.
#[derive(Debug)]
pub enum Awaited {
    Reply(Result<Payload, CallError>),
    Spawned(Result<Address, CallError>),
    Timeout,
}

/// Whether a sender may send to a label, remembered.
pub(in crate::node) type Verdicts = Vec<(u32, bool)>;

pub(in crate::node) struct Inner {
    pub node: Arc<Node>,
    pub address: Address,
    pub parent: Address,
    /// The name in the manifest, or the module's.
    pub label: Arc<str>,
    /// The label, with the index where there are several: for the log.
    pub display: Arc<str>,
    pub index: u32,
    pub args: Payload,
    pub grants: Arc<Grants>,
    pub memory: usize,
    /// The module's.
    pub times: Arc<Times>,
    /// `grants.send` has `*`.
    pub send_all: bool,
    pub verdicts: Verdicts,
    /// The worker that runs the actor now. It may change in the middle of a turn ([`super::slice`]).
    pub worker: Option<usize>,
    /// The running turn was cut.
    pub long: Option<Box<Long>>,
    sessions: Range<u64>,
    /// The request that is being handled, as long as it is neither answered, deferred nor forwarded.
    pub current: Option<Request>,
    /// The request of this turn that was deferred.
    pub deferred: Session,
    pub open: SessionMap<Request>,
    pub outstanding: SessionMap<Outstanding>,
    /// When the earliest deadline timer is due; 0: none is armed.
    pub sweep_at: u64,
    /// None: a timer of 0 ms, which is in the mailbox already.
    pub timers: SessionMap<Option<TimerKey>>,
    pub watches: SessionMap<Address>,
    pub names: Vec<String>,
    pub has_sockets: bool,
    pub exit: Option<String>,
    pub stopping: bool,
    /// Who is to hear that `init` has returned: an actor or the host, and its session.
    pub spawner: Option<(Address, Session)>,
}

/// See the file's head.
pub struct Context(Option<Box<Inner>>);

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Context").field(&self.0.as_ref().map(|inner| inner.address)).finish()
    }
}

/// What a context starts with.
pub(in crate::node) struct Birth {
    pub node: Arc<Node>,
    pub address: Address,
    pub parent: Address,
    pub label: Arc<str>,
    pub display: Arc<str>,
    pub index: u32,
    pub args: Payload,
    pub grants: Arc<Grants>,
    pub memory: usize,
    pub times: Arc<Times>,
    pub names: Vec<String>,
    pub spawner: Option<(Address, Session)>,
}

impl Context {
    pub(in crate::node) fn new(birth: Birth) -> Self {
        let send_all = birth.grants.send.iter().any(|pattern| pattern.matches_all());
        Self(Some(Box::new(Inner {
            node: birth.node,
            address: birth.address,
            parent: birth.parent,
            label: birth.label,
            display: birth.display,
            index: birth.index,
            args: birth.args,
            grants: birth.grants,
            memory: birth.memory,
            times: birth.times,
            send_all,
            verdicts: Vec::new(),
            worker: None,
            long: None,
            sessions: 0..0,
            current: None,
            deferred: Session::NONE,
            open: SessionMap::default(),
            outstanding: SessionMap::default(),
            sweep_at: 0,
            timers: SessionMap::default(),
            watches: SessionMap::default(),
            names: birth.names,
            has_sockets: false,
            exit: None,
            stopping: false,
            spawner: birth.spawner,
        })))
    }

    /// A context with nothing in it.
    pub fn hollow() -> Self {
        Self(None)
    }

    /// Moves the content out; what stays is hollow.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// Whether the content is elsewhere.
    pub fn is_hollow(&self) -> bool {
        self.0.is_none()
    }

    pub(in crate::node) fn inner(&self) -> &Inner {
        self.0.as_ref().expect("the context is here while its actor runs")
    }

    pub(in crate::node) fn inner_mut(&mut self) -> &mut Inner {
        self.0.as_mut().expect("the context is here while its actor runs")
    }

    /// The actor's address.
    pub fn address(&self) -> Address {
        self.inner().address
    }

    /// The arguments from the manifest or the spawner.
    pub fn args(&self) -> &[u8] {
        &self.inner().args
    }

    /// A granted entry of the manifest's `[env]` table.
    pub fn env(&self, key: &str) -> Option<String> {
        let inner = self.inner();
        let granted = crate::base::Pattern::any(&inner.grants.env, key);
        if granted { inner.node.options.env.get(key).cloned() } else { None }
    }

    /// Every granted entry of the manifest's `[env]` table.
    pub fn env_granted(&self) -> Vec<(String, String)> {
        let inner = self.inner();
        let all = inner.node.options.env.iter();
        let granted = all.filter(|(key, _)| crate::base::Pattern::any(&inner.grants.env, key));
        granted.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The name in the manifest, or the module's name.
    pub fn name(&self) -> &str {
        &self.inner().label
    }

    /// Which of the manifest's `count` this is.
    pub fn index(&self) -> u32 {
        self.inner().index
    }

    /// What the actor may touch.
    pub fn grants(&self) -> &Grants {
        &self.inner().grants
    }

    /// Bytes of linear memory that the actor may have.
    pub fn memory_limit(&self) -> usize {
        self.inner().memory
    }

    /// The node.
    pub fn node(&self) -> &Arc<Node> {
        &self.inner().node
    }

    /// 64 bits from the operating system's generator.
    pub fn random(&self) -> u64 {
        // The call fails only where the kernel has no generator at all, and then no key of ours is worth anything.
        getrandom::u64().unwrap_or_else(|error| panic!("the operating system has no random numbers: {error}"))
    }

    pub(in crate::node) fn next_session(&mut self) -> Session {
        let inner = self.inner_mut();
        if inner.sessions.is_empty() {
            inner.sessions = inner.node.session_block(super::SESSION_BLOCK);
        }
        let session = Session(inner.sessions.start);
        inner.sessions.start += 1;
        session
    }

    /// Everything this actor still owes an answer to, taken out.
    pub(in crate::node) fn take_requests(&mut self) -> VecDeque<Request> {
        let inner = self.inner_mut();
        let current = inner.current.take();
        current.into_iter().chain(std::mem::take(&mut inner.open).into_values()).collect()
    }
}
