//! One actor's exchange: its worker puts an instance of another version in the place of the old one, between two turns. Asked
//! for by [`super::reload`], by a message in the actor's mailbox: what stands before it is the old instance's.
//!
//! What is in the context stays, with its numbers: mailbox, timers, sockets, watches, links, names, arguments, subscriptions,
//! and requests in flight, both those that the actor is to answer and those that it waits for. What the guest remembers of
//! them goes over as its own state, if it can: `save` is told how many requests are in flight, and may say "not now". Then the
//! instance goes on; after half of the grace period ordinary messages are held back, so that the others can end; when none is
//! in flight it is asked again.
//!
//! Must hold: the old instance is dropped when the new one has loaded its state and tested itself, not before. Whatever fails,
//! the old one goes on as if nothing had been tried (but for [`Unsaved::Broken`]): in the steps of an exchange a guest can do nothing that others could see,
//! and what it asked for itself (timers, watches, signals) is taken back.

use crate::actor::{Behavior, Core, Phase, Slot, Unsaved};
use crate::base::sync::Arc;
use crate::base::{Body, CallError, Cause, ErrorCode, Session, Signal};
use crate::node::context::Inner;
use crate::node::deadline::nanos;
use crate::node::editions::Kind;
use crate::node::reload::{Outcome, Swap};
use crate::node::turn::{Next, Worker};
use crate::node::turn_kind::turn_kind;
use crate::node::{Context, Node};
use crate::sched::Chain;

/// How far an actor's exchange is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::node) enum Exchanging {
    #[default]
    No,
    /// As soon as no request is in flight.
    Due,
    /// The same, and ordinary messages are held back.
    Held,
    /// A step of it runs.
    Now,
}

/// What an actor has during its exchange only.
#[derive(Default)]
pub(in crate::node) struct Exchange {
    /// When the step that runs has to be done, in nanoseconds of the node's clock, and what it is.
    until: u64,
    step: &'static str,
    /// Ordinary messages that came before those in the share. They count against the bound like these.
    held: Chain,
    /// Since when, in nanoseconds of the node's clock; 0: nothing was held back.
    since: u64,
    /// The guest said that it cannot take what is in flight along.
    waits: bool,
    /// Signals that were subscribed to in a step.
    subscribed: Vec<Signal>,
    /// It began anew, and what it was before, until `init` has returned.
    anew: Option<(Arc<Swap>, Arc<Kind>)>,
}

impl Inner {
    fn exchange(&mut self) -> &mut Exchange {
        self.rare().exchange.get_or_insert_default()
    }

    /// When the step of an exchange that runs has to be done.
    pub(in crate::node) fn step_ends(&self) -> Option<u64> {
        let exchange = self.rare.as_ref()?.exchange.as_ref()?;
        (self.exchanging == Exchanging::Now).then_some(exchange.until)
    }

    /// An exchange may have been asked for, or called off. True: this actor is to be exchanged.
    pub(in crate::node) fn looks_for_exchange(&mut self) -> bool {
        if self.exchanging == Exchanging::No && !self.node.exchanges.any() {
            return false;
        }
        match self.node.exchanges.get(self.address) {
            None => drop(self.thaw()),
            Some(told) if told.holds => {
                if self.exchanging != Exchanging::Held {
                    self.exchanging = Exchanging::Held;
                    self.exchange().since = self.node.clock.now_ns();
                }
            }
            Some(_) => self.exchanging = Exchanging::Due,
        }
        self.exchanging != Exchanging::No
    }

    /// Puts ordinary messages at the share's front aside.
    #[cold]
    pub(in crate::node) fn hold_back(&mut self) {
        while self.share.front().is_some_and(|first| matches!(first.body, Body::Message { .. })) {
            let Some(letter) = self.share.pop() else { return };
            self.exchange().held.push(letter);
        }
    }

