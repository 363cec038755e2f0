//! Reports through a file and back, and as text.

use crate::actor::{Frame, Line};
use crate::crash::report::{Event, Report};
use crate::crash::{ReadError, Shown, file, read};

fn report() -> Report {
    let line = Line { function: Some("inner".to_owned()), file: "a.rs".to_owned(), line: Some(3), column: None };
    let frame = Frame { function: Some("f".to_owned()), index: 4, offset: Some(5), at: Some(6), lines: vec![line] };
    Report {
        actor: "bob\u{1b}[31m".to_owned(),
        reason: "unreachable\n  note: a note".to_owned(),
        event: Event { event: "message".to_owned(), payload: Some("aGk=".to_owned()), ..Event::default() },
        backtrace: vec![frame],
        ..Report::default()
    }
}

#[test]
fn what_is_written_is_read() {
    let bytes = file::write(&report(), None).expect("it can be written");
    let (read, dump) = read(&bytes).expect("it can be read");
    let mut written = report();
    // Not for others.
    written.backtrace[0].at = None;
    assert_eq!(read, written);
    assert_eq!(dump, None);
}

#[test]
fn a_dump_has_the_frames_of_the_report() {
    let mut module = wasm_encoder::Module::new();
    module.section(&wasm_encoder::CoreDumpSection::new("bob"));
    let mut stack = wasm_encoder::CoreDumpStackSection::new("main");
    stack.frame(9, 1, 1, [], []);
    module.section(&stack);
    let bytes = file::write(&report(), Some(&module.finish())).expect("it can be written");
    let mut frames = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(&bytes) {
        if let wasmparser::Payload::CustomSection(section) = payload.expect("a module")
            && section.name() == "corestack"
        {
            let reader = wasmparser::BinaryReader::new(section.data(), 0);
            let stack = wasmparser::CoreDumpStackSection::new(reader).expect("a stack");
            frames.extend(stack.frames.iter().map(|frame| (frame.instanceidx, frame.funcidx, frame.codeoffset)));
        }
    }
    assert_eq!(frames, [(9, 4, 5)]);
    assert!(read(&bytes).is_ok());
}

#[test]
fn text_has_no_control_codes() {
    let text = Shown(&report(), None).to_string();
    assert!(text.starts_with("bob\\u{1b}[31m failed: unreachable\n  note: a note\n"), "{text}");
    assert!(text.contains("payload  \"hi\"\n"), "{text}");
    assert!(text.contains("   0  f\n        at a.rs:3\n"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn other_bytes_are_errors() {
    assert!(matches!(read(b"abc"), Err(ReadError::NotWasm)));
    assert!(matches!(read(b"\0asm\x01\0\0\0"), Err(ReadError::NoReport)));
    let bytes = file::write(&report(), None).expect("it can be written");
    for length in 4..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "cut at {length}");
    }
}
