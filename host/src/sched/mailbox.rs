//! One actor's messages and its place in the schedule. Used by `node` (push) and the workers (take).
//!
//! | public item | what it does |
//! |---|---|
//! | [`Mailbox::open`] / [`Mailbox::close`] | gives the mailbox to an address / takes it back with all it holds |
//! | [`Mailbox::push`] | a message in; says whether the mailbox must go to the run queue |
//! | [`Mailbox::take`] | a share of the messages out |
//! | [`Mailbox::rest`] | the end of a turn of the queue: idle, or to the queue again |
//! | [`Mailbox::expect`], [`Mailbox::park`], [`Mailbox::answer`], [`Mailbox::wake`] | exclusive waiting |
//! | [`Mailbox::suspend`], [`Mailbox::release`] | between two instances of one actor messages only wait |
//! | [`Mailbox::delay`], [`Mailbox::undelay`] | while an actor's share of a core is used up messages only wait |
//! | [`Mailbox::stop`] | a word to the actor that overtakes what waits |
//! | [`Mailbox::kill`] | the end, as soon as no worker runs the actor |
//!
//! Must hold:
//! - A mailbox is in the run queue, or with a worker, at most once: only the change of `stage` to `Scheduled`, made
//!   under the lock, entitles (and obliges) one thread to queue it. So one actor runs on at most one worker.
//! - A push to an address that is not the current one changes nothing.
//! - A message counts against the bound until its turn begins, also while it lies in the share that a worker took. Its
//!   bytes, if they are more than lie in a letter, count until the whole share was begun: so that a turn need not book them.
//! - What makes an idle actor ready goes past the queue ([`Handover`]): it is older than all that is queued, and counts as
//!   one of the share. Only where nothing can be dropped any more at the bound.
//! - The bound holds for ordinary messages. Replies, exits, timers, sockets and signals are never refused: the
//!   receiver asked for each of them, so their number is bounded by what it asked for.

mod view;

use crate::base::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use crate::base::sync::{Brief, BriefGuard};
use crate::base::{Address, Body, CallError, Cause, ErrorCode, Message, Payload, Session, SocketEvent};
use crate::sched::{Chain, Handover, Letter, backlog};

pub use view::{Standing, View};

/// A mailbox this long is worth a warning; the threshold doubles each time and resets when it is empty.
/// skynet's (skynet_mq.c, MQ_OVERLOAD).
pub const OVERLOAD: u32 = 1024;

/// What happens to an ordinary message at the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Full {
    /// The sender gets `mailbox-full`.
    #[default]
    Refuse,
    /// The oldest ordinary message goes; if it was a request it is answered `mailbox-full`.
    DropOldest,
    /// A sender that can be parked is held back until there is room; others get `mailbox-full`.
    Hold,
}

/// How much of ordinary messages a mailbox takes, and what happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub messages: usize,
    /// Of payloads that do not lie in their letter.
    pub bytes: usize,
    pub full: Full,
}

impl Bounds {
    /// So many messages of any size; more are refused.
    pub fn of(messages: usize) -> Self {
        Self { messages, bytes: usize::MAX, full: Full::Refuse }
    }
}

/// What became of a push.
#[derive(Debug)]
#[must_use]
pub enum Pushed {
    /// It is in; somebody has scheduled the mailbox already, or the actor is parked.
    Queued,
    /// It is in, and the caller must put the mailbox into the run queue.
    Schedule,
    /// The mailbox is full; the message comes back.
    Full(Letter, Full),
    /// The address is not (or no longer) this mailbox's; the message comes back.
    Gone(Letter),
    /// The sender has no right to send here; the message comes back.
    Denied(Letter),
}

impl Pushed {
    /// It is in; whether the caller must queue the mailbox.
    #[inline]
    fn of(schedule: bool) -> Self {
        if schedule { Self::Schedule } else { Self::Queued }
    }
}

/// What a sender's rights are checked against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// The actor's name in the manifest, or its module's, as a number.
    pub label: u32,
    /// What it is made of: a module in one version, as a number.
    pub edition: u32,
    /// Who spawned it.
    pub parent: Address,
}

