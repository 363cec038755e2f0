//! Promise 10 over the built binary: examples/kv goes on over reloads, under load, with its real clients; failures, trials,
//! `run --watch`, and a host that is killed in the middle.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;
use wasmactor_tests::{DEADLINE, Process, Signal, command, root};

/// The modules of examples/kv, built once.
fn modules() -> &'static [(String, PathBuf)] {
    static MODULES: OnceLock<Vec<(String, PathBuf)>> = OnceLock::new();
    MODULES.get_or_init(|| {
        let output = command(&["build"]).arg(root().join("examples/kv/app.toml")).output().expect("the host starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).expect("text");
        let pair = |line: &str| line.split_once(' ').map(|(name, file)| (name.to_owned(), PathBuf::from(file)));
        printed.lines().filter_map(pair).collect()
    })
}

/// A running kv whose modules are files of its own.
struct Kv {
    process: Process,
    port: String,
    folder: TempDir,
}

impl Kv {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut text = fs::read_to_string(root().join("examples/kv/app.toml")).expect("its app.toml");
        text = text.replace("127.0.0.1:7379", "127.0.0.1:0");
        for (name, file) in modules() {
            fs::copy(file, folder.path().join(format!("{name}.wasm"))).expect("a copy");
            text = text.replace(&format!("source = \"{name}\""), &format!("source = \"{name}.wasm\""));
        }
        fs::write(folder.path().join("app.toml"), text).expect("app.toml");
        Self::run(folder, arguments)
    }

    fn run(folder: TempDir, arguments: &[&str]) -> Self {
        let process = Process::run(&folder.path().join("app.toml"), arguments);
        let line = process.line("the listener", |line| line.message.starts_with("listening on 127.0.0.1:"));
        let port = line.message.rsplit(':').next().expect("a port").to_owned();
        Self { process, port, folder }
    }

    /// Puts another version of a module there: the same code with a number behind it.
    fn version(&self, module: &str, number: u32) {
        let (_, file) = modules().iter().find(|(name, _)| name == module).expect("a module of kv");
        let mut bytes = fs::read(file).expect("it is built");
        // A custom section, `v`, of eight digits.
        bytes.extend([0, 10, 1, b'v']);
        bytes.extend(format!("{number:08}").bytes());
        self.put(module, &bytes);
    }

    fn put(&self, module: &str, bytes: &[u8]) {
        let file = self.folder.path().join(format!("{module}.wasm"));
        let aside = file.with_extension("new");
        fs::write(&aside, bytes).and_then(|()| fs::rename(&aside, &file)).expect("a file");
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = command(arguments);
        command.env("XDG_RUNTIME_DIR", self.folder.path()).output().expect("the binary starts")
    }

    /// What it prints; it must succeed.
    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    fn endpoint(&self) -> Endpoint {
        let entries = fs::read_dir(self.folder.path().join("wasmactor")).expect("the folder of the sockets");
        let socket = entries.map(|entry| entry.expect("readable").path()).next().expect("a socket");
        let stream = UnixStream::connect(socket).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
        Endpoint(BufReader::new(stream))
    }

    fn client(&self) -> Client {
        let stream = TcpStream::connect(format!("127.0.0.1:{}", self.port)).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
        Client(BufReader::new(stream))
    }

    #[track_caller]
    fn stop(mut self) {
        assert!(self.process.runs());
        self.process.signal(Signal::Term);
        assert_eq!(self.process.end(), Some(0));
        let lines = self.process.lines();
        let bad: Vec<_> = lines.iter().filter(|line| ["ERROR", "WARN"].contains(&line.level.as_str())).collect();
        assert!(bad.is_empty(), "{bad:?}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The control endpoint: no process for each reload.
struct Endpoint(BufReader<UnixStream>);

impl Endpoint {
    /// Reloads the stores; what became of it.
    #[track_caller]
    fn reload(&mut self) -> Value {
        let line = "{\"id\":1,\"command\":\"reload\",\"module\":\"store\"}\n";
        self.0.get_mut().write_all(line.as_bytes()).expect("it listens");
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("it answers");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        answer["ok"]["modules"][0].clone()
    }
}

/// A client of the server.
struct Client(BufReader<TcpStream>);

impl Client {
    fn write(&mut self, commands: &str) {
        self.0.get_mut().write_all(commands.as_bytes()).expect("it listens");
    }

    /// A line of a reply.
    #[track_caller]
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("it answers");
        line.trim_end().to_owned()
    }
}

#[test]
fn a_thousand_reloads_lose_double_and_reorder_nothing() {
    const RELOADS: u32 = 1000;
    const BATCH: u64 = 50;
    let kv = Kv::start(&[]);
    let done = std::sync::atomic::AtomicBool::new(false);
    let counted = std::thread::scope(|scope| {
        let counter = |name: &'static str| {
            let (mut client, done) = (kv.client(), &done);
            scope.spawn(move || {
                let mut count = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    client.write(&format!("INCR {name}\r\n").repeat(usize::try_from(BATCH).expect("few")));
                    for _ in 0..BATCH {
                        count += 1;
                        assert_eq!(client.line(), format!(":{count}"), "{name}: the replies of one client, in order");
                    }
                }
                (name, count)
            })
        };
        let counters: Vec<_> = ["a", "b", "c", "d", "e", "f"].into_iter().map(counter).collect();
        let mut endpoint = kv.endpoint();
        for number in 0..RELOADS {
            kv.version("store", number % 2);
            let row = endpoint.reload();
            assert_eq!(
                (&row["exchanged"], &row["kept"], &row["problem"]),
                (&json!(4), &json!([]), &Value::Null),
                "{row}"
            );
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        counters.into_iter().map(|counter| counter.join().expect("all replies were right")).collect::<Vec<_>>()
    });
    let mut client = kv.client();
    for (name, count) in counted {
        client.write(&format!("GET {name}\r\n"));
        assert_eq!((client.line(), client.line()), (format!("${}", count.to_string().len()), count.to_string()));
        assert!(count > BATCH, "there was load");
    }
    kv.stop();
}

