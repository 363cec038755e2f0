//! The workloads for an actor library: each library says by [`Library`] how it does a thing, and the compiler makes of
//! that what one would write by hand. Used by `bin/actix.rs`, `bin/kameo.rs` and `bin/ractor.rs`.
//!
//! Who calls and sends is a task on the library's own workers, not an actor: for these libraries that is no difference,
//! since their actors are such tasks.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::{Case, Payload, Sample, actors_of, batch, payload, per_one, quantiles, rss};

/// Actors that wait at the same time in `timer-late`.
const SLEEPERS: u64 = 100;

/// What an actor of a library can do. `place` is where something runs, for libraries whose actors do not move.
pub trait Library: Clone + Send + Sync + 'static {
    type Actor: Clone + Send + Sync + 'static;

    /// Runs a task on the workers.
    fn task(&self, place: usize, task: impl Future<Output = ()> + Send + 'static);

    /// Starts an actor.
    fn start(&self, place: usize) -> impl Future<Output = Self::Actor> + Send;

    /// Sends what is not answered.
    fn tell(&self, to: &Self::Actor, message: Tell<Self>);

    /// Sends what is answered by the same.
    fn call(&self, to: &Self::Actor, payload: Payload) -> impl Future<Output = Payload> + Send;

    /// Sends what is answered; then the actor ends.
    fn last(&self, to: &Self::Actor) -> impl Future<Output = ()> + Send;

    /// Sets so many timers of an hour that would send to the actor.
    fn arm(&self, to: &Self::Actor, count: u64) -> impl Future<Output = ()> + Send;

    /// The root of a tree: starts ten children with a tenth of the leaves each, adds up their sums, tells its own.
    fn root(&self, job: Job, done: UnboundedSender<u64>) -> impl Future<Output = ()> + Send;
}

/// A message without answer.
pub enum Tell<L: Library> {
    Data(Payload),
    /// The next one of the ring.
    Next(L::Actor),
    /// So many hops are left; then the ring is done.
    Token(u64, Payload, UnboundedSender<u64>),
    /// Sets a timer so many times, one after the other; at the end it tells how late each was.
    Nap(u64, UnboundedSender<u64>),
    /// Never returns.
    Endless,
}

/// Part of a tree.
#[derive(Clone, Debug)]
pub struct Job {
    pub number: u64,
    pub leaves: u64,
    alive: Alive,
}

impl Job {
    /// A tenth of it.
    pub fn child(&self, index: u64) -> Self {
        let leaves = self.leaves / 10;
        Self { number: self.number + index * leaves, leaves, alive: self.alive.clone() }
    }
}

/// Counts who has a clone.
#[derive(Debug, Default)]
struct Alive(Arc<AtomicU64>);

impl Clone for Alive {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where the samples go, or None if there is no such workload. Whoever waits for them is not one of the workers.
pub type Found = mpsc::Sender<Option<Vec<Sample>>>;

/// Runs a workload of a library whose workers are tokio's.
pub fn on_tokio<L: Library>(library: L, case: Case) -> Option<Vec<Sample>> {
    let runtime = Builder::new_multi_thread().worker_threads(case.workers).enable_time().build();
    let runtime = runtime.expect("tokio starts");
    let (found, waiting) = mpsc::channel();
    runtime.spawn(run(library, case, found));
    let samples = waiting.recv().expect("the workload ended early");
    // A worker may be in an endless loop.
    runtime.shutdown_background();
    samples
}

/// Runs a workload; the library has started its workers and this is on one of them.
pub async fn run<L: Library>(library: L, case: Case, found: Found) {
    let run = Run { library, case };
    let samples = match run.case.workload.as_str() {
        "send" | "fan-in" | "call" | "pairs" | "spawn" | "timer-arm" => vec![run.twice().await],
        "ring" => vec![run.ring().await],
        "tree" => vec![run.tree().await],
        "idle" => run.idle().await,
        "timer-late" => run.late().await,
        "fairness" => return run.fairness(found).await,
        _ => {
            let _ = found.send(None);
            return;
        }
    };
    let _ = found.send(Some(samples));
}

struct Run<L> {
    library: L,
    case: Case,
}

impl<L: Library> Run<L> {
    /// Does `n` things, before that a tenth of them to warm up; nanoseconds for one.
    async fn twice(&self) -> Sample {
        self.several((self.case.n / 10).max(1)).await;
        let start = Instant::now();
        self.several(self.case.n).await;
        Sample::ns(self.case.workload.clone(), per_one(start, self.case.n))
    }

    async fn several(&self, count: u64) {
        match self.case.workload.as_str() {
            "send" => self.send(count, 1).await,
            "fan-in" => self.send(count, self.case.width as u64).await,
            "call" => self.calls(count, 1).await,
            "pairs" => self.calls(count, self.case.width as u64).await,
            "spawn" => self.spawn(count).await,
            _ => self.arm(count).await,
        }
    }

    /// Runs tasks at the places 0 to `count`, and waits for all.
    async fn at_once<F: Future<Output = ()> + Send + 'static>(&self, count: u64, task: impl Fn(usize, L) -> F) {
        let (done, mut waiting) = unbounded_channel();
        for place in 0..count as usize {
            let (task, done) = (task(place, self.library.clone()), done.clone());
            self.library.task(place, async move {
                task.await;
                let _ = done.send(());
            });
        }
        for _ in 0..count {
            waiting.recv().await.expect("a task ended early");
        }
    }