/// What an expired deadline means for an exclusive call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Expired {
    /// No exclusive call waits, or none with a deadline.
    NotWaiting,
    /// It waits until then (nanoseconds of the node's clock).
    Later(u64),
    /// The call was answered with `deadline`; true: the caller must queue the mailbox.
    Answered(bool),
}

/// What [`Mailbox::push`] made room by, and what it did.
#[derive(Debug)]
#[must_use]
pub struct Push {
    pub outcome: Pushed,
    /// The oldest messages, dropped to make room. In a box: every push carries this, hardly one has any.
    pub dropped: Option<Box<Chain>>,
}

/// What a worker gets when it takes a share.
#[derive(Debug)]
#[must_use]
pub enum Taken {
    /// Messages were moved to the share. `overload` is the length if it passed the threshold.
    Messages { overload: Option<usize> },
    /// What the parked actor waited for is there: resume it.
    Resume,
    /// The actor must end.
    Killed(Cause, String),
    /// The actor is told to stop.
    Stop,
    /// Nothing: the mailbox was closed or emptied meanwhile.
    Nothing,
}

/// The end of a turn of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Rest {
    /// Nothing left; the next push schedules.
    Idle,
    /// More to do: the caller keeps the mailbox or puts it into the run queue.
    Again,
}

/// The answer to [`Mailbox::park`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Parked {
    /// The actor stays parked; `answer`, `wake` or `kill` schedules it.
    Yes,
    /// What it waits for is there already: resume it.
    No,
}

/// What a closed mailbox held.
#[derive(Debug, Default)]
pub struct Close {
    pub messages: Chain,
    /// Senders held back at the bound.
    pub held: Chain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No actor.
    Free,
    /// An actor with nothing to do.
    Idle,
    /// In the run queue, or with a worker.
    Scheduled,
    /// The actor waits in the middle of a turn.
    Parked,
    /// The actor's instance has ended, and the next one is not due yet.
    Suspended,
    /// The actor has used up its share of a core for now.
    Delayed,
}

/// What few mailboxes ever need.
#[derive(Debug, Default)]
struct Rare {
    held: Chain,
    kill: Option<(Cause, String)>,
    stop: bool,
}

#[derive(Debug)]
struct Inner {
    address: Address,
    tag: Tag,
    stage: Stage,
    full: Full,
    woken: bool,
    /// `release` came before `suspend`.
    released: bool,
    queue: Chain,
    /// How many in `queue`, and in the actor's share, count against the bound.
    ordinary: u32,
    /// How many of the share, of any kind, are not begun.
    shared: u32,
    /// What was read from `Mailbox::begun` last.
    begun: u64,
    bound: u32,
    overload: u32,
    /// What the messages in `queue` weigh, and what those in the share did when it was taken.
    bytes: u32,
    shared_bytes: u32,
    bytes_bound: u32,
    /// The session of the exclusive call that the actor is in.
    awaited: Session,
    /// Its deadline in nanoseconds of the node's clock, 0 for none.
    deadline: u64,
    answer: Option<Letter>,
    rare: Option<Box<Rare>>,
}

/// See the file's head. The order of the fields is that of the cache lines: what senders write comes first, what the
/// worker writes for each turn last.
#[derive(Debug)]
#[repr(C)]
pub struct Mailbox {
    inner: Brief<Inner>,
    /// [`KILLED`], [`TOLD`]: set with `kill` and `stop`, readable without the lock by a guest that runs; and [`QUEUED`]. Written
    /// under the lock.
    urgent: AtomicU32,
    /// Raw address of the actor whose answer an exclusive call waits for; 0 for none. One edge of the waits-for graph.
    waits_on: AtomicU64,
    /// Turns that began since the mailbox was made: all in the low half, those of ordinary messages in the high half,
    /// each modulo 2^32. Only the worker that has the mailbox writes, so that a turn costs no lock; who holds the lock
    /// books the difference to what was read last ([`Inner::settle`]).
    begun: AtomicU64,
    /// The message that made an idle actor ready: counted as one of the share from the start, since no lock is taken for
    /// it a second time. Mostly it is the only one.
    first: Handover,
}

