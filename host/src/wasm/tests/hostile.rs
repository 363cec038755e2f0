//! Guests that lie, loop, recurse and grow. Whatever they do, the host goes on and says what they did.

use crate::base::{Cause, ErrorCode, Payload};
use crate::wasm::tests::turns::echo;
use crate::wasm::tests::{LONG, MEMORY, Running, guest, message, turns};

const SEND: &str = r#"(import "wasmactor:actor/messaging@0.1.0" "send" (func $send (param i64 i32 i32 i32 i32)))"#;

/// The first line of what a guest's only message led to.
fn end_of(text: &str) -> String {
    turns(text, vec![message(b"some bytes")])[1].lines().next().unwrap_or_default().to_owned()
}

fn check(parts: &str, handle: &str, expected: &str) {
    let said = end_of(&guest(parts, "(call $ok)", handle));
    assert!(said.starts_with("fault: ") && said.contains(expected), "{said:?} instead of {expected:?}");
}

#[test]
fn lists_that_lie_about_their_place() {
    let sends = |pointer: &str, length: &str| {
        format!(
            "(call $send (i64.const 0) (i32.const 0) (i32.const {pointer}) (i32.const {length}) (i32.const 32)) (call $ok)"
        )
    };
    check(SEND, &sends("0", "65537"), "out of bounds");
    check(SEND, &sends("65536", "1"), "out of bounds");
    check(SEND, &sends("-1", "1"), "out of bounds");
    check(SEND, &sends("-16", "-1"), "out of bounds");
    check(SEND, &sends("16", "-1"), "out of bounds");
}

#[test]
fn results_outside_of_memory() {
    check("", "(i32.const -4)", "out of bounds");
    check("", "(i32.const 17)", "aligned");
    check("", "(i32.store8 (i32.const 16) (i32.const 9)) (i32.const 16)", "discriminant");
    check("", "(call $err (i32.const 65000) (i32.const 65000))", "out of bounds");
    check("", "(i32.store8 (i32.const 64) (i32.const 255)) (call $err (i32.const 64) (i32.const 1))", "utf-8");
}

#[test]
fn results_of_imports_outside_of_memory() {
    check(
        SEND,
        "(call $send (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 65530)) (call $ok)",
        "",
    );
    check(SEND, "(call $send (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -8)) (call $ok)", "");
}

#[test]
fn realloc_that_lies() {
    for (result, expected) in [("-8", "beyond end of memory"), ("65535", "beyond end of memory"), ("0", "")] {
        let text = guest("", "(call $ok)", "(call $ok)");
        let lies = text.replace("(local.get $at))\n", &format!("(i32.const {result}))\n"));
        assert_ne!(text, lies);
        let said = end_of(&lies);
        // 0 is a place like any other: the guest harms itself only.
        assert!(if expected.is_empty() { said == "ok" } else { said.contains(expected) }, "{said:?}");
    }
}

#[test]
fn a_list_that_names_the_same_bytes_many_times() {
    // 3,500 pairs of strings of 60 KB each would be 420 MB on the host's side.
    let log = r#"(import "wasmactor:actor/log@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))"#;
    let fill = "(func $fill (local $i i32)
        (loop $more
            (i32.store offset=8192 (local.get $i) (i32.const 0))
            (i32.store offset=8196 (local.get $i) (i32.const 60000))
            (local.set $i (i32.add (local.get $i) (i32.const 8)))
            (br_if $more (i32.lt_u (local.get $i) (i32.const 56000))))
        (call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8192) (i32.const 3500)))";
    let text = guest(&format!("{log}{fill}"), "(call $ok)", "(call $fill) (call $ok)");
    let said = end_of(&text);
    assert!(said.starts_with("fault: "), "{said:?}");
}

#[test]
fn deep_recursion_is_a_limit() {
    let said = end_of(&guest("(func $down (call $down) (call $down))", "(call $ok)", "(call $down) (call $ok)"));
    assert_eq!(said, "fault: the call stack is over its limit of 512 KiB");
}

#[test]
fn deep_recursion_on_a_stack_of_its_own() {
    let parts = r#"(import "wasmactor:actor/blocking@0.1.0" "sleep" (func $sleep (param i64)))
        (func $down (call $down) (call $down))"#;
    let said = end_of(&guest(parts, "(call $ok)", "(call $down) (call $ok)"));
    assert_eq!(said, "fault: the call stack is over its limit of 512 KiB");
}

#[test]
fn memory_grows_to_the_limit_and_no_further() {
    // Grows page by page until -1, then says how many pages it has (as a character after `@`).
    let grows = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (i32.store8 (i32.const 64) (i32.add (i32.const 64) (memory.size)))
        (call $err (i32.const 64) (i32.const 1))";
    assert_eq!(MEMORY / 65536, 16);
    assert_eq!(end_of(&guest("", "(call $ok)", grows)), "error: P");
}

#[test]
fn a_trap_after_a_refused_growth_says_so() {
    let grows = "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable)) (call $ok)";
    let said = turns(&guest("", "(call $ok)", grows), vec![message(b"")]);
    assert!(said[1].contains("the limit is 1048576 bytes"), "{said:?}");
}

#[test]
fn a_memory_that_starts_over_the_limit_is_not_made() {
    let text = guest("", "(call $ok)", "(call $ok)")
        .replace(r#"(memory (export "memory") 1)"#, r#"(memory (export "memory") 17)"#);
    let said = turns(&text, vec![]);
    assert!(said[0].starts_with("create: ") && said[0].contains("limit"), "{said:?}");
}

#[test]
fn tables_are_bounded() {
    let grows = "(if (i32.ne (table.grow $t (ref.null func) (i32.const 2000000)) (i32.const -1)) (then unreachable)) (call $ok)";
    assert_eq!(end_of(&guest("(table $t 1 funcref)", "(call $ok)", grows)), "ok");
}

#[test]
fn a_start_function_that_traps_is_an_error_of_create() {
    let said = turns(&guest("(func $start unreachable) (start $start)", "(call $ok)", "(call $ok)"), vec![]);
    assert!(said[0].starts_with("create: wasm `unreachable`"), "{said:?}");
}

#[test]
fn an_endless_loop_ends_when_it_is_killed() {
    let running = Running::new();
    let spin = running.spawn("spin", &guest("", "(call $ok)", "(loop $again (br $again)) (call $ok)"));
    let echo = running.spawn("echo", &echo());
    running.node.post(spin, 0, Payload::empty()).expect("the mailbox takes it");
    assert_eq!(running.call(echo, b"still here"), "still here");
    let (node, waits) = (running.node.clone(), std::time::Instant::now());
    let asked = std::thread::spawn(move || node.call(spin, 0, Payload::empty(), LONG));
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(running.node.kill(None, spin, Cause::Killed, "enough".to_owned()));
    let error = asked.join().expect("no panic").expect_err("killed");
    assert!(error.code == ErrorCode::ActorExited && error.reason.ends_with("was killed: enough"), "{error}");
    assert!(waits.elapsed() < LONG);
}
