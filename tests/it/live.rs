//! What goes on in a running host: `waits`, `why`, `trace`, `watch-mailbox`, `log`.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};
use wasmactor_tests::{ALL, App, Setup};

fn app() -> App {
    let setup = Setup::new().argument("--workers=2").puppet("alice").puppet("bob").puppet("carol");
    setup.actor("spin", "plain", ALL).puppet("spin2").start()
}

/// The waits, as `from on how`.
fn waits(answer: &Value) -> Vec<String> {
    let name = |who: &Value| who["name"].as_str().expect("a name").to_owned();
    let wait = |wait: &Value| {
        let flag = |key: &str| if wait[key] == true { format!(" {key}") } else { String::new() };
        format!("{} {}{}{}{}", name(&wait["from"]), name(&wait["on"]), flag("exclusive"), flag("queued"), flag("cycle"))
    };
    let mut all: Vec<String> = answer["waits"].as_array().expect("waits").iter().map(wait).collect();
    all.sort();
    all
}

#[test]
fn waits_shows_calls_requests_and_what_is_not_begun() {
    let app = app();
    assert_eq!(waits(&app.json(&["waits"])), [""; 0]);
    let one = app.ask_later(".alice", "call .bob {defer; let held; log held}; ret $it");
    app.logged("bob", "held");
    // The test's own actor asks alice, who asks bob.
    assert_eq!(waits(&app.json(&["waits"])), [".alice .bob exclusive", ".control .alice"]);
    let text = app.says(&["waits"]);
    assert!(
        text.contains("exclusive call") && text.contains(".alice (:") && text.matches("CYCLE").count() == 1,
        "{text}"
    );
    // Behind an endless loop nothing is begun, and the loop itself is looked into.
    app.told(".spin", "spin");
    let two = app.ask_later(".carol", "call .spin {ret never}; ret $it");
    loop {
        let seen = waits(&app.json(&["waits"]));
        if seen.iter().any(|wait| wait == ".carol .spin exclusive queued") {
            break;
        }
    }
    app.told(".bob", "reply $held thanks");
    assert_eq!(one.wait(), "thanks");
    app.says(&["kill", "spin"]);
    assert!(two.wait().starts_with("!actor-exited"));
}

#[test]
fn a_cycle_of_requests_is_marked() {
    let app = app();
    // Each defers what the other one asks, and asks the other one: nobody will ever answer.
    let script = "defer; let held; on reply {reply %held $text}; request .bob {defer; let kept; request .alice {defer; log closed}}";
    let waiting = app.ask_later(".alice", script);
    app.logged("alice", "closed");
    let seen = waits(&app.json(&["waits"]));
    assert_eq!(seen, [".alice .bob cycle", ".bob .alice cycle", ".control .alice"]);
    assert!(app.says(&["waits"]).lines().nth(1).is_some_and(|line| line.starts_with("CYCLE")));
    app.says(&["kill", "bob"]);
    assert!(waiting.wait().contains("actor-exited"));
}

#[test]
fn why_shows_a_loop_and_its_stack_beside_others() {
    let app = app();
    for _ in 0..3 {
        app.told(".spin", "spin");
        app.told(".spin2", "spin");
    }
    for name in ["spin", "spin2"] {
        let why = loop {
            let why = app.json(&["why", name]);
            if why["stack"].as_array().is_some_and(|stack| !stack.is_empty()) && !why["turn_ms"].is_null() {
                break why;
            }
        };
        assert_eq!((&why["mailbox"], &why["handled"], &why["of"]), (&json!(2), &json!(0), &json!(2)), "{why}");
        assert_eq!((&why["senders"][0]["from"]["name"], &why["senders"][0]["count"]), (&json!(".control"), &json!(2)));
        assert!(why["cpu_permille"].as_u64() > Some(0), "{why}");
    }
    let text = app.says(&["why", "spin"]);
    assert!(
        text.contains("% of a core, 0 messages handled\n2 wait") && text.contains("message from .control"),
        "{text}"
    );
    // skynet's name for it.
    assert!(app.says(&["task", "alice"]).starts_with(".alice :"));
    assert!(app.fails(2, &["why", "nobody"]).contains("no actor `nobody`"));
}

