//! A node with its threads, as `boot` puts one together, driven from outside. Used by the systems `native` and `wasm`,
//! whose modules have the same names: `driver`, `actor`, and for wasm `exclusive`.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use bench_protocol::{Order, pack, unpack};
use wasmactor::base::sync::Arc;
use wasmactor::base::{Address, Cause, ErrorCode, Payload};
use wasmactor::net::Net;
use wasmactor::node::{Node, NodeOptions, SpawnSpec};
use wasmactor::threads::Threads;
use wasmactor::time::Clock;

/// No run takes so long.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running node.
pub(crate) struct App {
    node: Arc<Node>,
    threads: Option<Threads>,
    modules: &'static [&'static str],
}

impl App {
    /// Starts a node; `add` makes these modules known.
    pub(crate) fn start(workers: usize, modules: &'static [&'static str], add: impl FnOnce(&Node)) -> Result<Self> {
        let (net, poller) = Net::new().context("no poll descriptor")?;
        let options = NodeOptions { workers, call_timeout: PATIENCE, ..NodeOptions::default() };
        let node = Node::new(options, Clock::real(), net);
        add(&node);
        let threads = Some(Threads::start(node.clone(), poller));
        Ok(Self { node, threads, modules })
    }

    /// The node itself.
    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Whether actors of this module can be started.
    pub(crate) fn knows(&self, module: &str) -> bool {
        self.modules.contains(&module)
    }

    /// Starts an actor and waits for its `init`.
    pub(crate) fn spawn(&self, module: &str) -> Result<u64> {
        let spec = SpawnSpec { module: module.to_owned(), ..SpawnSpec::default() };
        let address = self.node.spawn_and_wait(spec, PATIENCE);
        address.map(Address::raw).map_err(|error| anyhow!("an actor of `{module}` does not start: {error}"))
    }

    /// Starts many.
    pub(crate) fn spawn_many(&self, module: &str, count: usize) -> Result<Vec<u64>> {
        (0..count).map(|_| self.spawn(module)).collect()
    }

    /// Sends numbers, no answer wanted.
    pub(crate) fn post(&self, to: u64, kind: u32, numbers: &[u64]) -> Result<()> {
        let posted = self.node.post(Address::from_raw(to), kind, Payload::from(pack(numbers)));
        posted.map_err(|error| anyhow!("a message of kind {kind} does not arrive: {error}"))
    }

    /// Asks, and waits for the numbers that are the answer.
    pub(crate) fn ask(&self, to: u64, kind: u32, numbers: &[u64]) -> Result<Vec<u64>> {
        self.call(to, kind, pack(numbers), PATIENCE)?.context("no answer came in time")
    }

    /// Gives an order, and waits until it is done.
    pub(crate) fn order(&self, driver: u64, kind: u32, order: &Order) -> Result<Vec<u64>> {
        self.order_within(driver, kind, order, PATIENCE)?.context("an order was not done in time")
    }

    /// The same; `None` if it is not done in this time.
    pub(crate) fn order_within(
        &self,
        driver: u64,
        kind: u32,
        order: &Order,
        patience: Duration,
    ) -> Result<Option<Vec<u64>>> {
        self.call(driver, kind, order.encode(), patience)
    }

    /// Gives the same order to many at once, and collects their numbers.
    pub(crate) fn order_all(&self, drivers: &[u64], kind: u32, order: &Order) -> Result<Vec<u64>> {
        self.ask_all(drivers, kind, &unpack(&order.encode()))
    }

    /// Asks many the same at once, and collects their numbers.
    pub(crate) fn ask_all(&self, actors: &[u64], kind: u32, numbers: &[u64]) -> Result<Vec<u64>> {
        self.ask_each(kind, actors.iter().map(|actor| (*actor, numbers.to_vec())))
    }

    /// Asks many at once, each by numbers of its own, and collects theirs.
    pub(crate) fn ask_each(&self, kind: u32, asks: impl Iterator<Item = (u64, Vec<u64>)>) -> Result<Vec<u64>> {
        thread::scope(|scope| {
            let asked: Vec<_> =
                asks.map(|(actor, numbers)| scope.spawn(move || self.ask(actor, kind, &numbers))).collect();
            let mut numbers = Vec::new();
            for thread in asked {
                numbers.extend(thread.join().map_err(|_| anyhow!("a thread that waited for an answer is gone"))??);
            }
            Ok(numbers)
        })
    }

    /// Actors that are there.
    pub(crate) fn alive(&self) -> usize {
        self.node.alive()
    }

    fn call(&self, to: u64, kind: u32, payload: Vec<u8>, patience: Duration) -> Result<Option<Vec<u64>>> {
        match self.node.call(Address::from_raw(to), kind, Payload::from(payload), patience) {
            Ok(answer) => Ok(Some(unpack(&answer))),
            Err(error) if error.code == ErrorCode::Deadline => Ok(None),
            Err(error) => Err(anyhow!("a request of kind {kind} failed: {error}")),
        }
    }

    /// Gives an order twice, the first time a tenth of it to warm up, and returns nanoseconds for one of `n`.
    pub(crate) fn time(&self, driver: u64, kind: u32, order: &Order) -> Result<f64> {
        let warm_up = Order { n: (order.n / 10).max(1), ..order.clone() };
        self.order(driver, kind, &warm_up)?;
        let took = self.order(driver, kind, order)?;
        let took = took.first().context("a driver answered without a number")?;
        Ok(*took as f64 / order.n as f64)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.node.refuse_spawns();
        self.node.kill_all(Cause::Stopped, "the run is over");
        self.node.wait_all_ended(PATIENCE);
        if let Some(threads) = self.threads.take() {
            threads.stop();
        }
    }
}
