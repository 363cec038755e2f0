//! Units, and how values look in them. Used by everything that prints.

use serde::{Deserialize, Serialize};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// Nanoseconds for one.
    Ns,
    /// Bytes, as a rule for one.
    Bytes,
    /// How many, as a rule for one.
    Count,
    Percent,
    PerSecond,
}

impl Unit {
    /// Whether less is better.
    pub(crate) fn is_cost(self) -> bool {
        matches!(self, Self::Ns | Self::Bytes | Self::Count)
    }

    /// The divisor and the word that fit a value of this size.
    fn scale(self, value: f64) -> (f64, &'static str) {
        let steps: &[(f64, &str)] = match self {
            Self::Ns => &[(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")],
            Self::Bytes => &[(1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB")],
            Self::Count => &[(1.0, "")],
            Self::Percent => &[(1.0, "%")],
            Self::PerSecond => &[(1.0, "/s"), (1e3, "k/s"), (1e6, "M/s")],
        };
        let fits = |step: &&(f64, &str)| value.abs() >= step.0;
        *steps.iter().rev().find(fits).unwrap_or(&steps[0])
    }

    /// With the prefix that fits.
    pub(crate) fn shown(self, value: f64) -> String {
        let (scale, word) = self.scale(value);
        format!("{} {word}", digits(value / scale)).trim_end().to_owned()
    }

    /// A round value, as short as it can be.
    pub(crate) fn tick(self, value: f64) -> String {
        let (scale, word) = self.scale(value);
        if value == 0.0 { "0".to_owned() } else { format!("{} {word}", value / scale).trim_end().to_owned() }
    }

    /// A value between two others, all with the prefix that fits the first.
    pub(crate) fn range(self, value: f64, low: f64, high: f64) -> String {
        let (scale, _) = self.scale(value);
        format!("{} ({}–{})", self.shown(value), digits(low / scale), digits(high / scale))
    }
}

/// Three digits, as far as there are so many before the point.
fn digits(value: f64) -> String {
    let size = value.abs();
    let places = match size {
        size if size == 0.0 || size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn values_have_the_unit_that_fits() {
        let ns = [0.0, 9.5, 399.6, 1234.0, 2.5e6, 12.34e6, -3.0e6].map(|ns| Unit::Ns.shown(ns));
        assert_eq!(ns, ["0 ns", "9.50 ns", "400 ns", "1.23 µs", "2.50 ms", "12.3 ms", "-3.00 ms"]);
        let others = [(12_040.0, Unit::Bytes), (180_400.0, Unit::PerSecond), (41.2, Unit::Percent), (3.0, Unit::Count)];
        assert_eq!(others.map(|(value, unit)| unit.shown(value)), ["12.0 kB", "180 k/s", "41.2 %", "3.00"]);
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!([0.0, 0.1, 10_000.0].map(|ns| Unit::Ns.tick(ns)), ["0", "0.1 ns", "10 µs"]);
    }

    #[test]
    fn a_range_has_one_unit() {
        assert_eq!(Unit::Ns.range(1010.0, 990.0, 12_000.0), "1.01 µs (0.99–12.0)");
    }
}
