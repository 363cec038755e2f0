//! What an actor at a limit is told, and that nothing else happens.

use std::time::Duration;

use super::{Bench, Journal, done, lines, show};
use crate::base::{Address, Body, CallError, ErrorCode, Payload, Session};
use crate::node::{Context, Limits, SpawnSpec};
use crate::sched::Full;

/// The limit's name in an error of its own.
#[track_caller]
fn is_over<T: std::fmt::Debug>(result: Result<T, CallError>, key: &str) {
    let error = result.expect_err("over the limit");
    assert_eq!(error.code, ErrorCode::OverLimit);
    assert!(error.reason.contains(&format!("limit `{key}`")), "{error}");
}

/// Runs something as an actor with these limits.
fn under(bench: &mut Bench, limits: Limits, work: impl Fn(&mut Context) + Send + 'static) -> Address {
    let spec = SpawnSpec { limits: Some(limits), ..SpawnSpec::default() };
    bench.spawn_spec(spec, move |cx, message| {
        if matches!(message.body, Body::Message { .. }) {
            work(cx);
        }
        done()
    })
}

#[test]
fn requests_are_counted_until_their_answers_are_handled() {
    let mut bench = Bench::new();
    let echo = bench.spawn(|cx, _| {
        cx.ret(Payload::empty()).expect("a request");
        done()
    });
    bench.node.add_native("child", |_| Ok(Box::new(|_, _| done())));
    let limits = Limits { requests: 2, ..Limits::default() };
    let asker = under(&mut bench, limits, move |cx| {
        let ask = |cx: &mut Context| cx.request(echo, 0, Payload::empty(), 0, Session::NONE);
        let first = ask(cx).expect("within the limit");
        cx.spawn("child", None, Payload::empty()).expect("within the limit");
        is_over(ask(cx), "requests");
        is_over(cx.spawn("child", None, Payload::empty()), "requests");
        assert!(cx.cancel(first));
        ask(cx).expect("room again");
    });
    // The answers have been handled when the next message is.
    (0..3).for_each(|_| bench.post(asker, "go"));
    assert!(bench.node.is_alive(asker));
}

#[test]
fn timers_are_counted_until_their_events_are_handled() {
    let mut bench = Bench::new();
    let limits = Limits { timers: 2, ..Limits::default() };
    let actor = under(&mut bench, limits, move |cx| {
        let first = cx.timeout(0).expect("within the limit");
        cx.timeout(5).expect("within the limit");
        is_over(cx.timeout(0), "timers");
        is_over(cx.timeout(5), "timers");
        assert!(cx.cancel_timer(first));
        cx.timeout(1).expect("room again");
    });
    for _ in 0..3 {
        bench.post(actor, "go");
        bench.pass(10);
    }
    assert!(bench.node.is_alive(actor));
}

#[test]
fn children_are_counted_as_long_as_they_live() {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    bench.node.add_native("child", |_| {
        Ok(Box::new(|cx: &mut Context, _| {
            cx.exit("enough".to_owned());
            done()
        }))
    });
    bench.node.add_native("stillborn", |_| Err("no".to_owned()));
    let spec = SpawnSpec { limits: Some(Limits { children: 2, ..Limits::default() }), ..SpawnSpec::default() };
    let mut children = Vec::new();
    let parent = bench.spawn_spec(spec, move |cx, message| {
        match message.body {
            Body::Spawned(Ok(child)) => children.push(child),
            Body::Spawned(Err(_)) => {}
            Body::Message { payload, .. } if &payload[..] == b"end" => {
                let child = children.pop().expect("a child");
                cx.send(child, 0, Payload::empty()).expect("delivered");
            }
            Body::Message { payload, .. } => {
                let module = String::from_utf8(payload.into_vec()).expect("text");
                let spawned = cx.spawn(&module, None, Payload::empty());
                book.lock().push(spawned.map_or_else(|error| error.to_string(), |_| "spawned".to_owned()));
            }
            _ => {}
        }
        done()
    });
    let over = "over-limit: over this actor's limit `children`, which is 2";
    // Neither those whose `init` fails nor those that cannot be made count.
    for module in ["stillborn", "stillborn", "stillborn", "nothing", "child", "child", "child", "stillborn"] {
        bench.post(parent, module);
    }
    let nothing = "invalid: the manifest has no module `nothing`";
    let spawned = ["spawned"; 3];
    assert_eq!(lines(&journal), [&spawned[..], &[nothing, "spawned", "spawned", over, over]].concat());
    bench.post(parent, "end");
    bench.post(parent, "child");
    bench.post(parent, "child");
    assert_eq!(lines(&journal)[8..], ["spawned", over]);
}

