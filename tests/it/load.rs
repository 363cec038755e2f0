//! Modules that do not fit and manifests that are wrong: one message that names both sides or the place, exit code 2, and
//! nothing was started. Each through `check` and `run`.

use wasmactor_tests::{Setup, command, wat};

fn fine() -> String {
    wat::guest("", "(call $ok)", "(call $ok)")
}

/// An app with a module `bad` of this text beside a good one.
fn module(text: &str) -> Setup {
    let setup = Setup::new().puppet_with("first", "args = \"log never\"");
    setup.file("bad.wat", text).toml("[module.bad]\nsource = \"bad.wat\"\n").actor("bad", "bad", "")
}

#[track_caller]
fn refused(setup: Setup, words: &[&str]) {
    let said = setup.refused();
    for word in words {
        assert!(said.contains(word), "`{word}` in {said}");
    }
}

fn import(interface: &str, item: &str, parameters: &str) -> String {
    let import = format!("(import \"{interface}\" \"{item}\" (func {parameters}))\n  (memory");
    fine().replacen("(memory", &import, 1)
}

#[test]
fn imports_that_are_not_offered() {
    let ours = "wasmactor:actor@0.1.0";
    refused(
        module(&import("wasmactor:actor/messaging@0.1.0", "shout", "")),
        &["bad", "bad.wat", "wasmactor:actor/messaging@0.1.0 \"shout\"", ours],
    );
    refused(
        module(&import("wasmactor:actor/messaging@9.0.0", "send", "")),
        &["wasmactor:actor/messaging@9.0.0 \"send\"", ours],
    );
    refused(module(&import("env", "malloc", "")), &["env \"malloc\"", ours]);
    refused(module(&import("wasi_snapshot_preview1", "fd_write", "")), &["fd_write", "wasm32-wasip2"]);
}

#[test]
fn imports_of_another_type() {
    refused(
        module(&import("wasmactor:actor/messaging@0.1.0", "send", "(param i32)")),
        &["bad.wat", "send", "mismatch"],
    );
}

#[test]
fn exports_that_are_missing_or_wrong() {
    refused(
        module(&fine().replace("#handle", "#handel")),
        &["bad", "exports no wasmactor:actor/handler@0.1.0 \"handle\""],
    );
    refused(module(&fine().replace("#init", "#start")), &["exports no wasmactor:actor/handler@0.1.0 \"init\""]);
    refused(module(&fine().replace("(param $case i32)", "(param $case i64)")), &["bad.wat", "handle"]);
    refused(module("(component)"), &["exports no wasmactor:actor/handler@0.1.0"]);
}

#[test]
fn files_that_are_no_wasm() {
    refused(module("(module\n  (func $f (call $g)))"), &["bad.wat:2:", "unknown func"]);
    let setup = Setup::new().file("bad.wasm", b"\x89PNG\r\n").toml("[module.bad]\nsource = \"bad.wasm\"\n");
    refused(setup.actor("bad", "bad", ""), &["bad.wasm", "neither WebAssembly nor its text format"]);
    let setup =
        Setup::new().file("bad.wasm", b"\0asm\x01\0\0\0\x01\xff\xff\xff").toml("[module.bad]\nsource = \"bad.wasm\"\n");
    refused(setup.actor("bad", "bad", ""), &["bad.wasm", "not valid WebAssembly"]);
}

#[test]
fn every_bad_module_is_told() {
    let setup = module("(module").file("worse.wat", "(component)").toml("[module.worse]\nsource = \"worse.wat\"\n");
    refused(setup, &["bad.wat", "worse.wat"]);
}