/// In `Mailbox::urgent`: the actor is to end.
const KILLED: u32 = 1;
/// It is told to stop.
const TOLD: u32 = 2;
/// Something is in the queue, or was a moment ago.
const QUEUED: u32 = 4;

/// One turn in `Mailbox::begun`, of an ordinary message.
const ORDINARY: u64 = 1 << 32;

impl Default for Mailbox {
    fn default() -> Self {
        let inner = Inner {
            address: Address::HOST,
            tag: Tag::default(),
            stage: Stage::Free,
            full: Full::Refuse,
            woken: false,
            released: false,
            queue: Chain::default(),
            ordinary: 0,
            shared: 0,
            begun: 0,
            bound: 0,
            overload: OVERLOAD,
            bytes: 0,
            shared_bytes: 0,
            bytes_bound: 0,
            awaited: Session::NONE,
            deadline: 0,
            answer: None,
            rare: None,
        };
        Self {
            inner: Brief::new(inner),
            urgent: AtomicU32::new(0),
            waits_on: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            first: Handover::default(),
        }
    }
}

fn is_ordinary(message: &Message) -> bool {
    matches!(message.body, Body::Message { .. })
}

/// Bytes that make one of a message's weight: half a word has to hold the weight of all that ever waits.
const GRAIN: usize = 64;

/// What a message counts against the bound of bytes: nothing, if its payload lies in its letter.
#[inline]
fn weight(message: &Message) -> u32 {
    match &message.body {
        Body::Message { payload, .. } | Body::Socket { event: SocketEvent::Data(payload), .. } => {
            grains(payload.allocated().div_ceil(GRAIN))
        }
        _ => 0,
    }
}

/// A mailbox counts in whole steps of so much weight (4 KiB, little beside the rest of an actor) in all of them together: then
/// one that is worked off as it fills has nothing to book, and one that fills seldom has.
const STEP: u32 = 64;

/// What weighed in a mailbox, and what does now: the difference is booked with what waits in all of them.
#[inline]
fn book(before: u32, after: u32) {
    let (before, after) = (before / STEP, after / STEP);
    if before != after {
        booked(before, after);
    }
}

#[cold]
fn booked(before: u32, after: u32) {
    let bytes = |steps: u32| (steps * STEP) as usize * GRAIN;
    if after > before { backlog::came(bytes(after - before)) } else { backlog::went(bytes(before - after)) }
}

