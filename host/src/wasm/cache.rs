//! Compiled code on disk, so that a second start compiles nothing. Used by [`super::load`].
//!
//! Must hold: only what this user's hosts wrote is ever run. The folder belongs to the user and nobody else can write
//! it, or it is not used; each entry starts with a digest over its key and content, so that a damaged, cut or renamed
//! one counts as absent. An entry appears whole (written aside, then renamed); what a host that was killed left of one is
//! removed by a later one. A cache that fails is a warning.

use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::base::sync::atomic::{AtomicU64, Ordering};
use crate::wasm::contract::FILES;

/// Length of a SHA-256.
const DIGEST: usize = 32;

/// A half entry this old is left over if its writer is no process of this machine. A younger one may be of another machine
/// or container that has the same folder: none writes for so long.
const LEFT: Duration = Duration::from_secs(60);
/// One this old is left over also where a process has its writer's number.
const LEFT_LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// Where compiled code is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CacheFolder {
    /// `$XDG_CACHE_HOME/wasmactor`, or `~/.cache/wasmactor`; none if neither variable is set.
    #[default]
    User,
    /// This folder; it is made if it is not there.
    At(PathBuf),
    /// Compile each time.
    Off,
}

/// The text of what decides how a module that runs flat is rewritten, and how it is entered.
const REWRITING: [&str; 4] = [
    include_str!("flat/main.rs"),
    include_str!("flat/rewrite.rs"),
    include_str!("flat/rewrite/bodies.rs"),
    include_str!("flat/lower.rs"),
];

/// Compiled code of one kind.
pub(super) trait Compiled: Sized {
    /// What its files end with.
    const ENDING: &str;

    fn to_bytes(&self) -> wasmtime::Result<Vec<u8>>;

    /// Makes code of bytes, which have to be what `to_bytes` gave.
    ///
    /// # Safety
    /// As for wasmtime's `deserialize`: other bytes may do anything.
    #[expect(unsafe_code, reason = "wasmtime cannot know where compiled code comes from")]
    unsafe fn from_bytes(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self>;
}

impl Compiled for Component {
    const ENDING: &str = "component.cwasm";

    fn to_bytes(&self) -> wasmtime::Result<Vec<u8>> {
        self.serialize()
    }

    // SAFETY: the contract is the trait's.
    #[expect(unsafe_code, reason = "handed on")]
    unsafe fn from_bytes(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        // SAFETY: the caller's promise.
        unsafe { Self::deserialize(engine, bytes) }
    }
}

impl Compiled for Module {
    const ENDING: &str = "flat.cwasm";

    fn to_bytes(&self) -> wasmtime::Result<Vec<u8>> {
        self.serialize()
    }

    // SAFETY: the contract is the trait's.
    #[expect(unsafe_code, reason = "handed on")]
    unsafe fn from_bytes(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        // SAFETY: the caller's promise.
        unsafe { Self::deserialize(engine, bytes) }
    }
}

/// Compiled modules by content.
#[derive(Debug)]
pub(super) struct Cache {
    /// `None`: nothing is found, nothing kept.
    folder: Option<PathBuf>,
    /// Differs for each wasmtime, each set of settings, each contract, each way to rewrite what runs flat.
    engine: u64,
}

impl Cache {
    /// Opens the folder; where it cannot be used, says why in the log and goes on without.
    pub(super) fn open(folder: &CacheFolder, engine: &Engine, force_component: bool) -> Self {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        FILES.hash(&mut hasher);
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        // What is compiled is the rewritten module, and the rewriting changes without any of the above.
        REWRITING.hash(&mut hasher);
        // A host that runs nothing flat keeps components of what others run flat: none may find the other's.
        force_component.hash(&mut hasher);
        let folder = match folder {
            CacheFolder::User => user_folder(),
            CacheFolder::At(path) => Some(path.clone()),
            CacheFolder::Off => None,
        };
        let folder = folder.filter(|path| match claim(path) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("compiled modules are not cached: {}: {error}", path.display());
                false
            }
        });
        if let Some((path, Err(error))) = folder.as_ref().map(|path| (path, sweep(path))) {
            tracing::warn!("half entries of the cache are not removed: {}: {error}", path.display());
        }
        Self { folder, engine: hasher.finish() }
    }

    /// The compiled form of a file with this SHA-256, if it is there and whole.
    pub(super) fn get<C: Compiled>(&self, engine: &Engine, content: &[u8; DIGEST]) -> Option<C> {
        let path = self.path::<C>(content)?;
        let entry = match fs::read(&path) {
            Ok(entry) => entry,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!("cached code is not used: {}: {error}", path.display());
                return None;
            }
        };
        let found = match entry.split_first_chunk::<DIGEST>() {
            Some((digest, code)) if *digest == self.digest(content, code) => deserialize(engine, code),
            _ => Err("it is damaged".to_owned()),
        };
        found.inspect_err(|why| tracing::warn!("cached code is compiled again: {}: {why}", path.display())).ok()
    }

    /// Keeps compiled code.
    pub(super) fn put<C: Compiled>(&self, content: &[u8; DIGEST], compiled: &C) {
        let Some(path) = self.path::<C>(content) else { return };
        let kept = compiled.to_bytes().map_err(|error| format!("{error:#}")).and_then(|code| {
            write_whole(&path, &self.digest(content, &code), &code).map_err(|error| error.to_string())
        });
        if let Err(why) = kept {
            tracing::warn!("compiled code is not cached: {}: {why}", path.display());
        }
    }

    fn path<C: Compiled>(&self, content: &[u8; DIGEST]) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{}-{:016x}.{}", hex(content), self.engine, C::ENDING)))
    }

    fn digest(&self, content: &[u8; DIGEST], code: &[u8]) -> [u8; DIGEST] {
        Sha256::new().chain_update(content).chain_update(self.engine.to_le_bytes()).chain_update(code).finalize().into()
    }
}

