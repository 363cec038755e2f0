//! Files that cannot be loaded, each with its words; what can; the cache.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::actor::Module as _;
use crate::wasm::tests::turns::echo;
use crate::wasm::tests::{Folder, MEMORY, guest, host, inside, letter, load, load_path, options, told};
use crate::wasm::{CacheFolder, Profile, Source, WasmHost, WasmOptions, encode};

/// The error of a file with this content, without the folder's name.
fn error(file: &str, content: impl AsRef<[u8]>) -> String {
    let folder = Folder::new();
    let error = load_path(&folder.file(file, content)).expect_err("it does not load").to_string();
    error.replace(&format!("{}/", folder.0.display()), "")
}

fn plain() -> String {
    guest("", "(call $ok)", "(call $ok)")
}

#[test]
fn a_file_that_is_not_there() {
    let text = load_path(Path::new("/nowhere/store.wasm")).expect_err("nothing there").to_string();
    assert!(text.starts_with("module \"store\" (/nowhere/store.wasm) cannot be read: No such file"), "{text}");
}

#[test]
fn files_that_are_no_wasm() {
    assert_eq!(error("a.png", b"\x89PNG\r\n"), "module \"store\" (a.png) is neither WebAssembly nor its text format");
    let text = error("a.wat", "(module\n  (func $f (call $g)))");
    assert!(text.contains("is not valid WebAssembly text") && text.contains("a.wat:2:"), "{text}");
    let text = error("a.wasm", b"\0asm\x01\0\0\0\x01\xff\xff\xff");
    assert!(text.contains("is not valid WebAssembly"), "{text}");
    let text = error("a.wasm", b"\0asm");
    assert!(text.contains("is not valid WebAssembly"), "{text}");
}

#[test]
fn imports_of_another_version() {
    let text = plain().replacen(
        "(memory",
        r#"(import "wasmactor:actor/messaging@0.2.0" "send" (func (param i64 i32 i32 i32 i32))) (memory"#,
        1,
    );
    assert_eq!(
        error("store.wasm", text),
        "module \"store\" (store.wasm) imports wasmactor:actor/messaging@0.2.0 \"send\"; \
         this host provides wasmactor:actor@0.1.0: rebuild it with the matching SDK"
    );
}

#[test]
fn imports_that_nobody_has() {
    let import = |module: &str, item: &str| {
        plain().replacen("(memory", &format!("(import \"{module}\" \"{item}\" (func)) (memory"), 1)
    };
    let text = error("a.wat", import("wasmactor:actor/messaging@0.1.0", "shout"));
    assert!(
        text.contains("imports wasmactor:actor/messaging@0.1.0 \"shout\"; this host provides wasmactor:actor@0.1.0"),
        "{text}"
    );
    let text = error("a.wat", import("wasi_snapshot_preview1", "fd_write"));
    assert!(text.contains("preview 1") && text.contains("wasm32-wasip2"), "{text}");
    let text = error("a.wat", import("env", "malloc"));
    assert!(text.contains("imports env \"malloc\"") && text.contains("left open"), "{text}");
}

#[test]
fn imports_of_another_type() {
    let text = plain().replacen(
        "(memory",
        r#"(import "wasmactor:actor/messaging@0.1.0" "send" (func (param i32))) (memory"#,
        1,
    );
    let text = error("a.wat", text);
    assert!(text.contains("send") && text.contains("mismatch"), "{text}");
}

#[test]
fn exports_that_are_missing_or_wrong() {
    let text = error("a.wat", plain().replace("#handle", "#handl"));
    assert!(text.contains("exports no wasmactor:actor/handler@0.1.0 \"handle\""), "{text}");
    let text = error("a.wat", "(module)");
    assert!(text.contains("exports no wasmactor:actor/handler@0.1.0 \"init\""), "{text}");
    let text = error("a.wat", "(component)");
    assert!(text.contains("exports no wasmactor:actor/handler@0.1.0 \"handle\""), "{text}");
}

#[test]
fn a_component_with_a_handle_of_another_type() {
    let component = |name: &str| {
        format!(
            r#"(component
            (core module $m (func (export "f") (param i32)))
            (core instance $i (instantiate $m))
            (func $f (param "x" u32) (canon lift (core func $i "f")))
            (instance $h (export "init" (func $f)) (export "handle" (func $f)))
            (export "{name}" (instance $h)))"#
        )
    };
    let text = error("a.wat", component("wasmactor:actor/handler@0.1.0"));
    assert!(text.contains("\"init\" has type func(x: u32), expected func() -> result<_, string>"), "{text}");
    let text = error("a.wat", component("wasmactor:actor/handler@0.3.0"));
    assert!(
        text.contains("exports wasmactor:actor/handler@0.3.0; this host calls wasmactor:actor/handler@0.1.0"),
        "{text}"
    );
}

#[test]
fn a_component_that_wants_http() {
    let text = r#"(component (import "wasi:http/types@0.2.0" (instance (export "fields" (func)))))"#;
    let text = error("a.wat", text);
    assert!(text.contains("imports wasi:http/types@0.2.0 \"fields\"") && text.contains("not offered"), "{text}");
}

#[test]
fn what_is_imported_is_listed() {
    let interfaces = |text: &str| load(text).uses().interfaces().keys().cloned().collect::<Vec<_>>();
    assert_eq!(interfaces(&echo()), ["wasmactor:actor/messaging@0.1.0"]);
    assert_eq!(interfaces(&plain()), [""; 0]);
    assert_eq!(load(&plain()).version().len(), 12);
    assert_ne!(load(&plain()).version(), load(&echo()).version());
}

