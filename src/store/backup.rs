//! A copy of the archive while it is written to: one moment of it, whole and checked, or nothing.
//!
//! The copy is made by SQLite itself from within one read transaction, so it never has to begin again however much is
//! written meanwhile, and the write-ahead log lets the writer go on. It grows under another name (`.new`), is looked
//! through, and is moved into its place when it is on the disk; a copy that was killed leaves the `.new` file only,
//! which the next one clears away. What a running sync has not revealed yet is hidden in the copy too, and the next sync
//! of the copy closes it as after a kill.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::ErrorKind,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _,
    backup::{Backup, StepResult},
};
use tempfile::TempPath;

use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::birth::{self, JOURNALS};
use crate::store::error::Kind;
use crate::store::format::FORMAT;
use crate::store::header::{self, Found};
use crate::store::lock::{Lock, PRIVATE};
use crate::store::open;
use crate::store::place::{Place, beside};

/// Pages between two looks at whether somebody wants it to stop: 8 MiB, some hundredths of a second.
const STEP: i32 = 1_024;

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    /// Where the copy lies, links followed.
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) tasks: u64,
    /// The last sync that has ended: its number, its end, and what came of it.
    pub(crate) last_sync: Option<(i64, Timestamp, String)>,
}

/// Why there is no copy.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The archive itself cannot be read.
    Source(Error),
    /// Something lies there already.
    Exists,
    /// The copy may not be put there, for this reason.
    Refused(&'static str),
    /// It could not be written.
    Target(Kind),
    /// Somebody wanted it to stop.
    Stopped,
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Self::Target(kind)
    }
}

/// Copies the archive. What lies at the target is replaced only if `replace` says so and it is an archive of this program.
///
/// `is_stopped` is asked between the steps.
pub(crate) fn backup(
    archive: &Path,
    target: &Path,
    replace: bool,
    now: Timestamp,
    is_stopped: &(impl Fn() -> bool + Clone + Send + 'static),
) -> Result<Copied, Failure> {
    let source = open::readable(archive).map_err(Failure::Source)?;
    let of_source = |kind| Failure::Source(Error::new(archive, kind));
    let from = Place::of(archive).map_err(of_source)?;
    let to = Place::of(target)?;
    judge(&from, target, &to, replace)?;
    let _lock = guard(&to, now)?;
    let new = to.unfinished();
    let claimed = claim(&new)?;
    let copied = fill(&source, &new, is_stopped)
        .map_err(|failure| match failure {
            // Pages that are no pages come from the archive: nothing else was ever in the copy.
            Failure::Target(kind @ Kind::Damaged(_)) => of_source(kind),
            failure => failure,
        })
        .and_then(|copied| {
            put_in_place(&new, &to, replace)?;
            let path = to.archive.clone();
            Ok(Copied { path, ..copied })
        });
    if copied.is_err() {
        // The room may be needed, most of all if the disk is full.
        let _untidy = birth::clear(&new);
    }
    // Held until the file bears its name: another backup must not take it for one that was left behind.
    drop(claimed);
    copied
}

/// Refuses a target that is not free, before anything is written.
fn judge(from: &Place, typed: &Path, to: &Place, replace: bool) -> Result<(), Failure> {
    let found = match fs::symlink_metadata(typed) {
        Ok(found) if found.is_symlink() => return Err(Failure::Refused("it is a link")),
        Ok(found) => Some(found),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Kind::io("looking at it")(error).into()),
    };
    if is_same(&from.archive, &to.archive) {
        return Err(Failure::Refused("it is the archive itself"));
    }
    let new = to.unfinished();
    let own = JOURNALS.iter().chain(&[".lock", ".new"]);
    let own: Vec<_> = own.map(|suffix| beside(&from.archive, suffix)).collect();
    if own.contains(&to.archive) || is_same(&from.archive, &new) || own.contains(&new) {
        return Err(Failure::Refused("that name belongs to the archive itself"));
    }
    let Some(found) = found else {
        return unclaimed(to);
    };
    if found.is_dir() {
        return Err(Failure::Refused("it is a folder"));
    }
    if !replace {
        return Err(Failure::Exists);
    }
    unclaimed(to)?;
    match header::inspect(to, FORMAT) {
        Ok(Found::Nothing | Found::Archive) => Ok(()),
        Err(Kind::Machine { doing, source }) => Err(Kind::Machine { doing, source }.into()),
        Err(Kind::Newer { .. }) => Err(Failure::Refused("it is an archive of a newer version")),
        Err(_) => Err(Failure::Refused(
            "what lies there is not a sound archive of this program",
        )),
    }
}

/// Refuses a name beside which a journal lies: SQLite would play it into the copy.
fn unclaimed(to: &Place) -> Result<(), Failure> {
    if to.wal_bytes() > 0 || to.journal_bytes() > 0 {
        return Err(Failure::Refused(
            "a journal lies beside it: it is in use, or was left behind by a database of that name",
        ));
    }
    Ok(())
}

/// Takes the lock of an archive that is to be replaced, if it ever had one: then a sync may be at work on it.
fn guard(to: &Place, now: Timestamp) -> Result<Option<Lock>, Failure> {
    let lock = to.lock();
    match fs::symlink_metadata(&lock) {
        Ok(_) => Ok(Some(Lock::take(&lock, now)?)),
        Err(_) => Ok(None),
    }
}

