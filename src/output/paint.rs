//! Colour on a terminal. It repeats what the words say already, so that nothing is lost where there is none.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

use crate::model::status;

/// What a piece of text is, as far as colour tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// A title, the name of a column.
    Title,
    /// It failed.
    Bad,
    /// It is open or in doubt: worth a look.
    Doubtful,
    /// What to do next.
    Helpful,
    /// There is nothing to see.
    Faint,
}

impl Tone {
    /// Chooses by the column that a value stands in: the same word is the same colour in every table.
    pub(crate) fn of(column: &str, value: &str) -> Self {
        if let Some(rest) = value.strip_suffix(" (missing)") {
            return match Self::of(column, rest) {
                Self::Plain => Self::Doubtful,
                tone => tone,
            };
        }
        let doubtful = |is_doubtful: bool| {
            if is_doubtful {
                Self::Doubtful
            } else {
                Self::Plain
            }
        };
        match column {
            "status" if status::is_failed(value) => Self::Bad,
            "status" => doubtful(!status::is_final(value)),
            "state" => doubtful(value == "gap"),
            "proven" => doubtful(matches!(value, "no" | "0")),
            "missing" | "missing_tasks" | "rejected" => doubtful(value != "0"),
            "missing_since"
            | "missing_confirmed_at"
            | "missing_as"
            | "gone_at"
            | "error"
            | "error_code" => doubtful(!value.is_empty()),
            _ => Self::Plain,
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Title => Style::new().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Doubtful => AnsiColor::Yellow.on_default(),
            Self::Helpful => AnsiColor::Cyan.on_default(),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// Returns the text in its tone, if colour is wanted. The text must be harmless already.
pub(crate) fn paint(text: &str, tone: Tone, is_wanted: bool) -> Cow<'_, str> {
    if !is_wanted || tone == Tone::Plain || text.is_empty() {
        return Cow::Borrowed(text);
    }
    let style = tone.style();
    Cow::Owned(format!("{style}{text}{style:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_coloured_by_the_column_that_it_stands_in() {
        let cases = [
            ("status", "SUCCESS", Tone::Plain),
            ("status", "failed", Tone::Bad),
            ("status", "EXECUTING", Tone::Doubtful),
            ("status", "FAILED (missing)", Tone::Bad),
            ("status", "SUCCESS (missing)", Tone::Doubtful),
            ("name", "FAILED", Tone::Plain),
            ("state", "gap", Tone::Doubtful),
            ("state", "vouched", Tone::Plain),
            ("proven", "no", Tone::Doubtful),
            ("proven", "yes", Tone::Plain),
            ("proven", "1", Tone::Plain),
            ("missing", "0", Tone::Plain),
            ("missing", "3", Tone::Doubtful),
            ("gone_at", "2026-10-01T00:00:00.000Z", Tone::Doubtful),
        ];
        for (column, value, expected) in cases {
            assert_eq!(Tone::of(column, value), expected, "{column} {value}");
        }
    }

    #[test]
    fn colour_is_ended_where_it_began_and_left_out_where_it_is_not_wanted() {
        assert_eq!(
            paint("FAILED", Tone::Bad, true),
            "\u{1b}[1m\u{1b}[31mFAILED\u{1b}[0m"
        );
        assert_eq!(paint("FAILED", Tone::Bad, false), "FAILED");
        assert_eq!(paint("x", Tone::Plain, true), "x");
        assert_eq!(paint("", Tone::Bad, true), "");
    }
}
