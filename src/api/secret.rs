//! A secret: a value that cannot be printed by accident.
//!
//! It has no `Display`, its `Debug` shows stars, and its bytes are overwritten when it is dropped, as far as safe code
//! can: copies in the buffers of HTTP and TLS are out of reach. It also knows how to take itself out of foreign text,
//! because error pages of proxies repeat the request's headers.

use std::{collections::HashSet, fmt, hint::black_box, ops::Range};

use reqwest::header::HeaderValue;

/// What stands where a secret was.
const STARS: &str = "***";

/// How many characters in a row give a piece of a secret away. Shorter ones occur in any text; with this many, what is
/// left of a token is no help to anybody.
const PIECE: usize = 12;

/// The shortest password that is taken out of foreign text.
const SHORTEST: usize = 3;

/// A token that can stand in a header: visible ASCII, not empty.
#[derive(PartialEq, Eq)]
pub(crate) struct Secret(String);

/// Why a text is not a token. Says nothing about the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("it is empty")]
    Empty,
    #[error("it holds a line break or another control character")]
    ControlCharacter,
    #[error("it holds a blank")]
    Blank,
    #[error("it holds a character that is not ASCII")]
    NotAscii,
}

impl Secret {
    /// Takes a token; a text that cannot be one is wiped and refused.
    pub(crate) fn parse(text: String) -> Result<Self, SecretError> {
        // From here on the text is wiped on every way out.
        let secret = Self(text);
        let mut characters = secret.0.chars();
        if secret.0.is_empty() {
            Err(SecretError::Empty)
        } else if characters.clone().any(char::is_control) {
            Err(SecretError::ControlCharacter)
        } else if characters.clone().any(char::is_whitespace) {
            Err(SecretError::Blank)
        } else if characters.all(|character| character.is_ascii_graphic()) {
            Ok(secret)
        } else {
            Err(SecretError::NotAscii)
        }
    }

    /// Returns the token as a header's value that no debug output shows.
    pub(super) fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(&self.0)
            .expect("visible ASCII, checked at birth, is a header value");
        value.set_sensitive(true);
        value
    }

    /// Returns the value itself, for a signature or the body of a request.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Replaces the token, and every piece of it that is long enough to matter, by stars.
    pub(super) fn scrub(&self, text: &str) -> String {
        stars(text, self.places_in(text))
    }

    /// Finds the token in a text, and every piece of it that is long enough to matter.
    ///
    /// Pieces, because error pages cut what they repeat, and escape some characters of it.
    pub(super) fn places_in(&self, text: &str) -> Vec<Range<usize>> {
        let (secret, bytes) = (self.0.as_bytes(), text.as_bytes());
        let piece = PIECE.min(secret.len());
        let pieces: HashSet<&[u8]> = secret.windows(piece).collect();
        bytes
            .windows(piece)
            .enumerate()
            .filter(|(_, window)| pieces.contains(window))
            // A password may begin a piece in the middle of a character, which then goes as a whole.
            .map(|(start, _)| {
                text.floor_char_boundary(start)..text.ceil_char_boundary(start + piece)
            })
            .collect()
    }
}

/// Puts stars in these places of a text; places that touch or overlap are one.
///
/// Those of all secrets are hidden at once: tokens of one cloud have parts in common, and a text without such a part would
/// no longer show the other token for what it is.
pub(super) fn stars(text: &str, mut places: Vec<Range<usize>>) -> String {
    places.sort_unstable_by_key(|place| (place.start, place.end));
    let mut scrubbed = String::with_capacity(text.len());
    // Everything before this place is written; one that begins at or before it belongs to the run just hidden.
    let mut done = None;
    for place in places {
        if done.is_none_or(|done| place.start > done) {
            scrubbed.push_str(&text[done.unwrap_or(0)..place.start]);
            scrubbed.push_str(STARS);
        }
        done = Some(done.map_or(place.end, |done: usize| done.max(place.end)));
    }
    scrubbed.push_str(&text[done.unwrap_or(0)..]);
    scrubbed
}

/// A password: any text that is not empty. It goes into the body of a request for a token, never into a header.
#[derive(PartialEq, Eq)]
pub(crate) struct Password(Secret);

