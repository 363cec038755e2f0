//! Hostile guests against every limit: each gets its error, or ends with it, and nothing else happens.

use std::io::Read as _;
use std::net::TcpStream;

use wasmactor_tests::{ALL, App, Setup, wat};

/// An actor `.bad` with these limits and all grants, and one beside it.
fn limited(limits: &str) -> App {
    Setup::new().puppet_with("bad", &format!("limits = {{ {limits} }}\n{ALL}")).puppet("good").start()
}

/// The guest tries too much, has its error, and lives; so do others.
#[track_caller]
fn told(mut app: App, script: &str, expected: &str) {
    assert_eq!(app.ask(".bad", script), expected);
    assert_eq!(app.ask(".bad", "ret still here"), "still here");
    app.lives();
    app.stop();
}

#[test]
fn payloads() {
    told(
        limited("payload = 100"),
        "bytes .good 100; note $it; bytes .good 101; note $it; ret $notes",
        "done,!over-limit",
    );
}

#[test]
fn an_answer_that_is_too_large() {
    let mut app = limited("payload = 100");
    let got = app.ask(".bad", &format!("ret {}", "x".repeat(200)));
    assert!(got.starts_with("!refused: "), "the host answers what the guest could not: {got}");
    app.lives();
}

#[test]
fn requests() {
    let script = "repeat 6 {request .good {defer}; note $it}; ret $notes";
    let mut app = limited("requests = 4");
    let got = app.ask(".bad", script);
    let got: Vec<&str> = got.split(',').collect();
    assert!(got[..4].iter().all(|session| session.parse::<u64>().is_ok()), "{got:?}");
    assert_eq!(got[4..], ["!over-limit"; 2]);
    assert_eq!(app.ask(".good", "ret free"), "free");
    app.lives();
}

#[test]
fn children() {
    let script = "repeat 3 {start-child puppet - {}; note $it}; start-child puppet - {}; note $code; ret $notes";
    let mut app = limited("children = 2");
    let got = app.ask(".bad", script);
    let got: Vec<&str> = got.split(',').collect();
    assert_eq!(got[2], "!over-limit", "{got:?}");
    assert_eq!(app.ask(".bad", &format!("kill {}; note gone; ret $it", got[0])), "done");
    app.ask_until(".bad", "start-child puppet - {}; ret $it", |it| it.parse::<u64>().is_ok());
    app.lives();
}

#[test]
fn timers_end_the_actor_which_has_no_other_way_to_hear_of_it() {
    let mut app = limited("timers = 3");
    assert_eq!(app.ask(".bad", "repeat 3 {timeout 100000}; cancel-timer $it; timeout 100000; ret fine"), "fine");
    let got = app.ask(".bad", "timeout 100000; ret $it");
    assert!(got.starts_with("!actor-failed: ") && got.contains("limit `timers`, which is 3"), "{got}");
    app.lives();
    app.stop();
}

#[test]
fn watches_end_the_actor_which_has_no_other_way_to_hear_of_it() {
    let mut app = limited("watches = 3");
    assert_eq!(app.ask(".bad", "repeat 3 {watch .good}; unwatch $it; watch .good; ret fine"), "fine");
    let got = app.ask(".bad", "watch .good; ret $it");
    assert!(got.starts_with("!actor-failed: ") && got.contains("limit `watches`, which is 3"), "{got}");
    app.lives();
    app.stop();
}

#[test]
fn links() {
    let mut app = limited("links = 1");
    let got = app
        .ask(".bad", "link .good; note $it; link .witness; note $it; unlink .good; link .good; note $it; ret $notes");
    assert_eq!(got, "done,!over-limit,done");
    app.ask(".bad", "exit enough; ret");
    app.lives();
    app.stop();
}

#[test]
fn names() {
    let script = "register .b; note $it; register .c; note $it; lookup .c; note $it; unregister .b; register .c; note $it; ret $notes";
    told(limited("names = 2"), script, "done,!over-limit,none,done");
}

#[test]
fn sockets_of_its_own() {
    let script = "listen 127.0.0.1:0; listen 127.0.0.1:0; listen 127.0.0.1:0; note $it; connect 127.0.0.1:9; note $it; ret $notes";
    told(limited("sockets = 2"), script, "!over-limit,!over-limit");
}

