//! How often which value: counts in buckets that grow with the value, four to each doubling, so that a bucket is at most
//! a quarter wide of what it holds. Written by any thread, read by any other at any time. Used for times in nanoseconds.

use crate::base::sync::atomic::{AtomicU64, Ordering};

/// Up to 2^37 ns, more than two minutes; the last bucket holds all that is longer.
const BUCKETS: usize = 144;

/// See the file's head.
#[derive(Debug)]
pub struct Histogram {
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a histogram held when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    counts: Vec<u64>,
    sum: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }
}

/// The bucket of a value.
fn bucket(value: u64) -> usize {
    let Some(doublings) = value.checked_ilog2().filter(|doublings| *doublings >= 2) else {
        return usize::try_from(value).unwrap_or(0);
    };
    let quarter = (value >> (doublings - 2)) & 3;
    let index = u64::from(doublings - 1) * 4 + quarter;
    usize::try_from(index).map_or(BUCKETS - 1, |index| index.min(BUCKETS - 1))
}

/// The smallest value that is too large for a bucket; there is none for the last one.
fn bound(index: usize) -> Option<u64> {
    let next = (index + 1) as u64;
    match next {
        _ if index + 1 == BUCKETS => None,
        0..4 => Some(next),
        _ => Some((4 + next % 4) << (next / 4 - 1)),
    }
}

impl Histogram {
    /// Counts a value that stands for so many.
    pub fn record(&self, value: u64, weight: u64) {
        // Relaxed: counts of their own; a reader may see one without the other.
        self.counts[bucket(value)].fetch_add(weight, Ordering::Relaxed);
        self.sum.fetch_add(value.saturating_mul(weight), Ordering::Relaxed);
    }

    /// What it holds now.
    pub fn read(&self) -> Counts {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Counts { counts, sum: self.sum.load(Ordering::Relaxed) }
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], sum: 0 }
    }
}

impl Counts {
    /// How many values.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All values together.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// A bound for this share of the values (0.5: the median): a quarter too large at most. None: there are no values, or
    /// it is longer than any bound.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        #[expect(clippy::cast_precision_loss, reason = "a share of a count")]
        let wanted = self.total() as f64 * share;
        let mut seen = 0;
        self.buckets().find_map(|(bound, count)| {
            seen += count;
            #[expect(clippy::cast_precision_loss, reason = "as above")]
            let reached = count > 0 && seen as f64 >= wanted;
            reached.then_some(bound)
        })?
    }

    /// The buckets in their order: what is too large for each, and how many it holds.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        self.counts.iter().enumerate().map(|(index, count)| (bound(index), *count))
    }

    /// Adds another one's values.
    pub fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, other)| *own += other);
        self.sum = self.sum.saturating_add(other.sum);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{BUCKETS, Counts, Histogram, bound, bucket};

    #[test]
    fn each_value_is_in_the_bucket_whose_bounds_hold_it() {
        let powers = (0..64).flat_map(|power| [(1_u64 << power) - 1, 1 << power, (1 << power) + 1, 3 << power >> 1]);
        for value in (0..5000).chain(powers).chain([u64::MAX]) {
            let index = bucket(value);
            assert!(bound(index).is_none_or(|bound| value < bound), "{value} in {index}");
            assert!(index == 0 || bound(index - 1).is_some_and(|bound| value >= bound), "{value} in {index}");
        }
        let wide = |index: usize| (bound(index - 1).expect("not the last"), bound(index).expect("not the last"));
        assert!((8..BUCKETS - 1).map(wide).all(|(from, to)| (to - from) * 4 <= from));
    }

    #[test]
    fn counts_sums_and_quantiles() {
        let histogram = Histogram::default();
        assert_eq!((histogram.read().total(), histogram.read().quantile(0.5)), (0, None));
        (0..99).for_each(|_| histogram.record(100, 1));
        histogram.record(1_000_000, 1);
        let mut counts = histogram.read();
        assert_eq!((counts.total(), counts.sum()), (100, 1_009_900));
        assert_eq!((counts.quantile(0.5), counts.quantile(0.99)), (Some(112), Some(112)));
        assert!(counts.quantile(1.0).is_some_and(|longest| (1_000_001..1_250_001).contains(&longest)));
        counts.add(&counts.clone());
        assert_eq!((counts.total(), counts.sum()), (200, 2_019_800));
        let mut none = Counts::default();
        none.add(&counts);
        assert_eq!(none, counts);
    }

    #[test]
    fn a_value_counts_for_as_many_as_it_stands_for() {
        let histogram = Histogram::default();
        histogram.record(50, 64);
        assert_eq!((histogram.read().total(), histogram.read().sum()), (64, 3200));
        histogram.record(u64::MAX, 1);
        assert_eq!(histogram.read().quantile(1.0), None);
    }
}
