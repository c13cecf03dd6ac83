//! The canonical form of a record: two records are the same exactly if their forms are equal.
//!
//! Keys are sorted, insignificant white space is gone, every string has one spelling, and numbers stand as sent (0.10 is
//! not 0.1: the archive makes no float of a capacity). Of two members of one name the last counts. The pass that writes
//! the form is also the one that checks the record, and it is strict: what gets through is JSON that any other reader can
//! read as well. It recurses, but never deeper than 127 levels.
//!
//! Every record of every sync goes through here, so the form is written in one pass over the bytes, in runs as long as
//! possible; only an object whose keys were not sent in order is copied once more.

use ring::digest::{SHA256, digest};
use thiserror::Error;

use crate::api::cut::plain_run;
use crate::model::Digest;

/// The deepest nesting that is read. It is the limit of `serde_json` too, so a reader that follows sees no less.
const DEEPEST: usize = 127;

/// A number that is shorter than this and has no exponent is finite: the greatest double has 309 digits.
const SURELY_FINITE: usize = 300;

/// Why a text is not readable JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    #[error("not valid JSON")]
    Syntax,
    #[error("nested deeper than 127 levels")]
    Depth,
    #[error("a lone surrogate in a string")]
    Surrogate,
    #[error("a control character in a string")]
    Control,
    #[error("a number beyond the range of a double")]
    Range,
}

/// Returns the digest of a record's canonical form, of the adopted fields too; nothing where one of them is not readable.
pub(crate) fn form(raw: &str, adopted: Option<&str>) -> Option<Digest> {
    let mut canonical = Canonical::default();
    canonical.write(raw).ok()?;
    if let Some(adopted) = adopted {
        canonical.write(adopted).ok()?;
    }
    Some(canonical.digest())
}

/// Returns the SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let digest = digest(&SHA256, bytes);
    digest
        .as_ref()
        .try_into()
        .expect("a SHA-256 digest has 32 bytes")
}

/// A canonical form in the making. One of them serves many records and keeps its buffers.
#[derive(Debug, Default)]
pub(crate) struct Canonical {
    text: Vec<u8>,
    /// The members of the objects that are open.
    members: Vec<Span>,
    scratch: Vec<u8>,
}

/// Where a written member stands in the text: from its name's opening quote to the end of its value.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    /// Behind the name's closing quote.
    name_end: usize,
    end: usize,
}

impl Canonical {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.members.clear();
    }

    /// Appends the canonical form of a JSON text. After a fault the form is of no use until it is cleared.
    pub(crate) fn write(&mut self, json: &str) -> Result<(), Fault> {
        self.text.reserve(json.len() + 1);
        let mut writer = Writer {
            json: json.as_bytes(),
            at: 0,
            copied: 0,
            form: self,
        };
        writer.value(0)?;
        writer.skip_space();
        if writer.at < json.len() {
            return Err(Fault::Syntax);
        }
        writer.copy();
        // No canonical form holds a raw line feed, so two forms in a row cannot be taken for two others.
        self.text.push(b'\n');
        Ok(())
    }

    pub(crate) fn digest(&self) -> Digest {
        sha256(&self.text)
    }

    /// Puts the members of the object that ends the text in order, if they are not, and drops all but the last of each
    /// name. `first` is the first of them in the list of open members.
    fn sort(&mut self, first: usize) {
        let name = |span: &Span| &self.text[span.start..span.name_end];
        let members = &mut self.members[first..];
        if members.is_sorted_by(|one, other| name(one) < name(other)) {
            return;
        }
        let object = members[0].start;
        // The sort keeps members of one name in the order sent.
        members.sort_by(|one, other| name(one).cmp(name(other)));
        self.scratch.clear();
        for (place, span) in members.iter().enumerate() {
            let next = members.get(place + 1);
            if next.is_none_or(|next| name(next) != name(span)) {
                self.scratch
                    .extend_from_slice(&self.text[span.start..span.end]);
                self.scratch.push(if next.is_some() { b',' } else { b'}' });
            }
        }
        self.text.truncate(object);
        self.text.extend_from_slice(&self.scratch);
    }
}

/// One pass over a text.
///
/// What is sent mostly is the form already, so bytes are copied in long runs: all from `copied` up to `at` belong to the
/// form as they stand and are not copied yet.
struct Writer<'a> {
    json: &'a [u8],
    at: usize,
    copied: usize,
    form: &'a mut Canonical,
}

