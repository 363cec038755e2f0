//! What a message asks the allocator for: nothing up to 64 bytes, once for more, and a large payload keeps its place from
//! sender to receiver. A binary of its own, since it counts in place of the allocator. Here between native behaviors, in
//! `allocations/wasm.rs` between guests.

#![expect(unsafe_code, reason = "an allocator that counts")]

#[cfg(feature = "wasm")]
#[path = "allocations/wasm.rs"]
mod wasm;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use wasmactor::actor::Turn;
use wasmactor::base::{Address, Body, Message, Payload, Session};
use wasmactor::net::Net;
use wasmactor::node::turn::Worker;
use wasmactor::node::{Context, Node, NodeOptions, SpawnSpec};
use wasmactor::sched::{Bounds, Chain, Letter, Mailbox, Tag};
use wasmactor::time::Clock;

struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: all is done by the system's allocator; the counter is a cell of the thread that needs no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.with(|asked| asked.set(asked.get() + 1));
        // SAFETY: the caller keeps to the contract of `alloc`, which is the system's.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: as for `alloc`.
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above; the place is one that `alloc` gave.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often this thread asks for memory in `work`.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ASKED.with(Cell::get);
    work();
    ASKED.with(Cell::get) - before
}

/// One test at a time: the depot of used letters is the process's.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A node that this thread drives, with a driver and a sink; each message to the driver makes it send a hundred to the
/// sink, or ask it so often, one after the other.
struct Drive {
    node: Arc<Node>,
    worker: Worker,
    driver: Address,
    /// Where the last payload lay when it was sent, and where when it came.
    places: [Arc<AtomicUsize>; 2],
    came: Arc<AtomicU64>,
}

const EACH: u64 = 100;
const SEND: u32 = 1;
const ASK: u32 = 2;

impl Drive {
    fn new(bytes: usize) -> Self {
        let (net, _poller) = Net::new().expect("a poll descriptor");
        let node = Node::new(NodeOptions { workers: 1, ..NodeOptions::default() }, Clock::manual(), net);
        let places: [Arc<AtomicUsize>; 2] = Default::default();
        let came = Arc::<AtomicU64>::default();
        let (place, count) = (places[1].clone(), came.clone());
        node.add_native("sink", move |_| {
            let (place, count) = (place.clone(), count.clone());
            Ok(Box::new(move |cx: &mut Context, message: Message| {
                let asked = !message.session.is_none();
                if let Body::Message { payload, .. } = message.body {
                    place.store(payload.as_ptr() as usize, Ordering::Relaxed);
                    count.fetch_add(1, Ordering::Relaxed);
                    if asked {
                        cx.ret(payload).expect("a request");
                    }
                }
                Turn::Done(Ok(()))
            }))
        });
        let sink = Self::spawn(&node, "sink");
        let (place, bytes) = (places[0].clone(), vec![7; bytes]);
        node.add_native("driver", move |_| {
            let (place, bytes) = (place.clone(), bytes.clone());
            let mut left = 0;
            let ask = move |cx: &mut Context, bytes: &[u8]| cx.request(sink, 0, bytes.into(), 0, Session::NONE);
            Ok(Box::new(move |cx: &mut Context, message: Message| {
                match message.body {
                    Body::Message { kind: SEND, .. } => {
                        for _ in 0..EACH {
                            let payload = Payload::from(&bytes[..]);
                            place.store(payload.as_ptr() as usize, Ordering::Relaxed);
                            cx.send(sink, 0, payload).expect("room");
                        }
                    }
                    Body::Message { .. } => {
                        left = EACH - 1;
                        ask(cx, &bytes).expect("room");
                    }
                    _ if left > 0 => {
                        left -= 1;
                        ask(cx, &bytes).expect("room");
                    }
                    _ => {}
                }
                Turn::Done(Ok(()))
            }))
        });
        let driver = Self::spawn(&node, "driver");
        let mut drive = Self { node, worker: Worker::new(0), driver, places, came };
        // The first rounds fill the pools and the buffers of what is awaited.
        for kind in [SEND, ASK, SEND, ASK] {
            drive.round(kind);
        }
        drive
    }

    fn spawn(node: &Arc<Node>, module: &str) -> Address {
        node.spawn(None, SpawnSpec { module: module.to_owned(), ..SpawnSpec::default() }).expect("spawned")
    }

    /// Runs one round; returns how often it asked for memory.
    fn round(&mut self, kind: u32) -> u64 {
        let before = self.came.load(Ordering::Relaxed);
        self.node.post(self.driver, kind, Payload::empty()).expect("delivered");
        let (node, worker) = (&self.node, &mut self.worker);
        let asked = allocations(|| node.run_ready(worker));
        assert_eq!(self.came.load(Ordering::Relaxed) - before, EACH);
        asked
    }
}

#[test]
fn up_to_64_bytes_a_message_asks_for_nothing() {
    let _alone = alone();
    for bytes in [0, 1, 32, 64] {
        let mut drive = Drive::new(bytes);
        assert_eq!((drive.round(SEND), drive.round(ASK)), (0, 0), "{bytes} bytes");
    }
}

#[test]
fn a_larger_message_asks_once() {
    let _alone = alone();
    for bytes in [65, 1024, 65_536] {
        let mut drive = Drive::new(bytes);
        // A reply that returns the payload as it came asks for nothing more.
        assert_eq!((drive.round(SEND), drive.round(ASK)), (EACH, EACH), "{bytes} bytes");
    }
}

#[test]
fn a_large_payload_is_moved_and_never_copied() {
    let _alone = alone();
    let mut drive = Drive::new(65_536);
    drive.round(SEND);
    let [sent, came] = drive.places.each_ref().map(|place| place.load(Ordering::Relaxed));
    assert_eq!(sent, came);
}

#[test]
fn nothing_is_asked_for_where_one_thread_sends_and_another_receives() {
    let _alone = alone();
    const ROUNDS: usize = 50;
    let to = Address::new(0, 0, 1);
    let mailbox = Arc::new(Mailbox::default());
    mailbox.open(to, Tag::default(), Bounds::of(usize::MAX));
    let ((go, start), (done, ready)) = (mpsc::sync_channel(1), mpsc::sync_channel(1));
    let receiver = mailbox.clone();
    let thread = thread::spawn(move || {
        let mut asked = Vec::with_capacity(ROUNDS);
        for () in start {
            asked.push(allocations(|| {
                let mut batch = Chain::default();
                let _ = receiver.take(&mut batch, false);
                while receiver.begin(&mut batch).is_some() {}
            }));
            done.send(()).expect("the sender waits");
        }
        asked
    });
    let letter = || {
        let body = Body::Message { kind: 0, payload: Payload::from(&[7; 32][..]), deadline: 0 };
        Letter::new(Message { source: Address::HOST, session: Session::NONE, body })
    };
    let mut asked = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        asked.push(allocations(|| {
            for _ in 0..1000 {
                let _ = mailbox.push(to, letter(), |_| true);
            }
        }));
        go.send(()).expect("the receiver waits");
        ready.recv().expect("the receiver answers");
    }
    drop(go);
    let received = thread.join().expect("no panic");
    // The first rounds make the letters, and the depot's list of them.
    assert_eq!(asked[10..].iter().chain(&received[10..]).sum::<u64>(), 0, "{asked:?} {received:?}");
}
