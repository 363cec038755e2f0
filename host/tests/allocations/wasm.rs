//! The same between guests: what is sent, asked and called through the sandbox.
//!
//! Must hold: nothing up to 64 bytes and once for more, for each message there is; an answer is one, so a request of more
//! asks twice. It does not matter whether the answer comes at once or from a request that was kept open. A call that parks
//! (`calls.wat`) asks twice more, whatever its size.

use std::path::Path;
use std::sync::Arc;

use wasmactor::base::{Address, Grants, Payload};
use wasmactor::net::Net;
use wasmactor::node::turn::Worker;
use wasmactor::node::{Limits, ModuleEntry, Node, NodeOptions, SpawnSpec};
use wasmactor::time::Clock;
use wasmactor::wasm::{CacheFolder, Source, WasmHost, WasmOptions};

use crate::{EACH, allocations, alone};

/// What the driver is to do: the kinds of `messages.wat`.
const SEND: u32 = 1;
const ASK: u32 = 2;
const ASK_KEPT: u32 = 4;

/// A node that this thread drives, with a driver and a sink.
struct Drive {
    node: Arc<Node>,
    worker: Worker,
    driver: Address,
    sink: Address,
}

impl Drive {
    /// `driver`: a file's name.
    fn new(driver: &str) -> Self {
        let (net, _poller) = Net::new().expect("a poll descriptor");
        let node = Node::new(NodeOptions { workers: 1, ..NodeOptions::default() }, Clock::manual(), net);
        let options = WasmOptions { cache: CacheFolder::Off, ..WasmOptions::default() };
        let host = WasmHost::new(&options).expect("the engine starts");
        let spawn = |name: &str| {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/allocations").join(format!("{name}.wat"));
            let module = host.load(&Source::new(name, file)).expect("it loads");
            assert!(module.is_flat());
            node.add_module(
                name,
                ModuleEntry {
                    module,
                    grants: Arc::new(Grants::all()),
                    limits: Limits { memory: 1 << 20, ..Limits::free() },
                },
            );
            let spec = SpawnSpec { module: name.to_owned(), ..SpawnSpec::default() };
            node.spawn(None, spec).expect("spawned")
        };
        let sink = spawn("messages");
        let driver = if driver == "messages" {
            let spec = SpawnSpec { module: driver.to_owned(), ..SpawnSpec::default() };
            node.spawn(None, spec).expect("spawned")
        } else {
            spawn(driver)
        };
        Self { node, worker: Worker::new(0), driver, sink }
    }

    /// Runs one round; returns how often it asked for memory.
    fn round(&mut self, kind: u32, bytes: usize) -> u64 {
        let handled = |drive: &Self| drive.node.stats(drive.sink).expect("it lives").messages;
        let before = handled(self);
        let order = [self.sink.raw(), bytes as u64].map(u64::to_le_bytes).concat();
        self.node.post(self.driver, kind, Payload::from(order)).expect("delivered");
        let (node, worker) = (&self.node, &mut self.worker);
        let asked = allocations(|| node.run_ready(worker));
        assert_eq!(handled(self) - before, EACH);
        asked
    }

    /// The third one: the first fill the pools, and the buffers of what is awaited.
    fn steady(&mut self, kind: u32, bytes: usize) -> u64 {
        (0..3).map(|_| self.round(kind, bytes)).last().unwrap_or(0)
    }
}

#[test]
fn up_to_64_bytes_a_message_between_guests_asks_for_nothing() {
    let _alone = alone();
    let mut drive = Drive::new("messages");
    for bytes in [0, 1, 32, 64] {
        let asked = [SEND, ASK, ASK_KEPT].map(|kind| drive.steady(kind, bytes));
        assert_eq!(asked, [0, 0, 0], "{bytes} bytes: sent, asked and answered at once, or from a request kept open");
    }
}

#[test]
fn a_larger_message_between_guests_asks_once() {
    let _alone = alone();
    let mut drive = Drive::new("messages");
    for bytes in [65, 1024, 65_536] {
        let asked = [SEND, ASK, ASK_KEPT].map(|kind| drive.steady(kind, bytes));
        assert_eq!(asked, [EACH, 2 * EACH, 2 * EACH], "{bytes} bytes");
    }
}

#[test]
fn a_call_that_parks_asks_twice_more_than_a_request() {
    let _alone = alone();
    let mut drive = Drive::new("calls");
    // wasmtime boxes the future of a host function that may suspend, and of the turn that has its fiber: two for each call
    // and two for the turn that makes the hundred.
    for (bytes, payloads) in [(0, 0), (64, 0), (65, 2), (65_536, 2)] {
        assert_eq!(drive.steady(0, bytes), (payloads + 2) * EACH + 2, "{bytes} bytes");
    }
}
