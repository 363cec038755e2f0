//! How much memory the machine has, or lends to this process. Used by [`super`] for the default of `[host] memory`.

use std::fs;

/// What the host takes at most: the rest is for the system, and for what is touched before the monitor looks again.
const TENTHS: usize = 8;

/// Eight tenths of the machine's memory, or of what its control group may have. None: this system does not tell.
pub(super) fn most_memory() -> Option<usize> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    let most = machine.into_iter().chain(group).min()?;
    Some(most / 10 * TENTHS)
}

/// The first line of /proc/meminfo: `MemTotal:  24601088 kB`.
fn total(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::{most_memory, total};

    #[test]
    fn the_machines_memory_is_found() {
        assert_eq!(total("MemTotal:       24601088 kB\nMemFree: 1 kB\n"), Some(24_601_088 * 1024));
        assert_eq!((total(""), total("MemTotal: much kB")), (None, None));
        #[cfg(target_os = "linux")]
        assert!(most_memory().is_some_and(|bytes| bytes > 64 << 20));
    }
}
