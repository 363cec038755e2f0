//! What the sandbox knows of an instance that faulted: where it was, and what was in its memory. Left by the behavior in
//! its context, read by who writes the crash report.
//!
//! Must hold: all of it is the guest's: names and lines may be anything that a file can say.

/// One function on the guest's stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub struct Frame {
    /// From the name section, as people write it.
    #[cfg_attr(feature = "cli", serde(default, skip_serializing_if = "Option::is_none"))]
    pub function: Option<String>,
    /// The function's number in its core module.
    pub index: u32,
    /// Bytes from the start of the function's body, if that is known.
    #[cfg_attr(feature = "cli", serde(default, skip_serializing_if = "Option::is_none"))]
    pub offset: Option<u32>,
    /// Bytes from the start of the file that was compiled, which tells core modules of one component apart. Not for others.
    #[cfg_attr(feature = "cli", serde(skip))]
    pub at: Option<usize>,
    /// From the debug information, the innermost of inlined functions first; empty without any.
    #[cfg_attr(feature = "cli", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub lines: Vec<Line>,
}

/// A place in the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub struct Line {
    #[cfg_attr(feature = "cli", serde(default, skip_serializing_if = "Option::is_none"))]
    pub function: Option<String>,
    pub file: String,
    #[cfg_attr(feature = "cli", serde(default, skip_serializing_if = "Option::is_none"))]
    pub line: Option<u32>,
    #[cfg_attr(feature = "cli", serde(default, skip_serializing_if = "Option::is_none"))]
    pub column: Option<u32>,
}

/// See the file's head.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The innermost function first.
    pub frames: Vec<Frame>,
    /// A wasm core dump (the tool conventions' `Coredump.md`).
    pub dump: Option<Vec<u8>>,
    /// Why there is no dump.
    pub undumped: Option<String>,
    /// Limits of the sandbox, by their names in the report.
    pub limits: Vec<(&'static str, u64)>,
}
