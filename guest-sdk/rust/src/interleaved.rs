//! The interleaved style: `async` handlers, many at once in one actor. Each message starts a task; while it awaits an
//! answer, a timer or a socket the actor serves others. Handlers share the actor as `Rc<Self>`, so state that changes
//! sits in `Cell` and `RefCell`; never hold a borrow over an `.await`. Where order matters use a [`Queue`].
//!
//! Dropping a future that waits (by `select`, [`timeout`], or ending its task) gives the waiting up at the host too.

mod ask;
mod listener;
mod queue;
mod sockets;
mod stream;
mod tasks;
mod time;
mod waits;

/// Channels between the tasks of one actor (not between actors): bounded, unbounded and one-shot.
pub mod channel {
    pub use async_unsync::bounded::{Receiver, Sender};
    pub use async_unsync::oneshot::{Receiver as OneshotReceiver, Sender as OneshotSender};
    pub use async_unsync::unbounded::{UnboundedReceiver, UnboundedSender};
    pub use async_unsync::{SendError, TryRecvError, TrySendError};

    /// A channel that holds up to `capacity` values (at least 1); `send` waits for room.
    pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
        async_unsync::bounded::channel(capacity.max(1)).into_split()
    }

    /// A channel without a bound; `send` never waits.
    pub fn unbounded<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
        async_unsync::unbounded::channel().into_split()
    }

    /// A channel for one value; the receiver is a future.
    pub fn oneshot<T>() -> (OneshotSender<T>, OneshotReceiver<T>) {
        async_unsync::oneshot::channel().into_split()
    }
}

pub use ask::{Ask, AskRaw, Ended, Spawning, ended, spawn};
pub use futures_util::future::{join_all, try_join_all};
pub use futures_util::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
pub use futures_util::{FutureExt, join, select, select_biased, try_join};
pub use listener::TcpListener;
pub use queue::Queue;
pub use stream::TcpStream;
pub use tasks::{JoinHandle, spawn_local, yield_now};
pub use time::{Elapsed, Interval, Sleep, interval, sleep, timeout};

use crate::bindings::exports::wasmactor::actor::handler::Event;
use crate::exclusive::unknown_kind;
use crate::{
    Down, ENCODED, Error, Failure, Keep, Reply, Result, Sender, Signal, Socket, SocketEvent, Timer, config, decode,
};
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use waits::{Ending, Other};

/// An actor whose handlers run interleaved. Export it by [`async_actor!`](crate::async_actor).
///
/// An error that a handler returns fails the request that it handled, is logged, and the actor lives on. A panic ends
/// the actor.
#[expect(async_fn_in_trait, reason = "an actor has one thread: its futures need not be Send")]
pub trait AsyncActor: Sized + 'static {
    /// What the manifest's `args`, or the spawner, give. `()` for nothing.
    type Args: DeserializeOwned + 'static;
    /// What other actors send, as a rule an enum.
    type Message: DeserializeOwned + 'static;

    /// Runs once, before any event. An error ends the actor and reaches its spawner. It cannot wait: what has to wait
    /// goes into [`start`](Self::start).
    fn init(args: Self::Args) -> Result<Self>;

    /// The actor's first task, begun within `init`, and again in a new instance after a reload. Messages are handled while
    /// it waits.
    async fn start(self: Rc<Self>) -> Result {
        Ok(())
    }

    /// Handles a message.
    async fn handle(self: Rc<Self>, message: Self::Message, from: Sender) -> Result<Reply>;

    /// Handles a message of a kind other than 0, whose payload the SDK does not look at.
    async fn raw(self: Rc<Self>, kind: u32, payload: Vec<u8>, from: Sender) -> Result<Reply> {
        let _ = (payload, from);
        Err(unknown_kind(kind))
    }

    /// The time of a [`Timer`] is over ([`sleep`] and [`timeout`] are not told here).
    async fn timeout(self: Rc<Self>, timer: Timer) -> Result {
        let _ = timer;
        Ok(())
    }

    /// Something happened to a socket that is no [`TcpStream`] or [`TcpListener`] of ours, as a socket that another
    /// actor gives: see [`TcpStream::given`].
    async fn socket(self: Rc<Self>, socket: Socket, event: SocketEvent) -> Result {
        let _ = (socket, event);
        Ok(())
    }

    /// A watched actor ended ([`ended`] is not told here).
    async fn down(self: Rc<Self>, down: Down) -> Result {
        let _ = down;
        Ok(())
    }

    /// A signal came. For `Stop` there is nothing that must be done.
    async fn signal(self: Rc<Self>, signal: Signal) -> Result {
        let _ = signal;
        Ok(())
    }
}

