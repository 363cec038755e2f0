//! What is left of an actor that faulted: gathered here by the worker that ran it, written down by another thread
//! (`crate::crash`), since files are no worker's affair. Nothing of it happens until somebody asks for it
//! ([`Node::on_crash`]).
//!
//! Must hold: a flood of faults costs the workers no more than the budget; what has no report is counted, and said. Only
//! faults are crashes: a kill, or an error that `init` returns, is none. What is known of one fault is never told of another.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::SystemTime;

use crate::actor::{Core, Evidence, Module, Phase};
use crate::base::sync::{Arc, Mutex};
use crate::base::{Address, Body, Message, Payload, Session, SocketEvent};
use crate::node::turn_kind::{STEP_NAMES, TURN_NAMES, turn_kind};
use crate::node::{Context, Node};

/// Reports that may be made at once, after a quiet time.
const BURST: u32 = 16;
/// Then one in so many nanoseconds. Thin air: who reads more than one a second?
const EVERY: u64 = 1_000_000_000;
/// Reports that wait to be written; one may hold a whole memory.
const WAITING: usize = 4;

/// How much is kept of what actors do, for the report of a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrashOptions {
    /// Headers of the last events, for each actor that [`Self::all`] speaks of. 0: none.
    pub events: usize,
    /// Of all actors; else of supervised ones.
    pub all: bool,
    /// Bytes of the payload of the event that faulted. 0: none, and they cost a copy of each.
    pub payload: usize,
    /// Bytes of linear memory that an actor may have for its memory to be dumped. 0: none is.
    pub dump: usize,
}

impl Default for CrashOptions {
    fn default() -> Self {
        Self { events: 16, all: false, payload: 0, dump: 64 << 20 }
    }
}

/// What an event was, without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub source: Address,
    pub session: Session,
    /// Bytes of its payload.
    pub length: u32,
    /// Of a message, the sender's number for what it is.
    pub kind: u32,
    event: u8,
}

impl Head {
    /// Before the first event.
    pub(in crate::node) const INIT: Self =
        Self { source: Address::HOST, session: Session::NONE, length: 0, kind: 0, event: 0 };

    #[inline]
    pub(in crate::node) fn of(message: &Message) -> Self {
        let (kind, length) = match &message.body {
            Body::Message { kind, payload, .. } => (*kind, payload.len()),
            Body::Reply(Ok(payload)) | Body::Socket { event: SocketEvent::Data(payload), .. } => (0, payload.len()),
            _ => (0, 0),
        };
        #[expect(clippy::cast_possible_truncation, reason = "payloads are bounded by 1 GiB, kinds of turn are ten")]
        let (length, event) = (length as u32, turn_kind(&message.body) as u8);
        Self { source: message.source, session: message.session, length, kind, event }
    }

    /// Of an answer.
    pub(in crate::node) fn reply(source: Address, session: Session, length: usize) -> Self {
        let body = Body::Reply(Ok(Payload::empty()));
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        Self { length, ..Self::of(&Message { source, session, body }) }
    }

    /// A step of a reload.
    fn step(name: &str) -> Self {
        let known = TURN_NAMES.iter().chain(&STEP_NAMES).position(|other| *other == name);
        Self { event: known.and_then(|at| u8::try_from(at).ok()).unwrap_or(0), ..Self::INIT }
    }

    /// The event's name in `wit/handler.wit`, or `init`, or the step of a reload.
    pub fn event(&self) -> &'static str {
        let at = usize::from(self.event);
        TURN_NAMES.get(at).copied().unwrap_or_else(|| STEP_NAMES[at - TURN_NAMES.len()])
    }
}

/// In `Inner::noted`: the actor has a recorder.
pub(in crate::node) const RECORDED: u8 = 1;

/// The last events of one actor.
#[derive(Debug)]
pub(in crate::node) struct Recorder {
    heads: VecDeque<Head>,
    events: usize,
    /// Of the event that is handled.
    payload: Vec<u8>,
    bytes: usize,
}

