;; A caller that parks: at each message it calls a hundred times with kind 3, one after the other. The message has the
;; receiver and a size for payload.
(module
  (import "wasmactor:actor/blocking@0.1.0" "call" (func $call (param i64 i32 i32 i32 i32 i32)))

  ;; 0: the constant result "ok"; 16: results of imports; 1024: what comes in; 131072: what is sent.
  (memory (export "memory") 4)
  (global $free (mut i32) (i32.const 1024))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))

  (func (export "wasmactor:actor/handler@0.1.0#init") (result i32) (i32.const 0))

  (func (export "wasmactor:actor/handler@0.1.0#handle")
    (param $event i32) (param $a i64) (param $b i64) (param $c i64) (param $d i32) (param $e i32) (result i32)
    (local $to i64) (local $size i32) (local $left i32)
    (if (local.get $event) (then (return (i32.const 0))))
    (local.set $to (i64.load (local.get $d)))
    (local.set $size (i32.load offset=8 (local.get $d)))
    (local.set $left (i32.const 100))
    (loop $again
      (global.set $free (i32.const 1024))
      (call $call (local.get $to) (i32.const 3) (i32.const 131072) (local.get $size) (i32.const 0) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (unreachable)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (global.set $free (i32.const 1024))
    (i32.const 0)))
