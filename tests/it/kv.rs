//! examples/kv, driven by real clients: redis-cli, redis-benchmark, redis-py. `cargo xtask setup` installs them.

use std::fs::{self, File};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use wasmactor_tests::{Process, Signal, command, root, target};

const SETUP: &str = "run `cargo xtask setup`, which installs it";

/// The example as it is, but at a free port.
fn serve() -> (Process, String, TempDir) {
    let folder = root().join("examples/kv").canonicalize().expect("examples/kv");
    let text = fs::read_to_string(folder.join("app.toml")).expect("its app.toml");
    let text = text
        .replace("127.0.0.1:7379", "127.0.0.1:0")
        .replace("source = \"", &format!("source = \"{}/", folder.display()));
    let place = tempfile::tempdir().expect("a folder");
    let manifest = place.path().join("app.toml");
    fs::write(&manifest, text).expect("app.toml");
    let process = Process::start(command(&["run", "--log-format", "json"]).arg(manifest));
    let line = process.line("the listener", |line| line.message.starts_with("listening on 127.0.0.1:"));
    let port = line.message.rsplit(':').next().expect("a port").to_owned();
    (process, port, place)
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{:?}: {error}; {SETUP}", command.get_program()))
}

#[track_caller]
fn stop(mut process: Process) {
    assert!(process.runs());
    process.signal(Signal::Term);
    assert_eq!(process.end(), Some(0));
    let bad: Vec<_> =
        process.lines().into_iter().filter(|line| ["ERROR", "WARN"].contains(&line.level.as_str())).collect();
    assert_eq!(bad, []);
}

#[test]
fn redis_cli_prints_what_is_expected() {
    let (process, port, _place) = serve();
    let folder = root().join("examples/kv");
    let session = File::open(folder.join("session.txt")).expect("session.txt");
    let printed = output(Command::new("redis-cli").args(["-p", &port]).stdin(session));
    let expected = fs::read_to_string(folder.join("expected.txt")).expect("expected.txt");
    assert_eq!(String::from_utf8_lossy(&printed.stdout), expected);
    stop(process);
}

#[test]
fn redis_benchmark_runs_through() {
    let (process, port, _place) = serve();
    for pipeline in ["1", "16"] {
        let arguments = ["-p", &port, "-t", "set,get,incr", "-c", "50", "-n", "5000", "-P", pipeline, "--csv"];
        let printed = output(Command::new("redis-benchmark").args(arguments).stdin(Stdio::null()));
        let text = String::from_utf8_lossy(&printed.stdout).into_owned();
        assert!(printed.status.success(), "{text}\n{}", String::from_utf8_lossy(&printed.stderr));
        for test in ["SET", "GET", "INCR"] {
            assert!(text.lines().any(|line| line.starts_with(&format!("\"{test}\""))), "{test} in {text}");
        }
    }
    let visits =
        output(Command::new("redis-cli").args(["-p", &port, "get", "counter:__rand_int__"]).stdin(Stdio::null()));
    // A pipeline goes out whole, so the second run rounds up: 313 of 16.
    assert_eq!(String::from_utf8_lossy(&visits.stdout).trim(), "10008", "no increment was lost, none done twice");
    stop(process);
}

#[test]
fn redis_py_finds_no_difference() {
    let python = target_venv();
    let (process, port, _place) = serve();
    let script = root().join("tests/py/redis_py.py");
    let printed = output(Command::new(python).arg(script).arg(format!("127.0.0.1:{port}")).stdin(Stdio::null()));
    let text = String::from_utf8_lossy(&printed.stdout).into_owned() + &String::from_utf8_lossy(&printed.stderr);
    assert!(printed.status.success(), "{text}");
    // Clients that go in the middle of a command are a warning each, so only the end counts here.
    let mut process = process;
    process.signal(Signal::Term);
    assert_eq!(process.end(), Some(0));
}

/// Python with redis-py.
fn target_venv() -> std::path::PathBuf {
    let default = root().join("target/venv/bin/python");
    let python = std::iter::once(target().join("venv/bin/python")).chain([default]).find(|python| python.is_file());
    python.unwrap_or_else(|| panic!("there is no target/venv with redis-py: {SETUP}"))
}
