//! What is known of each socket that is a `TcpListener` or `TcpStream`: `deliver` brings the host's events here, and the
//! two wait here for them.

use crate::{Socket, SocketEvent};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Bytes read and not taken by the actor at which the socket is paused.
pub(super) const UNREAD_BOUND: usize = 256 << 10;

/// Bytes that wait to be sent at which writers wait. The host reports the backlog from here on, and when it is sent.
pub(super) const BACKLOG_BOUND: u64 = 1 << 20;

#[derive(Default)]
pub(super) struct State {
    pub(super) connected: Cell<bool>,
    pub(super) peer: RefCell<String>,
    pub(super) accepted: RefCell<VecDeque<(Socket, String)>>,
    /// Chunks as they came; of the first one `taken` bytes are gone.
    pub(super) unread: RefCell<VecDeque<Vec<u8>>>,
    pub(super) taken: Cell<usize>,
    pub(super) unread_bytes: Cell<usize>,
    pub(super) flowing: Cell<bool>,
    pub(super) ended: Cell<bool>,
    pub(super) closed: RefCell<Option<String>>,
    pub(super) congested: Cell<bool>,
    /// Who waits for something to come in: data, a connection, `connected`.
    pub(super) reader: Cell<Option<Waker>>,
    /// Who waits for the backlog to be sent.
    pub(super) writer: Cell<Option<Waker>>,
}

thread_local! {
    /// `None`: dropped by the actor, its last event (`Closed`) has not come.
    static SOCKETS: RefCell<FxHashMap<u64, Option<Rc<State>>>> = RefCell::new(FxHashMap::default());
}

pub(super) fn adopt(socket: Socket, peer: String) -> Rc<State> {
    let state = Rc::new(State { peer: RefCell::new(peer), ..State::default() });
    SOCKETS.with_borrow_mut(|sockets| sockets.insert(socket.0, Some(state.clone())));
    state
}

/// Brings an event to its socket. Gives it back if that is none of ours.
pub(super) fn deliver(socket: u64, event: SocketEvent) -> Result<(), SocketEvent> {
    let last = matches!(event, SocketEvent::Closed(_));
    let entry = SOCKETS.with_borrow_mut(|sockets| match last {
        true => sockets.remove(&socket),
        false => sockets.get(&socket).cloned(),
    });
    match entry {
        Some(Some(state)) => state.take(Socket(socket), event),
        Some(None) => {
            if let SocketEvent::Accepted { socket, .. } = event {
                // An error means that it is closed already.
                let _ = socket.close();
            }
        }
        None => return Err(event),
    }
    Ok(())
}

fn wake(waker: &Cell<Option<Waker>>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl State {
    fn take(&self, socket: Socket, event: SocketEvent) {
        match event {
            SocketEvent::Connected(peer) | SocketEvent::Given(peer) => {
                *self.peer.borrow_mut() = peer;
                self.connected.set(true);
            }
            SocketEvent::Accepted { socket, peer } => self.accepted.borrow_mut().push_back((socket, peer)),
            SocketEvent::Data(bytes) => {
                self.unread_bytes.set(self.unread_bytes.get() + bytes.len());
                self.unread.borrow_mut().push_back(bytes);
                if self.unread_bytes.get() >= UNREAD_BOUND && self.flowing.replace(false) {
                    // An error means that it is closed, which its event says.
                    let _ = socket.pause();
                }
            }
            SocketEvent::End => self.ended.set(true),
            SocketEvent::Closed(reason) => {
                *self.closed.borrow_mut() = Some(reason);
                self.congested.set(false);
                wake(&self.writer);
            }
            SocketEvent::Backlog(waiting) => {
                self.congested.set(waiting >= BACKLOG_BOUND);
                if !self.congested.get() {
                    wake(&self.writer);
                }
                return;
            }
        }
        wake(&self.reader);
    }

    pub(super) fn wait_to_read<T>(&self, context: &Context<'_>) -> Poll<T> {
        self.reader.set(Some(context.waker().clone()));
        Poll::Pending
    }

    /// The error of a socket that is gone; an orderly close is `None`.
    pub(super) fn broken(&self) -> Option<io::Error> {
        self.closed.borrow().as_deref().filter(|reason| !reason.is_empty()).map(io::Error::other)
    }

    pub(super) fn over(&self) -> bool {
        self.ended.get() || self.closed.borrow().is_some()
    }
}

pub(super) fn let_go(socket: Socket) {
    // Not in the table: it is closed already.
    let open = SOCKETS.with_borrow_mut(|sockets| sockets.get_mut(&socket.0).map(Option::take));
    if open.is_some() {
        // An error means that its `Closed` is on the way.
        let _ = socket.close();
    }
}

/// Forgets a socket that another actor has now.
pub(super) fn forget(socket: Socket) {
    SOCKETS.with_borrow_mut(|sockets| sockets.remove(&socket.0));
}
