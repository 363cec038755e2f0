//! What can be said about a socket, for a netstat. Made by `Net::stats`.

use std::net::SocketAddr;

use crate::net::{Owner, SocketId};

/// One socket at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketInfo {
    pub id: SocketId,
    pub owner: Owner,
    /// None for a listener.
    pub peer: Option<SocketAddr>,
    /// None if the operating system does not say (a broken connection).
    pub local: Option<SocketAddr>,
    /// Bytes handed to the owner.
    pub bytes_in: u64,
    /// Bytes taken by the kernel.
    pub bytes_out: u64,
    /// Bytes that wait to be sent.
    pub backlog: u64,
    /// Whether the owner lets data (or connections) come in.
    pub reading: bool,
    /// Whether reading waits for the owner's mailbox.
    pub held: bool,
    /// Whether it was closed by its owner and only sends what is queued.
    pub closing: bool,
}
