//! Text from elsewhere, made harmless for a screen.
//!
//! What the upstream sends is data: a name may hold an escape sequence, a line break that forges a second message, or a
//! mark that turns the reading order round. Everything that people read goes through [`safe`], on a terminal or not,
//! because a file is looked at on a terminal later.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// Returns the text with everything that a terminal obeys, or that nobody can see, written out: `\n`, `\u{202e}`.
///
/// A single variation selector behind the character that it belongs to stays: it chooses between two drawings of one
/// sign. Any other one is an invisible passenger.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    escape(text, |previous, character| {
        obeyed(character)
            || if selects_drawing(character) {
                !previous.is_some_and(takes_selector)
            } else {
                invisible(character)
            }
    })
}

/// Returns the text with everything that a terminal obeys written out, apart from line breaks and tabs: for formats
/// whose quoting holds those, and whose readers want the rest unchanged.
pub(crate) fn safe_multiline(text: &str) -> Cow<'_, str> {
    let mut rest = text.chars();
    let harmless = rest.all(|character| matches!(character, '\n' | '\t') || !obeyed(character));
    if harmless {
        return Cow::Borrowed(text);
    }
    // A carriage return is half a line break before a line feed, and overwrites the line anywhere else.
    let lines = text.split('\n').map(|line| match line.strip_suffix('\r') {
        Some(line) => (line, "\r"),
        None => (line, ""),
    });
    let count = text.matches('\n').count();
    let mut out = String::with_capacity(text.len());
    for (number, (line, end)) in lines.enumerate() {
        out.push_str(&escape(line, |_, character| {
            character != '\t' && obeyed(character)
        }));
        if number < count {
            out.push_str(end);
            out.push('\n');
        } else if !end.is_empty() {
            out.push_str("\\r");
        }
    }
    Cow::Owned(out)
}

/// Says whether a terminal or a text layout obeys the character instead of showing it: controls, marks and overrides of
/// the reading order, line and paragraph separators.
pub(crate) fn obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Says whether the character takes no ink, so that two texts that differ look the same (the default-ignorable ones,
/// blank fillers, tags).
pub(crate) fn invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Returns how many columns the text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    let mut measure = Measure::default();
    text.chars().for_each(|character| measure.add(character));
    measure.columns
}

/// Returns the longest beginning of the text that takes at most so many columns, with `…` in place of what is left out.
pub(crate) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    // Marks take no column, and a name may carry thousands of them: they are bounded as well.
    let most = columns.saturating_mul(4).saturating_add(4);
    let (mut measure, mut end) = (Measure::default(), 0);
    for (count, (at, character)) in text.char_indices().enumerate() {
        measure.add(character);
        if measure.columns > columns || count >= most {
            return Cow::Owned(format!("{}…", &text[..end]));
        }
        // One column is kept for the sign itself.
        if measure.columns < columns {
            end = at + character.len_utf8();
        }
    }
    Cow::Borrowed(text)
}

