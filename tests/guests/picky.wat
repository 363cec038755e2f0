;; An actor that goes on from nobody's state.
(module
  (memory (export "memory") 1)
  (data (i32.const 32) "\01\00\00\00\30\00\00\00\08\00\00\00")
  (data (i32.const 48) "not mine")
  ;; Wherever there is room for what the host brings.
  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (drop (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1))))
    (i32.const 4096))
  (func (export "wasmactor:actor/handler@0.1.0#init") (result i32) (i32.const 16))
  (func (export "wasmactor:actor/handler@0.1.0#handle") (param i32 i64 i64 i64 i32 i32) (result i32) (i32.const 16))
  (func (export "wasmactor:actor/state@0.1.0#save") (param i32) (result i32) (i32.const 32))
  (func (export "wasmactor:actor/state@0.1.0#load") (param i32 i32 i32 i32) (result i32) (i32.const 32))
  (func (export "wasmactor:actor/state@0.1.0#self-test") (result i32) (i32.const 16)))
