//! One socket's state, shared by the worker that runs its owner and the poller.
//!
//! Who touches what: the receive side is the poller's, and `give` takes its lock to keep events apart; the send side
//! belongs to whoever holds its lock; the flags are described in `flags`; the owner is changed under both locks.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use crate::base::sync::Mutex;
use crate::base::sync::atomic::{AtomicU64, Ordering};
use crate::net::error::words;
use crate::net::flags::{self, Flags};
use crate::net::read_buffer::ReadBuffer;
use crate::net::send_queue::{Flushed, SendQueue};
use crate::net::{NetError, Owner, SocketId, SocketInfo};

/// skynet's `WARNING_SIZE`, bytes: the first backlog event.
const WARNING: u64 = 1024 * 1024;
/// The most that may wait on one socket, bytes. So that an actor that never looks at its backlog fills its own socket
/// and not the machine. Thin air: far above what a reader that is alive leaves waiting.
pub(super) const MAX_UNSENT: u64 = 256 * 1024 * 1024;
/// How long the other side of a closed socket may take nothing before the rest is given up.
const LINGER: Duration = Duration::from_secs(60);

/// What the descriptor is.
#[derive(Debug)]
pub(super) enum Kind {
    Stream(TcpStream),
    /// mio's, because its accept makes the new socket non-blocking in the same system call.
    Listener(mio::net::TcpListener),
}

/// A listener or a connection.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) id: SocketId,
    pub(super) kind: Kind,
    /// The other side; of a listener, its own address.
    pub(super) address: SocketAddr,
    pub(super) flags: Flags,
    owner: AtomicU64,
    pub(super) receive: Mutex<ReceiveSide>,
    pub(super) send: Mutex<SendSide>,
}

/// What reading needs to remember.
#[derive(Debug)]
pub(super) struct ReceiveSide {
    pub(super) buffer: ReadBuffer,
    pub(super) bytes: u64,
    /// `End` was reported.
    pub(super) ended: bool,
}

/// What writing needs to remember.
#[derive(Debug, Default)]
pub(super) struct SendSide {
    queue: SendQueue,
    bytes: u64,
    fin: Fin,
    /// The connection failed in a write; the poller reports it.
    pub(super) broken: Option<String>,
    warnings: Warnings,
}

/// How far `shutdown` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fin {
    #[default]
    Open,
    /// Asked for; goes out behind what is queued.
    Wanted,
    Sent,
}

/// When to report how much waits.
#[derive(Debug)]
struct Warnings {
    /// The next report is due at so many bytes.
    next: u64,
    /// Due, but not reported yet.
    due: Option<u64>,
    /// Something was reported since the queue was last empty.
    reported: bool,
}

impl Default for Warnings {
    fn default() -> Self {
        Self { next: WARNING, due: None, reported: false }
    }
}

/// Whether a worker's operation has left something for the poller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Tell {
    Poller,
    Nobody,
}

impl Socket {
    pub(super) fn new(id: SocketId, owner: Owner, kind: Kind, address: SocketAddr, flags: u32) -> Self {
        Self {
            id,
            kind,
            address,
            flags: Flags::new(flags),
            owner: AtomicU64::new(owner),
            receive: Mutex::new(ReceiveSide { buffer: ReadBuffer::new(), bytes: 0, ended: false }),
            send: Mutex::new(SendSide::default()),
        }
    }

    pub(super) fn owner(&self) -> Owner {
        // Pairs with `set_owner`; who needs the two to be one step with something else holds a lock.
        self.owner.load(Ordering::Acquire)
    }

    /// Only with both locks held.
    pub(super) fn set_owner(&self, owner: Owner) {
        self.owner.store(owner, Ordering::Release);
    }

    /// Whether this owner may operate on it now.
    pub(super) fn check(&self, owner: Owner) -> Result<(), NetError> {
        if self.owner() != owner {
            return Err(NetError::NotYours(self.id));
        }
        if self.flags.any(flags::CLOSED) {
            return Err(NetError::Closed(self.id));
        }
        Ok(())
    }

