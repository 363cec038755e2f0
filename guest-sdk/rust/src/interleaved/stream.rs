//! [`TcpStream`]: a connection to await. Both directions can be used at once by two tasks (`Rc<TcpStream>`, or
//! `&TcpStream`, which is `AsyncRead` and `AsyncWrite` too); one task a direction.

use super::sockets::{BACKLOG_BOUND, State, UNREAD_BOUND, adopt, forget, let_go};
use crate::socket::connect;
use crate::{Address, Socket};
use futures_util::io::{AsyncRead, AsyncWrite};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

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
                return Poll::Ready(Err(state.broken().unwrap_or_else(|| io::ErrorKind::ConnectionAborted.into())));
            }
            state.wait_to_read(context)
        })
        .await?;
        Ok(stream)
    }

    /// Makes a stream of a socket that was accepted, or that another actor gave (`SocketEvent::Given`).
    pub fn given(socket: Socket, peer: String) -> Self {
        Self { socket, state: adopt(socket, peer), gone: false }
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
        if self.state.over() || self.state.flowing.get() || self.state.unread_bytes.get() >= UNREAD_BOUND / 2 {
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
            state.unread_bytes.set(state.unread_bytes.get() - bytes.len());
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
        self.state.congested.set(self.socket.write(data)? >= BACKLOG_BOUND);
        Poll::Ready(Ok(()))
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        if self.gone {
            forget(self.socket);
        } else {
            let_go(self.socket);
        }
    }
}

impl AsyncRead for &TcpStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_copy(context, into)
    }
}

impl AsyncWrite for &TcpStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
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
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_copy(context, into)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(context, data).map_ok(|()| data.len())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drained(context)
    }

    fn poll_close(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown())
    }
}

impl std::fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TcpStream").field(&self.socket).finish()
    }
}
