//! The seam: what the host runs. A wasm instance is one behavior, a Rust value in a test another; the host's core
//! has never heard of wasm.
//!
//! Must hold: after a [`Turn::Fault`] the behavior is never entered again; between [`Turn::Parked`] or
//! [`Turn::Yielded`] and [`Behavior::resume`] nothing else enters it.

use crate::actor::Frame;
use crate::sched::Letter;

/// One running actor.
pub trait Behavior<C>: Send {
    /// Runs once, first.
    fn init(&mut self, cx: &mut C) -> Turn;

    /// Handles one message (never `Body::Sweep`, which is the host's own). It comes in its place: who only reads it need not
    /// move it.
    fn handle(&mut self, cx: &mut C, letter: Letter) -> Turn;

    /// Goes on after `Parked` or `Yielded`: what was awaited may be there. Spurious calls are possible and park again.
    fn resume(&mut self, cx: &mut C) -> Turn;

    /// What a successor needs to go on in its place, while so many requests are in flight: those that it has not answered,
    /// and those that it waits for. None: with these it cannot tell. Only between turns, and only if its module
    /// [keeps](Module::keeps); this instance may go on afterwards.
    fn save(&mut self, cx: &mut C, in_flight: u32) -> Result<Option<Vec<u8>>, Unsaved> {
        let _ = (cx, in_flight);
        Err(Unsaved::Refused("it has no `save`".to_owned()))
    }

    /// Instead of `init`: goes on from what an instance of the version `from` has saved, and tests itself. After an error this
    /// instance is not used.
    fn load(&mut self, cx: &mut C, state: &[u8], from: &str) -> Result<(), String> {
        let _ = (cx, state, from);
        Err("it has no `load`".to_owned())
    }
}

/// Why there is no state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsaved {
    /// The instance goes on.
    Refused(String),
    /// It broke, and has to end.
    Broken(Fault),
}

/// How a turn ended.
#[derive(Debug)]
#[must_use]
pub enum Turn {
    /// The handler returned; an error fails the request that was handled, not the actor.
    Done(Result<(), String>),
    /// The same, and the node knows: the behavior has asked it for the next message, and was told to leave.
    Left,
    /// The actor waits in the middle of its handler. `resume` goes on.
    Parked,
    /// The turn has used up its slice of time. `resume` goes on when others have had theirs.
    Yielded,
    /// The actor is broken and must end.
    Fault(Fault),
}

/// What a guest did wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A trap: the first line says which, the others where.
    #[error("{0}")]
    Trap(String),
    /// A limit was broken.
    #[error("{0}")]
    Limit(String),
}

/// Makes behaviors: one compiled module, shared by its actors.
pub trait Module<C>: Send + Sync {
    /// A new instance, not yet initialised. The error is one line for the spawner and the log.
    fn create(&self, cx: &mut C) -> Result<Box<dyn Behavior<C>>, String>;

    /// Whether its instances can save and load their state.
    fn keeps(&self) -> bool {
        false
    }

    /// What tells it from another one of the same name; empty if nothing does.
    fn version(&self) -> &str {
        ""
    }

    /// Finds the lines of source for these frames, which are of instances of this module. It may read files and take long.
    /// The error says why there are none.
    fn locate(&self, _frames: &mut [Frame]) -> Result<(), String> {
        Ok(())
    }
}
