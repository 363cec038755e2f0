//! The system `actix`: actors of the actix crate. A worker is an arbiter, a thread of its own, and an actor stays on the
//! one where it was started: so a pair of talkers on two of them wakes a thread for each message.

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use actix::{
    Actor, ActorContext, Addr, Arbiter, ArbiterHandle, AsyncContext, Context, Handler, Message, MessageResult, System,
};
use tokio::sync::mpsc::UnboundedSender;
use wasmactor_bench_peers::actors::{self, Job, Library, Tell};
use wasmactor_bench_peers::{Case, NAP, Payload, Sample};

fn main() -> ExitCode {
    wasmactor_bench_peers::main(run)
}

fn run(case: Case) -> Option<Vec<Sample>> {
    // Arbiters need a system; its own arbiter, this thread, has nothing to do and only waits.
    let _system = System::new();
    let arbiters: Vec<Arbiter> = (0..case.workers).map(|_| Arbiter::new()).collect();
    let library = Actix(arbiters.iter().map(Arbiter::handle).collect());
    let (found, waiting) = mpsc::channel();
    assert!(arbiters[0].spawn(actors::run(library, case, found)), "the arbiter runs");
    waiting.recv().expect("the workload ended early")
}

/// The workers.
#[derive(Clone)]
struct Actix(Vec<ArbiterHandle>);

impl Actix {
    fn arbiter(&self, place: usize) -> &ArbiterHandle {
        &self.0[place % self.0.len()]
    }
}

impl Library for Actix {
    type Actor = Addr<Worker>;

    fn task(&self, place: usize, task: impl Future<Output = ()> + Send + 'static) {
        assert!(self.arbiter(place).spawn(task), "the arbiter runs");
    }

    async fn start(&self, place: usize) -> Self::Actor {
        Worker::start_in_arbiter(self.arbiter(place), |_| Worker(None))
    }

    fn tell(&self, to: &Self::Actor, message: Tell<Self>) {
        to.do_send(Told(message));
    }

    async fn call(&self, to: &Self::Actor, payload: Payload) -> Payload {
        to.send(Call(payload)).await.expect("answers")
    }

    async fn last(&self, to: &Self::Actor) {
        to.send(Last).await.expect("answers");
    }

    async fn arm(&self, to: &Self::Actor, count: u64) {
        to.send(Arm(count)).await.expect("answers");
    }

    async fn root(&self, job: Job, done: UnboundedSender<u64>) {
        let node = Node { library: self.clone(), job, parent: Parent::None(done), missing: 10, sum: 0 };
        node.start().do_send(Start);
    }
}

/// Knows the next one of the ring.
struct Worker(Option<Addr<Worker>>);

impl Actor for Worker {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        // No bound, as the others have none.
        context.set_mailbox_capacity(0);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Told(Tell<Actix>);

#[derive(Message)]
#[rtype(result = "Payload")]
struct Call(Payload);

#[derive(Message)]
#[rtype(result = "()")]
struct Last;

/// Sets so many timers.
#[derive(Message)]
#[rtype(result = "()")]
struct Arm(u64);

/// A timer that is never due.
#[derive(Message)]
#[rtype(result = "()")]
struct Timer;

/// The timer of a nap that began then; so many are left after it.
#[derive(Message)]
#[rtype(result = "()")]
struct Awake(Instant, u64, UnboundedSender<u64>);

fn nap(context: &mut Context<Worker>, left: u64, late: UnboundedSender<u64>) {
    context.notify_later(Awake(Instant::now(), left, late), NAP);
}

impl Handler<Told> for Worker {
    type Result = ();

    fn handle(&mut self, Told(message): Told, context: &mut Context<Self>) {
        match message {
            Tell::Data(payload) => drop(payload),
            Tell::Next(actor) => self.0 = Some(actor),
            Tell::Token(0, _, done) => done.send(0).expect("the bench waits"),
            Tell::Token(hops, payload, done) => {
                self.0.as_ref().expect("a ring").do_send(Told(Tell::Token(hops - 1, payload, done)));
            }
            Tell::Nap(times, late) => nap(context, times - 1, late),
            Tell::Endless => loop {
                std::hint::spin_loop();
            },
        }
    }
}

impl Handler<Call> for Worker {
    type Result = MessageResult<Call>;

    fn handle(&mut self, Call(payload): Call, _: &mut Context<Self>) -> Self::Result {
        MessageResult(payload)
    }
}

impl Handler<Last> for Worker {
    type Result = ();

    fn handle(&mut self, _: Last, context: &mut Context<Self>) {
        context.stop();
    }
}

impl Handler<Arm> for Worker {
    type Result = ();

    fn handle(&mut self, Arm(count): Arm, context: &mut Context<Self>) {
        for _ in 0..count {
            context.notify_later(Timer, Duration::from_secs(3600));
        }
    }
}

impl Handler<Timer> for Worker {
    type Result = ();

    fn handle(&mut self, _: Timer, _: &mut Context<Self>) {}
}

impl Handler<Awake> for Worker {
    type Result = ();

    fn handle(&mut self, Awake(start, left, late): Awake, context: &mut Context<Self>) {
        late.send((start.elapsed() - NAP).as_nanos() as u64).expect("the bench waits");
        if left > 0 {
            nap(context, left - 1, late);
        }
    }
}

enum Parent {
    Some(Addr<Node>),
    None(UnboundedSender<u64>),
}

struct Node {
    library: Actix,
    job: Job,
    parent: Parent,
    missing: u64,
    sum: u64,
}

impl Actor for Node {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Start;

#[derive(Message)]
#[rtype(result = "()")]
struct Sum(u64);

impl Node {
    fn end(&self, sum: u64, context: &mut Context<Self>) {
        match &self.parent {
            Parent::Some(parent) => parent.do_send(Sum(sum)),
            Parent::None(done) => done.send(sum).expect("the bench waits"),
        }
        context.stop();
    }
}

impl Handler<Start> for Node {
    type Result = ();

    fn handle(&mut self, _: Start, context: &mut Context<Self>) {
        if self.job.leaves == 1 {
            return self.end(self.job.number, context);
        }
        for index in 0..10 {
            let (library, job) = (self.library.clone(), self.job.child(index));
            let node = Node { library, job, parent: Parent::Some(context.address()), missing: 10, sum: 0 };
            let node = match self.library.0.as_slice() {
                [_] => node.start(),
                _ => Node::start_in_arbiter(self.library.arbiter(index as usize), |_| node),
            };
            node.do_send(Start);
        }
    }
}

impl Handler<Sum> for Node {
    type Result = ();

    fn handle(&mut self, Sum(sum): Sum, context: &mut Context<Self>) {
        self.sum += sum;
        self.missing -= 1;
        if self.missing == 0 {
            self.end(self.sum, context);
        }
    }
}