#[test]
fn sockets_that_others_open() {
    let mut app = limited("sockets = 2");
    let at = app.ask(".bad", "on accepted {log accepted}; listen 127.0.0.1:0; local $it; ret $it");
    let _first = TcpStream::connect(&at).expect("a listener");
    app.logged("bad", "accepted");
    for _ in 0..3 {
        let mut more = TcpStream::connect(&at).expect("the kernel takes it");
        let ends = more.read(&mut [0; 1]);
        assert!(matches!(ends, Ok(0) | Err(_)), "{ends:?}");
    }
    app.lives();
    app.stop();
}

#[test]
fn sockets_that_are_given() {
    let mut app = Setup::new().puppet_with("bad", &format!("limits.sockets = 0\n{ALL}")).puppet("good").start();
    let got = app.ask(".good", "listen 127.0.0.1:0; let s; pause $s; give $s .bad; ret $it");
    assert_eq!(got, "!over-limit");
    app.lives();
}

#[test]
fn a_mailbox_of_bytes() {
    let bob = format!("limits = {{ mailbox-bytes = 100000 }}\n{ALL}");
    let mut app = Setup::new().puppet("alice").puppet("carol").puppet_with("bob", &bob).start();
    app.told(".bob", "call .carol {defer; let held; log held}");
    app.logged("carol", "held");
    let script = "bytes .bob 60000; note $it; bytes .bob 60000; note $it; bytes .bob 30000; note $it; bytes .bob 64; note $it; ret $notes";
    assert_eq!(app.ask(".alice", script), "done,!mailbox-full,done,done");
    app.told(".carol", "reply $held");
    assert_eq!(app.ask(".bob", "ret through"), "through");
    assert_eq!(app.ask(".alice", "bytes .bob 100000; ret $it"), "done");
    app.lives();
    app.stop();
}

