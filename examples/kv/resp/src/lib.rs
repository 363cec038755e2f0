//! RESP2, the Redis protocol, as a server sees it: requests come in ([`Parser`]), replies go out ([`reply`]).
//!
//! Used by the connection actor, and by the store for replies. Knows no actors and no sockets, so it is tested natively.
//!
//! Why not a crate: `redis-protocol` and its kind read *replies* and know neither inline commands nor a request's limits;
//! those that read requests begin a command anew with each piece of it, and none words its errors as Redis does, which
//! clients and people compare.
//!
//! What always holds: the commands that come out, and the error, do not depend on how the bytes were cut into pieces.

mod inline;
mod number;
mod parser;
pub mod reply;

pub use number::integer;
pub use parser::{Command, Limits, Parser, ProtocolError};
