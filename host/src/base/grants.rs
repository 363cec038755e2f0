//! What an actor may touch. Written in the manifest, kept with the module, asked before each outward step.
//!
//! Must hold: deny by default; the empty value grants nothing.

use std::net::SocketAddr;
use std::path::PathBuf;

/// A name, or all names that start with a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    Exact(String),
    Prefix(String),
}

impl Pattern {
    /// `bank*` is a prefix, `*` matches all, everything else is exact.
    pub fn parse(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.to_owned()),
            None => Self::Exact(text.to_owned()),
        }
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Prefix(prefix) => name.starts_with(prefix),
        }
    }

    /// Whether this is `*`.
    pub fn matches_all(&self) -> bool {
        matches!(self, Self::Prefix(prefix) if prefix.is_empty())
    }

    /// Whether any of the patterns means the name.
    pub fn any(patterns: &[Self], name: &str) -> bool {
        patterns.iter().any(|pattern| pattern.matches(name))
    }
}

/// A folder that WASI shows to the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub host: PathBuf,
    pub guest: String,
    pub write: bool,
}

/// Everything that can be granted. `listen` and `connect` match the printed `IP:PORT`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    pub send: Vec<Pattern>,
    pub names: Vec<Pattern>,
    pub spawn: Vec<Pattern>,
    pub kill: Vec<Pattern>,
    pub listen: Vec<Pattern>,
    pub connect: Vec<Pattern>,
    pub env: Vec<Pattern>,
    pub files: Vec<Folder>,
}

impl Grants {
    /// Everything but files: for native behaviors in tests and benches.
    pub fn all() -> Self {
        let all = || vec![Pattern::Prefix(String::new())];
        Self {
            send: all(),
            names: all(),
            spawn: all(),
            kill: all(),
            listen: all(),
            connect: all(),
            env: all(),
            files: Vec::new(),
        }
    }

    /// Whether a socket address is granted by a list of patterns.
    pub fn address(patterns: &[Pattern], address: SocketAddr) -> bool {
        Pattern::any(patterns, &address.to_string())
    }
}