impl Recorder {
    pub(in crate::node) fn note(&mut self, head: Head, message: &Message) {
        if self.events > 0 {
            if self.heads.len() == self.events {
                self.heads.pop_front();
            }
            self.heads.push_back(head);
        }
        if self.bytes > 0 {
            self.payload.clear();
            if let Body::Message { payload, .. }
            | Body::Reply(Ok(payload))
            | Body::Socket { event: SocketEvent::Data(payload), .. } = &message.body
            {
                self.payload.extend_from_slice(&payload[..payload.len().min(self.bytes)]);
            }
        }
    }

    /// For the next instance.
    pub(in crate::node) fn clear(&mut self) {
        self.heads.clear();
        self.payload.clear();
    }
}

/// One crash.
pub struct Crash {
    pub at: SystemTime,
    /// The actor's name as the log shows it.
    pub actor: String,
    pub address: Address,
    pub parent: Address,
    /// Instances that it had before this one.
    pub earlier: u64,
    pub supervised: bool,
    /// The module's name in the manifest.
    pub module_name: String,
    pub module: Arc<dyn Module<Context>>,
    /// The first line says what happened.
    pub reason: String,
    /// The event that faulted, with its sender's label; `init` for none.
    pub event: (Head, Option<Arc<str>>),
    /// The first bytes of it.
    pub payload: Vec<u8>,
    /// Events before it, the oldest first.
    pub events: Vec<(Head, Option<Arc<str>>)>,
    pub evidence: Evidence,
    /// By their names in the report.
    pub limits: Vec<(&'static str, u64)>,
    /// Crashes since the last report that have none.
    pub left_out: u64,
}

impl std::fmt::Debug for Crash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crash").field("actor", &self.actor).field("reason", &self.reason).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Budget {
    left: u32,
    /// Nanoseconds of the clock up to which `left` is counted.
    at: u64,
    left_out: u64,
}

impl Budget {
    fn refill(&mut self, now: u64) {
        let more = now.saturating_sub(self.at) / EVERY;
        self.left = u32::try_from(more).unwrap_or(BURST).saturating_add(self.left).min(BURST);
        self.at += more * EVERY;
    }
}

/// Who wants to hear of crashes.
#[derive(Debug)]
pub(in crate::node) struct Crashes {
    options: CrashOptions,
    budget: Mutex<Budget>,
    sender: Mutex<Option<SyncSender<Box<Crash>>>>,
}

impl Crashes {
    /// What is to be kept of a new actor.
    pub(in crate::node) fn recorder(&self, member: bool) -> Option<Box<Recorder>> {
        let CrashOptions { events, all, payload, .. } = self.options;
        let wanted = (all || member) && (events > 0 || payload > 0);
        wanted.then(|| Box::new(Recorder { heads: VecDeque::new(), events, payload: Vec::new(), bytes: payload }))
    }

    /// Takes from the budget: crashes that were left out before. None: this one is, too.
    fn admit(&self, now: u64) -> Option<u64> {
        let mut budget = self.budget.lock();
        budget.refill(now);
        if budget.left == 0 {
            drop(budget);
            self.leave_out();
            return None;
        }
        budget.left -= 1;
        Some(std::mem::take(&mut budget.left_out))
    }

    fn leave_out(&self) {
        let mut budget = self.budget.lock();
        budget.left_out += 1;
        if budget.left_out == 1 {
            drop(budget);
            tracing::warn!(target: "wasmactor", "crashes come faster than they are written down: some have no report");
        }
    }
}

impl Node {
    /// From now on crashes are sent there. To be called once, before any actor starts.
    pub fn on_crash(&self, options: CrashOptions) -> Receiver<Box<Crash>> {
        let (sender, receiver) = sync_channel(WAITING);
        let budget = Mutex::new(Budget { left: BURST, at: self.clock.now_ns(), left_out: 0 });
        let crashes = Crashes { options, budget, sender: Mutex::new(Some(sender)) };
        assert!(self.crashes.set(crashes).is_ok(), "crashes have one reader");
        receiver
    }

    /// Ends what [`Node::on_crash`] began: the receiver gets what is there, and no more. How many crashes had no report since
    /// the last one that had.
    pub fn end_crashes(&self) -> u64 {
        self.crashes.get().map_or(0, |crashes| {
            crashes.sender.lock().take();
            std::mem::take(&mut crashes.budget.lock().left_out)
        })
    }

