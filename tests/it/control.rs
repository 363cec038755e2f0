//! The control endpoint from outside: the commands over the real binary, and clients that misbehave.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};
use wasmactor_tests::{ALL, App, DEADLINE, Setup, Signal, command, wat};

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
        .puppet_with("carol", &format!("supervisor = \"low\"\nmailbox = 7\nmailbox-full = \"hold\"\n{ALL}"))
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
fn one_of_several_hosts_must_be_named_and_the_dead_are_forgotten() {
    let one = app();
    let other = Setup::new().puppet("bob");
    let folder = one.folder().to_owned();
    // The other one's socket is found beside the first one's.
    let link = folder.join("wasmactor/other.sock");
    let path = other.folder().join("here.sock");
    let mut other = other.toml("[control]\nsocket = \"here.sock\"").start();
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    let said = one.fails(2, &["ps"]);
    assert!(said.starts_with("error: several hosts run, say which with --app NAME or --app PID:\n"), "{said}");
    let pid = other.process.id().to_string();
    for target in [["--app", &pid], ["--socket", path.to_str().expect("text")]] {
        assert_eq!(one.json(&["ping", target[0], target[1]])["pid"].to_string(), pid);
    }
    let manifest = other.folder().join("app.toml");
    assert_eq!(one.json(&["ping", "--app", manifest.to_str().expect("text")])["pid"].to_string(), pid);
    assert_eq!(one.fails(2, &["ping", "--app", "none"]), "error: no host runs the app `none`\n");
    // Its own entry is a link, too.
    assert_eq!(other.json(&["ping"])["pid"].to_string(), pid);
    other.process.signal(Signal::Kill);
    assert_eq!(other.process.end(), None);
    assert!(path.exists() && other.control_socket().exists());
    assert!(other.fails(2, &["ping"]).contains("no host runs"));
    assert!(one.says(&["ping"]).starts_with("test "));
    assert!(std::fs::symlink_metadata(link).is_err(), "what a killed host leaves is removed");
    // The place of a host that was killed is taken by the next one.
    let next = Setup::new().puppet("bob").toml(&format!("[control]\nsocket = \"{}\"", path.display())).start();
    assert_eq!(next.json(&["ping", "--socket", path.to_str().expect("text")])["pid"], next.process.id());
}

#[test]
fn only_the_owner_gets_at_the_socket() {
    let app = app();
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&app.control_socket()), mode(&app.folder().join("wasmactor"))), (0o600, 0o700));
    let said = app.fails(2, &["ps", "--socket", "/nowhere/at.all"]);
    assert!(said.starts_with("error: no host listens at /nowhere/at.all: "), "{said}");
}

#[test]
fn tcp_needs_the_token() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let app = Setup::new()
        .puppet("alice")
        .toml(&format!("[control]\nlisten = \"{port}\"\ntoken-file = \"token\"\nsocket = false"))
        .start();
    let (token, at) = (app.folder().join("token"), port.to_string());
    let target = ["--connect", &at, "--token-file", token.to_str().expect("text")];
    let ask = |what: &str, target: &[&str]| app.json(&[&[what], target].concat());
    assert_eq!(ask("ping", &target)["app"], "test");
    assert!(app.fails(2, &["ping"]).contains("no host runs"), "no socket was asked for");
    let secret = std::fs::read_to_string(&token).expect("the host made it");
    std::fs::write(&token, "another").expect("ours");
    let said = app.fails(2, &[&["stop"], &target[..]].concat());
    assert!(said.contains("needs the token"), "{said}");
    let mut stream = TcpStream::connect(port).expect("it listens");
    writeln!(stream, "{{\"command\":\"stop\"}}").expect("a line");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer, and the end");
    assert!(answer.contains("unauthorized"), "{answer}");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).expect("ours");
    assert!(app.fails(2, &[&["ps"], &target[..]].concat()).contains("chmod 600"));
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).expect("ours");
    std::fs::write(&token, secret).expect("ours");
    assert!(ask("ps", &target)["total"].as_u64() == Some(3));
}

/// A client of our own.
struct Raw(BufReader<UnixStream>);

impl Raw {
    fn new(app: &App) -> Self {
        let stream = UnixStream::connect(app.control_socket()).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
        Self(BufReader::new(stream))
    }

    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn ends(&mut self) {
        let mut rest = Vec::new();
        // A reset is an end, too.
        drop(self.0.read_to_end(&mut rest));
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }
}

