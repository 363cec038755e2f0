;; Both sides of what `wasm.rs` counts. Messages by kind:
;;
;; 0: nothing. 3: answered with its bytes at once. 5: the same, kept open first.
;; 1: sends a hundred messages of kind 0. 2: asks a hundred times, one after the other, with kind 3. 4: the same with kind 5.
;; The three have the receiver and a size for payload.
(module
  (import "wasmactor:actor/messaging@0.1.0" "send" (func $send (param i64 i32 i32 i32 i32)))
  (import "wasmactor:actor/messaging@0.1.0" "request" (func $request (param i64 i32 i32 i32 i32 i64 i32)))
  (import "wasmactor:actor/messaging@0.1.0" "ret" (func $ret (param i32 i32 i32)))
  (import "wasmactor:actor/messaging@0.1.0" "defer" (func $defer (param i32)))
  (import "wasmactor:actor/messaging@0.1.0" "reply" (func $reply (param i64 i32 i32 i32)))

  ;; 0: the constant result "ok"; 16: results of imports; 1024: what comes in; 131072: what is sent.
  (memory (export "memory") 4)
  (global $free (mut i32) (i32.const 1024))
  (global $to (mut i64) (i64.const 0))
  (global $size (mut i32) (i32.const 0))
  (global $kind (mut i32) (i32.const 0))
  (global $left (mut i32) (i32.const 0))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))

  (func (export "wasmactor:actor/handler@0.1.0#init") (result i32) (i32.const 0))

  ;; What an import said: no error.
  (func $well (if (i32.load8_u (i32.const 16)) (then (unreachable))))

  (func $ask
    (call $request (global.get $to) (global.get $kind) (i32.const 131072) (global.get $size) (i32.const 0) (i64.const 0)
      (i32.const 16))
    (call $well))

  (func $order (param $at i32) (param $kind i32)
    (global.set $to (i64.load (local.get $at)))
    (global.set $size (i32.load offset=8 (local.get $at)))
    (global.set $kind (local.get $kind))
    (global.set $left (i32.const 100)))

  (func $message (param $kind i32) (param $at i32) (param $length i32)
    (if (i32.eq (local.get $kind) (i32.const 3))
      (then (call $ret (local.get $at) (local.get $length) (i32.const 16)) (call $well)))
    (if (i32.eq (local.get $kind) (i32.const 5))
      (then
        (call $defer (i32.const 16))
        (call $well)
        (call $reply (i64.load offset=8 (i32.const 16)) (local.get $at) (local.get $length) (i32.const 16))
        (call $well)))
    (if (i32.eq (local.get $kind) (i32.const 1))
      (then
        (call $order (local.get $at) (i32.const 0))
        (loop $again
          (call $send (global.get $to) (i32.const 0) (i32.const 131072) (global.get $size) (i32.const 16))
          (call $well)
          (global.set $left (i32.sub (global.get $left) (i32.const 1)))
          (br_if $again (global.get $left)))))
    (if (i32.or (i32.eq (local.get $kind) (i32.const 2)) (i32.eq (local.get $kind) (i32.const 4)))
      (then
        (call $order (local.get $at) (i32.add (local.get $kind) (i32.const 1)))
        (call $ask))))

  (func (export "wasmactor:actor/handler@0.1.0#handle")
    (param $event i32) (param $a i64) (param $b i64) (param $c i64) (param $d i32) (param $e i32) (result i32)
    (global.set $free (i32.const 1024))
    (if (i32.eqz (local.get $event))
      (then (call $message (i32.wrap_i64 (local.get $c)) (local.get $d) (local.get $e))))
    (if (i32.eq (local.get $event) (i32.const 1))
      (then
        (if (i64.ne (local.get $b) (i64.const 0)) (then (unreachable)))
        (global.set $left (i32.sub (global.get $left) (i32.const 1)))
        (if (global.get $left) (then (call $ask)))))
    (i32.const 0)))
