//! Text of others inside our messages: escaped, so that no terminal obeys it and no log line is forged, and cut short.

use std::fmt::Write as _;

/// How much of a foreign message is shown: enough for every documented one, short enough for one log line.
pub(super) const MESSAGE: usize = 200;

/// How much of a foreign identifier (code, request id, header value) is shown.
pub(super) const IDENTIFIER: usize = 64;

/// Escapes what a terminal would obey or a reader would not see, and cuts after `limit` characters.
pub(super) fn quote(text: &str, limit: usize) -> String {
    let text = text.trim();
    let mut quoted = String::with_capacity(text.len().min(limit) + 4);
    for (shown, character) in text.chars().enumerate() {
        if shown == limit {
            quoted.push('…');
            break;
        }
        if is_unsafe(character) {
            // A `String` takes every write.
            let _infallible = write!(quoted, "{}", character.escape_default());
        } else {
            quoted.push(character);
        }
    }
    quoted
}

/// Says whether a character acts instead of being seen: control characters, separators of lines, and the marks that
/// reorder or hide text.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_long_text_is_cut() {
        let cases = [
            ("plain text", 200, "plain text"),
            ("  blanks around  ", 200, "blanks around"),
            ("\u{1b}[2Jgone", 200, "\\u{1b}[2Jgone"),
            ("two\r\nlines", 200, "two\\r\\nlines"),
            ("bell\u{7}", 200, "bell\\u{7}"),
            ("c1\u{9b}31m", 200, "c1\\u{9b}31m"),
            ("turned\u{202e}txt", 200, "turned\\u{202e}txt"),
            ("line\u{2028}forged", 200, "line\\u{2028}forged"),
            ("实例不存在", 200, "实例不存在"),
            ("abcdef", 3, "abc…"),
            ("abc", 3, "abc"),
            ("", 3, ""),
        ];
        for (text, limit, expected) in cases {
            assert_eq!(quote(text, limit), expected, "{text:?}");
        }
    }
}
