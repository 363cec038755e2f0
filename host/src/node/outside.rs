//! Requests from outside the actors: boot, signals, benches, tests. Their source is the host's address, their answers
//! end here instead of in a mailbox.

use std::collections::HashMap;
use std::sync::mpsc;
use std::time::Duration;

use crate::base::sync::{Arc, Condvar, Mutex};
use crate::base::{Address, Body, CallError, ErrorCode, Message, Payload, Session};
use crate::node::{Node, SpawnSpec};
use crate::sched::Letter;

/// What is awaited outside.
#[derive(Debug, Default)]
pub struct Outside {
    pending: Mutex<HashMap<Session, mpsc::Sender<Body>>>,
    ended: Mutex<()>,
    all_ended: Condvar,
}

impl Outside {
    fn expect(&self, session: Session) -> mpsc::Receiver<Body> {
        let (sender, receiver) = mpsc::channel();
        self.pending.lock().insert(session, sender);
        receiver
    }

    pub(in crate::node) fn complete(&self, message: Message) {
        if let Some(sender) = self.pending.lock().remove(&message.session) {
            // A receiver that is gone gave up: nobody misses the answer.
            drop(sender.send(message.body));
        }
    }

    pub(in crate::node) fn all_ended(&self) {
        let _guard = self.ended.lock();
        self.all_ended.notify_all();
    }
}

fn too_late() -> CallError {
    CallError::new(ErrorCode::Deadline, "no answer came in time")
}

impl Node {
    /// Sends a message that wants no reply.
    pub fn post(&self, to: Address, kind: u32, payload: Payload) -> Result<(), CallError> {
        self.check_crowd()?;
        let body = Body::Message { kind, payload, deadline: 0 };
        let letter = Letter::new(Message { source: Address::HOST, session: Session::NONE, body });
        self.deliver(None, to, letter, |_| true).map_err(|undelivered| undelivered.error)
    }

    /// Sends a request and blocks this thread (never a worker) until its answer.
    pub fn call(&self, to: Address, kind: u32, payload: Payload, timeout: Duration) -> Result<Payload, CallError> {
        self.check_crowd()?;
        let session = self.session();
        let deadline = self.clock.now_ns().saturating_add(super::deadline::nanos(timeout));
        let receiver = self.outside.expect(session);
        let body = Body::Message { kind, payload, deadline };
        let letter = Letter::new(Message { source: Address::HOST, session, body });
        if let Err(undelivered) = self.deliver(None, to, letter, |_| true) {
            self.outside.pending.lock().remove(&session);
            return Err(undelivered.error);
        }
        let answer = receiver.recv_timeout(timeout);
        self.outside.pending.lock().remove(&session);
        match answer {
            Ok(Body::Reply(outcome)) => outcome,
            _ => Err(too_late()),
        }
    }

    /// Starts an actor and blocks this thread (never a worker) until its `init` has returned.
    pub fn spawn_and_wait(self: &Arc<Self>, spec: SpawnSpec, timeout: Duration) -> Result<Address, CallError> {
        let session = self.session();
        let receiver = self.outside.expect(session);
        let address = self.spawn(None, SpawnSpec { spawner: Some((Address::HOST, session)), ..spec });
        if let Err(error) = address {
            self.outside.pending.lock().remove(&session);
            return Err(error);
        }
        let answer = receiver.recv_timeout(timeout);
        self.outside.pending.lock().remove(&session);
        match answer {
            Ok(Body::Spawned(outcome)) => outcome,
            _ => Err(CallError::new(ErrorCode::Deadline, "`init` did not return in time")),
        }
    }

    /// Blocks this thread until no actor is alive, or the time is over. True: none is.
    pub fn wait_all_ended(&self, timeout: Duration) -> bool {
        let until = self.clock.now_ns().saturating_add(super::deadline::nanos(timeout));
        self.population.wait();
        let mut guard = self.outside.ended.lock();
        while self.alive() > 0 {
            let now = self.clock.now_ns();
            if now >= until {
                break;
            }
            self.outside.all_ended.wait_for(&mut guard, Duration::from_nanos(until - now));
        }
        self.alive() == 0
    }
}