#[expect(unsafe_code, reason = "wasmtime cannot know where compiled code comes from; we can")]
fn deserialize<C: Compiled>(engine: &Engine, code: &[u8]) -> Result<C, String> {
    // SAFETY: the bytes are what `put` wrote: they carry a digest of themselves and of their key, and they lie in a
    // folder that only this user can write, who could as well replace the host itself. wasmtime checks by its own
    // header that the same version with the same settings made them.
    unsafe { C::from_bytes(engine, code) }.map_err(|error| format!("{error:#}"))
}

/// Two digits a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn user_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("wasmactor"))
}

/// Makes the folder, and sees to it that nobody else can put code there.
fn claim(path: &PathBuf) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = fs::metadata(path)?;
    #[expect(unsafe_code, reason = "geteuid has no safe form")]
    // SAFETY: it reads a number and cannot fail.
    let user = unsafe { libc::geteuid() };
    if found.uid() != user {
        return Err(io::Error::other(format!("it belongs to user {}, the host runs as {user}", found.uid())));
    }
    if found.mode() & 0o022 != 0 {
        return Err(io::Error::other("others can write to it (chmod 700 it)"));
    }
    Ok(())
}

/// Removes what hosts that were killed in the middle of [`write_whole`] have left.
fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(process) = entry.file_name().to_str().and_then(writer) else { continue };
        let age = match entry.metadata() {
            // By a clock that goes wrong it is from the future: it stays.
            Ok(found) => found.modified()?.elapsed().unwrap_or_default(),
            // Done meanwhile, or removed by another host.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let lives = Path::new("/proc").join(process.to_string()).exists();
        if age < LEFT || lives && age < LEFT_LONG {
            continue;
        }
        if let Err(error) = fs::remove_file(entry.path())
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
    }
    Ok(())
}

/// The process that writes a half entry of this name.
fn writer(name: &str) -> Option<u32> {
    let (process, unique) = name.strip_suffix(".tmp")?.rsplit_once('.')?.1.split_once('-')?;
    unique.parse::<u64>().ok()?;
    process.parse().ok()
}

/// Writes beside the file and renames, so that readers and a crash see all or nothing.
fn write_whole(path: &PathBuf, digest: &[u8], code: &[u8]) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Relaxed: only uniqueness within the process matters.
    let unique = NEXT.fetch_add(1, Ordering::Relaxed);
    let aside = path.with_extension(format!("{}-{unique}.tmp", std::process::id()));
    let written = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).and_then(|mut file| {
        file.write_all(digest)?;
        file.write_all(code)
    });
    let done = written.and_then(|()| fs::rename(&aside, path));
    if done.is_err() {
        let _ = fs::remove_file(&aside);
    }
    done
}
