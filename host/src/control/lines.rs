//! One connection: lines of bounded length in, lines out. Used by both sides.
//!
//! Must hold: a peer that sends no end of a line costs no more memory than the longest line; one that does not read is
//! given up after [`PATIENCE`].

use std::io::{self, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::time::Duration;

use socket2::Socket;

/// How long a peer may take to read something. Thin air: to be stopped with Ctrl-Z is no reason to hold a thread for ever.
const PATIENCE: Duration = Duration::from_secs(10);
const CHUNK: usize = 16 << 10;

/// See the file's head.
#[derive(Debug)]
pub(super) struct Lines {
    socket: Socket,
    /// What came and is not given out yet.
    came: Vec<u8>,
    /// How much of it was looked at for the end of a line.
    seen: usize,
    longest: usize,
}

/// What came instead of a line.
#[derive(Debug)]
pub(super) enum NoLine {
    /// The peer has ended, between two lines or in the middle of one.
    End,
    /// Longer than the longest.
    TooLong,
    Io(io::Error),
}

impl Lines {
    pub(super) fn new(socket: Socket, longest: usize) -> io::Result<Self> {
        socket.set_nonblocking(false)?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket, came: Vec::new(), seen: 0, longest })
    }

    /// The next line, without its end. Waits for it.
    pub(super) fn next(&mut self) -> Result<Vec<u8>, NoLine> {
        loop {
            if let Some(end) = self.came[self.seen..].iter().position(|byte| *byte == b'\n').map(|at| self.seen + at) {
                let rest = self.came.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.came, rest);
                line.pop();
                self.seen = 0;
                return if line.len() > self.longest { Err(NoLine::TooLong) } else { Ok(line) };
            }
            self.seen = self.came.len();
            if self.seen > self.longest {
                return Err(NoLine::TooLong);
            }
            let before = self.came.len();
            self.came.resize(before + CHUNK, 0);
            let read = self.socket.read(&mut self.came[before..]);
            self.came.truncate(before + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(NoLine::End),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(NoLine::Io(error)),
            }
        }
    }

    /// Sends a line, which has its end.
    pub(super) fn send(&mut self, line: &str) -> io::Result<()> {
        self.socket.write_all(line.as_bytes())
    }

    /// Whether the peer has sent something more, or is gone.
    pub(super) fn speaks(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let peeked = self.socket.recv_with_flags(&mut byte, libc::MSG_PEEK | libc::MSG_DONTWAIT);
        !self.came.is_empty() || !peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Reads what the peer still sends, up to some bytes, and throws it away: a socket that is closed with unread data
    /// takes back what was sent last, and the peer would not read why it was turned away.
    pub(super) fn drain(&mut self) {
        const MOST: usize = 64 << 20;
        drop(self.socket.shutdown(Shutdown::Write));
        drop(self.socket.set_read_timeout(Some(PATIENCE)));
        let mut left = MOST;
        self.came.resize(CHUNK, 0);
        while let Ok(read @ 1..) = self.socket.read(&mut self.came)
            && left > read
        {
            left -= read;
        }
    }

    /// How long the peer may take for what is read next; none: as long as it wants.
    pub(super) fn within(&self, time: Option<Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(time)
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, NoLine};
    use socket2::Socket;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    fn pair(longest: usize) -> (Lines, UnixStream) {
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        (Lines::new(Socket::from(ours), longest).expect("a socket"), theirs)
    }

    #[test]
    fn lines_are_cut_at_their_ends_however_they_come() {
        let (mut lines, mut theirs) = pair(10);
        for piece in ["a", "b\nsecond\n\nth", "ird\nlast"] {
            theirs.write_all(piece.as_bytes()).expect("room");
        }
        drop(theirs);
        for expected in ["ab", "second", "", "third"] {
            assert_eq!(lines.next().expect("a line"), expected.as_bytes());
        }
        assert!(matches!(lines.next(), Err(NoLine::End)));
        let (lines, mut theirs) = pair(4);
        assert!(!lines.speaks());
        theirs.write_all(b"x").expect("room");
        assert!(lines.speaks());
        let (lines, _) = pair(4);
        assert!(lines.speaks(), "it is gone");
    }

    #[test]
    fn a_line_has_a_longest_length() {
        let (mut lines, mut theirs) = pair(4);
        theirs.write_all(b"1234\n12345\n").expect("room");
        assert_eq!(lines.next().expect("a line"), b"1234");
        assert!(matches!(lines.next(), Err(NoLine::TooLong)));
        let (mut lines, mut theirs) = pair(4);
        theirs.write_all(&[b'x'; 30_000]).expect("room");
        assert!(matches!(lines.next(), Err(NoLine::TooLong)));
    }
}
