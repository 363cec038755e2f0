//! TCP by events: operations return at once, and what comes of them reaches the actor's `socket` handler. An
//! interleaved actor rather uses `interleaved::{TcpListener, TcpStream}`.
//!
//! Addresses are `IP:PORT` or `[IPv6]:PORT` and must be granted by the manifest.

use crate::bindings::wasmactor::actor::socket as host;
use crate::{Address, Error};
use serde::{Deserialize, Serialize};

/// A socket of this actor: a listener or a connection. Just a number: dropping it closes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Socket(pub(crate) u64);

/// What happened to a socket. Bytes and events of one socket come in order.
#[derive(Clone, Debug)]
pub enum SocketEvent {
    /// `connect` is done; the other side's `IP:PORT`. Data flows after [`Socket::start`].
    Connected(String),
    /// A listener took a connection. Data flows after [`Socket::start`] on the *new* socket.
    Accepted {
        /// The connection; this actor owns it now.
        socket: Socket,
        /// `IP:PORT` of the other side.
        peer: String,
    },
    /// Another actor gave this socket; the other side's `IP:PORT`. Data flows after [`Socket::start`].
    Given(String),
    /// Bytes, as they came; never empty.
    Data(Vec<u8>),
    /// The other side sends no more. Writing is still possible; `close` when done.
    End,
    /// The socket is gone; nothing comes after it. Empty for an orderly close, else the error's words.
    Closed(String),
    /// So many bytes wait to be sent: at 1 MiB and each doubling, and once 0 when all is sent.
    Backlog(u64),
}

/// Listens. Port 0 takes a free one (see [`Socket::local`]). Errors: `NotGranted`, `Invalid`, `Io`.
pub fn listen(at: &str) -> Result<Socket, Error> {
    Ok(Socket(host::listen(at)?))
}

/// Connects; `Connected` or `Closed` follows. Errors: `NotGranted`, `Invalid`, `Io`.
pub fn connect(to: &str) -> Result<Socket, Error> {
    Ok(Socket(host::connect(to)?))
}

impl Socket {
    /// The number inside.
    pub fn get(self) -> u64 {
        self.0
    }

    /// Lets data come in: after `Connected`, `Accepted`, `Given`, or `pause`. Errors: `Invalid`.
    pub fn start(self) -> Result<(), Error> {
        Ok(host::start(self.0)?)
    }

    /// Lets no more data come in until `start`; what was read already still comes. Errors: `Invalid`.
    pub fn pause(self) -> Result<(), Error> {
        Ok(host::pause(self.0)?)
    }

    /// Sends bytes: at once if nothing waits, else they are queued. Returns how many wait now. Errors: `Invalid`, `Io`.
    pub fn write(self, data: &[u8]) -> Result<u64, Error> {
        Ok(host::write(self.0, data)?)
    }

    /// Sends what is queued, then tells the other side that no more comes. Reading goes on. Errors: `Invalid`.
    pub fn shutdown(self) -> Result<(), Error> {
        Ok(host::shutdown(self.0)?)
    }

    /// Sends what is queued, then closes; `Closed` follows. Errors: `Invalid`.
    pub fn close(self) -> Result<(), Error> {
        Ok(host::close(self.0)?)
    }

    /// Hands the socket to another actor, which gets `Given`. It must be paused: just connected, accepted, given, or
    /// after `pause`. Errors: `Invalid`, `NoSuchActor`, `NotGranted`.
    pub fn give(self, to: Address) -> Result<(), Error> {
        Ok(host::give(self.0, to.get())?)
    }

    /// The own end's `IP:PORT`. Errors: `Invalid`.
    pub fn local(self) -> Result<String, Error> {
        Ok(host::local(self.0)?)
    }
}

impl From<host::SocketEvent> for SocketEvent {
    fn from(event: host::SocketEvent) -> Self {
        match event {
            host::SocketEvent::Connected(peer) => Self::Connected(peer),
            host::SocketEvent::Accepted(accepted) => {
                Self::Accepted { socket: Socket(accepted.socket), peer: accepted.peer }
            }
            host::SocketEvent::Given(peer) => Self::Given(peer),
            host::SocketEvent::Data(bytes) => Self::Data(bytes),
            host::SocketEvent::End => Self::End,
            host::SocketEvent::Closed(reason) => Self::Closed(reason),
            host::SocketEvent::Backlog(waiting) => Self::Backlog(waiting),
        }
    }
}