#[test]
fn trace_prints_each_turn_until_the_actor_ends() {
    let app = app();
    let mut child = app.command(&["trace", "bob", "--json"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("JSON") };
    // It begins some time after the command was started.
    let done = std::sync::atomic::AtomicBool::new(false);
    let asks = std::thread::scope(|scope| {
        let asker = scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                app.ask(".alice", "call .bob {ret here}; ret $it");
            }
        });
        let first = next();
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        asker.join().expect("no panic");
        first
    });
    assert_eq!((&asks["what"], &asks["event"]), (&json!("begins"), &json!("message")), "{asks}");
    assert_eq!(asks["from"]["name"], ".alice");
    assert!(asks["session"].as_u64() > Some(0) && asks["length"] == 8, "{asks}");
    let answer = next();
    assert_eq!((&answer["what"], &answer["event"], &answer["length"]), (&json!("sends"), &json!("reply"), &json!(4)));
    assert_eq!((&answer["to"]["name"], &answer["session"]), (&json!(".alice"), &asks["session"]), "{answer}");
    assert_eq!(next()["what"], "ends");
    app.says(&["kill", "bob"]);
    let end = loop {
        let line = next();
        if line["what"].is_null() {
            break line;
        }
    };
    assert_eq!(end["ended"], true, "{end}");
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn watch_mailbox_tells_again_and_again() {
    let app = app();
    let text = app.says(&["watch-mailbox", "alice", "--interval", "10ms", "-n", "3"]);
    assert_eq!(text.lines().count(), 3);
    assert!(text.lines().all(|line| line.contains(" idle: 0 of 65536 wait (0 taken)")), "{text}");
    app.told(".spin", "spin");
    app.told(".spin", "spin");
    let event = app.json(&["watch-mailbox", "spin", "-n", "1"]);
    assert_eq!(event["waiting"], 1, "{event}");
}

#[test]
fn the_log_can_be_turned_up_and_down_of_all_and_of_one() {
    let app = app();
    let both = "host: info\nguests: info\n";
    assert_eq!(app.says(&["log"]), both);
    assert_eq!(app.says(&["log", "warn", "--of", "bob"]), format!("{both}bob: warn\n"));
    app.told(".bob", "log two");
    app.told(".alice", "log two");
    app.logged("alice", "two");
    assert_eq!(app.says(&["log", "default", "--of", "bob"]), both);
    app.told(".bob", "log three");
    app.logged("bob", "three");
    app.says(&["log", "error", "--of", "guests"]);
    app.says(&["log", "info", "--of", ".alice"]);
    app.told(".bob", "log four");
    app.told(".alice", "log four");
    app.logged("alice", "four");
    assert_eq!(app.json(&["log", "trace", "--of", "host"])["host"], "trace");
    assert_eq!(app.says(&["log", "default"]), both);
    app.told(".bob", "log five");
    app.logged("bob", "five");
    assert_eq!(
        (app.log_of("alice"), app.log_of("bob")),
        (vec!["two".into(), "four".into()], vec!["three".into(), "five".into()])
    );
    // Those of a module.
    let levels = app.json(&["log", "debug", "--of", "plain"]);
    assert_eq!(
        levels["actors"],
        json!([{ "actor": "control", "level": "debug" }, { "actor": "spin", "level": "debug" }])
    );
    app.says(&["log", "default"]);
    // skynet's names for it.
    assert_eq!(app.says(&["logon", "alice"]), format!("{both}alice: trace\n"));
    assert_eq!(app.says(&["logoff", "alice"]), both);
    assert!(app.fails(2, &["log", "debug", "--of", "nobody"]).contains("no actor `nobody`"));
    assert!(app.fails(2, &["log", "--of", "bob"]).contains("required"));
}
