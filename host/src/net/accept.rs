//! A listener's share of a turn: takes connections, also when there are no descriptors left, or its owner may have no more.
//! Used by the poller.
//!
//! Without a free descriptor a connection can be neither taken nor refused. So one is kept in reserve: it is given up,
//! the connection taken and closed at once, and the reserve filled again. The other side sees an end at once instead of
//! a silence, and the loop does not spin.

use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;

use crate::net::ops::Shared;
use crate::net::serve::{Next, deliver};
use crate::net::socket::{Kind, Socket};
use crate::net::{NetEvent, Sink, SocketId, flags};

/// Connections taken from one listener in one turn.
const ACCEPTS: usize = 64;
/// errno ENFILE (the machine's files) and EMFILE (the process's), the same on all Unix systems.
const NO_DESCRIPTORS: [i32; 2] = [23, 24];

/// What the loop keeps for its listeners.
#[derive(Debug)]
pub(super) struct Acceptor {
    /// None only while there is not even one descriptor for it.
    pub(super) reserve: Option<File>,
    /// Listeners that wait until some socket closes.
    starved: Vec<SocketId>,
    /// The lack of descriptors was logged and has not ended.
    warned: bool,
    /// The same of an owner's limit.
    crowded: bool,
}

/// What giving up the reserve has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shed {
    One,
    NoneWaits,
    Impossible,
}

impl Acceptor {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { reserve: Some(open_reserve()?), starved: Vec::new(), warned: false, crowded: false })
    }

    /// The listeners to serve again, now that a descriptor is free.
    pub(super) fn take_starved(&mut self) -> Vec<SocketId> {
        if self.reserve.is_none() {
            self.reserve = open_reserve().ok();
        }
        std::mem::take(&mut self.starved)
    }

    /// Takes connections until there is none, the share is used up, or the owner has enough.
    pub(super) fn accept(
        &mut self,
        shared: &Shared,
        socket: &Socket,
        listener: &mio::net::TcpListener,
        sink: &dyn Sink,
    ) -> Next {
        let _receive = socket.receive.lock();
        for _ in 0..ACCEPTS {
            if !socket.flags.may_receive() {
                return Next::Wait;
            }
            match listener.accept() {
                Ok((_, peer)) if !sink.has_room(socket.owner(), shared.table.owns(socket.owner())) => {
                    if !std::mem::replace(&mut self.crowded, true) {
                        tracing::warn!(%peer, listener = %socket.address, "connections are closed: no more sockets are allowed");
                    }
                }
                Ok((stream, peer)) => {
                    (self.warned, self.crowded) = (false, false);
                    let stream = TcpStream::from(OwnedFd::from(stream));
                    match shared.add(socket.owner(), Kind::Stream(stream), peer, 0) {
                        Ok(accepted) => {
                            if !deliver(socket, NetEvent::Accepted { socket: accepted.id, peer }, sink) {
                                accepted.flags.set(flags::ABORTED);
                                shared.tell(accepted.id);
                                return Next::Again;
                            }
                        }
                        Err(error) => tracing::warn!(%error, %peer, "a connection was dropped: it cannot be watched"),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    socket.flags.clear(flags::READABLE);
                    return Next::Wait;
                }
                // The other side gave up while it waited, or a signal came.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {
                }
                // Closed by its owner in this moment; the poller is told.
                Err(_) if socket.flags.any(flags::CLOSED) => return Next::Wait,
                Err(error) => {
                    self.warn(&error, socket);
                    let full = error.raw_os_error().is_some_and(|code| NO_DESCRIPTORS.contains(&code));
                    match if full { self.shed(listener) } else { Shed::Impossible } {
                        Shed::One => {}
                        Shed::NoneWaits => {
                            socket.flags.clear(flags::READABLE);
                            return Next::Wait;
                        }
                        Shed::Impossible => {
                            self.starved.push(socket.id);
                            return Next::Wait;
                        }
                    }
                }
            }
        }
        Next::Again
    }

    /// Takes one connection with the reserve and closes it. It may turn out that none waits: accept(2) complains about
    /// descriptors before it looks.
    fn shed(&mut self, listener: &mio::net::TcpListener) -> Shed {
        if self.reserve.take().is_none() {
            return Shed::Impossible;
        }
        let taken = listener.accept();
        let outcome = match &taken {
            Ok(_) => Shed::One,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Shed::NoneWaits,
            // Another thread was faster and has the reserve's descriptor now.
            Err(_) => Shed::Impossible,
        };
        drop(taken);
        self.reserve = open_reserve().ok();
        outcome
    }

    fn warn(&mut self, error: &io::Error, socket: &Socket) {
        if !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(%error, listener = %socket.address, "connections are dropped: raise the limit of open files");
        }
    }
}

fn open_reserve() -> io::Result<File> {
    File::open("/dev/null")
}
