//! Promises 5 and 6: requests, and the ways to answer. Each with a caller that parks and one that takes events.

use wasmactor_tests::{ALL, App, Setup};

fn pair() -> App {
    Setup::new().puppet("alice").puppet("bob").puppet("carol").actor("plain", "plain", ALL).start()
}

/// What a request by alice (parking), alice (by event), and an actor that cannot park ends with.
#[track_caller]
fn check(app: &App, to: &str, script: &str, expected: &str) {
    assert_eq!(app.ask(".alice", &format!("call {to} {{{script}}}; ret $it")), expected, "by a call");
    for from in [".alice", ".plain"] {
        let by_event = format!("defer; let open; on reply {{reply %open $text}}; request {to} {{{script}}}");
        assert_eq!(app.ask(from, &by_event), expected, "by an event to {from}");
    }
}

#[test]
fn an_answer_at_once() {
    check(&pair(), ".bob", "ret pong", "pong");
}

#[test]
fn an_empty_answer_is_an_answer() {
    check(&pair(), ".bob", "ret", "");
}

#[test]
fn a_deferred_answer_comes_from_a_later_turn() {
    check(&pair(), ".bob", "defer; let held; self; send $it {reply %held later}", "later");
}

#[test]
fn deferred_requests_are_answered_in_any_order() {
    let app = pair();
    let script = "on reply {note $text}; request .bob {defer; let a}; request .bob {defer; let b}; request .bob {defer; let c}; \
                  call .bob {reply $c third; reply $a first; reply $b second; ret}";
    app.ask(".alice", &format!("{script}; ret"));
    assert_eq!(app.ask(".alice", "ret $notes"), "third,first,second");
}

#[test]
fn a_forwarded_request_is_answered_to_the_first_caller() {
    check(&pair(), ".bob", "forward 0 .carol {ret from carol}", "from carol");
}

#[test]
fn a_deferred_request_can_be_forwarded_and_again() {
    let script = "defer; let held; self; send $it {forward %held .carol {forward 0 .witness {ret far away}}}";
    check(&pair(), ".bob", script, "far away");
}

#[test]
fn what_cannot_be_forwarded_is_still_held() {
    check(&pair(), ".bob", "forward 0 4242 {ret}; ret still here after $it", "still here after !no-such-actor");
}

#[test]
fn an_answer_is_given_once() {
    let app = pair();
    check(&app, ".bob", "ret one; let first; ret two; note $first-$it; reject 0 three; note $it", "one");
    assert_eq!(app.ask(".bob", "ret $notes"), ["done-!invalid,!invalid"; 3].join(","));
}

#[test]
fn a_deferred_answer_is_given_once() {
    let app = pair();
    let script = "defer; let held; reply $held one; reply $held two; note $it; forward $held .carol {ret}; note $it; ret two; note $it";
    check(&app, ".bob", script, "one");
    assert_eq!(app.ask(".bob", "ret $notes"), ["!invalid,!invalid,!invalid"; 3].join(","));
}

#[test]
fn sessions_of_others_cannot_be_answered() {
    let mut app = pair();
    // bob holds a request and tells carol its number.
    app.told(
        ".alice",
        "on reply {log alice got $text}; request .bob {defer; let held; call .carol {set stolen %held; ret}; log held}",
    );
    app.logged("bob", "held");
    let script = "reply $stolen mine; note $it; reject $stolen mine; note $it; forward $stolen .witness {ret}; note $it; \
                  cancel $stolen; note $it; remaining $stolen; note $it; ret $notes";
    assert_eq!(app.ask(".carol", script), "!invalid,!invalid,!invalid,false,none");
    // Numbers that were never given, and none.
    let script = "reply 18446744073709551615 x; note $it; reply 7 x; note $it; self; send $it {ret nothing is open; note %notes $it; log $notes}; ret $notes";
    assert_eq!(app.ask(".witness", script), "!invalid,!invalid");
    app.logged("witness", "!invalid");
    app.told(".bob", "reply $held the right one");
    app.logged("alice", "alice got the right one");
    app.lives();
}

#[test]
fn a_message_that_is_no_request_cannot_be_answered_or_kept() {
    let app = pair();
    app.told(
        ".bob",
        "ret x; note $it; defer; note $it; forward 0 .carol {ret}; note $it; remaining 0; note $it; log done",
    );
    app.logged("bob", "done");
    assert_eq!(app.ask(".bob", "ret $notes"), "!invalid,!invalid,!invalid,none");
}

#[test]
fn a_cancelled_request_brings_no_event() {
    let app = pair();
    app.told(".alice", "on reply {note $text}; request .bob {defer; let held}; let s; cancel $s; note $it; cancel $s; note $it; log cancelled");
    app.logged("alice", "cancelled");
    app.ask(".alice", "call .bob {reply $held late; ret}; ret");
    assert_eq!(app.ask(".alice", "ret $notes"), "true,false");
}

#[test]
fn the_caller_serves_others_while_it_waits_for_an_event() {
    let app = pair();
    app.told(".alice", "on reply {note $text}; request .bob {defer; let held}");
    assert_eq!(app.ask(".alice", "note meanwhile; ret here"), "here");
    app.told(".bob", "reply $held late; log replied");
    app.logged("bob", "replied");
    assert_eq!(app.ask(".alice", "ret $notes"), "meanwhile,late");
}

#[test]
fn payloads_of_all_sizes_come_back_as_they_were() {
    let app = pair();
    for size in [0, 1, 2, 4095, 4096, 65_535, 65_536, 1_000_000, 8 << 20] {
        let text: String = ('a'..='z').cycle().take(size).collect();
        assert_eq!(app.ask(".bob", &format!("ret {text}")), text, "{size}");
    }
}

#[test]
fn a_payload_over_the_bound_is_refused() {
    let mut app = Setup::new().toml("[limits]\npayload = \"64KiB\"\n").puppet("alice").puppet("bob").start();
    let script = "bytes .bob 65536; note $it; bytes .bob 65537; note $it; bytes .bob 9000000; note $it; ret $notes";
    assert_eq!(app.ask(".alice", script), "done,!over-limit,!over-limit");
    app.lives();
}
