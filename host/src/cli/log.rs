//! Where the log goes. Used by `app`.
//!
//! All lines come as events of `tracing`: target `guest` for what actors say, `wasmactor` for the host. Must hold: one line
//! is one write; a log that cannot be written never fails the app.

mod line;

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Write as _, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use signal_hook::consts::SIGHUP;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::base::sync::atomic::{AtomicBool, Ordering};
use crate::base::sync::{Arc, Mutex};
use crate::cli::LogFormat;
use crate::control::verbosity;
use line::{Line, Style};

/// Opens the log for the rest of the process. Errors: the file cannot be opened.
pub(super) fn start(level: Level, format: LogFormat, file: Option<&Path>) -> Result<()> {
    let style = match format {
        LogFormat::Auto => Style::Pretty { colours: file.is_none() && stdout().is_terminal() },
        LogFormat::Pretty => Style::Pretty { colours: true },
        LogFormat::Json => Style::Json,
        LogFormat::Plain => Style::Plain,
    };
    let output = match file {
        Some(path) => Output::File(Reopened::open(path)?),
        None => Output::Stdout,
    };
    verbosity::start(level);
    tracing_subscriber::registry().with(Log { style, output }.with_filter(Verbosity)).try_init().context("the log")
}

/// The levels of now, which may change.
struct Verbosity;

impl<S> Filter<S> for Verbosity {
    fn enabled(&self, line: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        verbosity::may(line)
    }

    fn callsite_enabled(&self, line: &'static Metadata<'static>) -> Interest {
        // Asked again whenever a level changes.
        if verbosity::may(line) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(verbosity::highest())
    }
}

struct Log {
    style: Style,
    output: Output,
}

enum Output {
    Stdout,
    File(Reopened),
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = Line::of(event);
        if !verbosity::allows(event.metadata(), line.actor(), line.address()) {
            return;
        }
        let Some(line) = line.render(self.style) else { return };
        match &self.output {
            // A reader that went away is no reason to stop.
            Output::Stdout => drop(stdout().lock().write_all(line.as_bytes())),
            Output::File(file) => file.write(line.as_bytes()),
        }
    }
}

/// A file that is opened anew, by its path, at the first line after a SIGHUP: what rotates logs has moved it away.
#[derive(Debug)]
struct Reopened {
    path: PathBuf,
    file: Mutex<File>,
    hangup: Arc<AtomicBool>,
}

impl Reopened {
    fn open(path: &Path) -> Result<Self> {
        let file = append(path).with_context(|| format!("the log file {} cannot be opened", path.display()))?;
        let hangup = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGHUP, hangup.clone()).context("SIGHUP cannot be handled")?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), hangup })
    }

    fn write(&self, line: &[u8]) {
        let mut file = self.file.lock();
        // Set by the signal handler; nothing else is handed over with it, but under the lock it costs nothing.
        if self.hangup.swap(false, Ordering::SeqCst) {
            match append(&self.path) {
                Ok(anew) => *file = anew,
                Err(error) => eprintln!("the log file {} cannot be opened anew: {error}", self.path.display()),
            }
        }
        if let Err(error) = file.write_all(line) {
            eprintln!("the log file {}: {error}", self.path.display());
        }
    }
}

fn append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::Reopened;
    use crate::base::sync::atomic::Ordering;

    #[test]
    fn a_moved_file_is_followed_until_the_hangup() {
        let folder = std::env::temp_dir().join(format!("wasmactor-log-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let (path, moved) = (folder.join("log"), folder.join("log.1"));
        let log = Reopened::open(&path).expect("opens");
        log.write(b"one\n");
        std::fs::rename(&path, &moved).expect("moves");
        log.write(b"two\n");
        log.hangup.store(true, Ordering::SeqCst);
        log.write(b"three\n");
        assert_eq!(std::fs::read_to_string(&moved).expect("the old one"), "one\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).expect("the new one"), "three\n");
        std::fs::remove_dir_all(&folder).expect("cleans up");
    }
}
