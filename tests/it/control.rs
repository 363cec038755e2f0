//! The commands for a running host, over the real binary.

use serde_json::{Value, json};
use wasmactor_tests::{ALL, App, Setup, command, wat};

fn app() -> App {
    Setup::new().puppet("alice").actor("many", "puppet", &format!("count = 2\n{ALL}")).start()
}

/// The rows of a table, their cells cut at two spaces.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let cells = |line| -> Vec<&str> { str::split(line, "  ").map(str::trim).filter(|cell| !cell.is_empty()).collect() };
    text.lines().map(cells).collect()
}

#[test]
fn ps_lists_every_actor_with_what_it_has_used() {
    let app = app();
    let address: u64 = app.ask(".alice", "self; ret $it").parse().expect("an address");
    let text = app.says(&["ps"]);
    let rows = rows(&text);
    assert_eq!(
        rows[0],
        ["ADDRESS", "NAME", "MODULE", "STATE", "MAILBOX", "CPU", "MEMORY", "MESSAGES", "AGE"],
        "{text}"
    );
    let alice = rows.iter().find(|row| row[1] == ".alice").expect("alice");
    assert_eq!((alice[0], alice[3], alice[4], alice[7]), (&*format!(":{address:08x}"), "idle", "0", "1"), "{text}");
    assert!(alice[2].starts_with("puppet@") && alice[2].len() > "puppet@".len(), "{text}");
    let answer = app.json(&["ps", "many*", "--sort", "name", "-n", "1"]);
    assert_eq!((&answer["total"], answer["actors"].as_array().map(Vec::len)), (&json!(2), Some(1)), "{answer}");
    assert_eq!(answer["actors"][0]["name"], ".many.0");
    assert!(answer["actors"][0]["memory"].as_u64() > Some(0), "{answer}");
    assert!(app.says(&["ps", "many*", "-n", "1"]).ends_with("and 1 more: --limit 0 shows all\n"));
    // skynet's names for it.
    for alias in ["list", "stat"] {
        assert_eq!(app.json(&[alias, ".alice"])["total"], 1);
    }
    assert_eq!(app.json(&["ps", "plain"])["actors"][0]["name"], ".control");
}

#[test]
fn ping_tells_which_host_it_is_and_stop_ends_it() {
    let mut app = app();
    let said = app.says(&["ping"]);
    assert!(said.starts_with(&format!("test (pid {}, wasmactor ", app.process.id())), "{said}");
    let pong = app.json(&["ping"]);
    assert_eq!((&pong["app"], &pong["pid"], &pong["actors"]), (&json!("test"), &json!(app.process.id()), &json!(5)));
    assert_eq!(app.says(&["stop"]), format!("test (pid {}) has stopped\n", app.process.id()));
    assert_eq!(app.process.end(), Some(0));
    let left = std::fs::read_dir(app.folder().join("wasmactor")).expect("the folder stays").count();
    assert_eq!(left, 0, "the socket is gone");
    let said = app.fails(2, &["ping"]);
    assert_eq!(said, "error: no host runs; start one with `wasmactor run APP.TOML`\n");
}

/// An app with a supervisor, a module that echoes and one that does what it is told.
fn family() -> App {
    let top = format!("supervisor = \"top\"\n{ALL}");
    Setup::new()
        .toml("[supervisor.top]\nbackoff = \"1ms\"\n[supervisor.low]\nunder = \"top\"\nstrategy = \"rest-for-one\"")
        .puppet_with("bob", &top)
        .puppet_with(
            "carol",
            &format!("supervisor = \"low\"\nlimits = {{ mailbox = 7, mailbox-full = \"hold\" }}\n{ALL}"),
        )
        .wat("echo", &wat::guest("", "(call $ok)", wat::ECHO))
        .actor("many", "puppet", &format!("count = 2\n{ALL}"))
        .puppet("alice")
        .start()
}

