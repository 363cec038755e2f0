//! Where reports are kept. Used by the writer.
//!
//! Must hold: the folder never holds more of our files than its bounds say, but for one that was just written and is larger
//! than all bytes; nothing but our own files is ever removed. A file appears whole, and what a host that was killed left
//! half is removed by the next one that writes.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What the names of reports end with.
const ENDING: &str = ".crash.wasm";
/// While it is written.
const HALF: &str = ".crash.wasm.half";

/// How much may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub files: usize,
    pub bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { files: 100, bytes: 256 << 20 }
    }
}

/// `$XDG_STATE_HOME/wasmactor/APP/crashes`, or below `~/.local/state`. None: neither variable is set.
pub fn user_folder(app: &str) -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    // The app's name is anything: one part of a path is made of it.
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
    Some(base.join("wasmactor").join(app.chars().map(plain).collect::<String>()).join("crashes"))
}

/// Puts a file there, whose name starts with `name`, and removes the oldest ones that are too many.
pub(super) fn put(folder: &Path, name: &str, content: &[u8], bounds: Bounds) -> io::Result<PathBuf> {
    // What is in a guest's memory is nobody else's affair.
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let half = folder.join(format!("{name}{HALF}"));
    let path = folder.join(format!("{name}{ENDING}"));
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half);
    let written = written.and_then(|mut file| file.write_all(content)).and_then(|()| fs::rename(&half, &path));
    if let Err(error) = written {
        // What is there of it helps nobody; if it cannot be removed either, the next one does.
        let _ = fs::remove_file(&half);
        return Err(error);
    }
    prune(folder, &path, bounds)?;
    Ok(path)
}

fn prune(folder: &Path, newest: &Path, bounds: Bounds) -> io::Result<()> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let half = name.ends_with(HALF);
        if half || name.ends_with(ENDING) && entry.path() != newest {
            // It may have gone meanwhile: another host of the same app prunes, too.
            let Ok(meta) = entry.metadata() else { continue };
            // By time, not by name: several apps may share a folder, and clocks go wrong.
            found.push((!half, meta.modified().ok(), name.to_owned(), meta.len()));
        }
    }
    found.sort();
    let mut files = found.iter().filter(|(whole, ..)| *whole).count() + 1;
    let mut bytes = found.iter().map(|(.., length)| length).sum::<u64>() + fs::metadata(newest)?.len();
    for (whole, _, name, length) in found {
        if whole && files <= bounds.files && bytes <= bounds.bytes {
            break;
        }
        match fs::remove_file(folder.join(&name)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        files -= usize::from(whole);
        bytes -= length;
    }
    Ok(())
}
