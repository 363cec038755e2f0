//! The two ways to run an instance: [`Plain`] for guests that cannot park, [`Parkable`] for those that can.
//!
//! Must hold: the node's context is moved into the guest's reach for the turn and is back when `init`, `handle` or
//! `resume` returns, whatever happened; a plain turn allocates nothing beyond the payload; dropping a parked actor
//! unwinds its stack without running guest code.

use std::pin::{Pin, pin};
use std::task::{self, Poll, Waker};

use wasmtime::Store;
use wasmtime_wasi::runtime::with_ambient_tokio_runtime;

use crate::actor::{Behavior, Fault, Turn, Unsaved};
use crate::node::Context;
use crate::sched::Letter;
use crate::wasm::entry::{Ended, Entry, Saved, Step};
use crate::wasm::evidence;
use crate::wasm::fault::fault;
use crate::wasm::output::Output;
use crate::wasm::state::{Place, State};

/// What a turn of the guest came to, as wasmtime says it.
type Returned = wasmtime::Result<Ended>;

fn turn(returned: Returned, store: &mut Store<State>, flat: bool, cx: &mut Context) -> Turn {
    match returned {
        Ok(Ended::Done(outcome)) => Turn::Done(outcome),
        Ok(Ended::Left) => Turn::Left,
        Err(error) => {
            evidence::leave(cx, &error, store, flat);
            Turn::Fault(fault(&error, &store.data().limits))
        }
    }
}

