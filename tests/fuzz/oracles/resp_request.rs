//! "Is this a bug?" for the RESP parser. Used by the fuzz target and by the replay test in `examples/kv/resp`.
//!
//! What must hold for any bytes: no panic; commands and error do not depend on the cuts; what is inside the limits stays
//! inside; a command that is written down as multibulk reads as the same command.

use kv_resp::{Limits, Parser, ProtocolError};

type Command = Vec<Vec<u8>>;

/// Small, so that short inputs reach them.
const LIMITS: Limits = Limits { bulk: 40, arguments: 12, line: 24, request: 120 };

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Command>, Option<ProtocolError>) {
    let mut parser = Parser::new(LIMITS);
    let mut commands = Vec::new();
    for piece in pieces {
        let before = parser.buffered();
        parser.feed(piece.to_vec());
        assert!(parser.buffered() <= before + piece.len());
        loop {
            match parser.next() {
                Ok(Some(command)) => {
                    let arguments: Command = command.from(0).map(<[u8]>::to_vec).collect();
                    assert!(!arguments.is_empty() && arguments.len() <= LIMITS.arguments.max(LIMITS.line));
                    assert!(arguments.iter().all(|argument| argument.len() <= LIMITS.bulk.max(LIMITS.line)));
                    commands.push(arguments);
                }
                Ok(None) => break,
                Err(error) => return (commands, Some(error)),
            }
        }
    }
    (commands, None)
}

/// The first byte says how the others are cut.
pub(crate) fn check(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else { return };
    let whole = read(std::iter::once(bytes));
    assert_eq!(read(bytes.chunks(1)), whole, "byte by byte");
    assert_eq!(read(bytes.chunks(usize::from(*cut).max(1))), whole, "in pieces of {cut}");
    for command in &whole.0 {
        let mut written = format!("*{}\r\n", command.len()).into_bytes();
        for argument in command {
            written.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            written.extend_from_slice(argument);
            written.extend_from_slice(b"\r\n");
        }
        // An inline command may have more, or longer, arguments than a multibulk one.
        if command.len() <= LIMITS.arguments && written.len() <= LIMITS.request {
            assert_eq!(read(std::iter::once(written.as_slice())), (vec![command.clone()], None), "written anew");
        }
    }
}
