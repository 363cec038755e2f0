//! Promises 4 and 9: deadlines and timers, on a manual clock.

use super::{Bench, Journal, done, lines, show};
use crate::base::sync::{Arc, Mutex};
use crate::base::{Body, Cause, Payload, Session, Signal};

#[test]
fn a_request_without_answer_ends_at_its_deadline() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|cx, _| {
        cx.defer().expect("a request");
        done()
    });
    let (asker, replies) = bench.asker(callee, 100);
    bench.post(asker, "go");
    bench.pass(99);
    assert!(replies.lock().is_empty());
    bench.pass(1);
    assert_eq!(lines(&replies), ["deadline: no answer came in time"]);
}

#[test]
fn the_manifests_deadline_is_the_default() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|cx, _| {
        cx.defer().expect("a request");
        done()
    });
    let (asker, replies) = bench.asker(callee, 0);
    bench.post(asker, "go");
    bench.pass(4_999);
    assert!(replies.lock().is_empty());
    bench.pass(1);
    assert_eq!(replies.lock().len(), 1);
}

#[test]
fn many_deadlines_need_one_timer_and_each_is_kept() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|cx, _| {
        cx.defer().expect("a request");
        done()
    });
    let journal = Journal::default();
    let book = journal.clone();
    let asker = bench.spawn(move |cx, message| {
        if matches!(message.body, Body::Reply(_)) {
            book.lock().push(format!("{}", cx.now() / 1_000_000));
            return done();
        }
        for timeout in [300, 100, 200, 100] {
            cx.request(callee, 0, Payload::empty(), timeout, Session::NONE).expect("sent");
        }
        done()
    });
    bench.post(asker, "go");
    for _ in 0..40 {
        bench.pass(10);
    }
    assert_eq!(lines(&journal), ["100", "100", "200", "300"]);
}

#[test]
fn a_nested_request_inherits_what_is_left() {
    let mut bench = Bench::new();
    let silent = bench.spawn(|cx, _| {
        cx.defer().expect("a request");
        done()
    });
    let journal = Journal::default();
    let book = journal.clone();
    let middle = bench.spawn(move |cx, message| {
        if let Body::Reply(_) = &message.body {
            book.lock().push(format!("{} at {}", show(&message.body), cx.now() / 1_000_000));
            return done();
        }
        cx.request(silent, 0, Payload::empty(), 60_000, Session::NONE).expect("sent");
        let held = cx.defer().expect("a request");
        assert_eq!(cx.remaining(held), Some(100));
        // Beyond the turn the held request must be named.
        cx.request(silent, 0, Payload::empty(), 60_000, held).expect("sent");
        done()
    });
    let (asker, replies) = bench.asker(middle, 100);
    bench.post(asker, "go");
    bench.pass(100);
    assert_eq!(lines(&replies), ["deadline: no answer came in time"]);
    assert_eq!(lines(&journal), ["deadline: no answer came in time at 100"; 2]);
}

#[test]
fn a_late_reply_is_nobodys() {
    let mut bench = Bench::new();
    let mut held = Session::NONE;
    let callee = bench.spawn(move |cx, message| {
        if message.session.is_none() {
            cx.reply(held, Payload::from(&b"late"[..])).expect("the callee cannot know");
        } else {
            held = cx.defer().expect("a request");
        }
        done()
    });
    let (asker, replies) = bench.asker(callee, 100);
    bench.post(asker, "go");
    bench.pass(100);
    bench.post(callee, "answer now");
    assert_eq!(lines(&replies), ["deadline: no answer came in time"]);
}

#[test]
fn a_held_request_whose_time_is_over_keeps_no_actor_from_its_stop() {
    let mut bench = Bench::new();
    let callee = bench.spawn(|cx, _| {
        // The stop is no request.
        drop(cx.defer());
        done()
    });
    // Its asker dies, so that nobody else is there for the deadline.
    let (asker, _) = bench.asker(callee, 100);
    bench.post(asker, "go");
    bench.node.kill(None, asker, Cause::Killed, "chaos".to_owned());
    bench.node.send_signal(callee, Signal::Stop);
    bench.run();
    bench.pass(99);
    assert!(bench.node.is_alive(callee), "somebody might wait");
    bench.pass(1);
    assert!(!bench.node.is_alive(callee));
}

#[test]
fn of_held_requests_whose_time_is_over_few_are_remembered() {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    let mut held = Vec::new();
    let callee = bench.spawn(move |cx, message| {
        if message.session.is_none() {
            let known = held.iter().filter(|session| cx.remaining(**session).is_some()).count();
            let asked = cx.request(cx.address(), 0, Payload::empty(), 0, *held.last().expect("many"));
            book.lock().push(format!("{known} of {}: {}", held.len(), asked.expect_err("no time").code.name()));
        } else {
            held.push(cx.defer().expect("a request"));
        }
        done()
    });
    let (asker, _) = bench.asker(callee, 100);
    for _ in 0..200 {
        bench.post(asker, "go");
    }
    bench.pass(100);
    bench.post(callee, "how many");
    assert_eq!(lines(&journal), ["64 of 200: deadline"]);
}

