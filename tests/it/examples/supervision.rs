//! examples/supervision, asked by the commands of its README.

use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wasmactor_tests::{DEADLINE, Line, Process, Signal, command, root};

/// The example, with its control socket in a folder of its own.
struct Example {
    process: Process,
    place: TempDir,
}

const DIVIDE: &str = r#"{"divide":[6,3]}"#;
const FAIL: &str = r#"{"divide":[6,0]}"#;
const COUNT: &str = r#""count""#;
const LEAVE: &str = r#""leave""#;

impl Example {
    #[track_caller]
    fn start() -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let mut command = command(&["run", "--log-format", "json"]);
        command.env("XDG_RUNTIME_DIR", place.path()).arg(root().join("examples/supervision/app.toml"));
        let example = Self { process: Process::start(&mut command), place };
        // The last one of the manifest.
        example.begins("accused", 1);
        example
    }

    fn asked(&self, arguments: &[&str]) -> Output {
        command(arguments).env("XDG_RUNTIME_DIR", self.place.path()).output().expect("the binary starts")
    }

    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.asked(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
    }

    #[track_caller]
    fn counts(&self, actor: &str) -> String {
        self.says(&["call", actor, COUNT])
    }

    #[track_caller]
    fn divides(&self, actor: &str) {
        assert_eq!(self.says(&["call", actor, DIVIDE]), "2");
    }

    /// It panics, and who asked is told.
    #[track_caller]
    fn fails(&self, actor: &str) {
        let output = self.asked(&["call", actor, FAIL]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains("failed"), "{actor}: {said}");
    }

    #[track_caller]
    fn leaves(&self, actor: &str) {
        assert_eq!(self.says(&["call", actor, LEAVE]), "\"bye\"");
    }

    /// Waits until so many of its instances have begun.
    #[track_caller]
    fn begins(&self, actor: &str, times: usize) {
        let wanted = |line: &&Line| line.actor == actor && line.message == "begins";
        self.until(&format!("{actor} begins {times} times"), || {
            self.process.lines().iter().filter(wanted).count() >= times
        });
    }

    /// Waits until there is nobody of this name.
    #[track_caller]
    fn ends(&self, actor: &str) {
        self.until(&format!("{actor} ends"), || self.asked(&["call", actor, COUNT]).status.code() == Some(2));
    }

    #[track_caller]
    fn until(&self, what: &str, done: impl Fn() -> bool) {
        let until = Instant::now() + DEADLINE;
        while !done() {
            assert!(Instant::now() < until, "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn stop(mut self) {
        self.process.signal(Signal::Term);
        assert_eq!(self.process.end(), Some(0));
    }
}

#[test]
fn those_behind_one_that_fails_begin_again_and_a_report_says_where() {
    let example = Example::start();
    for name in ["first", "second", "third"] {
        example.divides(name);
    }
    example.fails("second");
    example.begins("third", 2);
    assert_eq!(["first", "second", "third"].map(|name| example.counts(name)), ["1", "0", "0"]);
    let said = "report of the crash: ";
    let line = example.process.line(said, |line| line.actor == "second" && line.message.starts_with(said));
    let path = PathBuf::from(line.message.strip_prefix(said).expect("it was looked for"));
    let report = example.says(&["crash", path.to_str().expect("text")]);
    for words in
        ["second failed: ", "  app      supervision ", "supervision_worker::Worker>::divide\n", "limits in force"]
    {
        assert!(report.contains(words), "no `{words}` in\n{report}");
    }
    let tree = example.says(&["tree"]);
    for words in ["[top] one-for-one", "├─ [chain] rest-for-one, restarts 1\n", "├─ [court] one-for-one\n"] {
        assert!(tree.contains(words), "no `{words}` in\n{tree}");
    }
    example.stop();
}

#[test]
fn one_restart_too_many_is_the_affair_of_the_supervisor_above() {
    let example = Example::start();
    for name in ["licence", "first", "transient"] {
        example.divides(name);
    }
    for restarts in 1..=2 {
        example.fails("permanent");
        example.begins("permanent", 1 + restarts);
        assert_eq!(example.counts("transient"), "1", "one for one");
    }
    example.fails("permanent");
    let words = "supervisor `pool` gave up: more than 2 restarts within 60s; supervisor `top` sees to its members";
    example.process.line(words, |line| line.message == words);
    example.begins("transient", 2);
    assert_eq!(["permanent", "transient"].map(|name| example.counts(name)), ["0", "0"]);
    assert_eq!(["licence", "first"].map(|name| example.counts(name)), ["1", "1"]);
    example.stop();
}

#[test]
fn leaving_is_an_end_for_the_transient_and_the_temporary_one() {
    let example = Example::start();
    example.fails("transient");
    assert_eq!(example.counts("transient"), "0", "it failed");
    example.leaves("permanent");
    example.begins("permanent", 2);
    for name in ["transient", "licence"] {
        example.leaves(name);
        example.ends(name);
    }
    assert_eq!(example.counts("permanent"), "0", "none of its affair");
    example.stop();
}

#[test]
fn the_judge_has_the_last_word() {
    let example = Example::start();
    for restarts in 1..=2 {
        example.fails("accused");
        example.begins("accused", 1 + restarts);
    }
    example.fails("accused");
    example.ends("accused");
    let verdict = "failure 3, it ends";
    example.process.line(verdict, |line| line.actor == "judge" && line.message.ends_with(verdict));
    assert_eq!(example.counts("permanent"), "0");
    example.stop();
    let example = Example::start();
    example.says(&["kill", "accused"]);
    example.ends("accused");
    example.stop();
}

#[test]
fn what_nobody_can_mend_stops_the_app() {
    let mut example = Example::start();
    example.leaves("licence");
    example.ends("licence");
    example.fails("permanent");
    let why = "nobody is named .licence";
    example.process.line(why, |line| line.actor == "permanent" && line.message.contains(why));
    example.process.line("that the top gave up", |line| line.message.contains("supervisor `top` gave up"));
    assert_eq!(example.process.end(), Some(1));
}