    pub(super) fn invalid(&self, why: &'static str) -> NetError {
        NetError::Invalid { id: self.id, why }
    }

    fn stream(&self) -> Result<&TcpStream, NetError> {
        match &self.kind {
            Kind::Stream(stream) => Ok(stream),
            Kind::Listener(_) => Err(self.invalid("it is a listener")),
        }
    }

    /// Its own address, as the operating system knows it.
    pub(super) fn local(&self) -> io::Result<SocketAddr> {
        match &self.kind {
            Kind::Stream(stream) => stream.local_addr(),
            Kind::Listener(listener) => listener.local_addr(),
        }
    }

    /// The worker's write: to the kernel if nothing waits, else (and with the rest) to the queue. Returns what waits.
    pub(super) fn write(&self, owner: Owner, data: &[u8]) -> Result<(u64, Tell), NetError> {
        let stream = self.stream()?;
        let mut send = self.send.lock();
        self.check(owner)?;
        if send.broken.is_some() {
            return Err(NetError::Closed(self.id));
        }
        if send.fin != Fin::Open {
            return Err(self.invalid("its sending side was shut down"));
        }
        let (queued, more) = (send.queue.len() as u64, data.len() as u64);
        if queued + more > MAX_UNSENT {
            return Err(NetError::Full { id: self.id, queued, more, limit: MAX_UNSENT });
        }
        let result = send.write(stream, &self.flags, data);
        match result {
            Ok(tell) => Ok((send.queue.len() as u64, tell)),
            Err(error) => {
                // The caller has to tell the poller, which reports `Closed`.
                send.broken = Some(words(&error));
                Err(NetError::Io { what: "write", address: self.address, error })
            }
        }
    }

    /// No more is written; what is queued goes out first.
    pub(super) fn shutdown(&self, owner: Owner) -> Result<(), NetError> {
        let stream = self.stream()?;
        let mut send = self.send.lock();
        self.check(owner)?;
        if send.fin == Fin::Open {
            send.fin = Fin::Wanted;
            send.finish_sending(stream, &self.flags);
        }
        Ok(())
    }

    /// No operation any more; the poller finishes it when all is sent.
    pub(super) fn close(&self) {
        let send = self.send.lock();
        if !send.queue.is_empty()
            && let Kind::Stream(stream) = &self.kind
        {
            // The kernel gives up for us if the other side neither reads nor goes away, so we need no timer here.
            // Without it (other systems) such a socket lives until the other side ends.
            #[cfg(target_os = "linux")]
            let _ = SockRef::from(stream).set_tcp_user_timeout(Some(LINGER));
        }
        self.flags.set(flags::CLOSING);
        if let Kind::Listener(listener) = &self.kind {
            // Linux: it listens no more from here on, so the next one may have the address at once and need not wait
            // for the poller to close the descriptor. Elsewhere this does nothing.
            let _ = SockRef::from(listener).shutdown(std::net::Shutdown::Both);
        }
    }

    /// The poller's part of sending. `QUEUED` and `WRITABLE` both stand afterwards if more could go out at once.
    pub(super) fn flush(&self, stream: &TcpStream) {
        let mut send = self.send.lock();
        if let Err(error) = send.flush(stream, &self.flags) {
            send.broken = Some(words(&error));
        }
    }

    /// The connection stands: what was queued meanwhile may go out.
    pub(super) fn connected(&self, stream: &TcpStream) {
        let mut send = self.send.lock();
        self.flags.clear(flags::CONNECTING);
        self.flags.set(flags::WRITABLE);
        send.finish_sending(stream, &self.flags);
    }

    /// A backlog event that is due.
    pub(super) fn take_warning(&self) -> Option<u64> {
        let warnings = &mut self.send.lock().warnings;
        let due = warnings.due.take()?;
        warnings.reported = due > 0;
        Some(due)
    }