#[test]
fn whatever_clients_send_the_host_answers_or_hangs_up() {
    let mut app = app();
    let mut client = Raw::new(&app);
    for (line, words) in [
        (&b"\xff\xfe\x00garbage"[..], "no JSON"),
        (b"", "no JSON"),
        (b"{\"id\":4,\"command\":\"fly\"}", "unknown variant `fly`"),
        (b"{\"id\":4,\"command\":\"ps\",\"limit\":-1}", "invalid value"),
    ] {
        client.send(line).and_then(|()| client.send(b"\n")).expect("a line");
        let answer = client.line();
        assert_eq!(answer["error"]["code"], "bad-request", "{answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|text| text.contains(words)), "{answer}");
    }
    // The same connection goes on, several requests at once.
    client.send(b"{\"id\":1,\"command\":\"ping\"}\n{\"id\":2,\"command\":\"ping\"}\n").expect("two lines");
    assert_eq!((&client.line()["id"], &client.line()["id"]), (&json!(1), &json!(2)));
    // A line of a MiB is one; a longer one is none.
    let padded = format!("{{\"command\":\"ping\"{}}}", " ".repeat((1 << 20) - 19));
    client.send(format!("{padded}\n").as_bytes()).expect("a long line");
    assert_eq!(client.line()["ok"]["app"], "test");
    client.send(format!("{padded}  \n").as_bytes()).expect("too long a line");
    assert_eq!(client.line()["error"]["message"], "a line may have 1048576 bytes");
    client.ends();
    let mut endless = Raw::new(&app);
    while endless.send(&[b'x'; 1 << 16]).is_ok() {}
    // Half a line, and the end.
    drop(Raw::new(&app).send(b"{\"command\":"));
    assert_eq!(app.says(&["ping"]).lines().count(), 1);
    app.lives();
}

#[test]
fn slow_and_too_many_clients_hold_up_nobody() {
    let mut app = app();
    let mut slow = Raw::new(&app);
    // It reads nothing: its answers fill the buffers, then it is served no more.
    slow.0.get_mut().set_nonblocking(true).expect("a socket");
    while slow.send(&b"{\"command\":\"ps\"}\n".repeat(64)).is_ok() {}
    let mut crowd: Vec<Raw> = (0..63).map(|_| Raw::new(&app)).collect();
    for client in &mut crowd {
        client.send(b"{\"command\":\"ping\"}\n").expect("a line");
        assert_eq!(client.line()["ok"]["app"], "test");
    }
    let mut late = Raw::new(&app);
    assert_eq!(late.line()["error"]["code"], "busy");
    late.ends();
    assert!(app.fails(2, &["ping", "--socket", app.control_socket().to_str().expect("text")]).contains("64 clients"));
    drop(crowd);
    while !app.command(&["ping"]).output().expect("starts").status.success() {}
    app.lives();
}

#[test]
fn it_can_be_left_out_and_places_that_make_no_sense_are_told() {
    let app = Setup::new().puppet("alice").argument("--no-control").start();
    assert!(app.fails(2, &["ping"]).contains("no host runs"));
    let said =
        Setup::new().puppet("a").toml("[control]\nlisten = \"0.0.0.0:7000\"\nsocket = 3\ntoken-fiel = \"t\"").refused();
    for words in [
        "`listen` must be an address of this machine alone, not 0.0.0.0:7000",
        "`socket` must be true, false or a path, not a whole number",
        "unknown key `token-fiel` in [control]",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = Setup::new().puppet("a").toml("[control]\nlisten = \"127.0.0.1:7000\"").refused();
    assert!(said.contains("`listen` without a `token-file`"), "{said}");
    // A place that cannot be had: asked for, it is a fault; else a warning.
    let setup = Setup::new().file("full", "precious").puppet("a").toml("[control]\nsocket = \"full\"");
    let (mut process, folder) = setup.run();
    assert_eq!(process.end(), Some(1));
    assert!(process.errors().contains("is there already, and is no socket"), "{}", process.errors());
    assert_eq!(std::fs::read_to_string(folder.path().join("full")).expect("there"), "precious");
    let mut app = Setup::new().file("wasmactor", "").puppet("a").start();
    app.process.line("a warning", |line| line.message.contains("the host cannot be controlled"));
    app.lives();
}

#[test]
fn wrong_arguments_are_told() {
    for arguments in [&["ps", "--sort", "colour"][..], &["ping", "--connect", "127.0.0.1:1"], &["stop", "now"]] {
        let output = command(arguments).output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
