//! The app of the stress, and its control endpoint.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::journal::Journal;
use crate::{ALL, DEADLINE, Process, Signal, components, guest};

/// Modules, and which guest each is.
const MODULES: [(&str, &str); 7] = [
    ("worker", "stress"),
    ("plain", "stress-plain"),
    ("gate", "stress-plain"),
    ("conn", "stress-plain"),
    ("child", "stress"),
    ("witness", "stress-plain"),
    ("judge", "stress-plain"),
];
/// Modules that are reloaded; the witness too, with its connection.
pub(super) const RELOADED: [&str; 5] = ["worker", "plain", "gate", "conn", "witness"];
/// Actors that ask and are asked: their entries, modules, supervisors, and how many.
const WORKERS: [(&str, &str, &str, usize); 4] =
    [("wa", "plain", "left", 6), ("wb", "worker", "right", 6), ("wc", "worker", "all", 3), ("wd", "plain", "rest", 3)];
/// Versions of a module: the same code with another number behind it.
const VERSIONS: usize = 4;

const REST: &str = r#"
[host]
workers = 4
call-timeout = "1s"
stop-timeout = "2s"

[limits]
turn = "300ms"

[crashes]
folder = "crashes"
files = 20

[control]
socket = "control.sock"

[supervisor.top]
max-restarts = 1000000
backoff = "1ms"
backoff-max = "20ms"

[supervisor.left]
under = "top"
max-restarts = 1000000
backoff = "1ms"
backoff-max = "20ms"

[supervisor.right]
under = "top"
max-restarts = 1000000
backoff = "1ms"
backoff-max = "20ms"
decider = "judge"
decide-timeout = "50ms"

# These give up now and then: all of `right` is restarted then.
[supervisor.all]
under = "right"
strategy = "one-for-all"
max-restarts = 20
period = "1s"
backoff = "1ms"
backoff-max = "20ms"
stop-timeout = "100ms"

[supervisor.rest]
under = "right"
strategy = "rest-for-one"
max-restarts = 20
period = "1s"
backoff = "1ms"
backoff-max = "20ms"
stop-timeout = "100ms"
"#;

fn manifest() -> String {
    let mut text = format!("[app]\nname = \"stress\"\n{REST}");
    let mut add = |part: String| text.write_str(&part).expect("a string");
    for (module, _) in MODULES {
        let limits =
            if module == "witness" { "mailbox = 10000000, mailbox-bytes = \"1GiB\"" } else { "mailbox = 3000" };
        add(format!("\n[module.{module}]\nsource = \"{module}.wasm\"\nlimits = {{ {limits} }}\n{ALL}\n"));
    }
    let mut actor = |name: &str, module: &str, rest: &str| {
        add(format!("\n[[actor]]\nname = \"{name}\"\nmodule = \"{module}\"\n{rest}\n"));
    };
    actor("witness", "witness", "args = \"witness\"");
    actor("judge", "judge", "args = \"judge\"");
    for (name, module, supervisor, count) in WORKERS {
        actor(name, module, &format!("args = \"worker\"\ncount = {count}\nsupervisor = \"{supervisor}\""));
    }
    actor("gate", "gate", "args = \"gate\"\nsupervisor = \"top\"");
    text
}

/// A running host. Stopped by [`Host::stop`], killed when dropped.
#[derive(Debug)]
pub(super) struct Host {
    process: Process,
    folder: TempDir,
    witness: String,
}

/// One connection to its control endpoint.
#[derive(Debug)]
pub(super) struct Control(BufReader<UnixStream>);

impl Host {
    pub(super) fn start(as_components: bool, journal: &Journal) -> Self {
        let folder = tempfile::Builder::new().prefix("wasmactor-stress-").tempdir().expect("a temporary folder");
        for (module, _) in MODULES {
            put(folder.path(), module, 0);
        }
        let path = folder.path().join("app.toml");
        std::fs::write(&path, manifest()).expect("app.toml");
        // Where the whole suite runs so, it is said already.
        let arguments: &[&str] = if as_components && !components() { &["--force-component"] } else { &[] };
        let process = Process::run(&path, arguments);
        let line = process.line("the start", |line| line.message.starts_with("witness listens at "));
        let witness = line.message.rsplit(' ').next().expect("an address").to_owned();
        process.line("the control endpoint", |_| folder.path().join("control.sock").exists());
        journal.note(format!("host {} runs", process.id()));
        Self { process, folder, witness }
    }