#[test]
fn watches_are_counted_until_their_events_are_handled() {
    let mut bench = Bench::new();
    let target = bench.spawn(|_, _| done());
    let journal = Journal::default();
    let (book, mut first) = (journal.clone(), true);
    let spec = SpawnSpec { limits: Some(Limits { watches: 2, ..Limits::default() }), ..SpawnSpec::default() };
    let actor = bench.spawn_spec(spec, move |cx, message| {
        if std::mem::take(&mut first) {
            let watch = cx.watch(target).expect("within the limit");
            cx.watch(Address::from_raw(77)).expect("within the limit");
            is_over(cx.watch(target), "watches");
            assert!(cx.unwatch(watch));
            cx.watch(target).expect("room again");
            is_over(cx.watch(target), "watches");
        } else if matches!(message.body, Body::Down { .. }) {
            book.lock().push(show(&message.body));
            cx.watch(target).expect("room again");
        }
        done()
    });
    bench.post(actor, "go");
    assert!(bench.node.is_alive(actor));
    assert_eq!(lines(&journal).len(), 1);
}

#[test]
fn links_are_counted_whoever_made_them() {
    let mut bench = Bench::new();
    let targets = [0; 4].map(|_| bench.spawn(|_, _| done()));
    let limits = Limits { links: 2, ..Limits::default() };
    let actor = under(&mut bench, limits, move |cx| {
        cx.link(targets[0]).expect("within the limit");
        cx.link(targets[0]).expect("the same one");
        cx.link(targets[1]).expect("within the limit");
        is_over(cx.link(targets[2]), "links");
        assert!(cx.unlink(targets[0]));
        cx.link(targets[2]).expect("room again");
        is_over(cx.link(targets[0]), "links");
    });
    bench.post(actor, "go");
    let other = under(&mut bench, Limits::default(), move |cx| cx.link(actor).expect("within its own limit"));
    bench.post(other, "go");
    // What was refused is no link, on neither side.
    bench.node.kill(None, targets[0], crate::base::Cause::Failed, "enough".to_owned());
    bench.run();
    assert!(bench.node.is_alive(actor) && bench.node.is_alive(other));
    bench.node.kill(None, targets[2], crate::base::Cause::Failed, "enough".to_owned());
    bench.run();
    assert!(!bench.node.is_alive(actor) && !bench.node.is_alive(other) && !bench.node.is_alive(targets[1]));
}

#[test]
fn names_are_counted() {
    let mut bench = Bench::new();
    let names = vec![".first".to_owned()];
    let limits = Some(Limits { names: 3, ..Limits::default() });
    let spec = SpawnSpec { limits, names, ..SpawnSpec::default() };
    let actor = bench.spawn_spec(spec, move |cx, message| {
        if matches!(message.body, Body::Message { .. }) {
            cx.register(".second").expect("within the limit");
            cx.register(".third").expect("within the limit");
            is_over(cx.register(".fourth"), "names");
            assert_eq!(cx.lookup(".fourth"), None);
            assert!(cx.unregister(".first"));
            cx.register(".fourth").expect("room again");
        }
        done()
    });
    bench.post(actor, "go");
    assert!(bench.node.is_alive(actor));
}

#[test]
fn sockets_are_counted_listeners_too() {
    let mut bench = Bench::new();
    let limits = Limits { sockets: 2, ..Limits::default() };
    let actor = under(&mut bench, limits, move |cx| {
        cx.listen("127.0.0.1:0").expect("within the limit");
        let second = cx.listen("127.0.0.1:0").expect("within the limit");
        is_over(cx.listen("127.0.0.1:0"), "sockets");
        is_over(cx.connect("127.0.0.1:9"), "sockets");
        // Closed is gone when the poller has seen it; given away is gone at once.
        cx.close(second).expect("mine");
    });
    bench.post(actor, "go");
    assert!(bench.node.is_alive(actor));
}

