//! Makes the calling thread wake on time, and get a core at once when it does. Used by the threads that sleep most of the
//! time and have little to do then: timer, socket, monitor and control.

/// Linux lets a sleep last 50 µs longer than asked for, to gather wake-ups; what this host sleeps for is gathered
/// already. And a thread that wakes waits until who has the core has used up its slice, some milliseconds, unless its own
/// slice is shorter. Measured with both cores busy: 10 ms timers were late by 3-7 ms at worst, by 0.3 ms with this.
/// See the file's head.
#[cfg(target_os = "linux")]
pub fn prompt() {
    /// The shortest slice that Linux grants, nanoseconds.
    const SLICE: u64 = 100_000;
    let slack: libc::c_ulong = 1;
    let size = libc::c_uint::try_from(size_of::<libc::sched_attr>()).expect("some 48 bytes");
    #[expect(unsafe_code, reason = "std has no call for it")]
    // SAFETY: prctl(2) with PR_SET_TIMERSLACK reads one unsigned long and changes the calling thread's timers only.
    // sched_getattr(2) fills a struct of the size that it is given, for which zeros are valid; sched_setattr(2) reads it.
    // 0 is the calling thread.
    let done = unsafe {
        let mut attr: libc::sched_attr = std::mem::zeroed();
        let exact = libc::prctl(libc::PR_SET_TIMERSLACK, slack) == 0;
        let known = libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size, 0) == 0;
        // Of an ordinary thread, this is its slice. Kernels before 6.12 do not look at it.
        attr.sched_runtime = SLICE;
        exact && known && libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) == 0
    };
    if !done {
        // A sandbox around the host may forbid it.
        let error = std::io::Error::last_os_error();
        tracing::debug!(%error, "timers and sockets may be served later than they could be");
    }
}

#[cfg(not(target_os = "linux"))]
pub fn prompt() {}
