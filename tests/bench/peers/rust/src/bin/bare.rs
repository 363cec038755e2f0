//! The system `bare`: one thread, one queue of all messages, handlers behind `dyn`. The least that messages between
//! actors can cost.

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::mpsc;

use wasmactor_bench_peers::loops::{self, Actor, Message, Scheduler, Setup};

fn main() -> ExitCode {
    wasmactor_bench_peers::main(|case| loops::run(&case, turn))
}

/// The queue, and actors by number. None: it is the one that handles a message.
#[derive(Default)]
struct Bare {
    queue: VecDeque<(usize, Message<Self>)>,
    actors: Vec<Option<Box<dyn Actor<Self>>>>,
}

impl Scheduler for Bare {
    type Address = usize;

    fn spawn(&mut self, actor: Box<dyn Actor<Self>>) -> usize {
        self.actors.push(Some(actor));
        self.actors.len() - 1
    }

    fn send(&mut self, to: &usize, message: Message<Self>) {
        self.queue.push_back((*to, message));
    }
}

/// Until nothing is left to do.
fn turn(setup: Setup<Bare>) -> Vec<u64> {
    let mut bare = Bare::default();
    let (done, told) = mpsc::channel();
    setup(&mut bare, done);
    while let Some((to, message)) = bare.queue.pop_front() {
        let mut actor = bare.actors[to].take().expect("it is idle");
        actor.handle(&mut bare, &to, message);
        bare.actors[to] = Some(actor);
    }
    told.try_iter().collect()
}
