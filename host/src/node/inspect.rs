//! Looking into actors from outside while everything runs: what only the thread that runs an actor may touch, and what it is
//! given as it is given it. Used by the control endpoint.
//!
//! An actor is looked into where it stands:
//!
//! | it is | who looks |
//! |---|---|
//! | idle, parked, resting | the asker, under the mailbox's lock: nobody can begin a turn meanwhile |
//! | busy with short turns | its own worker, as the next turn begins |
//! | in the middle of a long turn | its own thread, as the epoch interrupts it ([`Context::slice_over`]) |
//!
//! Must hold: who is not looked at pays nothing: "is somebody looking" is a value of a word that is read at the begin of each
//! turn anyway ([`Usage::looked_at`]), and a flag that is read where a guest was interrupted. A trace that is read slowly
//! loses events, and says how many; it holds up nobody. Nothing allocates under a mailbox's lock.
//!
//! [`Usage::looked_at`]: crate::actor::Usage::looked_at

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant};

use crate::actor::Slot;
use crate::base::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::base::sync::{Arc, Mutex};
use crate::base::{Address, Body, Grants, Message, Session};
use crate::node::context::{Inner, Request};
use crate::node::crash::Head;
use crate::node::{Context, Limits, Node, metrics, turn};

/// Requests that are told of one actor. Thin air: whoever holds more is told by the number.
const DEBTS: usize = 256;
/// Messages of a share that are looked at.
const SHARE: usize = 4096;
/// Events that wait for the reader of a trace.
const TRACE: usize = 4096;
/// How often those who are at rest are looked for.
const STEP: Duration = Duration::from_millis(2);

/// A request that an actor has not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debt {
    /// Who waits.
    pub source: Address,
    pub session: Session,
    /// Nanoseconds of the node's clock, 0 for none.
    pub deadline: u64,
}

/// What an actor's book says.
#[derive(Clone, Debug, Default)]
pub struct Inside {
    /// Requests that it handles or holds.
    pub open: Vec<Debt>,
    /// So many more.
    pub more_open: usize,
    /// Answers that it waits for while it serves others.
    pub outstanding: usize,
    pub watches: usize,
    pub timers: usize,
    pub names: usize,
    /// What it may do. None: it was not seen.
    pub grants: Option<Arc<Grants>>,
    pub limits: Option<Limits>,
    /// When its turn of now was cut first, in nanoseconds of the clock.
    pub long_since: Option<u64>,
    /// What its worker has taken for it and not begun: senders, and the events' heads.
    pub share: Vec<Head>,
    /// Its guest's functions, the innermost first, if that was asked for in the middle of a turn.
    pub stack: Vec<String>,
}

/// What a trace tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traced {
    /// A turn begins; `waiting` messages are behind its own.
    Begins { head: Head, waiting: usize },
    /// The actor sends, forwards or answers; not `taken`: it was refused, or waits for room.
    Sends { to: Address, head: Head, taken: bool },
    /// It has ended, or parks, after so many nanoseconds.
    Ends { ran: u64 },
}

