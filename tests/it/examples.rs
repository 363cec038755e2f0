//! The examples: each prints what its expected.txt says; `supervision` does what its README says.

mod supervision;

use wasmactor_tests::{command, root};

#[track_caller]
fn prints_what_is_expected(name: &str) {
    let folder = root().join("examples").join(name);
    let run =
        command(&["run", "--log-format", "plain"]).arg(folder.join("app.toml")).output().expect("the host starts");
    let expected = std::fs::read_to_string(folder.join("expected.txt")).expect("expected.txt");
    assert_eq!(String::from_utf8_lossy(&run.stdout), expected, "stderr: {}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(run.status.code(), Some(0));
}

#[test]
fn hello() {
    prints_what_is_expected("hello");
}

#[test]
fn ring() {
    prints_what_is_expected("ring");
}

#[test]
fn bank() {
    prints_what_is_expected("bank");
}
