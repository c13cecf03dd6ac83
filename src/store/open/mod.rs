//! The door of the archive: one way in for the writer, one for readers.
//!
//! What is not an archive of this program is refused without a byte changed, in it or beside it. Whoever comes in for
//! writing holds the lock, has every safety setting on, and has seen the format checked inside a transaction.

use std::{path::Path, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, TransactionBehavior, config::DbConfig};

use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::birth;
use crate::store::error::{Class, Kind, class_of};
use crate::store::format::Formats;
use crate::store::header::{self, Found};
use crate::store::lock::Lock;
use crate::store::place::Place;
use crate::store::remote;

/// How long a program that writes to the archive past the lock is waited for, as the sync rules say.
const PATIENCE: Duration = Duration::from_secs(30);

/// More than the statements of a sync and of any one report, so that none is compiled twice.
const STATEMENTS: usize = 64;

/// What a URI may hold in a path as it is. The rest, each byte of it, is written as `%XX`.
const URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// An archive that is open for writing. The lock goes after the connection.
#[derive(Debug)]
pub(crate) struct Writable {
    pub(crate) connection: Connection,
    lock: Lock,
}

/// Opens the archive for writing: takes the lock, makes it if there is none, and brings an older format up to date.
pub(crate) fn writable(path: &Path, now: Timestamp) -> Result<Writable, Error> {
    writable_within(path, now, PATIENCE)
}

/// The same, with another patience for a foreign writer.
pub(crate) fn writable_within(
    path: &Path,
    now: Timestamp,
    patience: Duration,
) -> Result<Writable, Error> {
    write_as(&Formats::current(), path, now, patience).map_err(|kind| Error::new(path, kind))
}

fn write_as(
    formats: &Formats,
    path: &Path,
    now: Timestamp,
    patience: Duration,
) -> Result<Writable, Kind> {
    let place = Place::of(path)?;
    remote::refuse(&place.folder)?;
    // Twice: first so that nothing is put beside a file that is refused, then because only the lock makes it last.
    header::inspect(&place, formats.known)?;
    let lock = Lock::take(&place.lock(), now)?;
    if header::inspect(&place, formats.known)? == Found::Nothing {
        birth::birth(&place, formats)?;
    }
    let connection = connect(&place, formats, patience)?;
    Ok(Writable { connection, lock })
}

fn connect(place: &Place, formats: &Formats, patience: Duration) -> Result<Connection, Kind> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(&place.archive, flags)?;
    harden(&connection, patience)?;
    // SQLite falls back to reading a file that may not be written.
    if connection.is_readonly(MAIN_DB)? {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        return Err(Kind::io("opening it for writing")(denied));
    }
    // Until the file is accepted, leaving must not move its log into it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    let format = {
        // The log may hold a newer header than the file, so the format is asked for under the write lock.
        let transaction = connection.transaction()?;
        let format = formats.check(&transaction)?;
        if format < formats.known {
            formats.check_history(&transaction)?;
        }
        check_after_accident(&transaction)?;
        format
    };
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    use_log(&connection)?;
    if format < formats.known {
        // A migration may rebuild a table, and enforced keys would then empty those that refer to it.
        formats.migrate(&mut connection)?;
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// What holds for every connection. None of it changes the file.
fn harden(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(patience)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        // An archive has none.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        // A misspelt column in double quotes is an error, not a text.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        // Else every new value of a parameter that a plan might depend on compiles the statement again, though there are no
        // statistics to plan by: two fifths of a quiet sync's work.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        connection.set_db_config(setting, value)?;
    }
    // `foreign_keys` waits until migrations are done. 16 MiB of cache hold the inner pages of an archive of a million tasks.
    connection.execute_batch(
        "PRAGMA foreign_keys = OFF;
         PRAGMA synchronous = FULL;
         PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;
         PRAGMA cache_size = -16384;",
    )
}

/// Switches to the write-ahead log, which lets readers read while a writer writes.
fn use_log(connection: &Connection) -> Result<(), Kind> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(Kind::Machine {
        doing: "switching to a write-ahead log",
        source: format!("the file system allows only the journal mode {mode:?}").into(),
    })
}

/// Looks through the whole archive if the last run did not end well.
fn check_after_accident(connection: &Connection) -> Result<(), Kind> {
    let accident: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM pending) OR EXISTS (SELECT 1 FROM sync WHERE finished IS NULL)",
        [],
        |row| row.get(0),
    )?;
    if !accident {
        return Ok(());
    }
    let told: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if told == "ok" {
        return Ok(());
    }
    Err(Kind::damaged(&told))
}

/// Ends a run of the writer: moves the log into the archive and closes it.
///
/// A reader that still reads keeps a part of the log in use; that part stays for the next run, and is not waited for.
pub(crate) fn finish(writable: Writable) -> Result<(), Error> {
    let Writable { connection, lock } = writable;
    let path = connection.path().map(Into::into);
    let ended =
        checkpoint(&connection).and_then(|()| connection.close().map_err(|(_, error)| error));
    drop(lock);
    ended.map_err(|error| Error {
        path,
        kind: error.into(),
    })
}

fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    let told = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    match told {
        // "Locked" is what SQLite says to a checkpoint that follows a look through the archive and a change of its
        // journal; closing the connection then does what is left to do.
        Err(error) if class_of(&error) == Class::Busy => Ok(()),
        told => told,
    }
}

/// Opens the archive for reading. It is never made, changed or waited for; a writer may be at work.
pub(crate) fn readable(path: &Path) -> Result<Connection, Error> {
    read_as(&Formats::current(), path).map_err(|kind| Error::new(path, kind))
}

fn read_as(formats: &Formats, path: &Path) -> Result<Connection, Kind> {
    let place = Place::of(path).map_err(|kind| match kind {
        Kind::NoFolder => Kind::Missing,
        kind => kind,
    })?;
    if header::inspect(&place, formats.known)? == Found::Nothing {
        return Err(Kind::Missing);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let opened = Connection::open_with_flags(&place.archive, flags);
    match opened.and_then(prepare_reader) {
        Ok(connection) => accept(connection, formats),
        Err(error) if is_still(&error, place.wal_bytes()) => {
            accept(prepare_reader(open_still(&place.archive)?)?, formats)
        }
        Err(error) => Err(error.into()),
    }
}

/// Sets up a reader, and reads once: SQLite opens the log, and with it the files beside the archive, at the first read.
fn prepare_reader(connection: Connection) -> rusqlite::Result<Connection> {
    harden(&connection, PATIENCE)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.query_row("SELECT count(*) FROM main.sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Checks mark, format and schema as one moment shows them.
fn accept(connection: Connection, formats: &Formats) -> Result<Connection, Kind> {
    let known = formats.known;
    let found = {
        let moment = connection.unchecked_transaction()?;
        formats.check(&moment)?
    };
    if found < known {
        return Err(Kind::Older { found, known });
    }
    Ok(connection)
}

/// Whether an archive that could not be opened is a copy in a place where nothing can be written, all of it in one file.
fn is_still(error: &rusqlite::Error, wal_bytes: u64) -> bool {
    let code = error.sqlite_error_code();
    wal_bytes == 0 && matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// Opens an archive as one that nobody can change, which needs neither locks nor files beside it. Only a URI can say so.
fn open_still(archive: &Path) -> rusqlite::Result<Connection> {
    let path = percent_encode(archive.as_os_str().as_encoded_bytes(), URI);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)
}

#[cfg(test)]
mod tests;
