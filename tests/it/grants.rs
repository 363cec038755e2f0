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
