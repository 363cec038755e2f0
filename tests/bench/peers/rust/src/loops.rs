//! The workloads for two bare schedulers of native handlers, the limits for what a mailbox and a queue cost: no sandbox,
//! no runtime, no library. Used by `bin/bare.rs` and `bin/global-queue.rs`.

use std::sync::mpsc;
use std::time::Instant;

use crate::{Case, Payload, Sample, actors_of, batch, payload, per_one};

/// What runs actors. One value a worker.
pub trait Scheduler: Sized + 'static {
    type Address: Clone + Send;

    fn spawn(&mut self, actor: Box<dyn Actor<Self>>) -> Self::Address;

    fn send(&mut self, to: &Self::Address, message: Message<Self>);
}

/// What an actor is.
pub trait Actor<S: Scheduler>: Send {
    fn handle(&mut self, scheduler: &mut S, myself: &S::Address, message: Message<S>);
}

/// What actors get.
pub struct Message<S: Scheduler> {
    /// Who wants an answer.
    pub from: Option<S::Address>,
    pub number: u64,
    pub payload: Payload,
}

impl<S: Scheduler> Message<S> {
    fn bare(number: u64) -> Self {
        Self { from: None, number, payload: Payload::new() }
    }
}

/// Told once for each of the actors that a run waits for.
type Done = mpsc::Sender<u64>;

/// Runs a workload. `turn` starts actors on a scheduler, by the function that it is given, and returns when as many of
/// them as that says have told that they are done; it gives what they told.
pub fn run<S: Scheduler>(case: &Case, turn: impl Fn(Setup<S>) -> Vec<u64>) -> Option<Vec<Sample>> {
    let (bytes, width) = (case.bytes, case.width);
    let run = |count: u64| {
        let start = Instant::now();
        match case.workload.as_str() {
            "send" => turn(senders(count, bytes, 1)),
            "fan-in" => turn(senders(count, bytes, width as u64)),
            "call" => turn(callers(count, bytes, 1)),
            "pairs" => turn(callers(count, bytes, width as u64)),
            "ring" => turn(ring(count, bytes, width)),
            "tree" => turn(tree(count)),
            _ => return None,
        };
        Some(start)
    };
    let (n, divisor) = match case.workload.as_str() {
        "tree" => (width as u64, actors_of(width)),
        _ => (case.n, case.n as f64),
    };
    run((n / 10).max(1))?;
    let start = run(n)?;
    Some(vec![Sample::ns(case.workload.clone(), per_one(start, 1) / divisor)])
}

/// Starts actors, and says how many of them tell that they are done.
pub type Setup<S> = Box<dyn FnOnce(&mut S, Done) -> usize>;

struct Echo;

impl<S: Scheduler> Actor<S> for Echo {
    fn handle(&mut self, scheduler: &mut S, _: &S::Address, message: Message<S>) {
        if let Some(from) = message.from {
            scheduler.send(&from, Message { from: None, ..message });
        }
    }
}

struct Sender<S: Scheduler> {
    to: S::Address,
    left: u64,
    payload: Payload,
    done: Done,
}

impl<S: Scheduler> Actor<S> for Sender<S> {
    /// A start, or the answer to the echo after a batch.
    fn handle(&mut self, scheduler: &mut S, myself: &S::Address, _: Message<S>) {
        if self.left == 0 {
            let _ = self.done.send(0);
            return;
        }
        let count = batch(self.payload.len()).min(self.left);
        self.left -= count;
        for _ in 0..count {
            scheduler.send(&self.to, Message { from: None, number: 0, payload: self.payload.clone() });
        }
        scheduler.send(&self.to, Message { from: Some(myself.clone()), ..Message::bare(0) });
    }
}

fn senders<S: Scheduler>(count: u64, bytes: usize, senders: u64) -> Setup<S> {
    Box::new(move |scheduler, done| {
        let to = scheduler.spawn(Box::new(Echo));
        for _ in 0..senders {
            let (to, left, payload) = (to.clone(), count / senders, payload(bytes));
            let sender = scheduler.spawn(Box::new(Sender { to, left, payload, done: done.clone() }));
            scheduler.send(&sender, Message::bare(0));
        }
        senders as usize
    })
}

