//! The parser: what it reads, what it refuses, and that the cuts between pieces do not matter.

use super::{Limits, Parser, ProtocolError};

/// What a client's bytes mean: the commands, and the error that ends them.
type Meaning = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>);

fn read(limits: Limits, pieces: &[&[u8]]) -> Meaning {
    let mut parser = Parser::new(limits);
    let mut commands = Vec::new();
    for piece in pieces {
        parser.feed(piece.to_vec());
        loop {
            match parser.next() {
                Ok(Some(command)) => {
                    assert_eq!(command.from(0).len(), command.len());
                    commands.push(command.from(0).map(<[u8]>::to_vec).collect());
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(parser.next().unwrap_err(), error, "an error is final");
                    return (commands, Some(error));
                }
            }
        }
    }
    (commands, None)
}

fn words(line: &str) -> Vec<Vec<u8>> {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

fn check(bytes: &[u8], commands: &[&str], error: Option<ProtocolError>) {
    let expected = (commands.iter().map(|line| words(line)).collect(), error);
    assert_eq!(read(Limits::default(), &[bytes]), expected, "{}", bytes.escape_ascii());
    for cut in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(read(Limits::default(), &[head, tail]), expected, "{}|{}", head.escape_ascii(), tail.escape_ascii());
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(read(Limits::default(), &single), expected, "{} byte by byte", bytes.escape_ascii());
}

#[test]
fn multibulk_inline_and_pipelines() {
    check(b"*1\r\n$4\r\nPING\r\n", &["PING"], None);
    check(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\nbc\r\n", &["GET a", "SET a bc"], None);
    check(b"PING\r\n", &["PING"], None);
    check(b"set a b\nget 'a'\r\n\r\n  \r\n", &["set a b", "get a"], None);
    check(b"PING\r\n*1\r\n$4\r\nPING\r\nPING\n", &["PING"; 3], None);
    check(b"*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n", &["PING"], None);
    check(b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", &["ECHO "], None);
    check(b"*2\r\n$4\r\nECHO\r\n$4\r\n\r\n*1\r\n", &["ECHO \r\n*1"], None);
    // Incomplete ones are waited for.
    check(b"PING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nh", &["PING"], None);
    check(b"PING", &[], None);
}

#[test]
fn errors_in_redis_words() {
    for (bytes, error) in [
        (b"*a\r\n".as_slice(), ProtocolError::MultibulkLength),
        (b"*\r\n", ProtocolError::MultibulkLength),
        (b"*01\r\n", ProtocolError::MultibulkLength),
        (b"*1048577\r\n", ProtocolError::MultibulkLength),
        (b"*99999999999999999999\r\n", ProtocolError::MultibulkLength),
        (b"*1\r\nxPING\r\n", ProtocolError::ExpectedDollar(b'x')),
        (b"*1\r\n\r\n", ProtocolError::ExpectedDollar(b'\r')),
        (b"*1\r\n$\r\n", ProtocolError::BulkLength),
        (b"*1\r\n$-1\r\n", ProtocolError::BulkLength),
        (b"*1\r\n$8388609\r\n", ProtocolError::BulkLength),
        (b"set \"a\r\n", ProtocolError::Quotes),
    ] {
        let mut bytes = [b"PING\r\n", bytes].concat();
        check(&bytes, &["PING"], Some(error));
        // What follows is ignored.
        bytes.extend_from_slice(b"PING\r\n");
        check(&bytes, &["PING"], Some(error));
    }
    assert_eq!(ProtocolError::ExpectedDollar(b'x').to_string(), "Protocol error: expected '$', got 'x'");
}

#[test]
fn long_lines_are_refused() {
    let long = vec![b'a'; (64 << 10) + 1];
    assert_eq!(read(Limits::default(), &[&long]).1, Some(ProtocolError::BigInline));
    assert_eq!(read(Limits::default(), &[b"*", &long]).1, Some(ProtocolError::BigMultibulkLine));
    assert_eq!(read(Limits::default(), &[b"*1\r\n$", &long]).1, Some(ProtocolError::BigBulkLine));
    assert_eq!(read(Limits::default(), &[&long[1..]]).1, None);
    assert_eq!(read(Limits::default(), &[&long[1..], b"\n"]).0.len(), 1);
}

#[test]
fn large_values_and_large_requests() {
    let value = vec![b'v'; 8 << 20];
    let mut request = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$8388608\r\n".to_vec();
    request.extend_from_slice(&value);
    request.extend_from_slice(b"\r\n");
    let pieces: Vec<&[u8]> = request.chunks(60_000).collect();
    let (commands, error) = read(Limits::default(), &pieces);
    assert_eq!(error, None);
    assert!(commands[0][2] == value);

    let limits = Limits { request: 50, ..Limits::default() };
    assert_eq!(read(limits, &[b"*2\r\n$4\r\nECHO\r\n$20\r\n01234567890123456789\r\n"]).1, None);
    assert_eq!(read(limits, &[b"*2\r\n$4\r\nECHO\r\n$40\r\n"]).1, Some(ProtocolError::BigRequest));
}

#[test]
fn a_request_in_one_piece_is_not_copied() {
    let bytes = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n".to_vec();
    let place = bytes.as_ptr_range();
    let mut parser = Parser::default();
    parser.feed(bytes);
    assert_eq!(parser.buffered(), 20);
    let command = parser.next().unwrap().unwrap();
    assert!(place.contains(&command.get(1).as_ptr()));
    assert_eq!(parser.buffered(), 0);
}

/// xorshift: seeded, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

#[test]
fn cuts_never_matter() {
    const PARTS: [&[u8]; 24] = [
        b"*",
        b"$",
        b"1",
        b"2",
        b"3",
        b"0",
        b"-",
        b"\r\n",
        b"\r",
        b"\n",
        b" ",
        b"\"",
        b"'",
        b"\\",
        b"x41",
        b"a",
        b"PING\r\n",
        b"*1\r\n",
        b"*2\r\n",
        b"$1\r\n",
        b"$4\r\nPING\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"$0\r\n\r\n",
        b"*1\r\n$3\r\na\0b\r\n",
    ];
    let limits = Limits { bulk: 30, arguments: 12, line: 16, request: 60 };
    for seed in 1..=20_000_u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut bytes = Vec::new();
        for _ in 0..random.below(20) {
            bytes.extend_from_slice(PARTS[random.below(PARTS.len())]);
        }
        let whole = read(limits, &[&bytes]);
        let mut pieces = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at(1 + random.below(rest.len().min(7)));
            pieces.push(piece);
            rest = tail;
        }
        assert_eq!(read(limits, &pieces), whole, "seed {seed}: {}", bytes.escape_ascii());
    }
}
