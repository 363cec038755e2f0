//! Promises 1, 3, 5, 6, 8: order, requests, replies, bounds.

use super::{Bench, Journal, done, lines, show, text};
use crate::actor::Turn;
use crate::base::{Address, Body, ErrorCode, Grants, Pattern, Payload, Session};
use crate::node::{Limits, SpawnSpec};
use crate::sched::Full;

fn bytes(text: &str) -> Payload {
    Payload::from(text.as_bytes())
}

#[test]
fn one_senders_messages_arrive_in_order() {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    let receiver = bench.spawn(move |_, message| {
        book.lock().push(show(&message.body));
        done()
    });
    let sender = bench.spawn(move |cx, _| {
        for index in 0..100 {
            cx.send(receiver, 0, bytes(&index.to_string())).expect("delivered");
        }
        done()
    });
    bench.post(sender, "go");
    assert_eq!(lines(&journal), (0..100).map(|index| index.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_request_is_answered_once() {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    let callee = bench.spawn(move |cx, _| {
        cx.ret(bytes("one")).expect("first");
        book.lock().push(cx.ret(bytes("two")).expect_err("second").to_string());
        done()
    });
    let (asker, replies) = bench.asker(callee, 0);
    bench.post(asker, "go");
    assert_eq!(lines(&replies), ["one"]);
    assert_eq!(lines(&journal), ["invalid: there is no open request in this turn"]);
}

#[test]
fn a_dropped_request_is_refused() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|_, _| done());
    let (asker, replies) = bench.asker(callee, 0);
    bench.post(asker, "go");
    assert_eq!(lines(&replies), ["refused: dropped without an answer"]);
}

#[test]
fn a_handlers_error_fails_the_request_and_the_actor_lives() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|_, _| Turn::Done(Err("no such account".to_owned())));
    let (asker, replies) = bench.asker(callee, 0);
    bench.post(asker, "go");
    bench.post(asker, "go");
    assert_eq!(lines(&replies), ["refused: no such account"; 2]);
}

#[test]
fn an_error_after_defer_fails_the_deferred_request() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|cx, _| {
        cx.defer().expect("a request");
        Turn::Done(Err("changed my mind".to_owned()))
    });
    let (asker, replies) = bench.asker(callee, 0);
    bench.post(asker, "go");
    assert_eq!(lines(&replies), ["refused: changed my mind"]);
}

#[test]
fn a_deferred_reply_comes_later_and_once() {
    let mut bench = Bench::new();
    let mut held = Vec::new();
    let journal = Journal::default();
    let book = journal.clone();
    let callee = bench.spawn(move |cx, message| {
        match message.session {
            Session::NONE => {
                for session in held.drain(..) {
                    cx.reply(session, bytes("late")).expect("held");
                    book.lock().push(cx.reply(session, bytes("twice")).expect_err("answered").code.name().to_owned());
                }
            }
            _ => held.push(cx.defer().expect("a request")),
        }
        done()
    });
    let (asker, replies) = bench.asker(callee, 0);
    bench.post(asker, "go");
    bench.post(asker, "go");
    assert!(replies.lock().is_empty());
    bench.post(callee, "answer");
    assert_eq!(lines(&replies), ["late", "late"]);
    assert_eq!(lines(&journal), ["invalid", "invalid"]);
}

#[test]
fn a_forwarded_request_is_answered_to_the_first_caller() {
    let mut bench = Bench::new();
    let worker = bench.spawn(|cx, message| {
        let Body::Message { payload, .. } = &message.body else { return done() };
        cx.ret(bytes(&format!("worker did {}", text(payload)))).expect("forwarded to me");
        done()
    });
    let front = bench.spawn(move |cx, _| {
        cx.forward(Session::NONE, worker, 0, bytes("it")).expect("forwarded");
        assert_eq!(cx.ret(bytes("me too")).expect_err("not mine any more").code, ErrorCode::Invalid);
        done()
    });
    let (asker, replies) = bench.asker(front, 0);
    bench.post(asker, "go");
    assert_eq!(lines(&replies), ["worker did it"]);
}

