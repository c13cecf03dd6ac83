//! JSON text laid out over lines without being read.
//!
//! A raw record is shown exactly as it was received, but for blanks: numbers of four hundred digits, doubled keys and the
//! order of members stay, which a parser would not keep. Text that is not JSON comes out somehow, and never fails.

/// Blanks at the beginning of a line, at most: nesting is bounded upstream of here, the width of a page is not.
const DEEPEST: usize = 32;

/// Returns the text with a line for every member and element.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth: usize = 0;
    let mut rest = json.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' => {
                out.push('"');
                while let Some(inner) = rest.next() {
                    out.push(inner);
                    match inner {
                        '\\' => out.extend(rest.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(character);
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(close) = rest.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ if character.is_ascii_whitespace() => {}
            _ => out.push(character),
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth.min(DEEPEST)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_and_nothing_in_it_is_changed() {
        let raw = r#"{"a" :1e999,"a":[1, 2.50],"s":"x\"{,:} y\\","e":{ },"l":[]}"#;
        insta::assert_snapshot!(pretty(raw), @r#"
        {
          "a": 1e999,
          "a": [
            1,
            2.50
          ],
          "s": "x\"{,:} y\\",
          "e": {},
          "l": []
        }
        "#);
    }

    #[test]
    fn what_is_not_json_neither_fails_nor_grows_without_bound() {
        for text in ["", "}}]]", "\"open", "\"\\", "nonsense, more"] {
            assert!(pretty(text).len() <= 4 * text.len() + 4, "{text}");
        }
        let deep = "[".repeat(10_000);
        assert!(pretty(&deep).len() < 10_000 * (2 * DEEPEST + 3));
    }
}
