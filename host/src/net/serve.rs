//! What one turn of the poll does with one socket: connects, reads, sends what was queued, accepts, reports. Used by the
//! poller, under its lock.
//!
//! No socket keeps the others waiting: a turn gives each a bounded number of reads, bytes and connections.
//!
//! Must hold: only who polls reports events, and holds the socket's receive lock while it does; `Closed` is reported
//! after the socket has left the table and its descriptor is closed, so a listener's port is free by then.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

use mio::event::Event;
use socket2::SockRef;

use crate::base::sync::Arc;
use crate::net::accept::Acceptor;
use crate::net::error::words;
use crate::net::flags;
use crate::net::ops::Shared;
use crate::net::read_buffer::Scratch;
use crate::net::socket::{Kind, Socket};
use crate::net::{Flow, NetEvent, Sink, SocketId};

/// Reads of one socket in one turn: at most 256 KiB.
const READS: usize = 4;
/// Requests of workers served in one turn.
const REQUESTS: usize = 1024;
/// Reads that throw away what came in too late for a socket that is being closed.
const DISCARDS: usize = 64;

/// What is served, and what of it has to be served again.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) shared: Arc<Shared>,
    pub(super) acceptor: Acceptor,
    /// Have more to do, but used up their share of the turn.
    pub(super) again: Vec<SocketId>,
    pub(super) scratch: Scratch,
}

/// What becomes of a socket that was served.
#[derive(Debug)]
pub(super) enum Next {
    /// An edge or a worker will bring it back.
    Wait,
    /// It has more to do.
    Again,
    /// It is over; with the reason if its owner did not close it.
    Finish(Option<String>),
}

impl Server {
    /// In this order: the edges that the kernel reports, the sockets that used up their share in the last turn, and
    /// those that workers asked for.
    pub(super) fn turn<'a>(&mut self, edges: impl Iterator<Item = &'a Event>, sink: &dyn Sink) {
        let again = std::mem::take(&mut self.again);
        for edge in edges {
            self.edge(edge, sink);
        }
        for id in again {
            self.request(id, sink);
        }
        for _ in 0..REQUESTS {
            let Some(id) = self.shared.next_to_do() else { break };
            self.request(id, sink);
        }
    }

    /// The kernel reports something.
    fn edge(&mut self, event: &Event, sink: &dyn Sink) {
        let Some(socket) = self.shared.table.get(SocketId::from_raw(event.token().0 as u64)) else { return };
        let hung_up = event.is_read_closed() || event.is_error();
        let mut bits = 0;
        if event.is_readable() || hung_up {
            bits |= flags::READABLE;
        }
        if event.is_writable() || event.is_write_closed() || event.is_error() {
            bits |= flags::WRITABLE;
        }
        if hung_up {
            bits |= flags::HUNG_UP;
        }
        socket.flags.set(bits);
        self.serve(socket, false, sink);
    }

    /// A worker, or the last turn, asks to look at a socket.
    fn request(&mut self, id: SocketId, sink: &dyn Sink) {
        if let Some(socket) = self.shared.table.get(id) {
            self.serve(socket, true, sink);
        }
    }

    fn serve(&mut self, socket: Arc<Socket>, requested: bool, sink: &dyn Sink) {
        let next = if socket.flags.any(flags::ABORTED) {
            Next::Finish(None)
        } else {
            match &socket.kind {
                Kind::Stream(stream) => serve_stream(&socket, stream, requested, &mut self.scratch, sink),
                Kind::Listener(_) if socket.flags.any(flags::CLOSED) => Next::Finish(None),
                Kind::Listener(listener) => self.acceptor.accept(&self.shared, &socket, listener, sink),
            }
        };
        match next {
            Next::Wait => {}
            Next::Again => self.again.push(socket.id),
            Next::Finish(reason) => self.finish(socket, reason, sink),
        }
    }

    /// The end of a socket, in four steps: nobody can use it, nobody can find it, the descriptor is closed, the owner
    /// hears of it.
    fn finish(&mut self, socket: Arc<Socket>, reason: Option<String>, sink: &dyn Sink) {
        if let Kind::Stream(stream) = &socket.kind {
            before_close(&socket, stream);
        }
        let id = socket.id;
        let Some(owner) = socket.retire() else { return };
        self.shared.table.remove(id, owner);
        drop(socket);
        let _ = sink.socket(owner, id, NetEvent::Closed { reason });
        // There is a free descriptor now for a listener that waited for one.
        self.again.append(&mut self.acceptor.take_starved());
    }
}

/// A reset for an abort. Otherwise none: unread bytes would make the kernel send one, which can overtake what the other
/// side has not read yet.
fn before_close(socket: &Socket, mut stream: &TcpStream) {
    if socket.flags.any(flags::ABORTED) {
        let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
    } else if socket.flags.any(flags::CLOSING) && !socket.receive.lock().ended {
        let mut scratch = [0; 16 * 1024];
        for _ in 0..DISCARDS {
            if !matches!(stream.read(&mut scratch), Ok(1..)) {
                break;
            }
        }
    }
}

