//! Why an operation on a socket did not happen. Made in `net`; `node::sockets` turns it into what guests see.
//!
//! Must hold: the words say which socket or address, what was tried, and what the operating system answered.

use std::io;
use std::net::SocketAddr;

use crate::net::SocketId;

/// Every way in which an operation can be refused.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// Another owner has it: a forged id, or one that was given away.
    #[error("socket {0} belongs to somebody else")]
    NotYours(SocketId),
    /// Closed already, about to be closed, or never there.
    #[error("socket {0} is closed")]
    Closed(SocketId),
    /// The operation makes no sense for this socket now.
    #[error("socket {id}: {why}")]
    Invalid { id: SocketId, why: &'static str },
    /// Too much waits to be sent; nothing of this write was taken.
    #[error("socket {id}: {queued} bytes wait to be sent and {more} more would be over the limit of {limit}")]
    Full { id: SocketId, queued: u64, more: u64, limit: u64 },
    /// The operating system refused. `what` is a verb: listen, connect, write.
    #[error("{what} {address}: {}", words(.error))]
    Io { what: &'static str, address: SocketAddr, error: io::Error },
}

/// The operating system's words for an error, in the style of a reason: "connection reset by peer".
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        // "No route to host" becomes lower case, "RPC failed" would stay as it is.
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{NetError, words};

    #[test]
    fn words_are_short() {
        assert_eq!(words(&io::Error::from_raw_os_error(104)), "connection reset by peer");
        assert_eq!(words(&io::Error::from_raw_os_error(110)), "connection timed out");
        assert_eq!(words(&io::Error::other("RPC failed")), "RPC failed");
        assert_eq!(words(&io::Error::other("")), "");
    }

    #[test]
    fn io_says_what_and_where() {
        let address = "127.0.0.1:80".parse().unwrap();
        let error = NetError::Io { what: "listen", address, error: io::Error::from_raw_os_error(13) };
        assert_eq!(error.to_string(), "listen 127.0.0.1:80: permission denied");
    }
}
