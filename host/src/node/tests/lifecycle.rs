//! Birth, names, watches, signals.

use super::{Bench, Journal, done, lines, show};
use crate::base::{Body, Payload, Signal};
use crate::node::SpawnSpec;

#[test]
fn a_spawner_hears_when_init_has_returned() {
    let mut bench = Bench::new();
    bench.node.add_native("good", |_| Ok(Box::new(|_, _| done())));
    bench.node.add_native("bad", |_| Err("no config".to_owned()));
    let journal = Journal::default();
    let book = journal.clone();
    let parent = bench.spawn(move |cx, message| {
        if let Body::Message { .. } = message.body {
            cx.spawn("good", None, Payload::empty()).expect("begun");
            cx.spawn("bad", None, Payload::empty()).expect("begun");
            book.lock().push(cx.spawn("none", None, Payload::empty()).expect_err("unknown").to_string());
        } else {
            book.lock().push(show(&message.body));
        }
        done()
    });
    bench.post(parent, "go");
    let expected = ["invalid: the manifest has no module `none`", "spawned", "not spawned: refused: no config"];
    assert_eq!(lines(&journal), expected);
}

#[test]
fn a_name_is_there_when_init_runs_and_ends_with_its_actor() {
    let mut bench = Bench::new();
    let spec = || SpawnSpec { names: vec![".bank".to_owned()], ..SpawnSpec::default() };
    let first = bench.spawn_spec(spec(), |cx, _| {
        assert_eq!(cx.lookup(".bank"), Some(cx.address()));
        cx.register(".second").expect("free");
        cx.exit(String::new());
        done()
    });
    bench.node.add_native("m", |_| Ok(Box::new(|_, _| done())));
    let taken = bench.node.spawn(None, SpawnSpec { module: "m".to_owned(), ..spec() });
    assert!(taken.expect_err("taken").reason.contains("taken"), "first registration wins");
    bench.post(first, "end");
    assert_eq!((bench.node.lookup(".bank"), bench.node.lookup(".second")), (None, None));
    let second = bench.spawn_spec(spec(), |_, _| done());
    assert_eq!(bench.node.lookup(".bank"), Some(second));
}

#[test]
fn a_failed_spawn_leaves_no_name_behind() {
    let mut bench = Bench::new();
    bench.spawn_spec(SpawnSpec { names: vec![".b".to_owned()], ..SpawnSpec::default() }, |_, _| done());
    bench.node.add_native("m", |_| Ok(Box::new(|_, _| done())));
    let names = vec![".a".to_owned(), ".b".to_owned()];
    let spec = SpawnSpec { module: "m".to_owned(), names, ..SpawnSpec::default() };
    bench.node.spawn(None, spec).expect_err("`.b` is taken");
    assert_eq!((bench.node.lookup(".a"), bench.node.alive()), (None, 1));
}

#[test]
fn each_watch_brings_one_down_with_the_reason() {
    let mut bench = Bench::new();
    let target = bench.spawn(|cx, _| {
        cx.exit("bye".to_owned());
        done()
    });
    let journal = Journal::default();
    let book = journal.clone();
    let watcher = bench.spawn(move |cx, message| {
        if let Body::Message { .. } = message.body {
            let mut watch = || cx.watch(target).expect("within the limit");
            let (_first, _second, undone) = (watch(), watch(), watch());
            assert!(cx.unwatch(undone));
            assert!(!cx.unwatch(undone));
        } else {
            book.lock().push(show(&message.body));
        }
        done()
    });
    bench.post(watcher, "go");
    bench.post(target, "end");
    assert_eq!(lines(&journal), ["down Exited bye", "down Exited bye"]);
    journal.lock().clear();
    bench.post(watcher, "too late");
    assert_eq!(lines(&journal), ["down Gone ", "down Gone "]);
}

#[test]
fn signals_reach_those_that_subscribed() {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    let actor = bench.spawn(move |cx, message| {
        if let Body::Message { .. } = message.body {
            cx.subscribe(Signal::Hangup);
            cx.subscribe(Signal::Hangup);
        } else {
            book.lock().push(show(&message.body));
        }
        done()
    });
    bench.post(actor, "go");
    for signal in [Signal::Hangup, Signal::User1] {
        bench.node.signal(signal);
    }
    bench.run();
    assert_eq!(lines(&journal), ["signal"]);
}
