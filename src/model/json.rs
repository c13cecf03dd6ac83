//! What can be said of a JSON text without parsing it: its kind, and a sample of it.

/// How many characters of a foreign text a message or the drift journal shows: enough to recognise it by, and no way to
/// flood a terminal or the archive.
const SAMPLE_CHARS: usize = 200;

/// The type of a JSON value, in the words of the JSON specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

impl Kind {
    /// Returns the kind that the text of one value shows by its first byte, or nothing where no value begins like that.
    ///
    /// It takes bytes because a damaged record has a kind as well.
    pub(crate) fn of(json: &[u8]) -> Option<Self> {
        match json.first()? {
            b'{' => Some(Self::Object),
            b'[' => Some(Self::Array),
            b'"' => Some(Self::String),
            b'-' | b'0'..=b'9' => Some(Self::Number),
            _ => match json {
                b"true" | b"false" => Some(Self::Boolean),
                b"null" => Some(Self::Null),
                _ => None,
            },
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
        }
    }
}

/// Returns the first 200 characters of a text.
pub(crate) fn sample(text: &str) -> &str {
    match text.char_indices().nth(SAMPLE_CHARS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_ends_between_characters() {
        assert_eq!(sample("short"), "short");
        assert_eq!(sample(&"x".repeat(200)).len(), 200);
        assert_eq!(sample(&"ß".repeat(300)), "ß".repeat(200));
    }

    #[test]
    fn a_kind_is_told_by_the_first_byte_and_a_literal_by_all_of_it() {
        let cases: [(&[u8], Option<Kind>); 10] = [
            (b"{", Some(Kind::Object)),
            (b"[]", Some(Kind::Array)),
            (b"\"\xff\"", Some(Kind::String)),
            (b"-1", Some(Kind::Number)),
            (b"0.10", Some(Kind::Number)),
            (b"false", Some(Kind::Boolean)),
            (b"null", Some(Kind::Null)),
            (b"nul", None),
            (b"<html>", None),
            (b"", None),
        ];
        for (json, expected) in cases {
            assert_eq!(Kind::of(json), expected, "{}", json.escape_ascii());
        }
    }
}
