//! Guests that use WASI: it works with nothing granted, and files and environment come as granted.

use std::fs;

use wasmactor_tests::{App, Setup, guest};

/// The WASI guest with these grants, in an app with an `[env]` and a folder `data`.
fn app(grants: &str) -> App {
    let setup = Setup::new().file("secret", "outside");
    fs::create_dir(setup.folder().join("data")).expect("a folder");
    let setup = setup.file("data/in", "content");
    let module = format!(
        "[env]\nGREETING = \"hello\"\nSECRET = \"x\"\n[module.wasi]\nsource = \"{}\"\n",
        guest("wasi").display()
    );
    setup.toml(&module).actor("wasi", "wasi", grants).start()
}

#[test]
fn with_nothing_granted_it_runs_and_sees_nothing() {
    let mut app = app("");
    assert_eq!(app.ask(".wasi", "env"), "");
    assert_eq!(app.ask(".wasi", "dirs"), "");
    assert_eq!(app.ask(".wasi", "args"), "wasi");
    assert!(app.ask(".wasi", "read in").contains("no-entry"));
    app.lives();
}

#[test]
fn what_it_prints_is_its_log() {
    let app = app("");
    assert_eq!(app.ask(".wasi", "out one\nand two\n"), "true");
    assert_eq!(app.ask(".wasi", "err a warning\n"), "true");
    for (text, level) in [("one", "INFO"), ("and two", "INFO"), ("a warning", "WARN")] {
        let line = app.logged("wasi", text);
        assert_eq!((line.message.as_str(), line.level.as_str(), line.target.as_str()), (text, level, "guest"));
    }
}

#[test]
fn waiting_by_its_clock_parks_the_actor_and_not_the_worker() {
    let mut app = app("");
    let sleeps = app.ask_later(".wasi", "sleep 200");
    for _ in 0..20 {
        app.lives();
    }
    assert_eq!(sleeps.wait(), "true");
}

#[test]
fn the_environment_comes_as_granted() {
    let app = app("grants = { env = [\"GREETING\"] }");
    assert_eq!(app.ask(".wasi", "env"), "GREETING=hello");
}

#[test]
fn a_folder_can_be_read_and_not_left() {
    let mut app = app("grants = { files = [{ host = \"data\", guest = \"/data\" }] }");
    assert_eq!(app.ask(".wasi", "dirs"), "/data");
    assert_eq!(app.ask(".wasi", "read in"), "content");
    for path in ["../secret", "/etc/passwd", "../../../../etc/passwd", "in/../../secret"] {
        let got = app.ask(".wasi", &format!("read {path}"));
        assert!(got.starts_with("ErrorCode "), "{path}: {got}");
    }
    assert!(app.ask(".wasi", "write new text").starts_with("ErrorCode "), "it was granted to be read");
    assert!(!app.folder().join("data/new").exists());
    app.lives();
}

#[test]
fn a_folder_can_be_written_when_granted() {
    let app = app("grants = { files = [{ host = \"data\", guest = \"/data\", write = true }] }");
    assert_eq!(app.ask(".wasi", "write new some text"), "written");
    assert_eq!(fs::read_to_string(app.folder().join("data/new")).expect("the file"), "some text");
}

#[test]
fn a_folder_cannot_be_left_by_any_way() {
    let all = "grants = { files = [{ host = \"data\", guest = \"/data\", write = true }] }";
    let mut app = app(all);
    let secret = app.folder().join("secret");
    let absolute = secret.display().to_string();
    std::os::unix::fs::symlink("../secret", app.folder().join("data/link")).expect("a link");
    std::os::unix::fs::symlink(&secret, app.folder().join("data/far")).expect("a link");
    std::os::unix::fs::symlink("..", app.folder().join("data/up")).expect("a link");
    std::os::unix::fs::symlink("in", app.folder().join("data/near")).expect("a link");
    for path in ["../secret", &absolute, "link", "far", "up/secret", "./up/../../secret", "new/../../secret"] {
        for order in [format!("read {path}"), format!("write {path} gone")] {
            let got = app.ask(".wasi", &order);
            assert!(got.starts_with("ErrorCode "), "{order}: {got}");
        }
    }
    assert_eq!(app.ask(".wasi", "read near"), "content", "a link that stays inside");
    assert_eq!(fs::read_to_string(secret).expect("the file"), "outside");
    app.lives();
    app.stop();
}

#[test]
fn as_many_files_as_it_may_hold() {
    let some = "limits = { files = 20 }\ngrants = { files = [{ host = \"data\", guest = \"/data\" }] }";
    let mut app = app(some);
    for _ in 0..3 {
        assert_eq!(app.ask(".wasi", "hold 15 in"), "15 held", "what was closed does not count");
    }
    let got = app.ask(".wasi", "hold 100 in");
    assert!(got.starts_with("!actor-failed: ") && got.contains("limit `files`, which is 20"), "{got}");
    app.lives();
    app.stop();
}
