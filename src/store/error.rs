//! What can go wrong with the archive, sorted where it arises.
//!
//! A [`Kind`] says what happened, a [`Class`] says which exit code that means, and neither needs anyone to read the text.
//! Errors of SQLite are sorted by their result code; the error itself stays behind the kind as its source.

use std::{
    error::Error as StdError,
    fmt, io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

use crate::store::lock::Holder;

/// An error that is kept for its text.
pub(crate) type Cause = Box<dyn StdError + Send + Sync>;

/// The archive could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) struct Error {
    /// The archive as the caller named it; unknown where only a connection was at hand.
    pub(crate) path: Option<PathBuf>,
    #[source]
    pub(crate) kind: Kind,
}

/// Why the archive could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("there is no archive there yet")]
    Missing,
    #[error("its folder does not exist")]
    NoFolder,
    /// A folder, a device, a link that leads nowhere usable.
    #[error("{0}")]
    NotAFile(&'static str),
    #[error("it lies on another machine ({0})")]
    Remote(&'static str),
    #[error("it is not an archive of this program: {0}")]
    NotOurs(String),
    #[error("its format is {found}, and this version knows formats up to {known}")]
    Newer { found: i32, known: i32 },
    /// Only for reading: a writer brings an older archive up to date.
    #[error("its format is {found}, and this version reads format {known}")]
    Older { found: i32, known: i32 },
    #[error("it is damaged")]
    Damaged(#[source] Cause),
    #[error("{}", busy(.holder.as_ref()))]
    Busy { holder: Option<Holder> },
    #[error("task {task_id} has more revisions than the archive can number")]
    TooManyRevisions { task_id: String },
    #[error("the thread that writes to it ended early")]
    WriterGone,
    /// Permission, disk full, I/O error, or a fault of the program's own.
    #[error("{doing} failed")]
    Machine {
        doing: &'static str,
        #[source]
        source: Cause,
    },
}

/// What a caller tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The archive itself cannot be used.
    Archive,
    /// Another program holds it.
    Busy,
    /// The machine or the program failed.
    Machine,
}

impl Error {
    pub(crate) fn new(path: &Path, kind: Kind) -> Self {
        Self {
            path: Some(path.to_owned()),
            kind,
        }
    }

    pub(crate) const fn class(&self) -> Class {
        match self.kind {
            Kind::Missing
            | Kind::NoFolder
            | Kind::NotAFile(_)
            | Kind::Remote(_)
            | Kind::NotOurs(_)
            | Kind::Newer { .. }
            | Kind::Older { .. }
            | Kind::Damaged(_) => Class::Archive,
            Kind::Busy { .. } => Class::Busy,
            Kind::Machine { .. } | Kind::TooManyRevisions { .. } | Kind::WriterGone => {
                Class::Machine
            }
        }
    }

    /// What a person can do next.
    pub(crate) fn hints(&self) -> Vec<String> {
        let hint = match &self.kind {
            Kind::Missing => {
                "`dcs-history sync --endpoint URL --project-id ID --instance ID` makes one"
            }
            Kind::NoFolder => "make the folder first, or name another file with `--db`",
            Kind::NotAFile(_) => "name a file with `--db`",
            Kind::Remote(_) => {
                "the archive must lie on a disk of this machine; `dcs-history backup FILE` copies it anywhere"
            }
            Kind::NotOurs(_) => "nothing was changed; name another file with `--db`",
            Kind::Newer { .. } => {
                "nothing was changed; use the version that wrote it, or a newer one"
            }
            Kind::Older { .. } => "the next `dcs-history sync` brings it up to date",
            Kind::Damaged(_) => return self.damage_hints(),
            Kind::Busy { .. } => {
                "wait until the other program is done, and run the same command again"
            }
            Kind::TooManyRevisions { .. } | Kind::WriterGone => {
                "this is a fault of the program; please report it with the message above"
            }
            Kind::Machine { source, .. } => match machine_hint(source.as_ref()) {
                Some(hint) => hint,
                None => return Vec::new(),
            },
        };
        vec![hint.to_owned()]
    }

    fn damage_hints(&self) -> Vec<String> {
        let file = self.path.as_deref().map_or_else(
            || "FILE".to_owned(),
            // Quoted for a shell, since this line is there to be copied into one.
            |path| format!("'{}'", path.display().to_string().replace('\'', r"'\''")),
        );
        vec![
            "put the latest backup in its place; this program never puts a fresh archive there"
                .to_owned(),
            format!(
                "without a backup, `sqlite3 {file} .recover > rescued.sql` saves what can still be read"
            ),
        ]
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(out, "cannot use the archive {}", path.display()),
            None => write!(out, "cannot use the archive"),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self {
            path: None,
            kind: error.into(),
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self { path: None, kind }
    }
}

impl Kind {
    /// Makes a kind of a class that was found in the source.
    pub(super) fn sorted(class: Class, doing: &'static str, source: Cause) -> Self {
        match class {
            Class::Archive => Self::Damaged(source),
            Class::Busy => Self::Busy { holder: None },
            Class::Machine => Self::Machine { doing, source },
        }
    }

    /// Returns what turns an I/O error into a kind, to be handed to `map_err`.
    pub(super) fn io(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Machine {
            doing,
            source: error.into(),
        }
    }

    pub(super) fn damaged(how: &str) -> Self {
        Self::Damaged(how.into())
    }
}

impl From<rusqlite::Error> for Kind {
    fn from(error: rusqlite::Error) -> Self {
        Self::sorted(
            class_of(&error),
            "an operation of the database",
            error.into(),
        )
    }
}

/// How SQLite begins to say that something was altered, where its code is that of any mistake: values that the views cannot
/// work with, since they read JSON and times that were stored as such; and a header whose format is of no SQLite.
const UNREADABLE: [&str; 4] = [
    "malformed JSON",
    "bad JSON path",
    "integer overflow",
    "unsupported file format",
];

/// Sorts an error of SQLite: somebody else's turn, the file's fault, or the machine's.
pub(super) fn class_of(error: &rusqlite::Error) -> Class {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(told))
            if UNREADABLE.iter().any(|begins| told.starts_with(begins)) =>
        {
            Class::Archive
        }
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed => Class::Busy,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Class::Archive,
            _ => Class::Machine,
        },
        // The tables are strict, so a value of another type than was asked for is one that somebody altered.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::InvalidColumnType(..) => Class::Archive,
        _ => Class::Machine,
    }
}

