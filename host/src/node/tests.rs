//! The promises, on native behaviors and a manual clock: one worker driven by hand, so every run is the same.
//!
//! What only shows with real threads is in `stress.rs`, what only shows with wasm in the tests of the built binary.

mod crashes;
mod deciders;
mod ending;
mod inspect;
mod lifecycle;
mod limits;
mod messaging;
mod metrics;
mod orders;
mod reload;
mod reload_load;
mod shares;
mod sizes;
mod slices;
mod stress;
mod supervision;
mod time;

use std::time::Duration;

use crate::actor::Turn;
use crate::base::sync::{Arc, Mutex};
use crate::base::{Address, Body, CallError, Message, Payload};
use crate::net::Net;
use crate::node::turn::Worker;
use crate::node::{Context, Node, NodeOptions, SpawnSpec};
use crate::time::Clock;

/// A node without threads, its clock, and its one worker.
struct Bench {
    node: Arc<Node>,
    clock: Clock,
    worker: Worker,
    modules: usize,
}

/// What happened, in order, as text.
type Journal = Arc<Mutex<Vec<String>>>;

fn done() -> Turn {
    Turn::Done(Ok(()))
}

impl Bench {
    fn new() -> Self {
        Self::with(NodeOptions { workers: 1, ..NodeOptions::default() })
    }

    fn with(options: NodeOptions) -> Self {
        let clock = Clock::manual();
        let (net, _poller) = Net::new().expect("a poll descriptor");
        let node = Node::new(options, clock.clone(), net);
        Self { node, clock, worker: Worker::new(0), modules: 0 }
    }

    /// Starts an actor with this handler and runs its `init`.
    fn spawn(&mut self, handler: impl FnMut(&mut Context, Message) -> Turn + Send + 'static) -> Address {
        self.spawn_spec(SpawnSpec::default(), handler)
    }

    fn spawn_spec(
        &mut self,
        spec: SpawnSpec,
        handler: impl FnMut(&mut Context, Message) -> Turn + Send + 'static,
    ) -> Address {
        let module = format!("m{}", self.modules);
        self.modules += 1;
        let handler = Mutex::new(Some(Box::new(handler) as crate::node::native::Handler));
        self.node.add_native(&module, move |_| handler.lock().take().ok_or_else(|| "only one".to_owned()));
        let address = self.node.spawn(None, SpawnSpec { module, ..spec }).expect("spawned");
        self.run();
        address
    }

    fn run(&mut self) {
        self.node.run_ready(&mut self.worker);
    }

    /// Time passes; what is due fires and is handled.
    fn pass(&mut self, milliseconds: u64) {
        self.clock.advance(Duration::from_millis(milliseconds));
        self.node.fire_due();
        self.run();
    }

    fn post(&mut self, to: Address, text: &str) {
        self.node.post(to, 0, Payload::from(text.as_bytes())).expect("delivered");
        self.run();
    }

    /// An actor that writes down what it gets, and asks `to` with the text "ask" when it gets the message "go".
    fn asker(&mut self, to: Address, timeout_ms: u32) -> (Address, Journal) {
        let journal = Journal::default();
        let book = journal.clone();
        let address = self.spawn(move |cx, message| {
            match &message.body {
                Body::Message { payload, .. } if &payload[..] == b"go" => {
                    let asked = cx.request(to, 0, Payload::from(&b"ask"[..]), timeout_ms, Default::default());
                    if let Err(error) = asked {
                        book.lock().push(format!("at once: {error}"));
                    }
                }
                body => book.lock().push(show(body)),
            }
            done()
        });
        (address, journal)
    }
}

fn text(payload: &Payload) -> String {
    String::from_utf8_lossy(payload).into_owned()
}

fn outcome(outcome: &Result<Payload, CallError>) -> String {
    match outcome {
        Ok(payload) => text(payload),
        Err(error) => error.to_string(),
    }
}

fn show(body: &Body) -> String {
    match body {
        Body::Message { payload, .. } => text(payload),
        Body::Reply(result) => outcome(result),
        Body::Spawned(Ok(_)) => "spawned".to_owned(),
        Body::Spawned(Err(error)) => format!("not spawned: {error}"),
        Body::Down { cause, reason, .. } => format!("down {cause:?} {reason}"),
        other => other.name().to_owned(),
    }
}

/// The journal, addresses cut out.
fn lines(journal: &Journal) -> Vec<String> {
    let cut = |line: &String| {
        let words = line.split(' ').map(|word| if word.starts_with(':') { ":x" } else { word });
        words.collect::<Vec<_>>().join(" ").replace(":x:", ":x")
    };
    journal.lock().iter().map(cut).collect()
}
