//! Guests that wait in the middle of a turn.

use std::time::{Duration, Instant};

use crate::actor::{Module, Turn};
use crate::base::{Cause, Payload};
use crate::node::Context;
use crate::wasm::tests::turns::echo;
use crate::wasm::tests::{LONG, MEMORY, Running, guest, inside, letter, load, told};

const SLEEP: &str = r#"(import "wasmactor:actor/blocking@0.1.0" "sleep" (func $sleep (param i64)))"#;
const RET: &str = r#"(import "wasmactor:actor/messaging@0.1.0" "ret" (func $ret (param i32 i32 i32)))"#;

fn sleeper(milliseconds: u32) -> String {
    let handle = format!(
        "(call $sleep (i64.const {milliseconds})) (call $ret (local.get $p) (local.get $n) (i32.const 32)) (call $ok)"
    );
    guest(&format!("{SLEEP}{RET}"), "(call $ok)", &handle)
}

/// Calls the actor `.echo` with what it is asked, and answers with the answer.
fn relay() -> String {
    guest(
        &format!(
            r#"{RET}
            (import "wasmactor:actor/blocking@0.1.0" "call" (func $call (param i64 i32 i32 i32 i32 i32)))
            (import "wasmactor:actor/registry@0.1.0" "lookup" (func $lookup (param i32 i32 i32)))
            (data (i32.const 64) ".echo")"#
        ),
        "(call $ok)",
        "(call $lookup (i32.const 64) (i32.const 5) (i32.const 96))
         (call $call (i64.load (i32.const 104)) (i32.const 0) (local.get $p) (local.get $n) (i32.const 0) (i32.const 32))
         (if (i32.load8_u (i32.const 32)) (then unreachable))
         (call $ret (i32.load (i32.const 36)) (i32.load (i32.const 40)) (i32.const 48))
         (call $ok)",
    )
}

#[test]
fn a_call_waits_for_its_answer() {
    let running = Running::new();
    let name = r#"(import "wasmactor:actor/registry@0.1.0" "register" (func $register (param i32 i32 i32)))"#;
    let data = r#"(data (i32.const 64) ".echo")"#;
    let named =
        echo().replacen("(memory", &format!("{name}(memory"), 1).replacen("(global", &format!("{data}(global"), 1);
    let named =
        named.replacen("(call $ok))", "(call $register (i32.const 64) (i32.const 5) (i32.const 80)) (call $ok))", 1);
    running.spawn("echo", &named);
    let relay = running.spawn("relay", &relay());
    for round in 0..100 {
        let text = format!("round {round}");
        assert_eq!(running.call(relay, text.as_bytes()), text);
    }
}

#[test]
fn a_sleeper_leaves_the_workers_to_others() {
    let running = Running::new();
    let sleepers: Vec<_> = (0..20).map(|index| running.spawn(&format!("sleeper{index}"), &sleeper(100))).collect();
    let began = Instant::now();
    let calls: Vec<_> = sleepers
        .into_iter()
        .map(|sleeper| {
            let node = running.node.clone();
            std::thread::spawn(move || node.call(sleeper, 0, Payload::from(&b"zzz"[..]), LONG))
        })
        .collect();
    for call in calls {
        assert_eq!(&*call.join().expect("no panic").expect("an answer"), b"zzz");
    }
    // Two workers, twenty sleeps of 100 ms: one after the other they would take a second.
    let took = began.elapsed();
    assert!((Duration::from_millis(100)..Duration::from_millis(700)).contains(&took), "{took:?}");
}

#[test]
fn a_parked_turn_gives_the_context_back_and_parks_again_when_woken_for_nothing() {
    let module = load(&sleeper(50));
    inside(MEMORY, move |cx: &mut Context| {
        let mut behavior = module.create(cx).expect("an instance");
        assert!(matches!(behavior.init(cx), Turn::Done(Ok(()))));
        for _ in 0..3 {
            assert!(!cx.is_hollow());
            let turn = behavior.resume(cx);
            assert!(matches!(turn, Turn::Done(Ok(()))), "nothing to resume");
        }
        assert!(matches!(behavior.handle(cx, letter(b"")), Turn::Parked));
        assert!(!cx.is_hollow());
        // On another thread each time: the guest's stack moves with it.
        for _ in 0..10 {
            let mut context = cx.take();
            let (moved, turn) = std::thread::scope(|scope| {
                let woken = scope.spawn(|| {
                    let turn = behavior.resume(&mut context);
                    (context, told(turn))
                });
                woken.join().expect("no panic")
            });
            assert_eq!(turn, "parked");
            *cx = moved;
            assert!(!cx.is_hollow());
        }
        drop(behavior);
        assert!(!cx.is_hollow(), "a dropped stack takes nothing with it");
    });
}

#[test]
fn a_parked_actor_can_be_killed() {
    let running = Running::new();
    let sleeper = running.spawn("sleeper", &sleeper(60_000));
    let node = running.node.clone();
    let asked = std::thread::spawn(move || node.call(sleeper, 0, Payload::empty(), LONG));
    std::thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    assert!(running.node.kill(None, sleeper, Cause::Killed, "enough".to_owned()));
    let error = asked.join().expect("no panic").expect_err("killed");
    assert!(error.reason.ends_with("was killed: enough"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_start_function_cannot_wait() {
    let text =
        guest(&format!("{SLEEP}(func $start (call $sleep (i64.const 1))) (start $start)"), "(call $ok)", "(call $ok)");
    let module = load(&text);
    let error = inside(MEMORY, move |cx| {
        let error = module.create(cx).err().expect("no instance");
        assert!(!cx.is_hollow());
        error
    });
    assert!(error.contains("start function waits"), "{error}");
}

#[test]
fn only_guests_that_can_park_get_a_stack() {
    assert!(load(&sleeper(1)).parks());
    assert!(!load(&echo()).parks());
}
