;; Sender, caller and echo by hand, with nothing that an SDK adds: what is left is the host's and the canonical ABI's.
;; It knows the kinds DATA, ECHO, SEND and CALL of the protocol.
(module
  (import "wasmactor:actor/messaging@0.1.0" "send" (func $send (param i64 i32 i32 i32 i32)))
  (import "wasmactor:actor/messaging@0.1.0" "request" (func $request (param i64 i32 i32 i32 i32 i64 i32)))
  (import "wasmactor:actor/messaging@0.1.0" "ret" (func $ret (param i32 i32 i32)))
  (import "wasmactor:actor/messaging@0.1.0" "defer" (func $defer (param i32)))
  (import "wasmactor:actor/messaging@0.1.0" "reply" (func $reply (param i64 i32 i32 i32)))
  (import "wasmactor:actor/timer@0.1.0" "now" (func $now (result i64)))

  ;; 0: the constant result "ok"; 16: results of imports; 64: a number; 1024: a payload to send; HEAP: what comes in.
  (memory (export "memory") 4)
  (global $HEAP i32 (i32.const 131072))
  (global $free (mut i32) (i32.const 131072))

  ;; The order that is being carried out.
  (global $kind (mut i32) (i32.const 0))
  (global $left (mut i64) (i64.const 0))
  (global $bytes (mut i32) (i32.const 0))
  (global $batch (mut i64) (i64.const 0))
  (global $to (mut i64) (i64.const 0))
  (global $started (mut i64) (i64.const 0))
  (global $session (mut i64) (i64.const 0))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))

  (func (export "wasmactor:actor/handler@0.1.0#init") (result i32) (i32.const 0))

  (func $go
    (local $batch i64)
    (if (i32.eq (global.get $kind) (i32.const 17))
      (then
        (global.set $left (i64.sub (global.get $left) (i64.const 1)))
        (call $request (global.get $to) (i32.const 2) (i32.const 1024) (global.get $bytes) (i32.const 0) (i64.const 0)
          (i32.const 16))
        (return)))
    (local.set $batch
      (select (global.get $left) (global.get $batch) (i64.lt_u (global.get $left) (global.get $batch))))
    (global.set $left (i64.sub (global.get $left) (local.get $batch)))
    (loop $again
      (call $send (global.get $to) (i32.const 1) (i32.const 1024) (global.get $bytes) (i32.const 16))
      (local.set $batch (i64.sub (local.get $batch) (i64.const 1)))
      (br_if $again (i64.ne (local.get $batch) (i64.const 0))))
    (call $request (global.get $to) (i32.const 2) (i32.const 1024) (i32.const 0) (i32.const 0) (i64.const 0)
      (i32.const 16)))

  (func $order (param $at i32) (param $kind i32)
    (call $defer (i32.const 16))
    (global.set $session (i64.load offset=8 (i32.const 16)))
    (global.set $kind (local.get $kind))
    (global.set $left (i64.load (local.get $at)))
    (global.set $bytes (i32.load offset=8 (local.get $at)))
    (global.set $batch (i64.load offset=16 (local.get $at)))
    (global.set $to (i64.load offset=24 (local.get $at)))
    (global.set $started (call $now))
    (call $go))

  (func $answered
    (if (i64.eqz (global.get $left))
      (then
        (i64.store (i32.const 64) (i64.sub (call $now) (global.get $started)))
        (call $reply (global.get $session) (i32.const 64) (i32.const 8) (i32.const 16)))
      (else (call $go))))

  ;; The event, flat. message: source, session, kind, payload; reply: session and the rest.
  (func (export "wasmactor:actor/handler@0.1.0#handle")
    (param $event i32) (param $a i64) (param $session i64) (param $kind i64) (param $at i32) (param $length i32)
    (result i32)
    (global.set $free (global.get $HEAP))
    (if (i32.eqz (local.get $event))
      (then
        (if (i64.eq (local.get $kind) (i64.const 2))
          (then (call $ret (local.get $at) (local.get $length) (i32.const 16)))
          (else
            (if (i64.ge_u (local.get $kind) (i64.const 16))
              (then (call $order (local.get $at) (i32.wrap_i64 (local.get $kind)))))))))
    (if (i32.eq (local.get $event) (i32.const 1)) (then (call $answered)))
    (i32.const 0)))