#[test]
fn a_forward_that_fails_leaves_the_request_where_it_is() {
    let mut bench = Bench::new();
    let front = bench.spawn(|cx, _| {
        let error = cx.forward(Session::NONE, Address::from_raw(999), 0, bytes("it")).expect_err("nobody there");
        cx.ret(bytes(error.code.name())).expect("still held");
        done()
    });
    let (asker, replies) = bench.asker(front, 0);
    bench.post(asker, "go");
    assert_eq!(lines(&replies), ["no-such-actor"]);
}

#[test]
fn foreign_and_forged_sessions_answer_nothing() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|cx, message| {
        if !message.session.is_none() {
            cx.defer().expect("a request");
        }
        done()
    });
    let (asker, replies) = bench.asker(callee, 0);
    bench.post(asker, "go");
    let journal = Journal::default();
    let book = journal.clone();
    let thief = bench.spawn(move |cx, _| {
        for session in (1..2000).chain([u64::MAX]) {
            let error = cx.reply(Session(session), bytes("stolen")).expect_err("not held");
            assert_eq!(error.code, ErrorCode::Invalid);
        }
        book.lock().push("tried".to_owned());
        done()
    });
    bench.post(thief, "go");
    assert_eq!(lines(&journal), ["tried"]);
    assert!(replies.lock().is_empty());
}

#[test]
fn a_cancelled_request_brings_no_event() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|cx, _| {
        cx.ret(bytes("too late")).expect("a request");
        done()
    });
    let journal = Journal::default();
    let book = journal.clone();
    let asker = bench.spawn(move |cx, message| {
        if matches!(message.body, Body::Reply(_)) {
            book.lock().push(show(&message.body));
            return done();
        }
        let session = cx.request(callee, 0, bytes("ask"), 0, Session::NONE).expect("sent");
        assert!(cx.cancel(session));
        assert!(!cx.cancel(session));
        done()
    });
    bench.post(asker, "go");
    assert!(journal.lock().is_empty());
}

#[test]
fn nobody_there() {
    let mut bench = Bench::new();
    let (asker, replies) = bench.asker(Address::from_raw(0xdead), 0);
    bench.post(asker, "go");
    assert_eq!(lines(&replies), ["at once: no-such-actor: no actor has the address :x"]);
}

fn bounded(full: Full) -> (Bench, Address, Journal) {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    let limits = Limits { mailbox: 2, full, ..Limits::default() };
    let spec = SpawnSpec { limits: Some(limits), ..SpawnSpec::default() };
    let receiver = bench.spawn_spec(spec, move |_, message| {
        book.lock().push(show(&message.body));
        done()
    });
    (bench, receiver, journal)
}

#[test]
fn a_full_mailbox_refuses() {
    let (mut bench, receiver, journal) = bounded(Full::Refuse);
    let results: Vec<_> = (0..4).map(|n| bench.node.post(receiver, 0, bytes(&n.to_string())).is_ok()).collect();
    assert_eq!(results, [true, true, false, false]);
    bench.run();
    assert_eq!(lines(&journal), ["0", "1"]);
}

#[test]
fn a_full_mailbox_drops_the_oldest() {
    let (mut bench, receiver, journal) = bounded(Full::DropOldest);
    for n in 0..4 {
        bench.node.post(receiver, 0, bytes(&n.to_string())).expect("room is made");
    }
    bench.run();
    assert_eq!(lines(&journal), ["2", "3"]);
}

#[test]
fn a_dropped_oldest_request_is_answered() {
    let (mut bench, receiver, _) = bounded(Full::DropOldest);
    let journal = Journal::default();
    let book = journal.clone();
    let both = bench.spawn(move |cx, message| {
        if matches!(message.body, Body::Reply(_)) {
            book.lock().push(show(&message.body));
            return done();
        }
        cx.request(receiver, 0, bytes("ask"), 0, Session::NONE).expect("room");
        for n in 0..2 {
            cx.send(receiver, 0, bytes(&n.to_string())).expect("room is made");
        }
        done()
    });
    bench.post(both, "go");
    assert_eq!(lines(&journal), ["mailbox-full: the mailbox of :x is full"]);
}