/// A live trace of one actor; ends when it is dropped.
#[derive(Debug)]
pub struct Trace {
    node: Arc<Node>,
    address: Address,
    number: u64,
    /// When, in nanoseconds of the clock, and what.
    pub events: Receiver<(u64, Traced)>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Tracing {
    number: u64,
    address: Address,
    sender: SyncSender<(u64, Traced)>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Wanted {
    asker: u64,
    address: Address,
    stack: bool,
    sender: Sender<(Address, Inside)>,
}

/// Who looks at whom.
#[derive(Debug, Default)]
pub(in crate::node) struct Eyes {
    traces: Mutex<Vec<Tracing>>,
    wanted: Mutex<Vec<Wanted>>,
    /// Some of `wanted` want to see an actor in the middle of a turn.
    any: AtomicBool,
    next: AtomicU64,
}

impl Eyes {
    fn tell(&self, address: Address, now: u64, what: Traced) {
        for trace in self.traces.lock().iter().filter(|trace| trace.address == address) {
            if let Err(TrySendError::Full(_)) = trace.sender.try_send((now, what)) {
                trace.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Takes out who wants to see this actor now.
    fn take(&self, address: Address, stack: bool) -> Vec<Sender<(Address, Inside)>> {
        let mut wanted = self.wanted.lock();
        // A turn in the middle can show its stack; one between two turns has none.
        let (mine, others) = std::mem::take(&mut *wanted)
            .into_iter()
            .partition(|one: &Wanted| one.address == address && (stack || !one.stack));
        *wanted = others;
        self.any.store(!wanted.is_empty(), Ordering::Relaxed);
        let mine: Vec<Wanted> = mine;
        mine.into_iter().map(|one| one.sender).collect()
    }
}

impl Inside {
    /// With room, so that filling it allocates nothing.
    fn empty() -> Self {
        Self { open: Vec::with_capacity(DEBTS), ..Self::default() }
    }

    fn fill(&mut self, inner: &Inner) {
        let debt = |session, request: &Request| Debt { source: request.source, session, deadline: request.deadline };
        let current = inner.current.iter().map(|request| debt(request.session, request));
        let now = inner.node.clock.now_ns();
        let open = inner.open.iter().filter(|(_, request)| !request.is_over(now));
        let open = open.map(|(session, request)| debt(session, request));
        for debt in current.chain(open) {
            if self.open.len() < DEBTS { self.open.push(debt) } else { self.more_open += 1 }
        }
        self.outstanding = inner.outstanding.len();
        (self.watches, self.names) = inner.rare.as_ref().map_or((0, 0), |rare| (rare.watches.len(), rare.names.len()));
        self.timers = inner.timers.len();
        (self.grants, self.limits) = (Some(inner.kind.grants.clone()), Some(inner.kind.limits.clone()));
        self.long_since = inner.long.as_ref().map(|long| long.since());
    }
}

/// In `Inner::noted`: what the actor sends is told to whoever traces it. Set as a turn begins; taken back when nobody does any
/// more.
pub(in crate::node) const TRACED: u8 = 2;

impl Inner {
    /// Whether somebody traces the actor.
    #[inline]
    pub(in crate::node) fn is_traced(&self) -> bool {
        self.noted & TRACED != 0
    }

    /// A turn begins of an actor that may be looked at.
    #[cold]
    pub(in crate::node) fn looked_at(&mut self, slot: &Slot<Context>, message: &Message) {
        if !slot.usage.looked_at() {
            return;
        }
        self.noted |= TRACED;
        let now = self.node.clock.now_ns();
        let waiting = slot.mailbox.queued() + self.share.len();
        self.node.eyes.tell(self.address, now, Traced::Begins { head: Head::of(message), waiting });
        metrics::time_turn(now);
        self.show(false, Vec::new());
    }

    /// A message or an answer goes out of an actor that was traced as its turn began.
    #[cold]
    pub(in crate::node) fn sends(&mut self, to: Address, head: Head, taken: bool) {
        let slot = self.node.table.slot(self.address.slot());
        if !slot.is_some_and(|slot| slot.usage.looked_at()) {
            self.noted &= !TRACED;
        } else {
            self.node.eyes.tell(self.address, self.node.clock.now_ns(), Traced::Sends { to, head, taken });
        }
    }

    /// A turn that was timed has ended.
    pub(in crate::node) fn looked_after(&self, now: u64, ran: u64) {
        if self.node.table.slot(self.address.slot()).is_some_and(|slot| slot.usage.looked_at()) {
            self.node.eyes.tell(self.address, now, Traced::Ends { ran });
        }
    }

    /// Shows the book to whoever wants to see it. Only by the thread that runs the actor.
    fn show(&self, in_turn: bool, stack: Vec<String>) {
        let askers = self.node.eyes.take(self.address, in_turn);
        if askers.is_empty() {
            return;
        }
        let mut inside = Inside { stack, ..Inside::empty() };
        inside.fill(self);
        inside.share.extend(self.share.iter().take(SHARE).map(Head::of));
        for asker in askers {
            // One that is gone has waited long enough.
            drop(asker.send((self.address, inside.clone())));
        }
    }
}

impl Context {
    /// Whether somebody wants to look into this actor in the middle of its turn. Asked where a guest was interrupted.
    pub fn is_looked_into(&self) -> bool {
        let inner = self.inner();
        inner.node.eyes.any.load(Ordering::Relaxed)
            && inner.node.eyes.wanted.lock().iter().any(|one| one.address == inner.address)
    }

    /// Lets them, with the guest's functions.
    pub fn look_into(&mut self, stack: Vec<String>) {
        self.inner().show(true, stack);
    }
}

impl Node {
    /// Looks into actors; with the stack of a guest that is in the middle of a turn, if it does not end soon. Blocks this
    /// thread (never a worker) for so long at most: who could not be looked into by then is left out.
    pub fn look_inside(&self, actors: &[Address], stack: bool, patience: Duration) -> HashMap<Address, Inside> {
        let until = Instant::now() + patience;
        let (sender, receiver) = channel();
        let mut seen = HashMap::new();
        let mut left: Vec<Address> = actors.to_vec();
        let asker = self.eyes.next.fetch_add(1, Ordering::Relaxed);
        let mut asked = false;
        loop {
            left.retain(|address| {
                let inside = self.at_rest(*address);
                let more = inside.is_none() && self.is_alive(*address);
                seen.extend(inside.map(|inside| (*address, inside)));
                more
            });
            if left.is_empty() || Instant::now() >= until {
                break;
            }
            if !asked {
                asked = true;
                let mut wanted = self.eyes.wanted.lock();
                wanted.extend(left.iter().map(|address| Wanted {
                    asker,
                    address: *address,
                    stack,
                    sender: sender.clone(),
                }));
                self.eyes.any.store(true, Ordering::Relaxed);
                drop(wanted);
                left.iter().for_each(|address| self.look(*address));
            }
            while let Ok((address, inside)) = receiver.recv_timeout(STEP) {
                seen.insert(address, inside);
            }
            left.retain(|address| !seen.contains_key(address));
        }
        if asked {
            drop(receiver);
            let mut wanted = self.eyes.wanted.lock();
            wanted.retain(|one| one.asker != asker);
            self.eyes.any.store(!wanted.is_empty(), Ordering::Relaxed);
            drop(wanted);
            actors.iter().for_each(|address| self.look(*address));
        }
        seen
    }

    /// Whether an actor is looked at, as its turns are to know.
    fn look(&self, address: Address) {
        let Some(slot) = self.table.get(address) else { return };
        let traced = self.eyes.traces.lock().iter().any(|one| one.address == address);
        let wanted = self.eyes.wanted.lock().iter().any(|one| one.address == address);
        slot.usage.look(traced || wanted);
    }

    /// The book of an actor that nobody runs.
    fn at_rest(&self, address: Address) -> Option<Inside> {
        let slot = self.table.get(address)?;
        let mut inside = Inside::empty();
        let looked = slot.mailbox.at_rest(address, || {
            // The stage says that no worker has the actor, and cannot change while the lock is held.
            let core = turn::enter(slot);
            let here = core.as_ref().filter(|core| !core.cx.is_hollow());
            here.map(|core| inside.fill(core.cx.inner())).is_some()
        });
        (looked == Some(true)).then_some(inside)
    }

    /// Tells of an actor's turns from now on. None: it has ended.
    pub fn trace(self: &Arc<Self>, address: Address) -> Option<Trace> {
        if !self.is_alive(address) {
            return None;
        }
        let (sender, events) = sync_channel(TRACE);
        let lost = Arc::new(AtomicU64::new(0));
        let number = self.eyes.next.fetch_add(1, Ordering::Relaxed);
        self.eyes.traces.lock().push(Tracing { number, address, sender, lost: lost.clone() });
        self.look(address);
        Some(Trace { node: self.clone(), address, number, events, lost })
    }

    /// The senders and events of the first messages that wait and that no worker has taken, with who waits for an answer.
    pub fn peek(&self, address: Address, most: usize) -> (Vec<Head>, Vec<Debt>) {
        let mut heads = Vec::with_capacity(most);
        let mut debts = Vec::with_capacity(DEBTS);
        if let Some(slot) = self.table.get(address) {
            slot.mailbox.peek(address, most, |message| {
                heads.push(Head::of(message));
                if let Body::Message { deadline, .. } = message.body
                    && !message.session.is_none()
                    && debts.len() < DEBTS
                {
                    debts.push(Debt { source: message.source, session: message.session, deadline });
                }
            });
        }
        (heads, debts)
    }

    /// How long some message of an actor has waited at least. None: none is timed.
    pub fn waits_since(&self, address: Address) -> Option<Duration> {
        let sent = self.table.get(address)?.usage.timed()?;
        Some(Duration::from_nanos(self.clock.now_ns().saturating_sub(sent)))
    }
}

impl Trace {
    /// Events that were not told because nobody took those before.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.node.eyes.traces.lock().retain(|one| one.number != self.number);
        self.node.look(self.address);
    }
}
