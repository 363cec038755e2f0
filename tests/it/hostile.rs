//! Promise 11: whatever a guest does, the host lives, its other actors go on, and only the guest pays.
//!
//! Most guests here are written by hand, since compilers do not lie. Each test ends with `lives`.

use wasmactor_tests::{ALL, App, Setup, wat};

/// An app with a guest that does something bad at its first message, and a puppet beside it.
fn bad(parts: &str, handle: &str) -> App {
    Setup::new().wat("bad", &wat::guest(parts, "(call $ok)", handle)).puppet("good").start()
}

/// The guest must die of it with these words; its caller hears of it, and the others go on.
#[track_caller]
fn dies(mut app: App, words: &str) {
    let got = app.ask(".bad", "some bytes");
    assert!(got.starts_with("!actor-failed: ") && got.contains(words), "{got:?} instead of {words:?}");
    assert_eq!(app.ask(".good", "lookup .bad; ret $it"), "none");
    app.lives();
    app.stop();
}

/// The guest must get away with it: it only harms itself.
#[track_caller]
fn survives(mut app: App, expected: &str) {
    assert_eq!(app.ask(".bad", "some bytes"), expected);
    app.lives();
    app.stop();
}

/// Calls with a list at `pointer` of `length`, for every import that takes one.
fn with_list(pointer: &str, length: &str) -> [(&'static str, String); 9] {
    let (p, n) = (format!("(i32.const {pointer})"), format!("(i32.const {length})"));
    let (zero, out) = ("(i32.const 0)", "(i32.const 64)");
    [
        ("send", format!("(call $send (local.get $a) {zero} {p} {n} {out})")),
        ("request", format!("(call $request (local.get $a) {zero} {p} {n} {zero} (i64.const 0) {out})")),
        ("call", format!("(call $call (local.get $a) {zero} {p} {n} {zero} {out})")),
        ("broadcast", format!("(drop (call $broadcast {p} {n} {zero} {zero} {zero}))")),
        ("ret", format!("(call $ret {p} {n} {out})")),
        ("log", format!("(call $log {zero} {p} {n} {zero} {zero})")),
        ("fields", format!("(call $log {zero} {zero} {zero} {p} {n})")),
        ("register", format!("(call $register {p} {n} {out})")),
        ("write", format!("(call $write (i64.const 1) {p} {n} {out})")),
    ]
}

#[test]
fn lists_that_end_outside_of_memory() {
    for (_, call) in with_list("65528", "4096") {
        dies(bad("", &format!("{call} (call $ok)")), "out of bounds");
    }
}

#[test]
fn lists_whose_place_or_length_wraps_around() {
    for (name, call) in with_list("-16", "-1") {
        let mut app = bad("", &format!("{call} (call $ok)"));
        let got = app.ask(".bad", "");
        assert!(got.starts_with("!actor-failed: "), "{name}: {got}");
        app.lives();
    }
}

#[test]
fn a_list_that_begins_outside_of_memory() {
    dies(
        bad("", "(call $send (local.get $a) (i32.const 0) (i32.const 65537) (i32.const 1) (i32.const 64)) (call $ok)"),
        "out of bounds",
    );
}

#[test]
fn results_of_imports_outside_of_memory() {
    let send = |out: &str| {
        format!("(call $send (local.get $a) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {out})) (call $ok)")
    };
    for out in ["65532", "-8", "65537"] {
        let mut app = bad("", &send(out));
        assert!(app.ask(".bad", "").starts_with("!actor-failed: "), "{out}");
        app.lives();
    }
}

#[test]
fn results_of_handle_that_lie() {
    for (handle, words) in [
        ("(i32.const -4)", "out of bounds"),
        ("(i32.const 17)", "align"),
        ("(i32.store8 (i32.const 16) (i32.const 9)) (i32.const 16)", "discriminant"),
        ("(call $err (i32.const 65000) (i32.const 65000))", "out of bounds"),
        ("(i32.store8 (i32.const 64) (i32.const 255)) (call $err (i32.const 64) (i32.const 1))", "utf-8"),
    ] {
        dies(bad("", handle), words);
    }
}

#[test]
fn text_that_is_no_text() {
    let broken = "(data (i32.const 1024) \"\\ff\\fe\")";
    let log = "(call $log (i32.const 2) (i32.const 1024) (i32.const 2) (i32.const 0) (i32.const 0)) (call $ok)";
    dies(bad(broken, log), "utf-8");
    let level = "(call $log (i32.const 99) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (call $ok)";
    dies(bad("", level), "discriminant");
}

#[test]
fn a_list_that_names_the_same_bytes_many_times() {
    // 3,500 pairs of 60,000 bytes each: 210 MB on the host's side, from 64 KiB.
    let fill = "(func $fill (local $i i32)
        (loop $more
            (i32.store offset=8192 (local.get $i) (i32.const 0))
            (i32.store offset=8196 (local.get $i) (i32.const 60000))
            (local.set $i (i32.add (local.get $i) (i32.const 8)))
            (br_if $more (i32.lt_u (local.get $i) (i32.const 56000))))
        (call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8192) (i32.const 3500)))";
    dies(bad(fill, "(call $fill) (call $ok)"), "");
}

