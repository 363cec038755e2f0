//! What it was measured on. Used by the report.

use std::fs;

/// Cores, processor, memory and kernel in one line, as far as /proc tells.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processor = entry(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "processor unknown".to_owned());
    let family = entry(&read("/proc/cpuinfo"), "cpu family").zip(entry(&read("/proc/cpuinfo"), "model"));
    let family = family.map_or(String::new(), |(family, model)| format!(" (family {family} model {model})"));
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores, {processor}{family}, Linux {}", kernel.trim())
}

fn entry(text: &str, key: &str) -> Option<String> {
    let line = text.lines().find(|line| line.split(':').next().is_some_and(|name| name.trim() == key))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}
