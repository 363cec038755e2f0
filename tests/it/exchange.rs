//! Reloads of small guests: what the manifest gives an actor for its exchange, and what becomes of it when that is not enough;
//! an interleaved actor of the SDK with requests in flight.

use std::process::{Child, Stdio};

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
fn one_that_traps_while_it_saves_goes_on_or_has_failed_if_nobody_can_enter_it() {
    let module = "[module.counter]\nsource = \"counter.wat\"\n[supervisor.s]\nbackoff = \"1ms\"\n";
    let setup = Setup::new().file("counter.wat", counter('A', "(unreachable)")).toml(module);
    let mut app = setup.actor("counter", "counter", "grants = {}\nsupervisor = \"s\"").start();
    app.ask(".counter", "a");
    std::fs::write(app.folder().join("counter.wat"), counter('B', SAVES)).expect("a file");
    let check = app.command(&["reload", "counter", "--check"]).output().expect("the binary starts");
    let noted = String::from_utf8_lossy(&check.stdout).contains("one whose `save` traps fails");
    assert_eq!(noted, wasmactor_tests::components(), "it is said beforehand");
    let said = kept(&app);
    assert!(said.contains("wasm `unreachable` instruction executed"), "{said}");
    let failed = said.contains("it broke in `save`, and cannot go on: ");
    assert_eq!(failed, wasmactor_tests::components(), "{said}");
    assert!(!failed || !said.contains("nobody was asked after it"), "there was nobody: {said}");
    // Its supervisor gives it another instance, of the old version, where it has failed.
    assert_eq!(app.ask(".counter", "?"), if failed { "A0" } else { "A1" });
    app.lives();
}