#[test]
fn a_timer_is_never_early() {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    let actor = bench.spawn(move |cx, message| {
        match message.body {
            Body::Timeout => book.lock().push(format!("{}", cx.now())),
            _ => {
                cx.timeout(10).expect("within the limit");
            }
        }
        done()
    });
    // Half a tick in, so that rounding down would be early.
    bench.clock.advance(std::time::Duration::from_micros(500));
    bench.post(actor, "go");
    for _ in 0..200 {
        bench.clock.advance(std::time::Duration::from_micros(100));
        bench.node.fire_due();
        bench.run();
    }
    let fired: Vec<u64> = journal.lock().iter().map(|line| line.parse().expect("a number")).collect();
    assert_eq!(fired.len(), 1);
    assert!((10_500_000..=11_500_000).contains(&fired[0]), "{fired:?}");
}

#[test]
fn timers_are_never_early_whatever_the_clock_does_and_come_in_order() {
    let mut bench = Bench::new();
    let fired = Arc::new(Mutex::new(Vec::new()));
    let book = fired.clone();
    let mut armed = Vec::new();
    let mut seed = 1_u64;
    let actor = bench.spawn(move |cx, message| {
        match message.body {
            Body::Timeout => {
                let (count, due) = armed
                    .iter()
                    .position(|(session, _)| *session == message.session)
                    .map(|place| (place, armed[place].1))
                    .expect("armed here");
                book.lock().push((count, due, cx.now()));
            }
            _ => {
                for _ in 0..5 {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let milliseconds = 1 + (seed >> 60);
                    armed.push((
                        cx.timeout(milliseconds).expect("within the limit"),
                        cx.now() + milliseconds * 1_000_000,
                    ));
                }
            }
        }
        done()
    });
    // Steps that hit all places in a tick.
    for step in 0..2_000 {
        bench.clock.advance(std::time::Duration::from_nanos(7_919 * (step % 31)));
        bench.node.fire_due();
        bench.run();
        if step % 10 == 0 {
            bench.post(actor, "go");
        }
    }
    bench.pass(20);
    let fired = fired.lock();
    assert_eq!(fired.len(), 1_000);
    let tick = crate::time::NANOS_PER_TICK;
    let step = 7_919 * 30;
    for (_, due, now) in fired.iter().filter(|(count, ..)| *count < 900) {
        assert!((*due..*due + tick + step).contains(now), "due at {due}, came at {now}");
    }
    // (The last ones may have come with the jump.) By the tick of the deadline, then by arming.
    assert!(fired.is_sorted_by_key(|(count, due, _)| (due.div_ceil(tick), *count)));
}

#[test]
fn timeout_zero_goes_to_the_tail_of_the_own_mailbox() {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    let actor = bench.spawn(move |cx, message| {
        book.lock().push(show(&message.body));
        if matches!(&message.body, Body::Message { payload, .. } if &payload[..] == b"go") {
            let me = cx.address();
            cx.send(me, 0, Payload::from(&b"before"[..])).expect("delivered");
            cx.timeout(0).expect("within the limit");
            cx.send(me, 0, Payload::from(&b"after"[..])).expect("delivered");
        }
        done()
    });
    bench.post(actor, "go");
    assert_eq!(lines(&journal), ["go", "before", "timeout", "after"]);
}

#[test]
fn a_cancelled_timer_brings_no_event_even_if_it_fired_already() {
    let mut bench = Bench::new();
    let journal = Journal::default();
    let book = journal.clone();
    let mut timers = Vec::new();
    let actor = bench.spawn(move |cx, message| {
        match &message.body {
            Body::Message { payload, .. } if &payload[..] == b"arm" => {
                timers = [0, 5, 9].map(|after| cx.timeout(after).expect("within the limit")).to_vec()
            }
            Body::Message { .. } => {
                for timer in timers.drain(..2) {
                    assert!(cx.cancel_timer(timer));
                    assert!(!cx.cancel_timer(timer));
                }
            }
            body => book.lock().push(show(body)),
        }
        done()
    });
    // Both messages are in the mailbox before the timeout of 0 ms gets there.
    bench.node.post(actor, 0, Payload::from(&b"arm"[..])).expect("delivered");
    bench.node.post(actor, 0, Payload::from(&b"cancel"[..])).expect("delivered");
    bench.run();
    bench.pass(20);
    assert_eq!(lines(&journal), ["timeout"]);
}

#[test]
fn timers_end_with_their_actor() {
    let mut bench = Bench::new();
    let actor = bench.spawn(|cx, message| {
        assert!(!matches!(message.body, Body::Timeout), "fired after the end");
        cx.timeout(10).expect("within the limit");
        cx.exit("done".to_owned());
        done()
    });
    bench.post(actor, "go");
    assert_eq!(bench.node.alive(), 0);
    bench.pass(20);
}
