//! Inline commands: a line of words, for people with telnet. Words may be quoted as in Redis:
//! `"a\x00\n"` with escapes, `'it\'s'` without.

/// Splits `line` into words, whose places go to `words` as (start, length). Quotes and escapes are undone in place: what
/// they stand for is never longer.
///
/// Returns false if a quote is not closed, or is not followed by a space.
pub(crate) fn split(line: &mut [u8], words: &mut Vec<(usize, usize)>) -> bool {
    let mut at = 0;
    loop {
        while at < line.len() && is_space(line[at]) {
            at += 1;
        }
        if at == line.len() {
            return true;
        }
        let start = at;
        let mut end = at;
        while at < line.len() && !matches!(line[at], b' ' | b'\n' | b'\r' | b'\t') {
            match line[at] {
                b'"' | b'\'' => match unquote(line, at, &mut end) {
                    Some(next) if next == line.len() || is_space(line[next]) => {
                        at = next;
                        break;
                    }
                    _ => return false,
                },
                byte => {
                    line[end] = byte;
                    end += 1;
                    at += 1;
                }
            }
        }
        words.push((start, end - start));
    }
}

/// Copies what stands between the quote at `at` and its fellow to `end`. Returns where the text goes on.
fn unquote(line: &mut [u8], mut at: usize, end: &mut usize) -> Option<usize> {
    let quote = line[at];
    at += 1;
    loop {
        let (byte, length) = match (*line.get(at)?, line.get(at + 1)) {
            (byte, _) if byte == quote => return Some(at + 1),
            (b'\\', Some(b'\'')) if quote == b'\'' => (b'\'', 2),
            (b'\\', Some(&escape)) if quote == b'"' => match (escape, hex(line.get(at + 2)), hex(line.get(at + 3))) {
                (b'x', Some(high), Some(low)) => (high * 16 + low, 4),
                (b'n', ..) => (b'\n', 2),
                (b'r', ..) => (b'\r', 2),
                (b't', ..) => (b'\t', 2),
                (b'b', ..) => (0x08, 2),
                (b'a', ..) => (0x07, 2),
                _ => (escape, 2),
            },
            (byte, _) => (byte, 1),
        };
        line[*end] = byte;
        *end += 1;
        at += length;
    }
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    match digit? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use super::split;

    fn check(line: &str, expected: Option<&[&[u8]]>) {
        let mut line = line.as_bytes().to_vec();
        let mut words = Vec::new();
        let whole = split(&mut line, &mut words);
        let words: Vec<&[u8]> = words.iter().map(|&(start, length)| &line[start..start + length]).collect();
        assert_eq!(whole.then_some(words.as_slice()), expected);
    }

    #[test]
    fn words_and_quotes() {
        check("", Some(&[]));
        check("  \t ", Some(&[]));
        check(" set  a\tb ", Some(&[b"set", b"a", b"b"]));
        check(r#"set "a b" 'c d'"#, Some(&[b"set", b"a b", b"c d"]));
        check(r#""" ''"#, Some(&[b"", b""]));
        check(r#""\x00\xfF\xg\n\r\t\b\a\"\\\q""#, Some(&[b"\0\xffxg\n\r\t\x08\x07\"\\q"]));
        check(r"'it\'s \n'", Some(&[br"it's \n"]));
        check(r#"foo"bar baz" x"#, Some(&[b"foobar baz", b"x"]));
    }

    #[test]
    fn quotes_that_do_not_match() {
        for line in [r#"""#, "'", r#""a"b"#, "'a'b", r#"set "a"#, r#""a\"#, r#""a\""#, r"'a\'", r#"'a'"b""#] {
            check(line, None);
        }
    }
}
