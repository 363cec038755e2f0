//! What is particular to flat modules: which run flat, and that layouts are those of the contract.

use std::path::Path;

use crate::wasm::encode;
use crate::wasm::flat::find;
use crate::wasm::tests::guest;

fn component(text: &str) -> Vec<u8> {
    encode::component(Path::new("a.wat"), text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_module_of_the_contract_runs_flat() {
    let plain = guest("", "(call $ok)", "(call $ok)");
    assert!(find(&component(&plain)).is_some());
    let sends = guest(
        r#"(import "wasmactor:actor/messaging@0.1.0" "send" (func $send (param i64 i32 i32 i32 i32)))"#,
        "(call $ok)",
        "(call $ok)",
    );
    let sends = component(&sends);
    let main = find(&sends).expect("flat");
    assert_eq!((main.imports.len(), main.wrapped().count()), (1, 1));
    let liar = include_str!("../../../../tests/fuzz/guests/liar.wat");
    assert!(find(&component(liar)).is_some());
}
