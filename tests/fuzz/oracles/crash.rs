//! "Is this a bug?" for reports of crashes. Used by the fuzz target and by the replay test in `host/tests/corpus.rs`.
//!
//! What must hold for any bytes: no panic; either a report, whose text has no control codes and whose JSON is read as the
//! same report, or a sentence.

use wasmactor::crash::{self, Report, Shown};

/// Panics if one of these does not hold.
pub(crate) fn check(data: &[u8]) {
    match crash::read(data) {
        Ok((report, dump)) => {
            let text = Shown(&report, dump).to_string();
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "a control code: {text:?}");
            let json = serde_json::to_string(&report).expect("a report is JSON");
            assert_eq!(serde_json::from_str::<Report>(&json).expect("and back"), report);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
