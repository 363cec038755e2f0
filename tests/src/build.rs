//! Where the binary is, and the guests that are crates. Used by `app`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The workspace's folder.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Cargo's target folder: this test is in `target/PROFILE/deps`, another program in `target/PROFILE`.
pub fn target() -> PathBuf {
    profile().parent().expect("a target folder").to_owned()
}

fn profile() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this program");
    let folder = own.parent().expect("a folder");
    let folder = if folder.ends_with("deps") { folder.parent().expect("target/PROFILE") } else { folder };
    folder.to_owned()
}

/// The host to test: `$WASMACTOR_BIN`, or the one beside this test, which must be as new as its source.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("WASMACTOR_BIN") {
            return path.into();
        }
        let path = profile().join("wasmactor");
        let built = path.metadata().and_then(|file| file.modified());
        let Ok(built) = built else {
            panic!(
                "there is no {}: run `cargo build --workspace --bin wasmactor` first, or `cargo xtask test`",
                path.display()
            );
        };
        let newest = newest(&root().join("host/src")).max(newest(&root().join("wit")));
        assert!(
            newest <= built,
            "{} is older than its source: run `cargo build --workspace --bin wasmactor` first, or `cargo xtask test`",
            path.display()
        );
        path
    })
}

fn newest(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).expect("a source folder").flatten();
    let times = entries.map(|entry| {
        let data = entry.metadata().expect("a file's data");
        if data.is_dir() { newest(&entry.path()) } else { data.modified().expect("a file's time") }
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The file of a guest under `guests-rs/`; all are built at the first call.
pub fn guest(name: &str) -> &'static Path {
    static FILES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let manifest = root().join("tests/guests-rs/app.toml");
        let output = Command::new(binary()).arg("build").arg(manifest).output().expect("the host starts");
        assert!(output.status.success(), "guests-rs: {}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).expect("text");
        let pair = |line: &str| line.split_once(' ').map(|(name, file)| (name.to_owned(), PathBuf::from(file)));
        printed.lines().filter_map(pair).collect()
    });
    files.get(name).unwrap_or_else(|| panic!("guests-rs/app.toml has no module {name}"))
}
