//! Waiting for other actors: `ask`, [`spawn`], [`ended`], and which request a task works for.

use super::tasks::with_request;
use super::waits::{Ending, Other, Wait};
use crate::bindings::wasmactor::actor::{lifecycle, messaging};
use crate::control::{Actors, Ps, Reload, Reloaded};
use crate::sender::Stage;
use crate::timer::deadline;
use crate::{Address, Down, ENCODED, Error, decode, encode};
use serde::{Serialize, de::DeserializeOwned};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// The session for `messaging.request`'s `within`.
fn working_for() -> u64 {
    with_request(|request| match request {
        // Open: 0 means the request that is being handled now, which is this one. Over: nobody's time bounds us.
        Some(request) if !matches!(request.stage.get(), Stage::Open | Stage::Over) => request.session.get(),
        _ => 0,
    })
}

/// An answer on its way. Dropping it gives the request up.
#[derive(Debug)]
#[must_use = "the answer comes only if it is awaited; dropping it cancels the request"]
pub struct Ask<R> {
    raw: AskRaw,
    decode: PhantomData<fn() -> R>,
}

/// An answer in bytes on its way: [`Ask`] without the decoding.
#[derive(Debug)]
#[must_use = "the answer comes only if it is awaited; dropping it cancels the request"]
pub struct AskRaw(
    /// The wait, or what the host said at once.
    Result<Wait, Option<Error>>,
);

impl AskRaw {
    #[inline]
    fn new(to: Address, kind: u32, payload: &[u8], timeout: Option<Duration>) -> Self {
        let session = messaging::request(to.get(), kind, payload, deadline(timeout), working_for());
        Self::of(session.map_err(Error::from))
    }

    #[inline]
    fn of(session: Result<u64, Error>) -> Self {
        Self(match session {
            Ok(session) => Ok(Wait::new(session, |session| {
                messaging::cancel(session);
            })),
            Err(error) => Err(Some(error)),
        })
    }
}

impl Future for AskRaw {
    type Output = Result<Vec<u8>, Error>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(wait) => match ready!(Pin::new(wait).poll(context)) {
                Ending::Answer(payload) => Poll::Ready(Ok(payload)),
                other => Poll::Ready(Err(failed(other))),
            },
            Err(error) => Poll::Ready(Err(error.take().expect("polled after its end"))),
        }
    }
}

/// The error of a request that was not answered.
#[cold]
fn failed(ending: Ending) -> Error {
    match ending {
        Ending::Other(other) => match *other {
            Other::Failed(error) => error,
            other => unreachable!("a request ended by {other:?}"),
        },
        other => unreachable!("a request ended by {other:?}"),
    }
}

impl<R> Ask<R> {
    fn new(to: Address, message: &(impl Serialize + ?Sized), timeout: Option<Duration>) -> Self {
        let raw = match encode(message) {
            Ok(payload) => AskRaw::new(to, ENCODED, &payload, timeout),
            Err(error) => AskRaw(Err(Some(error))),
        };
        Self { raw, decode: PhantomData }
    }
}

impl<R: DeserializeOwned> Future for Ask<R> {
    type Output = Result<R, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(Pin::new(&mut self.raw).poll(context));
        Poll::Ready(outcome.and_then(|payload| decode(&payload)))
    }
}

/// Waiting for others in the interleaved style.
impl Address {
    /// Sends a request, at once, and gives a future of its answer. It ends at the latest when the manifest's
    /// `call-timeout`, or the time of the request that this task handles, is over.
    ///
    /// Errors: every [`ErrorCode`](crate::ErrorCode) but `Io` and `Cycle`; `Refused` carries what the other handler
    /// said.
    pub fn ask<R: DeserializeOwned>(self, message: &(impl Serialize + ?Sized)) -> Ask<R> {
        Ask::new(self, message, None)
    }

    /// [`ask`](Self::ask) with a deadline of its own, which the receiver sees too (so better than
    /// [`timeout`](super::timeout) around `ask`).
    pub fn ask_timeout<R: DeserializeOwned>(self, message: &(impl Serialize + ?Sized), timeout: Duration) -> Ask<R> {
        Ask::new(self, message, Some(timeout))
    }

    /// [`ask`](Self::ask) for bytes; without a `timeout` the manifest's.
    pub fn ask_raw(self, kind: u32, payload: impl AsRef<[u8]>, timeout: Option<Duration>) -> AskRaw {
        AskRaw::new(self, kind, payload.as_ref(), timeout)
    }
}

/// Waiting for the host in the interleaved style.
impl Reload<'_> {
    /// Gives the order, at once, and gives a future of what became of it.
    pub fn ask(self) -> Ask<Reloaded> {
        Ask { raw: AskRaw::of(self.order()), decode: PhantomData }
    }
}

impl Ps<'_> {
    /// Gives the order, at once, and gives a future of the list.
    pub fn ask(self) -> Ask<Actors> {
        Ask { raw: AskRaw::of(self.order()), decode: PhantomData }
    }
}

/// A new actor on its way. Dropping it does not undo the spawn.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Spawning(Result<Wait, Option<Error>>);

/// Starts an actor of a module of the manifest, registered under `name` if there is one; ends when the new one's `init`
/// has returned.
///
/// Errors: `Invalid` (no such module, bad name or a name that is taken), `NotGranted`, `Refused` (what `init` said).
pub fn spawn<T: Serialize + ?Sized>(module: &str, name: Option<&str>, args: &T) -> Spawning {
    let session = encode(args).and_then(|args| Ok(lifecycle::spawn(module, name, &args)?));
    Spawning(session.map_err(Some).map(|session| Wait::new(session, |_| {})))
}

impl Future for Spawning {
    type Output = Result<Address, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(wait) => match ready!(Pin::new(wait).poll(context)) {
                Ending::Other(other) => match *other {
                    Other::Spawned(outcome) => Poll::Ready(outcome.map(Address::from)),
                    other => unreachable!("a spawn ended by {other:?}"),
                },
                other => unreachable!("a spawn ended by {other:?}"),
            },
            Err(error) => Poll::Ready(Err(error.take().expect("polled after its end"))),
        }
    }
}

/// Another actor's end. Dropping it takes the watch back.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Ended(Wait);

/// Waits for another actor's end.
pub fn ended(target: Address) -> Ended {
    Ended(Wait::new(lifecycle::watch(target.get()), |watch| {
        lifecycle::unwatch(watch);
    }))
}

impl Future for Ended {
    type Output = Down;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Down> {
        match ready!(Pin::new(&mut self.0).poll(context)) {
            Ending::Other(other) => match *other {
                Other::Down(down) => Poll::Ready(down),
                other => unreachable!("a watch ended by {other:?}"),
            },
            other => unreachable!("a watch ended by {other:?}"),
        }
    }
}