/// One connection's share of a turn: connect, send, report, close, read.
fn serve_stream(socket: &Socket, stream: &TcpStream, requested: bool, scratch: &mut Scratch, sink: &dyn Sink) -> Next {
    if socket.flags.any(flags::CONNECTING) {
        if let Some(next) = connect(socket, stream, requested, sink) {
            return next;
        }
        socket.connected(stream);
        report(socket, NetEvent::Connected { peer: socket.address }, sink);
    }
    // The send lock is left alone while there is only something to read: a worker may be in its write.
    let mut look = requested;
    if socket.flags.all(flags::QUEUED | flags::WRITABLE) {
        socket.flush(stream);
        look = true;
    }
    let mut broken = None;
    if look {
        if let Some(bytes) = socket.take_warning() {
            report(socket, NetEvent::Backlog(bytes), sink);
        }
        broken = socket.send.lock().broken.clone();
    }
    let more_to_send = socket.flags.all(flags::QUEUED | flags::WRITABLE);
    if socket.flags.any(flags::CLOSING) {
        return match broken {
            Some(_) => Next::Finish(broken),
            None if !socket.flags.any(flags::QUEUED) => Next::Finish(None),
            None if more_to_send => Next::Again,
            None => Next::Wait,
        };
    }
    match read(socket, stream, scratch, sink) {
        // What the other side sent before the connection broke is read first.
        Next::Wait if broken.is_some() => Next::Finish(broken),
        Next::Wait if more_to_send => Next::Again,
        next => next,
    }
}

/// None if the connection stands now.
fn connect(socket: &Socket, stream: &TcpStream, requested: bool, sink: &dyn Sink) -> Option<Next> {
    if requested {
        // connect(2) itself may have failed; or the owner gave up; or much was queued.
        if let Some(reason) = socket.send.lock().broken.clone() {
            return Some(Next::Finish(Some(reason)));
        }
        if socket.flags.any(flags::CLOSING) && !socket.flags.any(flags::QUEUED) {
            return Some(Next::Finish(None));
        }
        if let Some(bytes) = socket.take_warning() {
            report(socket, NetEvent::Backlog(bytes), sink);
        }
    }
    if !socket.flags.any(flags::WRITABLE) {
        return Some(Next::Wait);
    }
    match stream.take_error().and_then(|error| error.map_or_else(|| stream.peer_addr().map(drop), Err)) {
        Ok(()) => None,
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            socket.flags.clear(flags::WRITABLE);
            Some(Next::Wait)
        }
        Err(error) => Some(Next::Finish(Some(format!("connect {}: {}", socket.address, words(&error))))),
    }
}

/// Reads until there is no more, the share is used up, or somebody says stop.
fn read(socket: &Socket, stream: &TcpStream, scratch: &mut Scratch, sink: &dyn Sink) -> Next {
    let mut receive = socket.receive.lock();
    for _ in 0..READS {
        if !socket.flags.may_receive() {
            return Next::Wait;
        }
        match receive.buffer.read(stream, scratch) {
            Ok((data, _)) if data.is_empty() => {
                socket.flags.clear(flags::READABLE);
                if !std::mem::replace(&mut receive.ended, true) && !deliver(socket, NetEvent::End, sink) {
                    return Next::Again;
                }
                // After the end, reads say nothing of a reset any more.
                return match stream.take_error() {
                    Ok(Some(error)) => Next::Finish(Some(words(&error))),
                    _ => Next::Wait,
                };
            }
            Ok((data, full)) => {
                // A short read has emptied the kernel's buffer, and the next bytes are an edge; but an end or an error
                // that was reported already waits behind these bytes and is no edge any more.
                if !full && !socket.flags.any(flags::HUNG_UP) {
                    socket.flags.clear(flags::READABLE);
                }
                receive.bytes += data.len() as u64;
                if !deliver(socket, NetEvent::Data(data), sink) {
                    return Next::Again;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.flags.clear(flags::READABLE);
                return Next::Wait;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Next::Finish(Some(words(&error))),
        }
    }
    if socket.flags.may_receive() { Next::Again } else { Next::Wait }
}

/// Hands an event over and does what the sink says, with the receive lock held. False: the socket is closing now,
/// because nobody wants it.
pub(super) fn deliver(socket: &Socket, event: NetEvent, sink: &dyn Sink) -> bool {
    socket.flags.clear(flags::RESUMED);
    match sink.socket(socket.owner(), socket.id, event) {
        Flow::Go => {}
        Flow::Pause => socket.flags.hold(),
        Flow::Close => {
            socket.close();
            return false;
        }
    }
    true
}

/// [`deliver`] for events that are not read; if nobody wants them, the caller finds the socket closing.
fn report(socket: &Socket, event: NetEvent, sink: &dyn Sink) {
    let _receive = socket.receive.lock();
    deliver(socket, event, sink);
}
