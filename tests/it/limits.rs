//! Hostile guests against every limit: each gets its error, or ends with it, and nothing else happens.

use std::io::Read as _;
use std::net::TcpStream;

use wasmactor_tests::{ALL, App, Setup};

/// An actor `.bad` with these limits and all grants, and one beside it.
fn limited(limits: &str) -> App {
    Setup::new().puppet_with("bad", &format!("limits = {{ {limits} }}\n{ALL}")).puppet("good").start()
}

/// The guest tries too much, has its error, and lives; so do others.
#[track_caller]
fn told(mut app: App, script: &str, expected: &str) {
    assert_eq!(app.ask(".bad", script), expected);
    assert_eq!(app.ask(".bad", "ret still here"), "still here");
    app.lives();
    app.stop();
}

#[test]
fn payloads() {
    told(
        limited("payload = 100"),
        "bytes .good 100; note $it; bytes .good 101; note $it; ret $notes",
        "done,!over-limit",
    );
}

#[test]
fn an_answer_that_is_too_large() {
    let mut app = limited("payload = 100");
    let got = app.ask(".bad", &format!("ret {}", "x".repeat(200)));
    assert!(got.starts_with("!refused: "), "the host answers what the guest could not: {got}");
    app.lives();
}

#[test]
fn requests() {
    let script = "repeat 6 {request .good {defer}; note $it}; ret $notes";
    let mut app = limited("requests = 4");
    let got = app.ask(".bad", script);
    let got: Vec<&str> = got.split(',').collect();
    assert!(got[..4].iter().all(|session| session.parse::<u64>().is_ok()), "{got:?}");
    assert_eq!(got[4..], ["!over-limit"; 2]);
    assert_eq!(app.ask(".good", "ret free"), "free");
    app.lives();
}

#[test]
fn children() {
    let script = "repeat 3 {start-child puppet - {}; note $it}; start-child puppet - {}; note $code; ret $notes";
    let mut app = limited("children = 2");
    let got = app.ask(".bad", script);
    let got: Vec<&str> = got.split(',').collect();
    assert_eq!(got[2], "!over-limit", "{got:?}");
    assert_eq!(app.ask(".bad", &format!("kill {}; note gone; ret $it", got[0])), "done");
    app.ask_until(".bad", "start-child puppet - {}; ret $it", |it| it.parse::<u64>().is_ok());
    app.lives();
}

#[test]
fn timers_end_the_actor_which_has_no_other_way_to_hear_of_it() {
    let mut app = limited("timers = 3");
    assert_eq!(app.ask(".bad", "repeat 3 {timeout 100000}; cancel-timer $it; timeout 100000; ret fine"), "fine");
    let got = app.ask(".bad", "timeout 100000; ret $it");
    assert!(got.starts_with("!actor-failed: ") && got.contains("limit `timers`, which is 3"), "{got}");
    app.lives();
    app.stop();
}

#[test]
fn sockets_of_its_own() {
    let script = "listen 127.0.0.1:0; listen 127.0.0.1:0; listen 127.0.0.1:0; note $it; connect 127.0.0.1:9; note $it; ret $notes";
    told(limited("sockets = 2"), script, "!over-limit,!over-limit");
}

#[test]
fn sockets_that_others_open() {
    let mut app = limited("sockets = 2");
    let at = app.ask(".bad", "on accepted {log accepted}; listen 127.0.0.1:0; local $it; ret $it");
    let _first = TcpStream::connect(&at).expect("a listener");
    app.logged("bad", "accepted");
    for _ in 0..3 {
        let mut more = TcpStream::connect(&at).expect("the kernel takes it");
        let ends = more.read(&mut [0; 1]);
        assert!(matches!(ends, Ok(0) | Err(_)), "{ends:?}");
    }
    app.lives();
    app.stop();
}

#[test]
fn sockets_that_are_given() {
    let mut app = Setup::new().puppet_with("bad", &format!("limits.sockets = 0\n{ALL}")).puppet("good").start();
    let got = app.ask(".good", "listen 127.0.0.1:0; let s; pause $s; give $s .bad; ret $it");
    assert_eq!(got, "!over-limit");
    app.lives();
}

#[test]
fn a_mailbox_of_bytes() {
    let bob = format!("limits = {{ mailbox-bytes = 100000 }}\n{ALL}");
    let mut app = Setup::new().puppet("alice").puppet("carol").puppet_with("bob", &bob).start();
    app.told(".bob", "call .carol {defer; let held; log held}");
    app.logged("carol", "held");
    let script = "bytes .bob 60000; note $it; bytes .bob 60000; note $it; bytes .bob 30000; note $it; bytes .bob 64; note $it; ret $notes";
    assert_eq!(app.ask(".alice", script), "done,!mailbox-full,done,done");
    app.told(".carol", "reply $held");
    assert_eq!(app.ask(".bob", "ret through"), "through");
    assert_eq!(app.ask(".alice", "bytes .bob 100000; ret $it"), "done");
    app.lives();
    app.stop();
}

#[test]
fn what_a_manifest_says_wrong() {
    let text = Setup::new().toml("[limits]\ntimers = -1\nmailbox-bytes = 1\nmailboxes = 3\n").refused();
    for words in ["`timers` must be 0 to", "`mailbox-bytes` must be 64 B to", "did you mean `mailbox`?"] {
        assert!(text.contains(words), "{text}");
    }
}
