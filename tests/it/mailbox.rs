//! Promise 8: mailboxes are bounded, and what happens at the bound is the receiver's policy.

use wasmactor_tests::{ALL, App, Setup};

/// bob with a mailbox of three messages, parked; it is full after this.
fn full(policy: &str) -> App {
    let bob = format!("limits = {{ mailbox = 3, mailbox-full = \"{policy}\" }}\n{ALL}");
    let app = Setup::new().puppet("alice").puppet("carol").puppet_with("bob", &bob).start();
    app.told(".bob", "call .carol {defer; let held; log held}");
    app.logged("carol", "held");
    for n in 1..=3 {
        app.told(".bob", &format!("note {n}; log noted {n}"));
    }
    app
}

#[test]
fn refuse_tells_the_sender() {
    let mut app = full("refuse");
    assert!(app.tell(".bob", "note 4").starts_with("!mailbox-full: "));
    app.told(".carol", "reply $held");
    app.logged("bob", "noted 3");
    assert_eq!(app.ask(".carol", "call .bob {ret $notes}; ret $it"), "1,2,3");
    app.lives();
}

#[test]
fn drop_oldest_takes_the_newest_and_answers_dropped_requests() {
    let mut app = full("drop-oldest");
    app.told(".alice", "on reply {log got $text}; request .bob {note never}; log asked");
    app.logged("alice", "asked");
    for n in 4..=6 {
        app.told(".bob", &format!("note {n}; log noted {n}"));
    }
    app.logged("alice", "got !mailbox-full");
    app.told(".carol", "reply $held");
    app.logged("bob", "noted 6");
    assert_eq!(app.ask(".carol", "call .bob {ret $notes}; ret $it"), "4,5,6");
    app.lives();
}

#[test]
fn hold_parks_a_sender_that_can_wait_and_refuses_the_others() {
    let mut app = full("hold");
    app.told(".alice", "log calls; call .bob {note held back; ret welcome}; log got $it");
    app.logged("alice", "calls");
    let plain = app.tell(".bob", "note 4");
    assert!(plain.starts_with("!mailbox-full"), "{plain}");
    app.told(".carol", "reply $held");
    app.logged("alice", "got welcome");
    assert_eq!(app.ask(".bob", "ret $notes"), "1,2,3,held back");
    app.lives();
}

#[test]
fn a_sender_that_is_held_back_hears_of_the_receivers_end() {
    let mut app = full("hold");
    app.told(".alice", "log calls; call .bob {ret}; log got $it");
    app.logged("alice", "calls");
    assert_eq!(app.ask(".witness", "kill .bob; ret $it"), "done");
    let got = app.logged("alice", "got ").message;
    assert!(["got !actor-exited", "got !no-such-actor"].contains(&got.as_str()), "{got}");
    app.lives();
}

#[test]
fn events_are_never_refused() {
    let mut app = full("refuse");
    // A timer's, an exit's and a reply's: bob asked for each, and gets each although his mailbox is full.
    let mut other =
        Setup::new().puppet("carol").puppet("child").puppet_with("bob", &format!("limits.mailbox = 1\n{ALL}")).start();
    other.told(
        ".bob",
        "on timeout {note timeout}; on down {note down}; on reply {note reply $text}; timeout 0; watch .child; \
         request .carol {ret yes}; kill .child; call .carol {defer; let held; log held}; note parked",
    );
    other.logged("carol", "held");
    other.told(".bob", "note message; log noted");
    assert!(other.tell(".bob", "note 2").starts_with("!mailbox-full"));
    other.told(".carol", "reply $held");
    other.logged("bob", "noted");
    other.told(".carol", "repeat 1 {call .bob {log $notes; ret}}");
    let line = other.logged("bob", "parked").message;
    for event in ["timeout", "down", "reply yes", "message"] {
        assert!(line.contains(event), "{event} in {line}");
    }
    other.lives();
    app.lives();
}

#[test]
fn a_flood_is_refused_and_the_others_are_served() {
    let bob = format!("limits.mailbox = 2000\n{ALL}");
    let mut app = Setup::new().puppet("flood").puppet("carol").puppet_with("bob", &bob).start();
    app.told(".bob", "call .carol {defer; let held; log held}");
    app.logged("carol", "held");
    let script = "repeat 20000 {send .bob {note}; let last}; ret $last";
    assert_eq!(app.ask(".flood", script), "!mailbox-full");
    app.lives();
    app.told(".carol", "reply $held");
    app.process.line("skynet's warning", |line| {
        line.level == "WARN" && line.actor == "bob" && line.message.contains("may be overloaded")
    });
    app.lives();
}
