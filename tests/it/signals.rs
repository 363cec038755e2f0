//! The operating system's signals: stop, and those that actors subscribe to; the log file at SIGHUP.

use std::fs;

use wasmactor_tests::{Setup, Signal};

#[test]
fn sigterm_tells_every_actor_and_ends_when_they_have_finished() {
    let app = Setup::new().puppet("alice").puppet("bob").puppet("carol").start();
    // alice finishes her work at the stop: she holds a request that she answers then; bob has timers only.
    app.told(".alice", "on signal {log got $text; reply $held goodbye}");
    app.told(".bob", "on signal {log got $text}; timeout 3600000");
    app.told(".carol", "on reply {log heard $text}; request .alice {defer; let held; log held}");
    app.logged("alice", "held");
    let lines = app.stop();
    let said = |actor: &str, text: &str| lines.iter().any(|line| line.actor == actor && line.message == text);
    assert!(said("alice", "got stop") && said("bob", "got stop") && said("carol", "heard goodbye"), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.message.contains("are killed")), "{lines:#?}");
}

#[test]
fn what_does_not_finish_is_killed_after_the_stop_timeout() {
    let app = Setup::new().host("stop-timeout = \"100ms\"").puppet("alice").puppet("bob").start();
    app.told(".alice", "request .bob {defer; log held}");
    app.logged("bob", "held");
    let lines = app.stop();
    assert!(lines.iter().any(|line| line.level == "WARN" && line.message.contains("are killed")), "{lines:#?}");
}

#[test]
fn a_second_signal_stops_at_once() {
    let mut app = Setup::new().host("stop-timeout = \"1h\"").puppet("alice").puppet("bob").start();
    app.told(".alice", "request .bob {defer; log held}");
    app.logged("bob", "held");
    app.process.signal(Signal::Term);
    app.process.line("the stop", |line| line.message.contains("a second signal stops at once"));
    app.process.signal(Signal::Term);
    assert_eq!(app.process.end(), Some(143));
}

#[test]
fn nothing_is_spawned_while_the_host_stops() {
    let app = Setup::new().puppet("alice").start();
    app.told(".alice", "on signal {spawn puppet - {}; log spawn $it}");
    let lines = app.stop();
    assert!(lines.iter().any(|line| line.message == "spawn !refused"), "{lines:#?}");
}

#[test]
fn subscribers_get_their_signals_and_nobody_else() {
    let mut app = Setup::new().puppet("alice").puppet("bob").start();
    app.ask(".alice", "on signal {log got $text}; subscribe hangup; subscribe user1; subscribe user1; ret");
    app.ask(".bob", "on signal {log got $text}; subscribe user2; ret");
    app.process.signal(Signal::Usr1);
    app.logged("alice", "got user1");
    app.process.signal(Signal::Hup);
    app.logged("alice", "got hangup");
    app.process.signal(Signal::Usr2);
    app.logged("bob", "got user2");
    app.lives();
    assert_eq!((app.log_of("alice").len(), app.log_of("bob").len()), (2, 1));
}

#[test]
fn sighup_opens_the_log_file_anew() {
    let (mut process, folder) = Setup::new()
        .host("log-file = \"app.log\"")
        .puppet_with("alice", "args = \"log one; subscribe hangup; subscribe user1; on signal {log got $text}\"")
        .run();
    let (log, moved) = (folder.path().join("app.log"), folder.path().join("app.log.1"));
    let wait = |path: &std::path::Path, text: &str| {
        let until = std::time::Instant::now() + wasmactor_tests::DEADLINE;
        while !fs::read_to_string(path).is_ok_and(|all| all.contains(text)) {
            assert!(std::time::Instant::now() < until, "{text} did not come in {}", path.display());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    wait(&log, "one");
    fs::rename(&log, &moved).expect("moves");
    process.signal(Signal::Usr1);
    wait(&moved, "got user1");
    process.signal(Signal::Hup);
    wait(&log, "got hangup");
    process.signal(Signal::Term);
    assert_eq!(process.end(), Some(0));
    assert!(!fs::read_to_string(&moved).expect("the old one").contains("hangup"));
}
