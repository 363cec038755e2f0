//! What crossing the sandbox's border costs, without the node around it:
//! `cargo test -p wasmactor --release --lib wasm::tests::measure -- --ignored --nocapture`

use std::time::{Duration, Instant};

use crate::actor::{Module, Turn};
use crate::wasm::tests::{MEMORY, guest, inside, load, message};

/// Median of nine rounds, in nanoseconds for each of `count`.
fn median(count: u32, mut round: impl FnMut() -> Duration) -> f64 {
    let mut rounds: Vec<f64> = (0..9).map(|_| round().as_nanos() as f64 / f64::from(count)).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[4]
}

/// Nanoseconds of one `handle` of 32 bytes; the making of the message is not counted.
fn handle(text: &str) -> f64 {
    const COUNT: u32 = 20_000;
    let module = load(text);
    inside(MEMORY, move |cx| {
        let mut behavior = module.create(cx).expect("an instance");
        median(COUNT, || {
            let messages: Vec<_> = (0..COUNT).map(|_| message(&[7; 32])).collect();
            let began = Instant::now();
            for message in messages {
                assert!(matches!(behavior.handle(cx, message), Turn::Done(Ok(()))));
            }
            began.elapsed()
        })
    })
}

#[test]
#[ignore = "a measurement, for release builds"]
fn turns() {
    let sleep = r#"(import "wasmactor:actor/blocking@0.1.0" "sleep" (func $sleep (param i64)))"#;
    eprintln!("handle, 32 bytes: {:.0} ns", handle(&guest("", "(call $ok)", "(call $ok)")));
    eprintln!("the same on a stack of its own: {:.0} ns", handle(&guest(sleep, "(call $ok)", "(call $ok)")));
}

#[test]
#[ignore = "a measurement, for release builds"]
fn imports() {
    // A hundred in a turn, so that the turn does not count. Nobody has the address: what the node does is little.
    let many = |import: &str, call: &str| {
        let loops = format!(
            "(func $all (local $i i32) (loop $more {call}
                (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100)))))"
        );
        handle(&guest(&format!("{import}{loops}"), "(call $ok)", "(call $all) (call $ok)")) / 100.0
    };
    let random = r#"(import "wasmactor:actor/timer@0.1.0" "now" (func $now (result i64)))"#;
    eprintln!("timer.now: {:.0} ns", many(random, "(drop (call $now))"));
    let cancel = r#"(import "wasmactor:actor/messaging@0.1.0" "cancel" (func $cancel (param i64) (result i32)))"#;
    eprintln!("messaging.cancel of nothing: {:.0} ns", many(cancel, "(drop (call $cancel (i64.const 1)))"));
    let broadcast = r#"(import "wasmactor:actor/messaging@0.1.0" "broadcast"
        (func $broadcast (param i32 i32 i32 i32 i32) (result i32)))"#;
    let call = "(drop (call $broadcast (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 32)))";
    eprintln!("messaging.broadcast of 32 bytes to nobody: {:.0} ns", many(broadcast, call));
}

#[test]
#[ignore = "a measurement, for release builds"]
fn births() {
    const COUNT: u32 = 1000;
    let module = load(&guest("", "(call $ok)", "(call $ok)"));
    let (one, bulk) = inside(MEMORY, move |cx| {
        let one = median(COUNT, || {
            let began = Instant::now();
            for _ in 0..COUNT {
                drop(module.create(cx).expect("an instance"));
            }
            began.elapsed()
        });
        let bulk = median(COUNT, || {
            let began = Instant::now();
            let all: Vec<_> = (0..COUNT).map(|_| module.create(cx).expect("an instance")).collect();
            drop(all);
            began.elapsed()
        });
        (one, bulk)
    });
    eprintln!("create and drop: {:.1} us, {:.1} us with 1000 alive", one / 1e3, bulk / 1e3);
}

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
            let turn = behavior.handle(cx, message(b"32 bytes that the guest will see"));
            assert_eq!(matches!(turn, Turn::Parked), index % 10 != 0);
            all.push(behavior);
        }
        let more = maps().saturating_sub(before);
        assert!(more < 40_000, "{more} mappings: the default vm.max_map_count is 65530");
    });
}