    /// No exchange any more: what was held back comes first. When it was held back from, if it was.
    fn thaw(&mut self) -> u64 {
        self.exchanging = Exchanging::No;
        let Some(exchange) = self.rare.as_mut().and_then(|rare| rare.exchange.as_mut()) else { return 0 };
        self.share.prepend(std::mem::take(&mut exchange.held));
        exchange.waits = false;
        std::mem::take(&mut exchange.since)
    }

    /// The instance ends: so does its exchange.
    pub(in crate::node) fn exchange_ends(&mut self) {
        let Some(rare) = self.rare.as_mut().filter(|rare| rare.exchange.is_some()) else {
            return self.node.exchanges.ended(self.address);
        };
        if let Some((swap, _)) = rare.exchange.as_mut().and_then(|exchange| exchange.anew.take()) {
            swap.report(self.address, Outcome::Ended);
        }
        self.thaw();
        self.rare().exchange = None;
        self.node.exchanges.ended(self.address);
    }

    /// Requests in flight: held ones, and awaited ones.
    fn in_flight(&self) -> u32 {
        let count = self.owed() + self.outstanding.len();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Whether the actor may do something that others see: not in a step of its exchange, which may fail.
    #[inline]
    pub(in crate::node) fn outward(&self) -> Result<(), CallError> {
        if self.exchanging != Exchanging::Now {
            return Ok(());
        }
        let reason = "not in `save`, `load` or `self-test`: nobody may notice them if they fail";
        Err(CallError::new(ErrorCode::Invalid, reason))
    }

    /// Whether a step of an exchange runs.
    pub(in crate::node) fn is_aside(&self) -> bool {
        self.exchanging == Exchanging::Now
    }

    /// A new subscription: in a step it is remembered.
    pub(in crate::node) fn subscribes(&mut self, signal: Signal) {
        if self.is_aside() {
            self.exchange().subscribed.push(signal);
        }
    }

    /// `init` has returned: if it was in the place of an old instance, that is done.
    pub(in crate::node) fn begun_anew(&mut self) {
        let Some(exchange) = self.rare.as_mut().and_then(|rare| rare.exchange.as_mut()) else { return };
        if let Some((swap, _)) = exchange.anew.take() {
            swap.report(self.address, Outcome::Restarted);
        }
    }
}

impl Node {
    /// Between two turns of an actor that is to be exchanged.
    #[cold]
    pub(in crate::node) fn exchange(
        self: &Arc<Self>,
        worker: &mut Worker,
        slot: &Slot<Context>,
        core: &mut Core<Context>,
    ) -> Next {
        let inner = core.cx.inner_mut();
        let address = inner.address;
        if core.phase != Phase::Ready || inner.exiting || slot.mailbox.killed() {
            return Next::On;
        }
        let in_flight = inner.in_flight();
        let Some(swap) = self.exchanges.take(address) else {
            inner.thaw();
            return Next::On;
        };
        // A slot that has another actor since it was looked for, or one that has the new version by itself.
        if inner.kind.name != swap.kinds[0].name || inner.kind.edition.number() == swap.number() {
            inner.thaw();
            swap.report(address, Outcome::Ended);
            return Next::On;
        }
        let keeps = inner.kind.module.keeps() && swap.module().keeps();
        if !keeps && !swap.options.restart {
            inner.thaw();
            swap.report(address, Outcome::Kept(NO_STATE.to_owned()));
            return Next::On;
        }
        if in_flight > 0 && (!keeps || inner.exchange().waits) {
            return self.waits(core, swap);
        }
        if !keeps {
            return self.begin_anew(worker, slot, core, swap);
        }
        inner.turn_begins(worker.index, 0, turn_kind(&Body::Sweep));
        let (begun, memory) = (self.clock.now_ns(), slot.usage.memory());
        let exchanged = self.succeed(core, &swap, in_flight);
        let inner = core.cx.inner_mut();
        if let Ok(false) = exchanged {
            inner.exchange().waits = true;
            self.leaves(worker, core, Next::On);
            return self.waits(core, swap);
        }
        let since = inner.thaw();
        let begun = if since == 0 { begun } else { since };
        let (outcome, next) = match exchanged {
            Ok(_) => (Outcome::Exchanged(self.clock.now_ns() - begun), Next::On),
            Err(Unsaved::Refused(why)) => {
                slot.usage.has_memory(memory);
                (Outcome::Kept(why), Next::On)
            }
            Err(Unsaved::Broken(fault)) => {
                let why = format!("it broke in `save`, and cannot go on: {fault}");
                (Outcome::Broken(why.clone()), Next::End(Cause::Failed, why))
            }
        };
        core.cx.inner_mut().rare().exchange = None;
        let next = self.leaves(worker, core, next);
        swap.report(address, outcome);
        next
    }