/// Polls a step of a reload, which nothing can suspend but a wait that is not the host's. None: the guest waits.
fn at_once<T>(step: impl Future<Output = T>) -> Option<T> {
    match pin!(step).poll(&mut task::Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// What a step came to. Errors: the instance cannot be entered any more.
fn kept<E: Entry>(
    returned: Option<wasmtime::Result<Saved>>,
    store: &mut Store<State>,
    cx: &mut Context,
) -> Result<Saved, Fault> {
    match returned {
        Some(Ok(kept)) => Ok(kept),
        Some(Err(error)) => {
            evidence::leave(cx, &error, store, E::FLAT);
            Err(fault(&error, &store.data().limits))
        }
        None => Err(Fault::Trap("it waits, which it cannot do while it is reloaded".to_owned())),
    }
}

/// The same for `load` and `self-test`: the first one that fails.
fn loaded(first: Result<Saved, Fault>, then: impl FnOnce() -> Result<Saved, Fault>) -> Result<(), String> {
    let words = |kept: Result<Saved, Fault>| kept.unwrap_or_else(|fault| Err(fault.to_string()));
    words(first)?;
    words(then()).map_err(|why| format!("`self-test`: {why}"))?;
    Ok(())
}

fn saved(kept: Result<Saved, Fault>) -> Result<Option<Vec<u8>>, Unsaved> {
    kept.map_err(Unsaved::Broken)?.map_err(Unsaved::Refused)
}

/// A guest without a stack of its own: turns are plain calls on the worker's.
pub(super) struct Plain<E> {
    store: Store<State>,
    entry: E,
    /// It trapped: what is in its memory may make no sense.
    broken: bool,
}

impl<E: Entry> Plain<E> {
    pub(super) fn new(store: Store<State>, entry: E) -> Self {
        Self { store, entry, broken: false }
    }

    /// `init` without a message, else `handle`.
    fn run(&mut self, cx: &mut Context, letter: Option<Letter>) -> Turn {
        if self.broken {
            return Turn::Fault(Fault::Trap("the host entered an actor that has trapped".to_owned()));
        }
        self.store.set_epoch_deadline(1);
        self.store.data_mut().limits.refused = None;
        self.store.data_mut().enter(cx);
        let returned = self.entry.call(&mut self.store, letter);
        self.store.data_mut().leave(cx);
        self.broken = returned.is_err();
        turn(returned, &mut self.store, E::FLAT, cx)
    }

    fn step(&mut self, cx: &mut Context, step: Step<'_>) -> Result<Saved, Fault> {
        self.store.set_epoch_deadline(1);
        self.store.data_mut().limits.refused = None;
        self.store.data_mut().enter(cx);
        let returned = at_once(self.entry.state(&mut self.store, step));
        self.store.data_mut().leave(cx);
        let kept = kept::<E>(returned, &mut self.store, cx);
        self.broken = kept.is_err();
        kept
    }
}

impl<E: Entry> Behavior<Context> for Plain<E> {
    fn init(&mut self, cx: &mut Context) -> Turn {
        self.run(cx, None)
    }

    fn handle(&mut self, cx: &mut Context, letter: Letter) -> Turn {
        self.run(cx, Some(letter))
    }

    fn resume(&mut self, _cx: &mut Context) -> Turn {
        // It never parks, so there is nothing to go on with.
        Turn::Done(Ok(()))
    }

    fn save(&mut self, cx: &mut Context, in_flight: u32) -> Result<Option<Vec<u8>>, Unsaved> {
        saved(self.step(cx, Step::Save(in_flight)))
    }

    fn load(&mut self, cx: &mut Context, state: &[u8], from: &str) -> Result<(), String> {
        let first = self.step(cx, Step::Load(state, from));
        loaded(first, || self.step(cx, Step::SelfTest))
    }
}

/// One entry into a guest that can park. It owns the store, so that it can be kept while the guest is suspended.
type Entered = Pin<Box<dyn Future<Output = (Store<State>, Returned)> + Send>>;

/// A guest with a stack of its own, which stays with the store between turns.
pub(super) struct Parkable<E> {
    phase: Phase,
    entry: E,
    place: Place,
    /// Only for guests with WASI, whose waits are woken by tokio instead of the node.
    output: Option<Output>,
}

enum Phase {
    Idle(Store<State>),
    Entered(Entered),
    Broken,
}

impl<E: Entry> Parkable<E> {
    pub(super) fn new(mut store: Store<State>, entry: E, place: Place, output: Option<Output>) -> Self {
        store.data_mut().yields = true;
        Self { phase: Phase::Idle(store), entry, place, output }
    }

    /// Enters the guest: `init` without a message, else `handle`.
    fn enter(&mut self, cx: &mut Context, letter: Option<Letter>) -> Turn {
        let Phase::Idle(mut store) = std::mem::replace(&mut self.phase, Phase::Broken) else {
            return Turn::Fault(Fault::Trap("the host entered an actor in the middle of a turn".to_owned()));
        };
        let entry = self.entry.clone();
        store.set_epoch_deadline(1);
        store.data_mut().limits.refused = None;
        let entered: Entered = Box::pin(async move {
            let returned = entry.call_async(&mut store, letter).await;
            (store, returned)
        });
        self.go_on(cx, entered)
    }

    fn go_on(&mut self, cx: &mut Context, mut entered: Entered) -> Turn {
        let polled = match &self.output {
            None => {
                self.place.put(cx.take());
                entered.as_mut().poll(&mut task::Context::from_waker(Waker::noop()))
            }
            Some(_) => {
                let waker = cx.waker();
                self.place.put(cx.take());
                with_ambient_tokio_runtime(|| entered.as_mut().poll(&mut task::Context::from_waker(&waker)))
            }
        };
        *cx = self.place.take();
        if let Some(output) = &self.output {
            output.drain(cx);
        }
        let (mut store, returned) = match polled {
            Poll::Ready(ready) => ready,
            Poll::Pending => {
                self.phase = Phase::Entered(entered);
                return if cx.take_yield() { Turn::Yielded } else { Turn::Parked };
            }
        };
        let turn = turn(returned, &mut store, E::FLAT, cx);
        match (&turn, &self.output) {
            (Turn::Fault(_), Some(output)) => output.finish(cx),
            (Turn::Fault(_), None) => {}
            _ => self.phase = Phase::Idle(store),
        }
        turn
    }

    fn step(&mut self, cx: &mut Context, step: Step<'_>) -> Result<Saved, Fault> {
        let Phase::Idle(mut store) = std::mem::replace(&mut self.phase, Phase::Broken) else {
            return Err(Fault::Trap("the host entered an actor in the middle of a turn".to_owned()));
        };
        store.set_epoch_deadline(1);
        store.data_mut().limits.refused = None;
        self.place.put(cx.take());
        let returned = {
            let entered = self.entry.state(&mut store, step);
            if self.output.is_some() { with_ambient_tokio_runtime(|| at_once(entered)) } else { at_once(entered) }
        };
        *cx = self.place.take();
        if let Some(output) = &self.output {
            output.drain(cx);
        }
        let kept = kept::<E>(returned, &mut store, cx);
        if kept.is_ok() {
            self.phase = Phase::Idle(store);
        }
        kept
    }
}

impl<E: Entry> Behavior<Context> for Parkable<E> {
    fn init(&mut self, cx: &mut Context) -> Turn {
        self.enter(cx, None)
    }

    fn handle(&mut self, cx: &mut Context, letter: Letter) -> Turn {
        self.enter(cx, Some(letter))
    }

    fn resume(&mut self, cx: &mut Context) -> Turn {
        match std::mem::replace(&mut self.phase, Phase::Broken) {
            Phase::Entered(entered) => self.go_on(cx, entered),
            // A wake-up that came late: the turn is over.
            idle => {
                self.phase = idle;
                Turn::Done(Ok(()))
            }
        }
    }

    fn save(&mut self, cx: &mut Context, in_flight: u32) -> Result<Option<Vec<u8>>, Unsaved> {
        saved(self.step(cx, Step::Save(in_flight)))
    }

    fn load(&mut self, cx: &mut Context, state: &[u8], from: &str) -> Result<(), String> {
        let first = self.step(cx, Step::Load(state, from));
        loaded(first, || self.step(cx, Step::SelfTest))
    }
}
