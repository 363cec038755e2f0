//! How a script is written.
//!
//! Statements stand on lines or between `;`. Words stand between spaces; `{…}` is one word, taken as it is, so that a
//! script can carry scripts. `$x` is the value of `x`. Inside of `{…}` it is left alone for whoever runs that script;
//! `%x` is filled in at once, however deep.

/// One statement: its words, in which `{…}` has lost its outer braces.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) braced: bool,
}

/// The statements of a script.
pub(crate) fn statements(script: &str) -> Vec<Vec<Word>> {
    let mut all = Vec::new();
    let mut words = Vec::new();
    let mut word = String::new();
    let mut depth = 0;
    let end_word = |word: &mut String, words: &mut Vec<Word>, braced: bool| {
        if braced || !word.is_empty() {
            words.push(Word { text: std::mem::take(word), braced });
        }
    };
    for character in script.chars() {
        match character {
            '{' if depth == 0 => {
                end_word(&mut word, &mut words, false);
                depth = 1;
            }
            '}' if depth == 1 => {
                depth = 0;
                end_word(&mut word, &mut words, true);
            }
            _ if depth > 0 => {
                depth = match character {
                    '{' => depth + 1,
                    '}' => depth - 1,
                    _ => depth,
                };
                word.push(character);
            }
            ';' | '\n' => {
                end_word(&mut word, &mut words, false);
                all.push(std::mem::take(&mut words));
            }
            ' ' => end_word(&mut word, &mut words, false),
            other => word.push(other),
        }
    }
    end_word(&mut word, &mut words, false);
    all.push(words);
    all.retain(|words| !words.is_empty());
    all
}

/// A text with `$x` (or `%x`) replaced by what `value` says; names are letters, digits and `_`.
pub(crate) fn filled(text: &str, mark: char, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        let (before, after) = rest.split_at(at);
        let after = &after[mark.len_utf8()..];
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        out.push_str(before);
        match value(&after[..end]) {
            Some(value) => out.push_str(&value),
            None => {
                out.push(mark);
                out.push_str(&after[..end]);
            }
        }
        rest = &after[end..];
    }
    out + rest
}

/// The string in the manifest's `args`, which come as MessagePack; what a spawner gives is taken as it is.
pub(crate) fn text_of_args(args: &[u8]) -> String {
    let text = match args {
        [0xa0..=0xbf, text @ ..] | [0xd9, _, text @ ..] | [0xda, _, _, text @ ..] => text,
        other => other,
    };
    String::from_utf8_lossy(text).into_owned()
}
