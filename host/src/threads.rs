//! The node's threads: workers, timer, monitor, socket. Started and joined here; each body is one screen.
//!
//! Start: any order, since each only waits. Stop: the timer and socket threads first (they only produce), then the
//! workers, then the monitor, which may have something to say until the end.

mod monitor;
mod prompt;
mod socket;
mod timer;
mod worker;

use std::thread::JoinHandle;

use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicBool, Ordering};
use crate::net::Poller;
use crate::node::Node;

/// Running threads of a node.
#[derive(Debug)]
pub struct Threads {
    node: Arc<Node>,
    producers: Vec<JoinHandle<()>>,
    workers: Vec<JoinHandle<()>>,
    monitor: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

fn thread(name: String, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let body = move || {
        // A panic here is a bug of the host; going on without this thread would leave callers waiting.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err() {
            tracing::error!(target: "wasmactor", "a bug in the host: a thread panicked, the process aborts");
            std::process::abort();
        }
    };
    let spawned = std::thread::Builder::new().name(name).spawn(body);
    spawned.unwrap_or_else(|error| panic!("the operating system gives no thread: {error}"))
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
        let workers = (0..node.run_queue().workers()).map(|index| {
            let (n, p) = (node.clone(), poller.clone());
            thread(format!("wa-worker-{index}"), move || worker::run(&n, &p, index))
        });
        let workers = workers.collect();
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
        join(&mut self.workers);
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
