//! What the kernel says about memory: of this process, and of the machine. Used by the workloads that count bytes.

use std::fs;

use anyhow::{Context as _, Result, bail};

/// What this process has now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Bytes of pages that are there.
    pub(crate) rss: f64,
    /// The most that this ever was.
    pub(crate) peak: f64,
    /// Bytes of the kernel's page tables.
    pub(crate) page_tables: f64,
    /// How many mappings; the kernel allows 65,530 by default.
    pub(crate) mappings: f64,
}

impl Memory {
    pub(crate) fn now() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
        let maps = fs::read_to_string("/proc/self/maps").context("/proc/self/maps")?;
        let bytes = |key| bytes(&status, key).with_context(|| format!("/proc/self/status has no {key}"));
        Ok(Self {
            rss: bytes("VmRSS")?,
            peak: bytes("VmHWM")?,
            page_tables: bytes("VmPTE")?,
            mappings: maps.lines().count() as f64,
        })
    }
}

/// An error if the machine cannot give so many bytes now.
pub(crate) fn require(needed: f64, what: &str) -> Result<()> {
    let text = fs::read_to_string("/proc/meminfo").context("/proc/meminfo")?;
    let free = bytes(&text, "MemAvailable").context("/proc/meminfo has no MemAvailable")?;
    if free < needed {
        bail!("{what} may need {:.1} GiB, and this machine has {:.1} GiB free", gib(needed), gib(free));
    }
    Ok(())
}

/// Bytes as GiB.
pub(crate) fn gib(bytes: f64) -> f64 {
    bytes / f64::from(1 << 30)
}

/// `Key:   123 kB` as bytes.
fn bytes(text: &str, key: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.split(':').next() == Some(key))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::{Memory, bytes, require};

    #[test]
    fn lines_of_proc_are_read() {
        let text = "VmPeak:\t  20 kB\nVmRSS:\t    12 kB\nThreads:\t3\n";
        assert_eq!((bytes(text, "VmRSS"), bytes(text, "Vm"), bytes("", "VmRSS")), (Some(12288.0), None, None));
    }

    #[test]
    fn this_process_has_memory() {
        let now = Memory::now().expect("linux");
        assert!(now.rss > 0.0 && now.peak >= now.rss && now.mappings > 1.0, "{now:?}");
        assert!(require(1.0, "a byte").is_ok());
        let error = require(1e18, "all there is").expect_err("too much");
        assert!(error.to_string().starts_with("all there is may need 931322574.6 GiB"), "{error}");
    }
}
