//! Replies, appended to a buffer that the caller owns: one buffer takes the replies of a whole pipeline.

/// `+text`. The text is ours: it has no line ends.
pub fn simple(out: &mut Vec<u8>, text: &str) {
    out.push(b'+');
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// `-text`, with its first word (`ERR`, `NOPROTO`). It may quote the client, so line ends become spaces.
pub fn error(out: &mut Vec<u8>, text: impl AsRef<[u8]>) {
    out.push(b'-');
    out.extend(text.as_ref().iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
    out.extend_from_slice(b"\r\n");
}

/// `:number`.
pub fn integer(out: &mut Vec<u8>, number: i64) {
    header(out, b':', number);
}

/// A string of any bytes.
pub fn bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 16);
    count(out, b'$', bytes.len());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// No value, as RESP2 says it.
pub const NULL: &[u8] = b"$-1\r\n";

/// No value, as RESP3 says it.
pub const NULL3: &[u8] = b"_\r\n";

/// The head of an array; the elements follow as replies.
pub fn array(out: &mut Vec<u8>, elements: usize) {
    count(out, b'*', elements);
}

/// The head of a RESP3 map; keys and values follow in turn.
pub fn map(out: &mut Vec<u8>, pairs: usize) {
    count(out, b'%', pairs);
}

fn count(out: &mut Vec<u8>, mark: u8, count: usize) {
    // No buffer is longer than i64::MAX.
    header(out, mark, i64::try_from(count).unwrap_or(i64::MAX));
}

fn header(out: &mut Vec<u8>, mark: u8, number: i64) {
    out.push(mark);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::{array, bulk, error, integer, map, simple};

    #[test]
    fn every_kind() {
        let mut out = Vec::new();
        simple(&mut out, "OK");
        error(&mut out, "ERR a\r\nb");
        integer(&mut out, -7);
        bulk(&mut out, b"a\0\r\n");
        bulk(&mut out, b"");
        array(&mut out, 2);
        map(&mut out, 1);
        assert_eq!(out, b"+OK\r\n-ERR a  b\r\n:-7\r\n$4\r\na\0\r\n\r\n$0\r\n\r\n*2\r\n%1\r\n");
    }
}
