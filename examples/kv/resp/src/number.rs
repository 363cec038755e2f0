//! Numbers as Redis reads them: in the protocol and in `INCR`.

/// A decimal number in its one canonical form: no plus sign, no leading zeros, no spaces, no `-0`. None: it is none, or
/// does not fit.
pub fn integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits {
        [b'0'] if digits.len() == text.len() => Some(0),
        // Up to 18 digits cannot overflow: lengths and counters take this way.
        [b'1'..=b'9', ..] if digits.len() <= 18 => {
            let mut number = 0_i64;
            for digit in digits {
                if !digit.is_ascii_digit() {
                    return None;
                }
                number = number * 10 + i64::from(digit - b'0');
            }
            Some(if digits.len() == text.len() { number } else { -number })
        }
        [b'1'..=b'9', ..] => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::integer;

    #[test]
    fn only_the_canonical_form() {
        for number in [0, 1, -1, 10, 999_999_999_999_999_999, 1_000_000_000_000_000_000, i64::MAX, i64::MIN] {
            assert_eq!(integer(number.to_string().as_bytes()), Some(number));
        }
        for text in ["", "-", "+1", "01", "-0", "-01", " 1", "1 ", "1a", "a", "9223372036854775808", "1.0", "1\u{e9}"] {
            assert_eq!(integer(text.as_bytes()), None, "{text:?}");
        }
    }
}
