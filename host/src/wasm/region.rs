//! One large mapping that slots are cut from. Used by [`super::memory`] and [`super::stack`].
//!
//! Must hold: the mapping lives as long as the region, and the region as long as any slot (slots hold an `Arc` of it).
//! One mapping for all slots is what lets tens of thousands of actors live under the default `vm.max_map_count`.

use std::io;
use std::ptr;

/// The smallest thing that the kernel maps. x86-64 and most of aarch64; a larger one is refused at start.
pub(super) const PAGE: usize = 4096;

/// Read-write memory that costs address space only until it is touched.
#[derive(Debug)]
pub(super) struct Region {
    base: usize,
    len: usize,
}

impl Region {
    /// Maps `want` bytes, or as large a half, quarter … of it as the system gives, down to `least`.
    pub(super) fn reserve(want: usize, least: usize) -> io::Result<Self> {
        let mut len = want;
        loop {
            match Self::map(len) {
                Ok(region) => return Ok(region),
                Err(_) if len / 2 >= least => len /= 2,
                Err(error) => return Err(error),
            }
        }
    }

    #[expect(unsafe_code, reason = "mmap, sysconf and madvise have no safe form")]
    fn map(len: usize) -> io::Result<Self> {
        // SAFETY: sysconf reads a constant; a fresh anonymous mapping at an address of the kernel's choice touches
        // nothing that exists; madvise gets exactly that mapping.
        unsafe {
            if usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)) != Ok(PAGE) {
                return Err(io::Error::new(io::ErrorKind::Unsupported, "the host needs a page size of 4 KiB"));
            }
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            let base = libc::mmap(ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
            if base == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            // A huge page would make the first byte of an actor cost 2 MiB. Advice only: a refusal changes nothing.
            libc::madvise(base, len, libc::MADV_NOHUGEPAGE);
            Ok(Self { base: base.expose_provenance(), len })
        }
    }

    /// Bytes in all.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The address of an offset, which must be inside.
    pub(super) fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset < self.len, "a slot outside of its region");
        ptr::with_exposed_provenance_mut(self.base + offset)
    }
}

impl Drop for Region {
    #[expect(unsafe_code, reason = "munmap has no safe form")]
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no slot is left: each holds an Arc of this region.
        unsafe {
            libc::munmap(ptr::with_exposed_provenance_mut(self.base), self.len);
        }
    }
}

/// Gives the pages of a range back to the system; they read as zero afterwards.
///
/// # Safety
/// The range is page-aligned, inside one region, and nobody else uses it.
#[expect(unsafe_code, reason = "madvise has no safe form")]
pub(super) unsafe fn discard(start: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    let failed = unsafe { libc::madvise(start.cast(), len, libc::MADV_DONTNEED) } != 0;
    // Pages that were kept would leak one guest's bytes to the next: rather end here. It can only fail for a range
    // that is no mapping of ours.
    assert!(!failed, "madvise: {}", io::Error::last_os_error());
}
