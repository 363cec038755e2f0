//! `new`, `build`, `run`: a newcomer's first minutes. And what the command line says to wrong words.

use wasmactor_tests::{command, target};

#[test]
fn a_new_project_builds_and_runs_at_once() {
    let place = tempfile::tempdir().expect("a folder");
    // What guests need is compiled already below target/; a first build there would take a minute.
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.current_dir(place.path()).env("CARGO_TARGET_DIR", target().join("new-project"));
        let output = command.output().expect("the host starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    let (_, said) = run(&["new", "first-steps"]);
    assert!(said.contains("wasmactor run first-steps/app.toml"), "{said}");
    let (built, said) = run(&["build", "first-steps/app.toml"]);
    assert!(built.starts_with("first-steps ") && built.trim_end().ends_with(".wasm"), "{built}");
    assert!(said.contains("building first-steps"), "{said}");
    let (checked, _) = run(&["check", "first-steps/app.toml"]);
    assert!(checked.contains("first-steps@"), "{checked}");
    let (printed, _) = run(&["run", "first-steps/app.toml", "--no-build", "--log-format", "plain"]);
    let readme = std::fs::read_to_string(place.path().join("first-steps/README.md")).expect("its README");
    let expected: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("    first-steps: ")).collect();
    let lines: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("first-steps: ")).collect();
    assert!(!expected.is_empty());
    assert_eq!(lines, expected, "what its README promises");
    let again = command(&["new", "first-steps"]).current_dir(place.path()).output().expect("the host starts");
    assert_eq!(again.status.code(), Some(2));
}

#[test]
fn wrong_words_have_code_2_and_help() {
    for words in
        [&["walk"][..], &["run"], &["run", "app.toml", "--workers", "0"], &["run", "app.toml", "--log", "loud"]]
    {
        let output = command(words).output().expect("the host starts");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("--help"), "{words:?}");
    }
}

#[test]
fn completions_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        let output = command(&["completions", shell]).output().expect("the host starts");
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("wasmactor"), "{shell}");
    }
}
