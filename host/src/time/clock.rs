//! The one place that asks the machine for the time. Used by everybody who needs it, so that a run can be driven by
//! hand.
//!
//! Must hold: `now_ns` never goes back, and a timer of n ms is never early. For the second, two roundings fit together:
//! a deadline is rounded *up* to a tick ([`Clock::tick_after`]), the current tick is rounded *down* ([`Clock::tick`]).
//! Tick k stands for the moment k ticks after the start, so once `tick() >= k`, that moment is over. A timer is late by
//! less than one tick plus the time that the timer thread needs to wake.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::sync::Arc;
use crate::base::sync::atomic::{AtomicU64, Ordering};

/// Length of a tick of the timer wheel, in nanoseconds: a quarter of a millisecond. All that is due within one tick
/// costs one wake-up of the timer thread, so however many timers there are, it wakes at most 4000 times a second (some
/// 2 % of a core); with finer ticks the wake-up itself, not the rounding, would be most of a timer's lateness. A whole
/// number of them is a millisecond, so that timers asked for together for the same time fire together.
pub const NANOS_PER_TICK: u64 = 250_000;

/// The longest time between two ticks of a kernel, nanoseconds: 100 a second, the fewest that Linux can be built for.
const KERNEL_TICK: u64 = 10_000_000;

/// Monotonic nanoseconds since its start, and wall time. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    /// `coarse`: what the coarse clock showed at the start.
    Real {
        start: Instant,
        coarse: u64,
    },
    Manual {
        now: AtomicU64,
    },
}

impl Clock {
    /// The machine's clock, starting at 0 now.
    pub fn real() -> Self {
        Self(Arc::new(Source::Real { start: Instant::now(), coarse: coarse_ns() }))
    }

    /// A clock that stands at 0 (and at 1970-01-01) until it is moved by [`Clock::advance`].
    pub fn manual() -> Self {
        Self(Arc::new(Source::Manual { now: AtomicU64::new(0) }))
    }

    /// Moves a manual clock. A real one cannot be moved: to try is a bug of the host, and panics.
    pub fn advance(&self, by: Duration) {
        match &*self.0 {
            Source::Real { .. } => panic!("only a manual clock can be moved"),
            // SeqCst: only tests and simulations come here, and they like one order for everything.
            Source::Manual { now } => now.fetch_add(nanos(by), Ordering::SeqCst),
        };
    }

    /// Nanoseconds since the clock was made. Never goes back.
    pub fn now_ns(&self) -> u64 {
        match &*self.0 {
            Source::Real { start, .. } => nanos(start.elapsed()),
            Source::Manual { now } => now.load(Ordering::SeqCst),
        }
    }

    /// A moment soon: up to 20 ms from now (later only where a hypervisor holds up the kernel's ticks). For deadlines that
    /// are far away: it costs a fifth of [`Clock::now_ns`].
    pub fn soon_ns(&self) -> u64 {
        match &*self.0 {
            Source::Real { .. } => self.about_ns() + KERNEL_TICK,
            Source::Manual { .. } => self.about_ns(),
        }
    }

    /// [`Clock::now_ns`] to within some milliseconds, for a fifth of the price.
    pub fn about_ns(&self) -> u64 {
        match &*self.0 {
            Source::Real { coarse, .. } => coarse_ns().saturating_sub(*coarse),
            Source::Manual { now } => now.load(Ordering::SeqCst),
        }
    }

