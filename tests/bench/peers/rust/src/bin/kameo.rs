//! The system `kameo`: actors of the kameo crate, with unbounded mailboxes.

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use kameo::Actor;
use kameo::actor::{ActorRef, Spawn};
use kameo::mailbox;
use kameo::message::{Context, Message};
use tokio::sync::mpsc::UnboundedSender;
use wasmactor_bench_peers::actors::{self, Job, Library, Tell};
use wasmactor_bench_peers::{NAP, Payload};

fn main() -> ExitCode {
    wasmactor_bench_peers::main(|case| actors::on_tokio(Kameo, case))
}

#[derive(Clone)]
struct Kameo;

impl Library for Kameo {
    type Actor = ActorRef<Worker>;

    fn task(&self, _: usize, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    async fn start(&self, _: usize) -> Self::Actor {
        Worker::spawn_with_mailbox(Worker(None), mailbox::unbounded())
    }

    fn tell(&self, to: &Self::Actor, message: Tell<Self>) {
        assert!(to.tell(Told(message)).try_send().is_ok(), "lives");
    }

    async fn call(&self, to: &Self::Actor, payload: Payload) -> Payload {
        to.ask(Call(payload)).send().await.expect("answers")
    }

    async fn last(&self, to: &Self::Actor) {
        to.ask(Last).send().await.expect("answers");
    }

    async fn arm(&self, to: &Self::Actor, count: u64) {
        for _ in 0..count {
            to.tell(Timer).send_after(Duration::from_secs(3600));
        }
        // A timer is a task that sets it when it first runs: let those run.
        tokio::task::yield_now().await;
    }

    async fn root(&self, job: Job, done: UnboundedSender<u64>) {
        start(Node { job, parent: Parent::None(done), missing: 10, sum: 0 });
    }
}

/// Knows the next one of the ring.
#[derive(Actor)]
struct Worker(Option<ActorRef<Worker>>);

struct Told(Tell<Kameo>);
struct Call(Payload);
struct Last;
/// A timer that is never due.
struct Timer;
/// The timer of a nap that began then; so many are left after it.
struct Awake(Instant, u64, UnboundedSender<u64>);

fn nap(actor: &ActorRef<Worker>, left: u64, late: UnboundedSender<u64>) {
    actor.tell(Awake(Instant::now(), left, late)).send_after(NAP);
}

impl Message<Told> for Worker {
    type Reply = ();

    async fn handle(&mut self, Told(message): Told, context: &mut Context<Self, ()>) {
        match message {
            Tell::Data(payload) => drop(payload),
            Tell::Next(actor) => self.0 = Some(actor),
            Tell::Token(0, _, done) => done.send(0).expect("the bench waits"),
            Tell::Token(hops, payload, done) => {
                let next = self.0.as_ref().expect("a ring");
                Kameo.tell(next, Tell::Token(hops - 1, payload, done));
            }
            Tell::Nap(times, late) => nap(context.actor_ref(), times - 1, late),
            Tell::Endless => loop {
                std::hint::spin_loop();
            },
        }
    }
}

impl Message<Call> for Worker {
    type Reply = Payload;

    async fn handle(&mut self, Call(payload): Call, _: &mut Context<Self, Payload>) -> Payload {
        payload
    }
}

impl Message<Last> for Worker {
    type Reply = ();

    async fn handle(&mut self, _: Last, context: &mut Context<Self, ()>) {
        context.stop();
    }
}

impl Message<Timer> for Worker {
    type Reply = ();

    async fn handle(&mut self, _: Timer, _: &mut Context<Self, ()>) {}
}

impl Message<Awake> for Worker {
    type Reply = ();

    async fn handle(&mut self, Awake(start, left, late): Awake, context: &mut Context<Self, ()>) {
        late.send((start.elapsed() - NAP).as_nanos() as u64).expect("the bench waits");
        if left > 0 {
            nap(context.actor_ref(), left - 1, late);
        }
    }
}

enum Parent {
    Some(ActorRef<Node>),
    None(UnboundedSender<u64>),
}

struct Node {
    job: Job,
    parent: Parent,
    missing: u64,
    sum: u64,
}

impl Actor for Node {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(node: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(node)
    }
}

struct Start;
struct Sum(u64);

fn start(node: Node) {
    let node = Node::spawn_with_mailbox(node, mailbox::unbounded());
    assert!(node.tell(Start).try_send().is_ok(), "lives");
}

impl Node {
    fn end(&self, sum: u64, context: &mut Context<Self, ()>) {
        match &self.parent {
            Parent::Some(parent) => assert!(parent.tell(Sum(sum)).try_send().is_ok(), "waits"),
            Parent::None(done) => done.send(sum).expect("the bench waits"),
        }
        context.stop();
    }
}

impl Message<Start> for Node {
    type Reply = ();

    async fn handle(&mut self, _: Start, context: &mut Context<Self, ()>) {
        if self.job.leaves == 1 {
            return self.end(self.job.number, context);
        }
        for index in 0..10 {
            let parent = Parent::Some(context.actor_ref().clone());
            start(Node { job: self.job.child(index), parent, missing: 10, sum: 0 });
        }
    }
}

impl Message<Sum> for Node {
    type Reply = ();

    async fn handle(&mut self, Sum(sum): Sum, context: &mut Context<Self, ()>) {
        self.sum += sum;
        self.missing -= 1;
        if self.missing == 0 {
            self.end(self.sum, context);
        }
    }
}
