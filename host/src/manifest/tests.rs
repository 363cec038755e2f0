//! The manifest from the outside: a text goes in, an app or faults with their places come out.

mod grants;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::base::Pattern;
use crate::manifest::{ActorSpec, Diagnostic, Limits, Manifest, Source, parse};
use crate::sched::Full;

/// The least that is an app.
const APP: &str = "[app]\nname = \"bank\"\n[module.account]\nsource = \"account\"\n[[actor]]\nname = \"alice\"\nmodule = \"account\"\n";

/// A folder with what the texts of these tests name.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("wasmactor-manifest-{}", std::process::id()));
        for sub in ["account", "empty", "data"] {
            fs::create_dir_all(folder.join(sub)).expect("a temporary folder");
        }
        for file in ["account/Cargo.toml", "spin.wat", "kept.wasm", "notes.txt"] {
            fs::write(folder.join(file), "").expect("a temporary file");
        }
        folder
    })
}

fn read(text: &str) -> Result<Manifest, Vec<Diagnostic>> {
    parse(text, &folder().join("app.toml"))
}

#[track_caller]
fn good(text: &str) -> Manifest {
    read(text).unwrap_or_else(|faults| panic!("{}", shown(&faults)))
}

fn shown(faults: &[Diagnostic]) -> String {
    let text = faults.iter().map(|fault| format!("{fault}\n")).collect::<String>();
    text.replace(&format!("{}/", folder().display()), "")
}

/// The faults of a text, as printed.
#[track_caller]
fn check(text: &str, expected: &str) {
    let faults = read(text).expect_err("this text has faults");
    assert_eq!(shown(&faults).trim_end(), expected.trim());
}

/// The same for lines that follow `APP`, which has seven.
#[track_caller]
fn check_more(text: &str, expected: &str) {
    check(&format!("{APP}{text}"), expected);
}

/// The same for a `grants` table of the actor.
#[track_caller]
fn check_grants(text: &str, expected: &str) {
    check_more(&format!("grants = {{ {text} }}\n"), expected);
}

fn first(manifest: &Manifest) -> &ActorSpec {
    &manifest.actors[0]
}

#[test]
fn the_least_gets_the_defaults() {
    let manifest = good(APP);
    assert_eq!(manifest.name, "bank");
    assert_eq!(manifest.host, super::HostSettings::default());
    let module = &manifest.modules["account"];
    assert_eq!(module.source, Source::Crate(folder().join("account")));
    assert_eq!((&module.file, &module.limits), (&None, &super::Limits::default()));
    let alice = first(&manifest);
    assert_eq!((alice.count, alice.args.as_slice(), alice.registered(0).as_str()), (1, &[][..], ".alice"));
    assert_eq!(alice.grants, None);
    assert_eq!(module.grants, super::Grants::default(), "deny by default");
}

