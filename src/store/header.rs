//! The first look at a file: its plain bytes, before SQLite is allowed to touch it.
//!
//! Opening a database writes beside it, and may write into it (a journal that is played back); so a file that is not an
//! archive of ours is recognised and refused by the hundred bytes of its header. Offsets are those of SQLite's file format.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _},
    path::Path,
};

use crate::store::error::Kind;
use crate::store::place::Place;

/// 'DCSH' in ASCII: the mark of an archive, in its header.
pub(super) const APPLICATION_ID: i32 = 0x4443_5348;

/// The length of a header.
const LENGTH: usize = 100;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What lies where an archive is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or the empty file that a crash left behind.
    Nothing,
    Archive,
}

/// Looks at what is there, and refuses what is not an archive of a format up to `known`.
///
/// The file is opened and closed, and that drops the locks which this *process* holds on it through SQLite (a rule of
/// POSIX locks). So an archive is not to be opened while the same process already writes to it.
pub(super) fn inspect(place: &Place, known: i32) -> Result<Found, Kind> {
    let wal = place.wal_bytes();
    let found = match fs::metadata(&place.archive) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Kind::io("looking at it")(error)),
        Ok(file) if file.is_dir() => return Err(Kind::NotAFile("it is a folder")),
        // A pipe would keep the reader waiting for ever.
        Ok(file) if !file.is_file() => return Err(Kind::NotAFile("it is not a plain file")),
        Ok(file) => (file.len() > 0).then_some(()),
    };
    if found.is_none() {
        // SQLite would play the journal into whatever stood there next.
        if wal > 0 || place.journal_bytes() > 0 {
            return Err(Kind::damaged(
                "its journal lies beside it, but the database that it belongs to is gone",
            ));
        }
        return Ok(Found::Nothing);
    }
    let (header, length) = read(&place.archive).map_err(Kind::io("reading it"))?;
    // The log is asked for its size before and after, since a checkpoint may be under way.
    let in_log = wal > 0 || place.wal_bytes() > 0;
    judge(&header, length, in_log, known)?;
    Ok(Found::Archive)
}

fn read(path: &Path) -> std::io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let mut header = Vec::with_capacity(LENGTH);
    (&file).take(LENGTH as u64).read_to_end(&mut header)?;
    Ok((header, file.metadata()?.len()))
}

/// Judges a header, the length of its file, and whether some of its pages may still be in the write-ahead log.
fn judge(header: &[u8], length: u64, in_log: bool, known: i32) -> Result<(), Kind> {
    if !header.starts_with(MAGIC) {
        return Err(Kind::NotOurs("it is not a SQLite database".to_owned()));
    }
    let header: &[u8; LENGTH] = header
        .try_into()
        .map_err(|_| Kind::damaged("it ends within its header"))?;
    let number = |at: usize| {
        i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    check(number(68), number(60), known)?;
    let page_size = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        size => size,
    };
    let pages = u64::from(number(28).cast_unsigned());
    // The number of pages is only valid if the program that wrote the file last knew of it.
    let valid = number(24) == number(92);
    if valid && !in_log && length < pages * page_size {
        return Err(Kind::damaged("it is shorter than its header says"));
    }
    Ok(())
}

/// Judges the mark and the format of a database, from its header or through SQLite. A format older than known is fine
/// here; none at all is not.
pub(super) fn check(application_id: i32, format: i32, known: i32) -> Result<(), Kind> {
    if application_id != APPLICATION_ID {
        return Err(Kind::NotOurs(
            "it is a SQLite database of another program".to_owned(),
        ));
    }
    if format > known {
        let found = format;
        return Err(Kind::Newer { found, known });
    }
    if format < 1 {
        return Err(Kind::damaged("its format has no number"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of an archive of three pages of 4096 bytes, with some bytes changed.
    fn header(changes: &[(usize, [u8; 4])]) -> Vec<u8> {
        let mut header = vec![0; LENGTH];
        header[..16].copy_from_slice(MAGIC);
        header[16..18].copy_from_slice(&4096_u16.to_be_bytes());
        header[28..32].copy_from_slice(&3_u32.to_be_bytes());
        header[60..64].copy_from_slice(&1_u32.to_be_bytes());
        header[68..72].copy_from_slice(b"DCSH");
        for (at, bytes) in changes {
            header[*at..*at + 4].copy_from_slice(bytes);
        }
        header
    }

    #[test]
    fn a_file_is_judged_by_its_header() {
        let whole = 3 * 4096;
        let cases: [(&str, Vec<u8>, u64, bool, &str); 14] = [
            ("an archive", header(&[]), whole, false, "ok"),
            ("text", b"SQLite is nice\n".to_vec(), 15, false, "NotOurs"),
            ("zeroes", vec![0; LENGTH], whole, false, "NotOurs"),
            ("one byte", vec![b'S'], 1, false, "NotOurs"),
            (
                "another program's",
                header(&[(68, *b"FOSL")]),
                whole,
                false,
                "NotOurs",
            ),
            ("nobody's", header(&[(68, [0; 4])]), whole, false, "NotOurs"),
            (
                "newer",
                header(&[(60, [0, 0, 0, 2])]),
                whole,
                false,
                "Newer",
            ),
            (
                "no format",
                header(&[(60, [0; 4])]),
                whole,
                false,
                "Damaged",
            ),
            (
                "a negative format",
                header(&[(60, [255; 4])]),
                whole,
                false,
                "Damaged",
            ),
            (
                "cut in the header",
                header(&[])[..99].to_vec(),
                99,
                false,
                "Damaged",
            ),
            ("cut in half", header(&[]), whole / 2, false, "Damaged"),
            ("the rest is in the log", header(&[]), whole / 2, true, "ok"),
            (
                "no valid count",
                header(&[(92, [0, 0, 0, 9])]),
                4096,
                false,
                "ok",
            ),
            (
                "absurd counts",
                header(&[(28, [255; 4])]),
                whole,
                false,
                "Damaged",
            ),
        ];
        for (name, header, length, in_log, expected) in cases {
            let told = match judge(&header, length, in_log, 1) {
                Ok(()) => "ok".to_owned(),
                Err(kind) => format!("{kind:?}"),
            };
            assert!(told.starts_with(expected), "{name}: {told}");
        }
    }
}
