//! Promise 4: a call has a deadline; one made while handling a request inherits what is left.

use wasmactor_tests::Setup;

#[test]
fn without_a_time_the_manifests_holds() {
    let app = Setup::new().toml("").puppet("alice").puppet("bob").start();
    let left: u64 = app.ask(".bob", "remaining 0; ret $it").parse().expect("a number");
    // From a second on, the manifest's time may be 20 ms longer.
    assert!((100_000..=120_020).contains(&left), "{left} of the harness's 120 s");
}

#[test]
fn a_call_takes_at_least_its_time_to_fail() {
    let app = Setup::new().puppet("alice").puppet("bob").start();
    let took: u64 = app.ask(".alice", "now; let t; call .bob {defer} 60; since $t; ret $it").parse().expect("a number");
    assert!(took >= 60, "{took} ms");
}

#[test]
fn nested_calls_inherit_what_is_left() {
    let app = Setup::new().puppet("alice").puppet("bob").puppet("carol").puppet("dave").start();
    // carol asks for a minute, but has what is left of alice's second.
    let script = "call .bob {call .carol {remaining 0; ret $it} 60000; ret $it} 1000; ret $it";
    let left: u64 = app.ask(".alice", script).parse().expect("a number");
    assert!(left <= 1000, "{left} ms");
    let script = "call .bob {defer; let held; on reply {reply %held $text}; request .carol {remaining 0; ret $it} 60000 $held} 1000; ret $it";
    let left: u64 = app.ask(".alice", script).parse().expect("a number");
    assert!(left <= 1000, "by event, {left} ms");
    // Through a forward, too.
    let left: u64 =
        app.ask(".alice", "call .bob {forward 0 .carol {remaining 0; ret $it}} 1000; ret $it").parse().expect("one");
    assert!(left <= 1000, "by forward, {left} ms");
}

#[test]
fn a_kept_request_bounds_what_is_asked_within_it_later() {
    let app = Setup::new().puppet("alice").puppet("bob").puppet("carol").start();
    let script = "call .bob {defer; let held; self; \
                  send $it {on reply {reply %held $text}; request .carol {remaining 0; ret $it} 60000 %held}} 1000; ret $it";
    let left: u64 = app.ask(".alice", script).parse().expect("a number");
    assert!(left <= 1000, "{left} ms");
}

#[test]
fn the_inner_call_ends_when_the_outer_ones_time_is_over() {
    let app = Setup::new().puppet("alice").puppet("bob").puppet("carol").start();
    let got = app.ask(".alice", "call .bob {call .carol {defer; log held} 60000; log inner $it} 80; ret $it");
    assert_eq!(got, "!deadline");
    app.logged("bob", "inner !deadline");
}

#[test]
fn an_answer_after_the_deadline_reaches_nobody() {
    let app = Setup::new().puppet("alice").puppet("bob").start();
    app.ask(".alice", "on reply {note $text}; call .bob {defer; let held} 20; ret");
    assert_eq!(app.ask(".bob", "reply $held late; ret $it"), "done");
    assert_eq!(app.ask(".alice", "call .bob {ret fresh}; ret $it/$notes"), "fresh/");
}

#[test]
fn requests_without_time_left_are_refused_at_once() {
    let app = Setup::new().puppet("alice").puppet("bob").puppet("carol").start();
    // bob lets the time of alice's call pass before he asks.
    app.ask(".alice", "call .bob {sleep 50; request .carol {ret}; note $it; call .carol {ret}; note $it} 20; ret");
    assert_eq!(app.ask(".bob", "ret $notes"), "!deadline,!deadline");
}