#[test]
fn everything_that_can_be_said() {
    let manifest = good(
        r#"
[app]
name = "bank"
[host]
workers = 2
call-timeout = "250ms"
mailbox-bytes = "8MiB"
slice = "500us"
stop-timeout = "0s"
log = "debug"
log-file = "bank.log"
[limits]
mailbox = 10
mailbox-full = "hold"
memory = "1GiB"
payload = 1024
timers = 7
[env]
GREETING = "hello"
[module.account]
source = "account"
limits = { memory = "16MiB", sockets = 0 }
reload = { grace = "0s", step = "20ms", state = "1KiB" }
[module.account.grants]
send = ["*"]
[module.spin]
source = "spin.wat"
[[actor]]
name = "alice"
module = "account"
count = 3
limits = { mailbox = 1000, mailbox-bytes = "1MiB", mailbox-full = "drop-oldest", children = 5 }
grants = { send = ["spin*", "account"], names = [".x*"], spawn = ["account"], kill = ["*"], listen = ["127.0.0.1:7379"], connect = ["127.0.0.1:*", "[::1]:*"], env = ["GREETING"], files = [{ host = "data", guest = "/data", write = true }] }
"#,
    );
    let host = &manifest.host;
    let limits = &manifest.limits;
    assert_eq!((host.workers, limits.mailbox, limits.full), (Some(2), 10, Full::Hold));
    assert_eq!((host.call_timeout, host.stop_timeout), (Duration::from_millis(250), Duration::ZERO));
    assert_eq!((host.slice, host.mailbox_bytes), (Duration::from_micros(500), Some(8 << 20)));
    assert_eq!((limits.memory, limits.payload, host.log), (1 << 30, 1024, tracing::Level::DEBUG));
    assert_eq!(host.log_file, Some(folder().join("bank.log")));
    assert_eq!(manifest.env["GREETING"], "hello");
    assert_eq!(manifest.modules["account"].limits, Limits { memory: 16 << 20, sockets: 0, ..limits.clone() });
    assert_eq!(manifest.modules["spin"].limits, *limits);
    let reload = &manifest.modules["account"].reload;
    assert_eq!((reload.grace, reload.step, reload.state), (Duration::ZERO, Duration::from_millis(20), 1024));
    assert_eq!(manifest.modules["spin"].reload, crate::node::ReloadOptions::default());
    assert!(manifest.modules["account"].grants.send[0].matches_all());
    assert_eq!(manifest.modules["spin"].file, Some(folder().join("spin.wat")));
    let alice = first(&manifest);
    let own = Limits {
        mailbox: 1000,
        mailbox_bytes: 1 << 20,
        full: Full::DropOldest,
        children: 5,
        ..manifest.modules["account"].limits.clone()
    };
    assert_eq!(alice.limits, own);
    assert_eq!(alice.registered(2), ".alice.2");
    let grants = alice.grants.as_ref().expect("own grants");
    assert_eq!(grants.listen, [Pattern::Exact("127.0.0.1:7379".to_owned())]);
    assert_eq!(grants.connect[0], Pattern::Prefix("127.0.0.1:".to_owned()));
    assert_eq!(grants.connect[1], Pattern::Prefix("[::1]:".to_owned()));
    assert_eq!((grants.files[0].guest.as_str(), grants.files[0].write), ("/data", true));
    assert_eq!(grants.files[0].host, folder().join("data"));
}

#[test]
fn args_become_messagepack() {
    let manifest =
        good(&format!("{APP}args = {{ balance = 100, on = true, at = 2024-01-02, list = [1.5, \"x\", -1, 0xff] }}\n"));
    let mut bytes = first(&manifest).args.as_slice();
    let value = rmpv::decode::read_value(&mut bytes).expect("MessagePack");
    assert_eq!(value["balance"].as_i64(), Some(100));
    assert_eq!(value["on"].as_bool(), Some(true));
    assert_eq!(value["at"].as_str(), Some("2024-01-02"));
    assert_eq!(value["list"][0].as_f64(), Some(1.5));
    assert_eq!(value["list"][2].as_i64(), Some(-1));
    assert_eq!(value["list"][3].as_i64(), Some(255));
    check_more("args = [0x1_0000_0000_0000_0000]\n", "app.toml:8:9: error: this number does not fit in 64 bits");
}

#[test]
fn unknown_keys_say_what_was_meant() {
    check_more(
        "cuont = 2\n[host]\nworker = 2\nzzz = 1\n",
        "app.toml:8:1: error: unknown key `cuont` in [[actor]]\n  hint: did you mean `count`?\n\
         app.toml:10:1: error: unknown key `worker` in [host]\n  hint: did you mean `workers`?\n\
         app.toml:11:1: error: unknown key `zzz` in [host]\n  hint: keys here: call-timeout, slice, workers, stop-timeout, actors, sockets, memory, mailbox-bytes, log, log-file",
    );
    check_more(
        "[actors]\n",
        "app.toml:8:2: error: unknown key `actors` in the manifest\n  hint: did you mean `actor`?",
    );
}

#[test]
fn a_broken_text_has_a_place() {
    check("[app\nname = 1\n", "app.toml:1:5: error: unclosed table, expected `]`");
    check(
        "",
        "app.toml:1:1: error: the manifest has no `app`\n  hint: start the file with\n    [app]\n    name = \"my-app\"\napp.toml:1:1: error: no [[actor]]: there is nothing to start\n  hint: write\n    [[actor]]\n    name = \"alice\"\n    module = \"account\"",
    );
}

#[test]
fn wrong_types_are_named() {
    check(
        "app = 3\nactor = {}\nenv = []\nmodule = 1\nhost = \"x\"\n",
        "app.toml:1:7: error: [app] must be a table, not a whole number\n\
         app.toml:2:9: error: `actor` must be a list of tables\n  hint: write\n    [[actor]]\n    name = \"alice\"\n    module = \"account\"\n\
         app.toml:3:7: error: `env` must be a table, not a list\n\
         app.toml:4:10: error: [module] must be a table, not a whole number\n\
         app.toml:5:8: error: [host] must be a table, not a string",
    );
    check_more("count = \"2\"\n", "app.toml:8:9: error: `count` must be a whole number, not a string");
    check_grants(
        "send = [1], listen = \"x\"",
        "app.toml:8:20: error: `send` must be a string, not a whole number\napp.toml:8:33: error: `listen` must be a list of strings, not a string",
    );
    check_more("[env]\nN = 1\n", "app.toml:9:5: error: `N` must be a string, not a whole number");
}

