//! What the process's allocator is told. Used by `boot` at the start, and by the bench, which runs nodes itself.
//!
//! glibc gives the top of a heap back to the system as soon as 128 KiB of it are free, and gets it again, page fault by
//! page fault, with the next burst of messages: messages of 64 KiB took 70 µs each instead of 1 µs.

/// Bytes at the top of a heap that are kept. Thin air: bursts up to this size fault their pages in once.
#[cfg(target_env = "gnu")]
const KEPT: libc::c_int = 128 << 20;
/// Larger allocations get a mapping of their own, and give it back at once. The largest that glibc allows.
#[cfg(target_env = "gnu")]
const MAPPED: libc::c_int = 32 << 20;

/// Tells the allocator to keep what was used for the next burst. Elsewhere than with glibc there is nothing to tell.
pub fn keep_heap() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "a C function")]
    // SAFETY: mallopt only stores numbers, under the allocator's own lock.
    let taken = unsafe { libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT) & libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED) };
    #[cfg(target_env = "gnu")]
    if taken == 0 {
        tracing::debug!(target: "wasmactor", "the allocator does not take its settings");
    }
}
