//! Makes a used slot read as zeros again, without giving its pages to the system where few were touched. Used by
//! [`super::memory`].
//!
//! Mapping, unmapping and faulting pages is what an actor's birth and death would otherwise cost, and it does not scale
//! over threads. Linux 6.7 can tell which pages of a range are there (PAGEMAP_SCAN), so only those are written.

use std::fs::File;
use std::os::fd::AsRawFd;

use crate::base::sync::OnceLock;
use crate::wasm::region::{PAGE, discard};

/// Bytes of a slot that stay resident for its next user; the rest goes back. Between a small guest's 20-100 KiB and
/// what a burst of large ones may hold on to.
const KEEP: usize = 256 << 10;

/// `_IOWR('f', 16, struct pm_scan_arg)`, see linux/fs.h.
const PAGEMAP_SCAN: libc::Ioctl = 0xc060_6610u32 as libc::Ioctl;
const PRESENT: u64 = 1 << 3;
const SWAPPED: u64 = 1 << 4;
const ZERO_PAGE: u64 = 1 << 5;

/// `struct pm_scan_arg`.
#[repr(C)]
#[derive(Default)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `struct page_region`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Touched {
    start: u64,
    end: u64,
    categories: u64,
}

/// Zeroes slots; knows whether the kernel can scan.
#[derive(Debug)]
pub(super) struct Scrubber {
    pagemap: Option<&'static File>,
}

impl Scrubber {
    /// Finds out what the kernel can. All of a process share one descriptor, however many engines there come to be.
    pub(super) fn new() -> Self {
        static PAGEMAP: OnceLock<Option<File>> = OnceLock::new();
        let pagemap = PAGEMAP.get_or_init(|| File::open("/proc/self/pagemap").ok());
        let mut scrubber = Self { pagemap: pagemap.as_ref() };
        // An empty range: fails only where the call does not exist.
        if scrubber.scan(0, 0, &mut []).is_none() {
            scrubber.pagemap = None;
        }
        scrubber
    }

    /// Zeroes the first `used` bytes (whole pages) of a slot.
    ///
    /// # Safety
    /// The pages belong to one slot of a region and nobody else uses them.
    #[expect(unsafe_code, reason = "writes memory that Rust does not know as an object")]
    #[expect(clippy::cast_possible_truncation, reason = "the kernel answers with addresses of this process")]
    pub(super) unsafe fn zero(&self, start: *mut u8, used: usize) {
        let used = used.next_multiple_of(PAGE);
        let (base, mut from) = (start.addr(), 0);
        let mut kept = 0;
        let mut touched = [Touched::default(); 32];
        while from < used {
            let Some((found, walked)) = self.scan(base + from, base + used, &mut touched) else {
                // SAFETY: the caller's promise, and `from..used` is inside of it.
                unsafe { discard(start.add(from), used - from) };
                return;
            };
            for range in &touched[..found] {
                let (at, len) = (range.start as usize - base, (range.end - range.start) as usize);
                kept += len;
                // SAFETY: the kernel answers with parts of the range it was asked about, which is the caller's slot.
                unsafe {
                    if kept <= KEEP {
                        start.add(at).write_bytes(0, len);
                    } else {
                        discard(start.add(at), len);
                    }
                }
            }
            from = walked - base;
        }
    }

    /// Which pages of a range are there: how many entries were filled, and up to where the range was walked.
    #[expect(unsafe_code, reason = "ioctl has no safe form")]
    fn scan(&self, start: usize, end: usize, touched: &mut [Touched]) -> Option<(usize, usize)> {
        let pagemap = self.pagemap?;
        let mut scan = Scan {
            size: size_of::<Scan>() as u64,
            start: start as u64,
            end: end as u64,
            vec: touched.as_mut_ptr().expose_provenance() as u64,
            vec_len: touched.len() as u64,
            category_inverted: ZERO_PAGE,
            category_mask: ZERO_PAGE,
            category_anyof_mask: PRESENT | SWAPPED,
            return_mask: PRESENT,
            ..Scan::default()
        };
        if touched.is_empty() {
            scan.vec = 0;
        }
        // SAFETY: the kernel reads and writes `scan`, whose size it is told, and writes at most `vec_len` entries.
        let found = unsafe { libc::ioctl(pagemap.as_raw_fd(), PAGEMAP_SCAN, &raw mut scan) };
        let found = usize::try_from(found).ok()?;
        Some((found, usize::try_from(scan.walk_end).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Scrubber};
    use crate::wasm::region::Region;

    #[expect(unsafe_code, reason = "writes a region of its own")]
    fn check(scrubber: &Scrubber, pages: usize, step: usize) {
        let region = Region::reserve(pages * PAGE, pages * PAGE).expect("a small mapping");
        let start = region.at(0);
        // SAFETY: the region is as large as what is written, read and scrubbed, and nobody else has it.
        unsafe {
            for page in (0..pages).step_by(step) {
                start.add(page * PAGE + 17).write(1);
            }
            scrubber.zero(start, pages * PAGE);
            assert!((0..pages * PAGE).all(|at| start.add(at).read() == 0));
        }
    }

    #[test]
    fn every_touched_page_is_zero_again() {
        for scrubber in [Scrubber::new(), Scrubber { pagemap: None }] {
            check(&scrubber, 4, 1);
            check(&scrubber, 16, 3);
            check(&scrubber, 300, 2);
            check(&scrubber, 1024, 1);
        }
    }
}
