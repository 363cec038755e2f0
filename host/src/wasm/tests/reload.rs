//! Reloads of real guests, flat and as components (the suite runs both ways), that park and that do not: state goes over, and
//! whatever a guest does in `save`, `load` and `self-test`, the old instance goes on.

use std::time::Duration;

use super::{Folder, LONG, MEMORY, Running, guest, limits, load, load_path};
use crate::base::sync::Arc;
use crate::base::{Address, Grants};
use crate::node::crash::CrashOptions;
use crate::node::{ModuleEntry, ReloadOptions, ReloadReport, SpawnSpec};

/// What a version does where the others do as they should.
#[derive(Clone, Copy)]
struct Version {
    name: char,
    save: &'static str,
    load: &'static str,
    test: &'static str,
    parts: &'static str,
    init: &'static str,
    /// It could park.
    parks: bool,
}

const SAVES: &str = "(call $saved (i32.const 2048) (i32.const 4))";
const LOADS: &str = "(i32.store (i32.const 2048) (i32.load (local.get $state))) (call $ok)";

const A: Version =
    Version { name: 'A', save: SAVES, load: LOADS, test: "(call $ok)", parts: "", init: "(call $ok)", parks: false };
const B: Version = Version { name: 'B', ..A };

/// Counts messages that begin with `a`; any other is answered with the version and the count. The count is its state.
fn text(version: Version) -> String {
    let Version { name, save, load, test, parts, init, parks } = version;
    let blocking =
        if parks { r#"(import "wasmactor:actor/blocking@0.1.0" "sleep" (func $sleep (param i64)))"# } else { "" };
    let handle = format!(
        r#"(if (i32.eq (i32.load8_u (local.get $p)) (i32.const 97))
            (then (i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1))))
            (else
                (i32.store8 (i32.const 2100) (i32.const {}))
                (i32.store8 (i32.const 2101) (i32.add (i32.const 48) (i32.load (i32.const 2048))))
                (call $ret (i32.const 2100) (i32.const 2) (i32.const 64))))
        (call $ok)"#,
        u32::from(name)
    );
    let parts = format!(
        r#"(import "wasmactor:actor/messaging@0.1.0" "ret" (func $ret (param i32 i32 i32)))
        (import "wasmactor:actor/messaging@0.1.0" "send" (func $send (param i64 i32 i32 i32 i32)))
        (import "wasmactor:actor/messaging@0.1.0" "self" (func $self (result i64)))
        {blocking} {parts}
        (func $saved (param $p i32) (param $n i32) (result i32)
            (i32.store (i32.const 32) (i32.const 0))
            (i32.store (i32.const 36) (i32.const 1))
            (i32.store (i32.const 40) (local.get $p))
            (i32.store (i32.const 44) (local.get $n))
            (i32.const 32))
        (func $fails (result i32)
            (i32.store (i32.const 32) (i32.const 1))
            (i32.store (i32.const 36) (i32.const 2200))
            (i32.store (i32.const 40) (i32.const 2))
            (i32.const 32))
        (data (i32.const 2200) "no")
        (func (export "wasmactor:actor/state@0.1.0#save") (param $in-flight i32) (result i32) {save})
        (func (export "wasmactor:actor/state@0.1.0#load") (param $state i32) (param $length i32) (param i32 i32)
            (result i32) {load})
        (func (export "wasmactor:actor/state@0.1.0#self-test") (result i32) {test})"#
    );
    guest(&parts, init, &handle)
}

struct Host {
    running: Running,
    counter: Address,
}

impl Host {
    fn start(version: Version) -> Self {
        let running = Running::new();
        let counter = running.spawn("counter", &text(version));
        Self { running, counter }
    }

    fn ask(&self) -> String {
        self.running.call(self.counter, b"?")
    }

    fn count(&self) {
        let payload = crate::base::Payload::from(&b"a"[..]);
        self.running.node.post(self.counter, 0, payload).expect("it lives");
    }

    fn reload(&self, text: &str, options: ReloadOptions) -> ReloadReport {
        let entry = ModuleEntry { module: load(text), grants: Arc::new(Grants::all()), limits: limits(MEMORY) };
        self.running.node.reload("counter", entry, options).expect("it is known")
    }
}

fn flat() -> bool {
    std::env::var_os("WASMACTOR_TEST_COMPONENTS").is_none()
}

fn short() -> ReloadOptions {
    ReloadOptions { step: Duration::from_millis(100), ..ReloadOptions::default() }
}

