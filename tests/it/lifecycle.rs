//! Birth, death, and word of both: spawn, exit, kill, watch, names.

use wasmactor_tests::{ALL, App, Setup, wat};

fn app() -> App {
    Setup::new().puppet("alice").puppet("bob").puppet("carol").start()
}

#[test]
fn spawn_returns_when_init_has_returned() {
    let app = app();
    let got = app.ask(
        ".alice",
        "start-child puppet .child {set ready yes}; let child; call $child {ret $ready %child}; ret $it",
    );
    let address = app.ask(".bob", "lookup .child; ret $it");
    assert_eq!(got, format!("yes {address}"));
    // By event, and what is sent before waits for init.
    let script = "defer; let open; on spawned {call $text {ret $notes}; reply %open $it}; spawn puppet .second {note init}; send .second {note message}";
    assert_eq!(app.ask(".alice", script), "init,message");
}

#[test]
fn an_error_of_init_reaches_the_spawner() {
    let mut app = app();
    assert_eq!(app.ask(".alice", "start-child puppet .bad {fail no config}; ret $it: $why"), "!refused: no config");
    let script = "defer; let open; on spawned {reply %open $text}; spawn puppet .bad {fail no config}";
    assert_eq!(app.ask(".alice", script), "!refused: no config");
    assert_eq!(app.ask(".alice", "lookup .bad; ret $it"), "none", "the name is free again");
    app.lives();
}

#[test]
fn a_trap_in_init_reaches_the_spawner() {
    let mut app = app();
    let got = app.ask(".alice", "start-child puppet .bad {trap}; ret $it: $why");
    assert!(got.starts_with("!refused: ") && got.contains("unreachable"), "{got}");
    assert_eq!(app.ask(".alice", "start-child puppet .bad {exit}; lookup .bad; ret $it"), "none");
    app.lives();
}

#[test]
fn what_cannot_be_spawned() {
    let app = app();
    for (spawn, code) in
        [("nothing .n {}", "!invalid"), ("puppet .bob {}", "!invalid"), ("puppet .bad! {}", "!invalid")]
    {
        // The puppet grants all, so the module's absence is the only fault.
        assert_eq!(app.ask(".alice", &format!("start-child {spawn}; ret $it")), code, "{spawn}");
        assert_eq!(app.ask(".alice", &format!("spawn {spawn}; ret $it")), code, "{spawn}");
    }
}

#[test]
fn watchers_hear_of_the_end_once_with_cause_and_reason() {
    for (end, expected) in [
        ("exit had enough", "exited had enough"),
        ("trap", "failed wasm `unreachable` instruction executed"),
        ("kill .bob that is all", "killed that is all"),
    ] {
        let mut app = app();
        app.ask(".alice", "on down {log down $text; note $text}; watch .bob; ret");
        app.ask(".carol", "on down {log down $text}; watch .bob; watch .bob; unwatch $it; note $it; ret");
        app.told(".bob", end);
        for watcher in ["alice", "carol"] {
            let told = app.logged(watcher, "down ").message;
            assert!(told.contains(expected), "{told}");
        }
        assert_eq!(app.ask(".carol", "ret $notes"), "true");
        // One that comes late hears that it is over.
        app.ask(".witness", "on down {log $text; log heard}; watch 4242; ret");
        app.logged("witness", "heard");
        assert_eq!(app.log_of("witness")[0].trim(), "gone");
        assert_eq!(app.log_of("carol").len(), 1, "the watch that was taken back stays silent");
        app.lives();
    }
}

#[test]
fn exit_ends_the_turn_and_nothing_else_is_handled() {
    let mut app = app();
    app.told(".bob", "exit now; ret; log the turn goes on; send .bob {log never}");
    app.logged("bob", "the turn goes on");
    // The line was written in the middle of the turn: the end is told by `down`, whether it has come or is to come.
    app.ask(".alice", "on down {log bob is down}; watch .bob; ret");
    app.logged("alice", "bob is down");
    assert!(app.ask(".alice", "call .bob {ret}; ret $it").starts_with("!no-such-actor"));
    assert_eq!(app.log_of("bob"), ["the turn goes on"]);
    app.lives();
}

#[test]
fn children_may_be_killed_and_others_by_grant() {
    let grants = r#"grants = { send = ["*"], spawn = ["puppet"], kill = ["bob"], names = [".child*"] }"#;
    let mut app = Setup::new().puppet("bob").puppet("carol").puppet_with("alice", grants).start();
    let script = "start-child puppet .child {}; kill .child; note $it; kill .carol; note $it; kill .bob; note $it; kill 4242; note $it; ret $notes";
    assert_eq!(app.ask(".alice", script), "done,!not-granted,done,!no-such-actor");
    assert_eq!(app.ask(".carol", "ret alive"), "alive");
    app.lives();
}

#[test]
fn names_belong_to_one_and_are_free_when_it_ends() {
    let mut app = app();
    assert_eq!(app.ask(".alice", "register .shop; ret $it"), "done");
    assert_eq!(app.ask(".bob", "register .shop; note $it; unregister .shop; note $it; ret $notes"), "!invalid,false");
    assert_eq!(app.ask(".bob", "names .s; ret $it"), ".shop");
    app.ask(".bob", "on down {register .shop; log took it $it}; watch .alice; ret");
    app.told(".alice", "trap");
    app.logged("bob", "took it done");
    let (shop, bob) = (app.ask(".carol", "lookup .shop; ret $it"), app.ask(".carol", "lookup .bob; ret $it"));
    assert_eq!(shop, bob);
    assert_eq!(app.ask(".carol", "lookup .alice; ret $it"), "none");
    assert_eq!(app.ask(".bob", "unregister .shop; ret $it"), "true");
    for bad in [".", "shop", ".with,comma", ".ä", &format!(".{}", "x".repeat(64))] {
        assert_eq!(app.ask(".carol", &format!("register {bad}; ret $it")), "!invalid", "{bad}");
    }
    app.lives();
}

#[test]
fn the_manifest_names_many_by_number() {
    let app = Setup::new().actor("many", "puppet", &format!("count = 3\n{ALL}")).start();
    assert_eq!(app.ask(".many.2", "index; let i; name; ret $it $i"), "many 2");
    assert_eq!(app.ask(".many.0", "names .many; ret $it"), ".many.0,.many.1,.many.2");
}

#[test]
fn an_init_that_fails_stops_the_start_with_its_words() {
    let (mut process, _folder) =
        Setup::new().puppet("first").puppet_with("second", "args = \"fail no config\"").puppet("third").run();
    assert_eq!(process.end(), Some(1));
    let errors = process.errors();
    assert!(errors.contains("actor `.second` did not start") && errors.contains("no config"), "{errors}");
}

#[test]
fn the_app_ends_with_its_last_actor() {
    let (mut process, _folder) = Setup::new().puppet_with("one", "args = \"on timeout {exit}; timeout 1\"").run();
    assert_eq!(process.end(), Some(0));
    let (mut process, _folder) = Setup::new().puppet_with("one", "args = \"on timeout {trap}; timeout 1\"").run();
    assert_eq!(process.end(), Some(1), "an actor of the manifest failed");
}

#[test]
fn a_trap_is_told_with_the_guests_functions() {
    let deep = wat::guest("(func $deep_down unreachable)", "(call $ok)", "(call $deep_down) (call $ok)");
    let mut app = Setup::new().wat("deep", &deep).start();
    app.told(".deep", "");
    let line = app.process.line("the trap", |line| line.actor == "deep" && line.level == "ERROR");
    assert!(line.message.contains("unreachable") && line.message.contains("deep_down"), "{line:?}");
    app.lives();
}
