//! Long turns on real threads: behaviors that ask for their slice as the sandbox does, on a fiber's terms or a thread's.

use std::time::{Duration, Instant};

use crate::actor::{Behavior, Fault, Module, Turn};
use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::base::{Address, Body, Cause, Grants, Payload, Session};
use crate::net::Net;
use crate::node::{Context, Limits, ModuleEntry, Node, NodeOptions, Slice, SpawnSpec};
use crate::sched::Letter;
use crate::sched::seats::{CUT_MAX, Cut};
use crate::threads::Threads;
use crate::time::Clock;

/// What the loops share with the test.
#[derive(Default)]
struct Book {
    /// Steps of all loops.
    steps: AtomicU64,
    /// Loops that were found in two places at once.
    twice: AtomicU64,
    /// Loops return when it is set.
    enough: AtomicBool,
}

/// Works at each message until the book says enough.
struct Loop {
    fiber: bool,
    inside: Arc<AtomicBool>,
    book: Arc<Book>,
}

impl Loop {
    fn work(&mut self, cx: &mut Context) -> Turn {
        loop {
            if self.inside.swap(true, Ordering::SeqCst) {
                self.book.twice.fetch_add(1, Ordering::SeqCst);
            }
            self.book.steps.fetch_add(1, Ordering::Relaxed);
            self.inside.store(false, Ordering::SeqCst);
            if self.book.enough.load(Ordering::Relaxed) {
                drop(cx.ret(Payload::empty()));
                return Turn::Done(Ok(()));
            }
            match cx.slice_over(self.fiber) {
                Slice::GoOn => {}
                Slice::Yield => {
                    assert!(cx.take_yield() && !cx.take_yield());
                    return Turn::Yielded;
                }
                Slice::End(reason) => return Turn::Fault(Fault::Trap(reason)),
                Slice::Over(error) => return Turn::Fault(Fault::Limit(error.reason.into_owned())),
            }
        }
    }
}

impl Behavior<Context> for Loop {
    fn init(&mut self, _cx: &mut Context) -> Turn {
        Turn::Done(Ok(()))
    }

    fn handle(&mut self, cx: &mut Context, letter: Letter) -> Turn {
        if matches!(letter.body, Body::Message { .. }) { self.work(cx) } else { Turn::Done(Ok(())) }
    }

    fn resume(&mut self, cx: &mut Context) -> Turn {
        self.work(cx)
    }
}

struct LoopModule {
    fiber: bool,
    book: Arc<Book>,
}

impl Module<Context> for LoopModule {
    fn create(&self, _cx: &mut Context) -> Result<Box<dyn Behavior<Context>>, String> {
        Ok(Box::new(Loop { fiber: self.fiber, inside: Arc::default(), book: self.book.clone() }))
    }
}

const LONG: Duration = Duration::from_secs(60);

struct Bench {
    node: Arc<Node>,
    threads: Threads,
    book: Arc<Book>,
    asker: Address,
}

/// A node with a pair that asks and answers.
fn start(workers: usize) -> Bench {
    let (net, poller) = Net::new().expect("a poll descriptor");
    let node = Node::new(NodeOptions { workers, ..NodeOptions::default() }, Clock::real(), net);
    let threads = Threads::start(node.clone(), poller);
    let book = Arc::new(Book::default());
    for fiber in [false, true] {
        let module = Arc::new(LoopModule { fiber, book: book.clone() });
        let entry = ModuleEntry { module, grants: Arc::new(Grants::all()), limits: Limits::free() };
        node.add_module(if fiber { "fiber" } else { "thread" }, entry);
    }
    node.add_native("echo", |_| {
        Ok(Box::new(|cx, message| {
            if let Body::Message { payload, .. } = message.body {
                drop(cx.ret(payload));
            }
            Turn::Done(Ok(()))
        }))
    });
    let echo = spawn(&node, "echo");
    // Asks so many times, one after the other; then answers.
    node.add_native("asker", move |_| {
        let (mut left, mut caller) = (0, Session::NONE);
        Ok(Box::new(move |cx, message| {
            match &message.body {
                Body::Message { payload, .. } => {
                    left = u32::from_le_bytes(payload[..4].try_into().expect("a count"));
                    caller = cx.defer().expect("a request");
                }
                Body::Reply(Ok(_)) => left -= 1,
                _ => return Turn::Done(Ok(())),
            }
            if left == 0 {
                cx.reply(caller, Payload::empty()).expect("its caller waits");
            } else {
                cx.request(echo, 0, Payload::empty(), 60_000, Session::NONE).expect("it is there");
            }
            Turn::Done(Ok(()))
        }))
    });
    let asker = spawn(&node, "asker");
    Bench { node, threads, book, asker }
}

