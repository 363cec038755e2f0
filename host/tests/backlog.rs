//! What waits in all mailboxes is counted, whichever way it goes, and has a budget. A binary of its own, with one test at a
//! time, since the count is the process's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmactor::actor::Turn;
use wasmactor::base::{Address, Cause, ErrorCode, Message, Payload, Session};
use wasmactor::net::Net;
use wasmactor::node::turn::Worker;
use wasmactor::node::{Budget, Context, Limits, Node, NodeOptions, SpawnSpec};
use wasmactor::sched::{Full, backlog};
use wasmactor::time::Clock;

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a few threads keep to themselves, and letters that are not in the depot.
const SLACK: usize = 1 << 20;
const LARGE: usize = 4 << 20;
/// A budget of two and a half of them.
const MOST: usize = 10 << 20;

/// A node that this thread drives, whose mailboxes may hold so much.
fn node(most: usize) -> (Arc<Node>, Worker) {
    let (net, _poller) = Net::new().expect("a poll descriptor");
    let budget = Budget { mailbox_bytes: most, ..Budget::default() };
    let options = NodeOptions { workers: 1, budget, ..NodeOptions::default() };
    (Node::new(options, Clock::manual(), net), Worker::new(0))
}

/// An actor of this module with these limits.
fn actor(
    node: &Arc<Node>,
    worker: &mut Worker,
    limits: Limits,
    handle: impl Fn(&mut Context, Message) -> Turn + Clone + Send + Sync + 'static,
) -> Address {
    let module = format!("m{}", node.alive());
    node.add_native(&module, move |_| Ok(Box::new(handle.clone())));
    let address = node.spawn(None, SpawnSpec { module, limits: Some(limits), ..SpawnSpec::default() });
    node.run_ready(worker);
    address.expect("spawned")
}

fn done() -> Turn {
    Turn::Done(Ok(()))
}

fn post(node: &Node, to: Address, bytes: usize) -> Result<(), ErrorCode> {
    node.post(to, 0, Payload::from(vec![b'x'; bytes])).map_err(|error| error.code)
}

#[track_caller]
fn waits(bytes: usize) {
    let got = backlog::bytes();
    assert!(got.abs_diff(bytes) < SLACK, "{got} instead of {bytes}");
}

#[test]
fn what_goes_whichever_way_does_not_count_any_more() {
    let _alone = alone();
    let (node, mut worker) = node(usize::MAX);
    let limits = |full| Limits { mailbox_bytes: 3 * LARGE, full, ..Limits::default() };
    let sink = actor(&node, &mut worker, limits(Full::Refuse), |_, _| done());
    let ends = actor(&node, &mut worker, limits(Full::Refuse), |cx, _| {
        cx.exit(String::new());
        done()
    });
    let shed = actor(&node, &mut worker, limits(Full::DropOldest), |_, _| done());
    for _ in 0..3 {
        // Handled, and refused.
        for outcome in [Ok(()), Ok(()), Ok(()), Err(ErrorCode::MailboxFull)] {
            assert_eq!(post(&node, sink, LARGE), outcome);
        }
        waits(3 * LARGE);
        node.run_ready(&mut worker);
        waits(0);
        // Dropped for others.
        (0..5).for_each(|_| assert_eq!(post(&node, shed, LARGE), Ok(())));
        waits(3 * LARGE);
        node.run_ready(&mut worker);
        waits(0);
        // Shared: each mailbox that it waits in counts it.
        let many = actor(&node, &mut worker, Limits::default(), move |cx, message| {
            let wasmactor::base::Body::Message { payload, .. } = message.body else { return done() };
            assert_eq!(cx.broadcast(&[sink, shed], 0, payload), 2);
            done()
        });
        assert_eq!(post(&node, many, LARGE), Ok(()));
        node.run_ready(&mut worker);
        waits(0);
        assert!(node.kill(None, many, Cause::Killed, String::new()));
        node.run_ready(&mut worker);
    }
    // Left over by one that ends in the middle of its share, and by one that is killed.
    (0..3).for_each(|_| assert_eq!(post(&node, ends, LARGE), Ok(())));
    waits(3 * LARGE);
    node.run_ready(&mut worker);
    assert!(!node.is_alive(ends));
    waits(0);
    (0..3).for_each(|_| assert_eq!(post(&node, sink, LARGE), Ok(())));
    assert!(node.kill(None, sink, Cause::Killed, String::new()));
    node.run_ready(&mut worker);
    waits(0);
    // With the node.
    assert_eq!(post(&node, shed, LARGE), Ok(()));
    waits(LARGE);
    drop(node);
    waits(0);
}

#[test]
fn letters_count_while_they_wait_and_threads_book_what_they_kept() {
    const MANY: usize = 100_000;
    let _alone = alone();
    let (node, mut worker) = node(usize::MAX);
    let sink = actor(&node, &mut worker, Limits { mailbox: MANY, ..Limits::default() }, |_, _| done());
    for _ in 0..2 {
        // By threads that send less than one keeps to itself.
        for _ in 0..MANY / 100 {
            std::thread::scope(|scope| {
                scope.spawn(|| (0..100).for_each(|_| assert_eq!(post(&node, sink, 3), Ok(()))));
            });
        }
        waits(MANY * 128);
        node.run_ready(&mut worker);
        waits(0);
    }
}

#[test]
fn at_the_budget_nothing_goes_out_but_answers() {
    let _alone = alone();
    let (node, mut worker) = node(MOST);
    let sink = actor(&node, &mut worker, Limits::default(), |_, _| done());
    let echo = actor(&node, &mut worker, Limits::default(), move |cx, _| {
        let over = |result: Result<(), wasmactor::base::CallError>| {
            let error = result.expect_err("over the budget");
            assert_eq!(error.code, ErrorCode::OverLimit);
            assert_eq!(error.reason, format!("over the host's budget `mailbox-bytes`, which is {MOST}"));
        };
        over(cx.send(sink, 0, Payload::empty()));
        over(cx.request(sink, 0, Payload::empty(), 0, Session::NONE).map(drop));
        over(cx.call_begin(sink, 0, Payload::empty(), 0).map(drop));
        assert_eq!(cx.broadcast(&[sink], 0, Payload::empty()), 0);
        assert!(cx.ret(Payload::from(vec![0; 1000])).is_ok());
        done()
    });
    let asked = {
        let node = node.clone();
        std::thread::spawn(move || node.call(echo, 0, Payload::empty(), std::time::Duration::from_secs(60)))
    };
    while node.mailbox_len(echo) == Some(0) {
        std::thread::yield_now();
    }
    // `sink` runs after `echo`: what it has waits meanwhile.
    for outcome in [Ok(()), Ok(()), Ok(()), Err(ErrorCode::OverLimit), Err(ErrorCode::OverLimit)] {
        assert_eq!(post(&node, sink, LARGE), outcome);
    }
    node.run_ready(&mut worker);
    assert_eq!(asked.join().expect("no panic").map(|answer| answer.len()), Ok(1000));
    waits(0);
    assert_eq!(post(&node, sink, 1), Ok(()), "room again");
}
