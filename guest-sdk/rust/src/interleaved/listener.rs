//! [`TcpListener`]: connections to await.

use super::TcpStream;
use super::sockets::{State, adopt, let_go};
use crate::Socket;
use crate::socket::listen;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::Poll;

/// Takes connections. Dropping it stops listening.
pub struct TcpListener {
    socket: Socket,
    state: Rc<State>,
}

impl TcpListener {
    /// Listens at `IP:PORT`; port 0 takes a free one. Errors: the address is not granted, malformed, or in use.
    pub fn bind(at: &str) -> io::Result<Self> {
        let socket = listen(at)?;
        Ok(Self { socket, state: adopt(socket, String::new()) })
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
                return Poll::Ready(Err(io::Error::other(format!("the listener is closed: {reason}"))));
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

impl std::fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TcpListener").field(&self.socket).finish()
    }
}
