//! What happens to a socket, and who gets to hear it. Made by the poller; `node::sockets` is the sink.

use std::net::SocketAddr;

use crate::base::Payload;
use crate::net::{Owner, SocketId};

/// One thing that happened to a socket; see `wit/socket.wit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetEvent {
    /// `connect` is done. Data flows after `start`.
    Connected { peer: SocketAddr },
    /// The listener that this event is of took a connection, which has the listener's owner. Data flows after `start`.
    Accepted { socket: SocketId, peer: SocketAddr },
    /// Bytes as they came; never empty.
    Data(Payload),
    /// The other side sends no more. Writing is still possible.
    End,
    /// The socket is gone; nothing comes after this. No reason for one that its owner closed.
    Closed { reason: Option<String> },
    /// So many bytes wait to be sent: at 1 MiB and each doubling, and once 0 when all is sent. Two steps that come
    /// together are one event.
    Backlog(u64),
}

/// What the poller shall do after an event. After `Closed` it makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// Go on.
    Go,
    /// The event was taken, but bring no more data (or connections) until `Net::resume` or `Net::resume_owner`.
    /// A resume that comes between this answer and its arrival in the poller counts.
    Pause,
    /// Nobody is there to take it: close the socket (and the accepted one).
    Close,
}

/// Takes events. Called by who polls, one thread at a time.
///
/// Must not call back into [`crate::net::Net`]: the poller holds this socket's receive lock, so that events that come
/// before a `give` go to the old owner and the ones after it to the new one. Must not block.
pub trait Sink {
    /// Whether a listener's owner, which has so many sockets, may have one more. What it may not is closed at once.
    fn has_room(&self, owner: Owner, sockets: usize) -> bool;

    /// One event of one socket, for its owner.
    fn socket(&self, owner: Owner, id: SocketId, event: NetEvent) -> Flow;
}
