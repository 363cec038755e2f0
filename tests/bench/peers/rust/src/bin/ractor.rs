//! The system `ractor`: actors of the ractor crate.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call};
use tokio::sync::mpsc::UnboundedSender;
use wasmactor_bench_peers::actors::{self, Job, Library, Tell};
use wasmactor_bench_peers::{NAP, Payload};

fn main() -> ExitCode {
    wasmactor_bench_peers::main(|case| actors::on_tokio(Ractor, case))
}

#[derive(Clone)]
struct Ractor;

type Result<T> = std::result::Result<T, ActorProcessingErr>;

enum Message {
    Tell(Tell<Ractor>),
    Call(Payload, RpcReplyPort<Payload>),
    Last(RpcReplyPort<()>),
    /// The timer of a nap that began then; so many are left after it.
    Awake(Instant, u64, UnboundedSender<u64>),
    /// A timer that is never due.
    Timer,
}

impl Library for Ractor {
    type Actor = ActorRef<Message>;

    fn task(&self, _: usize, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    async fn start(&self, _: usize) -> Self::Actor {
        Actor::spawn(None, Worker, ()).await.expect("starts").0
    }

    fn tell(&self, to: &Self::Actor, message: Tell<Self>) {
        to.cast(Message::Tell(message)).expect("lives");
    }

    async fn call(&self, to: &Self::Actor, payload: Payload) -> Payload {
        call!(to, Message::Call, payload).expect("answers")
    }

    async fn last(&self, to: &Self::Actor) {
        call!(to, Message::Last).expect("answers");
    }

    async fn arm(&self, to: &Self::Actor, count: u64) {
        for _ in 0..count {
            to.send_after(Duration::from_secs(3600), || Message::Timer);
        }
        // A timer is a task that sets it when it first runs: let those run.
        tokio::task::yield_now().await;
    }

    async fn root(&self, job: Job, done: UnboundedSender<u64>) {
        Actor::spawn(None, Node, (job, Parent::None(done))).await.expect("starts");
    }
}

struct Worker;

impl Actor for Worker {
    type Msg = Message;
    /// The next one of the ring.
    type State = Option<ActorRef<Message>>;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Message>, (): ()) -> Result<Self::State> {
        Ok(None)
    }

    async fn handle(&self, myself: ActorRef<Message>, message: Message, next: &mut Self::State) -> Result<()> {
        let nap = |left, late| {
            let start = Instant::now();
            myself.send_after(NAP, move || Message::Awake(start, left, late));
        };
        match message {
            Message::Call(payload, reply) => reply.send(payload)?,
            Message::Last(reply) => {
                reply.send(())?;
                myself.stop(None);
            }
            Message::Awake(start, left, late) => {
                late.send((start.elapsed() - NAP).as_nanos() as u64)?;
                if left > 0 {
                    nap(left - 1, late);
                }
            }
            Message::Timer => {}
            Message::Tell(Tell::Data(payload)) => drop(payload),
            Message::Tell(Tell::Next(actor)) => *next = Some(actor),
            Message::Tell(Tell::Token(0, _, done)) => done.send(0)?,
            Message::Tell(Tell::Token(hops, payload, done)) => {
                let next = next.as_ref().ok_or("no ring")?;
                next.cast(Message::Tell(Tell::Token(hops - 1, payload, done)))?;
            }
            Message::Tell(Tell::Nap(times, late)) => nap(times - 1, late),
            Message::Tell(Tell::Endless) => loop {
                std::hint::spin_loop();
            },
        }
        Ok(())
    }
}

struct Node;

enum Parent {
    Some(ActorRef<Grow>),
    None(UnboundedSender<u64>),
}

enum Grow {
    Start,
    Sum(u64),
}

struct Growing {
    job: Job,
    parent: Parent,
    missing: u64,
    sum: u64,
}

impl Growing {
    fn tell(&self) -> Result<()> {
        match &self.parent {
            Parent::Some(parent) => parent.cast(Grow::Sum(self.sum))?,
            Parent::None(done) => done.send(self.sum)?,
        }
        Ok(())
    }
}

impl Actor for Node {
    type Msg = Grow;
    type State = Growing;
    type Arguments = (Job, Parent);

    async fn pre_start(&self, myself: ActorRef<Grow>, (job, parent): Self::Arguments) -> Result<Growing> {
        myself.cast(Grow::Start)?;
        Ok(Growing { job, parent, missing: 10, sum: 0 })
    }

    async fn handle(&self, myself: ActorRef<Grow>, message: Grow, state: &mut Growing) -> Result<()> {
        match message {
            Grow::Start if state.job.leaves == 1 => {
                state.sum = state.job.number;
                state.tell()?;
                myself.stop(None);
            }
            Grow::Start => {
                for index in 0..10 {
                    Actor::spawn(None, Node, (state.job.child(index), Parent::Some(myself.clone()))).await?;
                }
            }
            Grow::Sum(sum) => {
                state.sum += sum;
                state.missing -= 1;
                if state.missing == 0 {
                    state.tell()?;
                    myself.stop(None);
                }
            }
        }
        Ok(())
    }
}