    /// Where the witness listens.
    pub(super) fn witness(&self) -> &str {
        &self.witness
    }

    /// Names of all workers.
    pub(super) fn workers() -> Vec<String> {
        WORKERS.iter().flat_map(|(name, .., count)| (0..*count).map(move |index| format!(".{name}.{index}"))).collect()
    }

    /// How many actors there are while all is quiet: these, the witness, the judge and the gate.
    pub(super) fn actors() -> usize {
        Self::workers().len() + 3
    }

    /// Names of the workers of one half of the tree.
    pub(super) fn half(right: bool) -> Vec<String> {
        Self::workers().into_iter().filter(|name| name.starts_with(".wa.") != right).collect()
    }

    /// Puts another version of a module there.
    pub(super) fn put(&self, module: &str, version: usize) {
        put(self.folder.path(), module, version % VERSIONS);
    }

    pub(super) fn control(&self) -> Control {
        let stream = UnixStream::connect(self.folder.path().join("control.sock")).expect("the host listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
        Control(BufReader::new(stream))
    }

    pub(super) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Its folder under /proc.
    pub(super) fn proc(&self) -> PathBuf {
        Path::new("/proc").join(self.process.id().to_string())
    }

    /// Its last lines, and what it said on stderr.
    pub(super) fn log(&self) -> Vec<String> {
        let lines = self.process.lines();
        let last = lines.iter().rev().take(30).rev().map(|line| line.raw.clone());
        last.chain(self.process.errors().lines().map(str::to_owned)).collect()
    }

    /// Stops it, which must go well.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        if !self.process.runs() {
            let code = self.process.end();
            return Err(format!("the host had ended, code {code:?}"));
        }
        self.process.signal(Signal::Term);
        let code = self.process.end();
        let errors = self.process.errors();
        let lost = self.process.lines().into_iter().find(|line| line.message.contains("records are lost"));
        match (code, errors.as_str(), lost) {
            (Some(0), "", None) => Ok(()),
            (_, _, Some(lost)) => Err(format!("the stress itself: {}", lost.message)),
            (code, errors, None) => Err(format!("the host ended with {code:?}, and said {errors:?}")),
        }
    }
}

fn put(folder: &Path, module: &str, version: usize) {
    let (_, of) = MODULES.iter().find(|(name, _)| *name == module).expect("a module of the app");
    let mut bytes = std::fs::read(guest(of)).expect("it is built");
    // A custom section, `v`, of eight digits.
    bytes.extend([0, 10, 1, b'v']);
    bytes.extend(format!("{version:08}").bytes());
    let file = folder.join(format!("{module}.wasm"));
    let aside = file.with_extension("new");
    std::fs::write(&aside, bytes).and_then(|()| std::fs::rename(&aside, &file)).expect("a file");
}

impl Control {
    /// The answer, or the error's code. Panics where the host does not answer.
    pub(super) fn ask(&mut self, command: &str, mut arguments: Value) -> Result<Value, String> {
        arguments["command"] = json!(command);
        self.0.get_mut().write_all(format!("{arguments}\n").as_bytes()).expect("the host listens");
        let mut line = String::new();
        self.0.read_line(&mut line).expect("the host answers");
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        match answer["error"]["code"].as_str() {
            None => Ok(answer["ok"].clone()),
            Some(code) => Err(code.to_owned()),
        }
    }

    /// Tells a worker what to do; it may be gone for the moment.
    pub(super) fn order(&mut self, to: &str, words: &str) {
        let told = self.ask("send", json!({ "actor": to, "kind": 2, "payload": { "text": words } }));
        let fine = told.is_ok() || told.as_ref().is_err_and(|code| code == "mailbox-full");
        assert!(fine, "telling {to}: {told:?}");
    }
}
