//! Whether a stream is coloured: what was typed, else what the terminal and its user want.

use std::ffi::{OsStr, OsString};

use super::When;

/// Which of the two streams are coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Colored {
    pub(crate) out: bool,
    pub(crate) err: bool,
}

impl Colored {
    /// Decides for each stream by itself: a table that is piped has no colour, the messages beside it may have.
    pub(crate) fn new(choice: When, (out, err): (bool, bool)) -> Self {
        let (no_color, term) = (read("NO_COLOR"), read("TERM"));
        let is_wanted =
            |is_terminal| decide(choice, is_terminal, no_color.as_deref(), term.as_deref());
        Self {
            out: is_wanted(out),
            err: is_wanted(err),
        }
    }
}

/// `NO_COLOR` counts if it holds anything (no-color.org), and a dumb terminal knows no colour.
fn decide(choice: When, is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    match choice {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            is_terminal && no_color.is_none_or(OsStr::is_empty) && term != Some(OsStr::new("dumb"))
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "these two belong to the terminal, and no option stands for them"
)]
fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_whose_user_does_not_refuse_it() {
        let cases = [
            (When::Auto, true, None, Some("xterm"), true),
            (When::Auto, true, None, None, true),
            (When::Auto, false, None, Some("xterm"), false),
            (When::Auto, true, Some("1"), Some("xterm"), false),
            (When::Auto, true, Some(""), Some("xterm"), true),
            (When::Auto, true, None, Some("dumb"), false),
            (When::Always, false, Some("1"), Some("dumb"), true),
            (When::Never, true, None, Some("xterm"), false),
        ];
        for (choice, is_terminal, no_color, term, expected) in cases {
            let (no_color, term) = (no_color.map(OsStr::new), term.map(OsStr::new));
            let decided = decide(choice, is_terminal, no_color, term);
            assert_eq!(
                decided, expected,
                "{choice:?} {is_terminal} {no_color:?} {term:?}"
            );
        }
    }
}
