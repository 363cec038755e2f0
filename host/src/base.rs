//! The words of the host: addresses, sessions, messages, errors, and the one door to locks and atomics.
//!
//! Every layer uses this one; it uses none.

pub mod address;
pub mod error;
pub mod grants;
pub mod histogram;
pub mod lock;
pub mod message;
pub mod payload;
pub mod session;
pub mod sole;
pub mod sync;

pub use address::Address;
pub use error::{CallError, ErrorCode};
pub use grants::{Grants, Pattern};
pub use message::{Body, Cause, Message, Signal, SocketEvent};
pub use payload::Payload;
pub use session::{Session, SessionMap};