    /// Not now: the instance goes on until fewer requests are in flight, or the time is over.
    fn waits(&self, core: &mut Core<Context>, swap: Arc<Swap>) -> Next {
        let inner = core.cx.inner_mut();
        self.exchanges.give_back(inner.address, swap, inner.exchanging == Exchanging::Held);
        Next::On
    }

    /// The old instance saves, a new one loads, tests itself and takes its place. False: the old one says "not now".
    fn succeed(self: &Arc<Self>, core: &mut Core<Context>, swap: &Swap, in_flight: u32) -> Result<bool, Unsaved> {
        let Some(old) = core.behavior.as_mut() else { return Ok(true) };
        let before = core.cx.inner().exchanging;
        let mark = core.cx.next_session();
        let kind = core.cx.inner().kind.clone();
        let done = new_instance(&mut core.cx, old.as_mut(), swap, in_flight);
        let done = match done {
            // What it asked for is not what it says.
            Ok(_) if core.cx.inner().exiting => Err(Unsaved::Refused("it called `exit`".to_owned())),
            done => done,
        };
        self.look_at_fault(core, &done);
        let inner = core.cx.inner_mut();
        inner.exchanging = before;
        if let Ok(Some(new)) = done {
            core.behavior = Some(new);
            return Ok(true);
        }
        inner.exiting = false;
        core.cx.take_back(mark);
        self.set_kind(&mut core.cx, kind);
        done.map(|_| false)
    }

    /// A step that failed by a fault leaves a report, of the version that it was a step of.
    fn look_at_fault<T>(&self, core: &mut Core<Context>, done: &Result<T, Unsaved>) {
        let reason = match done {
            Ok(_) => return,
            Err(Unsaved::Refused(_)) if !core.cx.has_evidence() => return,
            Err(Unsaved::Refused(why)) => why.clone(),
            Err(Unsaved::Broken(fault)) => fault.to_string(),
        };
        let step = core.cx.inner_mut().exchange().step;
        self.crashed_in(core, step, &reason);
    }

    /// For modules that keep nothing: a new beginning in the same slot, as after a supervisor's restart.
    fn begin_anew(
        self: &Arc<Self>,
        worker: &mut Worker,
        slot: &Slot<Context>,
        core: &mut Core<Context>,
        swap: Arc<Swap>,
    ) -> Next {
        let inner = core.cx.inner_mut();
        inner.thaw();
        let (address, memory) = (inner.address, slot.usage.memory());
        let kind = self.kind_in(&inner.kind, &swap.kinds, inner.worker);
        let old = self.set_kind(&mut core.cx, kind);
        let made = swap.module().create(&mut core.cx);
        let new = match made {
            Ok(new) => new,
            Err(why) => {
                // Its start function trapped; else there is no instance to tell of.
                if core.cx.has_evidence() {
                    self.crashed_in(core, "init", &why);
                }
                self.set_kind(&mut core.cx, old);
                slot.usage.has_memory(memory);
                swap.report(address, Outcome::Kept(why));
                return Next::On;
            }
        };
        self.lay_to_rest(slot, core, Cause::Stopped, "its module was reloaded, and keeps no state", false);
        let inner = core.cx.inner_mut();
        inner.exchange().anew = Some((swap, old));
        inner.turn_begins(worker.index, 0, 0);
        self.begin(worker, core, new)
    }

