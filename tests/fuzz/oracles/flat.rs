//! "Is this a bug?" for the lifting and lowering that is done by hand. Used by the fuzz target and by the replay test in
//! `host/tests/corpus.rs`.
//!
//! The bytes are the script of a guest that lies (`../guests/liar.wat`). What must hold: the host survives, and the guest
//! run flat does and suffers just what it does and suffers as a component: the same messages leave it, and it lives or
//! dies at the same place.

use std::sync::{Arc, Mutex, OnceLock};

use wasmactor::actor::Turn;
use wasmactor::base::{Body, Cause, Grants, Payload, Signal};
use wasmactor::net::Net;
use wasmactor::node::turn::Worker;
use wasmactor::node::{Limits, ModuleEntry, Node, NodeOptions, SpawnSpec};
use wasmactor::time::Clock;
use wasmactor::wasm::{CacheFolder, Source, WasmHost, WasmModule, WasmOptions};

/// The guest's two ways to be run.
fn modules() -> &'static [Arc<WasmModule>; 2] {
    static MODULES: OnceLock<[Arc<WasmModule>; 2]> = OnceLock::new();
    MODULES.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("wasmactor-liar-{}.wat", std::process::id()));
        std::fs::write(&path, include_str!("../guests/liar.wat")).expect("a temporary file");
        let modules = [false, true].map(|force_component| {
            let options = WasmOptions { cache: CacheFolder::Off, force_component };
            let host = WasmHost::new(&options).expect("the engine starts");
            let module = host.load(&Source::new("liar", &path)).expect("it loads");
            assert_eq!(module.is_flat(), !force_component);
            module
        });
        std::fs::remove_file(&path).expect("it is ours");
        modules
    })
}

/// What can be seen of a guest from outside: what it sent (kind and bytes), and whether it is still there after each event.
type Seen = (Sent, Vec<bool>);
type Sent = Vec<(u32, Vec<u8>)>;

/// Panics if one of these does not hold.
pub(crate) fn check(data: &[u8]) {
    let [flat, component] = modules();
    let (flat, component) = (seen(flat, data), seen(component, data));
    assert_eq!(flat, component, "flat and as a component, script {data:02x?}");
}

fn seen(module: &Arc<WasmModule>, script: &[u8]) -> Seen {
    let (net, _poller) = Net::new().expect("a poll descriptor");
    let node = Node::new(NodeOptions { workers: 1, ..NodeOptions::default() }, Clock::manual(), net);
    let sent: Arc<Mutex<Sent>> = Arc::default();
    let log = sent.clone();
    node.add_native("recorder", move |_| {
        let log = log.clone();
        Ok(Box::new(move |_cx, message| {
            if let Body::Message { kind, payload, .. } = message.body {
                log.lock().expect("one thread").push((kind, payload.to_vec()));
            }
            Turn::Done(Ok(()))
        }))
    });
    let grants =
        Grants { listen: Vec::new(), connect: Vec::new(), spawn: Vec::new(), kill: Vec::new(), ..Grants::all() };
    node.add_module(
        "liar",
        ModuleEntry {
            module: module.clone(),
            grants: Arc::new(grants),
            limits: Limits { memory: 1 << 20, ..Limits::default() },
        },
    );
    let mut worker = Worker::new(0);
    let mut spawn = |name: &str| {
        let address = node.spawn(None, SpawnSpec { module: name.to_owned(), ..SpawnSpec::default() }).expect("room");
        node.run_ready(&mut worker);
        address
    };
    spawn("recorder");
    let liar = spawn("liar");
    let mut alive = Vec::new();
    let mut event = |bring: &dyn Fn()| {
        bring();
        node.run_ready(&mut worker);
        alive.push(node.is_alive(liar));
    };
    // A dead one refuses: that is seen in `alive`.
    let post = |kind: u32, payload: &[u8]| drop(node.post(liar, kind, Payload::from(payload)));
    event(&|| post(99, script));
    for round in 0..4 {
        event(&|| post(round, b"some bytes"));
        event(&|| node.send_signal(liar, Signal::User1));
        event(&|| post(round, b""));
    }
    node.kill_all(Cause::Stopped, "the end");
    node.run_ready(&mut worker);
    let sent = std::mem::take(&mut *sent.lock().expect("one thread"));
    (sent, alive)
}
