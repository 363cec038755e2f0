//! The socket thread's watch over the workers' polling. Used by the poller.
//!
//! While workers poll, the socket thread sleeps for rounds and looks whether somebody polled; if nobody did, it does. A
//! worker that leaves the poll for its actors wakes nobody for it: that would be the thread hop that polling by workers
//! saves. Only when a worker has waited for some rounds without an edge, the watch sleeps for good, so that an idle host
//! uses no CPU; then the worker, when it leaves, wakes it.
//!
//! No lost call. The watch writes `off`, passes a SeqCst fence, then looks whether a worker still waits in the kernel.
//! The worker notes that it waits no more, passes a SeqCst fence, then reads `off`. One of them sees the other's write:
//! the watch stays awake, or the worker wakes it.

use std::time::Duration;

use crate::base::sync::atomic::{AtomicBool, Ordering, fence};
use crate::base::sync::{Condvar, Mutex};

/// How long nobody need poll before the socket thread does: the time a socket waits when all workers get stuck at once
/// is between one and two of these. As long as a turn may be; each round costs some 5 µs while there is traffic.
const ROUND: Duration = Duration::from_millis(1);

/// See the file's head.
#[derive(Debug)]
pub(super) struct Watch {
    lock: Mutex<()>,
    condvar: Condvar,
    /// The watch sleeps until it is called.
    off: AtomicBool,
    /// A worker would poll, but the socket thread does.
    wanted: AtomicBool,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            lock: Mutex::new(()),
            condvar: Condvar::new(),
            off: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
        }
    }

    /// The socket thread polls from now on: what was wanted before is no longer true.
    pub(super) fn start(&self) {
        self.wanted.store(false, Ordering::Relaxed);
    }

    /// A worker wants to poll. Relaxed: if it is seen a turn late, the socket thread polls for a turn more.
    pub(super) fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Whether a worker wants to poll.
    pub(super) fn wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Sleeps for a round, shorter if called.
    pub(super) fn round(&self, stopped: impl FnOnce() -> bool) {
        let mut guard = self.lock.lock();
        if !stopped() {
            self.condvar.wait_for(&mut guard, ROUND);
        }
    }

    /// Sleeps until called, unless it turns out, once a call would be heard, that `waited_for` is false.
    pub(super) fn sleep(&self, waited_for: impl FnOnce() -> bool) {
        let mut guard = self.lock.lock();
        self.off.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !waited_for() {
            self.off.store(false, Ordering::Relaxed);
        }
        while self.off.load(Ordering::Relaxed) {
            self.condvar.wait(&mut guard);
        }
    }

    /// A worker has left the poll: somebody has to watch again. That it has left must be written before.
    pub(super) fn left(&self) {
        fence(Ordering::SeqCst);
        if self.off.load(Ordering::Relaxed) {
            self.call();
        }
    }

    #[cfg(test)]
    pub(super) fn is_off(&self) -> bool {
        self.off.load(Ordering::Relaxed)
    }

    /// Wakes the watch from either sleep.
    pub(super) fn call(&self) {
        let guard = self.lock.lock();
        self.off.store(false, Ordering::Relaxed);
        drop(guard);
        self.condvar.notify_one();
    }
}

/// left ∥ sleep: the watch does not sleep while no worker waits. Too long a sleep is a deadlock, which loom reports.
#[cfg(all(test, loom))]
#[test]
fn loom_watch_is_called() {
    use crate::base::sync::Arc;
    loom::model(|| {
        let watch = Arc::new(Watch::new());
        let waits = Arc::new(AtomicBool::new(true));
        let (other, still) = (watch.clone(), waits.clone());
        let worker = loom::thread::spawn(move || {
            still.store(false, Ordering::Release);
            other.left();
        });
        while waits.load(Ordering::Acquire) {
            watch.sleep(|| waits.load(Ordering::Acquire));
        }
        worker.join().unwrap();
    });
}
