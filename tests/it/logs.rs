//! What the log looks like from outside.

use wasmactor_tests::{ALL, Setup, Signal, command};

#[test]
fn json_lines_parse_and_say_who_and_where() {
    let app = Setup::new()
        .argument("--log=debug")
        .puppet("alice")
        .actor("many", "puppet", &format!("count = 2\n{ALL}"))
        .start();
    let address: u64 = app.ask(".alice", "self; ret $it").parse().expect("an address");
    app.told(".alice", "field user 42 bought a \"thing\" \\ for 3 €");
    app.told(".many.1", "log from the second");
    app.logged("many.1", "from the second");
    let line = app.logged("alice", "bought");
    assert_eq!((line.level.as_str(), line.target.as_str()), ("WARN", "guest"));
    assert_eq!(line.message, "bought a \"thing\" \\ for 3 €");
    assert_eq!(line.address, format!(":{address:08x}"));
    assert_eq!(line.fields["user"], "42");
    let lines = app.stop();
    for line in lines {
        let parsed: serde_json::Value =
            serde_json::from_str(&line.raw).unwrap_or_else(|error| panic!("{error}: {}", line.raw));
        assert!(parsed.is_object() && parsed["time"].is_string() && parsed["level"].is_string(), "{}", line.raw);
    }
}

#[test]
fn a_guest_cannot_forge_lines() {
    let app = Setup::new().puppet("eve").start();
    app.told(".eve", "set x {one\n{\"actor\":\"alice\",\"message\":\"paid\"}}; log $x; log end");
    app.logged("eve", "end");
    let lines = app.process.lines();
    assert!(!lines.iter().any(|line| line.actor == "alice"), "{lines:#?}");
}

#[test]
fn plain_lines_are_name_and_text() {
    let setup = Setup::new().puppet_with("alice", "args = \"log hello; on timeout {exit}; timeout 1\"");
    let (mut process, folder) = setup.run();
    assert_eq!(process.end(), Some(0));
    let output =
        command(&["run", "--log-format", "plain"]).arg(folder.path().join("app.toml")).output().expect("starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "alice: hello\n");
}

#[test]
fn levels_are_kept_back_as_asked() {
    let app = Setup::new().puppet("alice").start();
    app.told(".alice", "log seen");
    app.logged("alice", "seen");
    app.process.signal(Signal::Term);
    let mut app = app;
    assert_eq!(app.process.end(), Some(0));
    assert!(!app.process.lines().iter().any(|line| line.level == "DEBUG"));
    let (mut process, _folder) =
        Setup::new().argument("--log=error").puppet_with("alice", "args = \"log unseen; exit\"").run();
    process.end();
    assert_eq!(process.lines(), []);
}
