//! Where a value lies on an axis: from 0 where values are alike, in decades where they are not.

/// Ranges over this factor are shown in decades.
const WIDE: f64 = 20.0;

/// An axis over some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// From 0 to this.
    Linear(f64),
    /// Powers of ten.
    Decades { from: i32, to: i32 },
}

impl Scale {
    /// For these values; those that are not above 0 lie at the axis's start.
    pub(super) fn over(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::MAX, 0.0_f64);
        for value in values.filter(|value| *value > 0.0) {
            (low, high) = (low.min(value), high.max(value));
        }
        if high <= low * WIDE {
            return Self::Linear(if high > 0.0 { high } else { 1.0 });
        }
        // The shortest bar must still be seen.
        #[expect(clippy::cast_possible_truncation, reason = "logarithms of finite numbers are small")]
        Self::Decades { from: (low * 0.8).log10().floor() as i32, to: high.log10().ceil() as i32 }
    }

    /// 0 at the start, 1 at the end.
    pub(super) fn at(self, value: f64) -> f64 {
        match self {
            Self::Linear(end) => (value / end).clamp(0.0, 1.0),
            Self::Decades { .. } if value <= 0.0 => 0.0,
            Self::Decades { from, to } => {
                ((value.log10() - f64::from(from)) / f64::from((to - from).max(1))).clamp(0.0, 1.0)
            }
        }
    }

    /// Values that have a line.
    pub(super) fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear(end) => {
                let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * 10.0_f64.powf(end.log10().floor()) / 2.0);
                let step = step.into_iter().find(|step| end / step <= 4.0).unwrap_or(end);
                (0..=4).map(|count| f64::from(count) * step).filter(|tick| *tick <= end).collect()
            }
            Self::Decades { from, to } => (from..=to).map(|decade| 10.0_f64.powi(decade)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn alike_values_begin_at_0() {
        let scale = Scale::over([50.0, 100.0, 0.0].into_iter());
        assert_eq!(scale, Scale::Linear(100.0));
        assert_eq!((scale.at(0.0), scale.at(50.0), scale.at(200.0)), (0.0, 0.5, 1.0));
        assert_eq!(scale.ticks(), [0.0, 50.0, 100.0]);
    }

    #[test]
    fn wide_ranges_are_decades() {
        let scale = Scale::over([40.0, 5000.0].into_iter());
        assert_eq!(scale, Scale::Decades { from: 1, to: 4 });
        assert_eq!((scale.at(10.0), scale.at(-3.0), scale.at(10_000.0)), (0.0, 0.0, 1.0));
        assert_eq!(scale.ticks(), [10.0, 100.0, 1000.0, 10_000.0]);
    }

    #[test]
    fn the_shortest_bar_is_seen() {
        assert_eq!(Scale::over([100.0, 90_000.0].into_iter()), Scale::Decades { from: 1, to: 5 });
        assert_eq!(Scale::over(std::iter::empty()), Scale::Linear(1.0));
    }
}
