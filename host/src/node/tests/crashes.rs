//! What is gathered of an actor that faults, on native behaviors: what a report would say, and when there is none.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::{Bench, done};
use crate::actor::{Fault, Turn};
use crate::base::{Address, Body, Cause, Message};
use crate::node::crash::{Crash, CrashOptions};
use crate::node::{Context, SpawnSpec};

/// Faults at every message but "ok".
fn fragile(_: &mut Context, message: Message) -> Turn {
    match &message.body {
        Body::Message { payload, .. } if &payload[..] == b"ok" => done(),
        _ => Turn::Fault(Fault::Trap("unreachable".to_owned())),
    }
}

fn bench(options: CrashOptions) -> (Bench, Receiver<Box<Crash>>) {
    let bench = Bench::new();
    let crashes = bench.node.on_crash(options);
    (bench, crashes)
}

#[test]
fn a_crash_says_who_and_what_and_what_was_before() {
    let options = CrashOptions { events: 2, all: true, payload: 3, ..CrashOptions::default() };
    let (mut bench, crashes) = bench(options);
    let a = bench.spawn_spec(SpawnSpec { label: Some("a".to_owned()), ..SpawnSpec::default() }, fragile);
    for text in ["ok", "ok", "break"] {
        bench.post(a, text);
    }
    let crash = crashes.try_recv().expect("a crash");
    assert_eq!((&*crash.actor, crash.address, &*crash.reason), ("a", a, "unreachable"));
    let (head, from) = &crash.event;
    assert_eq!((head.event(), head.source, head.length, from), ("message", Address::HOST, 5, &None));
    assert_eq!(crash.payload, b"bre");
    assert_eq!(crash.events.len(), 1, "of two the last one is the event itself");
    assert_eq!(crash.events[0].0.length, 2);
    assert!(crash.limits.contains(&("mailbox-messages", 65_536)), "{:?}", crash.limits);
}

#[test]
fn by_default_the_event_is_noted_and_none_before() {
    let (mut bench, crashes) = bench(CrashOptions::default());
    let a = bench.spawn(fragile);
    bench.post(a, "ok");
    bench.post(a, "break");
    let crash = crashes.try_recv().expect("a crash");
    assert_eq!(crash.event.0.length, 5);
    assert_eq!((crash.events.len(), crash.payload.len()), (0, 0));
}

#[test]
fn an_end_that_is_no_fault_is_no_crash() {
    let (mut bench, crashes) = bench(CrashOptions::default());
    let exits = bench.spawn(|cx, _| {
        cx.exit("enough".to_owned());
        done()
    });
    bench.post(exits, "go");
    let killed = bench.spawn(fragile);
    bench.node.post(killed, 0, crate::base::Payload::empty()).expect("delivered");
    bench.node.kill(None, killed, Cause::Killed, "by hand".to_owned());
    bench.run();
    assert!(!bench.node.is_alive(exits) && !bench.node.is_alive(killed));
    assert!(crashes.try_recv().is_err());
}

#[test]
fn a_flood_costs_no_more_than_the_budget_and_each_is_counted() {
    let (mut bench, crashes) = bench(CrashOptions::default());
    let crash = |bench: &mut Bench| {
        let a = bench.spawn(fragile);
        bench.post(a, "break");
    };
    // Nobody reads: what waits is bounded.
    (0..10).for_each(|_| crash(&mut bench));
    assert_eq!(crashes.try_iter().count(), 4);
    let mut seen = 0;
    for _ in 0..20 {
        crash(&mut bench);
        seen += crashes.try_iter().map(|crash| 1 + crash.left_out).sum::<u64>();
    }
    assert_eq!(seen, 6 + 6, "the rest of the budget, with those of before");
    bench.clock.advance(Duration::from_secs(2));
    crash(&mut bench);
    assert_eq!(crashes.try_recv().expect("there is budget again").left_out, 14);
    assert_eq!(bench.node.end_crashes(), 0);
    crash(&mut bench);
    assert!(crashes.try_recv().is_err(), "nobody is told any more");
}
