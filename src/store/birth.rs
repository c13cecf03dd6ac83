//! The birth of an archive: it is built under another name and moved into its place when it is whole.
//!
//! So an archive is absent or complete, whenever the process is killed, the disk fills up or the power goes. What such an
//! end leaves behind is a file named `.new`, and the next birth clears it away.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use rusqlite::{Connection, OpenFlags};

use crate::store::error::Kind;
use crate::store::format::Formats;
use crate::store::lock::PRIVATE;
use crate::store::place::{Place, beside};

/// What SQLite may have put beside a database that was not closed. A journal that outlived its database would be played
/// into the next one of that name.
pub(super) const JOURNALS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Makes an archive where there is none. The caller holds the lock.
pub(super) fn birth(place: &Place, formats: &Formats) -> Result<(), Kind> {
    let new = place.unfinished();
    clear(&new)?;
    let born = build(&new, formats).and_then(|()| put_in_place(&new, place));
    if born.is_err() {
        // The room may be needed, most of all if the disk is full.
        let _untidy = clear(&new);
    }
    born
}

/// Bytes in a page. A record's text is some 400 bytes, so pages of twice SQLite's usual size waste less at their ends.
const PAGE: u32 = 8_192;

fn build(new: &Path, formats: &Formats) -> Result<(), Kind> {
    let failed = Kind::io("making a new archive");
    private_file(new).map_err(&failed)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(new, flags)?;
    connection.pragma_update(None, "page_size", PAGE)?;
    formats.migrate(&mut connection)?;
    connection.close().map_err(|(_, error)| error)?;
    File::open(new)
        .and_then(|file| file.sync_all())
        .map_err(failed)
}

/// Makes an empty file for the owner alone. A link that somebody puts there in this moment is an error; the mode is set
/// again because the umask was taken from the first one.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    let file = options.mode(PRIVATE).open(path)?;
    file.set_permissions(Permissions::from_mode(PRIVATE))?;
    Ok(file)
}

fn put_in_place(new: &Path, place: &Place) -> Result<(), Kind> {
    let failed = Kind::io("moving the new archive into its place");
    // A rename replaces what is there, and only nothing may be replaced.
    match fs::symlink_metadata(&place.archive) {
        Ok(file) if file.is_file() && file.len() == 0 => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Ok(_) => return Err(Kind::Busy { holder: None }),
        Err(error) => return Err(failed(error)),
    }
    fs::rename(new, &place.archive).map_err(&failed)?;
    place.sync_folder().map_err(failed)
}

/// Removes what a birth or a backup that did not end has left. A link is neither followed nor removed: it is not ours.
pub(super) fn clear(new: &Path) -> Result<(), Kind> {
    let failed = Kind::io("clearing away an unfinished archive");
    match fs::symlink_metadata(new) {
        Ok(file) if !file.is_file() => {
            return Err(Kind::NotAFile(
                "where it would be built lies a link or a folder",
            ));
        }
        Ok(_) => fs::remove_file(new).map_err(&failed)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    clear_journals(new)
}

/// Removes the journals of an unfinished archive alone.
pub(super) fn clear_journals(new: &Path) -> Result<(), Kind> {
    let failed = Kind::io("clearing away an unfinished archive");
    for suffix in JOURNALS {
        match fs::remove_file(beside(new, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(())
}