#[test]
fn info_shows_one_actor_by_any_of_its_names() {
    let app = family();
    let address: u64 = app.ask(".carol", "self; ret $it").parse().expect("an address");
    let at = app.ask(".carol", "listen 127.0.0.1:0; local $it; timeout 100000; on timeout {log late}; ret done");
    assert_eq!(at, "done");
    for name in [&*format!(":{address:08x}"), ".carol", "carol"] {
        let info = app.json(&["info", name]);
        assert_eq!((&info["names"], &info["mailbox_bound"]), (&json!([".carol"]), &json!(7)), "{info}");
        assert_eq!(info["mailbox_full"], "hold");
        assert_eq!(
            info["supervisor"],
            json!({ "supervisor": "low", "restart": "permanent", "state": "running", "restarts": 0 })
        );
        assert_eq!((&info["sockets"][0]["state"], &info["parent"]), (&json!("listening"), &Value::Null));
        assert_eq!((&info["timers"], &info["state"]), (&json!(1), &json!("idle")), "{info}");
    }
    let text = app.says(&["info", "carol"]);
    for line in
        ["name        .carol", "mailbox     0 of 7, then hold", "supervisor  low (permanent, running, restarts 0)"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(text.contains("listening  127.0.0.1:"), "{text}");
    assert_eq!(app.fails(2, &["info", "nobody"]), "error: no actor `nobody`; `wasmactor ps` lists them\n");
    assert!(app.fails(2, &["info", ":ffffffff"]).contains("no actor `:ffffffff`"));
    let said = app.fails(2, &["kill", "many"]);
    assert!(said.starts_with("error: 2 actors are called `many`: :"), "{said}");
    let timers = app.json(&["timers", "carol"]);
    assert_eq!((&timers["total"], &timers["timers"][0]["what"]), (&json!(1), &json!("timer")));
    assert!(app.says(&["timers"]).contains(".carol (:"), "its owner");
    let sockets = app.json(&["netstat"]);
    assert_eq!(sockets["total"], 2, "carol's, and that of the test's own actor: {sockets}");
    assert!(app.says(&["netstat", "carol"]).lines().count() == 2);
    assert!(app.says(&["mem"]).lines().count() == 9);
}

#[test]
fn info_shows_what_is_granted_and_how_much_of_each_limit_is_used() {
    let some = "grants = { send = [\"bob\", \"wit*\"], names = [\".x\"], random = false }\nlimits = { timers = 3, turn = \"2m\", names = 4 }";
    let app = Setup::new().puppet_with("alice", some).puppet("bob").start();
    assert_eq!(app.ask(".alice", "register .x; timeout 100000; timeout 100000; watch .bob; ret done"), "done");
    let info = app.json(&["info", "alice"]);
    assert_eq!(
        (&info["grants"], &info["withheld"]),
        (&json!({ "names": ".x", "send": "bob, wit*" }), &json!(["random"]))
    );
    let limits = info["limits"].as_array().expect("rows");
    for row in [
        json!({ "key": "timers", "most": 3, "used": 2 }),
        json!({ "key": "watches", "most": 65536, "used": 1 }),
        json!({ "key": "names", "most": 4, "used": 2 }),
        json!({ "key": "turn", "most": 120_000, "used": null }),
        json!({ "key": "mailbox-bytes", "most": 64 << 20, "used": 0 }),
    ] {
        assert!(limits.contains(&row), "{row}: {info}");
    }
    assert!(app.json(&["info", "bob"])["grants"]["kill"] == "*", "every grant");
    let text = app.says(&["info", "alice"]);
    for line in
        ["granted     send: bob, wit*", "without     random", "limit       timers: 2 of 3", "limit       turn: 2m"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    // In the middle of an endless turn, too.
    app.told(".alice", "spin");
    while app.json(&["info", "alice"])["state"] != "running" {}
    assert_eq!(app.json(&["info", "alice"])["grants"]["send"], "bob, wit*");
}

#[test]
fn a_turn_that_runs_and_a_wait_are_seen() {
    let app = family();
    let parked = app.ask_later(".alice", "call .bob {defer; let held; log held}; ret $it");
    app.logged("bob", "held");
    let info = app.json(&["info", "alice"]);
    assert_eq!((&info["state"], &info["waits_on"]["name"]), (&json!("parked"), &json!(".bob")), "{info}");
    assert!(app.says(&["info", "alice"]).contains("waits for   .bob (:"));
    app.told(".bob", "reply $held thanks");
    assert_eq!(parked.wait(), "thanks");
    app.told(".bob", "spin");
    let busy = loop {
        let info = app.json(&["info", "bob"]);
        if info["state"] == "running" {
            break info;
        }
    };
    assert_eq!((&busy["running"]["kind"], &busy["running"]["from"]["name"]), (&json!("message"), &json!(".control")));
}

#[test]
fn tree_shows_who_stands_under_whom() {
    let app = family();
    let child = app.ask(".alice", "defer; let open; on spawned {reply %open $it}; spawn puppet .child {note x}");
    assert!(!child.starts_with('!'), "{child}");
    let text = app.says(&["tree"]);
    let names: Vec<String> = text
        .lines()
        .map(|line| {
            let depth = line.chars().take_while(|c| !c.is_alphanumeric() && *c != '[' && *c != '.').count();
            let name: String = line.chars().skip(depth).take_while(|c| *c != ' ').collect();
            format!("{}{name}", depth / 3)
        })
        .collect();
    let expected = ["0[top]", "1[low]", "2.carol", "1.bob", "0.echo", "0.many.0", "0.many.1", "0.alice", "1.child"];
    assert_eq!(names[..expected.len()], expected, "{text}");
    let tree = app.json(&["tree"]);
    assert_eq!((&tree["nodes"][0]["name"], &tree["nodes"][0]["what"]), (&json!("top"), &json!("one-for-one")));
    let modules = app.json(&["modules"]);
    let puppet =
        modules["modules"].as_array().expect("rows").iter().find(|row| row["name"] == "puppet").expect("there");
    assert_eq!((&puppet["actors"], &puppet["current"]), (&json!(7), &json!(true)), "{modules}");
    assert!(app.says(&["modules"]).contains("WAIT P50"));
}

#[test]
fn messages_and_calls_reach_actors() {
    let app = family();
    assert_eq!(app.says(&["send", "alice", "--text", "log got it"]), "");
    app.logged("alice", "got it");
    assert_eq!(app.says(&["call", "alice", "--text", "ret hello"]), "hello\n");
    for value in [r#"{"a":[1,-2,null,"ä"]}"#, "-5", "true"] {
        assert_eq!(app.says(&["call", "echo", value]), format!("{value}\n"));
    }
    assert_eq!(app.says(&["call", "echo", "a word"]), "\"a word\"\n");
    assert_eq!(app.says(&["call", "echo", "--hex", "ff00"]), "ff00\n");
    assert_eq!(app.json(&["call", "echo", "--text", "x"]), json!({ "reply": { "text": "x" } }));
    assert!(app.fails(2, &["call", "echo", "--hex", "zz"]).contains("two digits"));
    let said = app.fails(1, &["call", "alice", "--text", "panic oh no"]);
    assert!(said.starts_with("error: actor-failed: "), "{said}");
    let said = app.fails(1, &["call", "bob", "--text", "defer", "--timeout", "1ms"]);
    assert_eq!(said, "error: deadline: no answer came in time\n");
    app.told(".many.0", "subscribe user1; on signal {log signalled}");
    assert_eq!(app.ask(".many.0", "ret ready"), "ready");
    app.says(&["signal", "many.0", "user1"]);
    app.logged("many.0", "signalled");
}

#[test]
fn actors_are_ended_and_restarted() {
    let mut app = family();
    app.ask(".bob", "note old; ret");
    app.says(&["restart", "bob", "--reason", "a fresh start"]);
    app.ask_until(".bob", "ret =$notes", |notes| notes == "=");
    app.process.line("why", |line| line.actor == "bob" && line.message == "killed: a fresh start");
    assert_eq!(app.json(&["info", "bob"])["supervisor"]["restarts"], 1);
    let said = app.fails(1, &["restart", "alice"]);
    assert!(said.starts_with("error: refused: ") && said.contains("has no supervisor"), "{said}");
    app.says(&["kill", "alice"]);
    app.ask_until(".witness", "lookup .alice; ret $it", |found| found == "none");
    // One that never ends its turn, too.
    app.told(".many.1", "spin");
    app.says(&["kill", "many.1"]);
    app.ask_until(".witness", "lookup .many.1; ret $it", |found| found == "none");
    app.lives();
}

#[test]
fn it_answers_while_every_worker_is_in_an_endless_loop() {
    let mut setup = Setup::new().argument("--workers=2");
    for index in 0..6 {
        setup = setup.actor(&format!("spin{index}"), ["puppet", "plain"][index % 2], ALL);
    }
    let mut app = setup.start();
    for index in 0..6 {
        app.told(&format!(".spin{index}"), "spin");
    }
    for _ in 0..20 {
        let answer = app.json(&["ps", "spin*"]);
        let states: Vec<&str> =
            answer["actors"].as_array().expect("rows").iter().map(|row| row["state"].as_str().expect("text")).collect();
        assert!(states.iter().all(|state| ["running", "cut", "queued"].contains(state)), "{states:?}");
    }
    assert!(app.json(&["ping"])["actors"].as_u64() == Some(8));
    // A stop kills them after the time to finish.
    assert!(app.says(&["stop"]).ends_with("has stopped\n"));
    assert_eq!(app.process.end(), Some(0));
}

#[test]
fn wrong_arguments_are_told() {
    for arguments in [&["ps", "--sort", "colour"][..], &["ping", "--connect", "127.0.0.1:1"], &["stop", "now"]] {
        let output = command(arguments).output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
