//! [`TcpListener`] and [`TcpStream`]: sockets to await. Both directions of a stream can be used at once by two tasks
//! (`Rc<TcpStream>`, or `&TcpStream`, which is `AsyncRead` and `AsyncWrite` too); one task a direction.

use crate::socket::{connect, listen};
use crate::{Address, Socket, SocketEvent};
use futures_util::io::{AsyncRead, AsyncWrite};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Bytes read and not taken by the actor at which the socket is paused.
const UNREAD_BOUND: usize = 256 << 10;

/// Bytes that wait to be sent at which writers wait. The host reports the backlog from here on, and when it is sent.
const BACKLOG_BOUND: u64 = 1 << 20;

#[derive(Default)]
struct State {
    connected: Cell<bool>,
    peer: RefCell<String>,
    accepted: RefCell<VecDeque<(Socket, String)>>,
    /// Chunks as they came; of the first one `taken` bytes are gone.
    unread: RefCell<VecDeque<Vec<u8>>>,
    taken: Cell<usize>,
    unread_bytes: Cell<usize>,
    flowing: Cell<bool>,
    ended: Cell<bool>,
    closed: RefCell<Option<String>>,
    congested: Cell<bool>,
    /// Who waits for something to come in: data, a connection, `connected`.
    reader: Cell<Option<Waker>>,
    /// Who waits for the backlog to be sent.
    writer: Cell<Option<Waker>>,
}

thread_local! {
    /// `None`: dropped by the actor, its last event (`Closed`) has not come.
    static SOCKETS: RefCell<FxHashMap<u64, Option<Rc<State>>>> = RefCell::new(FxHashMap::default());
}

fn adopt(socket: Socket, peer: String) -> Rc<State> {
    let state = Rc::new(State {
        peer: RefCell::new(peer),
        ..State::default()
    });
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
            SocketEvent::Accepted { socket, peer } => {
                self.accepted.borrow_mut().push_back((socket, peer))
            }
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

    fn wait_to_read<T>(&self, context: &Context<'_>) -> Poll<T> {
        self.reader.set(Some(context.waker().clone()));
        Poll::Pending
    }

    /// The error of a socket that is gone; an orderly close is `None`.
    fn broken(&self) -> Option<io::Error> {
        self.closed
            .borrow()
            .as_deref()
            .filter(|reason| !reason.is_empty())
            .map(io::Error::other)
    }

    fn over(&self) -> bool {
        self.ended.get() || self.closed.borrow().is_some()
    }
}

/// Takes connections. Dropping it stops listening.
pub struct TcpListener {
    socket: Socket,
    state: Rc<State>,
}

impl TcpListener {
    /// Listens at `IP:PORT`; port 0 takes a free one. Errors: the address is not granted, malformed, or in use.
    pub fn bind(at: &str) -> io::Result<Self> {
        let socket = listen(at)?;
        Ok(Self {
            socket,
            state: adopt(socket, String::new()),
        })
    }

    /// Waits for the next connection. Errors: the listener is gone.
    pub async fn accept(&self) -> io::Result<TcpStream> {
        let (socket, peer) = self.accept_raw().await?;
        Ok(TcpStream::given(socket, peer))
    }

    /// [`accept`](Self::accept) without making a stream of it: to [`give`](Socket::give) it to another actor. With the
    /// other side's `IP:PORT`.
    pub async fn accept_raw(&self) -> io::Result<(Socket, String)> {
        poll_fn(|context| {
            if let Some(accepted) = self.state.accepted.borrow_mut().pop_front() {
                return Poll::Ready(Ok(accepted));
            }
            if let Some(reason) = self.state.closed.borrow().as_ref() {
                return Poll::Ready(Err(io::Error::other(format!(
                    "the listener is closed: {reason}"
                ))));
            }
            self.state.wait_to_read(context)
        })
        .await
    }

    /// The `IP:PORT` that it listens at.
    pub fn local(&self) -> io::Result<String> {
        Ok(self.socket.local()?)
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        let_go(self.socket);
        for (socket, _) in self.state.accepted.borrow_mut().drain(..) {
            // An error means that it is closed already.
            let _ = socket.close();
        }
    }
}

fn let_go(socket: Socket) {
    // Not in the table: it is closed already.
    let open = SOCKETS.with_borrow_mut(|sockets| sockets.get_mut(&socket.0).map(Option::take));
    if open.is_some() {
        // An error means that its `Closed` is on the way.
        let _ = socket.close();
    }
}

/// A connection. Dropping it sends what is queued, then closes.
pub struct TcpStream {
    socket: Socket,
    state: Rc<State>,
    /// Given away: nothing is left to close.
    gone: bool,
}

