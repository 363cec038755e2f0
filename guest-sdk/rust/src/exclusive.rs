//! The exclusive style: `&mut self` handlers, one event at a time. [`call`](Address::call), [`spawn`] and [`sleep`] park
//! the actor; nothing else enters it meanwhile, so state cannot change under a waiting handler.

use crate::bindings::exports::wasmactor::actor::handler::Event;
use crate::bindings::wasmactor::actor::{blocking, messaging};
use crate::control::{Ps, Reload};
use crate::lifecycle::Birth;
use crate::timer::{Timer, deadline, milliseconds};
use crate::{
    Address, Down, ENCODED, Error, Failure, Reply, Result, Sender, Signal, Socket, SocketEvent, config, decode, encode,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Duration;

/// An actor whose handlers run one at a time, each to its end. Export it by [`actor!`](crate::actor).
///
/// An error that a handler returns fails the request that it handled, is logged, and the actor lives on. A panic ends
/// the actor.
pub trait Actor: Sized + 'static {
    /// What the manifest's `args`, or the spawner, give. `()` for nothing.
    type Args: DeserializeOwned;
    /// What other actors send, as a rule an enum.
    type Message: DeserializeOwned;

    /// Runs once, before any event. An error ends the actor and reaches its spawner.
    fn init(args: Self::Args) -> Result<Self>;

    /// Handles a message.
    fn handle(&mut self, message: Self::Message, from: &Sender) -> Result<Reply>;

    /// Handles a message of a kind other than 0, whose payload the SDK does not look at.
    fn raw(&mut self, kind: u32, payload: Vec<u8>, from: &Sender) -> Result<Reply> {
        let _ = (payload, from);
        Err(unknown_kind(kind))
    }

    /// A timer's time is over.
    fn timeout(&mut self, timer: Timer) -> Result {
        let _ = timer;
        Ok(())
    }

    /// Something happened to a socket.
    fn socket(&mut self, socket: Socket, event: SocketEvent) -> Result {
        let _ = (socket, event);
        Ok(())
    }

    /// A watched actor ended.
    fn down(&mut self, down: Down) -> Result {
        let _ = down;
        Ok(())
    }

    /// A signal came. For `Stop` there is nothing that must be done.
    fn signal(&mut self, signal: Signal) -> Result {
        let _ = signal;
        Ok(())
    }

    /// The answer to an [`Address::request`], or to an order ([`Reload::request`], [`Ps::request`]).
    fn answer(&mut self, request: Asked, outcome: Result<Vec<u8>, Error>) -> Result {
        let _ = (request, outcome);
        Ok(())
    }

    /// The end of a [`spawn_later`](crate::lifecycle::spawn_later).
    fn spawned(&mut self, birth: Birth, outcome: Result<Address, Error>) -> Result {
        let _ = (birth, outcome);
        Ok(())
    }
}

pub(crate) fn unknown_kind(kind: u32) -> Failure {
    Failure::new(format_args!("messages of kind {kind} are not understood here"))
}

/// A request whose answer comes to the `answer` handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Asked(pub(crate) u64);

impl Asked {
    /// Gives up waiting: no answer comes after it. False: it came already.
    pub fn cancel(self) -> bool {
        messaging::cancel(self.0)
    }
}

/// Waiting for others in the exclusive style.
impl Address {
    /// Sends a request and parks this actor until its answer comes: at the latest when the manifest's `call-timeout`,
    /// or the time of the request that is being handled, is over.
    ///
    /// Errors: every [`ErrorCode`](crate::ErrorCode) but `Io`; `Refused` carries what the other handler said.
    pub fn call<R: DeserializeOwned>(self, message: &(impl Serialize + ?Sized)) -> Result<R, Error> {
        decode(&self.call_raw(ENCODED, &encode(message)?, None)?)
    }