impl Password {
    /// Takes a password as it is, blanks included.
    pub(crate) fn parse(text: String) -> Result<Self, SecretError> {
        // From here on the text is wiped on every way out.
        let secret = Secret(text);
        if secret.0.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self(secret))
    }

    /// Returns the value itself, for the body of a request.
    pub(super) fn text(&self) -> &str {
        &self.0.0
    }

    /// Finds the password in a text, and every piece of it that is long enough to matter.
    ///
    /// One of a character or two is left: it is in every text, and the places of the stars would tell it.
    pub(super) fn places_in(&self, text: &str) -> Vec<Range<usize>> {
        if self.text().chars().count() < SHORTEST {
            return Vec::new();
        }
        self.0.places_in(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Password({STARS})")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Secret({STARS})")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        // The optimiser must not conclude that nobody looks at the zeros.
        black_box(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn only_visible_ascii_can_be_a_token() {
        let cases = [
            (
                "MIIFvgYJKoZIhvcNAQcCoIIFrzCCBasCAQExDTALBglghkgB-_+/=~",
                Ok(()),
            ),
            ("a", Ok(())),
            ("", Err(SecretError::Empty)),
            ("token\n", Err(SecretError::ControlCharacter)),
            ("to\r\nX-Other: 1", Err(SecretError::ControlCharacter)),
            ("tok\0en", Err(SecretError::ControlCharacter)),
            ("token\u{7f}", Err(SecretError::ControlCharacter)),
            ("to ken", Err(SecretError::Blank)),
            ("to\u{a0}ken", Err(SecretError::Blank)),
            ("töken", Err(SecretError::NotAscii)),
            ("token\u{200b}", Err(SecretError::NotAscii)),
        ];
        for (text, expected) in cases {
            let read = Secret::parse(text.to_owned()).map(|_| ());
            assert_eq!(read, expected, "{text:?}");
        }
    }

    #[test]
    fn no_error_and_no_debug_output_shows_the_value() {
        let refused = Secret::parse("hunter2 hunter2".to_owned()).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        assert_eq!(format!("{:?}", secret("hunter2")), "Secret(***)");
        assert_eq!(format!("{:?}", secret("hunter2").header()), "Sensitive");
    }

    #[test]
    fn a_password_keeps_its_blanks_and_is_taken_out_of_foreign_text() {
        let cases = [
            (" p\u{e4}ss word ", "say  p\u{e4}ss word !", "say ***!"),
            ("a", "a status", "a status"),
            ("\u{5b9e}\u{4f8b}", "\u{5b9e}\u{4f8b}", "\u{5b9e}\u{4f8b}"),
            ("abc", "xabcx", "x***x"),
            (
                "\u{5b9e}\u{4f8b}\u{5b9e}\u{4f8b}\u{540d}",
                "\u{4f8b}\u{4f8b}\u{5b9e}\u{4f8b}\u{540d}!",
                "\u{4f8b}***!",
            ),
        ];
        for (text, said, expected) in cases {
            let password = Password::parse(text.to_owned()).unwrap();
            assert_eq!(password.text(), text);
            let scrubbed = stars(said, password.places_in(said));
            assert_eq!(scrubbed, expected, "{text:?}");
            assert_eq!(format!("{password:?}"), "Password(***)");
        }
        let empty = Password::parse(String::new());
        assert_eq!(empty.unwrap_err(), SecretError::Empty);
    }

    #[test]
    fn a_token_and_its_long_pieces_are_taken_out_of_foreign_text() {
        let token = "MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas";
        let cases = [
            (token, "no token here", "no token here"),
            (
                token,
                "X-Auth-Token: MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas\r\n",
                "X-Auth-Token: ***\r\n",
            ),
            (
                token,
                "MIIFvgYJKoZIhvcN... was refused",
                "***... was refused",
            ),
            (token, "…KoZIhvcNAQcCoIIFrz…", "…***…"),
            (
                token,
                "MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas",
                "*** ***",
            ),
            (
                token,
                "MIIFvgYJKoZIhvcNAQcCoIIFrzCCBasMIIFvgYJKoZIhvcNAQcCoIIFrzCCBas",
                "***",
            ),
            (token, "MIIFvg", "MIIFvg"),
            ("short", "the short token", "the *** token"),
            ("short", "sho", "sho"),
            ("short", "实short例", "实***例"),
            ("short", "", ""),
        ];
        for (token, text, expected) in cases {
            assert_eq!(secret(token).scrub(text), expected, "{text:?}");
        }
    }
}
