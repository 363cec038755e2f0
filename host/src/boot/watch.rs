//! `run --watch`: modules whose files change are reloaded, crates whose source changes are built before, that of crates beside
//! them on which they depend, too. Used by [`super`].
//!
//! Must hold: an app goes on with what it has whatever is saved in between: half of a file, source that does not compile.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};

use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicBool, Ordering};
use crate::boot::reload::{Reloader, say};
use crate::control::protocol::Reload;

/// How long files must have been left alone before they are read: who writes one may write twice. Thin air.
const SETTLE: Duration = Duration::from_millis(200);
/// How often the thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// Knows the modules that are crates. Errors are words.
pub trait Builder: Send {
    /// Builds them.
    fn build(&self) -> Result<(), String>;

    /// The folders with their source: their own, and those of crates on this machine on which they depend.
    fn folders(&self) -> Result<Vec<PathBuf>, String>;
}

/// A thread that reloads what changes.
pub(super) struct Watching {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watching {
    /// Errors: the files cannot be watched.
    pub(super) fn start(reloader: Arc<Reloader>, build: Option<Box<dyn Builder>>) -> Result<Self, String> {
        let (sender, changes) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(sender).map_err(|error| error.to_string())?;
        for spec in reloader.manifest.modules.values() {
            // Folders, since editors and compilers put a new file in the place of the old one.
            if let Some(file) = &spec.file {
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                watcher.watch(folder, RecursiveMode::NonRecursive).map_err(|error| error.to_string())?;
            }
        }
        let stop = Arc::new(AtomicBool::new(false));
        let mut watch = Watch { reloader, build, watcher: Box::new(watcher), crates: Vec::new(), stop: stop.clone() };
        watch.look_for_crates()?;
        tracing::info!(target: "wasmactor", "watches its modules{}", watch.folders());
        let thread = std::thread::Builder::new().name("wa-watch".into()).spawn(move || watch.run(&changes));
        Ok(Self { stop, thread: thread.map_err(|error| error.to_string())? })
    }

    /// Ends the thread; a reload that is under way ends first.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        if self.thread.join().is_err() {
            tracing::error!(target: "wasmactor", "the thread that watches modules panicked");
        }
    }
}

struct Watch {
    reloader: Arc<Reloader>,
    build: Option<Box<dyn Builder>>,
    watcher: Box<dyn Watcher + Send>,
    /// Folders of source.
    crates: Vec<PathBuf>,
    stop: Arc<AtomicBool>,
}

/// What events were about.
#[derive(Default)]
struct Seen {
    source: bool,
    file: bool,
}

impl Watch {
    /// For the log.
    fn folders(&self) -> String {
        let shown: Vec<String> = self.crates.iter().map(|folder| folder.display().to_string()).collect();
        if shown.is_empty() { String::new() } else { format!(" and their source in {}", shown.join(", ")) }
    }

    /// Watches the folders of source that are not watched yet: a crate may depend on others by now. One that it does not depend
    /// on any more stays, and costs a build in vain.
    fn look_for_crates(&mut self) -> Result<(), String> {
        let Some(build) = &self.build else { return Ok(()) };
        for folder in build.folders()? {
            let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
            if !self.crates.iter().any(|known| folder.starts_with(known)) {
                self.watcher.watch(&folder, RecursiveMode::Recursive).map_err(|error| error.to_string())?;
                self.crates.push(folder);
            }
        }
        Ok(())
    }

    fn run(&mut self, changes: &mpsc::Receiver<notify::Result<notify::Event>>) {
        while !self.stop.load(Ordering::SeqCst) {
            let mut seen = Seen::default();
            match changes.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
                Ok(event) => self.look(event, &mut seen),
            }
            while let Ok(event) = changes.recv_timeout(SETTLE) {
                self.look(event, &mut seen);
            }
            match &self.build {
                // What it writes comes as the next event.
                Some(build) if seen.source => {
                    if let Err(why) = build.build() {
                        tracing::error!(target: "wasmactor", "not built, what runs goes on: {why}");
                    } else if let Err(why) = self.look_for_crates() {
                        tracing::warn!(target: "wasmactor", "changes of source may go unseen: {why}");
                    }
                }
                _ if seen.file => self.reload(),
                _ => {}
            }
        }
    }

    fn look(&self, event: notify::Result<notify::Event>, seen: &mut Seen) {
        match event {
            // To read a file is an event, too, and no change.
            Ok(event) if event.kind.is_access() => {}
            Ok(event) => {
                seen.source |= event.paths.iter().any(|path| self.is_source(path));
                seen.file |= event.paths.iter().any(|path| self.is_module(path));
            }
            Err(error) => {
                tracing::warn!(target: "wasmactor", "a change of a module may go unseen: {error}");
            }
        }
    }

    /// The file of a module. Only folders that have one are watched, so the name is enough.
    fn is_module(&self, path: &Path) -> bool {
        let files = self.reloader.manifest.modules.values().filter_map(|spec| spec.file.as_ref());
        files.filter_map(|file| file.file_name()).any(|name| Some(name) == path.file_name())
    }

    /// Source of a crate, not what a build makes of it.
    fn is_source(&self, path: &Path) -> bool {
        let kind = path.extension().and_then(|ending| ending.to_str());
        let inside = |folder: &PathBuf| {
            path.strip_prefix(folder).is_ok_and(|below| !below.components().any(|part| part.as_os_str() == "target"))
        };
        kind.is_some_and(|kind| ["rs", "toml", "wit"].contains(&kind)) && self.crates.iter().any(inside)
    }

    fn reload(&self) {
        // Whichever it was: those that are what they were cost a read.
        let all = Reload { restart: true, ..Reload::default() };
        let Ok(reloaded) = self.reloader.run(&all) else { return };
        for row in reloaded.modules.iter().filter(|row| row.from != row.to) {
            for note in &row.notes {
                tracing::warn!(target: "wasmactor", "{}: {note}", row.module);
            }
            say(row);
        }
    }
}