fn grains(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Drop for Inner {
    fn drop(&mut self) {
        book(self.bytes + self.shared_bytes, 0);
    }
}

impl Inner {
    /// Whether the mailbox is this address's.
    fn is(&self, address: Address) -> bool {
        self.address == address && self.stage != Stage::Free
    }

    /// Idle or rightly parked → scheduled; true if the caller must queue it.
    fn schedule(&mut self) -> bool {
        let due = match self.stage {
            Stage::Idle => true,
            Stage::Parked => self.resumable(),
            Stage::Suspended | Stage::Delayed => self.killed(),
            Stage::Free | Stage::Scheduled => false,
        };
        if due {
            self.stage = Stage::Scheduled;
        }
        due
    }

    fn kill(&mut self) -> Option<(Cause, String)> {
        self.rare.as_mut()?.kill.take()
    }

    fn killed(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.kill.is_some())
    }

    fn told(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.stop)
    }

    fn resumable(&self) -> bool {
        self.answer.is_some() || self.woken || self.killed()
    }

    /// Into the queue past what `put_in` does for speed.
    fn insert(&mut self, letter: Letter) {
        let weight = weight(&letter);
        self.ordinary += u32::from(is_ordinary(&letter));
        self.weighs(weight);
        self.queue.push(letter);
    }

    /// A message of this weight comes in.
    #[inline]
    fn weighs(&mut self, more: u32) {
        let before = self.bytes + self.shared_bytes;
        self.bytes += more;
        book(before, before + more);
    }

    /// Whether an ordinary message of this weight has to wait.
    #[inline]
    fn is_full(&self, weight: u32) -> bool {
        // Most weigh nothing: then the counts of bytes are not looked at.
        let over = |weight: u32| weight > self.bytes_bound.saturating_sub(self.bytes + self.shared_bytes);
        self.ordinary >= self.bound || weight > 0 && over(weight)
    }

    /// Books the turns that began since the last time. What is held back comes in where they made room.
    #[expect(clippy::cast_possible_truncation, reason = "two halves of a word")]
    fn settle(&mut self, begun: u64) {
        if begun == self.begun {
            return;
        }
        let (all, ordinary) =
            ((begun as u32).wrapping_sub(self.begun as u32), (begun >> 32).wrapping_sub(self.begun >> 32));
        self.begun = begun;
        self.shared -= all;
        self.ordinary -= ordinary as u32;
        if self.shared == 0 {
            let gone = std::mem::take(&mut self.shared_bytes);
            book(self.bytes + gone, self.bytes);
        }
        if self.rare.is_some() {
            self.let_in();
        }
    }

    #[cold]
    fn let_in(&mut self) {
        while let Some(weight) = self.rare.as_ref().and_then(|rare| rare.held.front()).map(weight)
            && !self.is_full(weight)
            && let Some(letter) = self.rare.as_mut().and_then(|rare| rare.held.pop())
        {
            self.insert(letter);
        }
    }

    /// Makes room for a message of this weight by the policy. None: there is none to be made.
    #[cold]
    fn make_room(&mut self, weight: u32) -> Option<Chain> {
        let mut dropped = Chain::default();
        while self.is_full(weight) {
            if self.full != Full::DropOldest || weight > self.bytes_bound {
                return None;
            }
            // What is in the share can no longer be dropped: the bound gives way by that one message.
            let Some(oldest) = self.queue.remove(is_ordinary) else { break };
            let before = self.bytes + self.shared_bytes;
            let less = self::weight(&oldest);
            self.ordinary -= 1;
            self.bytes -= less;
            book(before, before - less);
            dropped.push(oldest);
        }
        Some(dropped)
    }
}

