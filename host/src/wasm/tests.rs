//! The sandbox against guests written by hand as text, most of them hostile. No guest toolchain is needed.
//!
//! `load`: files that cannot be loaded, and the cache. `crowd`: many at once. `turns`: what goes in and comes out of a
//! turn. `hostile`: lies, loops, deep recursion, hunger. `park`: blocking calls. `reload`: other versions. `wasi`: WASI guests.

mod crowd;
mod hostile;
mod load;
mod park;
mod reload;
mod turns;
mod wasi;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::actor::{Behavior, Module, Turn};
use crate::base::sync::atomic::{AtomicUsize, Ordering};
use crate::base::sync::{Arc, Mutex, OnceLock};
use crate::base::{Address, Body, Grants, Message, Payload, Session};
use crate::net::Net;
use crate::node::turn::Worker;
use crate::node::{Context, Limits, ModuleEntry, Node, NodeOptions, SpawnSpec};
use crate::sched::Letter;
use crate::threads::Threads;
use crate::time::Clock;
use crate::wasm::{CacheFolder, LoadError, Source, WasmHost, WasmModule, WasmOptions};

/// Memory of an actor in these tests: a few wasm pages.
const MEMORY: usize = 1 << 20;
/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// A folder of its own for each caller, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("wasmactor-unit-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).expect("a file in it");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The suite runs twice; the second time, with this variable, no module is run flat.
fn options(cache: CacheFolder) -> WasmOptions {
    WasmOptions { cache, force_component: std::env::var_os("WASMACTOR_TEST_COMPONENTS").is_some() }
}

/// One host for all tests that need no settings of their own.
fn host() -> &'static WasmHost {
    static HOST: OnceLock<WasmHost> = OnceLock::new();
    HOST.get_or_init(|| WasmHost::new(&options(CacheFolder::Off)).expect("a host"))
}

fn load_path(path: &Path) -> Result<Arc<WasmModule>, LoadError> {
    host().load(&Source::new("store", path))
}

fn load(text: &str) -> Arc<WasmModule> {
    let folder = Folder::new();
    load_path(&folder.file("store.wat", text)).unwrap_or_else(|error| panic!("{error}"))
}

/// What all hand-written guests share: a bump allocator that starts again each turn, and `$ok` and `$err` to return.
/// `parts` are further fields; `init` and `handle` are bodies that leave the pointer to the result.
/// `handle` has `$case $a $b $c $p $n`: of a message source, session, kind, and the payload's address and length.
pub(super) fn guest(parts: &str, init: &str, handle: &str) -> String {
    format!(
        r#"(module
        {parts}
        (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 4096))
        (func $realloc (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and
                (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (global.set $next (i32.add (local.get $at) (local.get $size)))
            (local.get $at))
        (func $ok (result i32) (i32.store8 (i32.const 16) (i32.const 0)) (i32.const 16))
        (func $err (param $p i32) (param $n i32) (result i32)
            (i32.store8 (i32.const 16) (i32.const 1))
            (i32.store (i32.const 20) (local.get $p))
            (i32.store (i32.const 24) (local.get $n))
            (i32.const 16))
        (func (export "wasmactor:actor/handler@0.1.0#init") (result i32) {init})
        (func $handle (export "wasmactor:actor/handler@0.1.0#handle")
            (param $case i32) (param $a i64) (param $b i64) (param $c i64) (param $p i32) (param $n i32) (result i32)
            (global.set $next (i32.const 4096))
            {handle}))"#
    )
}

/// The usual limits, but for memory.
fn limits(memory: usize) -> Limits {
    Limits { memory, ..Limits::default() }
}

/// A node that nothing runs but the caller.
fn node(options: NodeOptions) -> Arc<Node> {
    let (net, _poller) = Net::new().expect("a poll descriptor");
    Node::new(options, Clock::manual(), net)
}

