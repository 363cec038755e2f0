//! A round: the commands that are under way together. They were turned into batches of operations, one for each store,
//! and into steps that say how each command's reply is made of the stores' replies.

mod saved;

use kv_resp::{integer, reply};
use kv_wire::{Answer, Batch, Operation, store_of};
pub(crate) use saved::Saved;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The largest reply to one command that is gathered from several operations.
const GATHERED: usize = 64 << 20;

/// How a command's reply is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// So many bytes of the replies that are made here.
    Local(usize),
    /// The reply of one operation, as it is.
    One,
    /// The same, where null has to be RESP3's.
    One3,
    /// An array of the replies of so many operations; RESP3's null if the flag is set.
    Array(usize, bool),
    /// The sum of so many numbers.
    Sum(usize),
    /// OK when so many operations are done.
    Done(usize),
    /// One array of the elements of so many arrays.
    Joined(usize),
}

/// A store's part in a round.
#[derive(Debug, Default)]
struct Part {
    batch: Batch,
    /// So many bytes of the batch are answered; the rest is to be sent.
    answered: usize,
    answer: Answer,
    /// Why the store failed. It stays so to the end of the round.
    failure: Option<String>,
}

/// What the first step has gathered so far, when it needs several operations.
#[derive(Debug, Default)]
struct Gathered {
    operations: usize,
    sum: i64,
    /// The first error: it becomes the command's reply.
    error: Option<Vec<u8>>,
}

#[derive(Debug)]
pub(crate) struct Round {
    parts: Vec<Part>,
    steps: VecDeque<Step>,
    /// The store of each operation, in the commands' order.
    routes: VecDeque<usize>,
    local: Vec<u8>,
    /// Local replies up to here are used.
    local_used: usize,
    size: usize,
    gathered: Gathered,
    /// Replies on their way out. What is complete ends at `complete`, the first step's reply grows behind it.
    out: Vec<u8>,
    complete: usize,
}

impl Round {
    /// A round without commands.
    pub(crate) fn new(stores: usize) -> Self {
        Self {
            parts: (0..stores).map(|_| Part::default()).collect(),
            steps: VecDeque::new(),
            routes: VecDeque::new(),
            local: Vec::new(),
            local_used: 0,
            size: 0,
            gathered: Gathered::default(),
            out: Vec::new(),
            complete: 0,
        }
    }

    /// Forgets everything but its memory.
    pub(crate) fn clear(&mut self) {
        for part in &mut self.parts {
            part.batch.clear();
            part.answered = 0;
            part.answer = Answer::default();
            part.failure = None;
        }
        self.local.clear();
        self.local.shrink_to(64 << 10);
        self.local_used = 0;
        self.size = 0;
    }

    /// True: every command is answered.
    pub(crate) fn is_over(&self) -> bool {
        self.steps.is_empty()
    }

    /// About how many bytes the commands take here.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// How many stores there are.
    pub(crate) fn stores(&self) -> usize {
        self.parts.len()
    }

    /// A command that is answered here.
    pub(crate) fn local(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.local.len();
        write(&mut self.local);
        let length = self.local.len() - start;
        self.size += length;
        // Neighbours become one.
        match self.steps.back_mut() {
            Some(Step::Local(before)) => *before += length,
            _ => self.steps.push_back(Step::Local(length)),
        }
    }

    /// A command; the operations that it needs are pushed too, before or after.
    pub(crate) fn step(&mut self, step: Step) {
        self.steps.push_back(step);
    }

    /// An operation on a key.
    pub(crate) fn push(&mut self, key: &[u8], operation: Operation<'_>) {
        self.push_to(store_of(key, self.parts.len()), operation);
    }

    /// An operation for one store.
    pub(crate) fn push_to(&mut self, store: usize, operation: Operation<'_>) {
        let batch = &mut self.parts[store].batch;
        let before = batch.bytes().len();
        batch.push(operation);
        self.size += batch.bytes().len() - before;
        self.routes.push_back(store);
    }

    /// Sends what is unsent and returns how many answers will come.
    pub(crate) fn send(&mut self, mut request: impl FnMut(usize, &[u8]) -> Result<(), String>) -> usize {
        let mut sent = 0;
        for (store, part) in self.parts.iter_mut().enumerate() {
            let unsent = &part.batch.bytes()[part.answered..];
            if unsent.is_empty() || part.failure.is_some() {
                continue;
            }
            match request(store, unsent) {
                Ok(()) => sent += 1,
                Err(reason) => part.failure = Some(reason),
            }
        }
        sent
    }

    /// A store's answer came.
    pub(crate) fn answer(&mut self, store: usize, outcome: Result<Vec<u8>, String>) {
        let part = &mut self.parts[store];
        let answer = outcome.and_then(|message| {
            let answer = Answer::new(message).map_err(|error| error.to_string())?;
            // A store that does nothing would be asked for ever.
            let left = part.batch.bytes().len() - part.answered;
            if answer.done() == 0 || answer.done() > left { Err("malformed answer".to_owned()) } else { Ok(answer) }
        });
        match answer {
            Ok(answer) => {
                part.answered += answer.done();
                part.answer = answer;
            }
            Err(reason) => part.failure = Some(reason),
        }
    }

