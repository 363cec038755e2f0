//! [`Deferred`]: the token of an answer that comes later.

use crate::bindings::wasmactor::actor::messaging;
use crate::{Address, ENCODED, Error, encode};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the host says too when a turn ends without an answer.
pub(crate) const DROPPED: &str = "dropped without an answer";

/// The duty to answer one request, once, at any time. Dropping it rejects the request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[must_use = "dropping it rejects the request"]
pub struct Deferred {
    /// 0 when answered.
    session: u64,
}

/// A [`Deferred`] as a part of a state that is saved ([`Keep`](crate::Keep)): without the duty, which is still the old instance's
/// until the new one makes a `Deferred` of it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Held {
    session: u64,
}

impl From<Held> for Deferred {
    fn from(held: Held) -> Self {
        Self::new(held.session)
    }
}

impl Deferred {
    /// For [`Keep::save`](crate::Keep::save).
    pub fn held(&self) -> Held {
        Held { session: self.session }
    }

    pub(crate) fn new(session: u64) -> Self {
        Self { session }
    }

    /// Answers with a value. Errors: `Invalid` if the caller's time is over, or the value cannot be encoded (then the
    /// request is rejected).
    pub fn reply<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        let payload = encode(value)?;
        self.reply_raw(&payload)
    }

    /// Answers with bytes. Errors as [`reply`](Self::reply).
    pub fn reply_raw(mut self, payload: &[u8]) -> Result<(), Error> {
        Ok(messaging::reply(std::mem::take(&mut self.session), payload)?)
    }

    /// Answers with the error `Refused` and this reason. Errors: `Invalid` if the caller's time is over.
    pub fn reject(mut self, reason: &str) -> Result<(), Error> {
        Ok(messaging::reject(std::mem::take(&mut self.session), reason)?)
    }

    /// Hands the request to another actor, which answers the first caller directly. After an error the request is
    /// still held by this token. Errors as [`Address::send`], and `Invalid` if it is over.
    pub fn forward<M: Serialize + ?Sized>(&mut self, to: Address, message: &M) -> Result<(), Error> {
        messaging::forward(self.session, to.get(), ENCODED, &encode(message)?)?;
        self.session = 0;
        Ok(())
    }

    /// How long the caller still waits. None: not any more.
    pub fn remaining(&self) -> Option<Duration> {
        messaging::remaining(self.session).map(Duration::from_millis)
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        if self.session != 0 {
            // An error means that the caller's time is over, which is as good.
            let _ = messaging::reject(self.session, DROPPED);
        }
    }
}