/// Returns the text in parts that take at most so many columns each; a character that is wider by itself has a part of
/// its own. An empty text is one empty part.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut measure, mut start, mut blank) = (Measure::default(), 0, None);
    let mut before = 0;
    for (place, character) in text.char_indices() {
        measure.add(character);
        // A selector is not parted from the sign that it makes wider.
        let at = if selects_drawing(character) {
            before
        } else {
            place
        };
        before = place;
        if measure.columns > columns && at > start {
            // Between words if there is a blank here or in the second half of the line, else in the middle of one. A blank
            // that does not fit is dropped.
            let end = blank
                .filter(|end| *end > start + (at - start) / 2)
                .unwrap_or(at);
            let (end, next) = if character == ' ' {
                (at, at + 1)
            } else {
                (end, end)
            };
            parts.push(text[start..end].trim_end_matches(' '));
            start = next;
            measure = Measure::default();
            text[start..place + character.len_utf8()]
                .chars()
                .for_each(|character| measure.add(character));
            blank = None;
        }
        if character == ' ' {
            blank = Some(place + 1);
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The columns of a text, counted a character at a time.
#[derive(Default)]
struct Measure {
    columns: usize,
    previous: usize,
}

impl Measure {
    fn add(&mut self, character: char) {
        let own = match character {
            // The selector of the coloured drawing makes a narrow sign a wide one.
            '\u{fe0f}' => usize::from(self.previous == 1),
            _ => character.width().unwrap_or(0),
        };
        self.columns += own;
        self.previous = own;
    }
}

fn selects_drawing(character: char) -> bool {
    matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn takes_selector(previous: char) -> bool {
    !(previous.is_whitespace()
        || obeyed(previous)
        || invisible(previous)
        || previous.is_ascii_alphabetic())
}

/// Writes out the characters that the rule names; it is told the character before as well.
fn escape(text: &str, written_out: impl Fn(Option<char>, char) -> bool) -> Cow<'_, str> {
    let mut out: Option<String> = None;
    let mut previous = None;
    for (at, character) in text.char_indices() {
        if written_out(previous, character) {
            let out = out.get_or_insert_with(|| text[..at].to_owned());
            match character {
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                _ => {
                    // A string takes whatever is written to it.
                    let _infallible = write!(out, "\\u{{{:x}}}", u32::from(character));
                }
            }
        } else if let Some(out) = &mut out {
            out.push(character);
        }
        previous = Some(character);
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        let cases = [
            ("plain, ünïcode, 実例, 🙂", "plain, ünïcode, 実例, 🙂"),
            ("\u{1b}[31mred\u{1b}[0m", r"\u{1b}[31mred\u{1b}[0m"),
            ("a\rb\nc\td", r"a\rb\nc\td"),
            (
                "bell\u{7} nul\u{0} del\u{7f}",
                r"bell\u{7} nul\u{0} del\u{7f}",
            ),
            ("\u{9b}31m next\u{85}line", r"\u{9b}31m next\u{85}line"),
            ("user\u{202e}nimda", r"user\u{202e}nimda"),
            (
                "\u{2066}x\u{2069}\u{200e}\u{200f}\u{61c}",
                r"\u{2066}x\u{2069}\u{200e}\u{200f}\u{61c}",
            ),
            ("line\u{2028}para\u{2029}", r"line\u{2028}para\u{2029}"),
            (
                "ad\u{200b}min\u{feff}\u{ad}",
                r"ad\u{200b}min\u{feff}\u{ad}",
            ),
            ("tag\u{e0041}", r"tag\u{e0041}"),
            ("\u{fe0f}first", r"\u{fe0f}first"),
            ("❤\u{fe0f}", "❤\u{fe0f}"),
            ("❤\u{fe0f}\u{fe0f}", "❤\u{fe0f}\\u{fe0f}"),
            ("葛\u{e0100}", "葛\u{e0100}"),
            ("a\u{e0101}", r"a\u{e0101}"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(safe(text), expected);
        }
    }

    #[test]
    fn no_character_passes_that_a_terminal_would_obey() {
        for character in '\0'..=char::MAX {
            let text = format!("x{character}y");
            for shown in [safe(&text), safe_multiline(&text)] {
                let obeyed: Vec<char> = shown
                    .chars()
                    .filter(|character| *character != '\n' && *character != '\t')
                    .filter(|character| obeyed(*character))
                    .collect();
                assert!(obeyed.is_empty(), "{:x}", u32::from(character));
            }
        }
    }

    #[test]
    fn line_breaks_stay_where_the_format_can_hold_them() {
        let cases = [
            ("two\nlines\tand a tab", "two\nlines\tand a tab"),
            ("two\r\nlines", "two\r\nlines"),
            ("over\rwritten", "over\\rwritten"),
            ("end\r", "end\\r"),
            ("\r\r\n", "\\r\r\n"),
            ("zwj 👩\u{200d}💻", "zwj 👩\u{200d}💻"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
        ];
        for (text, expected) in cases {
            assert_eq!(safe_multiline(text), expected);
        }
    }

    #[test]
    fn a_wrapped_text_is_broken_between_words_where_it_can_be() {
        let cases: [(&str, usize, &[&str]); 11] = [
            ("", 5, &[""]),
            ("just fits here", 9, &["just fits", "here"]),
            ("short", 5, &["short"]),
            ("two words", 6, &["two", "words"]),
            ("a longwordwithout", 8, &["a longwo", "rdwithou", "t"]),
            ("実例です", 5, &["実例", "です"]),
            ("実", 1, &["実"]),
            ("実例", 1, &["実", "例"]),
            (
                "e\u{301}e\u{301}e\u{301}",
                2,
                &["e\u{301}e\u{301}", "e\u{301}"],
            ),
            ("ab❤\u{fe0f}c", 3, &["ab", "❤\u{fe0f}c"]),
            ("❤\u{fe0f}", 1, &["❤\u{fe0f}"]),
        ];
        for (text, columns, expected) in cases {
            assert_eq!(wrap(text, columns), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cut_text_fits_and_says_that_it_was_cut() {
        let cases = [
            ("short", 5, "short"),
            ("longer", 5, "long…"),
            ("実例です", 8, "実例です"),
            ("実例です", 7, "実例で…"),
            ("実例です", 6, "実例…"),
            ("❤\u{fe0f}❤\u{fe0f}", 4, "❤\u{fe0f}❤\u{fe0f}"),
            ("ab", 1, "…"),
            ("", 0, ""),
        ];
        for (text, columns, expected) in cases {
            let cut = cut(text, columns);
            assert_eq!(cut, expected);
            assert!(width(&cut) <= columns);
        }
        let stacked = format!("a{}", "\u{301}".repeat(100_000));
        assert!(cut(&stacked, 10).len() < 200);
    }
}
