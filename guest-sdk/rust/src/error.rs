//! The two kinds of errors: [`Error`] is what the host (or the other actor, through the host) says, with a code that
//! programs look at; [`Failure`] is what a handler returns, a sentence that ends up in the caller's `Error`.

use crate::bindings::wasmactor::actor::types;
use std::fmt;

/// What handlers return. The error is a [`Failure`], which every other error type turns into by `?`.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

/// Why something did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// No actor has this address or name (any more).
    NoSuchActor,
    /// The actor trapped or broke a limit while the request was open.
    ActorFailed,
    /// The actor ended (exit, kill, host shutdown) before it answered.
    ActorExited,
    /// The actor's handler returned an error, rejected the request, or dropped it without an answer.
    Refused,
    /// The receiver's mailbox is at its bound.
    MailboxFull,
    /// No answer came in time.
    Deadline,
    /// The node of the receiver cannot be reached.
    NodeLost,
    /// The manifest does not grant this.
    NotGranted,
    /// This exclusive call would wait, through others, for itself.
    Cycle,
    /// An argument makes no sense, or a payload could not be encoded or decoded.
    Invalid,
    /// The operating system refused (sockets).
    Io,
    /// This actor is at one of its limits, or the host at one of its budgets: the reason names it.
    OverLimit,
}

impl ErrorCode {
    /// Not inlined: each copy would have a table of its own in the data that every actor has.
    #[inline(never)]
    fn words(self) -> &'static str {
        match self {
            Self::NoSuchActor => "no such actor",
            Self::ActorFailed => "actor failed",
            Self::ActorExited => "actor exited",
            Self::Refused => "refused",
            Self::MailboxFull => "mailbox full",
            Self::Deadline => "deadline",
            Self::NodeLost => "node lost",
            Self::NotGranted => "not granted",
            Self::Cycle => "cycle",
            Self::Invalid => "invalid",
            Self::Io => "io",
            Self::OverLimit => "over limit",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl From<types::ErrorCode> for ErrorCode {
    fn from(code: types::ErrorCode) -> Self {
        match code {
            types::ErrorCode::NoSuchActor => Self::NoSuchActor,
            types::ErrorCode::ActorFailed => Self::ActorFailed,
            types::ErrorCode::ActorExited => Self::ActorExited,
            types::ErrorCode::Refused => Self::Refused,
            types::ErrorCode::MailboxFull => Self::MailboxFull,
            types::ErrorCode::Deadline => Self::Deadline,
            types::ErrorCode::NodeLost => Self::NodeLost,
            types::ErrorCode::NotGranted => Self::NotGranted,
            types::ErrorCode::Cycle => Self::Cycle,
            types::ErrorCode::Invalid => Self::Invalid,
            types::ErrorCode::Io => Self::Io,
            types::ErrorCode::OverLimit => Self::OverLimit,
        }
    }
}

/// An error with a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of error.
    pub code: ErrorCode,
    /// One sentence; for `Refused` it is what the other actor's handler said.
    pub reason: String,
}

impl Error {
    pub(crate) fn invalid(reason: impl fmt::Display) -> Self {
        Self { code: ErrorCode::Invalid, reason: reason.to_string() }
    }
}

impl fmt::Display for Error {
    #[inline(never)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() { self.code.fmt(f) } else { write!(f, "{}: {}", self.code, self.reason) }
    }
}

impl std::error::Error for Error {}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        Self { code: error.code.into(), reason: error.reason }
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        use std::io::ErrorKind;
        let kind = match error.code {
            ErrorCode::NotGranted => ErrorKind::PermissionDenied,
            ErrorCode::Invalid => ErrorKind::InvalidInput,
            ErrorCode::Deadline => ErrorKind::TimedOut,
            _ => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Why a handler could not do what it was asked. Every error type turns into it by `?`; [`fail!`](crate::fail) makes
/// one from a format string. A caller sees it as [`ErrorCode::Refused`] with this text.
pub struct Failure(String);

impl Failure {
    /// A failure that says this.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }

    /// The text.
    pub fn reason(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_reason(self) -> String {
        self.0
    }
}

// `Failure` is no `std::error::Error` itself: only so can this blanket conversion exist (anyhow does the same).
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self(text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns from a handler with a [`Failure`] made from a format string: `fail!("no account {name}")`.
#[macro_export]
macro_rules! fail {
    ($($text:tt)*) => {
        return ::core::result::Result::Err($crate::Failure::new(::core::format_args!($($text)*)))
    };
}
