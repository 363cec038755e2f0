//! One actor's messages and its place in the schedule. Used by `node` (push) and the workers (take).
//!
//! | public item | what it does |
//! |---|---|
//! | [`Mailbox::open`] / [`Mailbox::close`] | gives the mailbox to an address / takes it back with all it holds |
//! | [`Mailbox::push`] | a message in; says whether the mailbox must go to the run queue |
//! | [`Mailbox::take`] | a share of the messages out |
//! | [`Mailbox::rest`] | the end of a turn of the queue: idle, or to the queue again |
//! | [`Mailbox::expect`], [`Mailbox::park`], [`Mailbox::answer`], [`Mailbox::wake`] | exclusive waiting |
//! | [`Mailbox::kill`] | the end, as soon as no worker runs the actor |
//!
//! Must hold:
//! - A mailbox is in the run queue, or with a worker, at most once: only the change of `stage` to `Scheduled`, made
//!   under the lock, entitles (and obliges) one thread to queue it. So one actor runs on at most one worker.
//! - A push to an address that is not the current one changes nothing.
//! - The bound holds for ordinary messages. Replies, exits, timers, sockets and signals are never refused: the
//!   receiver asked for each of them, so their number is bounded by what it asked for.

use std::collections::VecDeque;

use crate::base::sync::Mutex;
use crate::base::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use crate::base::{Address, Body, CallError, Cause, ErrorCode, Message, Payload, Session};

/// A mailbox this long is worth a warning; the threshold doubles each time and resets when it is empty.
/// skynet's (skynet_mq.c, MQ_OVERLOAD).
pub const OVERLOAD: usize = 1024;

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

/// What became of a push.
#[derive(Debug)]
#[must_use]
pub enum Pushed {
    /// It is in; somebody has scheduled the mailbox already, or the actor is parked.
    Queued,
    /// It is in, and the caller must put the mailbox into the run queue.
    Schedule,
    /// The mailbox is full; the message comes back.
    Full(Message, Full),
    /// The address is not (or no longer) this mailbox's; the message comes back.
    Gone(Message),
    /// The sender has no right to send here; the message comes back.
    Denied(Message),
}

/// What a sender's rights are checked against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// The actor's name in the manifest, or its module's, as a number.
    pub label: u32,
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
    /// The oldest message, dropped to make room.
    pub dropped: Option<Message>,
}

/// What a worker gets when it takes a share.
#[derive(Debug)]
#[must_use]
pub enum Taken {
    /// Messages were moved to the worker's batch. `overload` is the length if it passed the threshold.
    Messages { overload: Option<usize> },
    /// What the parked actor waited for is there: resume it.
    Resume,
    /// The actor must end.
    Killed(Cause, String),
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
    pub messages: VecDeque<Message>,
    /// Senders held back at the bound.
    pub held: VecDeque<Message>,
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
}

#[derive(Debug)]
struct Inner {
    address: Address,
    tag: Tag,
    stage: Stage,
    queue: VecDeque<Message>,
    /// How many in `queue` count against the bound.
    ordinary: usize,
    bound: usize,
    full: Full,
    held: VecDeque<Message>,
    overload: usize,
    /// The session of the exclusive call that the actor is in.
    awaited: Session,
    /// Its deadline in nanoseconds of the node's clock, 0 for none.
    deadline: u64,
    answer: Option<Message>,
    woken: bool,
    kill: Option<(Cause, String)>,
}

/// See the file's head.
#[derive(Debug)]
pub struct Mailbox {
    inner: Mutex<Inner>,
    /// Set with `kill`, readable without the lock by a guest that runs.
    killed: AtomicBool,
    /// Raw address of the actor whose answer an exclusive call waits for; 0 for none. One edge of the waits-for graph.
    waits_on: AtomicU64,
}

impl Default for Mailbox {
    fn default() -> Self {
        let inner = Inner {
            address: Address::HOST,
            tag: Tag::default(),
            stage: Stage::Free,
            queue: VecDeque::new(),
            ordinary: 0,
            bound: 0,
            full: Full::Refuse,
            held: VecDeque::new(),
            overload: OVERLOAD,
            awaited: Session::NONE,
            deadline: 0,
            answer: None,
            woken: false,
            kill: None,
        };
        Self { inner: Mutex::new(inner), killed: AtomicBool::new(false), waits_on: AtomicU64::new(0) }
    }
}

