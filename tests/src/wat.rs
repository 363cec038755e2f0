//! Guests written by hand as text, against the canonical ABI: core modules that the host makes components of.
//!
//! [`guest`] is the frame that they share. What a test cares about are the bodies.

/// Imports by the name that bodies call them by.
const IMPORTS: &[(&str, &str, &str, &str)] = &[
    ("send", "messaging", "send", "(param $to i64) (param $kind i32) (param $p i32) (param $n i32) (param $out i32)"),
    (
        "request",
        "messaging",
        "request",
        "(param i64) (param i32) (param i32) (param i32) (param i32) (param i64) (param i32)",
    ),
    ("broadcast", "messaging", "broadcast", "(param i32 i32 i32 i32 i32) (result i32)"),
    ("ret", "messaging", "ret", "(param $p i32) (param $n i32) (param $out i32)"),
    ("defer", "messaging", "defer", "(param i32)"),
    ("reply", "messaging", "reply", "(param i64 i32 i32 i32)"),
    ("log", "log", "log", "(param $level i32) (param $p i32) (param $n i32) (param $fields i32) (param $count i32)"),
    ("register", "registry", "register", "(param i32 i32 i32)"),
    ("list", "registry", "list", "(param i32 i32 i32)"),
    ("listen", "socket", "listen", "(param i32 i32 i32)"),
    ("write", "socket", "write", "(param i64 i32 i32 i32)"),
    ("start", "socket", "start", "(param i64 i32)"),
    ("close", "socket", "close", "(param i64 i32)"),
    ("local", "socket", "local", "(param i64 i32)"),
    ("spawn", "lifecycle", "spawn", "(param i32 i32 i32 i32 i32 i32 i32 i32)"),
    ("exit", "lifecycle", "exit", "(param i32 i32)"),
    ("args", "config", "args", "(param i32)"),
    ("call", "blocking", "call", "(param i64 i32 i32 i32 i32 i32)"),
    ("sleep", "blocking", "sleep", "(param i64)"),
];

/// A guest. `parts` are further fields of the module (functions, data); bodies may `(call $send …)` any import of
/// [`IMPORTS`] and it is imported. `init` and `handle` are the bodies of the two exports and must leave the pointer to
/// their result: `(call $ok)`, or `(call $err POINTER LENGTH)`.
///
/// `handle` has `$case $a $b $c $p $n`: of a message source, session, kind, and the payload's place and length. Memory below
/// 1024 is free for results of imports, `parts` may put data from 1024 to 4095; from 4096 on lie what the host hands in.
pub fn guest(parts: &str, init: &str, handle: &str) -> String {
    let used = |name: &str| {
        let call = format!("call ${name}");
        let ends = |text: &str| text.split(&call).skip(1).any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
        [parts, init, handle].iter().any(|text| ends(text))
    };
    let imports: Vec<String> = IMPORTS
        .iter()
        .filter(|(name, ..)| used(name))
        .map(|(name, interface, item, parameters)| {
            format!("(import \"wasmactor:actor/{interface}@0.1.0\" \"{item}\" (func ${name} {parameters}))")
        })
        .collect();
    include_str!("../guests/frame.wat")
        .replace(";; IMPORTS", &imports.join("\n  "))
        .replace(";; PARTS", parts)
        .replace(";; INIT", init)
        .replace(";; HANDLE", handle)
}

/// Answers every request with what it carries.
pub const ECHO: &str = "(call $ret (local.get $p) (local.get $n) (i32.const 64)) (call $ok)";

/// Bytes of a data segment at 1024, and how many they are.
pub fn data(text: &str) -> (String, usize) {
    (format!("(data (i32.const 1024) {text:?})"), text.len())
}

/// What `save` of [`counter`] does as it should.
pub const SAVES: &str = "(call $saved)";

/// A guest that counts messages that begin with `a`, and answers each with its version and the count, which is its state. One
/// that begins with `h` is not answered, but held. `save`: the body of that function, which has `$in-flight`.
pub fn counter(version: char, save: &str) -> String {
    let parts = format!(
        r#"(func $saved (result i32)
            (i32.store (i32.const 32) (i32.const 0))
            (i32.store (i32.const 36) (i32.const 1))
            (i32.store (i32.const 40) (i32.const 2048))
            (i32.store (i32.const 44) (i32.const 4))
            (i32.const 32))
        (func (export "wasmactor:actor/state@0.1.0#save") (param $in-flight i32) (result i32) {save})
        (func (export "wasmactor:actor/state@0.1.0#load") (param $state i32) (param i32 i32 i32) (result i32)
            (i32.store (i32.const 2048) (i32.load (local.get $state)))
            (call $ok))
        (func (export "wasmactor:actor/state@0.1.0#self-test") (result i32) (call $ok))"#
    );
    let handle = format!(
        r#"(if (i32.eq (i32.load8_u (local.get $p)) (i32.const 104))
            (then (call $defer (i32.const 64)) (return (call $ok))))
        (if (i32.eq (i32.load8_u (local.get $p)) (i32.const 97))
            (then (i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1)))))
        (i32.store8 (i32.const 2100) (i32.const {}))
        (i32.store8 (i32.const 2101) (i32.add (i32.const 48) (i32.load (i32.const 2048))))
        (call $ret (i32.const 2100) (i32.const 2) (i32.const 64))
        (call $ok)"#,
        u32::from(version)
    );
    guest(&parts, "(call $ok)", &handle)
}
