//! Promise 3: every request ends, and each way in which it can fail has its code; promise 7: what an error and what a trap
//! does to the actor. Each test with a caller that parks and with one that takes events.

use wasmactor_tests::{App, Setup};

/// Two to fail, one after the other.
fn app() -> App {
    Setup::new().puppet("alice").puppet("bob").puppet("rob").puppet("carol").start()
}

/// What becomes of alice's requests to bob and to rob, and that she hears of it exactly once.
#[track_caller]
fn fails(app: &mut App, script: &str, expected: &str) {
    let ends = |got: String, how: &str| assert!(got.starts_with(expected), "{got:?} instead of {expected:?}, {how}");
    ends(app.ask(".alice", &format!("call .bob {{{script}}}; ret $it: $why")), "by a call");
    let by_event = format!("defer; let open; on reply {{note heard; reply %open $text}}; request .rob {{{script}}}");
    ends(app.ask(".alice", &by_event), "by an event");
    assert_eq!(app.ask(".alice", "ret $notes"), "heard");
    app.lives();
}

#[test]
fn the_actor_returned_an_error_and_lives_on() {
    let mut app = app();
    fails(&mut app, "note still here; fail no luck", "!refused: no luck");
    assert_eq!(app.ask(".bob", "ret $notes"), "still here");
}

#[test]
fn the_actor_rejected_it() {
    fails(&mut app(), "reject 0 not you", "!refused: not you");
}

#[test]
fn the_actor_rejected_it_later() {
    fails(&mut app(), "defer; let held; self; send $it {reject %held not now}", "!refused: not now");
}

#[test]
fn the_actor_dropped_it_without_an_answer() {
    let mut app = app();
    fails(&mut app, "note dropped", "!refused: dropped without an answer");
    assert_eq!(app.ask(".bob", "ret $notes"), "dropped");
}

#[test]
fn the_actor_returned_an_error_after_it_kept_the_request() {
    fails(&mut app(), "defer; fail changed my mind", "!refused: changed my mind");
}

#[test]
fn the_actor_trapped() {
    let mut app = app();
    fails(&mut app, "trap", "!actor-failed");
    assert_eq!(app.ask(".alice", "lookup .bob; ret $it"), "none");
}

#[test]
fn the_actor_panicked() {
    fails(&mut app(), "panic oh no", "!actor-failed");
}

#[test]
fn the_actor_trapped_in_a_later_turn() {
    fails(&mut app(), "defer; self; send $it {trap}", "!actor-failed");
}

#[test]
fn the_actor_exited() {
    let mut app = app();
    let address = app.ask(".bob", "self; ret $it");
    fails(&mut app, "exit enough", "!actor-exited: ");
    let reason = app.ask(".alice", "defer; let open; ret"); // alice is as before
    assert_eq!(reason, "");
    assert!(app.ask(&address, "ret").starts_with("!no-such-actor"));
}

#[test]
fn the_actor_exited_with_the_request_kept() {
    fails(&mut app(), "defer; self; send $it {exit later}", "!actor-exited: ");
}

#[test]
fn the_actor_was_killed() {
    fails(&mut app(), "defer; self; let me; send .carol {kill %me for a test}", "!actor-exited: ");
}

#[test]
fn the_actor_was_killed_while_the_request_waited_in_its_mailbox() {
    let mut app = app();
    app.told(".bob", "call .carol {defer; let held; log held}");
    app.logged("carol", "held");
    app.told(".alice", "on reply {log got $text}; request .bob {ret}; log asked");
    app.logged("alice", "asked");
    app.told(".carol", "kill .bob while it waits");
    app.logged("alice", "got !actor-exited: ");
    app.lives();
}

#[test]
fn the_actor_trapped_before_it_came_to_the_request() {
    let mut app = app();
    app.told(".bob", "call .carol {defer; let held; log held}; trap");
    app.logged("carol", "held");
    app.told(".alice", "on reply {log got $text}; request .bob {log never}; log asked");
    app.logged("alice", "asked");
    app.told(".carol", "reply $held go on");
    app.logged("alice", "got !actor-failed: ");
    assert!(app.log_of("bob").is_empty(), "what waited was not delivered");
    app.lives();
}

#[test]
fn the_one_it_was_forwarded_to_trapped() {
    fails(&mut app(), "forward 0 .carol {self; let me; fail at carol}", "!refused: at carol");
    fails(&mut app(), "defer; let held; forward $held .carol {exit}; exit", "!");
}