/// Calls `work` with the context of a living (native) actor.
fn inside<R: Send + 'static>(memory: usize, work: impl FnOnce(&mut Context) -> R + Send + 'static) -> R {
    let node = node(NodeOptions { workers: 1, ..NodeOptions::default() });
    let result = Arc::new(Mutex::new(None));
    let (put, work) = (result.clone(), Mutex::new(Some(work)));
    let handler = move |cx: &mut Context| {
        let done = work.lock().take().map(|work| work(cx));
        *put.lock() = done;
        Err("done".to_owned())
    };
    let module = Arc::new(Inside(handler));
    node.add_module("inside", ModuleEntry { module, grants: Arc::new(Grants::all()), limits: limits(memory) });
    node.spawn(None, SpawnSpec { module: "inside".to_owned(), ..SpawnSpec::default() }).expect("spawns");
    node.run_ready(&mut Worker::new(0));
    let result = result.lock().take();
    result.expect("the actor ran")
}

struct Inside<F>(F);

impl<F> Module<Context> for Inside<F>
where
    F: Fn(&mut Context) -> Result<Box<dyn Behavior<Context>>, String> + Send + Sync,
{
    fn create(&self, cx: &mut Context) -> Result<Box<dyn Behavior<Context>>, String> {
        (self.0)(cx)
    }
}

/// An instance of a guest, and a turn for each message, as text.
fn turns(text: &str, messages: Vec<Message>) -> Vec<String> {
    let module = load(text);
    inside(MEMORY, move |cx| {
        let mut behavior = match module.create(cx) {
            Ok(behavior) => behavior,
            Err(error) => return vec![format!("create: {error}")],
        };
        let mut said = vec![told(behavior.init(cx))];
        for message in messages {
            said.push(told(behavior.handle(cx, Letter::new(message))));
        }
        assert!(!cx.is_hollow(), "the context is back");
        said
    })
}

fn told(turn: Turn) -> String {
    match turn {
        Turn::Done(Ok(())) => "ok".to_owned(),
        Turn::Done(Err(error)) => format!("error: {error}"),
        Turn::Left => "left".to_owned(),
        Turn::Parked => "parked".to_owned(),
        Turn::Yielded => "yielded".to_owned(),
        Turn::Fault(fault) => format!("fault: {fault}"),
    }
}

fn message(payload: &[u8]) -> Message {
    let body = Body::Message { kind: 0, payload: Payload::from(payload), deadline: 0 };
    Message { source: Address::HOST, session: Session::NONE, body }
}

fn letter(payload: &[u8]) -> Letter {
    Letter::new(message(payload))
}

/// A node with all its threads, two of them workers.
struct Running {
    node: Arc<Node>,
    threads: Option<Threads>,
}

impl Running {
    fn new() -> Self {
        let (net, poller) = Net::new().expect("a poll descriptor");
        let node = Node::new(NodeOptions { workers: 2, ..NodeOptions::default() }, Clock::real(), net);
        node.on_tick(Box::new(|| host().tick()));
        let threads = Some(Threads::start(node.clone(), poller));
        Self { node, threads }
    }

    /// Starts an actor of a guest with every grant.
    fn spawn(&self, name: &str, text: &str) -> Address {
        self.spawn_granted(name, text, Grants::all())
    }

    fn spawn_granted(&self, name: &str, text: &str, grants: Grants) -> Address {
        let entry = ModuleEntry { module: load(text), grants: Arc::new(grants), limits: limits(MEMORY) };
        self.node.add_module(name, entry);
        let spec = SpawnSpec { module: name.to_owned(), ..SpawnSpec::default() };
        self.node.spawn_and_wait(spec, LONG).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A request's answer as text.
    fn call(&self, to: Address, payload: &[u8]) -> String {
        match self.node.call(to, 0, Payload::from(payload), LONG) {
            Ok(payload) => String::from_utf8_lossy(&payload).into_owned(),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.node.kill_all(crate::base::Cause::Stopped, "the test is over");
        self.node.wait_all_ended(LONG);
        if let Some(threads) = self.threads.take() {
            threads.stop();
        }
    }
}
