;; An actor that keeps no state.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmactor:actor/handler@0.1.0#init") (result i32) (i32.const 16))
  (func (export "wasmactor:actor/handler@0.1.0#handle") (param i32 i64 i64 i64 i32 i32) (result i32) (i32.const 16)))
