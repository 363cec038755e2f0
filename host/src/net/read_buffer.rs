//! How a connection is read: into the poller's scratch while it brings little, then copied to a place of its own size;
//! straight into a large buffer while it brings much. Used by the poller.
//!
//! So a chat line costs no allocation, or one of its size, and a download is neither copied nor a system call for each
//! KiB. The large buffer follows skynet's rule: doubled when a read filled it, halved when it filled less than half.

use std::io::{self, Read};
use std::net::TcpStream;

use socket2::SockRef;

use crate::base::Payload;

/// Bytes of the scratch. To copy that much, warm in cache, costs less than the system call around it.
const SMALLEST: usize = 8 * 1024;
/// Bytes. More gains nothing on loopback (a read of 64 KiB costs some ten times the system call around it).
const LARGEST: usize = 64 * 1024;

/// Where all connections are read into that bring little.
#[derive(Debug)]
pub(super) struct Scratch(Box<[u8]>);

impl Scratch {
    pub(super) fn new() -> Self {
        Self(vec![0; SMALLEST].into_boxed_slice())
    }
}

/// The size of one connection's next read.
#[derive(Debug)]
pub(super) struct ReadBuffer {
    size: usize,
}

impl ReadBuffer {
    pub(super) fn new() -> Self {
        Self { size: SMALLEST }
    }

    /// One read. Empty at the end of the stream. The flag says that the buffer was filled, so there may be more.
    pub(super) fn read(&mut self, mut stream: &TcpStream, scratch: &mut Scratch) -> io::Result<(Payload, bool)> {
        if self.size > SMALLEST {
            return self.read_much(stream);
        }
        let got = stream.read(&mut scratch.0)?;
        let full = got == self.size;
        self.adapt(got);
        Ok((Payload::from(&scratch.0[..got]), full))
    }

    fn read_much(&mut self, stream: &TcpStream) -> io::Result<(Payload, bool)> {
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
        Ok((Payload::from(buffer), full))
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
