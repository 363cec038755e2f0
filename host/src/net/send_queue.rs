//! Bytes that the kernel did not take at once. One per connection, under its send lock.
//!
//! Must hold: `len` is the sum of what is queued; bytes leave in the order they came.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

/// Small writes are gathered in chunks of this many bytes, so that a million of them are not a million allocations.
const CHUNK: usize = 4 * 1024;
/// Chunks offered to one writev(2). Linux takes 1024; 64 of 4 KiB fill a usual send buffer.
const SLICES: usize = 64;
/// One flush stops after so many bytes, so that one fast reader does not keep the poller from the others.
const TURN: usize = 1024 * 1024;

/// How a flush ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Flushed {
    /// Nothing is left.
    All,
    /// The kernel has no more room; an edge will come.
    Blocked,
    /// It took its turn's share and could take more; no edge will come.
    More,
}

/// A queue of bytes in chunks.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    chunks: VecDeque<Vec<u8>>,
    /// Bytes of the first chunk that are sent already.
    sent: usize,
    len: usize,
}

impl SendQueue {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds bytes at the end.
    pub(super) fn push(&mut self, data: &[u8]) {
        self.len += data.len();
        match self.chunks.back_mut() {
            Some(last) if last.capacity() - last.len() >= data.len() => last.extend_from_slice(data),
            _ => {
                let mut chunk = Vec::with_capacity(data.len().max(CHUNK));
                chunk.extend_from_slice(data);
                self.chunks.push_back(chunk);
            }
        }
    }

    /// Forgets everything and gives the memory back.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Sends what the other side takes. An error means that the connection is broken.
    pub(super) fn flush(&mut self, mut to: impl Write) -> io::Result<Flushed> {
        let mut share = TURN;
        while !self.is_empty() {
            if share == 0 {
                return Ok(Flushed::More);
            }
            let (offered, result) = self.offer(&mut to);
            match result {
                Ok(taken) => {
                    self.consume(taken);
                    share = share.saturating_sub(taken);
                    // A short write means that the kernel ran out of room and will say when it has some again.
                    if taken < offered {
                        return Ok(Flushed::Blocked);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Flushed::All)
    }

    fn offer(&self, to: &mut impl Write) -> (usize, io::Result<usize>) {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut offered = 0;
        let mut count = 0;
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            let from = if count == 0 { self.sent } else { 0 };
            *slice = IoSlice::new(&chunk[from..]);
            offered += chunk.len() - from;
            count += 1;
        }
        (offered, to.write_vectored(&slices[..count]))
    }

    fn consume(&mut self, mut taken: usize) {
        self.len -= taken;
        while let Some(first) = self.chunks.front() {
            let rest = first.len() - self.sent;
            if taken < rest {
                self.sent += taken;
                return;
            }
            taken -= rest;
            self.sent = 0;
            self.chunks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, IoSlice, Write};

    use super::{Flushed, SLICES, SendQueue, TURN};

    /// Takes so many bytes a call, then blocks.
    struct Pipe {
        room: Vec<usize>,
        got: Vec<u8>,
    }

    impl Write for Pipe {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            let room = self.room.pop().ok_or(io::ErrorKind::WouldBlock)?;
            let take = room.min(data.len());
            self.got.extend_from_slice(&data[..take]);
            Ok(take)
        }
        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            self.write(&all)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn bytes_leave_in_order_through_any_number_of_partial_writes() {
        let mut queue = SendQueue::default();
        let mut expected = Vec::new();
        let mut pipe = Pipe { room: Vec::new(), got: Vec::new() };
        for (round, size) in [1, 5_000, 0, 17, 4_096, 4_097, 3, 100_000].into_iter().cycle().take(80).enumerate() {
            let data: Vec<u8> = (0..size).map(|n: usize| n.to_le_bytes()[0]).collect();
            queue.push(&data);
            expected.extend_from_slice(&data);
            pipe.room.push(round * 997);
            assert_eq!(queue.flush(&mut pipe).unwrap() == Flushed::All, queue.is_empty());
            assert_eq!(queue.len() + pipe.got.len(), expected.len());
        }
        pipe.room = vec![usize::MAX; 100];
        while queue.flush(&mut pipe).unwrap() != Flushed::All {}
        assert!(pipe.got == expected);
    }

    #[test]
    fn one_turn_is_bounded() {
        let mut queue = SendQueue::default();
        for _ in 0..SLICES * 2 {
            queue.push(&vec![0; TURN / SLICES]);
        }
        let mut pipe = Pipe { room: vec![TURN / 2], got: Vec::new() };
        assert_eq!(queue.flush(&mut pipe).unwrap(), Flushed::Blocked, "a short write");
        pipe.room = vec![usize::MAX; 100];
        assert_eq!(queue.flush(&mut pipe).unwrap(), Flushed::More);
        assert_eq!(queue.flush(&mut pipe).unwrap(), Flushed::All);
    }

    #[test]
    fn small_writes_share_a_chunk() {
        let mut queue = SendQueue::default();
        for _ in 0..4_096 {
            queue.push(b"x");
        }
        assert_eq!(queue.chunks.len(), 1);
    }
}