fn spawn(node: &Arc<Node>, module: &str) -> Address {
    let spec = SpawnSpec { module: module.to_owned(), ..SpawnSpec::default() };
    node.spawn_and_wait(spec, LONG).expect("spawned")
}

impl Bench {
    /// The pair asks and answers so many times.
    fn pair(&self, times: u32) {
        self.node.call(self.asker, 0, Payload::from(&times.to_le_bytes()[..]), LONG).expect("the pair is through");
    }

    fn loops(&self, count: usize) -> Vec<Address> {
        let kinds = ["thread", "fiber"].into_iter().cycle();
        let loops: Vec<Address> = kinds.take(count).map(|kind| spawn(&self.node, kind)).collect();
        loops.iter().for_each(|to| self.node.post(*to, 0, Payload::empty()).expect("delivered"));
        loops
    }

    /// Waits until the loops have made a step, with a bound that only guards against hanging.
    fn step(&self) {
        let (start, before) = (Instant::now(), self.book.steps.load(Ordering::Relaxed));
        while self.book.steps.load(Ordering::Relaxed) == before {
            assert!(start.elapsed() < LONG, "the loops are starved");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_pair_and_the_loops_beside_it_both_go_on() {
    for (workers, loops) in [(1, 1), (1, 2), (2, 2), (2, 9), (1, 40)] {
        let bench = start(workers);
        let loops = bench.loops(loops);
        for _ in 0..5 {
            bench.pair(500);
            bench.step();
        }
        for (index, to) in loops.iter().enumerate() {
            assert!(bench.node.kill(None, *to, Cause::Killed, "enough".to_owned()), "{index}: it loops");
        }
        let start = Instant::now();
        while bench.node.alive() > 2 {
            assert!(start.elapsed() < LONG, "{} still live", bench.node.alive());
            std::thread::sleep(Duration::from_millis(1));
        }
        bench.pair(500);
        assert_eq!(bench.book.twice.load(Ordering::SeqCst), 0);
        bench.threads.stop();
    }
}

#[test]
fn a_long_turn_ends_as_any_other() {
    let bench = start(1);
    let loops = bench.loops(4);
    bench.pair(2_000);
    bench.step();
    let waiting: Vec<_> = loops
        .iter()
        .map(|to| {
            let (node, to) = (bench.node.clone(), *to);
            std::thread::spawn(move || node.call(to, 0, Payload::empty(), LONG))
        })
        .collect();
    bench.pair(2_000);
    bench.book.enough.store(true, Ordering::Relaxed);
    waiting.into_iter().for_each(|call| drop(call.join().expect("no panic").expect("answered")));
    assert_eq!((bench.node.alive(), bench.book.twice.load(Ordering::SeqCst)), (6, 0));
    bench.pair(500);
    bench.threads.stop();
}

#[test]
fn where_too_many_turns_sleep_a_long_one_goes_on_and_ends_after_5_s() {
    let mut bench = super::Bench::new();
    let seats = |node: &Node, with: bool| {
        for slot in (1_000_000..).take(CUT_MAX) {
            if with {
                node.run_queue().seats().enter(slot, Cut::Thread(Arc::default()));
            } else {
                assert!(node.run_queue().seats().claim(slot).is_some());
            }
        }
    };
    let clock = bench.clock.clone();
    let said = super::Journal::default();
    let journal = said.clone();
    let actor = bench.spawn(move |cx, message| {
        if !matches!(message.body, Body::Message { .. }) {
            return super::done();
        }
        seats(cx.node(), true);
        let mut slice = |after| {
            clock.advance(Duration::from_millis(after));
            let status = cx.node().run_queue().status(0);
            status.slice_over(status.taken());
            cx.slice_over(false)
        };
        let first = [slice(1), slice(2000), slice(2999)];
        let last = slice(1);
        seats(cx.node(), false);
        journal.lock().push(format!("{first:?}"));
        match last {
            Slice::End(reason) => Turn::Fault(Fault::Trap(reason)),
            other => panic!("{other:?}"),
        }
    });
    bench.post(actor, "");
    assert_eq!(said.lock()[..], ["[GoOn, GoOn, GoOn]"]);
    assert!(!bench.node.is_alive(actor));
}

#[test]
fn a_host_that_stops_does_not_wait_for_loops() {
    let bench = start(2);
    let loops = bench.loops(6);
    bench.pair(2_000);
    bench.threads.stop();
    assert!(loops.iter().all(|to| bench.node.mailbox_len(*to).is_some()));
}
