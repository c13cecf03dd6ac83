//! What need not be stored twice, because the record's own text holds it and SQLite reads it out the same way.
//!
//! The parameters of a task and their long values stand in the raw text already; the views read them from there. That
//! holds only where SQLite's reading is certain to be ours, so each shortcut asks for the plainest form and anything else
//! is stored. A test compares the views with the normalised rows for texts of every kind.

use crate::model::rows::{ChangeRow, Source};

/// Values shorter than this are stored: reading them from the raw text would save nothing.
const LONG: usize = 24;

/// Says whether `json_extract(raw, '$.params')` is the parameters' text.
pub(super) fn params_stand_in_raw(raw: &str, params: &str) -> bool {
    // One member of that name, a string, and no escaped NUL, which we show as six characters and SQLite as a NUL. Adopted
    // fields are never parameters.
    raw.matches("\"params\"").count() == 1
        && raw.contains("\"params\":\"")
        && !params.contains("\\u0000")
        && !raw.contains("\\u0000")
}

/// Says whether `json_extract(params, '$.name')` is the value of this row.
pub(super) fn value_stands_in_params(change: &ChangeRow, params: &str) -> bool {
    let Some(value) = change.new_value.as_deref() else {
        return false;
    };
    let is_plain =
        |text: &str| !text.contains(|letter: char| letter.is_whitespace() || letter == '\\');
    let quoted = format!("\"{}\"", change.attribute);
    change.source == Source::Params
        && !change.folded
        && change.old_value.is_none()
        && value.len() >= LONG
        && value.starts_with(['[', '{'])
        && is_plain(value)
        && is_plain(params)
        && change
            .attribute
            .starts_with(|letter: char| letter.is_ascii_alphabetic())
        && change
            .attribute
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && params.matches(&quoted).count() == 1
        && params.starts_with('{')
        && params.contains(&format!("{quoted}:{value}"))
}
