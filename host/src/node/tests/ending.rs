//! Promise 3: every request ends, for every way an actor can end. One test each.

use super::{Bench, Journal, done, lines};
use crate::actor::{Fault, Turn};
use crate::base::{Address, Body, Cause, Message, Payload, Signal};
use crate::node::{Context, SpawnSpec};

/// An actor that keeps the first request, and on the message "end" ends as told; a second request waits behind it.
fn ends_by(end: impl Fn(&mut Context) -> Turn + Send + 'static) -> Vec<String> {
    let mut bench = Bench::new();
    let callee = bench.spawn(move |cx, message| {
        if message.session.is_none() {
            return end(cx);
        }
        cx.defer().expect("a request");
        done()
    });
    let (asker, replies) = bench.asker(callee, 0);
    bench.post(asker, "go");
    // "end" and a request are in the mailbox together.
    bench.node.post(callee, 0, Payload::empty()).expect("delivered");
    let waiting = bench.node.clone();
    waiting.post(asker, 0, Payload::from(&b"go"[..])).expect("delivered");
    bench.run();
    assert!(bench.node.mailbox_len(callee).is_none_or(|length| length == 0));
    let mut got = lines(&replies);
    got.sort();
    got
}

#[test]
fn by_a_trap() {
    let got = ends_by(|_| Turn::Fault(Fault::Trap("unreachable\n  at f".to_owned())));
    assert!(got.contains(&"actor-failed: :x failed: unreachable".to_owned()), "{got:?}");
    assert_eq!(got.len(), 2);
}

#[test]
fn by_a_limit() {
    let got = ends_by(|_| Turn::Fault(Fault::Limit("out of memory".to_owned())));
    assert!(got.contains(&"actor-failed: :x failed: out of memory".to_owned()), "{got:?}");
}

#[test]
fn by_exit() {
    let got = ends_by(|cx| {
        cx.exit("closing time".to_owned());
        done()
    });
    assert!(got.contains(&"actor-exited: :x exited: closing time".to_owned()), "{got:?}");
}

#[test]
fn by_kill() {
    let got = ends_by(|cx| {
        let me = cx.address();
        cx.kill(me, "enough".to_owned()).expect("itself");
        done()
    });
    assert!(got.contains(&"actor-exited: :x was killed: enough".to_owned()), "{got:?}");
}

#[test]
fn by_host_shutdown() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|cx, _| {
        cx.defer().expect("a request");
        done()
    });
    let (asker, replies) = bench.asker(callee, 0);
    bench.post(asker, "go");
    bench.node.kill(None, callee, Cause::Stopped, "the host stops".to_owned());
    bench.run();
    assert_eq!(lines(&replies), ["actor-exited: :x was stopped: the host stops"]);
}

#[test]
fn while_it_waits_in_the_mailbox() {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    let callee = bench.spawn(|cx, _| {
        cx.ret(Payload::empty()).expect("a request");
        done()
    });
    let asker = bench.spawn(move |cx, message| {
        if let Body::Reply(outcome) = &message.body {
            book.lock().push(super::outcome(outcome));
            return done();
        }
        cx.request(callee, 0, Payload::empty(), 0, Default::default()).expect("sent");
        // Dead before it looks into its mailbox.
        cx.kill(callee, "at once".to_owned()).expect("granted");
        done()
    });
    bench.post(asker, "go");
    assert_eq!(lines(&journal), ["actor-exited: :x was killed: at once"]);
}

#[test]
fn an_asker_that_died_is_not_missed() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|cx, message| {
        if message.session.is_none() {
            return done();
        }
        cx.kill(message.source, "no more".to_owned()).expect("granted");
        cx.ret(Payload::empty()).expect("the callee cannot know");
        done()
    });
    let (asker, _) = bench.asker(callee, 0);
    bench.post(asker, "go");
    assert_eq!(bench.node.alive(), 1);
    bench.post(callee, "still here");
}

fn faulty(_: &mut Context, _: Message) -> Turn {
    Turn::Fault(Fault::Trap("boom".to_owned()))
}

#[test]
fn the_message_that_trapped_is_not_delivered_again_and_the_address_is_dead() {
    let mut bench = Bench::new();
    let callee = bench.spawn(faulty);
    bench.post(callee, "x");
    assert!(bench.node.post(callee, 0, Payload::empty()).is_err());
    assert_eq!((bench.node.alive(), bench.node.failed()), (0, 1));
}

#[test]
fn a_stale_address_reaches_no_successor() {
    let mut bench = Bench::new();
    let first = bench.spawn(faulty);
    bench.post(first, "x");
    let mut others: Vec<Address> = Vec::new();
    loop {
        let other = bench.spawn(|cx, _| {
            cx.exit(String::new());
            done()
        });
        others.push(other);
        if other.slot() == first.slot() {
            break;
        }
        assert!(others.len() < 10_000, "the slot is never used again");
        bench.post(other, "end");
    }
    assert!(bench.node.post(first, 0, Payload::empty()).is_err());
    assert_ne!(first, others[others.len() - 1]);
}

#[test]
fn stop_ends_an_actor_when_it_owes_and_awaits_nothing() {
    let mut bench = Bench::new();
    let mut held = Default::default();
    let callee = bench.spawn(move |cx, message| {
        match (&message.body, message.session.is_none()) {
            (Body::Signal(Signal::Stop), _) => {}
            (_, true) => cx.reply(held, Payload::from(&b"finished"[..])).expect("held"),
            (_, false) => held = cx.defer().expect("a request"),
        }
        done()
    });
    let (asker, replies) = bench.asker(callee, 0);
    bench.post(asker, "go");
    bench.node.signal(Signal::Stop);
    bench.run();
    assert_eq!(bench.node.alive(), 2, "one holds a request, the other awaits it");
    bench.post(callee, "answer");
    assert_eq!(lines(&replies).last().map(String::as_str), Some("finished"));
    assert_eq!(bench.node.alive(), 0);
}

#[test]
fn no_spawn_while_the_host_stops() {
    let bench = Bench::new();
    bench.node.add_native("m", |_| Ok(Box::new(|_, _| done())));
    bench.node.refuse_spawns();
    let error = bench.node.spawn(None, SpawnSpec { module: "m".to_owned(), ..SpawnSpec::default() });
    assert_eq!(error.expect_err("refused").to_string(), "refused: the host is stopping");
}
