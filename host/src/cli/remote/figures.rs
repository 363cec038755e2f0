//! Figures as people read them.

use std::time::Duration;

use bytesize::ByteSize;

/// `64 KiB`.
pub(in crate::cli) fn bytes(count: usize) -> String {
    ByteSize::b(count as u64).display().iec().to_string()
}

/// Time with a worker: `1.250s`.
pub(in crate::cli) fn cpu(microseconds: u64) -> String {
    let milliseconds = microseconds / 1000;
    format!("{}.{:03}s", milliseconds / 1000, milliseconds % 1000)
}

/// `12.3us`; `-`: not known.
pub(in crate::cli) fn nanos(count: Option<u64>) -> String {
    const UNITS: [(&str, u64); 4] = [("ns", 1), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000)];
    let Some(count) = count else { return "-".to_owned() };
    let (unit, size) = UNITS.into_iter().rev().find(|(_, size)| count >= *size).unwrap_or(UNITS[0]);
    if size == 1 { format!("{count}{unit}") } else { format!("{}.{}{unit}", count / size, count % size * 10 / size) }
}

/// The two largest units: `2m 5s`.
pub(in crate::cli) fn age(milliseconds: u64) -> String {
    if milliseconds < 1000 {
        return format!("{milliseconds}ms");
    }
    let text = humantime::format_duration(Duration::from_secs(milliseconds / 1000)).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{age, bytes, cpu, nanos};

    #[test]
    fn figures_are_short() {
        assert_eq!((bytes(0), bytes(64 << 10), bytes(3 << 19)), ("0 B".into(), "64.0 KiB".into(), "1.5 MiB".into()));
        assert_eq!((cpu(0), cpu(1_250_999)), ("0.000s".into(), "1.250s".into()));
        assert_eq!((nanos(None), nanos(Some(999)), nanos(Some(12_345))), ("-".into(), "999ns".into(), "12.3us".into()));
        assert_eq!((age(999), age(1000), age(125_000)), ("999ms".into(), "1s".into(), "2m 5s".into()));
        assert_eq!(age(3 * 86_400_000 + 5000), "3days 5s");
    }
}
