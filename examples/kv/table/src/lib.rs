//! What a store keeps and does, without the actor: [`Table`], and the patterns of `KEYS`. Knows no actors, so it is tested
//! natively.

pub mod glob;
mod table;

pub use table::Table;
