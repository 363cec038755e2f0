//! The thread that writes reports. Started and stopped by `boot`.
//!
//! Must hold: what goes wrong here is said in the log and harms no actor; when [`Writer::stop`] returns, every report that
//! was handed over is on disk, or its time is over.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::base::sync::Arc;
use crate::crash::folder::{self, Bounds};
use crate::crash::{file, report::Report};
use crate::node::Node;
use crate::node::crash::{Crash, CrashOptions};

/// How long a stop waits for reports: debug information of a large guest takes seconds to read. Thin air.
const LAST: Duration = Duration::from_secs(10);

/// See the file's head.
#[derive(Debug)]
pub struct Writer {
    node: Arc<Node>,
    done: Receiver<()>,
}

impl Writer {
    /// Starts it. Errors: the machine gives no thread.
    pub fn start(
        node: &Arc<Node>,
        app: &str,
        folder: PathBuf,
        bounds: Bounds,
        options: CrashOptions,
    ) -> std::io::Result<Self> {
        let crashes = node.on_crash(options);
        let (end, done) = sync_channel(1);
        let app = app.to_owned();
        thread::Builder::new().name("wa-crash".to_owned()).spawn(move || {
            for crash in crashes {
                write(&app, &folder, bounds, *crash);
            }
            // Nobody waits any more if that took too long.
            let _ = end.send(());
        })?;
        Ok(Self { node: node.clone(), done })
    }

    /// No more reports; those that wait are written.
    pub fn stop(self) {
        let left_out = self.node.end_crashes();
        if left_out > 0 {
            tracing::warn!(target: "wasmactor", "{left_out} crashes have no report");
        }
        if self.done.recv_timeout(LAST) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(target: "wasmactor", "the last reports of crashes were not written in {LAST:?}");
        }
    }
}

fn write(app: &str, folder: &Path, bounds: Bounds, mut crash: Crash) {
    let report = Report::of(app, &mut crash);
    let (actor, address) = (&*crash.actor, crash.address);
    // Times sort as text; colons are no friends of paths.
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name = format!("{}-{actor}-{address}-{}", report.time.replace(':', ""), report.instance);
    let name: String = name.replace(':', "").chars().map(plain).collect();
    let written = file::write(&report, crash.evidence.dump.as_deref())
        .and_then(|bytes| folder::put(folder, &name, &bytes, bounds).map_err(|error| error.to_string()));
    match written {
        Ok(path) => {
            tracing::info!(target: "wasmactor", actor, %address, "report of the crash: {}", path.display());
        }
        Err(error) => {
            let folder = folder.display();
            tracing::warn!(target: "wasmactor", actor, %address, "the crash has no report: {folder}: {error}");
        }
    }
    if crash.left_out > 0 {
        tracing::warn!(target: "wasmactor", "{} crashes before that have no report", crash.left_out);
    }
}