#[test]
fn nobody_has_this_address() {
    let mut app = app();
    // Nobody, an address that was never given, the last one, one of another node.
    for to in ["0", "4242", "18446744073709551615", "72057594037927941", ".nobody"] {
        let script = format!(
            "call {to} {{ret}}; note $it; request {to} {{ret}}; note $it; send {to} {{ret}}; note $it; ret $notes"
        );
        assert_eq!(app.ask(".alice", &format!("forget; {script}")), ["!no-such-actor"; 3].join(","), "{to}");
    }
    app.lives();
}

#[test]
fn the_actor_that_had_this_address_is_gone() {
    let mut app = app();
    let stale = app.ask(".bob", "self; ret $it");
    app.ask(".alice", "call .bob {exit}; ret");
    // New ones may take its place in the table, never its address.
    let script = "repeat 50 {start-child puppet - {}; note $it}; ret $notes";
    let fresh = app.ask(".alice", script);
    assert!(fresh.split(',').all(|address| address != stale && !address.starts_with('!')), "{stale} in {fresh}");
    let script = format!(
        "call {stale} {{ret}}; note $it; send {stale} {{log oh}}; note $it; kill {stale}; note $it; ret $notes"
    );
    assert_eq!(app.ask(".rob", &script), ["!no-such-actor"; 3].join(","));
    app.lives();
}

#[test]
fn the_mailbox_is_full() {
    let setup = Setup::new().puppet("alice").puppet("carol");
    let mut app = setup.puppet_with("bob", &format!("limits.mailbox = 2\n{}", wasmactor_tests::ALL)).start();
    app.told(".bob", "call .carol {defer; let held; log held}");
    app.logged("carol", "held");
    let script = "send .bob {note 1}; send .bob {note 2}; call .bob {ret}; note $it; request .bob {ret}; note $it; \
                  send .bob {note 3}; note $it; ret $notes";
    assert_eq!(app.ask(".alice", script), ["!mailbox-full"; 3].join(","));
    app.told(".carol", "reply $held");
    app.lives();
}

#[test]
fn the_time_is_over() {
    let mut app = app();
    assert_eq!(app.ask(".alice", "call .bob {defer} 30; ret $it"), "!deadline");
    let by_event = "defer; let open; on reply {reply %open $text}; request .bob {defer} 30";
    assert!(app.ask(".alice", by_event).starts_with("!deadline"));
    app.lives();
}

#[test]
fn it_was_not_granted() {
    let setup = Setup::new().puppet("bob").puppet("carol");
    let mut app = setup.puppet_with("alice", r#"grants = { send = ["carol"] }"#).start();
    let script = "call .bob {ret}; note $it; request .bob {ret}; note $it; send .bob {ret}; note $it; \
                  broadcast .bob,.carol {note}; note $it; call .carol {ret yes}; note $it; \
                  call .carol {forward 0 .bob {ret by carol}}; note $it; ret $notes";
    let denied = ["!not-granted"; 3].join(",");
    assert_eq!(app.ask(".alice", script), format!("{denied},1,yes,by carol"));
    app.lives();
}

#[test]
fn a_cycle_of_exclusive_calls() {
    let mut app = app();
    let got = app.ask(".alice", "self; let me; call .bob {call .alice {ret}; ret $it: $why}; ret $it");
    assert!(got.starts_with("!cycle: "), "{got}");
    app.lives();
}

#[test]
fn the_host_stops() {
    let app = Setup::new().host("stop-timeout = \"200ms\"").puppet("alice").puppet("bob").puppet("carol").start();
    // bob holds a request and does not answer; alice and carol wait for him, each in their way.
    app.told(".alice", "on reply {note}; request .bob {defer; log one}");
    app.told(".carol", "call .bob {defer; log two}");
    app.logged("bob", "one");
    app.logged("bob", "two");
    let lines = app.stop();
    assert!(lines.iter().any(|line| line.message.contains("have not ended in time and are killed")), "{lines:#?}");
}

#[test]
fn an_error_without_a_request_is_a_line_of_the_log() {
    let mut app = app();
    app.told(".bob", "fail nobody asked");
    app.process.line("the error", |line| {
        line.level == "WARN"
            && line.target == "wasmactor"
            && line.actor == "bob"
            && line.message.contains("nobody asked")
    });
    assert_eq!(app.ask(".bob", "ret alive"), "alive");
    app.lives();
}