    /// Nanoseconds since 1970-01-01 UTC. Jumps when the machine's clock is set; 0 if that stands before 1970.
    pub fn wall_ns(&self) -> u64 {
        match &*self.0 {
            Source::Real { .. } => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, nanos),
            Source::Manual { now } => now.load(Ordering::SeqCst),
        }
    }

    /// The last tick whose moment is reached (rounded down). What [`crate::time::Wheel::advance`] is called with.
    pub fn tick(&self) -> u64 {
        self.now_ns() / NANOS_PER_TICK
    }

    /// The first tick that is at least so far in the future (rounded up): a deadline for the wheel.
    pub fn tick_after(&self, after: Duration) -> u64 {
        Self::tick_of(self.now_ns().saturating_add(nanos(after)))
    }

    /// The first tick that is not before a moment of this clock, in nanoseconds.
    pub fn tick_of(deadline_ns: u64) -> u64 {
        deadline_ns.div_ceil(NANOS_PER_TICK)
    }

    /// How long until a tick's moment; zero if it is reached. What a timer thread may sleep.
    pub fn until_tick(&self, tick: u64) -> Duration {
        Duration::from_nanos(tick.saturating_mul(NANOS_PER_TICK).saturating_sub(self.now_ns()))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

/// The kernel's own time of its last tick, which costs no look at the hardware.
fn coarse_ns() -> u64 {
    #[cfg(target_os = "linux")]
    const COARSE: libc::clockid_t = libc::CLOCK_MONOTONIC_COARSE;
    #[cfg(not(target_os = "linux"))]
    const COARSE: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(unsafe_code, reason = "std has no call for it")]
    // SAFETY: clock_gettime(2) fills the struct that it is given, and keeps no pointer to it.
    let shown = unsafe { libc::clock_gettime(COARSE, &raw mut time) } == 0;
    debug_assert!(shown, "a clock that every system has");
    let whole = |part: i64| u64::try_from(part).unwrap_or(0);
    whole(time.tv_sec).saturating_mul(1_000_000_000).saturating_add(whole(time.tv_nsec))
}

/// u64 nanoseconds last 584 years; longer durations are cut to that.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Clock;

    #[test]
    fn a_deadline_is_never_early_and_less_than_a_tick_late() {
        for offset in [0, 1, 124_999, 125_000, 249_999, 250_000, 250_001, 999_999] {
            for after in [0, 1, 249_999, 250_000, 375_000, 1_000_000, 20_000_000] {
                let clock = Clock::manual();
                clock.advance(Duration::from_nanos(offset));
                let due = clock.tick_after(Duration::from_nanos(after)) * super::NANOS_PER_TICK;
                assert!(due >= offset + after, "early: {offset} {after}");
                assert!(due < offset + after + super::NANOS_PER_TICK, "late: {offset} {after}");
            }
        }
    }

    #[test]
    fn the_current_tick_is_one_whose_moment_is_over() {
        let clock = Clock::manual();
        clock.advance(Duration::from_nanos(2 * super::NANOS_PER_TICK - 1));
        assert_eq!(clock.tick(), 1);
        assert_eq!(clock.until_tick(2), Duration::from_nanos(1));
        clock.advance(Duration::from_nanos(1));
        assert_eq!((clock.tick(), clock.until_tick(2)), (2, Duration::ZERO));
    }

    #[test]
    fn clones_move_together() {
        let clock = Clock::manual();
        clock.clone().advance(Duration::from_secs(1));
        assert_eq!((clock.now_ns(), clock.wall_ns()), (1_000_000_000, 1_000_000_000));
    }

    #[test]
    fn the_real_clock_does_not_go_back() {
        let clock = Clock::real();
        let first = clock.now_ns();
        assert!(clock.now_ns() >= first);
        // Where the coarse clock stood at the start was up to a tick earlier.
        assert!(clock.about_ns() <= clock.now_ns() + super::KERNEL_TICK);
        assert!(clock.wall_ns() > 1_600_000_000_000_000_000, "the wall clock counts from 1970");
    }

    #[test]
    fn far_durations_do_not_wrap() {
        let clock = Clock::manual();
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.tick_after(Duration::MAX), u64::MAX.div_ceil(super::NANOS_PER_TICK));
        assert!(clock.until_tick(u64::MAX) > Duration::from_secs(1 << 33));
    }
}
