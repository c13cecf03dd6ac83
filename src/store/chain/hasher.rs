//! The one encoding of rows, and the one digest of them.

use std::fmt::Write as _;

use ring::digest::{Context, SHA256, digest};
use rusqlite::{Row, types::ValueRef};

use crate::model::Digest;

/// What stands before the first link, and before the first row that a walk brought.
pub(super) const NOTHING: Digest = [0; 32];

/// A SHA-256 over cells.
pub(super) struct Hasher {
    context: Context,
    /// One row; the digest is fed with whole rows, which costs half of what cells would.
    buffer: Vec<u8>,
}

impl Hasher {
    pub(super) fn new(of: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(of);
        Self {
            context,
            buffer: Vec::new(),
        }
    }

    /// The digest of one row after those that `before` is the digest of.
    pub(super) fn after(before: Option<&Digest>) -> Self {
        Self::new(before.unwrap_or(&NOTHING))
    }

    pub(super) fn digest(&mut self, digest: &Digest) {
        self.buffer.extend_from_slice(digest);
    }

    pub(super) fn row(&mut self, table: u8, row: &Row<'_>, columns: usize) -> rusqlite::Result<()> {
        self.buffer.push(table);
        for column in 0..columns {
            self.cell(row.get_ref(column)?);
        }
        self.feed();
        Ok(())
    }

    pub(super) fn cell(&mut self, value: ValueRef<'_>) {
        let (kind, bytes) = match value {
            ValueRef::Null => return self.buffer.push(0),
            ValueRef::Integer(number) => {
                self.buffer.push(1);
                return self.buffer.extend_from_slice(&number.to_le_bytes());
            }
            ValueRef::Real(number) => {
                self.buffer.push(2);
                return self
                    .buffer
                    .extend_from_slice(&number.to_bits().to_le_bytes());
            }
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(bytes) => (4, bytes),
        };
        self.buffer.push(kind);
        self.buffer
            .extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(bytes);
    }

    fn feed(&mut self) {
        self.context.update(&self.buffer);
        self.buffer.clear();
    }

    pub(super) fn finish(mut self) -> Digest {
        self.feed();
        array(self.context.finish().as_ref())
    }
}

/// Returns the SHA-256 of bytes.
pub(in crate::store) fn sha256(bytes: &[u8]) -> Digest {
    array(digest(&SHA256, bytes).as_ref())
}

fn array(bytes: &[u8]) -> Digest {
    let mut digest = NOTHING;
    // Both are 32 bytes long.
    digest.copy_from_slice(bytes);
    digest
}

/// Returns bytes as people and programs write them: two hexadecimal digits each, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _written = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_rows_are_encoded_alike() {
        use ValueRef::{Blob, Integer, Null, Real, Text};
        let rows: [&[ValueRef<'_>]; 12] = [
            &[],
            &[Null],
            &[Null, Null],
            &[Text(b"")],
            &[Blob(b"")],
            &[Text(b"ab"), Text(b"c")],
            &[Text(b"a"), Text(b"bc")],
            &[Blob(b"ab"), Text(b"c")],
            &[Integer(1)],
            &[Real(1.0)],
            &[Text(b"1")],
            // The encoding of a null inside a text is no null.
            &[Text(b"\0")],
        ];
        let digests: HashSet<Digest> = rows
            .iter()
            .map(|row| {
                let mut hasher = Hasher::new(b"");
                row.iter().for_each(|cell| hasher.cell(*cell));
                hasher.finish()
            })
            .collect();
        assert_eq!(digests.len(), rows.len());
    }

    #[test]
    fn the_digest_is_sha_256() {
        assert_eq!(
            hex(&sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
