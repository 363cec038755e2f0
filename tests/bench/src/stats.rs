//! Medians, quantiles, and how much of the machine others took. Used by the workloads and the report.

use std::time::Duration;

/// The value below which this share of a sorted list lies; 0 of an empty one.
pub(crate) fn quantile<T: Copy + Default>(sorted: &[T], share: f64) -> T {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index between 0 and the length")]
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// The middle of a sorted list, the mean of two if it is even; 0 of an empty one.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

/// CPU time, to see what others take meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuTime {
    /// In ticks of the kernel, all cores.
    all: u64,
    idle: u64,
    own: u64,
}

impl CpuTime {
    /// Up to now. None where there is no /proc.
    pub(crate) fn now() -> Option<Self> {
        let machine = std::fs::read_to_string("/proc/stat").ok()?;
        let ticks: Vec<u64> =
            machine.lines().next()?.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
        let own = std::fs::read_to_string("/proc/self/stat").ok()?;
        // After the name in brackets: utime, stime, and those of children that were waited for, from the 12th word on.
        let own = own.rsplit(')').next()?.split_whitespace().skip(11).take(4);
        let own = own.filter_map(|word| word.parse::<u64>().ok()).sum();
        Some(Self { all: ticks.iter().take(8).sum(), idle: ticks.get(3)? + ticks.get(4)?, own })
    }

    /// The share of the machine that others took since `before`: 0 to 1.
    pub(crate) fn taken_by_others(&self, before: &Self) -> f64 {
        let all = self.all.saturating_sub(before.all).max(1);
        let busy = all.saturating_sub(self.idle.saturating_sub(before.idle));
        busy.saturating_sub(self.own.saturating_sub(before.own)) as f64 / all as f64
    }
}

/// Nanoseconds of a duration, as a number of the report.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{median, quantile};

    #[test]
    fn middles() {
        assert_eq!((median(&[]), median(&[1.0]), median(&[1.0, 2.0]), median(&[1.0, 5.0, 9.0])), (0.0, 1.0, 1.5, 5.0));
        let hundred: Vec<u64> = (0..100).collect();
        assert_eq!((quantile(&hundred, 0.5), quantile(&hundred, 0.99), quantile(&hundred, 1.0)), (50, 99, 99));
        assert_eq!(quantile::<i64>(&[], 0.5), 0);
    }
}