/// A guest whose `cabi_realloc` gives this.
fn realloc(result: &str) -> App {
    let text = wat::guest("", "(call $ok)", wat::ECHO);
    let lies = text.replacen("(local.get $at))\n\n", &format!("{result})\n\n"), 1);
    assert_ne!(text, lies);
    Setup::new().wat("bad", &lies).puppet("good").start()
}

#[test]
fn memory_for_the_host_that_is_not_there() {
    dies(realloc("(i32.const -8)"), "beyond end of memory");
    dies(realloc("(i32.const 65535)"), "beyond end of memory");
    dies(realloc("unreachable"), "unreachable");
    // Where the host may write, it writes: the guest harms only itself.
    survives(realloc("(i32.const 2048)"), "some bytes");
}

#[test]
fn a_realloc_that_calls_the_host_or_itself_without_end() {
    dies(realloc("(call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1))"), "call stack");
}

#[test]
fn traps_in_handle() {
    for (parts, handle, words) in [
        ("", "unreachable", "unreachable"),
        ("", "(drop (i32.div_s (i32.const 1) (i32.const 0))) (call $ok)", "divide by zero"),
        ("", "(drop (i32.load (i32.const -1))) (call $ok)", "out of bounds"),
        ("(table $t 2 funcref)", "(call_indirect $t (i32.const 1)) (call $ok)", "uninitialized element"),
        ("(table $t 2 funcref)", "(call_indirect $t (i32.const 99)) (call $ok)", "undefined element"),
        ("", "(drop (i32.trunc_f32_s (f32.const nan))) (call $ok)", "integer"),
    ] {
        dies(bad(parts, handle), words);
    }
}

#[test]
fn a_trap_in_init_or_in_the_start_function() {
    for (parts, init) in [("", "unreachable"), ("(func $start unreachable) (start $start)", "(call $ok)")] {
        let text = wat::guest(parts, init, "(call $ok)");
        let mut app = Setup::new().module("bad", &text).puppet("good").start();
        let got = app.ask(".good", "start-child bad - {}; ret $it: $why");
        assert!(got.starts_with("!refused: ") && got.contains("unreachable"), "{got}");
        app.lives();
    }
}

#[test]
fn a_message_that_trapped_is_never_delivered_twice() {
    let mut app = Setup::new().puppet("bad").puppet("good").start();
    app.told(".bad", "log once; trap");
    app.process.line("the trap", |line| line.actor == "bad" && line.level == "ERROR");
    app.lives();
    assert_eq!(app.log_of("bad"), ["once"]);
}

#[test]
fn deep_recursion_is_a_limit() {
    let deep = "(func $down (call $down) (call $down))";
    dies(bad(deep, "(call $down) (call $ok)"), "call stack");
    // On a stack of its own, too: this one can park.
    let parks = "(func $down (call $down) (call $down)) (func $never (call $sleep (i64.const 1)))";
    dies(bad(parks, "(call $down) (call $ok)"), "call stack");
}

#[test]
fn memory_grows_to_the_limit_and_no_further() {
    // Page by page until -1; answers how many pages it has, as a character after `@`.
    let grows = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (i32.store8 (i32.const 64) (i32.add (i32.const 64) (memory.size)))
        (call $ret (i32.const 64) (i32.const 1) (i32.const 128)) (call $ok)";
    let text = wat::guest("", "(call $ok)", grows);
    let module = "[module.bad]\nsource = \"bad.wat\"\nlimits.memory = \"1MiB\"\n";
    let setup = Setup::new().file("bad.wat", text).toml(module).actor("bad", "bad", ALL).puppet("good");
    survives(setup.start(), "P");
}