impl Mailbox {
    /// The lock, with what began meanwhile booked.
    fn settled(&self) -> BriefGuard<'_, Inner> {
        let mut inner = self.inner.lock();
        // Relaxed: for the worker that has the mailbox it is its own; for others a turn that began just now may be booked
        // later, which only makes the mailbox seem fuller.
        inner.settle(self.begun.load(Ordering::Relaxed));
        inner
    }

    /// Gives a free mailbox to an address. It starts scheduled: the caller queues it, so that `init` runs first.
    pub fn open(&self, address: Address, tag: Tag, bounds: Bounds) {
        let mut inner = self.inner.lock();
        debug_assert_eq!(inner.stage, Stage::Free);
        inner.address = address;
        inner.tag = tag;
        inner.stage = Stage::Scheduled;
        (inner.bound, inner.full) = (u32::try_from(bounds.messages).unwrap_or(u32::MAX), bounds.full);
        inner.bytes_bound = grains(bounds.bytes.div_ceil(GRAIN));
        self.urgent.store(0, Ordering::Relaxed);
    }

    /// Takes the mailbox back. From here on every push is `Gone`. Only the worker that has it may call this.
    pub fn close(&self) -> Close {
        let mut inner = self.inner.lock();
        inner.address = Address::HOST;
        inner.stage = Stage::Free;
        (inner.ordinary, inner.shared, inner.overload) = (0, 0, OVERLOAD);
        book(std::mem::take(&mut inner.bytes) + std::mem::take(&mut inner.shared_bytes), 0);
        inner.begun = self.begun.load(Ordering::Relaxed);
        (inner.awaited, inner.deadline, inner.woken) = (Session::NONE, 0, false);
        inner.released = false;
        self.waits_on.store(0, Ordering::Relaxed);
        let (mut messages, answer, rare) = (std::mem::take(&mut inner.queue), inner.answer.take(), inner.rare.take());
        drop(inner);
        drop(answer);
        if let Some(first) = self.first.take() {
            let mut before = Chain::default();
            before.push(first);
            messages.prepend(before);
        }
        Close { messages, held: rare.map_or_else(Chain::default, |rare| rare.held) }
    }

    /// Puts a message in, if `admit` agrees to what the receiver is.
    #[inline]
    pub fn push(&self, to: Address, letter: Letter, admit: impl FnOnce(Tag) -> bool) -> Push {
        let (ordinary, weight) = (is_ordinary(&letter), weight(&letter));
        let mut inner = self.inner.lock();
        if !inner.is(to) {
            return Push { outcome: Pushed::Gone(letter), dropped: None };
        }
        if !admit(inner.tag) {
            return Push { outcome: Pushed::Denied(letter), dropped: None };
        }
        let mut dropped = None;
        if ordinary && inner.is_full(weight) {
            inner.settle(self.begun.load(Ordering::Relaxed));
            match inner.make_room(weight) {
                Some(room) => dropped = (!room.is_empty()).then(|| Box::new(room)),
                None => {
                    // What can never go in is not held.
                    let full = if weight > inner.bytes_bound { Full::Refuse } else { inner.full };
                    return Push { outcome: Pushed::Full(letter, full), dropped };
                }
            }
        }
        inner.ordinary += u32::from(ordinary);
        Push { outcome: Pushed::of(self.put_in(&mut inner, letter, weight)), dropped }
    }

    /// Into the queue; or, if the actor is idle, into the hands of the worker that will run it: unless the policy at the bound
    /// may drop it yet. True: the caller must queue the mailbox.
    #[inline]
    fn put_in(&self, inner: &mut Inner, letter: Letter, weight: u32) -> bool {
        if inner.stage == Stage::Idle && inner.full == Full::Refuse {
            inner.stage = Stage::Scheduled;
            inner.shared += 1;
            if weight > 0 {
                inner.weighs(weight);
                inner.shared_bytes += std::mem::take(&mut inner.bytes);
            }
            self.first.put(letter);
            return true;
        }
        if inner.queue.is_empty() {
            self.flag(QUEUED, true);
        }
        if weight > 0 {
            inner.weighs(weight);
        }
        inner.queue.push(letter);
        inner.schedule()
    }

    /// Sets or takes back a flag; the caller holds the lock. Relaxed: the flags carry nothing.
    fn flag(&self, flag: u32, on: bool) {
        let flags = self.urgent.load(Ordering::Relaxed);
        self.urgent.store(if on { flags | flag } else { flags & !flag }, Ordering::Relaxed);
    }

    /// Keeps the message of a sender that is parked until there is room. Room may have come up meanwhile.
    pub fn hold(&self, to: Address, letter: Letter) -> Pushed {
        let mut inner = self.settled();
        if !inner.is(to) {
            return Pushed::Gone(letter);
        }
        if !inner.is_full(weight(&letter)) {
            inner.insert(letter);
        } else {
            inner.rare.get_or_insert_default().held.push(letter);
        }
        Pushed::of(inner.schedule())
    }

    /// Moves what made the actor ready to the share, without the lock if that is all; else all messages. The share must be empty
    /// unless the actor is parked, killed or told to stop. All of them, since to cut a part off, the
    /// lock's holder would walk over it, letter by letter, each perhaps a miss of the cache, while senders wait. A mailbox
    /// whose policy at the bound is not to refuse gives one at a time, since what is in a share can no longer be dropped,
    /// or make room for what is held. Only the worker that has the mailbox may call this.
    #[inline]
    pub fn take(&self, share: &mut Chain, parked: bool) -> Taken {
        if let Some(first) = self.first.take() {
            share.push(first);
            if self.urgent.load(Ordering::Relaxed) == 0 {
                return Taken::Messages { overload: None };
            }
        }
        let mut inner = self.settled();
        if let Some((cause, reason)) = inner.kill() {
            return Taken::Killed(cause, reason);
        }
        if parked {
            inner.woken = false;
            return Taken::Resume;
        }
        if inner.rare.as_mut().is_some_and(|rare| std::mem::take(&mut rare.stop)) {
            self.flag(KILLED | TOLD, false);
            return Taken::Stop;
        }
        let length = inner.queue.len();
        if length == 0 {
            inner.overload = OVERLOAD;
            return if share.is_empty() { Taken::Nothing } else { Taken::Messages { overload: None } };
        }
        let overload = (length > inner.overload as usize).then(|| {
            while length > inner.overload as usize {
                inner.overload = inner.overload.saturating_mul(2);
            }
            length
        });
        if inner.full == Full::Refuse {
            inner.shared += inner.queue.length();
            share.append(&mut inner.queue);
            inner.shared_bytes += std::mem::take(&mut inner.bytes);
        } else if share.is_empty() {
            *share = inner.queue.split(1);
            let first = share.front().map_or(0, weight);
            inner.shared_bytes += first;
            inner.bytes -= first;
            inner.shared += 1;
        }
        self.flag(QUEUED, !inner.queue.is_empty());
        Taken::Messages { overload }
    }

    /// The next message of a share; from here on it no longer counts. Only the worker that has the mailbox may call
    /// this.
    #[inline]
    pub fn begin(&self, share: &mut Chain) -> Option<Letter> {
        let letter = share.pop()?;
        let step = if is_ordinary(&letter) { ORDINARY + 1 } else { 1 };
        // One writer: load and store are enough. The low half's carry would count one ordinary turn too many, so the
        // halves are added apart.
        let begun = self.begun.load(Ordering::Relaxed);
        let low = (begun + step) & (ORDINARY - 1);
        let high = (begun & !(ORDINARY - 1)).wrapping_add(step & !(ORDINARY - 1));
        self.begun.store(high | low, Ordering::Relaxed);
        Some(letter)
    }

    /// Ends a turn of the queue. Only the worker that has the mailbox may call this, with nothing left in the share.
    #[inline]
    pub fn rest(&self) -> Rest {
        let mut inner = self.settled();
        if inner.queue.is_empty() && !inner.killed() && !inner.told() {
            inner.overload = OVERLOAD;
            inner.stage = Stage::Idle;
            Rest::Idle
        } else {
            Rest::Again
        }
    }

    /// The actor is about to wait exclusively: the answer to `session` goes to the lane, not to the queue. `on` is
    /// the actor that is to answer, if one is; `deadline` in nanoseconds of the node's clock, 0 for none.
    pub fn expect(&self, session: Session, on: Option<Address>, deadline: u64) {
        let mut inner = self.inner.lock();
        (inner.awaited, inner.deadline) = (session, deadline);
        inner.answer = None;
        // Relaxed is enough for the edge itself; the fence stands between it and the reading of the others' edges: of
        // two actors that close a cycle at once, at least one sees the other's edge.
        self.waits_on.store(on.map_or(0, Address::raw), Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Takes the answer of the exclusive wait, if it is there.
    pub fn answered(&self) -> Option<Message> {
        let mut inner = self.inner.lock();
        let answer = inner.answer.take()?;
        (inner.awaited, inner.deadline) = (Session::NONE, 0);
        drop(inner);
        Some(answer.open())
    }

    /// Gives up the exclusive wait before it was answered.
    pub fn unexpect(&self) {
        let mut inner = self.inner.lock();
        (inner.awaited, inner.deadline) = (Session::NONE, 0);
        let unwanted = inner.answer.take();
        self.waits_on.store(0, Ordering::Relaxed);
        drop(inner);
        drop(unwanted);
    }

    /// Whose answer the actor waits for exclusively.
    pub fn waits_on(&self) -> Option<Address> {
        let raw = self.waits_on.load(Ordering::Relaxed);
        (raw != 0).then(|| Address::from_raw(raw))
    }

    /// The request behind an exclusive wait was forwarded: somebody else is to answer.
    pub fn waits_on_instead(&self, of: Address, session: Session, on: Address) {
        let inner = self.inner.lock();
        if inner.address == of && inner.awaited == session && inner.answer.is_none() {
            self.waits_on.store(on.raw(), Ordering::Relaxed);
        }
    }

    /// Some deadline of the actor is over: answers the exclusive wait, if it is its deadline.
    pub fn expire(&self, of: Address, now: u64) -> Expired {
        let mut inner = self.inner.lock();
        if inner.address != of || inner.awaited.is_none() || inner.deadline == 0 || inner.answer.is_some() {
            return Expired::NotWaiting;
        }
        if now < inner.deadline {
            return Expired::Later(inner.deadline);
        }
        let error = CallError::new(ErrorCode::Deadline, "no answer came in time");
        inner.answer = Some(Letter::new(reply(Address::HOST, inner.awaited, Err(error))));
        self.waits_on.store(0, Ordering::Relaxed);
        Expired::Answered(inner.schedule())
    }

    /// The end of a turn that waits. Only the worker that has the mailbox may call this.
    pub fn park(&self) -> Parked {
        let mut inner = self.inner.lock();
        if inner.resumable() {
            return Parked::No;
        }
        inner.stage = Stage::Parked;
        Parked::Yes
    }

    /// The actor's instance has ended and another one will take its place: what comes waits until [`Mailbox::release`], or
    /// a kill. No: one of them has come already, and the caller goes on with the mailbox. Only the worker that has it may
    /// call this.
    pub fn suspend(&self) -> Parked {
        let mut inner = self.inner.lock();
        (inner.awaited, inner.deadline, inner.woken) = (Session::NONE, 0, false);
        let unwanted = inner.answer.take();
        self.waits_on.store(0, Ordering::Relaxed);
        let killed = inner.killed();
        // A stop was for the instance that has ended.
        inner.rare.iter_mut().for_each(|rare| rare.stop = false);
        self.flag(KILLED, killed);
        self.flag(TOLD, false);
        let goes_on = std::mem::take(&mut inner.released) || killed;
        if !goes_on {
            inner.stage = Stage::Suspended;
        }
        drop(inner);
        drop(unwanted);
        if goes_on { Parked::No } else { Parked::Yes }
    }

    /// The next instance is due. True: the caller must queue the mailbox.
    pub fn release(&self, to: Address) -> bool {
        let mut inner = self.inner.lock();
        if !inner.is(to) {
            return false;
        }
        if inner.stage != Stage::Suspended {
            inner.released = true;
            return false;
        }
        inner.stage = Stage::Scheduled;
        true
    }

    /// The actor may not run for a while: what comes waits until [`Mailbox::undelay`], or a kill. False: it is to end, and the
    /// caller goes on with the mailbox. Only the worker that has it may call this.
    pub fn delay(&self) -> bool {
        let mut inner = self.inner.lock();
        let delayed = !inner.killed();
        if delayed {
            inner.stage = Stage::Delayed;
        }
        delayed
    }

    /// It may run again. True: the caller must queue the mailbox.
    pub fn undelay(&self, to: Address) -> bool {
        let mut inner = self.inner.lock();
        let due = inner.is(to) && inner.stage == Stage::Delayed;
        if due {
            inner.stage = Stage::Scheduled;
        }
        due
    }

    /// Shows every message that waits and that no worker has taken.
    pub fn each(&self, look: impl FnMut(&Message)) {
        self.inner.lock().queue.iter().for_each(look);
    }

    /// Brings what was awaited: into the lane if an exclusive call awaits it, else into the queue.
    #[inline]
    pub fn answer(&self, to: Address, letter: Letter) -> Pushed {
        let session = letter.session;
        let mut inner = self.inner.lock();
        if !inner.is(to) {
            return Pushed::Gone(letter);
        }
        if !session.is_none() && inner.awaited == session {
            if inner.answer.is_some() {
                // The second answer to one session (a reply against a deadline): the first one stands.
                return Pushed::Queued;
            }
            inner.answer = Some(letter);
            self.waits_on.store(0, Ordering::Relaxed);
            return Pushed::of(inner.schedule());
        }
        inner.ordinary += u32::from(is_ordinary(&letter));
        let weight = weight(&letter);
        Pushed::of(self.put_in(&mut inner, letter, weight))
    }

    /// Wakes an actor that parked on something else than an answer (a WASI future).
    pub fn wake(&self, to: Address) -> bool {
        let mut inner = self.inner.lock();
        if inner.address != to {
            return false;
        }
        inner.woken = true;
        inner.stage == Stage::Parked && inner.schedule()
    }

    /// Ends the actor: at once if it is idle or parked, else when the worker that runs it looks. The first kill
    /// stands. None: no such actor. Some(true): the caller must queue the mailbox.
    pub fn kill(&self, to: Address, cause: Cause, reason: String) -> Option<bool> {
        let mut inner = self.inner.lock();
        if !inner.is(to) {
            return None;
        }
        if !inner.killed() {
            inner.rare.get_or_insert_default().kill = Some((cause, reason));
            // Release is not needed: the flag carries nothing, it only cuts a turn short.
            self.flag(KILLED, true);
        }
        Some(inner.schedule())
    }

    /// Tells the actor to stop, before anything else that waits: the worker gets [`Taken::Stop`]. An actor without an instance
    /// is not told. None: no such actor. Some(true): the caller must queue the mailbox.
    pub fn stop(&self, to: Address) -> Option<bool> {
        let mut inner = self.inner.lock();
        if !inner.is(to) {
            return None;
        }
        if inner.stage != Stage::Suspended {
            inner.rare.get_or_insert_default().stop = true;
            self.flag(TOLD, true);
        }
        Some(inner.schedule())
    }

    /// Takes a kill that cut the running turn short. Only the worker that has the mailbox may call this.
    pub fn take_kill(&self) -> Option<(Cause, String)> {
        self.inner.lock().kill()
    }

    /// Whether a kill waits for the running turn to end.
    pub fn killed(&self) -> bool {
        self.urgent.load(Ordering::Relaxed) & KILLED != 0
    }

    /// Whether a kill or a stop does.
    pub fn urgent(&self) -> bool {
        self.urgent.load(Ordering::Relaxed) & (KILLED | TOLD) != 0
    }

    /// Whom this mailbox belongs to now.
    pub fn address(&self) -> Option<Address> {
        let inner = self.inner.lock();
        (inner.stage != Stage::Free).then_some(inner.address)
    }

    /// The actor is made of this from now on. Only the worker that has the mailbox may call this.
    pub fn has_edition(&self, edition: u32) {
        self.inner.lock().tag.edition = edition;
    }

    /// What rights against an actor are checked by; None: it has ended.
    pub fn tag(&self, of: Address) -> Option<Tag> {
        let inner = self.inner.lock();
        inner.is(of).then_some(inner.tag)
    }

    /// Messages that a worker has taken and not begun.
    pub fn taken(&self) -> usize {
        let inner = self.settled();
        (inner.shared as usize).saturating_sub(usize::from(self.first.is_some()))
    }

    /// Ordinary messages that it holds at most.
    pub fn bound(&self) -> usize {
        self.inner.lock().bound as usize
    }

    /// Messages that wait now, those in a worker's share too.
    pub fn len(&self) -> usize {
        let inner = self.settled();
        inner.queue.len() + inner.shared as usize
    }

    /// Messages that no worker has taken yet.
    pub fn queued(&self) -> usize {
        let inner = self.inner.lock();
        inner.queue.len() + usize::from(self.first.is_some())
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an ordinary message would be refused (or dropped, or held).
    /// Nothing is ever refused to a socket; its reading is paused instead.
    pub fn is_full(&self, to: Address) -> bool {
        let inner = self.settled();
        inner.address == to
            && (inner.queue.len() + inner.shared as usize >= inner.bound as usize
                || inner.bytes + inner.shared_bytes >= inner.bytes_bound)
    }
}

/// An answer as it lies in the lane.
pub fn reply(source: Address, session: Session, outcome: Result<Payload, CallError>) -> Message {
    Message { source, session, body: Body::Reply(outcome) }
}
