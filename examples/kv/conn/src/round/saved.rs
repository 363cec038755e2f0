//! A round as data and back, for a connection that goes on in another version.
//!
//! What is used up stays behind: operations that are answered, replies that were taken.

use super::{Gathered, Part, Round, Step};
use kv_wire::{Answer, Batch};
use serde::{Deserialize, Serialize};
use wasmactor_sdk::Bytes;

/// A round.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    parts: Vec<SavedPart>,
    steps: Vec<Step>,
    routes: Vec<usize>,
    local: Bytes,
    size: usize,
    operations: usize,
    sum: i64,
    error: Option<Bytes>,
    out: Bytes,
}

#[derive(Serialize, Deserialize)]
struct SavedPart {
    /// What is not answered yet.
    batch: Bytes,
    answer: Bytes,
    failure: Option<String>,
}

impl Round {
    /// Between two events: nothing that is complete waits to be written.
    pub(crate) fn save(&self) -> Saved {
        let part = |part: &Part| SavedPart {
            batch: Bytes(part.batch.bytes()[part.answered..].to_vec()),
            answer: Bytes(part.answer.rest()),
            failure: part.failure.clone(),
        };
        Saved {
            parts: self.parts.iter().map(part).collect(),
            steps: self.steps.iter().copied().collect(),
            routes: self.routes.iter().copied().collect(),
            local: Bytes(self.local[self.local_used..].to_vec()),
            size: self.size,
            operations: self.gathered.operations,
            sum: self.gathered.sum,
            error: self.gathered.error.clone().map(Bytes),
            out: Bytes(self.out.clone()),
        }
    }

    /// None: that is no round.
    pub(crate) fn load(saved: Saved) -> Option<Self> {
        let stores = saved.parts.len();
        if saved.routes.iter().any(|store| *store >= stores) {
            return None;
        }
        let part = |part: SavedPart| {
            let answer = Answer::new(part.answer.0).ok()?;
            Some(Part { batch: Batch::of(part.batch.0), answered: 0, answer, failure: part.failure })
        };
        Some(Self {
            parts: saved.parts.into_iter().map(part).collect::<Option<_>>()?,
            steps: saved.steps.into(),
            routes: saved.routes.into(),
            local: saved.local.0,
            local_used: 0,
            size: saved.size,
            gathered: Gathered {
                operations: saved.operations,
                sum: saved.sum,
                error: saved.error.map(|error| error.0),
            },
            out: saved.out.0,
            complete: 0,
        })
    }
}