#[test]
fn replies_pass_the_bound() {
    let mut bench = Bench::new();
    let echo = bench.spawn(|cx, _| {
        cx.ret(bytes("echo")).expect("a request");
        done()
    });
    let journal = Journal::default();
    let book = journal.clone();
    let limits = Limits { mailbox: 1, ..Limits::default() };
    let spec = SpawnSpec { limits: Some(limits), ..SpawnSpec::default() };
    let asker = bench.spawn_spec(spec, move |cx, message| {
        if matches!(message.body, Body::Reply(_)) {
            book.lock().push(show(&message.body));
            return done();
        }
        for _ in 0..50 {
            cx.request(echo, 0, bytes("ask"), 0, Session::NONE).expect("sent");
        }
        done()
    });
    bench.post(asker, "go");
    assert_eq!(journal.lock().len(), 50);
}

#[test]
fn a_broadcast_is_one_payload() {
    let mut bench = Bench::new();
    let places = Journal::default();
    let receivers: Vec<Address> = (0..3)
        .map(|_| {
            let places = places.clone();
            bench.spawn(move |_, message| {
                if let Body::Message { payload, .. } = &message.body {
                    places.lock().push(format!("{:p}", payload.as_ptr()));
                }
                done()
            })
        })
        .collect();
    let mut to = receivers.clone();
    to.push(Address::from_raw(77));
    let sender = bench.spawn(move |cx, _| {
        assert_eq!(cx.broadcast(&to, 0, bytes("to all")), 3);
        done()
    });
    bench.post(sender, "go");
    let places = places.lock();
    assert_eq!(places.len(), 3);
    assert!(places.iter().all(|place| place == &places[0]));
}

#[test]
fn what_is_not_granted_is_denied() {
    let mut bench = Bench::new();
    let (echo, sent) = (bench.spawn(|_, _| done()), Journal::default());
    let book = sent.clone();
    let grants = Grants { send: vec![Pattern::parse("friend*")], ..Grants::default() };
    let spec = SpawnSpec { grants: Some(std::sync::Arc::new(grants)), ..SpawnSpec::default() };
    let friend_spec = SpawnSpec { label: Some("friendly".to_owned()), ..SpawnSpec::default() };
    let friend = bench.spawn_spec(friend_spec, |_, _| done());
    let loner = bench.spawn_spec(spec, move |cx, _| {
        for to in [echo, friend, cx.address()] {
            let word = cx.send(to, 0, Payload::empty()).map_or_else(|error| error.code.name(), |()| "sent");
            book.lock().push(word.to_owned());
        }
        let more = [
            cx.listen("127.0.0.1:0").err(),
            cx.connect("127.0.0.1:1").err(),
            cx.register(".me").err(),
            cx.spawn("m0", None, Payload::empty()).err(),
            cx.kill(echo, String::new()).err(),
        ];
        book.lock().extend(more.map(|error| error.map_or("done", |error| error.code.name()).to_owned()));
        cx.exit(String::new());
        done()
    });
    bench.post(loner, "go");
    let denied = "not-granted";
    assert_eq!(lines(&sent), [denied, "sent", "sent", denied, denied, denied, denied, denied]);
}

#[test]
fn a_payload_over_the_bound_is_refused() {
    let mut bench = Bench::new();
    let limits = Some(Limits { payload: 10, ..Limits::default() });
    let sender = bench.spawn_spec(SpawnSpec { limits, ..SpawnSpec::default() }, |cx, _| {
        let me = cx.address();
        assert_eq!(cx.send(me, 0, bytes("12345678901")).expect_err("too long").code, ErrorCode::OverLimit);
        done()
    });
    bench.post(sender, "go");
}
