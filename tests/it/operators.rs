//! What actors that are granted `control` do to the host: reloads, restarts, lists. And that others cannot.

use wasmactor_tests::wat::{SAVES, counter};
use wasmactor_tests::{App, Setup};

/// Counters in version A, and a boss with these grants.
fn setup(grants: &str) -> Setup {
    let grants = format!("grants = {{ {grants} }}");
    Setup::new()
        .module("counter", &counter('A', SAVES))
        .actor("counter", "counter", "count = 2")
        .puppet_with("boss", &grants)
}

fn put(app: &App, text: &str) {
    let aside = app.folder().join("counter.new");
    std::fs::write(&aside, text)
        .and_then(|()| std::fs::rename(&aside, app.folder().join("counter.wat")))
        .expect("a file");
}

/// Gives an order, and waits for its answer (MessagePack, shown as text), or its error.
#[track_caller]
fn order(app: &App, who: &str, order: &str) -> String {
    app.ask(who, &format!("defer; let s; on reply {{reply $s $text}}; {order}"))
}

#[test]
fn an_actor_with_the_grant_reloads_a_module() {
    let mut app = setup("control = { reload = [\"counter\"] }").start();
    app.ask(".counter.0", "a");
    put(&app, &counter('B', SAVES));
    let said = order(&app, ".boss", "reload counter check");
    assert!(said.contains("exchanged\u{0}") && said.contains("untouched\u{0}"), "{said:?}");
    assert_eq!(app.ask(".counter.0", "?"), "A1", "a check changes nothing");
    let said = order(&app, ".boss", "reload counter 50");
    assert!(said.contains("exchanged\u{1}") && said.contains("untouched\u{1}"), "{said:?}");
    let said = order(&app, ".boss", "reload counter");
    assert!(said.contains("a trial of `counter` is under way"), "{said:?}");
    let said = order(&app, ".boss", "reload counter commit");
    assert!(said.contains("exchanged\u{1}"), "{said:?}");
    assert_eq!((app.ask(".counter.0", "?"), app.ask(".counter.1", "?")), ("B1".to_owned(), "B0".to_owned()));
    let said = order(&app, ".boss", "reload counter rollback");
    assert!(said.contains("exchanged\u{2}"), "{said:?}");
    assert_eq!(app.ask(".counter.0", "a"), "A2");
    // The same checks as for operators.
    put(&app, "(module)");
    let said = order(&app, ".boss", "reload counter");
    assert!(said.contains("exports no wasmactor:actor/handler"), "{said:?}");
    put(
        &app,
        &counter('C', SAVES).replace(
            "(memory (export",
            "(import \"wasmactor:actor/control@0.1.0\" \"ps\" (func (param i32 i32 i32 i32))) (memory (export",
        ),
    );
    let said = order(&app, ".boss", "reload counter");
    assert!(said.contains("needs the grant `control.ps`"), "{said:?}");
    assert_eq!(app.ask(".counter.0", "?"), "A2");
    app.lives();
}

#[test]
fn an_actor_with_the_grant_restarts_members_and_lists_actors() {
    let more = "[supervisor.s]\nbackoff = \"1ms\"\n";
    let setup = setup("control = { restart = [\"counter\", \"member\"], ps = [\"member\", \"witness\"] }").toml(more);
    let member = "supervisor = \"s\"\ngrants = {}";
    let mut app = setup.puppet_with("member", member).puppet_with("other", member).start();
    app.ask(".member", "set x 1; ret");
    assert_eq!(app.ask(".boss", "restart .member; ret $it"), "done");
    app.ask_until(".member", "ret $x", |answer| answer == "$x");
    let script = "restart .counter.0; note $it; note $why; restart .other; note $it; note $why; restart 77; note $it; ret $notes";
    let said = app.ask(".boss", script);
    let said: Vec<&str> = said.split(',').collect();
    assert_eq!((said[0], said[2], said[4]), ("!invalid", "!not-granted", "!no-such-actor"));
    assert!(said[1].ends_with("has no supervisor that could restart it"), "{said:?}");
    assert!(said[3].starts_with("no grant `control.restart` for :") && said[3].ends_with("(`other`)"), "{said:?}");
    let said = order(&app, ".boss", "ps");
    assert!(said.contains(".member") && said.contains(".witness") && !said.contains(".boss"), "{said:?}");
    let said = order(&app, ".boss", "ps puppet 1");
    assert!(said.contains(".member") && !said.contains(".witness") && said.ends_with("total\u{2}"), "{said:?}");
    app.lives();
}

#[test]
fn without_the_grant_nothing_happens_and_the_error_names_it() {
    let app = setup("send = [\"*\"], kill = [\"*\"]").start();
    put(&app, &counter('B', SAVES));
    let script = "reload counter; note $it; note $why; restart .counter.0; note $it; note $why; ps; note $it; note $why; ret $notes";
    let said = app.ask(".boss", script);
    let said: Vec<&str> = said.split(',').collect();
    assert_eq!((said[0], said[2], said[4]), ("!not-granted", "!not-granted", "!not-granted"));
    assert_eq!(
        (said[1], said[5]),
        ("no grant `control.reload` for the module `counter`", "no grant `control.ps` for any actor")
    );
    assert!(said[3].starts_with("no grant `control.restart` for :"), "{said:?}");
    assert_eq!(app.ask(".counter.0", "?"), "A0");
    assert!(app.says(&["ps", "counter"]).matches("counter@").count() == 2);
    app.stop();
}

#[test]
fn a_child_controls_no_more_than_its_parent() {
    let all = "grants = { control = { reload = [\"*\"], restart = [\"*\"], ps = [\"*\"] } }";
    let module = format!("[module.low]\nsource = \"{}\"\n{all}\n", wasmactor_tests::guest("puppet").display());
    let own = "spawn = [\"low\"], names = [\".low\"], control = { reload = [\"counter\"], ps = [\"boss\"] }";
    let app = setup(own).toml(&module).start();
    app.ask(".boss", "start-child low .low {}; ret");
    let script = "reload puppet; note $it; restart .witness; note $it; ret $notes";
    assert_eq!(app.ask(".low", script), "!not-granted,!not-granted");
    put(&app, &counter('B', SAVES));
    assert!(order(&app, ".low", "reload counter").contains("exchanged\u{2}"));
    let said = order(&app, ".low", "ps");
    assert!(said.contains(".boss") && !said.contains(".counter"), "{said:?}");
    app.stop();
}
