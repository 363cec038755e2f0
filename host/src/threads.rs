//! The node's threads: workers, timer, monitor, socket. Started and joined here; each body is one screen.
//!
//! Start: any order, since each only waits. More worker threads are made when a turn that is cut keeps its own
//! (`sched/seats.rs`). Stop: the timer and socket threads first (they only produce), then the workers, then the monitor,
//! which may have something to say until the end.

mod monitor;
pub mod prompt;
mod socket;
mod timer;
mod worker;

use std::io;
use std::thread::JoinHandle;

pub use prompt::prompt;

use crate::base::sync::atomic::{AtomicBool, Ordering};
use crate::base::sync::{Arc, Mutex};
use crate::net::Poller;
use crate::node::Node;

/// Running threads of a node.
#[derive(Debug)]
pub struct Threads {
    node: Arc<Node>,
    producers: Vec<JoinHandle<()>>,
    workers: Workers,
    monitor: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

/// All worker threads, with and without a seat. Those that have ended are forgotten when another one is made.
type Workers = Arc<Mutex<Vec<JoinHandle<()>>>>;

fn thread(name: String, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let spawned = try_thread(name, body);
    spawned.unwrap_or_else(|error| panic!("the operating system gives no thread: {error}"))
}

/// Starts a thread of the host.
pub fn try_thread(name: String, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let body = move || {
        // A panic here is a bug of the host; going on without this thread would leave callers waiting.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err() {
            tracing::error!(target: "wasmactor", "a bug in the host: a thread panicked, the process aborts");
            std::process::abort();
        }
    };
    std::thread::Builder::new().name(name).spawn(body)
}

/// Starts a worker thread. False: the machine gives no more of them.
fn hire(node: &Arc<Node>, poller: &Arc<Poller>, workers: &Mutex<Vec<JoinHandle<()>>>, seat: usize) -> bool {
    let (n, p) = (node.clone(), poller.clone());
    // The list is locked first, so that a stop that joins all of it waits for this one too.
    let mut workers = workers.lock();
    let worker = try_thread(format!("wa-worker-{seat}"), move || worker::run(&n, &p, seat));
    workers.retain(|worker| !worker.is_finished());
    match worker {
        Ok(worker) => workers.push(worker),
        Err(error) => {
            tracing::warn!(target: "wasmactor", "the operating system gives no thread for a long turn: {error}");
            return false;
        }
    }
    true
}

impl Threads {
    /// Starts all threads.
    pub fn start(node: Arc<Node>, poller: Poller) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let poller = Arc::new(poller);
        let mut producers = Vec::new();
        let (n, p) = (node.clone(), poller.clone());
        producers.push(thread("wa-socket".into(), move || socket::run(&n, &p)));
        let n = node.clone();
        producers.push(thread("wa-timer".into(), move || timer::run(&n)));
        let seats = (0..node.run_queue().workers()).map(|seat| {
            let (n, p) = (node.clone(), poller.clone());
            thread(format!("wa-worker-{seat}"), move || worker::run(&n, &p, seat))
        });
        let workers = Workers::new(Mutex::new(seats.collect()));
        // Weak: the node keeps this closure.
        let (n, w) = (Arc::downgrade(&node), workers.clone());
        let hire = move |seat| n.upgrade().is_some_and(|node| hire(&node, &poller, &w, seat));
        node.run_queue().seats().on_hire(Box::new(hire));
        let (n, s) = (node.clone(), stop.clone());
        let monitor = Some(thread("wa-monitor".into(), move || monitor::run(&n, &s)));
        Self { node, producers, workers, monitor, stop }
    }

    /// Ends and joins all threads. Actors should have ended before; what still runs is not waited for longer than
    /// its turn.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.node.timers().stop();
        self.node.net().stop();
        join(&mut self.producers);
        self.node.run_queue().stop();
        // Without a bound: who is in the list may have hired another one before it ended.
        loop {
            let Some(worker) = self.workers.lock().pop() else { break };
            join(&mut vec![worker]);
        }
        if let Some(monitor) = self.monitor.take() {
            monitor.thread().unpark();
            join(&mut vec![monitor]);
        }
    }
}

fn join(threads: &mut Vec<JoinHandle<()>>) {
    for thread in threads.drain(..) {
        // The body cannot unwind (see `thread`), so there is no error to lose.
        drop(thread.join());
    }
}
