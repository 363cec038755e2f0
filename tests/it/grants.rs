//! Promise 11: what was not granted cannot be used. (Sending and killing: see `failures`, `lifecycle`.)

use wasmactor_tests::Setup;

#[test]
fn without_grants_nothing_outward_works() {
    let mut app = Setup::new().puppet("bob").puppet_with("alice", "grants = {}").start();
    let script = "send .bob {log oh}; note $it; call .bob {ret}; note $it; request .bob {ret}; note $it; kill .bob; note $it; \
                  spawn puppet - {}; note $it; start-child puppet - {}; note $it; register .x; note $it; \
                  listen 127.0.0.1:0; note $it; connect 127.0.0.1:9; note $it; env HOME; note $it; env PATH; note $it; ret $notes";
    let expected = format!("{},none,none", ["!not-granted"; 9].join(","));
    assert_eq!(app.ask(".alice", script), expected);
    assert!(app.log_of("bob").is_empty());
    app.lives();
}

#[test]
fn a_parent_and_its_child_may_send_to_each_other() {
    let modules = "[module.quiet]\nsource = \"PUPPET\"\n";
    let puppet = wasmactor_tests::guest("puppet");
    let setup = Setup::new().toml(&modules.replace("PUPPET", &puppet.display().to_string())).puppet("bob");
    let app = setup.puppet_with("alice", "grants = { spawn = [\"quiet\"] }").start();
    let script = "self; let me; start-child quiet - {}; let child; \
                  call $child {send $from {note from the child}; note $it; send .bob {log oh}; note $it; ret $notes}; ret $it";
    assert_eq!(app.ask(".alice", script), "done,!not-granted");
    assert_eq!(app.ask(".alice", "ret $notes"), "from the child");
}

#[test]
fn addresses_are_granted_one_by_one() {
    let grants = "grants = { listen = [\"127.0.0.1:0\"], connect = [\"127.0.0.1:7\"] }";
    let app = Setup::new().puppet_with("alice", grants).start();
    let script = "listen 127.0.0.1:0; note $it; listen 127.0.0.1:7000; note $it; listen 0.0.0.0:0; note $it; listen [::1]:0; note $it; \
                  connect 127.0.0.1:8; note $it; connect 127.0.0.2:7; note $it; ret $notes";
    let got = app.ask(".alice", script);
    let got: Vec<&str> = got.split(',').collect();
    assert!(got[0].parse::<u64>().is_ok(), "{got:?}");
    assert_eq!(got[1..], ["!not-granted"; 5]);
}

#[test]
fn names_and_modules_are_granted_by_pattern() {
    let grants = "grants = { names = [\".shop*\"], spawn = [\"pup*\"] }";
    let app = Setup::new().puppet_with("alice", grants).start();
    let script = "register .shop.a; note $it; register .other; note $it; start-child puppet .shop.b {}; lookup .shop.b; let b; \
                  spawn plain - {}; note $it; spawn puppet .other {}; note $it; ret $notes $b";
    let got = app.ask(".alice", script);
    let (notes, child) = got.split_once(' ').expect("two");
    assert_eq!(notes, "done,!not-granted,!not-granted,!not-granted");
    assert!(child.parse::<u64>().is_ok(), "{child}");
}

#[test]
fn entries_of_env_are_granted_by_name() {
    let env = "[env]\nGREETING = \"hello\"\nSECRET = \"x\"\n";
    let setup = Setup::new().toml(env).puppet_with("alice", "grants = { env = [\"GREETING\"] }");
    let app = setup.start();
    assert_eq!(
        app.ask(".alice", "env GREETING; note $it; env SECRET; note $it; env HOME; note $it; ret $notes"),
        "hello,none,none"
    );
}

/// A module `NAME` of the puppet's file, with these lines in its table.
fn module(name: &str, lines: &str) -> String {
    format!("[module.{name}]\nsource = \"{}\"\n{lines}\n", wasmactor_tests::guest("puppet").display())
}

#[test]
fn a_child_gets_of_its_modules_grants_what_its_parent_has_and_so_does_its_child() {
    let all = "grants = { send = [\"*\"], names = [\"*\"], spawn = [\"*\"], kill = [\"*\"], listen = [\"*\"], connect = [\"*\"], env = [\"*\"] }";
    let setup =
        Setup::new().toml("[env]\nGREETING = \"hello\"\nSECRET = \"x\"\n").toml(&module("low", all)).puppet("bob");
    let own = "grants = { send = [\"bo*\"], names = [\".shop*\"], spawn = [\"low\"], listen = [\"127.0.0.1:*\"], env = [\"GREETING\"] }";
    let mut app = setup.puppet("carol").puppet_with("alice", own).start();
    let tries = "send .bob {log hello}; note $it; send .carol {log oh}; note $it; kill .bob; note $it; register .shop.%n; note $it; \
                 register .other; note $it; spawn puppet - {}; note $it; connect 127.0.0.1:9; note $it; listen 0.0.0.0:0; note $it; \
                 env GREETING; note $it; env SECRET; note $it; ret $notes";
    let expected = "done,!not-granted,!not-granted,done,!not-granted,!not-granted,!not-granted,!not-granted,hello,none";
    let script = |n: &str| tries.replace("%n", n);
    app.ask(".alice", "start-child low .shop.child {}; let child; ret $it");
    assert_eq!(app.ask(".shop.child", &script("1")), expected);
    app.ask(".shop.child", "start-child low .shop.grandchild {}; ret $it");
    assert_eq!(app.ask(".shop.grandchild", &script("2")), expected);
    app.logged("bob", "hello");
    assert!(app.log_of("carol").is_empty());
    app.lives();
}

#[test]
fn an_actor_without_clocks_and_entropy_sees_the_same_each_time() {
    let off = "grants = { spawn = [\"puppet\"], names = [\".c\"], clock = false, random = false }";
    let setup = Setup::new().puppet_with("alice", off).puppet_with("bob", off).puppet("carol");
    let mut app = setup.start();
    let script = "random; note $it; random; note $it; now; note $it; wall; note $it; ret $notes";
    let (alice, bob, carol) = (app.ask(".alice", script), app.ask(".bob", script), app.ask(".carol", script));
    let got: Vec<&str> = alice.split(',').collect();
    assert!(got[2..] == ["0", "0"] && got[0] != got[1], "{alice}");
    assert!(alice != bob, "by name");
    assert!(!carol.contains(",0"), "{carol}");
    // Its children have none either, and the next run sees the same.
    app.ask(".alice", "start-child puppet .c {}; ret $it");
    assert!(app.ask(".c", script).ends_with(",0,0"));
    app.lives();
    app.stop();
    let again = Setup::new().puppet_with("alice", off).start();
    assert_eq!(again.ask(".alice", script), alice);
}

#[test]
fn an_actor_that_may_not_log_writes_nothing() {
    let mut app = Setup::new().puppet_with("alice", "grants = { log = false }").puppet("bob").start();
    assert_eq!(app.ask(".alice", "log one; field a b two; ret fine"), "fine");
    app.ask(".bob", "log three; ret");
    assert_eq!(app.log_of("bob"), ["three"]);
    assert!(app.log_of("alice").is_empty());
    app.lives();
}