    /// Marks it finished; nobody can use it or give it away after that. The last owner, or None if it was done before.
    pub(super) fn retire(&self) -> Option<Owner> {
        let _receive = self.receive.lock();
        let mut send = self.send.lock();
        if self.flags.set(flags::GONE) & flags::GONE != 0 {
            return None;
        }
        send.queue.clear();
        self.flags.clear(flags::QUEUED);
        Some(self.owner())
    }

    pub(super) fn info(&self) -> SocketInfo {
        let bytes_in = self.receive.lock().bytes;
        let (bytes_out, backlog) = {
            let send = self.send.lock();
            (send.bytes, send.queue.len() as u64)
        };
        let bits = self.flags.get();
        SocketInfo {
            id: self.id,
            owner: self.owner(),
            peer: matches!(self.kind, Kind::Stream(_)).then_some(self.address),
            local: self.local().ok(),
            bytes_in,
            bytes_out,
            backlog,
            reading: bits & flags::READING != 0,
            held: bits & flags::HELD != 0,
            closing: bits & flags::CLOSED != 0,
        }
    }
}

impl SendSide {
    fn write(&mut self, stream: &TcpStream, flags: &Flags, data: &[u8]) -> io::Result<Tell> {
        let mut rest = data;
        if self.queue.is_empty() && !flags.any(flags::CONNECTING) {
            let taken = write_once(stream, data)?;
            self.bytes += taken as u64;
            rest = &data[taken..];
        }
        if rest.is_empty() {
            return Ok(Tell::Nobody);
        }
        self.queue.push(rest);
        let mut tell = Tell::Nobody;
        // The edge that says "there is room again" may have come between the write and here; then nobody else will try.
        if flags.set(flags::QUEUED) & flags::WRITABLE != 0 && !flags.any(flags::CONNECTING) {
            tell = self.flush(stream, flags)?;
        }
        if self.warn() { Ok(Tell::Poller) } else { Ok(tell) }
    }

    /// Sends until the kernel has no room and no edge has come since. `Tell::Poller`: a share is sent and there may be
    /// room for more.
    fn flush(&mut self, stream: &TcpStream, flags: &Flags) -> io::Result<Tell> {
        while flags.clear(flags::WRITABLE) & flags::WRITABLE != 0 {
            let before = self.queue.len();
            let flushed = self.queue.flush(stream);
            self.bytes += (before - self.queue.len()) as u64;
            match flushed? {
                // Look again: an edge may have come during the try.
                Flushed::Blocked => {}
                Flushed::More => {
                    flags.set(flags::WRITABLE);
                    return Ok(Tell::Poller);
                }
                Flushed::All => {
                    flags.clear(flags::QUEUED);
                    return Ok(self.drained(stream, flags));
                }
            }
        }
        Ok(Tell::Nobody)
    }

    /// The queue is empty: report it if it was long, and let a wanted FIN out.
    fn drained(&mut self, stream: &TcpStream, flags: &Flags) -> Tell {
        self.finish_sending(stream, flags);
        let reported = self.warnings.reported;
        self.warnings = Warnings { due: reported.then_some(0), reported, ..Warnings::default() };
        if reported { Tell::Poller } else { Tell::Nobody }
    }

    /// Notes a report if the queue has reached the next step. True if one is due.
    fn warn(&mut self) -> bool {
        let waits = self.queue.len() as u64;
        if waits < self.warnings.next {
            return false;
        }
        while self.warnings.next <= waits {
            self.warnings.next *= 2;
        }
        self.warnings.due = Some(waits);
        true
    }

    /// Sends the FIN when it is wanted and nothing waits before it.
    fn finish_sending(&mut self, stream: &TcpStream, flags: &Flags) {
        if self.fin == Fin::Wanted && self.queue.is_empty() && !flags.any(flags::CONNECTING) {
            self.fin = Fin::Sent;
            // It fails only if the connection is gone already, and that is reported by reading.
            let _ = stream.shutdown(Shutdown::Write);
        }
    }
}

/// One write(2); 0 if there is no room.
fn write_once(mut stream: &TcpStream, data: &[u8]) -> io::Result<usize> {
    loop {
        match stream.write(data) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
