//! Many instances at once, on the machine's default limits.

use std::time::Duration;

use wasmtime::Engine;

use crate::actor::{Module, Turn};
use crate::base::Cause;
use crate::base::sync::atomic::{AtomicBool, Ordering};
use crate::wasm::tests::{MEMORY, guest, host, inside, letter, load, told};
use crate::wasm::twins::TWINS;

#[test]
fn twenty_thousand_instances_live_at_once() {
    // On stacks of their own, each of which has run: the dearest kind. One in ten with memory grown beyond its slot.
    let sleep = r#"(import "wasmactor:actor/blocking@0.1.0" "sleep" (func $sleep (param i64)))"#;
    let parks = load(&guest(sleep, "(call $ok)", "(call $sleep (i64.const 60000)) (call $ok)"));
    let grows = load(&guest("", "(call $ok)", "(drop (memory.grow (i32.const 1))) (call $ok)"));
    let maps = || std::fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count());
    inside(MEMORY, move |cx| {
        let before = maps();
        let mut all = Vec::new();
        for index in 0..20_000 {
            let module = if index % 10 == 0 { &grows } else { &parks };
            let mut behavior = module.create(cx).expect("an instance");
            let turn = behavior.handle(cx, letter(b"32 bytes that the guest will see"));
            assert_eq!(matches!(turn, Turn::Parked), index % 10 != 0);
            all.push(behavior);
        }
        let more = maps().saturating_sub(before);
        assert!(more < 40_000, "{more} mappings: the default vm.max_map_count is 65530");
    });
}

#[test]
fn a_worker_that_starts_many_gets_an_engine_of_its_own() {
    let sleep = r#"(import "wasmactor:actor/blocking@0.1.0" "sleep" (func $sleep (param i64)))"#;
    for parts in ["", sleep] {
        let module = load(&guest(parts, "(call $ok)", "(call $err (i32.const 0) (i32.const 0))"));
        let first = module.code.first().engine();
        let own = |worker| !Engine::same(module.code.of(worker).engine(), first);
        assert!(!own(Some(1)), "an engine for one actor");
        (0..1000).for_each(|_| assert!(!own(None) && !own(Some(0))));
        (0..1000).for_each(|_| _ = own(Some(1)));
        assert!(own(Some(1)) && !own(Some(2)));
        let said = inside(MEMORY, move |cx| {
            let mut behavior = module.instance(module.code.of(Some(1)), cx).expect("an instance");
            [behavior.init(cx), behavior.handle(cx, letter(b"a message"))].map(told)
        });
        assert_eq!(said, ["ok", "error: "]);
    }
}

#[test]
fn an_endless_loop_ends_in_every_engine() {
    let sleep = r#"(import "wasmactor:actor/blocking@0.1.0" "sleep" (func $sleep (param i64)))"#;
    for parts in ["", sleep] {
        let module = load(&guest(parts, "(call $ok)", "(loop $again (br $again)) (call $ok)"));
        let said = inside(MEMORY, move |cx| {
            let mut engines: Vec<&Engine> = Vec::new();
            let mut all = Vec::new();
            for worker in 0..=TWINS {
                (0..1000).for_each(|_| _ = module.code.of(Some(worker)));
                let code = module.code.of(Some(worker));
                assert!(engines.iter().all(|engine| !Engine::same(engine, code.engine())), "its own");
                engines.push(code.engine());
                let mut behavior = module.instance(code, cx).expect("an instance");
                assert_eq!(told(behavior.init(cx)), "ok");
                all.push(behavior);
            }
            // From here on the actor is to end, but only what interrupts its guests can tell them: else this hangs.
            assert!(cx.node().kill(None, cx.address(), Cause::Killed, "enough".to_owned()));
            let over = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        host().tick();
                        std::thread::sleep(Duration::from_millis(1));
                    }
                });
                let said: Vec<String> = all.iter_mut().map(|one| told(one.handle(cx, letter(b"")))).collect();
                over.store(true, Ordering::Relaxed);
                said
            })
        });
        assert_eq!(said.len(), TWINS + 1);
        assert!(said.iter().all(|said| said.starts_with("fault: killed")), "{said:?}");
    }
}
