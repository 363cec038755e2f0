//! The control endpoint: where it is found, who may come in, and clients that misbehave.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};
use wasmactor_tests::{ALL, App, DEADLINE, Setup, Signal};

fn app() -> App {
    Setup::new().puppet("alice").actor("many", "puppet", &format!("count = 2\n{ALL}")).start()
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

/// Threads of the host that serve clients, and KiB that it has in memory.
fn takes(app: &App) -> (usize, usize) {
    let place = format!("/proc/{}", app.process.id());
    let tasks = std::fs::read_dir(format!("{place}/task")).expect("it runs").filter_map(Result::ok);
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    let threads = names.filter(|name| name.starts_with("wa-control-")).count();
    let status = std::fs::read_to_string(format!("{place}/status")).expect("it runs");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    (threads, resident.trim().trim_end_matches(" kB").parse().expect("a number"))
}

#[test]
fn a_flood_of_clients_leaves_nothing_behind_and_who_was_there_gets_answers() {
    // 64 clients with a line of a MiB each, and what the allocator keeps for their threads.
    const MOST: usize = 256 << 10;
    let mut app = app();
    // It works meanwhile.
    app.told(".alice", "on timeout {timeout 0}; timeout 0");
    let mut regular = Raw::new(&app);
    let mut answered = || {
        regular.send(b"{\"command\":\"ping\"}\n").expect("a line");
        assert_eq!(regular.line()["ok"]["app"], "test");
    };
    answered();
    let (_, before) = takes(&app);
    for _ in 0..4 {
        let mut flood: Vec<Raw> = (0..200).map(|_| Raw::new(&app)).collect();
        for (index, client) in flood.iter_mut().enumerate() {
            client.0.get_mut().set_nonblocking(true).expect("a socket");
            // Half a line; a line without an end; requests whose answers nobody reads; nothing. Most are turned away, and hear so
            // or not.
            match index % 4 {
                0 => drop(client.send(b"{\"command\":")),
                1 => (0..64).for_each(|_| drop(client.send(&[b'x'; 1 << 15]))),
                2 => while client.send(&b"{\"command\":\"ps\"}\n".repeat(64)).is_ok() {},
                _ => {}
            }
            if index % 20 == 0 {
                answered();
            }
        }
        let (threads, during) = takes(&app);
        // 64, and those that are about to end.
        assert!(threads < 2 * 64, "{threads} threads");
        assert!(during < before + MOST, "{before} KiB before, {during} in the flood");
        app.lives();
        drop(flood);
        answered();
    }
    // All but the regular's have ended.
    while takes(&app).0 > 1 {}
    let (_, after) = takes(&app);
    assert!(after < before + MOST, "{before} KiB before, {after} after");
    assert_eq!(app.says(&["ping"]).lines().count(), 1);
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

/// What a server answers to these bytes.
fn answer(at: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
    stream.write_all(request).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn prometheus_reads_figures_also_beside_endless_loops() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let at = port.to_string();
    let setup = Setup::new().argument("--workers=1").puppet("alice").puppet("spin");
    let mut app = setup.toml(&format!("[control]\nmetrics = \"{at}\"\n[supervisor.top]")).start();
    for _ in 0..200 {
        app.ask(".alice", "ret");
    }
    app.told(".spin", "spin");
    let page = answer(&at, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    let (head, body) = page.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("text/plain; version=0.0.4"), "{head}");
    for line in body.lines() {
        let sample = || {
            line.rsplit_once(' ')
                .is_some_and(|(name, value)| name.starts_with("wasmactor_") && value.parse::<f64>().is_ok())
        };
        assert!(line.starts_with("# HELP wasmactor_") || line.starts_with("# TYPE wasmactor_") || sample(), "{line}");
    }
    for part in [
        "\nwasmactor_info{app=\"test\",version=",
        "\nwasmactor_workers 1\n",
        "\nwasmactor_sockets{kind=\"listener\"} 1\n",
        "\nwasmactor_module_actors{module=\"puppet\",version=",
        "\nwasmactor_turn_seconds_bucket{module=\"puppet\",le=\"+Inf\"} ",
        "\nwasmactor_process_resident_memory_bytes ",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    assert!(answer(&at, b"GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    assert!(answer(&at, b"POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    assert!(answer(&at, b"\x00\x01\r\n\r\n").starts_with("HTTP/1.1 400 "));
    let said = Setup::new().puppet("a").toml("[control]\nmetrics = \"10.0.0.1:9090\"").refused();
    assert!(said.contains("`metrics` must be an address of this machine alone, not 10.0.0.1:9090"), "{said}");
    assert!(app.process.runs());
}