    /// An event's head, with the label of its sender if that is alive.
    fn with_label(&self, head: Head) -> (Head, Option<Arc<str>>) {
        let tag = self.table.get(head.source).and_then(|slot| slot.mailbox.tag(head.source));
        (head, tag.map(|tag| self.label(tag.label)))
    }

    /// An instance has faulted, and its actor was not killed.
    pub(in crate::node) fn crashed(&self, core: &mut Core<Context>, reason: &str) {
        let head = if core.phase == Phase::Ready { core.cx.inner().event } else { Head::INIT };
        self.report_crash(core, head, true, reason);
    }

    /// The same in a step of a reload; where the actor goes on with what it was, so does what is noted of its events.
    pub(in crate::node) fn crashed_in(&self, core: &mut Core<Context>, step: &str, reason: &str) {
        self.report_crash(core, Head::step(step), false, reason);
    }

    /// `noted`: the event is the last one that was noted, and no other one follows.
    fn report_crash(&self, core: &mut Core<Context>, head: Head, noted: bool, reason: &str) {
        let Some(crashes) = self.crashes.get() else { return };
        let evidence = core.cx.inner_mut().rare().evidence.take().unwrap_or_default();
        let Some(left_out) = crashes.admit(self.clock.now_ns()) else { return };
        let options = &self.options;
        let memory = core.cx.memory_limit();
        let inner = core.cx.inner_mut();
        let recorded = inner.rare().recorder.as_mut().map(|recorder| {
            if !noted {
                return (recorder.heads.clone(), Vec::new());
            }
            let mut heads = std::mem::take(&mut recorder.heads);
            // The last one is the event itself, which stands elsewhere.
            heads.pop_back();
            (heads, std::mem::take(&mut recorder.payload))
        });
        let (heads, payload) = recorded.unwrap_or_default();
        let small = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
        let mut limits = vec![
            ("memory-bytes", memory as u64),
            ("payload-bytes", inner.kind.limits.payload as u64),
            ("call-timeout-ms", small(options.call_timeout.as_millis())),
            ("slice-us", small(options.slice.as_micros())),
        ];
        if let Some(slot) = self.table.get(inner.address) {
            limits.push(("memory-in-use-bytes", slot.usage.memory() as u64));
            limits.push(("mailbox-messages", slot.mailbox.bound() as u64));
            limits.push(("mailbox-waiting", slot.mailbox.len() as u64));
        }
        limits.extend(&evidence.limits);
        let crash = Box::new(Crash {
            at: SystemTime::now(),
            actor: core.cx.display().into_owned(),
            address: core.cx.address(),
            parent: core.cx.inner().parent,
            earlier: self.restarts(core.cx.address()),
            supervised: core.cx.inner().is_member(),
            module_name: core.cx.inner().kind.name.to_string(),
            module: core.cx.inner().kind.module.clone(),
            reason: reason.to_owned(),
            event: self.with_label(head),
            payload,
            events: heads.into_iter().map(|head| self.with_label(head)).collect(),
            evidence: *evidence,
            limits,
            left_out,
        });
        let sender = crashes.sender.lock().clone();
        match sender.map(|sender| sender.try_send(crash)) {
            Some(Err(TrySendError::Full(crash))) => {
                crashes.budget.lock().left_out += crash.left_out;
                crashes.leave_out();
            }
            Some(Ok(()) | Err(TrySendError::Disconnected(_))) | None => {}
        }
    }
}

impl Context {
    /// Whether what the sandbox knows of a fault of now is wanted: how large a memory may be to be dumped. Asked before
    /// anything is gathered, since that costs more than the fault.
    pub fn wants_evidence(&self) -> Option<usize> {
        let inner = self.inner();
        let crashes = inner.node.crashes.get()?;
        let killed = inner.node.table.get(inner.address).is_none_or(|slot| slot.mailbox.killed());
        let mut budget = crashes.budget.lock();
        budget.refill(inner.node.clock.now_ns());
        (!killed && budget.left > 0).then_some(crashes.options.dump)
    }

    /// Leaves it for the report.
    pub fn leave_evidence(&mut self, evidence: Evidence) {
        self.inner_mut().rare().evidence = Some(Box::new(evidence));
    }

    /// Whether the last fault left any.
    pub(in crate::node) fn has_evidence(&self) -> bool {
        self.inner().rare.as_ref().is_some_and(|rare| rare.evidence.is_some())
    }
}
