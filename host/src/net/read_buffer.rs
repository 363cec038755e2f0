//! How big a connection's next read buffer is, and the read itself. Used by the poller.
//!
//! skynet's rule: start with 64 bytes, double when a read filled the buffer, halve when it filled less than half. So a
//! chat line does not cost 64 KiB, and a download does not cost a system call for each KiB.

use std::io;
use std::net::TcpStream;

use socket2::SockRef;

/// skynet's `MIN_READ_BUFFER`, bytes.
const SMALLEST: usize = 64;
/// Bytes. More gains nothing on loopback (a read of 64 KiB costs some ten times the system call around it).
const LARGEST: usize = 64 * 1024;

/// The size of one connection's next buffer.
#[derive(Debug)]
pub(super) struct ReadBuffer {
    size: usize,
}

impl ReadBuffer {
    pub(super) fn new() -> Self {
        Self { size: SMALLEST }
    }

    /// One read into a fresh buffer. Empty at the end of the stream. The flag says that the buffer was filled, so there
    /// may be more.
    pub(super) fn read(&mut self, stream: &TcpStream) -> io::Result<(Vec<u8>, bool)> {
        let mut buffer = Vec::with_capacity(self.size);
        let room = &mut buffer.spare_capacity_mut()[..self.size];
        let got = SockRef::from(stream).recv(room)?;
        #[expect(unsafe_code, reason = "to clear up to 64 KiB before each read would cost as much as the copy")]
        // SAFETY: recv(2) has written the first `got` bytes of the spare capacity, and `got <= self.size <= capacity`.
        unsafe {
            buffer.set_len(got);
        }
        let full = got == self.size;
        self.adapt(got);
        Ok((buffer, full))
    }

    fn adapt(&mut self, got: usize) {
        if got == self.size {
            self.size = (self.size * 2).min(LARGEST);
        } else if got * 2 < self.size {
            self.size = (self.size / 2).max(SMALLEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, ReadBuffer, SMALLEST};

    #[test]
    fn size_follows_the_reads() {
        let mut buffer = ReadBuffer::new();
        for _ in 0..20 {
            let full = buffer.size;
            buffer.adapt(full);
        }
        assert_eq!(buffer.size, LARGEST);
        buffer.adapt(LARGEST / 2);
        assert_eq!(buffer.size, LARGEST, "half full stays");
        for _ in 0..20 {
            buffer.adapt(1);
        }
        assert_eq!(buffer.size, SMALLEST);
    }
}
