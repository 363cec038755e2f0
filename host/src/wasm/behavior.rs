//! The two ways to run an instance: [`Plain`] for guests that cannot park, [`Parkable`] for those that can.
//!
//! Must hold: the node's context is moved into the guest's reach for the turn and is back when `init`, `handle` or
//! `resume` returns, whatever happened; a plain turn allocates nothing beyond the payload; dropping a parked actor
//! unwinds its stack without running guest code.

use std::pin::Pin;
use std::task::{self, Poll, Waker};

use wasmtime::Store;
use wasmtime_wasi::runtime::with_ambient_tokio_runtime;

use crate::actor::{Behavior, Fault, Turn};
use crate::node::Context;
use crate::sched::Letter;
use crate::wasm::entry::{Ended, Entry};
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
}
