//! `wasmactor run --watch` with crates: what is edited is built and reloaded, state is kept; source that does not compile
//! changes nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use wasmactor_tests::{Line, Process, Signal, command, root, target};

const CARGO: &str = r#"[package]
name = "watched"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
beside = { path = "../beside" }
serde = { version = "1", features = ["derive"] }
wasmactor-sdk = { path = "SDK" }

[profile.release]
opt-level = 3
lto = "fat"
codegen-units = 1

[workspace]
"#;

const GUEST: &str = r#"use wasmactor_sdk::{Keep, Reply, Result, Sender, actor, exclusive::Actor, reply};

struct Counter(u64);

impl Actor for Counter {
    type Args = ();
    type Message = u64;
    fn init((): ()) -> Result<Self> { Ok(Self(0)) }
    fn handle(&mut self, add: u64, _from: &Sender) -> Result<Reply> {
        self.0 += add;
        reply(("FIRST", beside::VERSION, self.0))
    }
}

impl Keep for Counter {
    type State = u64;
    fn save(&self) -> Result<u64> { Ok(self.0) }
    fn load(state: u64, _version: &str) -> Result<Self> { Ok(Self(state)) }
}

actor!(Counter, state);
"#;

struct App<'a> {
    process: Process,
    folder: &'a Path,
}

impl App<'_> {
    fn asks(&self, add: u64) -> String {
        let mut command = command(&["call", "watched", &add.to_string()]);
        let output = command.env("XDG_RUNTIME_DIR", self.folder).output().expect("the binary starts");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// Writes a file; what the log says then that begins like this, for the `count`th time.
    #[track_caller]
    fn edits(&self, file: &str, text: &str, said: &str, count: usize) -> Line {
        fs::write(self.folder.join(file), text).expect("a file");
        let seen = std::cell::Cell::new(0);
        self.process.line(said, |line| {
            // Each look begins with the first line.
            if line.message.starts_with("watches its modules") {
                seen.set(0);
            }
            seen.set(seen.get() + usize::from(line.message.starts_with(said)));
            line.message.starts_with(said) && seen.get() == count
        })
    }
}

#[test]
fn source_is_built_and_reloaded_where_it_is_edited_and_state_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    for sub in ["guest/src", "beside/src"] {
        fs::create_dir_all(folder.path().join(sub)).expect("a folder");
    }
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).expect("a file");
    write("guest/Cargo.toml", &CARGO.replace("SDK", &root().join("guest-sdk/rust").display().to_string()));
    write("guest/src/lib.rs", GUEST);
    write("beside/Cargo.toml", "[package]\nname = \"beside\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write("beside/src/lib.rs", "pub const VERSION: u32 = 1;\n");
    let app = "[app]\nname = \"watched\"\n[module.watched]\nsource = \"guest\"\n[[actor]]\nname = \"watched\"\nmodule = \"watched\"\n";
    write("app.toml", app);
    // What guests need is compiled already below target/, or once, which takes a minute.
    let place = |mut command: Command| {
        command.arg(folder.path().join("app.toml")).env("CARGO_TARGET_DIR", target().join("new-project"));
        command.env("XDG_RUNTIME_DIR", folder.path());
        command
    };
    let built = place(command(&["build"])).output().expect("the host starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let process = Process::start(&mut place(command(&["run", "--log-format", "json", "--watch"])));
    let watches =
        process.line("the watch", |line| line.message.starts_with("watches its modules and their source in "));
    for part in ["/guest", "/beside", "guest-sdk/rust"] {
        assert!(watches.message.contains(part), "{}", watches.message);
    }
    let mut app = App { process, folder: folder.path() };
    assert_eq!(app.asks(5), r#"["FIRST",1,5]"#);

    app.edits("beside/src/lib.rs", "pub const VERSION: u32 = 2;\n", "reloaded watched: ", 1);
    assert_eq!(app.asks(1), r#"["FIRST",2,6]"#, "a crate beside it");

    let broken = app.edits("guest/src/lib.rs", "no Rust", "not built, what runs goes on: ", 1);
    assert!(broken.message.contains("watched") && broken.level == "ERROR", "{broken:?}");
    assert!(app.process.errors().contains("error: expected"), "the compiler's words: {}", app.process.errors());
    assert_eq!(app.asks(1), r#"["FIRST",2,7]"#);

    app.edits("guest/src/lib.rs", &GUEST.replace("FIRST", "SECOND"), "reloaded watched: ", 2);
    assert_eq!(app.asks(1), r#"["SECOND",2,8]"#);
    app.process.signal(Signal::Term);
    assert_eq!(app.process.end(), Some(0));
}