#[test]
fn memory_that_is_over_the_limit_from_the_start_is_an_error_with_both_figures() {
    let text = wat::guest("", "(call $ok)", "(call $ok)")
        .replace("(memory (export \"memory\") 1)", "(memory (export \"memory\") 100)");
    let module = "[module.bad]\nsource = \"bad.wat\"\nlimits.memory = \"1MiB\"\n";
    let mut app = Setup::new().file("bad.wat", text).toml(module).puppet("good").start();
    let got = app.ask(".good", "start-child bad - {}; ret $it: $why");
    assert!(got.starts_with("!refused: ") && got.contains("6553600 bytes") && got.contains("1048576 bytes"), "{got}");
    app.lives();
}

#[test]
fn an_endless_loop_is_warned_of_and_can_be_killed() {
    let spin = wat::guest("", "(call $ok)", "(loop $again (br $again)) (call $ok)");
    let mut app = Setup::new().argument("--workers=2").wat("spin", &spin).puppet("good").start();
    let address: u64 = app.ask(".good", "lookup .spin; ret $it").parse().expect("an address");
    let waits = app.ask_later(".spin", "");
    for _ in 0..200 {
        app.lives();
        assert_eq!(app.ask(".good", "call .witness {ret fine}; ret $it"), "fine");
    }
    let line = app.process.line("the monitor's warning", |line| line.message.contains("may be in an endless loop"));
    assert!(line.level == "WARN" && line.message.contains(&format!(":{address:08x}")), "{line:?}");
    assert!(line.message.contains("message from"), "it names the kind and the sender: {line:?}");
    assert_eq!(app.ask(".good", "kill .spin enough; ret $it"), "done");
    assert!(waits.wait().starts_with("!actor-exited: "));
    app.lives();
}

#[test]
fn a_host_with_endless_loops_on_all_workers_still_stops() {
    let spin = wat::guest("", "(call $ok)", "(loop $again (br $again)) (call $ok)");
    let setup = Setup::new().host("stop-timeout = \"100ms\"").argument("--workers=2").module("spin", &spin);
    let app = setup.actor("spin", "spin", &format!("count = 2\n{ALL}")).start();
    let _one = app.tell(".spin.0", "");
    // Both workers have one.
    let _two = app.ask_later(".spin.1", "");
    let lines = app.stop();
    assert!(lines.iter().any(|line| line.message.contains("are killed")), "{lines:#?}");
}

#[test]
fn an_endless_init_can_be_ended_by_a_stop() {
    let spin = wat::guest("", "(loop $again (br $again)) (call $ok)", "(call $ok)");
    let mut app = Setup::new().host("stop-timeout = \"100ms\"").module("spin", &spin).puppet("good").start();
    app.told(".good", "log spawns; start-child spin .spin {}");
    app.logged("good", "spawns");
    app.lives();
    app.stop();
}

#[test]
fn a_spinner_written_in_rust_is_killed_too() {
    let mut app = Setup::new().argument("--workers=2").puppet("spin").actor("plain", "plain", ALL).start();
    for name in [".spin", ".plain"] {
        let waits = app.ask_later(name, "log begins; spin");
        app.logged(&name[1..], "begins");
        app.lives();
        assert_eq!(app.ask(".witness", &format!("kill {name} enough; ret $it")), "done");
        assert!(waits.wait().starts_with("!actor-exited"));
    }
    app.lives();
}

#[test]
fn a_flood_of_the_log_and_of_names_and_children() {
    let mut app = Setup::new().puppet("bad").puppet("good").start();
    let text = "x".repeat(10_000);
    app.ask(
        ".bad",
        &format!("repeat 200 {{log {text}}}; repeat 500 {{register .n$i}}; repeat 200 {{spawn puppet - {{}}}}; ret"),
    );
    app.lives();
    assert_ne!(app.ask(".good", "lookup .n499; ret $it"), "none");
    app.ask(".good", "on down {log bad is down}; watch .bad; ret");
    app.told(".bad", "trap");
    app.logged("good", "bad is down");
    assert_eq!(app.ask(".good", "lookup .n499; ret $it"), "none", "names end with their actor");
    app.lives();
}