#[test]
fn host_settings_are_checked() {
    check_more("[host]\nworkers = 0\n", "app.toml:9:11: error: `workers` must be 1 to 256, not 0");
    check_more(
        "[host]\ncall-timeout = \"5 parsecs\"\n",
        "app.toml:9:16: error: `call-timeout` is no duration: `5 parsecs`\n  hint: write a number and a unit: \"250ms\", \"5s\", \"2m\", \"1h\"",
    );
    check_more("[host]\nslice = \"1us\"\n", "app.toml:8:1: error: `slice` must be 100us to 1s");
    check_more(
        "[host]\ncall-timeout = \"0s\"\n",
        "app.toml:8:1: error: `call-timeout` must be more than zero: every call would fail",
    );
    check_more(
        "[limits]\nmemory = \"much\"\n",
        "app.toml:9:10: error: `memory` is no size\n  hint: write \"64KiB\", \"16MiB\", \"1GiB\", or a number of bytes",
    );
    check_more("[limits]\nmemory = 1000\n", "app.toml:9:10: error: `memory` must be 64.0 KiB to 4.0 GiB, not 1000 B");
    check_more(
        "[limits]\nmailbox-full = \"drop\"\n",
        "app.toml:9:16: error: `mailbox-full` cannot be `drop`\n  hint: did you mean `drop-oldest`?",
    );
    check_more(
        "[host]\nlog = \"loud\"\n",
        "app.toml:9:7: error: `log` cannot be `loud`\n  hint: it is one of error, warn, info, debug, trace",
    );
}

#[test]
fn an_actor_may_have_less_than_its_module_names_and_not_more() {
    let text = |limits: &str| {
        format!(
            "{APP}limits = {limits}\n[module.other]\nsource = \"account\"\nlimits.timers = 5\n[[actor]]\nname = \"bob\"\nmodule = \"other\"\n"
        )
    };
    let manifest = good(&(text("{ timers = 70000 }") + "limits = { timers = 4, requests = 70000 }\n"));
    assert_eq!((first(&manifest).limits.timers, manifest.actors[1].limits.timers), (70_000, 4));
    assert_eq!((manifest.actors[1].limits.requests, manifest.modules["other"].limits.timers), (70_000, 5));
    let faults = read(&(text("{}") + "limits = { timers = 6 }\n")).expect_err("over the module's");
    let hint = "  hint: a module's limits are the most that its actors may have: raise that one, or lower this";
    assert_eq!(
        shown(&faults).trim_end(),
        format!("app.toml:15:21: error: `timers` is more than the module's limit\n{hint}")
    );
}

#[test]
fn sources_must_be_there() {
    let modules = "[module.a]\nsource = \"nowhere\"\n[module.b]\nsource = \"empty\"\n[module.c]\nsource = \"notes.txt\"\n[module.d]\n";
    let hint = "  hint: `source` is a crate's folder (with a Cargo.toml), a .wasm or a .wat file, seen from the manifest's folder";
    check_more(
        modules,
        &format!(
            "app.toml:9:10: error: there is no `nowhere`\n{hint}\n\
             app.toml:11:10: error: the folder `empty` has no Cargo.toml\n{hint}\n\
             app.toml:13:10: error: `notes.txt` is neither .wasm nor .wat\n{hint}\n\
             app.toml:14:1: error: [module.d] has no `source`\n  hint: write source = \"FOLDER\" (a crate), \"FILE.wasm\" or \"FILE.wat\""
        ),
    );
}

#[test]
fn what_a_reload_may_take_is_checked() {
    let check = |text: &str, expected: &str| {
        check_more(&format!("[module.spin]\nsource = \"spin.wat\"\nreload = {text}\n"), expected)
    };
    check("{ grace = \"2h\" }", "app.toml:10:10: error: `grace` must be 0s to 1h");
    check("{ step = \"0s\" }", "app.toml:10:10: error: `step` must be 1ms to 30s");
    check("{ state = \"5GiB\" }", "app.toml:10:20: error: `state` must be 0 B to 4.0 GiB, not 5.0 GiB");
    check("\"5s\"", "app.toml:10:10: error: `reload` of [module.spin] must be a table, not a string");
    check(
        "{ timeout = \"5s\" }",
        "app.toml:10:12: error: unknown key `timeout` in `reload` of [module.spin]\n  hint: keys here: grace, step, state",
    );
}