#[test]
fn after_one_that_has_failed_it_is_an_operator_who_goes_on() {
    let module = "[module.counter]\nsource = \"counter.wat\"\n[supervisor.s]\nbackoff = \"1ms\"\n";
    let save = "(if (i32.load (i32.const 2048)) (then (unreachable))) (call $saved)";
    let setup = Setup::new().file("counter.wat", counter('A', save)).toml(module).host("workers = 2");
    let app = setup.actor("counter", "counter", "count = 40\nsupervisor = \"s\"").start();
    app.ask(".counter.7", "a");
    let said = kept(&app);
    if wasmactor_tests::components() {
        assert!(said.contains("not asked") && said.contains("so nobody was asked after it: `--commit`"), "{said}");
        // It is counted anew, since it began anew.
        let said = app.says(&["reload", "counter", "--commit"]);
        assert!(!said.contains("not asked"), "{said}");
        assert_eq!(app.ask(".counter.7", "?"), "B0");
    } else {
        assert!(said.contains("39 with their state, 1 as they were"), "{said}");
        assert_eq!(app.ask(".counter.7", "?"), "A1");
    }
    assert_eq!(app.ask(".counter.39", "?"), "B0");
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

/// `keeper` of guests-rs, in a file of the app, and `.gate`, who answers when it is told.
fn keeper(reload: &str) -> App {
    let wasm = std::fs::read(wasmactor_tests::guest("keeper")).expect("it is built");
    let module = "[module.keeper]\nsource = \"keeper.wasm\"\ngrants = { send = [\"gate\"], control = { reload = [\"keeper\"], ps = [\"keeper\", \"gate\"] } }\n";
    let setup = Setup::new().file("keeper.wasm", wasm).toml(&format!("{module}reload = {{ {reload} }}\n"));
    setup.actor("keeper", "keeper", "").puppet("gate").start()
}

/// The same code in another version.
fn renew(app: &App) {
    let file = app.folder().join("keeper.wasm");
    let mut wasm = std::fs::read(&file).expect("it is there");
    // A custom section, `v`.
    wasm.extend([0, 2, 1, b'v']);
    std::fs::write(file, wasm).expect("a file");
}

/// Begins a command.
fn begin(app: &App, arguments: &[&str]) -> Child {
    let mut command = app.command(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
}

/// Its end: whether it went well, and what it has said.
#[track_caller]
fn end(child: Child) -> (bool, String) {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.success(), text(output.stdout) + &text(output.stderr))
}

#[test]
fn interleaved_requests_in_flight_end_in_the_old_instance() {
    let app = keeper("grace = \"60s\"");
    app.says(&["call", "keeper", "{\"Add\":1}"]);
    let relay = begin(&app, &["call", "keeper", "{\"Relay\":\"defer; let s\"}"]);
    app.ask_until(".gate", "ret $s", |answer| answer != "$s");
    app.says(&["send", "keeper", "{\"Nap\":[10,100]}"]);
    renew(&app);
    let reload = begin(&app, &["reload", "keeper"]);
    // Meanwhile others are served, by the old one.
    for total in 2..5 {
        let said = app.says(&["call", "keeper", "{\"Add\":1}"]);
        assert!([total, total + 10].iter().any(|total| said.trim() == format!("[{total},0,1]")), "{said}");
    }
    app.ask(".gate", "reply $s 100; ret");
    let (well, said) = end(relay);
    assert!(well && said.contains(",0,1]"), "by the old one: {said}");
    let (well, said) = end(reload);
    assert!(well && said.contains(": 1 with their state"), "{said}");
    assert_eq!(app.says(&["call", "keeper", "\"Total\""]).trim(), "[114,1,2]", "all was done, once");
    app.stop();
}

#[test]
fn interleaved_requests_that_do_not_end_in_time_go_on_in_the_old_version() {
    let app = keeper("grace = \"100ms\"");
    let relay = begin(&app, &["call", "keeper", "{\"Relay\":\"defer; let s\"}"]);
    app.ask_until(".gate", "ret $s", |answer| answer != "$s");
    renew(&app);
    let (well, said) = end(begin(&app, &["reload", "keeper"]));
    assert!(!well && said.contains("had requests in flight, for 100ms"), "{said}");
    app.ask(".gate", "reply $s 5; ret");
    let (well, said) = end(relay);
    assert!(well && said.trim() == "[5,0,1]", "{said}");
    app.stop();
}

#[test]
fn requests_that_are_held_go_over() {
    let app = keeper("");
    let hold = || begin(&app, &["call", "keeper", "\"Hold\""]);
    let held = [hold(), hold()];
    app.says(&["call", "keeper", "{\"Add\":3}"]);
    let handled = |_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        app.says(&["info", "keeper", "--json"]).contains("\"messages\":3")
    };
    assert!((0..1000).any(handled));
    renew(&app);
    let (well, said) = end(begin(&app, &["reload", "keeper"]));
    assert!(well && said.contains(": 1 with their state"), "{said}");
    assert_eq!(app.says(&["call", "keeper", "{\"Release\":7}"]).trim(), "[3,1,2]");
    for held in held {
        let (well, said) = end(held);
        assert!(well && said.trim() == "[7,1]", "by the new one: {said}");
    }
    app.stop();
}

#[test]
fn an_actor_reloads_its_own_module_if_it_waits_for_no_answer() {
    let app = keeper("grace = \"100ms\"");
    let listed = app.says(&["call", "keeper", "\"List\""]);
    assert_eq!(listed.trim(), r#"[[[".keeper",true],[".gate",false]],2]"#);
    app.says(&["call", "keeper", "{\"Add\":4}"]);
    renew(&app);
    let said = app.says(&["call", "keeper", "{\"Reload\":true}"]);
    assert!(said.starts_with("[0,[") && said.contains("had requests in flight, for 100ms"), "{said}");
    assert_eq!(app.says(&["call", "keeper", "{\"Reload\":false}"]).trim(), "[4,0,1]");
    let loaded = |_| app.says(&["call", "keeper", "\"Total\""]).trim() == "[4,1,2]";
    assert!((0..200).any(loaded));
    app.stop();
}
