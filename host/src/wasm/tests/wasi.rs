//! Guests with WASI: they run on a stack of their own, print to the log, and get nothing that was not granted.

use std::time::{Duration, Instant};

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

use crate::actor::{Module, Turn};
use crate::base::Payload;
use crate::base::grants::{Folder as Granted, Grants};
use crate::base::sync::Arc;
use crate::node::{ModuleEntry, SpawnSpec};
use crate::wasm::WasmModule;
use crate::wasm::contract::FILES;
use crate::wasm::tests::{Folder, LONG, MEMORY, Running, guest, inside, letter, limits, load_path, told};

/// The part of WASI that these guests use, and a world with it.
const WASI: &str = "
    package wasmactor-test:wasi@0.1.0;
    package wasi:io@0.2.0 {
        interface error { resource error; }
        interface poll { resource pollable { block: func(); } }
        interface streams {
            use error.{error};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            }
        }
    }
    package wasi:cli@0.2.0 {
        interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
        interface environment { get-arguments: func() -> list<string>; get-environment: func() -> list<tuple<string, string>>; }
        interface exit { exit: func(status: result); }
    }
    package wasi:clocks@0.2.0 {
        interface monotonic-clock {
            use wasi:io/poll@0.2.0.{pollable};
            subscribe-duration: func(when: u64) -> pollable;
        }
    }
    package wasi:filesystem@0.2.0 {
        interface types { resource descriptor { sync: func(); } }
        interface preopens { use types.{descriptor}; get-directories: func() -> list<tuple<descriptor, string>>; }
    }";
const WORLD: &str = "
    world guest {
        include wasmactor:actor/actor@0.1.0;
        import wasi:cli/stdout@0.2.0;
        import wasi:cli/environment@0.2.0;
        import wasi:cli/exit@0.2.0;
        import wasi:clocks/monotonic-clock@0.2.0;
        import wasi:filesystem/preopens@0.2.0;
    }";

const SLEEP: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#;
const PRINT: &str = r#"
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
        (func $print (param i32 i32 i32 i32)))"#;
const RET: &str = r#"(import "wasmactor:actor/messaging@0.1.0" "ret" (func $ret (param i32 i32 i32)))"#;

/// A guest with its world embedded, as wit-bindgen would.
fn load(parts: &str, handle: &str) -> Arc<WasmModule> {
    let mut resolve = Resolve::default();
    let mut sources = SourceMap::default();
    for (path, text) in FILES {
        sources.push_str(path, text);
    }
    resolve.push_group(sources.parse().expect("the contract")).expect("the contract");
    let package = resolve.push_str("wasi.wit", &format!("{WASI}{WORLD}")).expect("a world with WASI");
    let world = resolve.select_world(&[package], Some("guest")).expect("the world");
    let mut module = wat::parse_str(guest(parts, "(call $ok)", handle)).expect("text");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("embeds");
    let folder = Folder::new();
    load_path(&folder.file("guest.wasm", module)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_wasi_wait_parks_the_actor_and_wakes_it() {
    let text = "(call $block (call $after (i64.const 50000000)))
        (call $ret (local.get $p) (local.get $n) (i32.const 32)) (call $ok)";
    let running = Running::new();
    let module = load(&format!("{SLEEP}{RET}"), text);
    assert!(module.parks());
    running.node.add_module("m", ModuleEntry { module, grants: Arc::new(Grants::all()), limits: limits(MEMORY) });
    let spec = || SpawnSpec { module: "m".to_owned(), ..SpawnSpec::default() };
    let actors: Vec<_> = (0..10).map(|_| running.node.spawn_and_wait(spec(), LONG).expect("spawns")).collect();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for actor in actors {
            let node = &running.node;
            scope.spawn(move || {
                let answer = node.call(actor, 0, Payload::from(&b"slept"[..]), LONG);
                assert_eq!(answer.as_deref(), Ok(&b"slept"[..]));
            });
        }
    });
    // Two workers, ten sleeps of 50 ms.
    let took = began.elapsed();
    assert!((Duration::from_millis(50)..Duration::from_millis(240)).contains(&took), "{took:?}");
}

#[test]
fn printing_without_end_is_bounded() {
    // 100 times 4,000 bytes in lines of 40: far over what may wait, so the turn parks and goes on.
    let text = "(func $all (local $i i32)
        (loop $fill
            (i32.store8 offset=8192 (local.get $i) (i32.const 120))
            (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4000))))
        (local.set $i (i32.const 0))
        (loop $ends
            (i32.store8 offset=8192 (local.get $i) (i32.const 10))
            (br_if $ends (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 40))) (i32.const 4000))))
        (local.set $i (i32.const 0))
        (loop $more
            (call $print (call $stdout) (i32.const 8192) (i32.const 4000) (i32.const 128))
            (if (i32.load8_u (i32.const 128)) (then unreachable))
            (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100)))))";
    let module = load(&format!("{PRINT}{text}"), "(call $all) (call $ok)");
    let parked = inside(MEMORY, move |cx| {
        let mut behavior = module.create(cx).expect("an instance");
        let mut turn = behavior.handle(cx, letter(b""));
        let mut parked = 0;
        while matches!(turn, Turn::Parked) && parked < 1000 {
            parked += 1;
            turn = behavior.resume(cx);
        }
        assert_eq!(told(turn), "ok");
        parked
    });
    assert!((3..200).contains(&parked), "parked {parked} times");
}

#[test]
fn nothing_is_granted_by_itself() {
    // Says how many arguments, environment entries and folders there are.
    let text = "(call $args (i32.const 32)) (call $env (i32.const 40)) (call $dirs (i32.const 48))
        (i32.store8 (i32.const 64) (i32.add (i32.const 48) (i32.load (i32.const 36))))
        (i32.store8 (i32.const 65) (i32.add (i32.const 48) (i32.load (i32.const 44))))
        (i32.store8 (i32.const 66) (i32.add (i32.const 48) (i32.load (i32.const 52))))
        (call $err (i32.const 64) (i32.const 3))";
    let parts = r#"
        (import "wasi:cli/environment@0.2.0" "get-arguments" (func $args (param i32)))
        (import "wasi:cli/environment@0.2.0" "get-environment" (func $env (param i32)))
        (import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $dirs (param i32)))"#;
    let said = |grants: Grants| {
        let running = Running::new();
        let module = load(parts, text);
        running.node.add_module("m", ModuleEntry { module, grants: Arc::new(grants), limits: limits(MEMORY) });
        let actor = running.node.spawn_and_wait(SpawnSpec { module: "m".into(), ..SpawnSpec::default() }, LONG);
        actor.map_or_else(|error| error.to_string(), |actor| running.call(actor, b""))
    };
    assert_eq!(said(Grants::default()), "refused: 100");
    let folder = Folder::new();
    let granted = |host| Granted { host, guest: "/data".to_owned(), write: false };
    let files = vec![granted(folder.0.clone())];
    assert_eq!(said(Grants { files, ..Grants::default() }), "refused: 101");
    let files = vec![granted(folder.0.join("nowhere"))];
    let error = said(Grants { files, ..Grants::default() });
    assert!(error.contains("the granted folder") && error.contains("nowhere"), "{error}");
}

#[test]
fn wasi_exit_is_a_fault() {
    let exit = r#"(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))"#;
    let module = load(exit, "(call $exit (i32.const 1)) unreachable");
    let said = inside(MEMORY, move |cx| {
        let mut behavior = module.create(cx).expect("an instance");
        told(behavior.handle(cx, letter(b"")))
    });
    assert!(said.starts_with("fault: called WASI's exit with status 1"), "{said}");
}