    /// Writes the replies of the commands that are complete, if there are any, by one call of `write`. Returns what that
    /// returns, else 0.
    pub(crate) fn write_ready(&mut self, write: impl FnOnce(&[u8]) -> u64) -> u64 {
        if let Some(whole) = self.whole() {
            return write(whole);
        }
        while let Some(step) = self.steps.front()
            && self.complete_step(*step)
        {
            self.steps.pop_front();
            self.complete = self.out.len();
        }
        if self.complete == 0 {
            return 0;
        }
        let waiting = write(&self.out[..self.complete]);
        self.out.drain(..self.complete);
        if self.out.is_empty() {
            self.out.shrink_to(64 << 10);
        }
        self.complete = 0;
        waiting
    }

    /// The replies of all commands, if they are one store's answer as it is: nothing need be copied then.
    fn whole(&mut self) -> Option<&[u8]> {
        let store = *self.routes.front()?;
        if !self.out.is_empty() || self.parts[store].answer.left() != self.steps.len() {
            return None;
        }
        if self.steps.iter().any(|step| *step != Step::One) {
            return None;
        }
        // As many commands as replies, each takes one, so all are this store's if no other has any.
        if self.routes.iter().any(|route| *route != store) {
            return None;
        }
        self.steps.clear();
        self.routes.clear();
        Some(self.parts[store].answer.take_all())
    }

    /// Appends the reply of the first step to `out`, as far as it is known. True: it is complete.
    fn complete_step(&mut self, step: Step) -> bool {
        let operations = match step {
            Step::Local(length) => {
                let end = self.local_used + length;
                self.out.extend_from_slice(&self.local[self.local_used..end]);
                self.local_used = end;
                return true;
            }
            Step::One | Step::One3 => 1,
            Step::Array(operations, _) | Step::Sum(operations) | Step::Done(operations) | Step::Joined(operations) => {
                operations
            }
        };
        if let Step::Array(operations, _) = step
            && self.gathered.operations == 0
        {
            reply::array(&mut self.out, operations);
        }
        while self.gathered.operations < operations {
            if !self.gather(step) {
                return false;
            }
            self.gathered.operations += 1;
        }
        let Gathered { sum, error, .. } = std::mem::take(&mut self.gathered);
        if let Some(error) = error {
            self.out.truncate(self.complete);
            self.out.extend_from_slice(&error);
            return true;
        }
        match step {
            Step::Sum(_) => reply::integer(&mut self.out, sum),
            Step::Done(_) => reply::simple(&mut self.out, "OK"),
            Step::Joined(_) => {
                let mut head = Vec::new();
                reply::array(&mut head, usize::try_from(sum).unwrap_or(0));
                self.out.splice(self.complete..self.complete, head);
            }
            _ => {}
        }
        true
    }

    /// Adds the next operation's reply to the first step. False: the store has yet to do it.
    fn gather(&mut self, step: Step) -> bool {
        let Some(store) = self.routes.front() else { return false };
        let Part { batch, answered, answer, failure } = &mut self.parts[*store];
        let reply = match answer.take() {
            Some(reply) => reply,
            None => {
                if failure.is_none() && *answered < batch.bytes().len() {
                    return false;
                }
                let reason = failure.as_deref().unwrap_or("malformed answer");
                self.gathered.error.get_or_insert_with(|| {
                    let mut error = Vec::new();
                    reply::error(&mut error, format!("ERR store failed: {reason}"));
                    error
                });
                self.routes.pop_front();
                return true;
            }
        };
        self.routes.pop_front();
        let one = matches!(step, Step::One | Step::One3);
        if !one && reply.first() == Some(&b'-') {
            self.gathered.error.get_or_insert_with(|| reply.to_vec());
        }
        if self.gathered.error.is_some() {
            return true;
        }
        match step {
            Step::One3 | Step::Array(_, true) if reply == reply::NULL => self.out.extend_from_slice(reply::NULL3),
            Step::One | Step::One3 | Step::Array(..) => self.out.extend_from_slice(reply),
            Step::Sum(_) => self.gathered.sum += count(reply).0,
            Step::Joined(_) => {
                let (elements, body) = count(reply);
                self.gathered.sum += elements;
                self.out.extend_from_slice(body);
            }
            Step::Done(_) | Step::Local(_) => {}
        }
        if !one && self.out.len() - self.complete > GATHERED {
            self.out.truncate(self.complete);
            self.gathered.error = Some(b"-ERR the reply would be larger than 64 MiB\r\n".to_vec());
        }
        true
    }
}

/// The number in a reply's first line, and what follows the line. `:3\r\n` → 3; `*2\r\n...` → 2.
fn count(reply: &[u8]) -> (i64, &[u8]) {
    let end = reply.iter().position(|byte| *byte == b'\r').unwrap_or(reply.len());
    let number = reply.get(1..end).and_then(integer).unwrap_or(0);
    (number, reply.get(end + 2..).unwrap_or(&[]))
}
