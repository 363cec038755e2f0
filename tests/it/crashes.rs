//! Promise 7: what a failed actor leaves: a report that names the module, the event, the places in its source; so many of
//! them; and `wasmactor crash`, which shows them.

use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;
use wasmactor_tests::{ALL, App, Setup, Signal, command, wat};

/// An app with reports beside app.toml.
fn setup(crashes: &str) -> Setup {
    Setup::new().toml(&format!("[crashes]\nfolder = \"crashes\"\n{crashes}\n"))
}

/// Waits for the report of an actor's crash: its path.
#[track_caller]
fn report(app: &App, actor: &str) -> PathBuf {
    let said = "report of the crash: ";
    let line = app.process.line(said, |line| line.actor == actor && line.message.starts_with(said));
    PathBuf::from(line.message.strip_prefix(said).expect("it was looked for"))
}

fn shown(arguments: &[&str], path: &PathBuf) -> Output {
    command(&[&["crash"], arguments].concat()).arg(path).output().expect("the host starts")
}

#[track_caller]
fn text(arguments: &[&str], path: &PathBuf) -> String {
    let output = shown(arguments, path);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn json(path: &PathBuf) -> Value {
    serde_json::from_str(&text(&["--json"], path)).expect("JSON")
}

#[track_caller]
fn has(text: &str, wanted: &[&str]) {
    for words in wanted {
        assert!(text.contains(words), "no `{words}` in\n{text}");
    }
}

/// A guest whose every message goes three functions deep, and no further.
fn deep() -> String {
    let parts = "(func $inner (param i32) (unreachable))\n(func $outer (call $inner (i32.const 7)) (nop))";
    wat::guest(parts, "(call $ok)", "(call $outer) (call $ok)")
}

#[test]
fn a_trap_leaves_a_report_with_event_backtrace_lines_and_limits() {
    let mut app = setup("payload = \"8B\"").wat("deep", &deep()).puppet("alice").start();
    app.told(".alice", "call .deep 123456789; log $it");
    let path = report(&app, "deep");
    let said = text(&[], &path);
    has(
        &said,
        &[
            "deep failed: wasm `unreachable` instruction executed\n",
            "  module   deep@",
            "(alice), session ",
            ", 9 bytes\n",
            "   0  inner\n        at ",
            "deep.wat:",
            "   1  outer\n",
            "\nlimits in force\n",
            "memory               64.0 MiB\n",
            "\ncore dump: 64.0 KiB of memory in 1, ",
        ],
    );
    let report = json(&path);
    let line = |frame: usize| report["backtrace"][frame]["lines"][0]["line"].as_u64().expect("a line");
    let source = deep();
    let at = |words: &str| 1 + source.lines().position(|line| line.contains(words)).expect("it is there") as u64;
    assert_eq!([line(0), line(1)], [at("(unreachable)"), at("(call $inner")], "{report:#}");
    assert_eq!(report["event"]["event"], "message");
    assert_eq!(report["dump"]["instances"], 1);
    assert_eq!(report["event"]["payload"], Value::Null, "only supervised actors are followed");
    app.lives();
}

#[test]
fn of_a_supervised_actor_the_last_events_are_there_and_the_payload_if_asked_for() {
    let top = "[supervisor.top]\nbackoff = \"1ms\"\n";
    let lines = format!("supervisor = \"top\"\n{ALL}");
    let app = setup("payload = \"8B\"\nevents = 3").toml(top).puppet_with("bob", &lines).puppet("alice").start();
    for _ in 0..5 {
        app.ask(".alice", "call .bob {ret hello}; ret");
    }
    app.ask(".alice", "call .bob {timeout 1; ret}; ret");
    app.ask(".alice", "call .bob {trap    }; ret");
    let report = json(&report(&app, "bob"));
    assert_eq!((&report["supervised"], &report["instance"]), (&Value::Bool(true), &Value::from(1)), "{report:#}");
    assert_eq!(report["event"]["payload"], "dHJhcCAgICA=");
    let before = report["events"].as_array().expect("a list");
    assert_eq!(before.len(), 2, "the event itself is one of three: {report:#}");
    assert!(before.iter().all(|one| ["message", "timeout"].contains(&one["event"].as_str().expect("text"))));
}

#[test]
fn each_kind_of_fault_has_a_report_and_what_is_no_fault_has_none() {
    let mut setup = setup("");
    let starts = "(func $begins (unreachable)) (start $begins)";
    let traps = [("init", "", "(unreachable)", "(call $ok)"), ("start", starts, "(call $ok)", "(call $ok)")];
    for (name, parts, init, handle) in traps {
        setup = setup.module(name, &wat::guest(parts, init, handle));
    }
    let names = ["trap", "panic", "parked", "killed", "exit", "error"];
    for name in names {
        setup = setup.puppet(name);
    }
    let mut app = setup.puppet("alice").start();
    let scripts = ["trap", "panic oh no", "call .alice {ret}; trap", "kill me", "exit done", "fail"];
    for (name, script) in names.iter().zip(scripts) {
        if script == "kill me" {
            app.told(".alice", &format!("kill .{name}"));
        } else {
            app.told(&format!(".{name}"), script);
        }
    }
    for name in ["init", "start"] {
        let got = app.ask(".alice", &format!("start-child {name} none x; ret $it"));
        assert!(got.starts_with('!'), "{got}");
        assert_eq!(json(&report(&app, name))["event"]["event"], "init", "{name}");
    }
    for name in &names[..3] {
        let report = json(&report(&app, name));
        assert!(report["backtrace"].as_array().is_some_and(|frames| !frames.is_empty()), "{name}: {report:#}");
    }
    app.lives();
    let files = std::fs::read_dir(app.folder().join("crashes")).expect("a folder").count();
    assert_eq!(files, 5, "a kill, an exit and an error are no crashes");
}

#[test]
fn a_rust_guest_has_its_functions_names() {
    let app = setup("").puppet("bob").start();
    app.told(".bob", "panic oh no");
    let said = text(&[], &report(&app, "bob"));
    has(
        &said,
        &["bob failed: ", "  core::panicking::panic_fmt\n", "  <puppet::state::State>::op\n", "no debug information"],
    );
}

#[test]
fn only_the_newest_reports_are_kept() {
    let top = "[supervisor.top]\nbackoff = \"1ms\"\nmax-restarts = 100\n";
    let app = setup("files = 2").toml(top).puppet_with("bob", &format!("supervisor = \"top\"\n{ALL}")).start();
    let folder = app.folder().join("crashes");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("mine.txt"), "kept").expect("a file");
    std::fs::write(folder.join("left.crash.wasm.half"), "of a host that was killed").expect("a file");
    for instance in 1..=4 {
        app.told(".bob", "trap");
        let nth = format!("-{instance}.crash.wasm");
        app.process.line("a report", |line| line.message.ends_with(&nth));
    }
    let names = std::fs::read_dir(&folder).expect("a folder");
    let mut names: Vec<String> =
        names.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    let ends = |index: usize, end: &str| assert!(names[index].ends_with(end), "{names:?}");
    assert_eq!(names.len(), 3, "{names:?}");
    ends(0, "-3.crash.wasm");
    ends(1, "-4.crash.wasm");
    ends(2, "mine.txt");
}