impl Writer<'_> {
    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, Fault> {
        let byte = self.peek().ok_or(Fault::Syntax)?;
        self.at += 1;
        Ok(byte)
    }

    /// Copies what is due.
    fn copy(&mut self) {
        let run = &self.json[self.copied..self.at];
        self.form.text.extend_from_slice(run);
        self.copied = self.at;
    }

    /// Returns the place in the form that the present place in the text comes to.
    fn place(&self) -> usize {
        self.form.text.len() + (self.at - self.copied)
    }

    /// Leaves white space out of the form.
    fn skip_space(&mut self) {
        if !matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            return;
        }
        self.copy();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.copied = self.at;
    }

    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        self.skip_space();
        match self.peek().ok_or(Fault::Syntax)? {
            b'"' => self.string(),
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => Err(Fault::Syntax),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Fault> {
        if self.opens_empty(b'}', depth)? {
            return Ok(());
        }
        let first = self.form.members.len();
        loop {
            self.skip_space();
            let start = self.place();
            if self.peek() != Some(b'"') {
                return Err(Fault::Syntax);
            }
            self.string()?;
            let name_end = self.place();
            self.skip_space();
            if self.next()? != b':' {
                return Err(Fault::Syntax);
            }
            self.value(depth)?;
            self.form.members.push(Span {
                start,
                name_end,
                end: self.place(),
            });
            self.skip_space();
            match self.next()? {
                b',' => {}
                b'}' => break,
                _ => return Err(Fault::Syntax),
            }
        }
        self.copy();
        self.form.sort(first);
        self.form.members.truncate(first);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Fault> {
        if self.opens_empty(b']', depth)? {
            return Ok(());
        }
        loop {
            self.value(depth)?;
            self.skip_space();
            match self.next()? {
                b',' => {}
                b']' => return Ok(()),
                _ => return Err(Fault::Syntax),
            }
        }
    }

    /// Takes an opening bracket, and the closing one if nothing stands between them.
    fn opens_empty(&mut self, closing: u8, depth: usize) -> Result<bool, Fault> {
        if depth > DEEPEST {
            return Err(Fault::Depth);
        }
        self.at += 1;
        self.skip_space();
        let empty = self.peek() == Some(closing);
        self.at += usize::from(empty);
        Ok(empty)
    }

    fn literal(&mut self, literal: &[u8]) -> Result<(), Fault> {
        if !self.json[self.at..].starts_with(literal) {
            return Err(Fault::Syntax);
        }
        self.at += literal.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let has_exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if has_exponent {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let number = &self.json[start..self.at];
        if (has_exponent || number.len() >= SURELY_FINITE) && !is_finite(number) {
            return Err(Fault::Range);
        }
        Ok(())
    }

    /// Skips digits, of which there must be one at least.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(()).ok_or(Fault::Syntax)
    }

    fn string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        loop {
            self.at += plain_run(&self.json[self.at..]);
            match self.peek().ok_or(Fault::Syntax)? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    self.copy();
                    self.at += 1;
                    self.escape()?;
                    self.copied = self.at;
                }
                _ => return Err(Fault::Control),
            }
        }
    }

    /// Reads what follows a backslash and writes the character in its one spelling.
    fn escape(&mut self) -> Result<(), Fault> {
        let character = match self.next()? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            _ => return Err(Fault::Syntax),
        };
        write_char(&mut self.form.text, character);
        Ok(())
    }

    /// Reads what follows `\u`, together with the second half of a surrogate pair.
    fn unicode(&mut self) -> Result<char, Fault> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(Fault::Surrogate);
        }
        if !self.json[self.at..].starts_with(br"\u") {
            return Err(Fault::Surrogate);
        }
        self.at += 2;
        let second = self.four_digits()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(Fault::Surrogate);
        }
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(code).ok_or(Fault::Surrogate)
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16);
            code = code * 16 + digit.ok_or(Fault::Syntax)?;
        }
        Ok(code)
    }
}

/// Says whether a JSON number is within the range of a double.
fn is_finite(number: &[u8]) -> bool {
    std::str::from_utf8(number)
        .ok()
        .and_then(|number| number.parse::<f64>().ok())
        .is_some_and(f64::is_finite)
}

/// Writes a character that was sent escaped: as itself where JSON lets it stand, else in the shortest escape.
fn write_char(text: &mut Vec<u8>, character: char) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match character {
        '"' => text.extend_from_slice(br#"\""#),
        '\\' => text.extend_from_slice(br"\\"),
        '\u{8}' => text.extend_from_slice(br"\b"),
        '\u{c}' => text.extend_from_slice(br"\f"),
        '\n' => text.extend_from_slice(br"\n"),
        '\r' => text.extend_from_slice(br"\r"),
        '\t' => text.extend_from_slice(br"\t"),
        '\0'..'\u{20}' => {
            let code = character as usize;
            text.extend_from_slice(br"\u00");
            text.extend_from_slice(&[HEX[code >> 4], HEX[code & 15]]);
        }
        _ => text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
pub(in crate::api) mod arbitrary;
#[cfg(test)]
mod tests;
