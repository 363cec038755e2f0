//! Reports of crashes: what `node` and the sandbox gathered of an actor that faulted, as a file. Written by a thread of its
//! own while the app runs, read by `wasmactor crash`.
//!
//! | `report` | what a report says; its JSON |
//! | `file` | the file's form: a wasm core dump that carries the report |
//! | `folder` | where the files are: so many, of so many bytes, the oldest go |
//! | `writer` | the thread |
//! | `text` | a report for people |
//!
//! Must hold: no worker waits for a file; a file is there whole or not at all; whatever is in a file that is read, the
//! outcome is a report or a sentence. The format is described in docs/crash-file.md.

mod file;
mod folder;
mod report;
#[cfg(test)]
mod tests;
mod text;
mod writer;

pub use file::{ReadError, read};
pub use folder::{Bounds, user_folder};
pub use report::{Dump, Event, Report};
pub use text::Shown;
pub use writer::Writer;
