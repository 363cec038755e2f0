//! What of a share is begun after a turn, and what is not: the rules of `step`, which guests that stay inside rely on too.

use super::{Bench, Journal, done, lines, show};
use crate::base::{Address, Cause, Message, Payload};
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
