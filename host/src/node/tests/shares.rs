//! What of a share is begun after a turn, and what is not: the rules of `step`, which guests that stay inside rely on too.

use std::time::Duration;

use super::{Bench, Journal, done, lines, show};
use crate::base::{Address, Cause, Message, Payload};
use crate::node::long::PASSES;
use crate::node::turn::Worker;
use crate::node::{Context, NodeOptions};

/// Writes down what it gets under a name; does what a message says.
fn actor(bench: &mut Bench, name: &'static str, journal: &Journal) -> Address {
    let book = journal.clone();
    bench.spawn(move |cx: &mut Context, message: Message| {
        let text = show(&message.body);
        book.lock().push(format!("{name} {text}"));
        let status = cx.node().run_queue().status(cx.worker().expect("it runs"));
        match &*text {
            "exit" => cx.exit("enough".to_owned()),
            "killed" => drop(cx.node().kill(None, cx.address(), Cause::Killed, "for a test".to_owned())),
            "over" => status.slice_over(status.taken()),
            _ => {}
        }
        done()
    })
}

/// All of it is there before the first one is handled.
fn told(bench: &Bench, to: Address, texts: &[&str]) {
    for text in texts {
        bench.node.post(to, 0, Payload::from(text.as_bytes())).expect("delivered");
    }
}

#[test]
fn nothing_is_begun_after_the_end_and_what_waited_is_answered() {
    for (end, words) in [("exit", "exited: enough"), ("killed", "was killed: for a test")] {
        let (mut bench, journal) = (Bench::new(), Journal::default());
        let a = actor(&mut bench, "a", &journal);
        let (asker, answers) = bench.asker(a, 0);
        // The asker runs first, so its request lies behind the three.
        told(&bench, asker, &["go"]);
        told(&bench, a, &["one", end, "never"]);
        bench.run();
        assert_eq!(lines(&journal), ["a one", &format!("a {end}")]);
        assert_eq!(lines(&answers), [format!("actor-exited: :x {words}")]);
        assert!(!bench.node.is_alive(a));
    }
}

#[test]
fn a_slice_that_is_over_ends_between_two_turns() {
    let journal = Journal::default();
    // The worker takes all of a mailbox at a time, so nothing else lets the others in.
    let mut bench = Bench::with(NodeOptions { workers: 5, ..NodeOptions::default() });
    bench.worker = Worker::new(4);
    let (a, b) = (actor(&mut bench, "a", &journal), actor(&mut bench, "b", &journal));
    told(&bench, a, &["one", "over", "three"]);
    told(&bench, b, &["two"]);
    bench.run();
    assert_eq!(lines(&journal), ["a one", "a over", "b two", "a three"]);
}

/// An actor whose turns take as long as what it is told says, in microseconds.
fn takes_time(bench: &mut Bench, name: &'static str, journal: &Journal) -> Address {
    let (clock, book) = (bench.clock.clone(), journal.clone());
    bench.spawn(move |_, message| {
        let text = show(&message.body);
        if let Ok(micros) = text.parse() {
            clock.advance(Duration::from_micros(micros));
        }
        book.lock().push(name.to_owned());
        done()
    })
}

/// So many turns that some of them were measured.
fn told_often(bench: &mut Bench, to: Address, text: &str) {
    for _ in 0..200 {
        bench.post(to, text);
    }
}

#[test]
fn who_takes_long_lets_others_go_first_until_it_does_not() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let (long, short) = (takes_time(&mut bench, "long", &journal), takes_time(&mut bench, "short", &journal));
    for (micros, expected) in [("400", ["short", "long"]), ("1", ["long", "short"]), ("60", ["short", "long"])] {
        told_often(&mut bench, long, micros);
        journal.lock().clear();
        told(&bench, long, &["0"]);
        told(&bench, short, &["0"]);
        bench.run();
        assert_eq!(lines(&journal), expected, "after turns of {micros} us");
    }
}

#[test]
fn who_takes_long_lets_only_some_go_first() {
    let (mut bench, journal) = (Bench::new(), Journal::default());
    let long = takes_time(&mut bench, "long", &journal);
    told_often(&mut bench, long, "400");
    let short: Vec<_> = (0..100).map(|_| takes_time(&mut bench, "short", &journal)).collect();
    journal.lock().clear();
    told(&bench, long, &["0"]);
    short.iter().for_each(|short| told(&bench, *short, &["0"]));
    bench.run();
    let before = lines(&journal).iter().take_while(|line| **line == "short").count();
    assert!((1..=2 * PASSES as usize).contains(&before), "{before} of {} went first", short.len());
}