#[test]
fn a_flood_of_crashes_is_said_and_harms_nobody() {
    let mut app = setup("").module("bad", &wat::guest("", "(unreachable)", "(call $ok)")).puppet("alice").start();
    for _ in 0..60 {
        app.told(".alice", "spawn bad none x");
    }
    app.process.line("that it is too much", |line| line.message.contains("some have no report"));
    assert_eq!(app.ask(".alice", "ret alive"), "alive");
    app.lives();
    app.process.signal(Signal::Term);
    app.process.end();
    let lines = app.process.lines();
    let (mut written, mut without) = (0, 0);
    for line in &lines {
        written += u64::from(line.message.starts_with("report of the crash"));
        let count = line.message.strip_suffix(" crashes have no report");
        let before = line.message.strip_suffix(" crashes before that have no report");
        without += count.or(before).map_or(0, |count| count.parse::<u64>().expect("a number"));
    }
    assert_eq!(written + without, 60, "each is written down or counted");
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_the_app_goes_on() {
    let mut app = setup("").file("crashes", "no folder").puppet("bob").start();
    app.told(".bob", "trap");
    app.process.line("why", |line| line.actor == "bob" && line.message.starts_with("the crash has no report: "));
    app.lives();
}

#[test]
fn no_reports_if_none_are_wanted() {
    let app = setup("reports = false").puppet("bob").start();
    app.told(".bob", "trap");
    app.logged("bob", "failed");
    let folder = app.folder().join("crashes");
    assert!(!folder.exists());
    let lines = app.stop();
    assert!(lines.iter().all(|line| !line.message.contains("report")));
    assert!(!folder.exists());
}

#[test]
fn other_files_are_refused_with_a_sentence_and_code_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: [(&str, &[u8], &str); 5] = [
        ("text", b"[app]", "it is not WebAssembly"),
        ("empty", b"", "it is not WebAssembly"),
        ("module", b"\0asm\x01\0\0\0", "without the section `wasmactor-crash`"),
        ("cut", b"\0asm\x01\0\0\0\0\x20\x0fwasmactor-crash{", "it is damaged"),
        ("words", b"\0asm\x01\0\0\0\0\x12\x0fwasmactor-crash{}", "is no report"),
    ];
    for (name, bytes, words) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        let output = shown(&[], &path);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(said.contains(words) && said.contains(name), "{name}: {said}");
    }
    let output = shown(&[], &folder.path().join("nothing"));
    has(&String::from_utf8_lossy(&output.stderr), &["nothing cannot be read: "]);
}

#[test]
fn tables_that_make_no_sense_are_told() {
    let said = setup("files = 0\nevents-of = \"some\"\nbytes = \"many\"\nfile = 1").puppet("one").refused();
    has(
        &said,
        &["`files` must be 1 to 100000", "`events-of` cannot be `some`", "`bytes` is no size", "unknown key `file`"],
    );
}
