//! Real threads and a seed: many actors ask, forward, defer, die and are killed at once; every request must end
//! exactly once, and messages of one sender must stay in order.

use std::time::{Duration, Instant};

use crate::actor::{Fault, Turn};
use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicU64, Ordering};
use crate::base::{Address, Body, Cause, Payload, Session};
use crate::net::Net;
use crate::node::{Limits, Node, NodeOptions, SpawnSpec};
use crate::threads::Threads;
use crate::time::Clock;

/// Marsaglia's xorshift64: the stress wants a repeatable mix, not quality.
fn step(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[derive(Default)]
struct Count {
    asked: AtomicU64,
    ended: AtomicU64,
    out_of_order: AtomicU64,
}

fn start(workers: usize) -> (Arc<Node>, Threads) {
    let (net, poller) = Net::new().expect("a poll descriptor");
    let options = NodeOptions { workers, call_timeout: Duration::from_millis(300), ..NodeOptions::default() };
    let node = Node::new(options, Clock::real(), net);
    let threads = Threads::start(node.clone(), poller);
    (node, threads)
}

/// Waits, with a bound that only guards against hanging.
fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "still waiting: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn every_request_ends_once() {
    const CALLEES: usize = 40;
    const ASKERS: usize = 20;
    const ROUNDS: u64 = 300;
    let (node, threads) = start(2);
    let count = Arc::new(Count::default());
    node.add_native("callee", |_| {
        let mut held: Vec<Session> = Vec::new();
        Ok(Box::new(move |cx, message| {
            let Body::Message { payload, .. } = message.body else { return Turn::Done(Ok(())) };
            match payload[0] % 16 {
                0 => return Turn::Fault(Fault::Trap("boom".to_owned())),
                1 => cx.exit("done".to_owned()),
                2 => return Turn::Done(Err("no".to_owned())),
                3 | 4 => held.extend(cx.defer()),
                5 => {
                    let list = cx.list(".callee");
                    if let Some((_, other)) = list.get(usize::from(payload[1]) % list.len().max(1)) {
                        drop(cx.forward(Session::NONE, *other, 0, Payload::from(&[7, 0][..])));
                    }
                }
                6 => {}
                _ => {
                    drop(cx.ret(payload));
                    if let Some(session) = held.pop() {
                        drop(cx.reply(session, Payload::empty()));
                    }
                }
            }
            Turn::Done(Ok(()))
        }))
    });
    let counts = count.clone();
    node.add_native("asker", move |cx| {
        let count = counts.clone();
        let mut seed = cx.address().raw() * 0x9e37_79b9 + 1;
        let mut rounds = 0;
        Ok(Box::new(move |cx, message| {
            if matches!(message.body, Body::Reply(_)) {
                count.ended.fetch_add(1, Ordering::Relaxed);
            }
            let callees = cx.list(".callee");
            for _ in 0..3 {
                if rounds == ROUNDS || callees.is_empty() {
                    break;
                }
                rounds += 1;
                let to = callees[usize::try_from(step(&mut seed)).expect("64 bits") % callees.len()].1;
                let what = step(&mut seed).to_le_bytes();
                if cx.request(to, 0, Payload::from(&what[..2]), 0, Session::NONE).is_ok() {
                    count.asked.fetch_add(1, Ordering::Relaxed);
                }
            }
            if rounds < ROUNDS && !matches!(message.body, Body::Reply(_)) {
                cx.timeout(1).expect("within the limit");
            }
            Turn::Done(Ok(()))
        }))
    });
    let respawn = |index: usize| {
        let spec =
            SpawnSpec { module: "callee".to_owned(), names: vec![format!(".callee.{index}")], ..SpawnSpec::default() };
        drop(node.spawn(None, spec));
    };
    (0..CALLEES).for_each(respawn);
    let spec = || SpawnSpec { module: "asker".to_owned(), ..SpawnSpec::default() };
    let askers: Vec<Address> = (0..ASKERS).map(|_| node.spawn(None, spec()).expect("spawned")).collect();
    for asker in &askers {
        node.post(*asker, 0, Payload::empty()).expect("delivered");
    }
    let mut seed = 42;
    for _ in 0..400 {
        let index = usize::try_from(step(&mut seed)).expect("64 bits") % CALLEES;
        if let Some(address) = node.lookup(&format!(".callee.{index}")) {
            node.kill(None, address, Cause::Killed, "chaos".to_owned());
        }
        (0..CALLEES).filter(|index| node.lookup(&format!(".callee.{index}")).is_none()).for_each(respawn);
        std::thread::sleep(Duration::from_millis(1));
    }
    until("all requests to end", || {
        count.asked.load(Ordering::Relaxed) > 1000
            && count.asked.load(Ordering::Relaxed) == count.ended.load(Ordering::Relaxed)
    });
    // One more full deadline: a second answer to any of them would show now.
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(count.asked.load(Ordering::Relaxed), count.ended.load(Ordering::Relaxed));
    node.kill_all(Cause::Stopped, "the end");
    until("all actors to end", || node.alive() == 0);
    threads.stop();
}

