//! What goes into a guest, and what comes out.

use crate::base::{Address, Body, CallError, Cause, ErrorCode, Message, Payload, Session, Signal, SocketEvent};
use crate::wasm::tests::{Running, guest, message, turns};

#[test]
fn init_and_handle_return() {
    let text = guest("", "(call $ok)", "(call $ok)");
    assert_eq!(turns(&text, vec![message(b""), message(&[7; 3000])]), ["ok", "ok", "ok"]);
}

#[test]
fn errors_come_out_as_text_and_the_instance_lives_on() {
    let text = guest(
        r#"(data (i32.const 64) "no luck")"#,
        "(call $err (i32.const 64) (i32.const 7))",
        "(call $err (local.get $p) (local.get $n))",
    );
    assert_eq!(turns(&text, vec![message(b"one"), message(b"two")]), ["error: no luck", "error: one", "error: two"]);
}

#[test]
fn bytes_go_where_the_memory_is_after_it_has_grown() {
    // Each growth is more than the slot holds, so the memory moves.
    let text = guest("", "(call $ok)", "(drop (memory.grow (memory.size))) (call $err (local.get $p) (local.get $n))");
    let said = turns(&text, ["one", "two", "three"].map(|text| message(text.as_bytes())).into());
    assert_eq!(said[1..], ["error: one", "error: two", "error: three"]);
}

#[test]
fn a_trap_names_the_guests_functions() {
    let text = guest("(func $deep_down unreachable)", "(call $ok)", "(call $deep_down) (call $ok)");
    let said = turns(&text, vec![message(b"")]);
    let lines: Vec<&str> = said[1].lines().collect();
    assert_eq!(lines[0], "fault: wasm `unreachable` instruction executed");
    assert!(lines[1].ends_with("!deep_down"), "{lines:?}");
    assert!(lines[2].contains("handle"), "{lines:?}");
}

#[test]
fn an_instance_that_trapped_is_not_entered_again() {
    let text = guest("", "(call $ok)", "unreachable");
    let said = turns(&text, vec![message(b""), message(b"")]);
    assert!(said[2].starts_with("fault: "), "{said:?}");
    assert!(!said[2].contains("unreachable"), "guest code ran: {said:?}");
}

/// Says which case came, the last octal digit of each number, and the text.
const TELLS: &str = r#"
    (if (i32.and (i32.eq (local.get $case) (i32.const 1)) (i64.eqz (local.get $b)))
        (then (local.set $n (local.get $p)) (local.set $p (i32.wrap_i64 (local.get $c))) (local.set $c (i64.const 0))))
    (i32.store8 (i32.const 64) (i32.add (i32.const 48) (local.get $case)))
    (i32.store8 (i32.const 65) (i32.add (i32.const 48) (i32.and (i32.const 7) (i32.wrap_i64 (local.get $a)))))
    (i32.store8 (i32.const 66) (i32.add (i32.const 48) (i32.and (i32.const 7) (i32.wrap_i64 (local.get $b)))))
    (i32.store8 (i32.const 67) (i32.add (i32.const 48) (i32.and (i32.const 7) (i32.wrap_i64 (local.get $c)))))
    (memory.copy (i32.const 68) (local.get $p) (local.get $n))
    (call $err (i32.const 64) (i32.add (i32.const 4) (local.get $n)))"#;

#[test]
fn every_event_reaches_the_guest() {
    let event = |session, body| Message { source: Address::from_raw(1), session: Session(session), body };
    let socket = |event| Body::Socket { socket: 4, event };
    let down = Body::Down { actor: Address::from_raw(3), cause: Cause::Killed, reason: "why".into() };
    let error = CallError::new(ErrorCode::Refused, "no");
    let payload = || Payload::from(&b"bytes"[..]);
    let checks = [
        (event(2, Body::Message { kind: 3, payload: payload(), deadline: 9 }), "0123bytes"),
        (event(2, Body::Reply(Ok(payload()))), "1200bytes"),
        (event(2, Body::Reply(Err(error.clone()))), "1213no"),
        (event(2, Body::Spawned(Ok(Address::from_raw(5)))), "2205"),
        (event(2, Body::Spawned(Err(error))), "2213no"),
        (event(6, Body::Timeout), "3600"),
        (event(0, socket(SocketEvent::Given("peer".into()))), "442"),
        (event(0, socket(SocketEvent::Backlog(5))), "4465"),
        (event(2, down), "5232why"),
        (event(0, Body::Signal(Signal::User1)), "6200"),
    ];
    let (messages, expected): (Vec<_>, Vec<_>) = checks.into_iter().unzip();
    let said = turns(&guest("", "(call $ok)", TELLS), messages);
    for (said, expected) in said[1..].iter().zip(expected) {
        assert!(said.starts_with(&format!("error: {expected}")), "{said:?} instead of {expected:?}");
    }
}

/// Answers each request with its payload.
pub(super) fn echo() -> String {
    guest(
        r#"(import "wasmactor:actor/messaging@0.1.0" "ret" (func $ret (param i32 i32 i32)))"#,
        "(call $ok)",
        "(call $ret (local.get $p) (local.get $n) (i32.const 32)) (call $ok)",
    )
}

#[test]
fn a_request_is_answered_through_the_node() {
    let running = Running::new();
    let echo = running.spawn("echo", &echo());
    assert_eq!(running.call(echo, b"hello"), "hello");
    assert_eq!(running.call(echo, &[b'x'; 50_000]).len(), 50_000);
}

#[test]
fn errors_of_imports_reach_the_guest() {
    // Sends to an address that nobody has and returns the error's reason as its own.
    let text = guest(
        r#"(import "wasmactor:actor/messaging@0.1.0" "send" (func $send (param i64 i32 i32 i32 i32)))"#,
        "(call $ok)",
        "(call $send (i64.const 77) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 32))
         (if (i32.ne (i32.load8_u (i32.const 32)) (i32.const 1)) (then unreachable))
         (if (i32.ne (i32.load8_u (i32.const 36)) (i32.const 0)) (then unreachable))
         (call $err (i32.load (i32.const 40)) (i32.load (i32.const 44)))",
    );
    let running = Running::new();
    let address = running.spawn("lost", &text);
    assert!(running.call(address, b"").starts_with("refused: "));
}
