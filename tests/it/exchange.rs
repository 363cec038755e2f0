//! Reloads of small guests: what the manifest gives an actor for its exchange, and what becomes of it when that is not enough.

use wasmactor_tests::wat::{ECHO, SAVES, counter, guest};
use wasmactor_tests::{App, Setup};

/// Takes nothing along that is in flight.
const WAITS: &str = "(if (local.get $in-flight) (then
    (i32.store (i32.const 32) (i32.const 0)) (i32.store (i32.const 36) (i32.const 0)) (return (i32.const 32))))
    (call $saved)";

/// A counter with this `save`, and `reload` of its module.
fn setup(save: &str, reload: &str) -> Setup {
    let module = format!("[module.counter]\nsource = \"counter.wat\"\nreload = {{ {reload} }}\n");
    let setup = Setup::new().file("counter.wat", counter('A', save)).toml(&module);
    setup.actor("counter", "counter", "grants = {}")
}

/// Reloads version B, which is not taken. What is said.
#[track_caller]
fn kept(app: &App) -> String {
    std::fs::write(app.folder().join("counter.wat"), counter('B', SAVES)).expect("a file");
    let output = app.command(&["reload", "counter"]).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_manifest_says_how_large_a_state_may_be_and_how_long_a_step() {
    for (save, reload, why) in [
        (SAVES, "state = 3", "its state has 4 bytes, the limit is 3"),
        ("(loop (br 0)) unreachable", "step = \"20ms\"", "its time is over"),
    ] {
        let mut app = setup(save, reload).start();
        app.ask(".counter", "a");
        let said = kept(&app);
        assert!(said.contains(why), "{said}");
        if save == SAVES {
            assert_eq!(app.ask(".counter", "?"), "A1");
        }
        app.lives();
    }
}

#[test]
fn a_module_without_state_is_reloaded_only_if_that_is_said() {
    let text = |data: &str| guest(&format!("(data (i32.const 1024) {data:?})"), "(call $ok)", ECHO);
    let app = Setup::new().wat("plain-echo", &text("one")).start();
    std::fs::write(app.folder().join("plain-echo.wat"), text("two")).expect("a file");
    let reload = |arguments: &[&str]| {
        let output = app.command(arguments).output().expect("the binary starts");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let beforehand = "plain-echo: it does not export wasmactor:actor/state (`save` and `load`): its actors begin anew, without \
                      their state\n";
    let (code, printed, said) = reload(&["reload", "plain-echo"]);
    assert_eq!((code, said.as_str()), (Some(1), beforehand));
    assert!(printed.contains("say so (`--restart`)"), "{printed}");
    let (code, _, said) = reload(&["reload", "plain-echo", "--restart"]);
    assert_eq!((code, said.as_str()), (Some(0), beforehand));
    assert_eq!(app.ask(".plain-echo", "hello"), "hello");
    app.stop();
}

#[test]
fn the_manifest_says_how_long_requests_may_be_in_flight() {
    let mut app = setup(WAITS, "grace = \"50ms\"").start();
    app.ask(".counter", "a");
    let held = app.ask_later(".counter", "h");
    app.ask_until(".counter", "?", |answer| answer == "A1");
    let said = kept(&app);
    assert!(said.contains("requests in flight, for 50ms"), "{said}");
    assert_eq!(app.ask(".counter", "?"), "A1");
    drop(held);
    app.lives();
}