#[test]
fn a_component_loads_as_it_is_and_extra_exports_are_ignored() {
    let folder = Folder::new();
    let extra = plain().replacen("(memory", "(func (export \"other\")) (memory", 1);
    let component = encode::component(Path::new("a.wat"), extra.as_bytes()).expect("encodes");
    load_path(&folder.file("a.wasm", component)).expect("loads");
}

#[test]
fn many_load_in_parallel_in_order() {
    let folder = Folder::new();
    let host = WasmHost::new(&options(CacheFolder::Off)).expect("a host");
    let path = |index| folder.file(&format!("{index}.wat"), if index == 3 { "(module".to_owned() } else { plain() });
    let sources: Vec<_> = (0..8).map(|index| Source::new(index.to_string(), path(index))).collect();
    for (index, loaded) in host.load_all(&sources).into_iter().enumerate() {
        match loaded {
            Ok(module) => assert_eq!(module.name(), index.to_string()),
            Err(error) => assert_eq!((error.module.as_str(), index), ("3", 3)),
        }
    }
    assert!(host.load_all(&[]).is_empty());
}

/// Loads `echo` with a cache, and says which entries the cache has then.
fn entries(cache: &Path, file: &Path) -> Vec<(PathBuf, u64)> {
    let host = WasmHost::new(&options(CacheFolder::At(cache.to_owned()))).expect("a host");
    host.load(&Source::new("echo", file)).expect("loads");
    let listed = fs::read_dir(cache).expect("the cache").map(|entry| {
        let entry = entry.expect("an entry");
        (entry.path(), std::os::unix::fs::MetadataExt::ino(&entry.metadata().expect("its data")))
    });
    listed.collect()
}

#[test]
fn a_second_load_finds_the_first_ones_code() {
    let folder = Folder::new();
    let (cache, file) = (folder.0.join("deep/cache"), folder.file("echo.wat", echo()));
    let first = entries(&cache, &file);
    assert_eq!(first.len(), 1);
    assert_eq!(fs::metadata(&cache).expect("the cache").permissions().mode() & 0o777, 0o700);
    assert_eq!(entries(&cache, &file), first, "nothing was written again");
    let other = folder.file("echo.wat", plain());
    assert_eq!(entries(&cache, &other).len(), 2);
}

#[test]
fn a_damaged_entry_is_compiled_again() {
    let folder = Folder::new();
    let (cache, file) = (folder.0.join("cache"), folder.file("echo.wat", echo()));
    let first = entries(&cache, &file);
    let whole = fs::read(&first[0].0).expect("an entry");
    for damage in [0, 20, 40, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[damage] ^= 1;
        fs::write(&first[0].0, &damaged).expect("writes");
        entries(&cache, &file);
        let mended = fs::read(&first[0].0).expect("an entry");
        assert!(mended != damaged && mended.len() == whole.len(), "a new one took the damaged one's place");
    }
    for cut in [0, 10, 32, 33, whole.len() - 1] {
        fs::write(&first[0].0, &whole[..cut]).expect("writes");
        entries(&cache, &file);
        assert_eq!(fs::read(&first[0].0).expect("an entry").len(), whole.len());
    }
}

#[test]
fn what_a_killed_host_left_half_in_the_cache_goes() {
    let folder = Folder::new();
    let (cache, file) = (folder.0.join("cache"), folder.file("echo.wat", echo()));
    let whole = entries(&cache, &file);
    let (here, nobody) = (std::process::id(), 4_194_305); // One more than the most that Linux can count.
    let half = |name: String, age: u64| {
        let file = fs::File::create(cache.join(&name)).expect("a file");
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).expect("its time");
        name
    };
    let day = 24 * 60 * 60;
    half(format!("00-11.flat.{nobody}-0.tmp"), 120);
    half(format!("00-11.component.{here}-7.tmp"), day + 60);
    let stay = [
        half(format!("00-11.flat.{nobody}-1.tmp"), 0),
        half(format!("00-11.flat.{here}-1.tmp"), day - 60),
        half("mine.tmp".to_owned(), 2 * day),
    ];
    let mut found: Vec<PathBuf> = entries(&cache, &file).into_iter().map(|(path, _)| path).collect();
    let mut expected: Vec<PathBuf> = stay.iter().map(|name| cache.join(name)).collect();
    expected.extend(whole.into_iter().map(|(path, _)| path));
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_cache_that_others_can_write_is_not_used() {
    let folder = Folder::new();
    let (cache, file) = (folder.0.join("cache"), folder.file("echo.wat", echo()));
    fs::create_dir(&cache).expect("a folder");
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).expect("its mode");
    assert!(entries(&cache, &file).is_empty());
    // A file where the folder should be: a warning, and the module loads.
    let host = WasmHost::new(&options(CacheFolder::At(file.clone()))).expect("a host");
    host.load(&Source::new("echo", file)).expect("loads");
}

#[test]
fn a_module_of_the_speed_profile_runs_like_any_other() {
    let folder = Folder::new();
    let source = Source::new("fast", folder.file("fast.wat", plain())).with(Profile::Speed);
    let module = host().load(&source).expect("loads");
    let said = inside(MEMORY, move |cx| {
        let mut behavior = module.create(cx).expect("an instance");
        [told(behavior.init(cx)), told(behavior.handle(cx, letter(b"hello")))]
    });
    assert_eq!(said, ["ok", "ok"]);
}

#[test]
fn a_run_without_flat_modules_does_not_slow_the_next_one_down() {
    let folder = Folder::new();
    let file = folder.file("plain.wat", plain());
    let is_flat = |force_component| {
        let options = WasmOptions { cache: CacheFolder::At(folder.0.join("cache")), force_component };
        let host = WasmHost::new(&options).expect("a host");
        host.load(&Source::new("plain", &file)).expect("loads").is_flat()
    };
    assert_eq!([true, false, true, false].map(is_flat), [false, true, false, true]);
}
