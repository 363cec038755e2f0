//! Promise 7 with a supervisor: the built host restarts real guests, by the manifest's policies.

use wasmactor_tests::{ALL, App, Setup};

const TOP: &str = "[supervisor.top]\nbackoff = \"1ms\"\n";

fn supervised(extra: &str) -> String {
    format!("supervisor = \"top\"\n{extra}\n{ALL}")
}

fn app() -> App {
    Setup::new().toml(TOP).puppet_with("bob", &supervised("args = \"log begins\"")).puppet("alice").start()
}

#[test]
fn a_guest_that_traps_goes_on_under_its_address_and_name_with_what_waited() {
    let mut app = app();
    let address = app.ask(".bob", "note old; self; ret $it");
    let got = app.ask(".alice", "call .bob {trap}; ret $it: $why");
    assert!(got.starts_with("!actor-failed: "), "{got}");
    assert_eq!(app.ask(".bob", "note new; self; ret $it $notes"), format!("{address} new"), "the memory is new");
    app.lives();
}

#[test]
fn every_way_to_fail_is_survived() {
    let mut app = app();
    for end in ["trap", "panic oh no", "defer; self; kill $it", "exit enough", "defer; self; send $it {trap}"] {
        let got = app.ask(".alice", &format!("call .bob {{{end}}}; ret $it"));
        assert!(got.starts_with("!actor-"), "{end}: {got}");
        assert_eq!(app.ask(".bob", "ret alive"), "alive", "after {end}");
    }
    app.lives();
}

#[test]
fn a_parked_guest_that_is_killed_starts_anew_and_the_late_answer_comes_to_nobody() {
    let mut app = app();
    app.told(".bob", "on reply {log late $text}; call .alice {defer; let held; log held}; log never");
    app.logged("alice", "held");
    app.told(".alice", "kill .bob");
    assert_eq!(app.ask(".bob", "ret alive"), "alive");
    app.told(".alice", "reply $held late");
    assert_eq!(app.ask(".bob", "ret alive"), "alive");
    assert!(app.log_of("bob").iter().all(|line| !line.contains("late") && line != "never"));
    app.lives();
}

#[test]
fn sockets_and_timers_end_with_the_instance_and_its_port_is_free_again() {
    let mut app = app();
    let at = app.ask(".bob", "listen 127.0.0.1:0; local $it; timeout 50; on timeout {log oh}; ret $it");
    let at = if at.contains(':') { at } else { app.ask(".bob", "listen 127.0.0.1:0; local $it; ret $it") };
    app.ask(".alice", "call .bob {trap}; ret");
    let again = app.ask_until(".bob", &format!("listen {at}; ret $it"), |id| !id.starts_with('!'));
    assert!(!again.is_empty());
    assert!(app.log_of("bob").iter().all(|line| !line.contains("oh") && !line.starts_with("socket")));
    app.lives();
}

#[test]
fn a_supervisor_that_gives_up_stops_the_app_with_code_1() {
    let setup = Setup::new().toml("[supervisor.top]\nbackoff = \"1ms\"\nmax-restarts = 2\n");
    let mut app = setup.puppet_with("bob", &supervised("")).puppet("alice").start();
    app.ask(".alice", "call .bob {trap}; call .bob {trap}; ret");
    app.told(".bob", "trap");
    app.process.line("that it gave up", |line| line.message.contains("supervisor `top` gave up"));
    assert_eq!(app.process.end(), Some(1));
}

#[test]
fn all_are_restarted_together() {
    let setup = Setup::new().toml("[supervisor.top]\nstrategy = \"one-for-all\"\nbackoff = \"1ms\"\n");
    let setup = setup.puppet_with("bob", &supervised("")).puppet_with("rob", &supervised("")).puppet("alice");
    let mut app = setup.start();
    app.ask(".rob", "note old; ret");
    app.ask(".alice", "call .bob {trap}; ret");
    app.ask_until(".rob", "ret =$notes", |notes| notes == "=");
    app.lives();
}

#[test]
fn linked_guests_fail_together() {
    let mut app = Setup::new().puppet("alice").puppet("bob").puppet("carol").start();
    assert_eq!(app.ask(".alice", "lookup .bob; link $it; ret $it"), "done");
    app.told(".bob", "trap");
    app.ask_until(".carol", "lookup .alice; ret $it", |found| found == "none");
    app.process.line("why", |line| line.actor == "alice" && line.message.contains("failed: linked to"));
    app.lives();
}

#[test]
fn a_link_needs_the_right_to_kill() {
    let setup = Setup::new().puppet("bob").puppet_with("alice", "grants = { send = [\"*\"] }");
    assert_eq!(setup.start().ask(".alice", "lookup .bob; link $it; ret $it"), "!not-granted");
}

#[test]
fn what_others_are_after_stops_after_them() {
    let setup = Setup::new().puppet_with("late", &format!("after = [\"early\"]\n{ALL}")).puppet("early");
    let app = setup.start();
    for name in [".early", ".late"] {
        app.ask(name, "on signal {log stops}; ret");
    }
    let lines = app.stop();
    // A stop may come twice.
    let mut stops: Vec<&str> =
        lines.iter().filter(|line| line.message == "stops").map(|line| line.actor.as_str()).collect();
    stops.dedup();
    assert_eq!(stops, ["late", "early"]);
}

#[test]
fn manifests_that_make_no_sense_are_told() {
    let said = Setup::new()
        .toml("[supervisor.a]\nunder = \"b\"\n[supervisor.b]\nunder = \"a\"\nstrategy = \"one-for-none\"\n")
        .puppet_with("one", "restart = \"permanent\"")
        .puppet_with("two", "supervisor = \"c\"\nafter = [\"three\"]")
        .refused();
    for words in [
        "supervisor `a` is under itself",
        "`strategy` cannot be `one-for-none`",
        "`restart` without a `supervisor`",
        "there is no supervisor `c`",
        "there is no actor `three` to start after",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = Setup::new().puppet_with("one", "after = [\"two\"]").puppet_with("two", "after = [\"one\"]").refused();
    assert!(said.contains("actors that start after each other: one, two"), "{said}");
}
