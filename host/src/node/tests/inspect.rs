//! Looking into actors: at rest, between two turns; traces, and that nobody else pays or is told.

use std::time::Duration;

use crate::base::sync::Arc;
use crate::base::{Address, Body, Payload};
use crate::node::inspect::{Inside, Traced};
use crate::node::tests::{Bench, done};

const NOW: Duration = Duration::ZERO;

fn inside(bench: &Bench, address: Address) -> Option<Inside> {
    bench.node.look_inside(&[address], false, NOW).remove(&address)
}

#[test]
fn an_actor_at_rest_is_looked_into_and_goes_on() {
    let mut bench = Bench::new();
    let keeps = bench.spawn(|cx, message| {
        if matches!(message.body, Body::Message { .. }) && !message.session.is_none() {
            drop(cx.defer());
        }
        done()
    });
    let (asker, _) = bench.asker(keeps, 9000);
    bench.post(asker, "go");
    bench.post(asker, "go");
    let kept = inside(&bench, keeps).expect("it is idle");
    assert_eq!(kept.open.iter().map(|debt| debt.source).collect::<Vec<_>>(), [asker, asker]);
    assert!(kept.open.iter().all(|debt| debt.deadline == 9_000_000_000));
    assert_eq!(inside(&bench, asker).expect("idle").outstanding, 2);
    // One that has a message is not at rest; what it was sent behind the first one can be seen.
    bench.node.post(keeps, 6, Payload::empty()).expect("room");
    bench.node.post(keeps, 7, Payload::from(&b"abc"[..])).expect("room");
    assert!(inside(&bench, keeps).is_none());
    let (heads, debts) = bench.node.peek(keeps, 10);
    assert_eq!((heads.len(), heads[0].kind, heads[0].length, debts.len()), (1, 7, 3, 0));
    bench.run();
    assert_eq!(inside(&bench, keeps).expect("idle").open.len(), 2);
    assert!(inside(&bench, Address::new(0, 9, 1)).is_none(), "nobody");
}

#[test]
fn one_that_is_busy_is_looked_into_as_its_next_turn_begins() {
    let mut bench = Bench::new();
    let busy = bench.spawn(|_, _| done());
    for kind in 0..3 {
        bench.node.post(busy, kind, Payload::empty()).expect("room");
    }
    let node = bench.node.clone();
    let asker = std::thread::spawn(move || node.look_inside(&[busy], false, Duration::from_secs(60)).remove(&busy));
    // Until the question is there.
    while !bench.node.table.get(busy).expect("it lives").usage.looked_at() {
        std::thread::yield_now();
    }
    bench.run();
    let seen = asker.join().expect("no panic").expect("it was seen");
    assert!(seen.share.len() <= 2 && seen.stack.is_empty());
    assert!(!bench.node.table.get(busy).expect("it lives").usage.looked_at(), "nobody looks any more");
}

#[test]
fn a_trace_tells_each_turn_of_one_actor() {
    let mut bench = Bench::new();
    let node = bench.node.clone();
    let (one, other) = (bench.spawn(|_, _| done()), bench.spawn(|_, _| done()));
    let trace = node.trace(one).expect("it lives");
    for kind in [5, 6] {
        bench.node.post(one, kind, Payload::from(&b"xy"[..])).expect("room");
        bench.node.post(other, 9, Payload::empty()).expect("room");
    }
    bench.run();
    let told: Vec<Traced> = trace.events.try_iter().map(|(_, what)| what).collect();
    let begins = |traced: &Traced| match traced {
        Traced::Begins { head, waiting } => Some((head.event(), head.kind, head.length, *waiting)),
        Traced::Sends { .. } | Traced::Ends { .. } => None,
    };
    let told: Vec<_> = told.iter().map(begins).collect();
    assert_eq!(told, [Some(("message", 5, 2, 1)), None, Some(("message", 6, 2, 0)), None]);
    // Figures of turns are of those that are measured, not of those that are traced.
    assert_eq!(node.times().turns.total(), 0);
    drop(trace);
    assert!(!node.table.get(one).expect("it lives").usage.measures());
    assert!(node.trace(Address::new(0, 9, 1)).is_none());
}

#[test]
fn a_trace_tells_what_the_actor_sends_and_answers() {
    let mut bench = Bench::new();
    let node = bench.node.clone();
    let other = bench.spawn(|_, _| done());
    let one = bench.spawn(move |cx, message| {
        if matches!(message.body, Body::Message { .. }) {
            cx.send(other, 5, Payload::from(&b"abc"[..])).expect("it lives");
            assert!(cx.send(Address::new(0, 9, 1), 6, Payload::empty()).is_err());
            if !message.session.is_none() {
                cx.ret(Payload::from(&b"four"[..])).expect("a request");
            }
        }
        done()
    });
    let (asker, _) = bench.asker(one, 0);
    bench.post(one, "before");
    let trace = node.trace(one).expect("it lives");
    bench.post(asker, "go");
    let sends = |(_, what)| match what {
        Traced::Sends { to, head, taken } => Some((to, head.event(), head.kind, head.length, taken)),
        _ => None,
    };
    let told: Vec<_> = trace.events.try_iter().filter_map(sends).collect();
    let nobody = Address::new(0, 9, 1);
    let expected = [(other, "message", 5, 3, true), (nobody, "message", 6, 0, false), (asker, "reply", 0, 4, true)];
    assert_eq!(told, expected);
    drop(trace);
    let trace = node.trace(other).expect("it lives");
    bench.post(one, "after");
    assert_eq!(trace.events.try_iter().count(), 2, "what comes to another one, and nothing of the first");
}

#[test]
fn a_trace_that_is_not_read_loses_and_counts() {
    let mut bench = Bench::new();
    let node: Arc<_> = bench.node.clone();
    let one = bench.spawn(|_, _| done());
    let (trace, second) = (node.trace(one).expect("it lives"), node.trace(one).expect("it lives"));
    for _ in 0..5000 {
        bench.post(one, "");
    }
    assert_eq!(trace.lost(), 2 * 5000 - 4096);
    drop(trace);
    bench.post(one, "");
    assert_eq!(second.events.try_iter().count(), 4096, "the other one goes on");
}
