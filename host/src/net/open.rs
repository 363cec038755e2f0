//! Makes sockets: the system calls of listen and connect, with the options that all of ours have.
//!
//! Every socket is non-blocking and close-on-exec; every connection has no delay (small answers go out at once) and
//! keepalive (a peer that vanished is noticed some day). Accepted ones have both from their listener (Linux).

use std::io;
use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Protocol, Socket, Type};

/// skynet's; the kernel cuts it to net.core.somaxconn.
const BACKLOG: i32 = 1024;

/// The standard library has no stable name for it: Linux, and the BSDs with macOS.
const EINPROGRESS: i32 = if cfg!(target_os = "linux") { 115 } else { 36 };

/// A listener that is bound and listens. `[::]` means IPv6 only: what is granted is what is listened on.
pub(super) fn listen(at: SocketAddr) -> io::Result<mio::net::TcpListener> {
    let socket = make(at)?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restarted host shall not wait for the last one's connections in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    Ok(mio::net::TcpListener::from_std(socket.into()))
}

/// A connection on its way, and the error if connect(2) itself knows one already: that is reported as an event, like
/// the errors that come later.
pub(super) fn connect(to: SocketAddr) -> io::Result<(TcpStream, Option<io::Error>)> {
    let socket = make(to)?;
    let failed = match socket.connect(&to.into()) {
        Err(error) if !on_its_way(&error) => Some(error),
        _ => None,
    };
    Ok((socket.into(), failed))
}

fn make(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    socket.set_tcp_nodelay(true)?;
    socket.set_keepalive(true)?;
    Ok(socket)
}

/// The answer comes as an edge.
fn on_its_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(EINPROGRESS) || error.kind() == io::ErrorKind::Interrupted
}
