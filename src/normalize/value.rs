//! What a JSON text says, as text.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::model::json::Kind;

/// The members of an object, with the JSON text of each value. Of two members of one name the last counts.
pub(super) type Members = BTreeMap<String, Box<RawValue>>;

/// Returns the members of an object, or of a string that holds the JSON text of one.
pub(super) fn object(json: &str) -> Option<Members> {
    match Kind::of(json.as_bytes())? {
        Kind::Object => serde_json::from_str(json).ok(),
        Kind::String => serde_json::from_str(&string(json)?).ok(),
        _ => None,
    }
}

/// Returns the decoded text of a string, and nothing for any other value.
pub(super) fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// Returns a value as the archive's columns hold it: a string decoded, nothing for null, any other value as sent.
pub(super) fn text(json: &str) -> Option<String> {
    match Kind::of(json.as_bytes()) {
        Some(Kind::Null) => None,
        // A string inside `params` may hold half a surrogate pair, which no text can: it stays as sent.
        Some(Kind::String) => Some(string(json).map_or_else(|| json.to_owned(), visible)),
        _ => Some(json.to_owned()),
    }
}

/// Makes a NUL character visible, as `\u0000`: the archive's own functions would end the text there.
pub(super) fn visible(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\\u0000")
    } else {
        text
    }
}