    /// `init` of a first instance, or of one in an old one's place, did not do well. In the latter case there is a new one of the
    /// old version.
    pub(in crate::node) fn not_begun(
        self: &Arc<Self>,
        worker: &mut Worker,
        core: &mut Core<Context>,
        cause: Cause,
        reason: String,
    ) -> Next {
        let inner = core.cx.inner_mut();
        let exchange = inner.rare.as_mut().and_then(|rare| rare.exchange.as_mut());
        let anew = exchange.filter(|_| cause == Cause::Failed).and_then(|exchange| exchange.anew.take());
        let address = inner.address;
        let (Some((swap, old)), Some(slot)) = (anew, self.table.get(address)) else {
            return self.leaves(worker, core, Next::End(cause, reason));
        };
        self.leaves(worker, core, Next::On);
        let first = reason.lines().next().unwrap_or_default();
        swap.report(
            address,
            Outcome::Kept(format!("`init` of the new version failed, the old one began anew: {first}")),
        );
        self.lay_to_rest(slot, core, Cause::Stopped, &reason, false);
        self.set_kind(&mut core.cx, old);
        self.create(worker, core)
    }
}

/// Why an actor of a module without `save` and `load` stays as it is.
const NO_STATE: &str = "its module has no `save` and `load` (in both versions): it could only begin anew";

/// The steps of an exchange. None: the old instance cannot take along what is in flight.
fn new_instance(
    cx: &mut Context,
    old: &mut dyn Behavior<Context>,
    swap: &Swap,
    in_flight: u32,
) -> Result<Option<Box<dyn Behavior<Context>>>, Unsaved> {
    let saved = step(cx, swap, "save", |cx| old.save(cx, in_flight), Unsaved::Refused)?;
    let Some(state) = saved else { return Ok(None) };
    if state.len() > swap.options.state {
        let limit = swap.options.state;
        return Err(Unsaved::Refused(format!("its state has {} bytes, the limit is {limit}", state.len())));
    }
    let node = cx.node().clone();
    let kind = node.kind_in(&cx.inner().kind, &swap.kinds, cx.inner().worker);
    let former = node.set_kind(cx, kind);
    let load = |cx: &mut Context| {
        let mut new = swap.module().create(cx)?;
        new.load(cx, &state, former.module.version())?;
        Ok(new)
    };
    step(cx, swap, "load", load, |why| why).map(Some).map_err(Unsaved::Refused)
}

/// One of them, with its time.
fn step<T, E>(
    cx: &mut Context,
    swap: &Swap,
    what: &'static str,
    run: impl FnOnce(&mut Context) -> Result<T, E>,
    late: impl FnOnce(String) -> E,
) -> Result<T, E> {
    let until = cx.now().saturating_add(nanos(swap.options.step));
    let inner = cx.inner_mut();
    inner.exchanging = Exchanging::Now;
    let exchange = inner.exchange();
    (exchange.until, exchange.step) = (until, what);
    let done = run(cx)?;
    // Who cannot be interrupted is told afterwards.
    if cx.now() >= until {
        return Err(late(format!("`{what}` took longer than {:?}", swap.options.step)));
    }
    Ok(done)
}

impl Context {
    /// An exchange failed: what was asked for in its steps is taken back. Sessions count up.
    fn take_back(&mut self, mark: Session) {
        let inner = self.inner_mut();
        let timers: Vec<Session> = inner.timers.iter().map(|(session, _)| session).filter(|it| *it > mark).collect();
        let watches = inner.rare.as_ref().map(|rare| &rare.watches);
        let watches: Vec<Session> = watches
            .into_iter()
            .flat_map(|all| all.iter())
            .map(|(session, _)| session)
            .filter(|it| *it > mark)
            .collect();
        let (signals, me) = (std::mem::take(&mut inner.exchange().subscribed), inner.address);
        if !signals.is_empty() {
            inner.node.subscribers.lock().retain(|(signal, to)| *to != me || !signals.contains(signal));
        }
        for timer in timers {
            self.cancel_timer(timer);
        }
        for watch in watches {
            self.unwatch(watch);
        }
    }
}
