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
    let script = "on timeout {log oh}; timeout 50; listen 127.0.0.1:0; local $it; ret $it";
    let at = app.ask(".bob", script);
    assert!(at.starts_with("127.0.0.1:"), "{at}");
    app.ask(".alice", "call .bob {trap}; ret");
    let again = app.ask_until(".bob", &format!("listen {at}; ret $it"), |id| !id.starts_with('!'));
    assert!(!again.is_empty());
    // A timer that was armed later, and is due later, has come: the old one would have, too.
    app.told(".bob", "on timeout {log mine}; timeout 50");
    app.logged("bob", "mine");
    let log = app.log_of("bob");
    assert_eq!(log, ["begins", "begins", "mine"], "neither the old timer nor the old socket");
    app.lives();
}

#[test]
fn a_connection_that_was_handed_over_and_not_seen_is_the_next_instances() {
    let setup = Setup::new()
        .toml(TOP)
        .puppet_with(
            "bob",
            &supervised("args = \"on socket {write $session hello; close $session; log socket $text}\""),
        )
        .puppet("gate")
        .puppet("alice");
    let mut app = setup.start();
    let at = app.ask(".gate", "listen 127.0.0.1:0; local $it; ret $it");
    // While bob is parked, what is handed over waits; then he traps.
    app.told(".bob", "call .alice {defer; let held; log held}; trap");
    app.logged("alice", "held");
    app.told(".gate", "on socket {let x; give $new .bob; log gave $it}");
    let mut client = std::net::TcpStream::connect(&at).expect("gate listens");
    app.logged("gate", "gave done");
    app.told(".alice", "reply $held now");
    app.process.line("the end", |line| line.actor == "bob" && line.message.starts_with("failed: "));
    client.set_read_timeout(Some(wasmactor_tests::DEADLINE)).expect("a socket");
    let mut said = String::new();
    std::io::Read::read_to_string(&mut client, &mut said).expect("bob's words");
    assert_eq!(said, "hello");
    app.lives();
}

#[test]
fn the_hosts_stop_does_not_wait_for_a_restart() {
    let setup = Setup::new().toml("[supervisor.top]\nbackoff = \"1h\"\nbackoff-max = \"1h\"\n");
    let app = setup.puppet_with("bob", &supervised("")).puppet("alice").start();
    assert!(app.ask(".alice", "call .bob {trap}; ret $it").starts_with("!actor-failed"));
    let waiting = app.ask_later(".bob", "ret alive");
    app.told(".alice", "send .bob {log never}; log sent");
    app.logged("alice", "sent");
    let lines = app.stop();
    assert!(lines.iter().all(|line| line.message != "never"));
    // It is answered, or its own end came first.
    drop(waiting);
}

#[test]
fn siblings_that_are_stopped_keep_what_waits_for_their_next_instance() {
    let setup = Setup::new().toml("[supervisor.top]\nstrategy = \"one-for-all\"\nbackoff = \"1ms\"\n");
    let setup = setup.puppet_with("bob", &supervised("")).puppet_with("rob", &supervised("")).puppet("alice");
    let mut app = setup.start();
    // While rob is parked, the words come into his mailbox, and the stop behind them.
    app.told(".rob", "on signal {log stops}; call .alice {defer; let held; log held}; log on");
    app.logged("alice", "held");
    app.told(".rob", "log first");
    app.told(".rob", "log second");
    app.told(".bob", "trap");
    app.process.line("the end", |line| line.actor == "bob" && line.message.starts_with("failed: "));
    app.told(".alice", "reply $held now");
    app.logged("rob", "second");
    // Whether the stop came before the answer is chance here; the core's test has the order.
    let mut log = app.log_of("rob");
    log.retain(|line| ["first", "second"].contains(&line.as_str()));
    assert_eq!(log, ["first", "second"], "nothing is lost or doubled");
    app.lives();
}

fn judged(member: &str, extra: &str) -> Setup {
    let top = format!("[supervisor.top]\nbackoff = \"1ms\"\ndecider = \"judge\"\n{extra}\n");
    Setup::new().toml(&top).puppet("judge").puppet_with("bob", &supervised(member)).puppet("alice")
}

#[test]
fn a_guest_decides_what_becomes_of_a_member() {
    let mut app = judged("restart = \"temporary\"", "").start();
    app.told(".judge", "on down {log asked $text; decide $session restart; log $it; decide $session end; log $it}");
    app.ask(".alice", "call .bob {trap}; ret");
    app.logged("judge", "!invalid");
    let log = app.log_of("judge");
    assert!(log[0].starts_with("asked failed wasm `unreachable` instruction executed"), "{log:?}");
    assert_eq!(log[1..], ["done", "!invalid"]);
    assert_eq!(app.ask(".bob", "ret alive"), "alive", "also where the policy would not");
    app.told(".judge", "on down {decide $session end}");
    app.ask(".alice", "call .bob {trap}; ret");
    app.ask_until(".alice", "lookup .bob; ret $it", |found| found == "none");
    assert_eq!(app.ask(".alice", "decide 9223372036854775809 end; ret $it"), "!invalid", "nobody else may");
    app.lives();
}

#[test]
fn a_guest_may_give_up_for_the_supervisor() {
    let mut app = judged("", "").start();
    app.told(".judge", "on down {decide $session give-up}");
    app.told(".bob", "trap");
    app.process.line("that it gave up", |line| line.message.contains("supervisor `top` gave up: :"));
    assert_eq!(app.process.end(), Some(1));
}

#[test]
fn a_decider_that_says_nothing_traps_parks_or_loops_holds_nothing_up() {
    for judge in ["note nothing", "trap", "call .alice {defer}", "spin", "fail", "exit tired"] {
        let mut app = judged("", "decide-timeout = \"20ms\"").start();
        app.told(".judge", &format!("on down {{{judge}}}"));
        app.ask(".alice", "call .bob {trap}; ret");
        assert_eq!(app.ask(".bob", "ret alive"), "alive", "{judge}");
        // Where it has ended there is nobody to ask.
        app.ask(".alice", "call .bob {trap}; ret");
        assert_eq!(app.ask(".bob", "ret alive"), "alive", "{judge}");
        app.lives();
    }
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
        .toml("[supervisor.d]\ndecider = \"four\"\ndecide-timeout = 1")
        .refused();
    for words in [
        "supervisor `a` is under itself",
        "`strategy` cannot be `one-for-none`",
        "`restart` without a `supervisor`",
        "there is no supervisor `c`",
        "there is no actor `three` to start after",
        "there is no actor `four` to decide",
        "`decide-timeout` must be a string",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = Setup::new().puppet_with("one", "after = [\"two\"]").puppet_with("two", "after = [\"one\"]").refused();
    assert!(said.contains("actors that start after each other: one, two"), "{said}");
    let several = Setup::new().puppet_with("many", "count = 2").toml("[supervisor.e]\ndecider = \"many\"").refused();
    assert!(several.contains("`many` cannot decide for supervisor `e`: there are 2"), "{several}");
}
