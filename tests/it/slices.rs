//! A turn makes room after a slice of time: beside endless loops of every kind of guest the others go on, on one worker.
//!
//! Nothing here looks at a clock: others get their work done while the loops still run, or the test hangs.

use wasmactor_tests::{ALL, App, Setup, wat};

const SPIN: &str = "(loop $again (br $again)) (call $ok)";
/// Makes a guest one that can park: it gets a fiber.
const PARKS: &str = "(func $never (call $sleep (i64.const 1)))";
/// Many slices: some 50 ms.
const LONG: &str = "(local.set $n (i32.const 50000000))
    (loop $again (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $again (local.get $n)))";

fn one_worker() -> Setup {
    Setup::new().argument("--workers=1").puppet("good")
}

/// Others do so much while the loops run.
#[track_caller]
fn others_go_on(app: &mut App) {
    for _ in 0..20 {
        app.lives();
        assert_eq!(app.ask(".good", "call .witness {ret fine}; ret $it"), "fine");
    }
}

/// An actor `.spin` gets this message and does not come back from it until it is killed.
#[track_caller]
fn spins(mut app: App, script: &str) {
    let waits = app.ask_later(".spin", script);
    others_go_on(&mut app);
    let more = app.ask_later(".spin", "one that waits");
    others_go_on(&mut app);
    assert_eq!(app.ask(".good", "kill .spin enough; ret $it"), "done");
    for answer in [waits.wait(), more.wait()] {
        assert!(answer.starts_with("!actor-exited: ") || answer.starts_with("!no-such-actor: "), "{answer}");
    }
    app.lives();
    app.stop();
}

#[test]
fn beside_a_loop_without_a_fiber() {
    spins(one_worker().wat("spin", &wat::guest("", "(call $ok)", SPIN)).start(), "");
}

#[test]
fn beside_a_loop_on_a_fiber() {
    spins(one_worker().wat("spin", &wat::guest(PARKS, "(call $ok)", SPIN)).start(), "");
}

#[test]
fn beside_loops_written_in_rust() {
    for module in ["puppet", "plain"] {
        spins(one_worker().actor("spin", module, ALL).start(), "spin");
    }
}

#[test]
fn beside_a_loop_where_the_host_calls_the_guest_for_memory() {
    for parts in ["", PARKS] {
        let text = wat::guest(parts, "(call $ok)", wat::ECHO);
        let loops = text.replacen("(local.get $at))\n\n", "(loop $again (br $again)) (local.get $at))\n\n", 1);
        assert_ne!(text, loops);
        spins(one_worker().wat("spin", &loops).start(), "some bytes");
    }
}

#[test]
fn beside_an_endless_init_and_an_endless_start_function() {
    let start = "(func $start (loop $again (br $again))) (start $start)";
    for (parts, init) in [("", SPIN), (PARKS, SPIN), (start, "(call $ok)"), (&format!("{PARKS} {start}"), "(call $ok)")]
    {
        let spin = wat::guest(parts, init, "(call $ok)");
        let setup = one_worker().host("stop-timeout = \"100ms\"").module("spin", &spin).puppet("parent");
        let mut app = setup.start();
        app.told(".parent", "log spawns; spawn spin .spin {}");
        app.logged("parent", "spawns");
        others_go_on(&mut app);
        app.stop();
    }
}

#[test]
fn beside_many_loops() {
    const EACH: usize = 12;
    let mut setup = one_worker();
    for (name, parts) in [("thread", ""), ("fiber", PARKS)] {
        setup = setup.module(name, &wat::guest(parts, "(call $ok)", SPIN));
        setup = setup.actor(name, name, &format!("count = {EACH}\n{ALL}"));
    }
    let mut app = setup.start();
    let loops = || (0..EACH).flat_map(|index| ["thread", "fiber"].map(|name| format!(".{name}.{index}")));
    loops().for_each(|name| app.told(&name, ""));
    others_go_on(&mut app);
    for name in loops() {
        assert_eq!(app.ask(".good", &format!("kill {name} enough; ret $it")), "done");
    }
    app.ask_until(".good", "lookup .fiber.0; ret $it", |answer| answer == "none");
    others_go_on(&mut app);
    app.stop();
}

#[test]
fn a_long_turn_ends_in_order_and_before_the_next_begins() {
    for parts in ["", PARKS] {
        // It writes what it got, works, and writes it again.
        let write = "(call $log (i32.const 2) (local.get $p) (i32.const 1) (i32.const 0) (i32.const 0))";
        let handle = format!("{write} {LONG} {write} (call $ok)");
        let mut app = one_worker().wat("works", &wat::guest(parts, "(call $ok)", &handle)).start();
        for message in ["1", "2", "3"] {
            app.told(".works", message);
        }
        others_go_on(&mut app);
        let got = app.ask(".works", "4");
        assert!(got.starts_with("!refused: "), "it answers nobody: {got}");
        // All of it has come through the pipe when the host has ended; the stop is an event, too, and comes last.
        let lines = app.stop().into_iter().filter(|line| line.actor == "works" && line.target == "guest");
        let written: Vec<String> = lines.map(|line| line.message).take(8).collect();
        assert_eq!(written, ["1", "1", "2", "2", "3", "3", "4", "4"]);
    }
}

#[test]
fn a_turn_that_was_cut_may_wait_afterwards() {
    let spin = wat::guest("", "(call $ok)", SPIN);
    let mut app = one_worker().wat("spin", &spin).puppet("works").start();
    app.told(".spin", "");
    let works = app.ask_later(".works", "repeat 20000 {since 0}; call .witness {ret fine}; sleep 5; ret $it");
    others_go_on(&mut app);
    assert_eq!(works.wait(), "fine");
    app.ask(".good", "kill .spin enough; ret");
    app.stop();
}
