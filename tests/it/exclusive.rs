//! Promise 5, the exclusive way: the actor parks, nothing else enters, the answer has a lane of its own.

use wasmactor_tests::{ALL, Setup};

#[test]
fn nothing_else_enters_while_a_call_waits() {
    let app = Setup::new().puppet("alice").puppet("bob").start();
    app.told(".alice", "call .bob {defer; let held; log held}; note after the call");
    app.logged("bob", "held");
    app.told(".alice", "note a message");
    let request = app.ask_later(".alice", "note a request; ret $notes");
    app.told(".bob", "reply $held");
    let notes = request.wait();
    let notes: Vec<&str> = notes.split(',').collect();
    assert_eq!(notes, ["after the call", "a message", "a request"]);
}

#[test]
fn an_actor_that_waits_leaves_the_worker_to_others() {
    let mut app = Setup::new().argument("--workers=1").puppet("alice").puppet("bob").start();
    app.told(".alice", "call .bob {defer; let held; log held}; log goes on");
    app.logged("bob", "held");
    app.lives();
    app.told(".bob", "reply $held");
    app.logged("alice", "goes on");
}

#[test]
fn the_answer_passes_a_full_mailbox() {
    let mut app = Setup::new().puppet("bob").puppet_with("alice", &format!("limits.mailbox = 3\n{ALL}")).start();
    app.told(".alice", "call .bob {defer; let held; log held}; note $it");
    app.logged("bob", "held");
    for n in 1..=3 {
        app.told(".alice", &format!("note filler; log filler {n}"));
    }
    assert!(app.tell(".alice", "note too much").starts_with("!mailbox-full"));
    app.told(".bob", "reply $held the answer");
    app.logged("alice", "filler 3");
    assert_eq!(app.ask(".alice", "ret $notes"), "the answer,filler,filler,filler");
    app.lives();
}

#[test]
fn a_call_to_oneself_is_a_cycle() {
    let app = Setup::new().puppet("alice").start();
    let got = app.ask(".alice", "self; let me; call $me {ret}; ret $it: $why");
    assert!(got.starts_with("!cycle: "), "{got}");
}

#[test]
fn a_cycle_is_told_with_its_way_and_everybody_lives_on() {
    let mut app = Setup::new().puppet("a").puppet("b").puppet("c").start();
    let got = app.ask(".a", "call .b {call .c {call .a {ret}; ret $it: $why}; ret $it}; ret $it");
    let printed = |name: &str| {
        let number: u64 = app.ask(name, "self; ret $it").parse().expect("an address");
        format!(":{number:08x}")
    };
    let (a, b, c) = (printed(".a"), printed(".b"), printed(".c"));
    // The call that would close the circle is c's; so its way begins and ends there.
    assert!(got.starts_with("!cycle: "), "{got}");
    assert!(got.contains(&format!("{c} waits for {a} waits for {b} waits for {c}")), "{got}");
    for name in [".a", ".b", ".c"] {
        assert_eq!(app.ask(name, "ret alive"), "alive");
    }
    app.lives();
}

#[test]
fn a_cycle_closed_by_a_forward_is_seen() {
    let app = Setup::new().puppet("a").puppet("b").puppet("c").start();
    let got = app.ask(".a", "call .b {call .c {forward 0 .a {ret}}; ret $it}; ret $it");
    assert_eq!(got, "!cycle");
}

#[test]
fn waiting_by_event_closes_no_cycle() {
    let app = Setup::new().puppet("a").puppet("b").start();
    let script = "defer; let open; on reply {reply %open $text}; request .b {call .a {ret from a}; ret $it}";
    assert_eq!(app.ask(".a", script), "from a");
}

#[test]
fn two_who_call_each_other_at_once_do_not_hang() {
    let mut app = Setup::new().puppet("a").puppet("b").start();
    for _ in 0..50 {
        let one = app.ask_later(".a", "call .b {ret fine}; ret $it");
        let two = app.ask_later(".b", "call .a {ret fine}; ret $it");
        for got in [one.wait(), two.wait()] {
            assert!(["fine", "!cycle"].contains(&got.as_str()), "{got}");
        }
    }
    app.lives();
}

#[test]
fn a_parked_actor_can_be_killed() {
    let mut app = Setup::new().puppet("alice").puppet("bob").start();
    app.told(".alice", "call .bob {defer; let held; log held}; log never");
    app.logged("bob", "held");
    assert_eq!(app.ask(".witness", "kill .alice enough; ret $it"), "done");
    app.process.line("the end of alice", |line| line.actor == "alice" && line.message.contains("enough"));
    assert_eq!(app.ask(".bob", "reply $held; ret $it"), "done");
    assert!(app.log_of("alice").is_empty());
    app.lives();
}

#[test]
fn a_child_may_not_wait_for_its_waiting_parent() {
    let app = Setup::new().puppet("parent").start();
    let got = app.ask(".parent", "self; let me; start-child puppet - {call %me {ret}; log child $it}; ret");
    assert_eq!(got, "");
    app.logged("puppet", "child !cycle");
}

#[test]
fn a_sleep_is_never_early_and_nothing_enters() {
    let app = Setup::new().puppet("alice").puppet("bob").start();
    app.told(".alice", "call .bob {ret}; log asleep; now; let t; sleep 50; since $t; note $it; note awake");
    app.logged("alice", "asleep");
    app.told(".alice", "note entered");
    let notes = app.ask(".alice", "ret $notes");
    let notes: Vec<&str> = notes.split(',').collect();
    assert!(notes[0].parse::<u64>().expect("a time") >= 50, "{notes:?}");
    assert_eq!(notes[1..], ["awake", "entered"]);
}
