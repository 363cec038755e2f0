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
use crate::base::Message;
use crate::node::Context;
use crate::wasm::bindings::exports::wasmactor::actor::handler::Event;
use crate::wasm::convert::event;
use crate::wasm::fault::fault;
use crate::wasm::instance::{Entries, Outcome};
use crate::wasm::output::Output;
use crate::wasm::state::{Place, State};

/// What a turn of the guest came to, as wasmtime says it.
type Returned = wasmtime::Result<(Outcome,)>;

fn turn(returned: Returned, store: &Store<State>) -> Turn {
    match returned {
        Ok((outcome,)) => Turn::Done(outcome),
        Err(error) => Turn::Fault(fault(&error, &store.data().limits)),
    }
}

/// A guest without a stack of its own: turns are plain calls on the worker's.
pub(super) struct Plain {
    store: Store<State>,
    entries: Entries,
}

impl Plain {
    pub(super) fn new(store: Store<State>, entries: Entries) -> Self {
        Self { store, entries }
    }

    fn run(&mut self, cx: &mut Context, enter: impl FnOnce(&Entries, &mut Store<State>) -> Returned) -> Turn {
        self.store.set_epoch_deadline(1);
        self.store.data_mut().limits.refused = None;
        self.store.data_mut().enter(cx);
        let returned = enter(&self.entries, &mut self.store);
        self.store.data_mut().leave(cx);
        turn(returned, &self.store)
    }
}

impl Behavior<Context> for Plain {
    fn init(&mut self, cx: &mut Context) -> Turn {
        self.run(cx, |entries, store| entries.init.call(store, ()))
    }

    fn handle(&mut self, cx: &mut Context, message: Message) -> Turn {
        match event(message) {
            Some(event) => self.run(cx, |entries, store| entries.handle.call(store, (event,))),
            None => Turn::Done(Ok(())),
        }
    }

    fn resume(&mut self, _cx: &mut Context) -> Turn {
        // It never parks, so there is nothing to go on with.
        Turn::Done(Ok(()))
    }
}

/// One entry into a guest that can park. It owns the store, so that it can be kept while the guest is suspended.
type Entry = Pin<Box<dyn Future<Output = (Store<State>, Returned)> + Send>>;

/// A guest with a stack of its own, which stays with the store between turns.
pub(super) struct Parkable {
    phase: Phase,
    entries: Entries,
    place: Place,
    /// Only for guests with WASI, whose waits are woken by tokio instead of the node.
    output: Option<Output>,
}

enum Phase {
    Idle(Store<State>),
    Entered(Entry),
    Broken,
}

impl Parkable {
    pub(super) fn new(store: Store<State>, entries: Entries, place: Place, output: Option<Output>) -> Self {
        Self { phase: Phase::Idle(store), entries, place, output }
    }

    /// Enters the guest: `init` without an event, else `handle`.
    fn enter(&mut self, cx: &mut Context, event: Option<Event>) -> Turn {
        let Phase::Idle(mut store) = std::mem::replace(&mut self.phase, Phase::Broken) else {
            return Turn::Fault(Fault::Trap("the host entered an actor in the middle of a turn".to_owned()));
        };
        let entries = self.entries;
        store.set_epoch_deadline(1);
        store.data_mut().limits.refused = None;
        let entry: Entry = Box::pin(async move {
            let returned = match event {
                None => entries.init.call_async(&mut store, ()).await,
                Some(event) => entries.handle.call_async(&mut store, (event,)).await,
            };
            (store, returned)
        });
        self.go_on(cx, entry)
    }

    fn go_on(&mut self, cx: &mut Context, mut entry: Entry) -> Turn {
        let polled = match &self.output {
            None => {
                *self.place.lock() = cx.take();
                entry.as_mut().poll(&mut task::Context::from_waker(Waker::noop()))
            }
            Some(_) => {
                let waker = cx.waker();
                *self.place.lock() = cx.take();
                with_ambient_tokio_runtime(|| entry.as_mut().poll(&mut task::Context::from_waker(&waker)))
            }
        };
        *cx = self.place.lock().take();
        if let Some(output) = &self.output {
            output.drain(cx);
        }
        let (store, returned) = match polled {
            Poll::Ready(ready) => ready,
            Poll::Pending => {
                self.phase = Phase::Entered(entry);
                return Turn::Parked;
            }
        };
        let turn = turn(returned, &store);
        match (&turn, &self.output) {
            (Turn::Fault(_), Some(output)) => output.finish(cx),
            (Turn::Fault(_), None) => {}
            _ => self.phase = Phase::Idle(store),
        }
        turn
    }
}

impl Behavior<Context> for Parkable {
    fn init(&mut self, cx: &mut Context) -> Turn {
        self.enter(cx, None)
    }

    fn handle(&mut self, cx: &mut Context, message: Message) -> Turn {
        match event(message) {
            Some(event) => self.enter(cx, Some(event)),
            None => Turn::Done(Ok(())),
        }
    }

    fn resume(&mut self, cx: &mut Context) -> Turn {
        match std::mem::replace(&mut self.phase, Phase::Broken) {
            Phase::Entered(entry) => self.go_on(cx, entry),
            // A wake-up that came late: the turn is over.
            idle => {
                self.phase = idle;
                Turn::Done(Ok(()))
            }
        }
    }
}