/// A mailbox of 15 * 64 bytes, and what comes through it.
fn bytes_bounded(full: Full) -> (Bench, Address, Journal) {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    let spec =
        SpawnSpec { limits: Some(Limits { mailbox_bytes: 960, full, ..Limits::default() }), ..SpawnSpec::default() };
    let receiver = bench.spawn_spec(spec, move |_, message| {
        book.lock().push(show(&message.body).len().to_string());
        done()
    });
    (bench, receiver, journal)
}

fn post(bench: &Bench, to: Address, length: usize) -> bool {
    bench.node.post(to, 0, Payload::from(vec![b'x'; length])).is_ok()
}

#[test]
fn a_mailbox_is_full_of_bytes() {
    let (mut bench, receiver, journal) = bytes_bounded(Full::Refuse);
    for _ in 0..3 {
        let taken = [512, 500, 448, 65, 64, 10].map(|length| post(&bench, receiver, length));
        assert_eq!(taken, [true, false, true, false, true, true], "small ones lie in their letters");
        assert!(!post(&bench, receiver, 961), "never");
        bench.run();
        assert_eq!(std::mem::take(&mut *journal.lock()), ["512", "448", "64", "10"]);
    }
}

#[test]
fn the_oldest_make_room_for_bytes() {
    let (mut bench, receiver, journal) = bytes_bounded(Full::DropOldest);
    for length in [300, 301, 302, 800, 10, 961] {
        assert_eq!(post(&bench, receiver, length), length <= 960, "{length}");
    }
    bench.run();
    assert_eq!(lines(&journal), ["800", "10"]);
}

#[test]
fn who_is_held_back_comes_in_when_there_is_room_for_its_bytes() {
    let (mut bench, receiver, journal) = bytes_bounded(Full::Hold);
    let slot = bench.node.table.get(receiver).expect("alive");
    assert!(post(&bench, receiver, 900));
    assert!(!post(&bench, receiver, 500), "who cannot be parked is refused");
    for length in [500, 400, 300] {
        let body = Body::Message { kind: 0, payload: Payload::from(vec![b'x'; length]), deadline: 0 };
        let message = crate::base::Message { source: Address::HOST, session: Session::NONE, body };
        assert!(matches!(
            slot.mailbox.hold(receiver, crate::sched::Letter::new(message)),
            crate::sched::Pushed::Queued
        ));
    }
    bench.run();
    assert_eq!(lines(&journal), ["900", "500", "400", "300"]);
}

#[test]
fn an_actor_over_its_share_of_a_core_waits_and_others_do_not() {
    const MS: u64 = 1_000_000;
    let mut bench = Bench::new();
    let journal = Journal::default();
    let (book, clock) = (journal.clone(), bench.clock.clone());
    let limits = Limits { cpu: 10, ..Limits::default() };
    let greedy = bench.spawn_spec(SpawnSpec { limits: Some(limits), ..SpawnSpec::default() }, move |cx, message| {
        // 50 ms with the worker, as the monitor counts them.
        clock.advance(Duration::from_millis(50));
        cx.node().run_queue().count(50 * MS);
        book.lock().push(show(&message.body));
        done()
    });
    let other = bench.spawn(|cx, _| {
        cx.ret(Payload::empty()).expect("a request");
        done()
    });
    let (asker, answers) = bench.asker(other, 0);
    bench.post(greedy, "one");
    assert_eq!(lines(&journal), ["one"]);
    // 10 ms were saved up, and 5 came meanwhile: 35 ms of debt take 350.
    bench.post(greedy, "two");
    bench.post(asker, "go");
    assert_eq!((lines(&journal).len(), lines(&answers).len()), (1, 1));
    bench.pass(345);
    assert_eq!(lines(&journal).len(), 1);
    bench.pass(10);
    assert_eq!(lines(&journal), ["one", "two"]);
    // A kill does not wait.
    bench.post(greedy, "three");
    assert!(bench.node.is_alive(greedy));
    bench.node.kill(None, greedy, crate::base::Cause::Killed, "enough".to_owned());
    bench.run();
    assert!(!bench.node.is_alive(greedy));
    bench.pass(1000);
    assert_eq!(lines(&journal).len(), 2);
}