/// Looks through a chain of sources for a reason that a person can remove.
fn machine_hint(source: &(dyn StdError + Send + Sync + 'static)) -> Option<&'static str> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(source);
    while let Some(error) = next {
        let hint = match (error.downcast_ref(), error.downcast_ref()) {
            (Some(error), _) => hint_of_io(error),
            (_, Some(error)) => hint_of_sqlite(error),
            _ => None,
        };
        if hint.is_some() {
            return hint;
        }
        next = error.source();
    }
    None
}

const ROOM: &str = "make room on the disk and run the same command again; what was stored is kept";
const RIGHTS: &str =
    "give the user that runs this program the right to read and write the archive and its folder";

fn hint_of_io(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(ROOM),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(RIGHTS),
        _ => None,
    }
}

fn hint_of_sqlite(error: &rusqlite::Error) -> Option<&'static str> {
    match error.sqlite_error_code()? {
        ErrorCode::DiskFull => Some(ROOM),
        ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen => Some(RIGHTS),
        _ => None,
    }
}

fn busy(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || "another program is writing to it".to_owned(),
        |Holder { pid, since, what }| format!("process {pid} ({what}) holds it since {since}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: std::ffi::c_int) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
    }

    #[test]
    fn every_result_code_of_sqlite_has_its_class() {
        use rusqlite::ffi;
        let cases = [
            (ffi::SQLITE_BUSY, Class::Busy),
            (ffi::SQLITE_BUSY_SNAPSHOT, Class::Busy),
            (ffi::SQLITE_LOCKED, Class::Busy),
            (ffi::SQLITE_PROTOCOL, Class::Busy),
            (ffi::SQLITE_CORRUPT, Class::Archive),
            (ffi::SQLITE_NOTADB, Class::Archive),
            (ffi::SQLITE_FULL, Class::Machine),
            (ffi::SQLITE_IOERR, Class::Machine),
            (ffi::SQLITE_IOERR_WRITE, Class::Machine),
            (ffi::SQLITE_READONLY, Class::Machine),
            (ffi::SQLITE_READONLY_DIRECTORY, Class::Machine),
            (ffi::SQLITE_CANTOPEN, Class::Machine),
            (ffi::SQLITE_PERM, Class::Machine),
            (ffi::SQLITE_NOMEM, Class::Machine),
            (ffi::SQLITE_CONSTRAINT, Class::Machine),
        ];
        for (code, class) in cases {
            assert_eq!(Error::from(failure(code)).class(), class, "{code}");
        }
        let altered = rusqlite::Error::IntegralValueOutOfRange(0, 1 << 40);
        assert_eq!(Error::from(altered).class(), Class::Archive);
    }

    #[test]
    fn what_the_views_cannot_read_is_the_fault_of_who_altered_it() {
        let archive = rusqlite::Connection::open_in_memory().unwrap();
        for (sql, class) in [
            ("SELECT json_extract('x', '$.a')", Class::Archive),
            (
                "SELECT json_extract('{\"a\":[1]}', '$.a[x]')",
                Class::Archive,
            ),
            ("SELECT abs(-9223372036854775807 - 1)", Class::Archive),
            ("SELECT sum(x) OVER nowhere", Class::Machine),
        ] {
            let told = archive.query_row(sql, [], |_| Ok(())).unwrap_err();
            assert_eq!(Error::from(told).class(), class, "{sql}");
        }
    }

    #[test]
    fn every_reason_keeps_its_source_and_gives_a_next_step() {
        let error = Error::new(
            Path::new("/data/it's.db"),
            failure(rusqlite::ffi::SQLITE_CORRUPT).into(),
        );
        assert_eq!(error.to_string(), "cannot use the archive /data/it's.db");
        let kind = error.source().unwrap();
        assert_eq!(kind.to_string(), "it is damaged");
        assert!(kind.source().unwrap().to_string().contains("malformed"));
        let hints = error.hints().join("\n");
        assert!(hints.contains("backup"), "{hints}");
        assert!(
            hints.contains(r"sqlite3 '/data/it'\''s.db' .recover"),
            "{hints}"
        );
        for (kind, part) in [
            (Kind::Missing, "dcs-history sync --endpoint"),
            (Kind::NoFolder, "--db"),
            (Kind::Newer { found: 2, known: 1 }, "newer"),
            (Kind::Busy { holder: None }, "wait"),
            (failure(rusqlite::ffi::SQLITE_FULL).into(), "room"),
            (
                Kind::io("x")(io::ErrorKind::PermissionDenied.into()),
                "right to read and write",
            ),
            (Kind::io("x")(io::ErrorKind::StorageFull.into()), "room"),
        ] {
            let hints = Error::from(kind).hints().join("\n");
            assert!(hints.contains(part), "{hints}");
        }
    }
}