#[test]
fn what_a_manifest_says_wrong() {
    let text = Setup::new().toml("[limits]\ntimers = -1\nmailbox-bytes = 1\nmailboxes = 3\n").refused();
    for words in ["`timers` must be 0 to", "`mailbox-bytes` must be 64 B to", "did you mean `mailbox`?"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn turns() {
    // With a stack of its own, which can be suspended, and without.
    let parks = "(func $never (call $sleep (i64.const 1)))";
    for parts in ["", parks] {
        let spin = wat::guest(parts, "(call $ok)", "(loop $again (br $again)) (call $ok)");
        let setup = Setup::new().argument("--workers=1").module("spin", &spin).puppet("good");
        let mut app = setup.actor("bad", "spin", &format!("limits.turn = \"100ms\"\n{ALL}")).start();
        let waits = app.ask_later(".bad", "");
        app.lives();
        let got = waits.wait();
        assert!(got.starts_with("!actor-failed: ") && got.contains("limit `turn`, which is 100ms"), "{got}");
        assert_eq!(app.ask(".good", "lookup .bad; ret $it"), "none");
        app.lives();
        app.stop();
    }
}

#[test]
fn many_short_turns_are_no_long_one() {
    let mut app = limited("turn = \"100ms\"");
    for _ in 0..50 {
        app.ask(".bad", "repeat 2000 {note x}; forget; ret");
    }
    app.lives();
}

#[test]
fn tables() {
    // Grows it by 100 elements at a time until -1; answers how many elements it has, as a character after `@`.
    let grows = "(loop $more (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 10)) (i32.const -1))))
        (i32.store8 (i32.const 64) (i32.add (i32.const 64) (table.size $t)))
        (call $ret (i32.const 64) (i32.const 1) (i32.const 128)) (call $ok)";
    let text = wat::guest("(table $t 0 funcref)", "(call $ok)", grows);
    let setup = Setup::new().module("grows", &text).actor("bad", "grows", &format!("limits.table = 16\n{ALL}"));
    let mut app = setup.start();
    assert_eq!(app.ask(".bad", ""), "J");
    app.lives();
    let large = wat::guest("(table $t 17 funcref)", "(call $ok)", "(call $ok)");
    let module = "[module.large]\nsource = \"large.wat\"\nlimits.table = 16\n";
    let mut app = Setup::new().file("large.wat", large).toml(module).puppet("good").start();
    let got = app.ask(".good", "start-child large - {}; ret $it: $why");
    assert!(got.starts_with("!refused: ") && got.contains("table"), "{got}");
    app.lives();
}

#[test]
fn lines_of_the_log() {
    let mut app = limited("log = 5");
    assert_eq!(app.ask(".bad", "repeat 1000 {log noise}; ret done"), "done");
    app.ask_until(".bad", "log more; ret x", |_| {
        app.process
            .lines()
            .iter()
            .any(|line| line.actor == "bad" && line.message.contains("limit `log`, which is 5 a second"))
    });
    let noise = app.log_of("bad").len();
    assert!(noise < 1000 / 2, "{noise} lines");
    app.lives();
}

#[test]
fn a_share_of_a_core() {
    // One that never stops to work for itself, with a hundredth of a core, and one that has all of it.
    let mut app = Setup::new()
        .argument("--workers=1")
        .puppet_with("bad", &format!("limits.cpu = 1\n{ALL}"))
        .puppet("good")
        .start();
    app.ask(".bad", "on timeout {repeat 2000 {note x}; forget; timeout 0}; timeout 0; ret");
    for _ in 0..100 {
        assert_eq!(app.ask(".good", "repeat 100 {note x}; forget; ret fine"), "fine");
    }
    app.lives();
    // What it owes does not keep it from its end.
    assert_eq!(app.ask(".good", "kill .bad enough; ret $it"), "done");
    app.ask_until(".good", "lookup .bad; ret $it", |it| it == "none");
    app.lives();
    app.stop();
}

/// Grows to 40 MiB when it starts, and touches all of it.
fn hog() -> String {
    let grow = "(if (i32.eq (memory.grow (i32.const 640)) (i32.const -1)) (then unreachable))
        (memory.fill (i32.const 65536) (i32.const 1) (i32.const 41943040)) (call $ok)";
    wat::guest("", grow, "(call $ok)")
}

#[test]
fn a_host_at_its_memory_budget_refuses_and_lives() {
    let setup = Setup::new().host("memory = \"600MiB\"").module("hog", &hog()).puppet("bad").puppet("good");
    let mut app = setup.start();
    let all = app.ask(".bad", "repeat 40 {start-child hog - {}; note $it}; ret $notes,$why");
    let (born, refused) = (all.split(',').filter(|it| it.parse::<u64>().is_ok()), all.matches("!over-limit").count());
    let born: Vec<&str> = born.collect();
    assert!(!born.is_empty() && refused > 0, "{all}");
    assert!(all.contains("budget `memory`"), "{all}");
    app.lives();
    let got = app.ask(".good", "bytes .bad 100000; note $it; bytes .bad 10; note $it; ret $notes");
    assert_eq!(got, "!over-limit,done", "what lies in its letter may still go");
    // It goes on as before when others have ended.
    for hog in born {
        app.ask(".bad", &format!("kill {hog}; ret"));
    }
    app.ask_until(".bad", "start-child hog - {}; ret $it", |it| it.parse::<u64>().is_ok());
    app.ask_until(".good", "bytes .bad 100000; ret $it", |it| it == "done");
    app.lives();
    app.stop();
}

#[test]
fn a_host_whose_mailboxes_hold_as_much_as_they_may() {
    for flood in ["repeat 30 {bytes .bob 60000}", "repeat 20000 {send .bob {}}"] {
        let setup = Setup::new().host("mailbox-bytes = \"1MiB\"").puppet("alice").puppet("bob").puppet("carol");
        let app = setup.start();
        app.told(".bob", "call .carol {defer; let held; log held}");
        app.logged("carol", "held");
        let got = app.ask(".alice", &format!("{flood}; note $it; send .bob {{}}; note $it; ret $notes,$why"));
        assert!(
            got.starts_with("!over-limit,!over-limit,") && got.contains("the host's budget `mailbox-bytes`"),
            "{got}"
        );
        app.logged("", "bytes in mailboxes is used up");
        // Whoever it is for, what is small too, from outside too; but answers come through.
        let said = app.fails(1, &["send", ".carol", "ret"]);
        assert!(said.contains("over-limit"), "{said}");
        assert_eq!(app.ask(".carol", "ret"), "!over-limit: over the host's budget `mailbox-bytes`, which is 1048576");
        app.says(&["kill", ".carol"]);
        app.ask_until(".bob", "ret through", |it| it == "through");
        app.ask(".alice", "ret still here");
        app.stop();
    }
}

#[test]
fn a_host_with_as_many_actors_and_sockets_as_it_may_have() {
    let mut app = Setup::new().host("actors = 6\nsockets = 8").puppet("bad").puppet("good").start();
    let got = app.ask(".bad", "repeat 3 {start-child puppet - {}; note $it}; ret $notes,$why");
    assert!(got.contains("!over-limit") && got.contains("budget `actors`, which is 6"), "{got}");
    app.lives();
    // Those of the test itself count, too: this is its last.
    let got = app.ask(".bad", "forget; repeat 9 {listen 127.0.0.1:0; note $it}; ret $notes,$why; exit enough");
    assert!(got.ends_with("over the host's budget `sockets`, which is 8"), "{got}");
    app.stop();
}
