//! What one actor acts through, and what the host keeps for it: its open requests, what it awaits, its timers,
//! watches and sockets.
//!
//! The content can be moved out ([`Context::take`]): while guest code runs, the sandbox keeps it where the guest's
//! imports find it, and gives it back when the turn ends, parks, or is dropped. Using a hollow context is a host bug.
//!
//! Must hold: every open request in here is answered by the host if the actor does not ([`super::exit`]).

use std::borrow::Cow;
use std::mem::ManuallyDrop;
use std::ops::Deref;

use crate::actor::Evidence;
use crate::base::sync::Arc;
use crate::base::{Address, CallError, Grants, Payload, Session, SessionMap};
use crate::node::Node;
use crate::node::crash::{Head, RECORDED, Recorder};
use crate::node::editions::Kind;
use crate::node::exchange::{Exchange, Exchanging};
use crate::node::log_rate::LogRate;
use crate::node::quota::Quota;
use crate::node::restart::OwnSockets;
use crate::node::slice::Long;
use crate::node::timers::TimerKey;
use crate::sched::Chain;

/// The node, without a share in its count: two workers that start and end actors would write to the count's cache line
/// all the time.
pub(in crate::node) struct Home(ManuallyDrop<Arc<Node>>);

impl Home {
    #[expect(unsafe_code, reason = "a reference that is not counted")]
    fn new(node: &Arc<Node>) -> Self {
        // SAFETY: this copy is never dropped, so the count stays right. A context, and what its turn uses, is in a slot of the
        // node's own table, or in the hands of a worker, which has a counted reference for as long as it runs: so the
        // node is there whenever a context is used.
        Self(ManuallyDrop::new(unsafe { std::ptr::read(node) }))
    }
}

/// The same once more, for as long as a worker runs the actor: what is found by it can be held while the context changes.
impl Clone for Home {
    #[inline]
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Deref for Home {
    type Target = Arc<Node>;
    #[inline]
    fn deref(&self) -> &Arc<Node> {
        &self.0
    }
}

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

/// See [`Context::sequence`].
#[derive(Clone, Debug)]
pub struct Sequence(u64);

/// 2^64 over the golden ratio.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Iterator for Sequence {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.nth(0)
    }

    fn nth(&mut self, left_out: usize) -> Option<u64> {
        self.0 = self.0.wrapping_add((left_out as u64).wrapping_add(1).wrapping_mul(GAMMA));
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(bits ^ (bits >> 31))
    }
}

/// Whether a sender may send to a label, remembered.
pub(in crate::node) type Verdicts = Vec<(u32, bool)>;

/// What few actors need.
#[derive(Default)]
pub(in crate::node) struct Rare {
    pub watches: SessionMap<Address>,
    pub names: Vec<String>,
    /// The reason of an exit, until the turn is over.
    pub exit: String,
    /// What this actor started last, and the modules' version then.
    pub spawned: Option<(u64, Arc<Kind>)>,
    /// The actor is a supervisor's member.
    pub member: bool,
    pub log_rate: LogRate,
    /// What is left of the actor's share of a core, if it has less than a whole one.
    pub quota: Option<Quota>,
    /// The turn that was interrupted last, by its number, and when it was first.
    pub interrupted: (u64, u64),
    /// Numbers drawn by this instance that may have no entropy.
    pub drawn: usize,
    /// Sockets of this instance; none: the first one, and all of the actor's are.
    pub sockets: Option<OwnSockets>,
    /// While the instance is to be exchanged for one of another version.
    pub exchange: Option<Box<Exchange>>,
    /// What it did last, for the report of a crash; and what is known of one of now.
    pub recorder: Option<Box<Recorder>>,
    pub evidence: Option<Box<Evidence>>,
}

pub(in crate::node) struct Inner {
    pub node: Home,
    pub kind: Arc<Kind>,
    pub address: Address,
    pub parent: Address,
    /// Which of the actors of its kind, and whether there are several.
    pub index: u32,
    pub several: bool,
    pub has_sockets: bool,
    pub subscribed: bool,
    /// The actor ends when this turn does.
    pub exiting: bool,
    pub stopping: bool,
    /// It stops to be restarted: what waits is for the next instance.
    pub leaving: bool,
    pub exchanging: Exchanging,
    pub args: Box<[u8]>,
    pub verdicts: Verdicts,
    /// The worker that runs the actor now. It may change in the middle of a turn ([`super::slice`]).
    pub worker: Option<usize>,
    /// The running turn was cut.
    pub long: Option<Box<Long>>,
    /// The next session; a multiple of the block's size: the block is used up.
    next_session: u64,
    /// What was taken from the mailbox and is not begun.
    pub share: Chain,
    /// Turns until another mailbox that waits comes first.
    pub due: u32,
    /// What is being handled, or was last.
    pub event: Head,
    /// Who notes what the actor does: [`RECORDED`], [`TRACED`](super::inspect::TRACED).
    pub noted: u8,
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
    /// Who is to hear that `init` has returned: an actor or the host, and its session (none: nobody).
    pub spawner: (Address, Session),
    pub rare: Option<Box<Rare>>,
}

