;; What the tests' hand-written guests share. `src/wat.rs` fills in the lines in capitals and says what bodies may use.
(module
  ;; IMPORTS
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 4096))

  ;; Hands out memory from 4096 on, and begins again with each event; never gives any back. Grows when it must.
  (func $realloc (export "cabi_realloc")
      (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
      (then
        (if (i32.eq
              (memory.grow
                (i32.add
                  (i32.div_u
                    (i32.sub (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
                    (i32.const 65536))
                  (i32.const 1)))
              (i32.const -1))
          (then unreachable))))
    (local.get $at))

  ;; The two results of `init` and `handle`: result<_, string> at 16.
  (func $ok (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.const 16))
  (func $err (param $p i32) (param $n i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store (i32.const 20) (local.get $p))
    (i32.store (i32.const 24) (local.get $n))
    (i32.const 16))

  ;; PARTS

  (func (export "wasmactor:actor/handler@0.1.0#init") (result i32)
    ;; INIT
  )
  (func $handle (export "wasmactor:actor/handler@0.1.0#handle")
      (param $case i32) (param $a i64) (param $b i64) (param $c i64) (param $p i32) (param $n i32) (result i32)
    (global.set $next (i32.const 4096))
    ;; HANDLE
  )
)
