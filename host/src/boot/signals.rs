//! The operating system's signals. SIGTERM and SIGINT stop the app, a second one ends the process at once; SIGHUP,
//! SIGUSR1 and SIGUSR2 reach the actors that subscribed.

use std::io;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::{Handle, Signals as Incoming};

use crate::base::Signal;
use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicBool, Ordering};
use crate::node::Node;

/// 128 + SIGTERM, as a shell reports a process that a signal ended.
const AT_ONCE: i32 = 143;

#[expect(clippy::disallowed_methods, reason = "the user asked not to wait for anything")]
fn at_once() -> ! {
    std::process::exit(AT_ONCE)
}

/// A thread that waits for signals.
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    handle: Handle,
}

impl Signals {
    pub(super) fn start(node: &Arc<Node>) -> io::Result<Self> {
        let mut incoming = Incoming::new([SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2])?;
        let handle = incoming.handle();
        let stop = Arc::new(AtomicBool::new(false));
        let (node, flag) = (node.clone(), stop.clone());
        let body = move || {
            for signal in incoming.forever() {
                match signal {
                    SIGHUP => node.signal(Signal::Hangup),
                    SIGUSR1 => node.signal(Signal::User1),
                    SIGUSR2 => node.signal(Signal::User2),
                    _ if flag.swap(true, Ordering::SeqCst) => at_once(),
                    _ => tracing::info!(target: "wasmactor", "stopping; a second signal stops at once"),
                }
            }
        };
        std::thread::Builder::new().name("wa-signals".into()).spawn(body)?;
        Ok(Self { stop, handle })
    }

    /// Asks for a stop, as a signal does; but another time changes nothing.
    pub(super) fn asker(&self) -> impl Fn() + Send + Sync + 'static {
        let stop = self.stop.clone();
        move || stop.store(true, Ordering::SeqCst)
    }

    /// Whether a stop was asked for.
    pub(super) fn stop_asked(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Ends the thread.
    pub(super) fn stop(&self) {
        self.handle.close();
    }
}