#[test]
fn redis_benchmark_runs_through_reloads_of_stores_connections_and_listener() {
    let kv = Kv::start(&[]);
    let reload = |number: u32| {
        ["store", "listener", "conn"].iter().for_each(|module| kv.version(module, number % 2));
        kv.says(&["reload", "--all"])
    };
    // Compiled once, the rest is quick.
    (0..2).for_each(|number| drop(reload(number)));
    let arguments = ["-p", &kv.port, "-t", "set,get,incr", "-c", "50", "-n", "50000", "-P", "4", "--csv"];
    let mut benchmark = Command::new("redis-benchmark")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`cargo xtask setup` installs it");
    let (mut reloads, mut connections) = (0, 0);
    while benchmark.try_wait().expect("a child").is_none() {
        let said = reload(reloads);
        assert!(said.contains("4 with their state"), "{said}");
        let conn = said.lines().find(|line| line.starts_with("conn: ")).expect("a line for each module");
        let count =
            conn.split(" with their state").next().and_then(|text| text.rsplit(' ').next()?.parse::<u64>().ok());
        connections += count.unwrap_or_else(|| panic!("{said}"));
        reloads += 1;
    }
    let mut said = String::new();
    benchmark.stdout.take().expect("piped").read_to_string(&mut said).expect("text");
    benchmark.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    assert!(!said.to_lowercase().contains("err"), "{said}");
    for test in ["SET", "GET", "INCR"] {
        assert!(said.lines().any(|line| line.starts_with(&format!("\"{test}\""))), "{test} in {said}");
    }
    let mut client = kv.client();
    client.write("GET counter:__rand_int__\r\n");
    assert_eq!((client.line(), client.line()), ("$5".to_owned(), "50000".to_owned()), "after {reloads} reloads");
    assert!(connections >= 50, "{connections} of {reloads} reloads");
    kv.stop();
}

#[test]
fn a_trial_a_commit_and_the_way_back() {
    let kv = Kv::start(&[]);
    let versions = || -> Vec<String> {
        let answer: Value = serde_json::from_str(&kv.says(&["ps", "store", "--json"])).expect("JSON");
        let rows = answer["actors"].as_array().expect("a list");
        rows.iter().map(|row| row["version"].as_str().expect("text").to_owned()).collect()
    };
    let old = versions();
    assert_eq!(kv.says(&["reload", "store"]), format!("store: {} is what its file has\n", old[0]));
    kv.version("store", 1);
    let said = kv.says(&["reload", "store", "--check"]);
    assert!(said.starts_with(&format!("store: {} would be ", old[0])), "{said}");
    assert_eq!(versions(), old, "a check changes nothing");
    let said = kv.says(&["reload", "store", "--canary", "10%"]);
    assert!(said.contains(": 1 with their state, 3 not asked, pause "), "{said}");
    assert_eq!(versions().iter().filter(|version| **version != old[0]).count(), 1);
    let refused = kv.command(&["reload", "store"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stdout).contains("a trial of `store` is under way"), "{}", text(&refused.stdout));
    assert!(kv.says(&["reload", "store", "--rollback"]).contains("1 with their state"));
    assert_eq!(versions(), old);
    kv.says(&["reload", "store", "--canary", "50"]);
    assert!(kv.says(&["reload", "store", "--commit"]).contains("2 with their state"));
    assert!(versions().iter().all(|version| *version != old[0]));
    assert!(kv.says(&["reload", "store", "--rollback"]).contains("4 with their state"), "also afterwards");
    assert_eq!(versions(), old);
    let said = kv.command(&["reload", "stores"]);
    assert_eq!(said.status.code(), Some(2));
    assert_eq!(text(&said.stderr), "error: there is no module `stores`; there are conn, listener, store\n");
    kv.stop();
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let kv = Kv::start(&[]);
    let mut client = kv.client();
    client.write("SET k v\r\n");
    assert_eq!(client.line(), "+OK");
    let (_, listener) = modules().iter().find(|(name, _)| name == "listener").expect("the listener");
    let cases: [(&[u8], &str); 4] = [
        (b"no wasm", "is not valid WebAssembly text"),
        (b"\0asm\x01\0\0\0", "exports no wasmactor:actor/handler"),
        (&fs::read(listener).expect("it is built"), "which the old one did not, and needs the grant `"),
        (include_bytes!("../guests/stateless.wat"), "does not export wasmactor:actor/state any more"),
    ];
    for (bytes, why) in cases {
        kv.put("store", bytes);
        let refused = kv.command(&["reload", "store"]);
        assert_eq!(refused.status.code(), Some(1), "{why}");
        assert!(text(&refused.stdout).contains(why), "{why}: {}", text(&refused.stdout));
    }
    // Another program's state: the new instance refuses it, or does not even start.
    kv.put("store", include_bytes!("../guests/picky.wat"));
    let refused = kv.command(&["reload", "store"]);
    let said = text(&refused.stdout);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("0 with their state, 1 as they were, 3 not asked"), "{said}");
    assert!(said.contains("goes on as it was: not mine"), "{said}");
    client.write("GET k\r\n");
    assert_eq!((client.line(), client.line()), ("$1".to_owned(), "v".to_owned()));
    kv.stop();
}