#[test]
fn faults_of_the_manifest_come_with_their_line() {
    // The harness writes lines of its own before; what counts is that the line is that of the fault.
    for (text, words) in [
        ("[[actor]]\nname = \"a\"\nmodul = \"puppet\"", vec!["unknown key", "modul"]),
        ("[[actor]]\nname = \"a\"\nmodule = \"puppett\"", vec!["no module `puppett`", "puppet"]),
        (
            "[[actor]]\nname = \"a\"\nmodule = \"puppet\"\n[[actor]]\nname = \"a\"\nmodule = \"plain\"",
            vec!["two actors have the name `a`"],
        ),
        ("[[actor]]\nname = \".a\"\nmodule = \"puppet\"", vec!["`.a` cannot be the name", "hint"]),
        (
            "[[actor]]\nname = \"a\"\nmodule = \"puppet\"\ngrants = { listen = [\"localhost:80\"] }",
            vec!["not an address", "127.0.0.1"],
        ),
        ("[[actor]]\nname = \"a\"\nmodule = \"puppet\"\ngrants = { send = [\"nobody\"] }", vec!["nobody"]),
        ("[[actor]]\nname = \"a\"\nmodule = \"puppet\"\ncount = 0", vec!["count"]),
        ("[module.x]\nsource = \"nowhere.wasm\"\n[[actor]]\nname = \"a\"\nmodule = \"x\"", vec!["nowhere.wasm"]),
        ("[[actor]]\nname = \"a\" x\n", vec!["app.toml:"]),
        ("", vec!["no [[actor]]", "nothing to start"]),
    ] {
        let said = Setup::new().toml(text).refused();
        assert!(said.starts_with("app.toml:"), "{said}");
        let place: Vec<&str> = said.splitn(4, ':').collect();
        assert!(place[1].parse::<u32>().is_ok() && place[2].parse::<u32>().is_ok(), "line and column in {said}");
        for word in words {
            assert!(said.contains(word), "`{word}` in {said}");
        }
    }
}

#[test]
fn all_faults_are_told_in_one_go() {
    let said =
        Setup::new().host("wokers = 2").toml("[[actor]]\nname = \"a\"\nmodule = \"puppett\"\ncolour = 1").refused();
    assert!(said.contains("wokers") && said.contains("puppett") && said.contains("colour"), "{said}");
}

#[test]
fn a_manifest_that_is_not_there() {
    let output = command(&["run", "/nowhere/app.toml"]).output().expect("the host starts");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("/nowhere/app.toml") && said.contains("hint"), "{said}");
}

#[test]
fn check_starts_nothing() {
    let setup = Setup::new().file("fine.wat", fine()).toml("[module.fine]\nsource = \"fine.wat\"\n");
    let setup = setup.puppet_with("alice", "args = \"log never; trap\"").actor("fine", "fine", "");
    let folder = setup.folder().to_owned();
    let output = command(&["check"]).arg(folder.join("app.toml")).output().expect("the host starts");
    assert_eq!(output.status.code(), Some(2), "the harness has not written app.toml yet");
    let (mut process, _folder) = setup.run();
    assert_eq!(process.end(), Some(1), "alice traps in init");
    let output = command(&["check"]).arg(folder.join("app.toml")).output().expect("the host starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        said.contains("puppet@") && said.contains("wasmactor:actor/messaging@0.1.0: ") && !said.contains("log never"),
        "{said}"
    );
}

#[test]
fn check_says_what_is_imported_granted_and_granted_in_vain() {
    let grants = "grants = { send = [\"a*\", \"fine\"], listen = [\"127.0.0.1:7\"], log = false }\n";
    let setup = Setup::new().file("fine.wat", fine()).toml(&format!("[module.fine]\nsource = \"fine.wat\"\n{grants}"));
    let setup =
        setup.actor("a", "fine", "grants = { kill = [\"*\"], control = { ps = [\"a\"] } }").argument("--no-control");
    let folder = setup.folder().to_owned();
    let (mut process, _folder) = setup.run();
    process.signal(wasmactor_tests::Signal::Term);
    process.end();
    let check = |more: &[&str]| {
        let output = command(&["check"]).args(more).arg(folder.join("app.toml")).output().expect("the host starts");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let said = check(&[]);
    for line in [
        "\n  granted listen: 127.0.0.1:7\n",
        "\n  granted send: a*, fine\n",
        "\n  without log\n",
        "\n  granted but never used: listen (the module imports nothing that needs it)\n",
        "\nactor a of fine\n  granted control.ps: a\n  granted kill: *\n  granted but never used: kill",
        "\n  granted but never used: control.ps (",
    ] {
        assert!(said.contains(line), "{line:?} in {said}");
    }
    let json: serde_json::Value = serde_json::from_str(&check(&["--json"])).expect("JSON");
    let module =
        json["modules"].as_array().expect("a list").iter().find(|module| module["name"] == "fine").expect("fine");
    assert_eq!(module["grants"]["granted"]["send"], "a*, fine");
    assert_eq!(module["grants"]["withheld"][0], "log");
    assert_eq!(json["actors"][0]["grants"]["unused"][0], "kill");
}