/// Makes the file that becomes the copy, or takes the one that a killed backup has left. It is locked as long as it is
/// open, so that of two backups to one place one is told that it is busy.
fn claim(new: &Path) -> Result<File, Failure> {
    let failed = Kind::io("making the copy");
    let file = match birth::private_file(new) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !fs::symlink_metadata(new).map_err(&failed)?.is_file() {
                return Err(Failure::Refused(
                    "where it would be built lies a link or a folder",
                ));
            }
            let mut options = OpenOptions::new();
            options.read(true).write(true).open(new)
        }
        made => made,
    };
    let file = file.map_err(&failed)?;
    let busy = || Failure::Target(Kind::Busy { holder: None });
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(busy()),
        Err(fs::TryLockError::Error(error)) => return Err(failed(error).into()),
    }
    let (held, named) = (file.metadata(), fs::symlink_metadata(new));
    match (held, named) {
        (Ok(held), Ok(named)) if id(&held) == id(&named) => {}
        // It was finished and moved into its place in this moment.
        _ => return Err(busy()),
    }
    // Emptied and not removed: the lock is on this very file.
    birth::clear_journals(new)?;
    file.set_len(0)
        .and_then(|()| file.set_permissions(Permissions::from_mode(PRIVATE)))
        .map_err(failed)?;
    Ok(file)
}

/// Copies one moment of the archive and looks through the copy.
fn fill(
    source: &Connection,
    new: &Path,
    is_stopped: &(impl Fn() -> bool + Clone + Send + 'static),
) -> Result<Copied, Failure> {
    // The first thing that is read fixes the moment.
    let moment = source.unchecked_transaction().map_err(Kind::from)?;
    let copied = what_is_copied(&moment).map_err(Kind::from)?;
    copy(&moment, new, is_stopped)?;
    let failed = Kind::io("writing the copy to the disk");
    let bytes = File::open(new)
        .and_then(|file| {
            file.sync_all()?;
            file.metadata()
        })
        .map_err(failed)?
        .len();
    Ok(Copied { bytes, ..copied })
}

fn what_is_copied(moment: &Connection) -> rusqlite::Result<Copied> {
    let tasks: i64 =
        moment.query_row("SELECT coalesce(sum(tasks), 0) FROM instance", [], |row| {
            row.get(0)
        })?;
    let last_sync = moment
        .query_row(
            "SELECT sync_key, finished, outcome FROM sync WHERE finished IS NOT NULL ORDER BY sync_key DESC LIMIT 1",
            [],
            |row| {
                let finished = Timestamp::from_millis(row.get(1)?).unwrap_or(Timestamp::EPOCH);
                Ok((row.get(0)?, finished, row.get(2)?))
            },
        )
        .optional()?;
    Ok(Copied {
        path: PathBuf::new(),
        bytes: 0,
        tasks: tasks.unsigned_abs(),
        last_sync,
    })
}

fn copy(
    moment: &Connection,
    new: &Path,
    is_stopped: &(impl Fn() -> bool + Clone + Send + 'static),
) -> Result<(), Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut target = Connection::open_with_flags(new, flags).map_err(Kind::from)?;
    // It is thrown away if anything fails, and synced as a whole at the end.
    target
        .execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cell_size_check = ON;",
        )
        .map_err(Kind::from)?;
    {
        let backup = Backup::new(moment, &mut target).map_err(Kind::from)?;
        loop {
            match backup.step(STEP).map_err(Kind::from)? {
                StepResult::Done => break,
                StepResult::More if is_stopped() => return Err(Failure::Stopped),
                StepResult::More => {}
                // The moment is held and nobody else has the copy, so there is nothing to wait for.
                _ => return Err(Kind::Busy { holder: None }.into()),
            }
        }
    }
    // A signal ends a long look through the copy as well.
    target
        .progress_handler(STEP, Some(is_stopped.clone()))
        .map_err(Kind::from)?;
    check(&target).map_err(|failure| match failure {
        _ if is_stopped() => Failure::Stopped,
        failure => failure,
    })?;
    target.close().map_err(|(_, error)| Kind::from(error))?;
    Ok(())
}

/// Makes the copy one plain file, which also programs that only read can open where nothing can be written, and looks
/// through it.
fn check(target: &Connection) -> Result<(), Failure> {
    let sound = || -> rusqlite::Result<String> {
        // The journal's mode is that of the archive, which SQLite learns when it reads.
        target.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        target.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
        target.pragma_query_value(None, "quick_check", |row| row.get(0))
    };
    let told = sound().map_err(Kind::from)?;
    if told == "ok" {
        return Ok(());
    }
    Err(Kind::damaged(&told).into())
}

fn put_in_place(new: &Path, to: &Place, replace: bool) -> Result<(), Failure> {
    let failed = Kind::io("moving the copy into its place");
    if replace {
        fs::rename(new, &to.archive).map_err(&failed)?;
    } else {
        // A rename would replace what came to lie there in the meantime.
        let named = TempPath::try_from_path(new).map_err(&failed)?;
        if let Err(error) = named.persist_noclobber(&to.archive) {
            return match error.error.kind() {
                ErrorKind::AlreadyExists => Err(Failure::Exists),
                _ => Err(failed(error.error).into()),
            };
        }
    }
    to.sync_folder().map_err(failed)?;
    Ok(())
}

/// Whether two names are those of one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let file = |path: &Path| fs::symlink_metadata(path).as_ref().map(id).ok();
    file(one).is_some_and(|one| Some(one) == file(other))
}

fn id(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
