;; Driver and actor by hand, with nothing that an SDK adds: what is left is the host's and the canonical ABI's.
;; It knows the kinds DATA, ECHO, NEXT, TOKEN, LAST, DONE and TREE of the protocol, and the orders SEND, CALL, SHARE,
;; RING, SPAWN and CROWD. What fails traps: a bench has no use for it.
(module
  (import "wasmactor:actor/messaging@0.1.0" "self" (func $self (result i64)))
  (import "wasmactor:actor/messaging@0.1.0" "send" (func $send (param i64 i32 i32 i32 i32)))
  (import "wasmactor:actor/messaging@0.1.0" "request" (func $request (param i64 i32 i32 i32 i32 i64 i32)))
  (import "wasmactor:actor/messaging@0.1.0" "ret" (func $ret (param i32 i32 i32)))
  (import "wasmactor:actor/messaging@0.1.0" "defer" (func $defer (param i32)))
  (import "wasmactor:actor/messaging@0.1.0" "reply" (func $reply (param i64 i32 i32 i32)))
  (import "wasmactor:actor/lifecycle@0.1.0" "spawn" (func $spawn (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasmactor:actor/lifecycle@0.1.0" "exit" (func $exit (param i32 i32)))
  (import "wasmactor:actor/timer@0.1.0" "now" (func $now (result i64)))

  ;; 0: the constant result "ok"; 16: results of imports; 64: a number; 96: a module's name; 1024: what comes in. An
  ;; actor touches only this page. A driver has more: 131072: what it sends; 196608: a list.
  (memory (export "memory") 1)
  (data (i32.const 96) "actor")
  (global $IN i32 (i32.const 1024))
  (global $OUT i32 (i32.const 131072))
  (global $LIST i32 (i32.const 196608))
  (global $PAGES i32 (i32.const 5))
  (global $free (mut i32) (i32.const 1024))

  ;; The order, or the tree, that is being carried out.
  (global $kind (mut i32) (i32.const 0))
  (global $left (mut i64) (i64.const 0))
  (global $n (mut i64) (i64.const 0))
  (global $bytes (mut i32) (i32.const 0))
  (global $batch (mut i64) (i64.const 0))
  (global $inner (mut i32) (i32.const 0))
  (global $to (mut i64) (i64.const 0))
  (global $started (mut i64) (i64.const 0))
  (global $session (mut i64) (i64.const 0))
  (global $source (mut i64) (i64.const 0))
  ;; The next one of a ring; a tree's leaves below each child, and those counted.
  (global $next (mut i64) (i64.const 0))
  (global $below (mut i64) (i64.const 0))
  (global $sum (mut i64) (i64.const 0))

  ;; So many bytes from the start are there.
  (func $room (param $end i32)
    (local $pages i32)
    (local.set $pages (i32.shr_u (i32.add (local.get $end) (i32.const 65535)) (i32.const 16)))
    (if (i32.gt_u (local.get $pages) (memory.size))
      (then
        (if (i32.eq (memory.grow (i32.sub (local.get $pages) (memory.size))) (i32.const -1)) (then (unreachable))))))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (call $room (global.get $free))
    (local.get $at))

  (func (export "wasmactor:actor/handler@0.1.0#init") (result i32) (i32.const 0))

  (func $ask (param $to i64) (param $kind i32) (param $at i32) (param $length i32)
    (call $request (local.get $to) (local.get $kind) (local.get $at) (local.get $length) (i32.const 0) (i64.const 0)
      (i32.const 16))
    (if (i32.load8_u (i32.const 16)) (then (unreachable))))

  (func $start
    (call $spawn (i32.const 96) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 16))
    (if (i32.load8_u (i32.const 16)) (then (unreachable))))

  ;; A batch of messages, and an echo behind it.
  (func $messages
    (local $batch i64)
    (local.set $batch
      (select (global.get $left) (global.get $batch) (i64.lt_u (global.get $left) (global.get $batch))))
    (global.set $left (i64.sub (global.get $left) (local.get $batch)))
    (loop $again
      (call $send (global.get $to) (i32.const 1) (global.get $OUT) (global.get $bytes) (i32.const 16))
      (local.set $batch (i64.sub (local.get $batch) (i64.const 1)))
      (br_if $again (i64.ne (local.get $batch) (i64.const 0))))
    (call $ask (global.get $to) (i32.const 2) (global.get $OUT) (i32.const 0)))

  ;; Hands the order on to drivers: pairs of a driver and its target.
  (func $share (param $at i32) (param $end i32)
    (local.set $at (i32.add (local.get $at) (i32.const 32)))
    (global.set $left
      (i64.extend_i32_u (i32.shr_u (i32.sub (local.get $end) (local.get $at)) (i32.const 4))))
    (i64.store (global.get $OUT)
      (select (i64.div_u (global.get $n) (global.get $left)) (i64.const 1)
        (i64.ge_u (global.get $n) (global.get $left))))
    (i64.store offset=8 (global.get $OUT) (i64.extend_i32_u (global.get $bytes)))
    (i64.store offset=16 (global.get $OUT) (global.get $batch))
    (i64.store offset=24 (global.get $OUT) (i64.const 0))
    (loop $again
      (i64.store offset=32 (global.get $OUT) (i64.load offset=8 (local.get $at)))
      (call $send (i64.load (local.get $at)) (global.get $inner) (global.get $OUT) (i32.const 40) (i32.const 16))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $again (i32.lt_u (local.get $at) (local.get $end)))))

  (func $ring
    (global.set $left (i64.const 1))
    (i64.store (global.get $OUT) (global.get $n))
    (i64.store offset=8 (global.get $OUT) (call $self))
    (call $send (global.get $to) (i32.const 4) (global.get $OUT)
      (select (global.get $bytes) (i32.const 16) (i32.gt_u (global.get $bytes) (i32.const 16))) (i32.const 16)))

  ;; The next step of an order that has steps: SEND, CALL, SPAWN, CROWD.
  (func $step
    (if (i32.eq (global.get $kind) (i32.const 16)) (then (call $messages) (return)))
    (global.set $left (i64.sub (global.get $left) (i64.const 1)))
    (if (i32.eq (global.get $kind) (i32.const 17))
      (then (call $ask (global.get $to) (i32.const 2) (global.get $OUT) (global.get $bytes)))
      (else (call $start))))

  (func $order (param $source i64) (param $asked i64) (param $at i32) (param $length i32) (param $kind i32)
    (call $room (i32.shl (global.get $PAGES) (i32.const 16)))
    (global.set $session (i64.const 0))
    (if (i64.ne (local.get $asked) (i64.const 0))
      (then
        (call $defer (i32.const 16))
        (global.set $session (i64.load offset=8 (i32.const 16)))))
    (global.set $source (local.get $source))
    (global.set $kind (local.get $kind))
    (global.set $n (i64.load (local.get $at)))
    (global.set $left (global.get $n))
    (global.set $bytes (i32.load offset=8 (local.get $at)))
    (global.set $batch (i64.load offset=16 (local.get $at)))
    (global.set $inner (i32.load offset=24 (local.get $at)))
    (global.set $to (i64.load offset=32 (local.get $at)))
    (global.set $started (call $now))
    (if (i32.eq (local.get $kind) (i32.const 18))
      (then (call $share (local.get $at) (i32.add (local.get $at) (local.get $length))))
      (else
        (if (i32.eq (local.get $kind) (i32.const 19)) (then (call $ring)) (else (call $step))))))

  (func $finish
    (local $took i64)
    (local.set $took (i64.sub (call $now) (global.get $started)))
    (i64.store (i32.const 64) (local.get $took))
    (if (i32.eq (global.get $kind) (i32.const 23))
      (then
        (i64.store (global.get $LIST) (local.get $took))
        (call $reply (global.get $session) (global.get $LIST)
          (i32.add (i32.const 8) (i32.shl (i32.wrap_i64 (global.get $n)) (i32.const 3))) (i32.const 16))
        (return)))
    (if (i64.eqz (global.get $session))
      (then (call $send (global.get $source) (i32.const 6) (i32.const 64) (i32.const 0) (i32.const 16)))
      (else (call $reply (global.get $session) (i32.const 64) (i32.const 8) (i32.const 16)))))

  ;; A child of a tree has answered.
  (func $counted (param $at i32)
    (global.set $sum (i64.add (global.get $sum) (i64.load (local.get $at))))
    (global.set $left (i64.sub (global.get $left) (i64.const 1)))
    (if (i64.eqz (global.get $left))
      (then
        (i64.store (i32.const 64) (global.get $sum))
        (call $exit (i32.const 0) (i32.const 0))
        (call $reply (global.get $session) (i32.const 64) (i32.const 8) (i32.const 16)))))

  (func $answered (param $at i32)
    (if (i32.eq (global.get $kind) (i32.const 9))
      (then (call $counted (local.get $at)))
      (else
        (if (i64.eqz (global.get $left)) (then (call $finish)) (else (call $step))))))

  (func $born (param $child i64)
    (if (i32.eq (global.get $kind) (i32.const 9))
      (then
        (i64.store (i32.const 64) (global.get $below))
        (call $ask (local.get $child) (i32.const 9) (i32.const 64) (i32.const 8))
        (return)))
    (if (i32.eq (global.get $kind) (i32.const 23))
      (then
        ;; The place of the one that was taken off what is left.
        (i64.store
          (i32.add (global.get $LIST)
            (i32.shl (i32.wrap_i64 (i64.sub (global.get $n) (global.get $left))) (i32.const 3)))
          (local.get $child))
        (call $ask (local.get $child) (global.get $inner) (i32.const 64) (i32.const 0))
        (return)))
    (call $ask (local.get $child) (i32.const 5) (i32.const 64) (i32.const 0)))

  (func $grow (param $leaves i64)
    (local $child i32)
    (if (i64.le_u (local.get $leaves) (i64.const 1))
      (then
        (i64.store (i32.const 64) (i64.const 1))
        (call $exit (i32.const 0) (i32.const 0))
        (call $ret (i32.const 64) (i32.const 8) (i32.const 16))
        (return)))
    (call $defer (i32.const 16))
    (global.set $session (i64.load offset=8 (i32.const 16)))
    (global.set $kind (i32.const 9))
    (global.set $below (i64.div_u (local.get $leaves) (i64.const 10)))
    (global.set $left (i64.const 10))
    (local.set $child (i32.const 10))
    (loop $again
      (call $start)
      (local.set $child (i32.sub (local.get $child) (i32.const 1)))
      (br_if $again (local.get $child))))

  (func $token (param $at i32) (param $length i32)
    (local $left i64)
    (local.set $left (i64.load (local.get $at)))
    (if (i64.eqz (local.get $left))
      (then
        (call $send (i64.load offset=8 (local.get $at)) (i32.const 6) (local.get $at) (i32.const 0) (i32.const 16)))
      (else
        (i64.store (local.get $at) (i64.sub (local.get $left) (i64.const 1)))
        (call $send (global.get $next) (i32.const 4) (local.get $at) (local.get $length) (i32.const 16)))))

  (func $message (param $source i64) (param $session i64) (param $kind i32) (param $at i32) (param $length i32)
    (if (i32.eq (local.get $kind) (i32.const 1)) (then (return)))
    (if (i32.eq (local.get $kind) (i32.const 2))
      (then (call $ret (local.get $at) (local.get $length) (i32.const 16)) (return)))
    (if (i32.eq (local.get $kind) (i32.const 4)) (then (call $token (local.get $at) (local.get $length)) (return)))
    (if (i32.ge_u (local.get $kind) (i32.const 16))
      (then
        (call $order (local.get $source) (local.get $session) (local.get $at) (local.get $length) (local.get $kind))
        (return)))
    (if (i32.eq (local.get $kind) (i32.const 3)) (then (global.set $next (i64.load (local.get $at)))))
    (if (i32.eq (local.get $kind) (i32.const 5))
      (then
        (call $exit (i32.const 0) (i32.const 0))
        (call $ret (local.get $at) (local.get $length) (i32.const 16))))
    (if (i32.eq (local.get $kind) (i32.const 6))
      (then
        (global.set $left (i64.sub (global.get $left) (i64.const 1)))
        (if (i64.eqz (global.get $left)) (then (call $finish)))))
    (if (i32.eq (local.get $kind) (i32.const 9)) (then (call $grow (i64.load (local.get $at))))))

  ;; The event, flat. 0, message: source, session, kind, payload. 1, reply: session, whether it failed, the payload.
  ;; 2, spawned: session, whether it failed, the address.
  (func (export "wasmactor:actor/handler@0.1.0#handle")
    (param $event i32) (param $a i64) (param $b i64) (param $c i64) (param $d i32) (param $e i32) (result i32)
    (global.set $free (global.get $IN))
    (if (i32.eqz (local.get $event))
      (then
        (call $message (local.get $a) (local.get $b) (i32.wrap_i64 (local.get $c)) (local.get $d) (local.get $e))
        (return (i32.const 0))))
    (if (i32.gt_u (local.get $event) (i32.const 2)) (then (return (i32.const 0))))
    (if (i64.ne (local.get $b) (i64.const 0)) (then (unreachable)))
    (if (i32.eq (local.get $event) (i32.const 1))
      (then (call $answered (i32.wrap_i64 (local.get $c))))
      (else (call $born (local.get $c))))
    (i32.const 0)))
