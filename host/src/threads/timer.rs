//! The timer thread: fires what is due, sleeps until the next is.

use crate::base::sync::Arc;
use crate::node::Node;

pub(in crate::threads) fn run(node: &Arc<Node>) {
    wake_exactly();
    while node.wait_due() {
        node.fire_due();
    }
}

/// Linux lets a sleep last 50 µs longer than asked for, to gather wake-ups. The wheel has gathered them already.
#[cfg(target_os = "linux")]
fn wake_exactly() {
    let nanoseconds: libc::c_ulong = 1;
    #[expect(unsafe_code, reason = "std has no call for it")]
    // SAFETY: prctl(2) with PR_SET_TIMERSLACK reads one unsigned long and changes the calling thread's timers only.
    let failed = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, nanoseconds) } != 0;
    if failed {
        let error = std::io::Error::last_os_error();
        tracing::warn!(%error, "timers may be 50 µs later than they could be");
    }
}

#[cfg(not(target_os = "linux"))]
fn wake_exactly() {}