    async fn send(&self, count: u64, senders: u64) {
        // Where actors do not move, the receiver is on the last worker and the senders on all: that is what it is for.
        let to = self.library.start(self.case.workers - 1).await;
        let (bytes, each) = (self.case.bytes, count / senders);
        let task = |_, library: L| {
            let (to, payload) = (to.clone(), payload(bytes));
            async move {
                for sent in 1..=each {
                    library.tell(&to, Tell::Data(payload.clone()));
                    if sent % batch(bytes) == 0 {
                        library.call(&to, Vec::new()).await;
                    }
                }
                library.call(&to, Vec::new()).await;
            }
        };
        self.at_once(senders, task).await;
    }

    /// A single pair is on different workers where actors do not move; of many pairs each is on one.
    async fn calls(&self, count: u64, pairs: u64) {
        let (bytes, each) = (self.case.bytes, count / pairs);
        let last = self.case.workers - 1;
        let task = |place, library: L| {
            let payload = payload(bytes);
            async move {
                let to = library.start(if pairs == 1 { last } else { place }).await;
                for _ in 0..each {
                    library.call(&to, payload.clone()).await;
                }
                library.last(&to).await;
            }
        };
        self.at_once(pairs, task).await;
    }

    async fn ring(&self) -> Sample {
        let mut ring = Vec::new();
        for index in 0..self.case.width {
            ring.push(self.library.start(index * self.case.workers / self.case.width).await);
        }
        for index in 0..ring.len() {
            self.library.tell(&ring[index], Tell::Next(ring[(index + 1) % ring.len()].clone()));
        }
        self.around(&ring[0], self.case.n / 10).await;
        let start = Instant::now();
        self.around(&ring[0], self.case.n).await;
        Sample::ns("ring", per_one(start, self.case.n))
    }

    async fn around(&self, first: &L::Actor, hops: u64) {
        let (done, mut waiting) = unbounded_channel();
        self.library.tell(first, Tell::Token(hops, payload(self.case.bytes), done));
        waiting.recv().await.expect("the token is lost");
    }

    async fn tree(&self) -> Sample {
        self.grow(self.case.width / 10).await;
        let start = Instant::now();
        self.grow(self.case.width).await;
        Sample::ns("tree", start.elapsed().as_nanos() as f64 / actors_of(self.case.width))
    }

    /// Until each leaf has told its number and all actors are gone.
    async fn grow(&self, leaves: usize) {
        let alive = Arc::new(AtomicU64::new(1));
        let (done, mut waiting) = unbounded_channel();
        let leaves = leaves as u64;
        self.library.root(Job { number: 0, leaves, alive: Alive(alive.clone()) }, done).await;
        assert_eq!(waiting.recv().await, Some(leaves * (leaves - 1) / 2), "the sum");
        while alive.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn idle(&self) -> Vec<Sample> {
        let _first = self.crowd(100).await;
        let (before, start, width) = (rss(), Instant::now(), self.case.width);
        let _actors = self.crowd(width).await;
        let idle = Sample::ns("idle-spawn", per_one(start, width as u64));
        vec![idle, Sample { name: "idle-rss".into(), value: (rss() - before) / width as f64, unit: "bytes" }]
    }

    /// Actors that stay, each after its first message.
    async fn crowd(&self, count: usize) -> Vec<L::Actor> {
        let mut actors = Vec::with_capacity(count);
        for place in 0..count {
            actors.push(self.library.start(place).await);
        }
        for actor in &actors {
            self.library.call(actor, Vec::new()).await;
        }
        actors
    }

    async fn spawn(&self, count: u64) {
        let spawners = self.case.width as u64;
        let task = |place, library: L| async move {
            for _ in 0..count / spawners {
                let actor = library.start(place).await;
                library.last(&actor).await;
            }
        };
        self.at_once(spawners, task).await;
    }

    async fn arm(&self, count: u64) {
        let actor = self.library.start(0).await;
        self.library.arm(&actor, count).await;
    }

    async fn late(&self) -> Vec<Sample> {
        for place in 0..self.case.width {
            let (library, to) = (self.library.clone(), self.library.start(place).await);
            self.library.task(place, async move {
                loop {
                    library.call(&to, payload(32)).await;
                }
            });
        }
        let (found, mut waiting) = unbounded_channel();
        for place in 0..SLEEPERS as usize {
            let actor = self.library.start(place).await;
            self.library.tell(&actor, Tell::Nap((self.case.n / SLEEPERS).max(1), found.clone()));
        }
        drop(found);
        let mut late = Vec::new();
        while let Some(one) = waiting.recv().await {
            late.push(one);
        }
        quantiles("timer-late", late)
    }

    /// Counted from outside, because a worker in an endless loop never comes back to its tasks: these libraries are
    /// cooperative.
    async fn fairness(&self, found: Found) {
        let calls = Arc::new(AtomicU64::new(0));
        let to = self.library.start(self.case.workers - 1).await;
        let (library, bytes, counter) = (self.library.clone(), self.case.bytes, calls.clone());
        self.library.task(0, async move {
            loop {
                library.call(&to, payload(bytes)).await;
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut loops = Vec::new();
        for place in 0..self.case.workers {
            loops.push(self.library.start(place).await);
        }
        let (library, window) = (self.library.clone(), Duration::from_millis(self.case.n));
        std::thread::spawn(move || {
            let rate = || {
                std::thread::sleep(window / 10);
                let before = calls.load(Ordering::Relaxed);
                std::thread::sleep(window);
                (calls.load(Ordering::Relaxed) - before) as f64
            };
            let alone = rate();
            for actor in &loops {
                library.tell(actor, Tell::Endless);
                // One after the other: together they would wait for the same worker, and leave another one free.
                std::thread::sleep(window / 10);
            }
            let kept = Sample { name: "fairness".into(), value: 100.0 * rate() / alone, unit: "percent" };
            let _ = found.send(Some(vec![kept]));
        });
    }
}
