//! How much of its memory an actor touches: every page of the machine that it does is paid for by each actor, so what is
//! in the data, and where stack, data and heap lie, is part of how many actors fit.

use std::path::PathBuf;
use std::process::Command;

use wasmactor_tests::{binary, root};
use wasmtime::{Caller, Engine, Extern, ExternType, Func, Instance, Memory, Module, Store, TypedFunc, Val};

/// A page of the machine.
const PAGE: usize = 4096;

/// `args` of examples/hello, as MessagePack.
const ARGS: &[u8] = b"\x82\xa5ticks\x03\xa5every\x64";

/// The flat parameters of `handle`.
type Handle = TypedFunc<(i32, i64, i64, i64, i32, i32), i32>;

fn memory(caller: &mut Caller<'_, ()>) -> Memory {
    caller.get_export("memory").and_then(Extern::into_memory).expect("a memory")
}

/// What an import of `wasmactor:actor` answers: all went well, there is nothing; and the arguments.
fn import(name: &str, caller: &mut Caller<'_, ()>, parameters: &[Val], pointed: bool) {
    let (mut words, mut length) = ([0_i32; 3], 3);
    match name {
        "args" => {
            let realloc = caller.get_export("cabi_realloc").and_then(Extern::into_func).expect("an allocator");
            let realloc = realloc.typed::<(i32, i32, i32, i32), i32>(&*caller).expect("its type");
            let size = i32::try_from(ARGS.len()).expect("short");
            let at = realloc.call(&mut *caller, (0, 0, 1, size)).expect("room");
            let memory = memory(caller);
            memory.write(&mut *caller, usize::try_from(at).expect("an address"), ARGS).expect("in the memory");
            (words, length) = ([at, size, 0], 2);
        }
        // An empty string, which lies somewhere.
        "name" => (words, length) = ([1, 0, 0], 2),
        _ => {}
    }
    // A result that is not flat goes to the address that comes last; this writes no more than any of them has.
    if let (true, Some(Val::I32(at))) = (pointed, parameters.last()) {
        let bytes: Vec<u8> = words[..length].iter().flat_map(|word| word.to_le_bytes()).collect();
        let memory = memory(caller);
        memory.write(&mut *caller, usize::try_from(*at).expect("an address"), &bytes).expect("in the memory");
    }
}

/// The core module of examples/hello.
fn hello() -> PathBuf {
    let mut build = Command::new(binary());
    let output = build.arg("build").arg(root().join("examples/hello/app.toml")).output().expect("the host starts");
    assert!(output.status.success(), "examples/hello: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("text");
    printed.split_once(' ').expect("a module and its file").1.trim().into()
}

#[test]
fn an_actor_touches_two_pages() {
    let engine = Engine::default();
    let module = Module::from_file(&engine, hello()).expect("a core module");
    let mut store = Store::new(&engine, ());
    let mut imports = Vec::new();
    for wanted in module.imports() {
        let ExternType::Func(kind) = wanted.ty() else { panic!("{} is no function", wanted.name()) };
        let name = wanted.name().to_owned();
        let pointed = kind.results().len() == 0 && !matches!(wanted.name(), "log" | "exit");
        let wide = kind.results().any(|result| result.is_i64());
        let func = Func::new(&mut store, kind, move |mut caller, parameters, results| {
            import(&name, &mut caller, parameters, pointed);
            if let [result] = results {
                *result = if wide { Val::I64(1) } else { Val::I32(0) };
            }
            Ok(())
        });
        imports.push(func.into());
    }
    let instance = Instance::new(&mut store, &module, &imports).expect("an instance");
    let memory = instance.get_memory(&mut store, "memory").expect("a memory");
    let went_well = |store: &Store<()>, at: i32| memory.data(store)[usize::try_from(at).expect("an address")] == 0;

    let init = "wasmactor:actor/handler@0.1.0#init";
    let init = instance.get_typed_func::<(), i32>(&mut store, init).expect("an export");
    let returned = init.call(&mut store, ()).expect("no trap");
    assert!(went_well(&store, returned));
    let realloc = instance.get_typed_func::<(i32, i32, i32, i32), i32>(&mut store, "cabi_realloc").expect("an export");
    let payload = realloc.call(&mut store, (0, 0, 1, 1)).expect("room");
    memory.write(&mut store, usize::try_from(payload).expect("an address"), b"\xc0").expect("in the memory");
    let handle = "wasmactor:actor/handler@0.1.0#handle";
    let handle: Handle = instance.get_typed_func(&mut store, handle).expect("an export");
    let returned = handle.call(&mut store, (0, 7, 9, 0, payload, 1)).expect("no trap");
    assert!(went_well(&store, returned));

    let pages = memory.data(&store).chunks(PAGE).enumerate();
    let touched: Vec<usize> = pages.filter(|(_, page)| page.iter().any(|byte| *byte != 0)).map(|(at, _)| at).collect();
    assert!(touched.len() <= 2, "pages {touched:?} of {PAGE} bytes are in use");
}