impl Inner {
    pub(in crate::node) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Whether the actor is a supervisor's member.
    pub(in crate::node) fn is_member(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.member)
    }

    /// Whether the actor had an instance before this one.
    pub(in crate::node) fn had_another(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.sockets.is_some())
    }
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
    pub kind: Arc<Kind>,
    pub parent: Address,
    pub index: u32,
    pub several: bool,
    pub args: Payload,
    pub names: Vec<String>,
    pub spawner: (Address, Session),
    pub member: bool,
}

impl Context {
    pub(in crate::node) fn new(node: &Arc<Node>, address: Address, birth: Birth) -> Self {
        let recorder = node.crashes.get().and_then(|crashes| crashes.recorder(birth.member));
        let recorded = recorder.is_some();
        let rare = (!birth.names.is_empty() || birth.member || recorded)
            .then(|| Box::new(Rare { names: birth.names, member: birth.member, recorder, ..Rare::default() }));
        Self(Some(Box::new(Inner {
            node: Home::new(node),
            kind: birth.kind,
            address,
            parent: birth.parent,
            index: birth.index,
            several: birth.several,
            has_sockets: false,
            subscribed: false,
            exiting: false,
            stopping: false,
            leaving: false,
            exchanging: Exchanging::No,
            args: if birth.args.is_empty() { Box::default() } else { birth.args.into_vec().into_boxed_slice() },
            verdicts: Vec::new(),
            worker: None,
            long: None,
            next_session: 0,
            share: Chain::default(),
            due: 0,
            event: Head::INIT,
            noted: if recorded { RECORDED } else { 0 },
            current: None,
            deferred: Session::NONE,
            open: SessionMap::default(),
            outstanding: SessionMap::default(),
            sweep_at: 0,
            timers: SessionMap::default(),
            spawner: birth.spawner,
            rare,
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
        let granted = crate::base::Pattern::any(&inner.kind.grants.env, key);
        if granted { inner.node.options.env.get(key).cloned() } else { None }
    }

    /// Every granted entry of the manifest's `[env]` table.
    pub fn env_granted(&self) -> Vec<(String, String)> {
        let inner = self.inner();
        let all = inner.node.options.env.iter();
        let granted = all.filter(|(key, _)| crate::base::Pattern::any(&inner.kind.grants.env, key));
        granted.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The name in the manifest, or the module's name.
    pub fn name(&self) -> &str {
        &self.inner().kind.label
    }

    /// The name, with the index where there are several: for the log.
    pub(in crate::node) fn display(&self) -> Cow<'_, str> {
        let inner = self.inner();
        let label = &*inner.kind.label;
        if inner.several { format!("{label}.{}", inner.index).into() } else { label.into() }
    }

    /// Which of the manifest's `count` this is.
    pub fn index(&self) -> u32 {
        self.inner().index
    }

    /// What the actor may touch.
    pub fn grants(&self) -> &Grants {
        &self.inner().kind.grants
    }

    /// Elements of tables that the actor may have.
    pub fn table_limit(&self) -> usize {
        self.inner().kind.limits.table
    }

    /// Files, streams and pollables of WASI that the actor may have.
    pub fn files_limit(&self) -> usize {
        self.inner().kind.limits.files as usize
    }

    /// Bytes of linear memory that the actor may have.
    pub fn memory_limit(&self) -> usize {
        self.inner().kind.limits.memory
    }

    /// The worker that runs the actor now.
    pub fn worker(&self) -> Option<usize> {
        self.inner().worker
    }

    /// The node.
    pub fn node(&self) -> &Arc<Node> {
        &self.inner().node
    }

    /// 64 bits from the operating system's generator; without a grant, the next ones of a sequence that every actor of this
    /// name and index gets.
    pub fn random(&mut self) -> u64 {
        let granted = self.grants().random;
        if !granted {
            let mut sequence = self.sequence();
            let rare = self.inner_mut().rare();
            rare.drawn += 1;
            return sequence.nth(rare.drawn - 1).unwrap_or_default();
        }
        // The call fails only where the kernel has no generator at all, and then no key of ours is worth anything.
        getrandom::u64().unwrap_or_else(|error| panic!("the operating system has no random numbers: {error}"))
    }

    /// What an actor without entropy gets instead: Steele's SplitMix64, seeded by its name and index.
    pub fn sequence(&self) -> Sequence {
        // FNV-1a.
        let seed = self
            .display()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Sequence(seed)
    }

    pub(in crate::node) fn next_session(&mut self) -> Session {
        let inner = self.inner_mut();
        if inner.next_session.is_multiple_of(super::SESSION_BLOCK) {
            inner.next_session = inner.node.session_block();
        }
        let session = Session(inner.next_session);
        inner.next_session += 1;
        session
    }

    /// Everything this actor still owes an answer to, taken out.
    pub(in crate::node) fn take_requests(&mut self) -> Vec<Request> {
        let inner = self.inner_mut();
        let mut requests = std::mem::take(&mut inner.open).into_values();
        requests.extend(inner.current.take());
        requests
    }
}