#[test]
fn state_goes_from_version_to_version() {
    for parks in [false, true] {
        let module = load(&text(Version { parks, ..A }));
        assert_eq!((module.is_flat(), module.parks()), (flat(), parks));
        let host = Host::start(Version { parks, ..A });
        for (round, parks) in [(0, true), (1, false), (2, parks)] {
            host.count();
            let version = Version { parks, name: ['B', 'C', 'D'][round], ..A };
            let report = host.reload(&text(version), ReloadOptions::default());
            assert_eq!((report.exchanged, &report.kept[..]), (1, &[][..]));
            assert_eq!(host.ask(), format!("{}{}", version.name, round + 1));
        }
    }
}

#[test]
fn whatever_a_guest_does_in_save_it_goes_on() {
    // Each breaks what it can before it fails.
    let breaks = "(i32.store (i32.const 2048) (i32.const 9)) (global.set $next (i32.const -8))";
    let cases = [
        ("(call $fails)", "no", true),
        ("(unreachable)", "wasm `unreachable` instruction executed", false),
        ("(drop (memory.grow (i32.const 3))) (unreachable)", "wasm `unreachable` instruction executed", false),
        ("(loop (br 0)) (unreachable)", "its time is over", false),
        ("(call $saved (i32.const 2048) (i32.const -1))", "out of bounds", false),
        ("(i32.const 31)", "not aligned", false),
        ("(i32.const -4)", "out of bounds", false),
    ];
    for parks in [false, true] {
        for (save, why, said) in cases {
            let text_of = |save| text(Version { save, parks, ..A });
            let (running, broken) = (Running::new(), format!("{breaks} {save}"));
            let broken = if said { save.to_owned() } else { broken };
            let counter = running.spawn("counter", &text_of(Box::leak(broken.into_boxed_str())));
            let host = Host { running, counter };
            host.count();
            host.count();
            let report = host.reload(&text(B), short());
            assert_eq!(report.exchanged, 0);
            let reason = &report.kept.first().expect("it keeps its version").1;
            if flat() || said {
                assert!(reason.contains(why), "{save}: {reason}");
                assert_eq!(host.ask(), "A2", "{save}");
                host.count();
                assert_eq!(host.ask(), "A3", "{save}: also later");
            } else {
                // A component that has trapped cannot be entered any more: it has failed.
                assert!(reason.starts_with("it broke in `save`, and cannot go on: "), "{save}: {reason}");
                let gone = host.ask();
                assert!(["no-such-actor", "actor-failed"].iter().any(|code| gone.starts_with(code)), "{save}: {gone}");
            }
        }
    }
}

#[test]
fn whatever_a_new_instance_does_the_old_one_goes_on() {
    let cases = [
        (Version { load: "(call $fails)", ..B }, "no"),
        (Version { load: "(unreachable)", ..B }, "wasm `unreachable` instruction executed"),
        (Version { load: "(loop (br 0)) (unreachable)", ..B }, "its time is over"),
        (Version { load: "(i32.const -2)", ..B }, ""),
        (Version { test: "(call $fails)", ..B }, "`self-test`: no"),
        (Version { test: "(unreachable)", ..B }, "`self-test`: wasm `unreachable` instruction executed"),
        (Version { test: "(loop (br 0)) (unreachable)", ..B }, "`self-test`: its time is over"),
        (Version { parts: "(func $start unreachable) (start $start)", ..B }, "wasm `unreachable` instruction executed"),
        (Version { parts: "(func $start (loop (br 0))) (start $start)", ..B }, "its time is over"),
        (
            Version { parts: "(global (mut i32) (i32.const 0))", save: "(call $fails)", load: "(call $fails)", ..B },
            "no",
        ),
    ];
    for parks in [false, true] {
        let host = Host::start(Version { parks, ..A });
        host.count();
        for (version, why) in cases {
            let report = host.reload(&text(Version { parks: !parks, ..version }), short());
            let reason = &report.kept.first().expect("it keeps its version").1;
            assert!(report.exchanged == 0 && reason.contains(why), "{reason}");
            assert_eq!(host.ask(), "A1");
        }
        assert_eq!(host.reload(&text(B), short()).exchanged, 1, "nothing hinders the next try");
        assert_eq!(host.ask(), "B1");
    }
}

