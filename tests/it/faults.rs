//! Faults at the worst moments: while the host stops, while a supervisor's members do; and a host that is killed.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use wasmactor_tests::{ALL, Process, Setup, Signal, command};

/// Ways to end badly, or not at all, at a stop.
const WAYS: [&str; 5] = ["trap", "panic oh no", "exit enough", "fail no luck", "spin"];

#[test]
fn a_fault_while_the_host_stops_hinders_nobody_and_restarts_nobody() {
    for way in WAYS {
        let setup = Setup::new().toml("[crashes]\nfolder = \"crashes\"\n[supervisor.top]\nbackoff = \"1ms\"\n");
        let args = format!("args = \"log begins; on signal {{{way}}}\"\nstop-timeout = \"100ms\"\n");
        let setup = setup.puppet_with("bad", &format!("{args}{ALL}"));
        let setup = setup.puppet_with("member", &format!("{args}supervisor = \"top\"\n{ALL}"));
        let app = setup.puppet_with("good", &format!("args = \"on signal {{log bye}}\"\n{ALL}")).start();
        // The code is 0: whoever stops it wanted no more of it.
        let lines = app.stop();
        let count = |actor: &str, text: &str| {
            lines.iter().filter(|line| line.actor == actor && line.message.starts_with(text)).count()
        };
        assert!(count("good", "bye") > 0, "{way}: {lines:#?}");
        for actor in ["bad", "member"] {
            assert_eq!(count(actor, "begins"), 1, "{way}: {lines:#?}");
            let faults = usize::from(way == "trap" || way.starts_with("panic"));
            assert_eq!(
                [count(actor, "failed: "), count(actor, "report of the crash: ")],
                [faults; 2],
                "{way}: {lines:#?}"
            );
        }
        let late = lines.iter().filter(|line| line.message == "it has not ended in time and is killed").count();
        assert_eq!(late, if way == "spin" { 2 } else { 0 }, "{way}: {lines:#?}");
    }
}

#[test]
fn one_that_hangs_at_the_stop_is_cut_in_its_turn() {
    let stops = |then: &str, after: &str| format!("args = \"on signal {{log stops; {then}}}\"\n{after}\n{ALL}");
    let app = Setup::new()
        .puppet_with("early", &stops("", ""))
        .puppet_with("mid", &stops("spin", "after = [\"early\"]\nstop-timeout = \"200ms\""))
        .puppet_with("late", &stops("", "after = [\"mid\"]"))
        .start();
    let mid = app.json(&["info", ".mid"])["address"].as_str().expect("an address").to_owned();
    let lines = app.stop();
    let mut order: Vec<&str> = lines
        .iter()
        .filter_map(|line| match line.message.as_str() {
            "stops" => Some(line.actor.as_str()),
            "it has not ended in time and is killed" if line.address == mid => Some("killed"),
            _ => None,
        })
        .collect();
    // A stop may come twice.
    order.dedup();
    assert_eq!(order, ["late", "mid", "killed", "early"], "{lines:#?}");
}

#[test]
fn a_fault_while_members_are_stopped_ends_in_a_restart_all_the_same() {
    let top = "[supervisor.top]\nstrategy = \"one-for-all\"\nbackoff = \"1ms\"\nstop-timeout = \"100ms\"\nmax-restarts = 100\n";
    let member = format!("supervisor = \"top\"\n{ALL}");
    let setup = Setup::new().toml(top).puppet_with("bob", &member).puppet_with("rob", &member).puppet("alice");
    let mut app = setup.start();
    for way in WAYS {
        assert_eq!(app.ask(".rob", &format!("note old; on signal {{{way}}}; ret $notes")), "old");
        app.ask(".alice", "call .bob {trap}; ret");
        app.ask_until(".rob", "ret =$notes", |notes| notes == "=");
        assert_eq!(app.ask(".bob", "ret alive"), "alive", "{way}");
    }
    app.lives();
}

/// A host with its socket beside app.toml, and its compiled code too if that is said.
fn run(folder: &Path, cache: bool) -> Process {
    let mut command = command(&["run", "--log-format", "json"]);
    command.env("XDG_RUNTIME_DIR", folder).arg(folder.join("app.toml"));
    if cache {
        command.env("XDG_CACHE_HOME", folder.join("cache"));
    }
    Process::start(&mut command)
}

#[track_caller]
fn ends_well(mut process: Process) {
    process.signal(Signal::Term);
    assert_eq!(process.end(), Some(0), "{:#?}", process.lines());
}

#[test]
fn a_host_that_is_killed_under_load_leaves_nothing_in_the_way_of_the_next() {
    let busy = "args = \"on timeout {timeout 0; send .bob {note x; forget}; request .bob {ret}}; on reply {set y 1}; timeout 0; log runs\"";
    let setup = Setup::new().toml("[control]\nsocket = \"control.sock\"\n[crashes]\nfolder = \"crashes\"\n");
    let setup = setup.puppet("bob").puppet_with("alice", &format!("{busy}\n{ALL}"));
    let (mut process, folder) = setup.run();
    let socket = folder.path().join("control.sock");
    let handled = || {
        let ps = command(&["ps", "--json", "--socket"]).arg(&socket).output().expect("the binary starts");
        let rows: Value = serde_json::from_slice(&ps.stdout).unwrap_or_default();
        rows["actors"][0]["messages"].as_u64().unwrap_or(0)
    };
    for _ in 0..3 {
        process.line("the start", |line| line.message == "runs");
        while handled() < 1000 {
            assert!(process.runs(), "{}", process.errors());
        }
        process.signal(Signal::Kill);
        assert_eq!(process.end(), None);
        assert!(socket.exists(), "nobody was there to remove it");
        process = run(folder.path(), false);
    }
    process.line("the start", |line| line.message == "runs");
    ends_well(process);
    assert!(!socket.exists());
}

#[test]
fn a_host_that_is_killed_while_it_compiles_leaves_a_cache_that_can_be_used() {
    let setup = Setup::new().puppet_with("alice", &format!("args = \"log runs\"\n{ALL}"));
    let (process, folder) = setup.run();
    process.line("the start", |line| line.message == "runs");
    ends_well(process);
    // Wherever it is then.
    for time in [0, 20, 50, 100, 200, 400, 800] {
        let mut process = run(folder.path(), true);
        std::thread::sleep(Duration::from_millis(time));
        process.signal(Signal::Kill);
        process.end();
    }
    for _ in 0..2 {
        let process = run(folder.path(), true);
        process.line("the start", |line| line.message == "runs");
        let lines = process.lines();
        assert!(lines.iter().all(|line| !line.message.contains("cache")), "{lines:#?}");
        ends_well(process);
    }
}
