//! Medians, quantiles, and how much of the machine others took. Used by the workloads and the report.

use std::time::Duration;

use crate::system::Unit;

/// The value below which this share of a sorted list lies; 0 of an empty one.
pub(crate) fn quantile(sorted: &[u64], share: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index between 0 and the length")]
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
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

/// With the prefix that fits, three digits or more.
pub(crate) fn shown(value: f64, unit: Unit) -> String {
    let size = value.abs();
    let scaled = |scale: f64, unit: &str| {
        let digits = if size / scale < 10.0 { 2 } else { usize::from(size / scale < 100.0) };
        format!("{:.digits$} {unit}", value / scale)
    };
    match unit {
        Unit::Ns if size < 1e3 => format!("{value:.0} ns"),
        Unit::Ns if size < 1e6 => scaled(1e3, "µs"),
        Unit::Ns if size < 1e9 => scaled(1e6, "ms"),
        Unit::Ns => scaled(1e9, "s"),
        Unit::Bytes if size < 1e3 => format!("{value:.0} B"),
        Unit::Bytes if size < 1e6 => scaled(1e3, "kB"),
        Unit::Bytes if size < 1e9 => scaled(1e6, "MB"),
        Unit::Bytes => scaled(1e9, "GB"),
        Unit::Count => format!("{value:.3}"),
        Unit::Percent => format!("{value:.0} %"),
        Unit::PerSecond if size < 1e3 => format!("{value:.0}/s"),
        Unit::PerSecond if size < 1e6 => scaled(1e3, "k/s"),
        Unit::PerSecond => scaled(1e6, "M/s"),
    }
}

/// Nanoseconds of a duration, as a number of the report.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{median, quantile, shown};
    use crate::system::Unit;

    #[test]
    fn middles() {
        assert_eq!((median(&[]), median(&[1.0]), median(&[1.0, 2.0]), median(&[1.0, 5.0, 9.0])), (0.0, 1.0, 1.5, 5.0));
        let hundred: Vec<u64> = (0..100).collect();
        assert_eq!((quantile(&hundred, 0.5), quantile(&hundred, 0.99), quantile(&hundred, 1.0)), (50, 99, 99));
        assert_eq!(quantile(&[], 0.5), 0);
    }

    #[test]
    fn units() {
        let ns = [399.6, 1234.0, 2.5e6, 12.34e6].map(|ns| shown(ns, Unit::Ns));
        assert_eq!(ns, ["400 ns", "1.23 µs", "2.50 ms", "12.3 ms"]);
        let others = [(12_040.0, Unit::Bytes), (180_400.0, Unit::PerSecond), (41.0, Unit::Percent)];
        assert_eq!(others.map(|(value, unit)| shown(value, unit)), ["12.0 kB", "180 k/s", "41 %"]);
    }
}