fn is_ordinary(message: &Message) -> bool {
    matches!(message.body, Body::Message { .. })
}

impl Inner {
    /// Idle or rightly parked → scheduled; true if the caller must queue it.
    fn schedule(&mut self) -> bool {
        let due = match self.stage {
            Stage::Idle => true,
            Stage::Parked => self.resumable(),
            Stage::Free | Stage::Scheduled => false,
        };
        if due {
            self.stage = Stage::Scheduled;
        }
        due
    }

    fn resumable(&self) -> bool {
        self.answer.is_some() || self.woken || self.kill.is_some()
    }

    fn insert(&mut self, message: Message) {
        self.ordinary += usize::from(is_ordinary(&message));
        self.queue.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.queue.pop_front()?;
        if is_ordinary(&message) {
            self.ordinary -= 1;
            // A held sender's message takes the place: its order behind what it sent before is kept, since it waits.
            if let Some(held) = self.held.pop_front() {
                self.insert(held);
            }
        }
        Some(message)
    }

    fn drop_oldest(&mut self) -> Option<Message> {
        let position = self.queue.iter().position(is_ordinary)?;
        self.ordinary -= 1;
        self.queue.remove(position)
    }
}

impl Mailbox {
    /// Gives a free mailbox to an address. It starts scheduled: the caller queues it, so that `init` runs first.
    pub fn open(&self, address: Address, tag: Tag, bound: usize, full: Full) {
        let mut inner = self.inner.lock();
        debug_assert_eq!(inner.stage, Stage::Free);
        inner.address = address;
        inner.tag = tag;
        inner.stage = Stage::Scheduled;
        (inner.bound, inner.full) = (bound, full);
        self.killed.store(false, Ordering::Relaxed);
    }

    /// Takes the mailbox back. From here on every push is `Gone`. Only the worker that has it may call this.
    pub fn close(&self) -> Close {
        let mut inner = self.inner.lock();
        inner.address = Address::HOST;
        inner.stage = Stage::Free;
        (inner.ordinary, inner.overload) = (0, OVERLOAD);
        (inner.awaited, inner.woken) = (Session::NONE, false);
        inner.answer = None;
        inner.kill = None;
        self.waits_on.store(0, Ordering::Relaxed);
        Close { messages: std::mem::take(&mut inner.queue), held: std::mem::take(&mut inner.held) }
    }

    /// Puts a message in, if `admit` agrees to what the receiver is.
    pub fn push(&self, to: Address, message: Message, admit: impl FnOnce(Tag) -> bool) -> Push {
        let mut inner = self.inner.lock();
        if inner.address != to || inner.stage == Stage::Free {
            return Push { outcome: Pushed::Gone(message), dropped: None };
        }
        if !admit(inner.tag) {
            return Push { outcome: Pushed::Denied(message), dropped: None };
        }
        let mut dropped = None;
        if is_ordinary(&message) && inner.ordinary >= inner.bound {
            if inner.full != Full::DropOldest {
                let full = inner.full;
                return Push { outcome: Pushed::Full(message, full), dropped: None };
            }
            dropped = inner.drop_oldest();
        }
        inner.insert(message);
        let outcome = if inner.schedule() { Pushed::Schedule } else { Pushed::Queued };
        Push { outcome, dropped }
    }

    /// Keeps the message of a sender that is parked until there is room. Room may have come up meanwhile.
    pub fn hold(&self, to: Address, message: Message) -> Pushed {
        let mut inner = self.inner.lock();
        if inner.address != to || inner.stage == Stage::Free {
            return Pushed::Gone(message);
        }
        if inner.ordinary < inner.bound {
            inner.insert(message);
        } else {
            inner.held.push_back(message);
        }
        if inner.schedule() { Pushed::Schedule } else { Pushed::Queued }
    }