    /// [`call`](Self::call) with a deadline of its own.
    pub fn call_timeout<R: DeserializeOwned>(
        self,
        message: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> Result<R, Error> {
        decode(&self.call_raw(ENCODED, &encode(message)?, Some(timeout))?)
    }

    /// [`call`](Self::call) for bytes; without a `timeout` the manifest's.
    pub fn call_raw(self, kind: u32, payload: &[u8], timeout: Option<Duration>) -> Result<Vec<u8>, Error> {
        Ok(blocking::call(self.get(), kind, payload, deadline(timeout))?)
    }

    /// Sends a request without waiting; the answer comes to the `answer` handler, for [`decode`]. Errors as
    /// [`send`](Self::send), and `Deadline` if no time is left.
    pub fn request(self, message: &(impl Serialize + ?Sized), timeout: Option<Duration>) -> Result<Asked, Error> {
        self.request_raw(ENCODED, &encode(message)?, timeout)
    }

    /// [`request`](Self::request) for bytes.
    pub fn request_raw(self, kind: u32, payload: &[u8], timeout: Option<Duration>) -> Result<Asked, Error> {
        Ok(Asked(messaging::request(self.get(), kind, payload, deadline(timeout), 0)?))
    }
}

/// Waiting for the host in the exclusive style.
impl Reload<'_> {
    /// Gives the order; the [`Reloaded`](crate::control::Reloaded) comes to the `answer` handler.
    pub fn request(self) -> Result<Asked, Error> {
        self.order().map(Asked)
    }
}

impl Ps<'_> {
    /// Gives the order; the [`Actors`](crate::control::Actors) come to the `answer` handler.
    pub fn request(self) -> Result<Asked, Error> {
        self.order().map(Asked)
    }
}

/// Starts an actor of a module of the manifest, registered under `name` if there is one, and parks this actor until
/// the new one's `init` has returned.
///
/// Errors: `Invalid` (no such module, bad name or a name that is taken), `NotGranted`, `Refused` (what `init` said).
pub fn spawn<T: Serialize + ?Sized>(module: &str, name: Option<&str>, args: &T) -> Result<Address, Error> {
    Ok(blocking::spawn(module, name, &encode(args)?)?.into())
}

/// Parks this actor for at least this long.
pub fn sleep(time: Duration) {
    blocking::sleep(milliseconds(time));
}

/// What `actor!` expands to calls these.
#[doc(hidden)]
pub fn start<A: Actor>() -> Result<A, String> {
    crate::logger::install();
    let args = config::args().map_err(|error| error.to_string())?;
    A::init(args).map_err(Failure::into_reason)
}

#[doc(hidden)]
pub fn message<A: Actor>(actor: &mut A, source: u64, session: u64, kind: u32, payload: Vec<u8>) -> Result<(), String> {
    let from = Sender::new(source, session);
    let outcome = match kind {
        ENCODED => decode(&payload).map_err(Failure::from).and_then(|message| actor.handle(message, &from)),
        kind => actor.raw(kind, payload, &from),
    };
    let failed = from.request.finish(outcome);
    from.give_back();
    failed.map_or(Ok(()), Err)
}

#[doc(hidden)]
pub fn answered<A: Actor>(actor: &mut A, session: u64, payload: Vec<u8>) -> Result<(), String> {
    actor.answer(Asked(session), Ok(payload)).map_err(Failure::into_reason)
}

#[doc(hidden)]
pub fn dispatch<A: Actor>(actor: &mut A, event: Event) -> Result<(), String> {
    let handled = match event {
        Event::Message(_) => unreachable!("messages have an entry of their own"),
        Event::Reply(reply) => actor.answer(Asked(reply.session), reply.outcome.map_err(Error::from)),
        Event::Spawned(spawned) => {
            let outcome = spawned.outcome.map(Address::from).map_err(Error::from);
            actor.spawned(Birth(spawned.session), outcome)
        }
        Event::Timeout(session) => actor.timeout(Timer(session)),
        Event::Socket(news) => actor.socket(Socket(news.socket), news.event.into()),
        Event::Down(down) => actor.down(down.into()),
        Event::Signal(signal) => actor.signal(signal.into()),
    };
    handled.map_err(Failure::into_reason)
}