#[test]
fn connections_go_on_in_the_middle_of_whatever_they_do() {
    let kv = Kv::start(&[]);
    let mut client = kv.client();
    let mut number = 0;
    let mut reload = || {
        number += 1;
        kv.version("conn", number);
        let said = kv.says(&["reload", "conn"]);
        assert!(said.contains(": 1 with their state"), "{said}");
    };
    client.write("CLIENT SETNAME alice\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\nha");
    assert_eq!(client.line(), "+OK");
    reload();
    client.write("lf\r\nCLIENT GETNAME\r\nHELLO 3\r\nGE");
    assert_eq!([client.line(), client.line(), client.line()], ["+OK", "$5", "alice"]);
    reload();
    client.write("T k\r\nGET nothing\r\n");
    let lines: Vec<String> = std::iter::repeat_with(|| client.line()).take_while(|line| line != "half").collect();
    assert!(lines.contains(&"%7".to_owned()), "{lines:?}");
    reload();
    assert_eq!(client.line(), "_", "RESP3, as it said");
    client.write("QUIT\r\n");
    assert_eq!([client.line(), client.line()], ["+OK", ""]);
    kv.stop();
}

#[test]
fn watched_files_are_reloaded() {
    let kv = Kv::start(&["--watch", "--no-build"]);
    let mut client = kv.client();
    client.write("SET k v\r\n");
    assert_eq!(client.line(), "+OK");
    // The watch may begin a moment after the listener, and miss the first ones.
    let reloaded = |number: u32| {
        kv.version("store", number);
        let said = |line: &wasmactor_tests::Line| line.message.starts_with("reloaded store: ");
        (0..50).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            kv.process.lines().iter().any(said)
        })
    };
    assert!((1..10).any(reloaded), "{}", kv.process.errors());
    client.write("GET k\r\n");
    assert_eq!((client.line(), client.line()), ("$1".to_owned(), "v".to_owned()));
    kv.stop();
}

#[test]
fn a_host_that_is_killed_in_the_middle_starts_again() {
    let mut kv = Kv::start(&[]);
    let folder = kv.folder.path().to_owned();
    let mut client = kv.client();
    for round in 0..3 {
        // Some megabytes of state, so that a reload takes a while.
        let value = "x".repeat(1 << 20);
        for key in 0..8 {
            client.write(&format!("*3\r\n$3\r\nSET\r\n$4\r\nkey{key}\r\n${}\r\n{value}\r\n", value.len()));
            assert_eq!(client.line(), "+OK");
        }
        kv.version("store", 10 + round);
        let mut reload = command(&["reload", "store"]);
        let mut reload = reload
            .env("XDG_RUNTIME_DIR", &folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        std::thread::sleep(std::time::Duration::from_millis(20 * u64::from(round) + 5));
        kv.process.signal(Signal::Kill);
        assert_eq!(kv.process.end(), None);
        drop(reload.wait());
        let Kv { folder, .. } = kv;
        kv = Kv::run(folder, &[]);
        client = kv.client();
        client.write("DBSIZE\r\n");
        assert_eq!(client.line(), ":0", "a new host begins anew");
    }
    assert!(left(&folder) == 1, "what the killed ones left is removed or replaced");
    kv.stop();
}

/// Sockets of hosts that can be found.
fn left(folder: &Path) -> usize {
    let mut ping = command(&["ping"]);
    assert!(ping.env("XDG_RUNTIME_DIR", folder).output().expect("it starts").status.success());
    fs::read_dir(folder.join("wasmactor")).expect("the folder of the sockets").count()
}