#[test]
fn names_are_checked() {
    check_more(
        "[[actor]]\nname = \".bob\"\nmodule = \"account\"\n",
        "app.toml:9:8: error: `.bob` cannot be the name of an actor\n  hint: write `bob`: the host adds the dot",
    );
    check_more(
        "[[actor]]\nname = \"b b\"\nmodule = \"account\"\n",
        "app.toml:9:8: error: `b b` cannot be the name of an actor\n  hint: 1 to 63 characters of a-z A-Z 0-9 . _ - /",
    );
    let long = "x".repeat(62);
    check_more(
        &format!("[[actor]]\nname = \"{long}\"\nmodule = \"account\"\ncount = 2\n"),
        &format!("app.toml:9:8: error: the name `.{long}.1` has more than 64 characters"),
    );
    check_more(
        "[module.\"x y\"]\nsource = \"account\"\n",
        "app.toml:8:9: error: `x y` cannot be the name of a module\n  hint: 1 to 63 characters of a-z A-Z 0-9 . _ - /",
    );
}

#[test]
fn no_two_actors_of_one_name() {
    let actor =
        |name: &str, count: u32| format!("[[actor]]\nname = \"{name}\"\nmodule = \"account\"\ncount = {count}\n");
    check_more(
        &actor("alice", 2),
        "app.toml:9:8: error: two actors have the name `alice`\n  hint: give each [[actor]] its own name, or one of them a `count`",
    );
    let both = "two actors have the name `bob.1`: one by its `name`, one by its number";
    check_more(&(actor("bob", 2) + &actor("bob.1", 1)), &format!("app.toml:13:8: error: {both}"));
    check_more(&(actor("bob.1", 1) + &actor("bob", 2)), &format!("app.toml:13:8: error: {both}"));
    good(&format!("{APP}{}{}{}", actor("bob", 2), actor("bob.2", 1), actor("bob.01", 1)));
}

#[test]
fn actors_need_a_module_that_is_there() {
    check_more(
        "[[actor]]\nname = \"bob\"\nmodule = \"acount\"\n",
        "app.toml:10:10: error: there is no module `acount`\n  hint: did you mean `account`?",
    );
    check_more(
        "[[actor]]\n",
        "app.toml:8:1: error: [[actor]] has no `name`\n  hint: write\n    [[actor]]\n    name = \"alice\"\n    module = \"account\"\napp.toml:8:1: error: [[actor]] has no `module`\n  hint: write\n    [[actor]]\n    name = \"alice\"\n    module = \"account\"",
    );
    check_more("count = 0\n", "app.toml:8:9: error: `count` must be 1 to 1048576, not 0");
}

#[test]
fn a_file_that_is_not_there() {
    let faults = super::load(Path::new("no/such/app.toml")).expect_err("there is none");
    assert_eq!(
        shown(&faults).trim_end(),
        "no/such/app.toml: error: cannot be read: No such file or directory (os error 2)\n  hint: give the path of an app.toml; `wasmactor new NAME` makes one"
    );
}

/// Texts cut anywhere, with any byte changed, and nested beyond reason: faults, never a panic.
#[test]
fn no_text_makes_it_panic() {
    let text = format!(
        "{APP}args = {{ a = [1, 2.5, 'ä'] }}\ngrants = {{ send = [\"*\"], files = [{{ host = \"data\" }}] }}\n[limits]\nmemory = \"1MiB\"\n"
    );
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let _ = read(&text[..end]);
        for other in ["\"", "[", "]", "=", "9", "\n", "ß", "\0", "."] {
            let _ = read(&format!("{}{other}{}", &text[..end], text[end..].chars().skip(1).collect::<String>()));
        }
    }
    for deep in ["[".repeat(100_000), "a.".repeat(100_000), "{a=".repeat(100_000)] {
        let _ = read(&format!("{APP}args = {deep}"));
        let _ = read(&format!("{APP}args.{deep}b = 1"));
    }
    for number in ["1e999999", "-9223372036854775808", "18446744073709551615", "nan", "0b1"] {
        let _ = read(&format!(
            "{APP}args = {number}\ncount = {number}\nlimits.mailbox = {number}\n[limits]\nmemory = {number}"
        ));
    }
}
