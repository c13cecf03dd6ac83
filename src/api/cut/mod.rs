//! Cuts an answer into its members and its list into raw records, before any record is decoded.
//!
//! The promise is that one bad record never costs the others. A JSON library gives up the whole of an answer for one byte
//! that is not UTF-8, one raw control character, one misspelt literal; the scanner here finds the borders all the same,
//! because it knows strings, escapes and brackets, and nothing else. Whatever `serde_json` can cut, it cuts in the same
//! places (the tests hold it to that). It never recurses, so no depth of nesting can overflow the stack, and it is total:
//! any bytes are either cut or called torn.

use std::borrow::Cow;

use thiserror::Error;

/// Why a text could not be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Torn {
    /// The text ends inside a string or a bracket.
    #[error("the text is cut off")]
    CutOff,
    /// The text has no borders to cut at: brackets that do not match, a member without a name, something after the end.
    #[error("the text is not JSON")]
    Malformed,
}

/// A member of an object: its name, and the bytes of its value without the white space around them.
pub(crate) type Member<'a> = (Cow<'a, str>, &'a [u8]);

/// Cuts an object into its members one by one, in the order of the text. After an error it ends.
pub(crate) fn members(json: &[u8]) -> Members<'_> {
    Members {
        scanner: Scanner { json, at: 0 },
        place: Place::Before,
    }
}

/// Cuts a list into its elements.
pub(crate) fn list(json: &[u8]) -> Result<Vec<&[u8]>, Torn> {
    let mut scanner = Scanner { json, at: 0 };
    let mut elements = Vec::new();
    scanner.expect(b'[')?;
    if scanner.peek()? == b']' {
        scanner.at += 1;
        return scanner.expect_end().map(|()| elements);
    }
    loop {
        elements.push(scanner.value()?);
        match scanner.next()? {
            b',' => {}
            b']' => return scanner.expect_end().map(|()| elements),
            _ => return Err(Torn::Malformed),
        }
    }
}

/// Where in an object the iterator stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Inside,
    Done,
}

/// The members of an object, as [`members`] finds them.
pub(crate) struct Members<'a> {
    scanner: Scanner<'a>,
    place: Place,
}

impl<'a> Members<'a> {
    /// Reads one member and what stands after it.
    fn advance(&mut self) -> Result<Option<Member<'a>>, Torn> {
        let scanner = &mut self.scanner;
        if self.place == Place::Before {
            scanner.expect(b'{')?;
            if scanner.peek()? == b'}' {
                scanner.at += 1;
                self.place = Place::Done;
                return scanner.expect_end().map(|()| None);
            }
        }
        let name = scanner.name()?;
        scanner.expect(b':')?;
        let value = scanner.value()?;
        self.place = match scanner.next()? {
            b',' => Place::Inside,
            b'}' => {
                scanner.expect_end()?;
                Place::Done
            }
            _ => return Err(Torn::Malformed),
        };
        Ok(Some((name, value)))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>, Torn>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.place == Place::Done {
            return None;
        }
        let step = self.advance();
        if step.is_err() {
            self.place = Place::Done;
        }
        step.transpose()
    }
}

/// A place in a text.
struct Scanner<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Skips white space and returns the byte after it without taking it.
    fn peek(&mut self) -> Result<u8, Torn> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        let skipped = rest.iter().take_while(|byte| is_space(**byte)).count();
        self.at += skipped;
        rest.get(skipped).copied().ok_or(Torn::CutOff)
    }

    /// Skips white space and takes the byte after it.
    fn next(&mut self) -> Result<u8, Torn> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Torn> {
        (self.next()? == byte).then_some(()).ok_or(Torn::Malformed)
    }

    fn expect_end(&mut self) -> Result<(), Torn> {
        match self.peek() {
            Err(_) => Ok(()),
            Ok(_) => Err(Torn::Malformed),
        }
    }

    /// Takes a member's name.
    fn name(&mut self) -> Result<Cow<'a, str>, Torn> {
        if self.peek()? != b'"' {
            return Err(Torn::Malformed);
        }
        let start = self.at;
        self.skip_string()?;
        Ok(decode_name(&self.json[start..self.at]))
    }

    /// Takes everything up to the comma or the closing bracket that ends this value, which stays.
    ///
    /// What stands there need not be JSON: whether it is, is asked of each value alone.
    fn value(&mut self) -> Result<&'a [u8], Torn> {
        self.peek()?;
        let start = self.at;
        // The closing brackets that are due, the innermost last.
        let mut due = Vec::new();
        loop {
            match *self.json.get(self.at).ok_or(Torn::CutOff)? {
                b'"' => {
                    self.skip_string()?;
                    continue;
                }
                b'{' => due.push(b'}'),
                b'[' => due.push(b']'),
                b',' if due.is_empty() => break,
                closing @ (b'}' | b']') => match due.pop() {
                    None => break,
                    Some(expected) if expected == closing => {}
                    Some(_) => return Err(Torn::Malformed),
                },
                _ => {}
            }
            self.at += 1;
        }
        let value = trim_end(&self.json[start..self.at]);
        (!value.is_empty()).then_some(value).ok_or(Torn::Malformed)
    }

    /// Skips a string, from its opening quote to behind its closing one.
    fn skip_string(&mut self) -> Result<(), Torn> {
        self.at += 1;
        loop {
            let rest = self.json.get(self.at..).unwrap_or_default();
            self.at += plain_run(rest);
            match *self.json.get(self.at).ok_or(Torn::CutOff)? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.at += 2,
                // A raw control character is wrong here, and no border all the same.
                _ => self.at += 1,
            }
        }
    }
}

/// Returns how many bytes at the beginning are neither a quote, a backslash nor a control character.
///
/// Most of an answer is the inside of strings, so this looks at eight bytes at once: subtracting from each byte borrows
/// into its highest bit exactly if the byte is the smaller one, up to and including the first that is.
pub(crate) fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
        let found = below(word, 0x20)
            | below(word ^ (ONES * u64::from(b'"')), 1)
            | below(word ^ (ONES * u64::from(b'\\')), 1);
        let found = found & (ONES << 7);
        if found != 0 {
            return place * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    let is_plain = |byte: &&u8| **byte >= 0x20 && !matches!(**byte, b'"' | b'\\');
    words.len() * 8 + rest.iter().take_while(is_plain).count()
}

/// Says whether the byte is white space between JSON tokens.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let kept = bytes.iter().rposition(|byte| !is_space(*byte));
    &bytes[..kept.map_or(0, |last| last + 1)]
}

/// Decodes a name from between its quotes. One that is no proper string keeps what can be shown of it: a name only ever
/// selects a member, and a damaged one selects none.
fn decode_name(quoted: &[u8]) -> Cow<'_, str> {
    let inner = &quoted[1..quoted.len() - 1];
    if let Ok(text) = std::str::from_utf8(inner)
        && !inner.contains(&b'\\')
    {
        return Cow::Borrowed(text);
    }
    match serde_json::from_slice::<String>(quoted) {
        Ok(name) => Cow::Owned(name),
        Err(_) => String::from_utf8_lossy(inner),
    }
}

#[cfg(test)]
mod tests;