#[test]
fn pairs_stay_in_order_over_workers() {
    const PAIRS: u64 = 32;
    const EACH: u64 = 5_000;
    let (node, threads) = start(2);
    let count = Arc::new(Count::default());
    let counts = count.clone();
    node.add_native("sink", move |_| {
        let count = counts.clone();
        let mut next = std::collections::HashMap::<Address, u64>::new();
        Ok(Box::new(move |_, message| {
            if let Body::Message { payload, .. } = message.body {
                let number = u64::from_le_bytes(payload[..8].try_into().expect("eight bytes"));
                let expected = next.entry(message.source).or_default();
                if *expected != number {
                    count.out_of_order.fetch_add(1, Ordering::Relaxed);
                }
                *expected = number + 1;
                count.ended.fetch_add(1, Ordering::Relaxed);
            }
            Turn::Done(Ok(()))
        }))
    });
    node.add_native("source", |_| {
        let mut next = 0u64;
        Ok(Box::new(move |cx, _| {
            let sink = cx.lookup(".sink").expect("it is there");
            for _ in 0..50.min(EACH - next) {
                cx.send(sink, 0, Payload::from(&next.to_le_bytes()[..])).expect("room");
                next += 1;
            }
            if next < EACH {
                cx.timeout(0).expect("within the limit");
            }
            Turn::Done(Ok(()))
        }))
    });
    let spec = |module: &str| SpawnSpec {
        module: module.to_owned(),
        limits: Some(Limits { mailbox: usize::MAX, ..Limits::free() }),
        ..SpawnSpec::default()
    };
    node.spawn(None, SpawnSpec { names: vec![".sink".to_owned()], ..spec("sink") }).expect("spawned");
    for _ in 0..PAIRS {
        let source = node.spawn(None, spec("source")).expect("spawned");
        node.post(source, 0, Payload::empty()).expect("delivered");
    }
    until("all messages", || count.ended.load(Ordering::Relaxed) == PAIRS * EACH);
    assert_eq!(count.out_of_order.load(Ordering::Relaxed), 0);
    node.kill_all(Cause::Stopped, "the end");
    until("all actors to end", || node.alive() == 0);
    threads.stop();
}

#[test]
fn what_waits_behind_an_endless_turn_runs_on_the_other_worker() {
    let (node, threads) = start(2);
    let free = Arc::new(crate::base::sync::atomic::AtomicBool::new(false));
    let (flag, seen) = (free.clone(), Arc::new(AtomicU64::new(0)));
    let seer = seen.clone();
    node.add_native("other", move |_| {
        let seer = seer.clone();
        Ok(Box::new(move |_, _| {
            seer.fetch_add(1, Ordering::SeqCst);
            Turn::Done(Ok(()))
        }))
    });
    node.add_native("spinner", move |_| {
        let flag = flag.clone();
        Ok(Box::new(move |cx, _| {
            // The receiver lies in this worker's run-next slot when the turn does not end.
            let other = cx.lookup(".other").expect("it is there");
            cx.send(other, 0, Payload::empty()).expect("delivered");
            while !flag.load(Ordering::SeqCst) {
                std::hint::spin_loop();
            }
            Turn::Done(Ok(()))
        }))
    });
    let spec = |module: &str| SpawnSpec { module: module.to_owned(), ..SpawnSpec::default() };
    node.spawn(None, SpawnSpec { names: vec![".other".to_owned()], ..spec("other") }).expect("spawned");
    let spinner = node.spawn(None, spec("spinner")).expect("spawned");
    node.post(spinner, 0, Payload::empty()).expect("delivered");
    until("the other to run", || seen.load(Ordering::SeqCst) == 1);
    free.store(true, Ordering::SeqCst);
    node.kill_all(Cause::Stopped, "the end");
    until("all actors to end", || node.alive() == 0);
    threads.stop();
}