#[test]
fn in_load_nothing_goes_out() {
    // It sends itself an `a`; the result's first byte is 1 for an error, its code is at 4: 9 is `invalid`.
    let load = "(call $send (call $self) (i32.const 0) (i32.const 2300) (i32.const 1) (i32.const 64)) \
                (i32.store (i32.const 2048) (i32.load8_u (i32.const 68))) (call $ok)";
    let host = Host::start(A);
    let version = Version { load, parts: "(data (i32.const 2300) \"a\")", ..B };
    assert_eq!(host.reload(&text(version), short()).exchanged, 1);
    assert_eq!((host.ask(), host.ask()), ("B9".to_owned(), "B9".to_owned()));
}

#[test]
fn a_module_without_state_begins_anew_if_it_may() {
    let plain = |version: &str| {
        guest(
            r#"(import "wasmactor:actor/messaging@0.1.0" "ret" (func $ret (param i32 i32 i32)))"#,
            "(call $ok)",
            &format!(
                "(i32.store8 (i32.const 2100) (i32.const {version})) (call $ret (i32.const 2100) (i32.const 1) (i32.const 64)) (call $ok)"
            ),
        )
    };
    let host = Host::start(A);
    let refused = host.reload(&plain("88"), short());
    assert!(refused.kept.first().is_some_and(|(_, why)| why.contains("no `save` and `load`")), "{refused:?}");
    assert_eq!(host.ask(), "A0");
    assert_eq!(host.reload(&plain("88"), ReloadOptions { restart: true, ..short() }).restarted, 1);
    assert_eq!(host.ask(), "X");
}

#[test]
fn half_a_state_is_no_module() {
    let folder = Folder::new();
    let text = text(A).replace("state@0.1.0#self-test", "none");
    let error = load_path(&folder.file("half.wat", text)).expect_err("it has no self-test").to_string();
    assert!(error.contains("exports no wasmactor:actor/state@0.1.0 \"self-test\""), "{error}");
}

#[test]
fn rolled_over_many_while_they_are_born_and_end() {
    let host = Host::start(A);
    let node = &host.running.node;
    let spawn = || {
        let spec = SpawnSpec { module: "counter".to_owned(), ..SpawnSpec::default() };
        node.spawn_and_wait(spec, LONG).expect("it starts")
    };
    let mut actors: Vec<Address> = (0..40).map(|_| spawn()).collect();
    for round in 0..20 {
        std::thread::scope(|scope| {
            let born = scope.spawn(|| (0..8).map(|_| spawn()).collect::<Vec<Address>>());
            for actor in actors.drain(..8) {
                node.kill(None, actor, crate::base::Cause::Killed, String::new());
            }
            let name = if round % 2 == 0 { 'B' } else { 'A' };
            let report = host.reload(&text(Version { name, ..A }), ReloadOptions::default());
            assert_eq!(report.kept, []);
            actors.extend(born.join().expect("no panic"));
            for actor in &actors {
                assert_eq!(host.running.call(*actor, b"?"), format!("{name}0"), "round {round}");
            }
        });
    }
}

#[test]
fn a_trap_in_a_step_leaves_a_report_and_nothing_for_the_next_one() {
    for parks in [false, true] {
        let cases = [
            ("save", Version { save: "(unreachable)", parks, ..A }, B),
            ("load", Version { parks, ..A }, Version { load: "(unreachable)", ..B }),
            ("load", Version { parks, ..A }, Version { test: "(unreachable)", ..B }),
            ("load", Version { parks, ..A }, Version { parts: "(func $start unreachable) (start $start)", ..B }),
        ];
        for (step, old, new) in cases {
            let running = Running::new();
            let crashes = running.node.on_crash(CrashOptions { all: true, ..CrashOptions::default() });
            let counter = running.spawn("counter", &text(old));
            let host = Host { running, counter };
            host.count();
            assert_eq!(host.reload(&text(new), short()).kept.len(), 1);
            let crash = crashes.recv_timeout(LONG).expect("a report");
            assert_eq!(crash.event.0.event(), step);
            assert!(crash.reason.contains("wasm `unreachable` instruction executed"), "{}", crash.reason);
            assert!(!crash.evidence.frames.is_empty() && crash.evidence.dump.is_some(), "{step}: where it was");
            let version = if step == "save" { load(&text(old)) } else { load(&text(new)) };
            assert_eq!(crash.module.version(), version.version(), "{step}");
            assert_eq!(crash.events.len(), 1, "what was before is that it counted");
            assert!(crashes.try_recv().is_err(), "one report of one fault");
        }
    }
}