impl TcpStream {
    /// Connects to `IP:PORT`. Errors: the address is not granted or malformed, or the operating system refused.
    pub async fn connect(to: &str) -> io::Result<Self> {
        let socket = connect(to)?;
        let stream = Self::given(socket, to.to_owned());
        let state = &stream.state;
        poll_fn(|context| {
            if state.connected.get() {
                return Poll::Ready(Ok(()));
            }
            if state.closed.borrow().is_some() {
                return Poll::Ready(Err(state
                    .broken()
                    .unwrap_or_else(|| io::ErrorKind::ConnectionAborted.into())));
            }
            state.wait_to_read(context)
        })
        .await?;
        Ok(stream)
    }

    /// Makes a stream of a socket that was accepted, or that another actor gave (`SocketEvent::Given`).
    pub fn given(socket: Socket, peer: String) -> Self {
        Self {
            socket,
            state: adopt(socket, peer),
            gone: false,
        }
    }

    /// The other side's `IP:PORT`.
    pub fn peer(&self) -> String {
        self.state.peer.borrow().clone()
    }

    /// The own end's `IP:PORT`.
    pub fn local(&self) -> io::Result<String> {
        Ok(self.socket.local()?)
    }

    /// Waits for the next bytes, as they came. `None`: the other side sends no more. The cheapest way to read: the
    /// bytes are not copied again.
    pub async fn recv(&self) -> io::Result<Option<Vec<u8>>> {
        poll_fn(|context| self.poll_chunk(context)).await
    }

    /// Sends all of `data`: at once, or by the host's queue. Waits only while more than 1 MiB waits to be sent.
    pub async fn send(&self, data: &[u8]) -> io::Result<()> {
        poll_fn(|context| self.poll_send(context, data)).await
    }

    /// Tells the other side that no more comes, when all is sent. Reading goes on.
    pub fn shutdown(&self) -> io::Result<()> {
        Ok(self.socket.shutdown()?)
    }

    /// Hands the connection to another actor, which gets `SocketEvent::Given`. Bytes that were read already are lost,
    /// so do it before the first read. On error it is closed.
    pub fn give(mut self, to: Address) -> io::Result<()> {
        if self.state.flowing.replace(false) {
            self.socket.pause()?;
        }
        self.socket.give(to)?;
        self.gone = true;
        Ok(())
    }

    /// Data flows from the first read on, and again when what was read is taken.
    fn flow(&self) -> io::Result<()> {
        if self.state.over()
            || self.state.flowing.get()
            || self.state.unread_bytes.get() >= UNREAD_BOUND / 2
        {
            return Ok(());
        }
        self.socket.start()?;
        self.state.flowing.set(true);
        Ok(())
    }

    fn poll_chunk(&self, context: &Context<'_>) -> Poll<io::Result<Option<Vec<u8>>>> {
        let state = &self.state;
        let chunk = state.unread.borrow_mut().pop_front();
        if let Some(mut bytes) = chunk {
            bytes.drain(..state.taken.take());
            state
                .unread_bytes
                .set(state.unread_bytes.get() - bytes.len());
            self.flow()?;
            return Poll::Ready(Ok(Some(bytes)));
        }
        if state.over() {
            return Poll::Ready(state.broken().map_or(Ok(None), Err));
        }
        self.flow()?;
        state.wait_to_read(context)
    }

    fn poll_copy(&self, context: &Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let state = &self.state;
        if into.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let mut unread = state.unread.borrow_mut();
        let Some(first) = unread.front() else {
            if state.over() {
                return Poll::Ready(state.broken().map_or(Ok(0), Err));
            }
            self.flow()?;
            return state.wait_to_read(context);
        };
        let rest = &first[state.taken.get()..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        if count == rest.len() {
            unread.pop_front();
            state.taken.set(0);
        } else {
            state.taken.set(state.taken.get() + count);
        }
        state.unread_bytes.set(state.unread_bytes.get() - count);
        self.flow()?;
        Poll::Ready(Ok(count))
    }

    fn poll_drained(&self, context: &Context<'_>) -> Poll<io::Result<()>> {
        if self.state.congested.get() {
            self.state.writer.set(Some(context.waker().clone()));
            return Poll::Pending;
        }
        Poll::Ready(self.state.broken().map_or(Ok(()), Err))
    }

    fn poll_send(&self, context: &Context<'_>, data: &[u8]) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_drained(context))?;
        self.state
            .congested
            .set(self.socket.write(data)? >= BACKLOG_BOUND);
        Poll::Ready(Ok(()))
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        if self.gone {
            SOCKETS.with_borrow_mut(|sockets| sockets.remove(&self.socket.0));
        } else {
            let_go(self.socket);
        }
    }
}

impl AsyncRead for &TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_copy(context, into)
    }
}

impl AsyncWrite for &TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(context, data).map_ok(|()| data.len())
    }

    /// The host sends without being asked; this waits only while more than 1 MiB waits to be sent.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drained(context)
    }

    fn poll_close(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown())
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_copy(context, into)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(context, data).map_ok(|()| data.len())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drained(context)
    }

    fn poll_close(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown())
    }
}

impl std::fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TcpListener").field(&self.socket).finish()
    }
}

impl std::fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TcpStream").field(&self.socket).finish()
    }
}
