//! Time: what is due when, and what time it is. Used by `node` and the timer thread.
//!
//! Knows no actors: the wheel holds any payload, the clock only counts.

pub mod clock;
pub mod wheel;

pub use clock::{Clock, NANOS_PER_TICK};
pub use wheel::{TimerKey, Wheel};