/// What `async_actor!` expands to calls these.
#[doc(hidden)]
pub fn start<A: AsyncActor>() -> Result<Rc<A>, String> {
    crate::logger::install();
    let args = config::args().map_err(|error| error.to_string())?;
    let actor = Rc::new(A::init(args).map_err(Failure::into_reason)?);
    // What `init` started comes first.
    tasks::run_until_stalled();
    background(actor.clone().start());
    tasks::run_until_stalled();
    Ok(actor)
}

thread_local! {
    /// The timer that begins `start` of an instance that was loaded: until then it may not do much.
    static BEGINS: Cell<Option<Timer>> = const { Cell::new(None) };
    /// A handler is in its first turn, and has not ended.
    static FIRST: Cell<bool> = const { Cell::new(false) };
    /// Handlers that go on after their first turn.
    static HANDLERS: Cell<u32> = const { Cell::new(0) };
}

#[doc(hidden)]
pub fn save<A: AsyncActor + Keep>(actor: &A, in_flight: u32) -> Result<Option<Vec<u8>>, String> {
    // Handlers go on with what is none of the host's requests, or is a second time: either way they do not go over.
    crate::state::save(actor, in_flight.saturating_add(HANDLERS.get()))
}

#[doc(hidden)]
pub fn load<A: AsyncActor + Keep>(state: &[u8], version: &str) -> Result<Rc<A>, String> {
    let actor = Rc::new(crate::state::load::<A>(state, version)?);
    BEGINS.set(Some(Timer::after(Duration::ZERO)));
    Ok(actor)
}

#[doc(hidden)]
pub fn message<A: AsyncActor>(
    actor: Rc<A>,
    source: u64,
    session: u64,
    kind: u32,
    payload: Vec<u8>,
) -> Result<(), String> {
    let from = Sender::new(source, session);
    let outcome = match kind {
        ENCODED => match decode(&payload) {
            Ok(message) => turn(from.clone(), actor.handle(message, from)),
            Err(error) => from.request.finish(Err(error.into())),
        },
        kind => turn(from.clone(), actor.raw(kind, payload, from)),
    };
    tasks::run_until_stalled();
    outcome.map_or(Ok(()), Err)
}

#[doc(hidden)]
#[inline]
pub fn answered(session: u64, payload: Vec<u8>) {
    // An error: nobody waits any more, it was dropped while the event was on its way.
    let _ = waits::end_here(session, Ending::Answer(payload));
    tasks::run_until_stalled();
}

#[doc(hidden)]
pub fn dispatch<A: AsyncActor>(actor: Rc<A>, event: Event) -> Result<(), String> {
    match event {
        Event::Message(_) => unreachable!("messages have an entry of their own"),
        Event::Reply(reply) => {
            let ending = match reply.outcome {
                Ok(payload) => Ending::Answer(payload),
                Err(error) => Other::Failed(error.into()).into(),
            };
            // As in `answered`.
            let _ = waits::end(reply.session, ending);
        }
        Event::Spawned(spawned) => {
            // As in `answered`.
            let _ = waits::end(spawned.session, Other::Spawned(spawned.outcome.map_err(Error::from)).into());
        }
        Event::Timeout(session) if BEGINS.get() == Some(Timer(session)) => {
            BEGINS.set(None);
            background(actor.start());
        }
        Event::Timeout(session) => {
            if waits::end(session, Ending::Timeout).is_err() {
                background(actor.timeout(Timer(session)));
            }
        }
        Event::Down(down) => {
            if let Err(Ending::Other(other)) = waits::end(down.watch, Other::Down(down.into()).into())
                && let Other::Down(down) = *other
            {
                background(actor.down(down));
            }
        }
        Event::Socket(news) => {
            if let Err(event) = sockets::deliver(news.socket, news.event.into()) {
                background(actor.socket(Socket(news.socket), event));
            }
        }
        Event::Signal(signal) => background(actor.signal(signal.into())),
    }
    tasks::run_until_stalled();
    Ok(())
}

/// Begins a message's handler. If it ends at once, so does its request; else the request is kept for it before any
/// other task runs, so that what the others ask is never taken for a part of this request.
fn turn(from: Sender, handler: impl Future<Output = Result<Reply>> + 'static) -> Option<String> {
    let request = from.request.clone();
    FIRST.set(true);
    tasks::begin(Some(request.clone()), async move {
        let failed = from.request.finish(handler.await);
        from.request.failure.set(failed);
        if !FIRST.replace(false) {
            HANDLERS.set(HANDLERS.get() - 1);
        }
    });
    if FIRST.replace(false) {
        HANDLERS.set(HANDLERS.get() + 1);
    }
    request.turn_ends();
    request.failure.take()
}

/// Runs a handler that answers nobody.
fn background(handler: impl Future<Output = Result> + 'static) {
    tasks::begin(None, async move {
        if let Err(failure) = handler.await {
            log::error!("a handler failed: {failure}");
        }
    });
}
