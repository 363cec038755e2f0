//! Birth, death, and word of both. How to wait for a birth differs by style: see `exclusive::spawn` and
//! `interleaved::spawn`.

use crate::bindings::exports::wasmactor::actor::handler;
use crate::bindings::wasmactor::actor::lifecycle;
use crate::{Address, Error, encode};
use serde::{Deserialize, Serialize};

/// How an actor ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// By its own `exit`.
    Exited,
    /// By a trap, a broken limit, or an error from `init`.
    Failed,
    /// By `kill`.
    Killed,
    /// By the shutdown of the host.
    Stopped,
    /// It had ended before the watch was made.
    Gone,
}

/// Signals that reach actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The host stops. Every actor gets it, and is ended when its mailbox is empty and it neither holds nor awaits a
    /// request, or when the manifest's `stop-timeout` is over.
    Stop,
    /// SIGHUP.
    Hangup,
    /// SIGUSR1.
    User1,
    /// SIGUSR2.
    User2,
}

/// What becomes of a supervisor's member whose instance has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// What the supervisor's policy says.
    Policy,
    /// It is restarted, also where the policy would not.
    Restart,
    /// It ends for good.
    End,
    /// The supervisor gives up, as after too many restarts.
    GiveUp,
}

/// A watch on another actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Watch(pub(crate) u64);

/// The end of a watched actor.
#[derive(Clone, Debug)]
pub struct Down {
    /// The watch that this answers.
    pub watch: Watch,
    /// Who ended.
    pub actor: Address,
    /// How.
    pub cause: Cause,
    /// Why: what `exit` or `kill` said, or the trap's words.
    pub reason: String,
}

/// Ends this actor when the current turn ends. Requests that it holds are answered with `ActorExited` and this
/// reason; watchers get it too.
pub fn exit(reason: &str) {
    lifecycle::exit(reason);
}

/// Ends another actor: children always, others by grant. Errors: `NoSuchActor`, `NotGranted`.
pub fn kill(target: Address, reason: &str) -> Result<(), Error> {
    Ok(lifecycle::kill(target.get(), reason)?)
}

/// Asks for word of an actor's end: one call of the `down` handler. If it has ended already, with the cause `Gone`.
pub fn watch(target: Address) -> Watch {
    Watch(lifecycle::watch(target.get()))
}

/// Takes a watch back. True: no word of it comes any more.
pub fn unwatch(watch: Watch) -> bool {
    lifecycle::unwatch(watch.0)
}

/// Binds this actor's failure to another's, both ways: when one of the two fails or is killed, the other one is ended as
/// failed, too. Parent and children always, others by the grant `kill`. Errors: `NoSuchActor`, `NotGranted`, `Invalid`.
pub fn link(target: Address) -> Result<(), Error> {
    Ok(lifecycle::link(target.get())?)
}

/// Undoes a link. False: there was none.
pub fn unlink(target: Address) -> bool {
    lifecycle::unlink(target.get())
}

/// For an actor that a supervisor in the manifest names as its `decider`: answers a [`Down`] that asks what becomes of a
/// member, which is one that no watch of this actor asked for. Errors: `Invalid` (nobody waits for it, any more or at all).
pub fn decide(down: &Down, decision: Decision) -> Result<(), Error> {
    let decision = match decision {
        Decision::Policy => lifecycle::Decision::Policy,
        Decision::Restart => lifecycle::Decision::Restart,
        Decision::End => lifecycle::Decision::End,
        Decision::GiveUp => lifecycle::Decision::GiveUp,
    };
    Ok(lifecycle::decide(down.watch.0, decision)?)
}

/// Asks for a signal. `Stop` needs no asking.
pub fn subscribe(signal: Signal) {
    lifecycle::subscribe(match signal {
        Signal::Stop => lifecycle::Signal::Stop,
        Signal::Hangup => lifecycle::Signal::Hangup,
        Signal::User1 => lifecycle::Signal::User1,
        Signal::User2 => lifecycle::Signal::User2,
    });
}

/// A spawn that was begun and is not awaited: the `spawned` handler gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Birth(pub(crate) u64);

/// Starts an actor of a module of the manifest and returns at once; the `spawned` handler is called when its `init`
/// has returned. `args` is what the new actor's `Args` is decoded from.
///
/// Errors: `Invalid` (no such module, bad name or a name that is taken), `NotGranted`.
pub fn spawn_later<T: Serialize + ?Sized>(module: &str, name: Option<&str>, args: &T) -> Result<Birth, Error> {
    Ok(Birth(lifecycle::spawn(module, name, &encode(args)?)?))
}

impl From<lifecycle::Cause> for Cause {
    fn from(cause: lifecycle::Cause) -> Self {
        match cause {
            lifecycle::Cause::Exited => Self::Exited,
            lifecycle::Cause::Failed => Self::Failed,
            lifecycle::Cause::Killed => Self::Killed,
            lifecycle::Cause::Stopped => Self::Stopped,
            lifecycle::Cause::Gone => Self::Gone,
        }
    }
}

impl From<lifecycle::Signal> for Signal {
    fn from(signal: lifecycle::Signal) -> Self {
        match signal {
            lifecycle::Signal::Stop => Self::Stop,
            lifecycle::Signal::Hangup => Self::Hangup,
            lifecycle::Signal::User1 => Self::User1,
            lifecycle::Signal::User2 => Self::User2,
        }
    }
}

impl From<handler::Down> for Down {
    fn from(down: handler::Down) -> Self {
        Self { watch: Watch(down.watch), actor: down.actor.into(), cause: down.cause.into(), reason: down.reason }
    }
}
