//! An app in a folder of its own: what it consists of, running it, asking its actors.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Line, Process, Signal, command};
use crate::{DEADLINE, build};

/// Every grant that a puppet may need.
pub const ALL: &str = r#"grants = { send = ["*"], names = ["*"], spawn = ["*"], kill = ["*"], listen = ["127.0.0.1:*"], connect = ["127.0.0.1:*"] }"#;

/// What an app will consist of.
#[derive(Debug)]
pub struct Setup {
    folder: TempDir,
    /// Lines of `[host]`.
    host: String,
    /// The rest of app.toml.
    text: String,
    arguments: Vec<String>,
}

/// A running app.
#[derive(Debug)]
pub struct App {
    pub process: Process,
    control: String,
    folder: TempDir,
}

/// An answer on its way.
#[derive(Debug)]
pub struct Pending(TcpStream);

impl Setup {
    /// An app with the modules `puppet` and `plain`, and no actors yet.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("wasmactor-it-").tempdir().expect("a temporary folder");
        let mut text = String::new();
        for module in ["puppet", "plain"] {
            let file = build::guest(module).display();
            writeln!(text, "[module.{module}]\nsource = \"{file}\"\n{ALL}\n").expect("a string");
        }
        // Long enough that only tests of deadlines meet one.
        Self { folder, host: "call-timeout = \"120s\"\n".to_owned(), text, arguments: Vec::new() }
    }

    /// Adds a line to `[host]`.
    pub fn host(mut self, line: &str) -> Self {
        writeln!(self.host, "{line}").expect("a string");
        self
    }

    /// Adds to app.toml as it is.
    pub fn toml(mut self, text: &str) -> Self {
        writeln!(self.text, "{text}").expect("a string");
        self
    }

    /// Adds an argument of `wasmactor run`.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// A file beside app.toml.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), content).expect("a file beside app.toml");
        self
    }

    /// An actor with every grant that does what scripts say.
    pub fn puppet(self, name: &str) -> Self {
        self.actor(name, "puppet", ALL)
    }

    /// The same with other lines in its `[[actor]]` entry.
    pub fn puppet_with(self, name: &str, lines: &str) -> Self {
        self.actor(name, "puppet", lines)
    }

    /// An actor of any module, with further lines of its entry.
    pub fn actor(self, name: &str, module: &str, lines: &str) -> Self {
        self.toml(&format!("[[actor]]\nname = \"{name}\"\nmodule = \"{module}\"\n{lines}\n"))
    }

    /// A module `name` of this text, and one actor of it with every grant.
    pub fn wat(self, name: &str, text: &str) -> Self {
        self.module(name, text).actor(name, name, ALL)
    }

    /// A module of this text.
    pub fn module(self, name: &str, text: &str) -> Self {
        let module = format!("[module.{name}]\nsource = \"{name}.wat\"\n{ALL}\n");
        self.file(&format!("{name}.wat"), text).toml(&module)
    }

    /// Where app.toml will stand.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn written(&self) -> PathBuf {
        let path = self.folder.path().join("app.toml");
        let text = format!("[app]\nname = \"test\"\n\n[host]\n{}\n{}", self.host, self.text);
        std::fs::write(&path, text).expect("app.toml");
        path
    }

    /// Starts it, and waits until all actors run.
    #[track_caller]
    pub fn start(self) -> App {
        let setup = self.puppet("witness").actor("control", "plain", &format!("args = \"control\"\n{ALL}"));
        let manifest = setup.written();
        let arguments: Vec<&str> = setup.arguments.iter().map(String::as_str).collect();
        let process = Process::run(&manifest, &arguments);
        let line = process.line("the start", |line| line.message.starts_with("control listens at "));
        let control = line.message.rsplit(' ').next().expect("an address").to_owned();
        App { process, control, folder: setup.folder }
    }

    /// Runs it as it is, without `control`.
    pub fn run(self) -> (Process, TempDir) {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        (Process::run(&self.written(), &arguments), self.folder)
    }

    /// Expects that neither `check` nor `run` takes it: exit code 2, nothing on stdout. What stderr says, without the
    /// folder's name.
    #[track_caller]
    pub fn refused(self) -> String {
        let manifest = self.written();
        let check = command(&["check"]).arg(&manifest).output().expect("the host starts");
        let run = command(&["run", "--log-format", "plain"]).arg(&manifest).output().expect("the host starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let said = text(run.stderr);
        assert_eq!((check.status.code(), run.status.code()), (Some(2), Some(2)), "{said}");
        assert_eq!((text(check.stdout), text(run.stdout)), (String::new(), String::new()), "nothing ran");
        assert_eq!(text(check.stderr), said, "`check` and `run` say the same");
        said.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    fn order(&self, verb: &str, to: &str, script: &str) -> Pending {
        let mut stream = TcpStream::connect(&self.control).expect("control listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
        let order = format!("{verb} {to}\n{script}");
        stream.write_all(order.as_bytes()).and_then(|()| stream.shutdown(Shutdown::Write)).expect("an order");
        Pending(stream)
    }

    /// Sends a request with a script to an actor (`.name` or a number). The answer, or `!code: reason`.
    #[track_caller]
    pub fn ask(&self, to: &str, script: &str) -> String {
        self.ask_later(to, script).wait()
    }

    /// The same, without waiting. That it was sent before what this thread does next is not promised: see `tell`.
    pub fn ask_later(&self, to: &str, script: &str) -> Pending {
        self.order("ask", to, script)
    }

    /// Asks again and again until the answer is as wanted, which it then gives.
    #[track_caller]
    pub fn ask_until(&self, to: &str, script: &str, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            let answer = self.ask(to, script);
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < until, "the last answer of {to} to `{script}`: {answer}");
        }
    }

    /// Sends a script that wants no answer. When this returns it is in the actor's mailbox; else `!code: reason`.
    #[track_caller]
    pub fn tell(&self, to: &str, script: &str) -> String {
        self.order("tell", to, script).wait()
    }

    /// The same, and it must be taken.
    #[track_caller]
    pub fn told(&self, to: &str, script: &str) {
        assert_eq!(self.tell(to, script), "", "telling {to}");
    }

    /// Waits until an actor has written a line with this text.
    #[track_caller]
    pub fn logged(&self, actor: &str, text: &str) -> Line {
        let what = format!("`{text}` of {actor}");
        self.process.line(&what, |line| line.actor == actor && line.message.contains(text))
    }

    /// What an actor has written up to now. The log comes through a pipe, in order: when a line that is written now has
    /// come, so has all that was written before.
    #[track_caller]
    pub fn log_of(&self, actor: &str) -> Vec<String> {
        static MARKS: AtomicU64 = AtomicU64::new(0);
        let mark = format!("mark {}", MARKS.fetch_add(1, Ordering::Relaxed));
        assert_eq!(self.ask(".witness", &format!("log {mark}; ret")), "");
        let is_mark = |line: &Line| line.actor == "witness" && line.message == mark;
        self.process.line(&mark, is_mark);
        let lines = self.process.lines().into_iter().take_while(|line| !is_mark(line));
        lines.filter(|line| line.actor == actor && line.target == "guest").map(|line| line.message).collect()
    }

    /// Whatever happened: the host lives, and others still answer.
    #[track_caller]
    pub fn lives(&mut self) {
        assert_eq!(self.ask(".witness", "ret alive"), "alive");
        assert!(self.process.runs());
    }

    /// A command of the built binary for this app's host, such as `ps`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.env("XDG_RUNTIME_DIR", self.folder());
        command
    }

    /// Runs such a command, which must succeed; what it prints.
    #[track_caller]
    pub fn says(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("the binary starts");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        assert!(output.status.success(), "{arguments:?}: {}", text(output.stderr));
        text(output.stdout)
    }

    /// The same for one that must fail with this code; what it says then.
    #[track_caller]
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("the binary starts");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let said = text(output.stderr);
        assert_eq!((output.status.code(), text(output.stdout)), (Some(code), String::new()), "{arguments:?}: {said}");
        said
    }

    /// The same with `--json`; the answer.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let said = self.says(&[arguments, &["--json"]].concat());
        assert_eq!(said.matches('\n').count(), 1, "one line: {said}");
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// The host's control socket.
    #[track_caller]
    pub fn control_socket(&self) -> PathBuf {
        let entries = std::fs::read_dir(self.folder().join("wasmactor")).expect("the folder of the sockets");
        entries.map(|entry| entry.expect("readable").path()).find(|path| path.extension().is_some()).expect("a socket")
    }

    /// SIGTERM, and it must end well.
    #[track_caller]
    pub fn stop(mut self) -> Vec<Line> {
        self.process.signal(Signal::Term);
        assert_eq!(self.process.end(), Some(0), "a graceful stop");
        self.process.lines()
    }

    /// The app's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Pending {
    /// The answer, or `!code: reason`.
    #[track_caller]
    pub fn wait(mut self) -> String {
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).expect("control answers");
        match answer.strip_prefix("ok") {
            Some(answer) => answer.to_owned(),
            None => {
                assert!(answer.starts_with('!'), "control said {answer:?}");
                answer
            }
        }
    }
}
