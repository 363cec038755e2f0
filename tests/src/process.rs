//! A running host: its lines as they come, its signals, its end.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::{DEADLINE, binary, target};

/// One line of the log, from its JSON form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub time: String,
    pub level: String,
    /// `guest` or `wasmactor`.
    pub target: String,
    /// Name, or empty for the host's own lines.
    pub actor: String,
    pub address: String,
    pub message: String,
    /// An object, or null.
    pub fields: serde_json::Value,
    /// As it stood in the output; the only thing there is for a line that is not JSON.
    pub raw: String,
}

impl Line {
    /// Reads a line of the log.
    pub fn parse(raw: &str) -> Self {
        let object: serde_json::Value = serde_json::from_str(raw).unwrap_or_default();
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        Self {
            time: text("time"),
            level: text("level"),
            target: text("target"),
            actor: text("actor"),
            address: text("address"),
            message: text("message"),
            fields: object["fields"].clone(),
            raw: raw.to_owned(),
        }
    }
}

/// What can be sent to a process.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    Term,
    Hup,
    Usr1,
    Usr2,
    Kill,
    /// It stands still until `Continue`.
    Pause,
    Continue,
}

#[derive(Debug, Default)]
struct Said {
    lines: Vec<Line>,
    errors: String,
    /// Streams that have not ended.
    open: usize,
}

#[derive(Debug, Default)]
struct Shared {
    said: Mutex<Said>,
    more: Condvar,
}

impl Shared {
    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().expect("no reader panics")
    }
}

/// See the file's head. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    shared: Arc<Shared>,
    status: Option<ExitStatus>,
}

/// With this in the environment no module is run flat: the suite passes both ways.
const COMPONENTS: &str = "WASMACTOR_TEST_COMPONENTS";

/// Whether all tests are run so.
pub fn components() -> bool {
    std::env::var_os(COMPONENTS).is_some()
}

/// The host's command line, with compiled code and reports of crashes kept under target/.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    let runs = arguments.first().is_some_and(|first| ["run", "check"].contains(first));
    if runs && components() {
        command.args([arguments[0], "--force-component"]).args(&arguments[1..]);
    } else {
        command.args(arguments);
    }
    command.env("XDG_CACHE_HOME", target().join("tests-cache")).env("XDG_STATE_HOME", target().join("tests-state"));
    command
}

fn reader(stream: impl Read + Send + 'static, shared: &Arc<Shared>, take: fn(&mut Said, String)) {
    let shared = shared.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(line) = line else { break };
            take(&mut shared.said(), String::from_utf8_lossy(&line).into_owned());
            shared.more.notify_all();
        }
        shared.said().open -= 1;
        shared.more.notify_all();
    });
}

impl Process {
    /// Starts a command and reads what it prints.
    pub fn start(command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let shared = Arc::new(Shared::default());
        shared.said().open = 2;
        reader(child.stdout.take().expect("piped"), &shared, |said, line| said.lines.push(Line::parse(&line)));
        reader(child.stderr.take().expect("piped"), &shared, |said, line| said.errors.push_str(&(line + "\n")));
        Self { child, shared, status: None }
    }

    /// `wasmactor run` of a manifest, with the log as JSON.
    pub fn run(manifest: &Path, arguments: &[&str]) -> Self {
        let mut command = command(&["run", "--log-format", "json"]);
        // Its control socket lies beside the manifest, where other hosts are not found.
        command.env("XDG_RUNTIME_DIR", manifest.parent().expect("a folder"));
        Self::start(command.arg(manifest).args(arguments))
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of the log, looking from the first one.
    #[track_caller]
    pub fn line(&self, what: &str, wanted: impl Fn(&Line) -> bool) -> Line {
        let until = Instant::now() + DEADLINE;
        let mut said = self.shared.said();
        loop {
            if let Some(line) = said.lines.iter().find(|line| wanted(line)) {
                return line.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || said.open == 0 {
                drop(said);
                panic!("{what} did not come in the log:\n{}", self.told());
            }
            said = self.shared.more.wait_timeout(said, left).expect("no reader panics").0;
        }
    }

    /// Every line so far.
    pub fn lines(&self) -> Vec<Line> {
        self.shared.said().lines.clone()
    }

    /// What was printed on stderr so far.
    pub fn errors(&self) -> String {
        self.shared.said().errors.clone()
    }

    fn told(&self) -> String {
        let said = self.shared.said();
        let lines: Vec<&str> = said.lines.iter().map(|line| line.raw.as_str()).collect();
        let skipped = lines.len().saturating_sub(200);
        format!("({skipped} lines before)\n{}\n--- stderr\n{}", lines[skipped..].join("\n"), said.errors)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Term => "-TERM",
            Signal::Hup => "-HUP",
            Signal::Usr1 => "-USR1",
            Signal::Usr2 => "-USR2",
            Signal::Kill => "-KILL",
            Signal::Pause => "-STOP",
            Signal::Continue => "-CONT",
        };
        let sent = Command::new("kill").args([name, &self.id().to_string()]).status().expect("kill is there");
        assert!(sent.success(), "{signal:?} was not sent");
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.status.is_none() && self.child.try_wait().expect("a child").is_none()
    }

    /// Waits for its end, all of its output read. The exit code; none if a signal ended it.
    #[track_caller]
    pub fn end(&mut self) -> Option<i32> {
        let until = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.status.or_else(|| self.child.try_wait().expect("a child")) {
                break status;
            }
            assert!(Instant::now() < until, "the host did not end:\n{}", self.told());
            std::thread::sleep(Duration::from_millis(5));
        };
        self.status = Some(status);
        let mut said = self.shared.said();
        while said.open > 0 {
            said = self.shared.more.wait(said).expect("no reader panics");
        }
        status.code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the host said: {}", self.told());
        }
        if self.status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
