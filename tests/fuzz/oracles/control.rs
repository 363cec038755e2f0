//! "Is this a bug?" for a line of a control client. Used by the fuzz target and by the replay test in
//! `host/tests/corpus.rs`.
//!
//! What must hold for any bytes: no panic; either a request, which comes back the same when it is written and read again,
//! or a problem with a code and words that is itself one line.

use wasmactor::control::protocol::{Request, response};

/// Panics if one of these does not hold.
pub(crate) fn check(data: &[u8]) {
    match Request::parse(data) {
        Ok(request) => {
            let line = request.line();
            let text = line.strip_suffix('\n').expect("a line has an end");
            assert!(!text.contains('\n'), "two lines: {line}");
            assert_eq!(Request::parse(text.as_bytes()), Ok(request));
        }
        Err((id, problem)) => {
            assert!(!problem.code.is_empty() && !problem.message.is_empty());
            let line = response(id, &Err(problem));
            assert_eq!(line.find('\n'), Some(line.len() - 1), "one line: {line}");
        }
    }
}
