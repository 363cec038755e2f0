//! Why something did not happen, in the words of `wit/types.wit`. Every request that ends without a reply ends with
//! one of these.

use std::borrow::Cow;
use std::fmt;

/// The machine-readable half; see `wit/types.wit` for each one's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    NoSuchActor,
    ActorFailed,
    ActorExited,
    Refused,
    MailboxFull,
    Deadline,
    NodeLost,
    NotGranted,
    Cycle,
    Invalid,
    Io,
    OverLimit,
}

impl ErrorCode {
    /// The name that the WIT file gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoSuchActor => "no-such-actor",
            Self::ActorFailed => "actor-failed",
            Self::ActorExited => "actor-exited",
            Self::Refused => "refused",
            Self::MailboxFull => "mailbox-full",
            Self::Deadline => "deadline",
            Self::NodeLost => "node-lost",
            Self::NotGranted => "not-granted",
            Self::Cycle => "cycle",
            Self::Invalid => "invalid",
            Self::Io => "io",
            Self::OverLimit => "over-limit",
        }
    }
}

/// A code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CallError {
    pub code: ErrorCode,
    pub reason: Cow<'static, str>,
}

impl CallError {
    /// An error with its sentence.
    pub fn new(code: ErrorCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.reason)
    }
}