struct Caller<S: Scheduler> {
    to: S::Address,
    left: u64,
    payload: Payload,
    done: Done,
}

impl<S: Scheduler> Actor<S> for Caller<S> {
    /// A start, or an answer.
    fn handle(&mut self, scheduler: &mut S, myself: &S::Address, _: Message<S>) {
        if self.left == 0 {
            let _ = self.done.send(0);
            return;
        }
        self.left -= 1;
        let message = Message { from: Some(myself.clone()), number: 0, payload: self.payload.clone() };
        scheduler.send(&self.to, message);
    }
}

fn callers<S: Scheduler>(count: u64, bytes: usize, pairs: u64) -> Setup<S> {
    Box::new(move |scheduler, done| {
        for _ in 0..pairs {
            let (to, left, payload) = (scheduler.spawn(Box::new(Echo)), count / pairs, payload(bytes));
            let caller = scheduler.spawn(Box::new(Caller { to, left, payload, done: done.clone() }));
            scheduler.send(&caller, Message::bare(0));
        }
        pairs as usize
    })
}

struct Hop<S: Scheduler> {
    next: Option<S::Address>,
    done: Done,
}

impl<S: Scheduler> Actor<S> for Hop<S> {
    fn handle(&mut self, scheduler: &mut S, _: &S::Address, message: Message<S>) {
        match (&self.next, message.from, message.number) {
            (None, next, _) => self.next = next,
            (Some(_), _, 0) => drop(self.done.send(0)),
            (Some(next), _, hops) => {
                scheduler.send(next, Message { from: None, number: hops - 1, payload: message.payload });
            }
        }
    }
}

fn ring<S: Scheduler>(hops: u64, bytes: usize, actors: usize) -> Setup<S> {
    Box::new(move |scheduler, done| {
        let hop = || Box::new(Hop { next: None, done: done.clone() });
        let ring: Vec<S::Address> = (0..actors).map(|_| scheduler.spawn(hop())).collect();
        for (actor, next) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            scheduler.send(actor, Message { from: Some(next.clone()), ..Message::bare(0) });
        }
        scheduler.send(&ring[0], Message { from: None, number: hops, payload: payload(bytes) });
        1
    })
}

struct Node<S: Scheduler> {
    parent: Option<S::Address>,
    first: u64,
    leaves: u64,
    /// Children whose sums are still to come; `None`: they are not started.
    missing: Option<u64>,
    sum: u64,
    done: Done,
}

impl<S: Scheduler> Node<S> {
    fn boxed(parent: Option<S::Address>, first: u64, leaves: u64, done: Done) -> Box<Self> {
        Box::new(Self { parent, first, leaves, missing: None, sum: 0, done })
    }

    fn tell(&self, scheduler: &mut S, sum: u64) {
        match &self.parent {
            Some(parent) => scheduler.send(parent, Message::bare(sum)),
            None => drop(self.done.send(sum)),
        }
    }
}

impl<S: Scheduler> Actor<S> for Node<S> {
    fn handle(&mut self, scheduler: &mut S, myself: &S::Address, message: Message<S>) {
        let Some(missing) = &mut self.missing else {
            if self.leaves == 1 {
                return self.tell(scheduler, self.first);
            }
            self.missing = Some(10);
            let share = self.leaves / 10;
            for child in 0..10 {
                let parent = Some(myself.clone());
                let node = Self::boxed(parent, self.first + child * share, share, self.done.clone());
                let child = scheduler.spawn(node);
                scheduler.send(&child, Message::bare(0));
            }
            return;
        };
        *missing -= 1;
        self.sum += message.number;
        if *missing == 0 {
            self.tell(scheduler, self.sum);
        }
    }
}

fn tree<S: Scheduler>(leaves: u64) -> Setup<S> {
    Box::new(move |scheduler, done| {
        let root = scheduler.spawn(Node::boxed(None, 0, leaves, done));
        scheduler.send(&root, Message::bare(0));
        1
    })
}
