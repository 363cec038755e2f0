//! Timers and clocks. Times are whole milliseconds, rounded up. In an interleaved actor `sleep`, `timeout` and `interval` are handier.

use crate::bindings::wasmactor::actor::timer as host;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A timer of this actor. When its time is over the actor's `timeout` handler gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timer(pub(crate) u64);

impl Timer {
    /// Starts a timer: `timeout` is called after at least this long, never earlier. Zero goes to the tail of the own
    /// mailbox at once.
    pub fn after(time: Duration) -> Self {
        Self(host::timeout(milliseconds(time)))
    }

    /// Takes the timer back. False: its event is already in the mailbox, or was handled.
    pub fn cancel(self) -> bool {
        host::cancel(self.0)
    }
}

/// Time since the host started; never goes back.
pub fn now() -> Duration {
    Duration::from_nanos(host::now())
}

/// Time since 1970-01-01 UTC; may jump when the machine's clock is set.
pub fn wall() -> Duration {
    Duration::from_nanos(host::wall())
}

/// Whole milliseconds, rounded up: "at least this long" must stay true.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// The same for a request's deadline: 0 would mean the manifest's default, so it becomes 1.
pub(crate) fn deadline(time: Option<Duration>) -> u32 {
    time.map_or(0, |time| u32::try_from(milliseconds(time)).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::{deadline, milliseconds};
    use std::time::Duration;

    #[test]
    fn times_round_up() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_millis(7)), 7);
        assert_eq!(milliseconds(Duration::MAX), u64::MAX);
        assert_eq!(deadline(None), 0);
        assert_eq!(deadline(Some(Duration::ZERO)), 1);
    }
}
