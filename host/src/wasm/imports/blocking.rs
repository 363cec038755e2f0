//! `wit/blocking.wit`: the calls that park. Traps: none.
//!
//! How: an operation is begun in the node, which then holds its session; until the node has the outcome the guest's
//! stack is suspended (the future is pending) and the worker goes on with other actors. The node reschedules the actor
//! when the outcome is there; a spurious wake-up finds nothing and suspends again.

use std::future::poll_fn;
use std::task::Poll;

use crate::base::{Address, CallError, ErrorCode, Payload, Session};
use crate::node::Awaited;
use crate::wasm::bindings::wasmactor::actor::blocking::{Error, Host};
use crate::wasm::convert::error;
use crate::wasm::state::State;

impl State {
    /// What an operation that was begun comes to; suspends the guest until then.
    pub(in crate::wasm) async fn outcome(&mut self, session: Session) -> Awaited {
        if session.is_none() {
            return Awaited::Timeout;
        }
        // Just begun: who parks is told if the outcome is there already, so a look for it here would be one too many.
        let mut begun = true;
        poll_fn(|_| match if std::mem::take(&mut begun) { None } else { self.cx().awaited(session) } {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        })
        .await
    }
}

/// The node answered a session with an outcome of another kind: a host bug, which the guest need not die of.
pub(in crate::wasm) fn mixed_up() -> CallError {
    CallError::new(ErrorCode::Invalid, "the host mixed up two operations")
}

impl Host for State {
    async fn call(&mut self, to: u64, kind: u32, payload: Vec<u8>, timeout: u32) -> Result<Vec<u8>, Error> {
        let begun = self.cx().call_begin(Address::from_raw(to), kind, Payload::from(payload), timeout);
        match self.outcome(begun.map_err(error)?).await {
            Awaited::Reply(outcome) => outcome.map(Payload::into_vec).map_err(error),
            _ => Err(error(mixed_up())),
        }
    }

    async fn spawn(&mut self, module: String, name: Option<String>, args: Vec<u8>) -> Result<u64, Error> {
        let begun = self.cx().spawn_begin(&module, name.as_deref(), Payload::from(args));
        match self.outcome(begun.map_err(error)?).await {
            Awaited::Spawned(outcome) => outcome.map(Address::raw).map_err(error),
            _ => Err(error(mixed_up())),
        }
    }

    async fn sleep(&mut self, milliseconds: u64) {
        let begun = self.cx().sleep_begin(milliseconds);
        self.outcome(begun).await;
    }
}
