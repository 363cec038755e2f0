//! The figures: exact where they say so, and each with the actor that it belongs to.

use std::time::Duration;

use crate::actor::{Behavior, Module, Turn};
use crate::base::histogram::Counts;
use crate::base::sync::Arc;
use crate::base::{Body, Cause, Grants, Payload};
use crate::node::tests::{Bench, done};
use crate::node::{Context, Limits, ModuleEntry, Slice, SpawnSpec};
use crate::sched::Letter;

const MS: u64 = 1_000_000;

/// All values are about this large.
#[track_caller]
fn all_about(counts: &Counts, value: u64) {
    let strange = counts.buckets().find(|(bound, count)| {
        let fits = bound.is_some_and(|bound| value < bound && bound <= value + value / 4 + 1);
        *count > 0 && !fits
    });
    assert_eq!(strange, None);
    assert!(counts.total() > 0);
}

#[test]
fn messages_are_counted_one_by_one() {
    let mut bench = Bench::new();
    let echo = bench.spawn(|cx, message| {
        if let Body::Message { payload, .. } = message.body {
            drop(cx.ret(payload));
        }
        done()
    });
    let (asker, _) = bench.asker(echo, 0);
    for _ in 0..1000 {
        bench.post(asker, "go");
    }
    let messages = |address| bench.node.stats(address).expect("it lives").messages;
    assert_eq!((messages(echo), messages(asker)), (1000, 2000), "messages, and messages and replies");
    bench.node.post(echo, 0, Payload::empty()).expect("delivered");
    let stats = bench.node.stats(echo).expect("it lives");
    assert_eq!((stats.messages, stats.waiting, &*stats.label), (1000, 1, "m0"));
    assert_eq!(bench.node.actors(), [echo, asker]);
}

#[test]
fn who_ended_has_no_figures_and_leaves_none_behind() {
    let mut bench = Bench::new();
    let mut slots = std::collections::BTreeSet::new();
    // Until a slot comes again.
    loop {
        let actor = bench.spawn(|cx, _| {
            cx.memory_gauge().set(4096);
            cx.node().run_queue().count(7);
            done()
        });
        let fresh = bench.node.stats(actor).expect("it lives");
        assert_eq!((fresh.messages, fresh.memory, fresh.busy), (0, 0, Duration::ZERO));
        bench.post(actor, "");
        let used = bench.node.stats(actor).expect("it lives");
        assert_eq!((used.messages, used.memory, used.busy), (1, 4096, Duration::from_nanos(7)));
        assert!(bench.node.kill(None, actor, Cause::Killed, String::new()));
        bench.run();
        assert_eq!(bench.node.stats(actor), None);
        if !slots.insert(actor.slot()) {
            break;
        }
    }
}

#[test]
fn time_is_charged_to_who_has_the_worker() {
    let mut bench = Bench::new();
    let busy = bench.spawn(|cx, _| {
        cx.node().run_queue().count(500);
        done()
    });
    let idle = bench.spawn(|_, _| done());
    for _ in 0..10 {
        bench.post(busy, "");
        bench.node.run_queue().count(3000);
        bench.post(idle, "");
    }
    let time = |address| bench.node.stats(address).expect("it lives").busy.as_nanos();
    assert_eq!((time(busy), time(idle)), (5000, 0), "what passes while no actor runs is nobody's");
}

#[test]
fn turns_and_waits_are_measured_and_belong_to_their_module() {
    const COUNT: u64 = 2000;
    let mut bench = Bench::new();
    let clock = bench.clock.clone();
    let slow = bench.spawn(move |_, _| {
        clock.advance(Duration::from_millis(2));
        done()
    });
    let quick = bench.spawn(|_, _| done());
    for _ in 0..COUNT {
        for to in [slow, quick] {
            bench.node.post(to, 0, Payload::empty()).expect("delivered");
            bench.clock.advance(Duration::from_millis(30));
            bench.run();
        }
    }
    let times = bench.node.module_times();
    let [(first, slow), (second, quick)] = &times[..] else { panic!("two modules") };
    assert_eq!((&first[..], &second[..]), ("m0", "m1"));
    all_about(&slow.turns, 2 * MS);
    all_about(&slow.waits, 30 * MS);
    all_about(&quick.waits, 30 * MS);
    assert_eq!(quick.turns.sum(), 0);
    // One that was measured stands for as many as were not; the last ones are not in yet.
    let all = bench.node.times();
    assert!(all.turns.total().abs_diff(2 * COUNT) <= 100, "{}", all.turns.total());
    assert_eq!(all.turns.total(), slow.turns.total() + quick.turns.total());
    assert_eq!(all.waits.total(), slow.waits.total() + quick.waits.total());
}

#[test]
fn a_wait_is_measured_behind_other_messages_and_not_at_all_if_it_was_refused() {
    let mut bench = Bench::new();
    let clock = bench.clock.clone();
    let limits = Some(Limits { mailbox: 100, ..Limits::free() });
    let actor = bench.spawn_spec(SpawnSpec { limits, ..SpawnSpec::default() }, move |_, _| {
        clock.advance(Duration::from_millis(1));
        done()
    });
    for _ in 0..50 {
        let sent = (0..200).filter(|_| bench.node.post(actor, 0, Payload::empty()).is_ok()).count();
        assert_eq!(sent, 100);
        bench.run();
    }
    // All are sent at once, so the k-th waits for k - 1 turns of 1 ms.
    let waits = bench.node.times().waits;
    assert!(waits.total() > 0 && waits.quantile(1.0).is_some_and(|longest| longest <= 125 * MS), "{waits:?}");
    assert!(waits.quantile(0.9) > Some(30 * MS), "{waits:?}");
}

/// Runs for a slice, is cut, and goes on for 3 ms.
struct Cut;

impl Behavior<Context> for Cut {
    fn init(&mut self, _cx: &mut Context) -> Turn {
        done()
    }

    fn handle(&mut self, cx: &mut Context, _letter: Letter) -> Turn {
        let status = cx.node().run_queue().status(0);
        status.slice_over(status.taken());
        assert_eq!(cx.slice_over(true), Slice::Yield);
        assert!(cx.take_yield());
        Turn::Yielded
    }

    fn resume(&mut self, cx: &mut Context) -> Turn {
        cx.node().clock().advance(Duration::from_millis(3));
        done()
    }
}

struct CutModule;

impl Module<Context> for CutModule {
    fn create(&self, _cx: &mut Context) -> Result<Box<dyn Behavior<Context>>, String> {
        Ok(Box::new(Cut))
    }
}

#[test]
fn a_turn_that_was_cut_counts_once_without_what_it_waited() {
    let mut bench = Bench::new();
    bench.node.add_module(
        "cut",
        ModuleEntry { module: Arc::new(CutModule), grants: Arc::new(Grants::all()), limits: Limits::free() },
    );
    let cut = bench.node.spawn(None, SpawnSpec { module: "cut".to_owned(), ..SpawnSpec::default() }).expect("spawned");
    bench.run();
    let clock = bench.clock.clone();
    let other = bench.spawn(move |_, _| {
        clock.advance(Duration::from_millis(50));
        done()
    });
    bench.node.post(cut, 0, Payload::empty()).expect("delivered");
    bench.node.post(other, 0, Payload::empty()).expect("delivered");
    bench.run();
    let times = bench.node.module_times();
    let turns = &times.iter().find(|(name, _)| name == "cut").expect("its times").1.turns;
    assert_eq!((turns.total(), turns.sum()), (1, 4 * MS));
    assert_eq!(bench.node.stats(cut).expect("it lives").messages, 1);
}
