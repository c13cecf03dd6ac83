//! What a JSON text says, as text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::json::Kind;

/// A member's name, copied only where it was sent with escapes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The members of an object, with the JSON text of each value. Of two members of one name the last counts.
pub(super) type Members<'a> = BTreeMap<Name<'a>, &'a RawValue>;

/// Returns the JSON text of an object: the value itself, or the text of a string, which may be one.
pub(super) fn object_text(json: &str) -> Option<Cow<'_, str>> {
    match Kind::of(json.as_bytes())? {
        Kind::Object => Some(Cow::Borrowed(json)),
        Kind::String => string(json),
        _ => None,
    }
}

/// Returns the members of an object.
pub(super) fn members(json: &str) -> Option<Members<'_>> {
    serde_json::from_str(json).ok()
}

/// Returns the decoded text of a string, and nothing for any other value.
pub(super) fn string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    // A record was checked when it was received: what stands between the quotes is the text, unless it has escapes.
    if inner.bytes().any(|byte| matches!(byte, b'\\' | b'"')) {
        return serde_json::from_str(json).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
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
pub(super) fn visible(text: Cow<'_, str>) -> String {
    if text.contains('\0') {
        text.replace('\0', "\\u0000")
    } else {
        text.into_owned()
    }
}