    /// Moves up to `share(length)` messages to `batch`. Only the worker that has the mailbox may call this.
    pub fn take(&self, share: impl FnOnce(usize) -> usize, batch: &mut VecDeque<Message>, parked: bool) -> Taken {
        let mut inner = self.inner.lock();
        if let Some((cause, reason)) = inner.kill.take() {
            return Taken::Killed(cause, reason);
        }
        if parked {
            inner.woken = false;
            return Taken::Resume;
        }
        let length = inner.queue.len();
        let overload = (length > inner.overload).then(|| {
            while length > inner.overload {
                inner.overload *= 2;
            }
            length
        });
        if length == 0 {
            inner.overload = OVERLOAD;
            return Taken::Nothing;
        }
        for _ in 0..share(length).min(length) {
            batch.extend(inner.pop());
        }
        Taken::Messages { overload }
    }

    /// Ends a turn of the queue. Only the worker that has the mailbox may call this, with nothing left in its batch.
    pub fn rest(&self) -> Rest {
        let mut inner = self.inner.lock();
        if inner.queue.is_empty() && inner.kill.is_none() {
            inner.overload = OVERLOAD;
            inner.stage = Stage::Idle;
            Rest::Idle
        } else {
            Rest::Again
        }
    }

    /// Puts messages that were taken but not handled back to the front. Only the worker that has the mailbox may
    /// call this.
    pub fn untake(&self, batch: &mut VecDeque<Message>) {
        let mut inner = self.inner.lock();
        while let Some(message) = batch.pop_back() {
            inner.ordinary += usize::from(is_ordinary(&message));
            inner.queue.push_front(message);
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
        let answer = inner.answer.take();
        if answer.is_some() {
            (inner.awaited, inner.deadline) = (Session::NONE, 0);
        }
        answer
    }

    /// Gives up the exclusive wait before it was answered.
    pub fn unexpect(&self) {
        let mut inner = self.inner.lock();
        (inner.awaited, inner.deadline) = (Session::NONE, 0);
        inner.answer = None;
        self.waits_on.store(0, Ordering::Relaxed);
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
        inner.answer = Some(reply(Address::HOST, inner.awaited, Err(error)));
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

    /// Brings what was awaited: into the lane if an exclusive call awaits it, else into the queue.
    pub fn answer(&self, to: Address, message: Message) -> Pushed {
        let mut inner = self.inner.lock();
        if inner.address != to || inner.stage == Stage::Free {
            return Pushed::Gone(message);
        }
        if !message.session.is_none() && inner.awaited == message.session {
            if inner.answer.is_some() {
                // The second answer to one session (a reply against a deadline): the first one stands.
                return Pushed::Queued;
            }
            inner.answer = Some(message);
            self.waits_on.store(0, Ordering::Relaxed);
        } else {
            inner.insert(message);
        }
        if inner.schedule() { Pushed::Schedule } else { Pushed::Queued }
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
        if inner.address != to || inner.stage == Stage::Free {
            return None;
        }
        if inner.kill.is_none() {
            inner.kill = Some((cause, reason));
            // Release is not needed: the flag carries nothing, it only cuts a turn short.
            self.killed.store(true, Ordering::Relaxed);
        }
        Some(inner.schedule())
    }

    /// Takes a kill that cut the running turn short. Only the worker that has the mailbox may call this.
    pub fn take_kill(&self) -> Option<(Cause, String)> {
        self.inner.lock().kill.take()
    }

    /// Whether a kill waits for the running turn to end.
    pub fn killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// Whom this mailbox belongs to now.
    pub fn address(&self) -> Option<Address> {
        let inner = self.inner.lock();
        (inner.stage != Stage::Free).then_some(inner.address)
    }

    /// What rights against an actor are checked by; None: it has ended.
    pub fn tag(&self, of: Address) -> Option<Tag> {
        let inner = self.inner.lock();
        (inner.address == of && inner.stage != Stage::Free).then_some(inner.tag)
    }

    /// Messages that wait now.
    pub fn len(&self) -> usize {
        self.inner.lock().queue.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an ordinary message would be refused (or dropped, or held).
    /// Nothing is ever refused to a socket; its reading is paused instead.
    pub fn is_full(&self, to: Address) -> bool {
        let inner = self.inner.lock();
        inner.address == to && inner.queue.len() >= inner.bound
    }
}

/// An answer as it lies in the lane.
pub fn reply(source: Address, session: Session, outcome: Result<Payload, CallError>) -> Message {
    Message { source, session, body: Body::Reply(outcome) }
}
