//! What an actor is to the host: an address, a mailbox and a behavior. Used by `node`, which gives it a life.
//!
//! The types are generic over the context `C` that a behavior acts through, since that is `node`'s.

pub mod behavior;
pub mod evidence;
pub mod population;
pub mod registry;
pub mod table;
pub mod usage;

pub use behavior::{Behavior, Fault, Module, Turn, Unsaved};
pub use evidence::{Evidence, Frame, Line};
pub use population::Population;
pub use registry::Registry;
pub use table::{Core, Phase, Slot, Table};
pub use usage::{COUNTED, Usage};
