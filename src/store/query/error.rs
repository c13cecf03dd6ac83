//! Why a question got no answer, phrased for whoever typed it.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::guard::{LONGEST, LONGEST_SQL, MEMORY};
use crate::store;

/// A question without an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the query is empty")]
    Empty,
    #[error("the query holds a NUL character, behind which SQLite would not read on")]
    Nul,
    #[error("the query is longer than {LONGEST_SQL} bytes")]
    LongSql,
    #[error("there is more than one statement")]
    Several,
    #[error("{denied}")]
    Denied { denied: Denied, hint: String },
    /// What no authorizer is asked about: VACUUM.
    #[error("the statement is not one that only reads")]
    Writes,
    /// SQLite does not understand it: its own words, and where.
    #[error("{message}{}", place(*.at))]
    Misread {
        message: String,
        /// Line and column, from 1.
        at: Option<(usize, usize)>,
        hints: Vec<String>,
    },
    #[error("the parameter {0} has no value")]
    Unbound(String),
    #[error("the value {0:?} is for no parameter of the query")]
    Unused(String),
    #[error("a parameter has no name")]
    Nameless,
    #[error("there was no answer within {}", seconds(*.0))]
    TimeUp(Duration),
    #[error("it takes more than {MEMORY} MiB of memory")]
    Memory,
    #[error("a text is longer than {} MiB", LONGEST >> 20)]
    LongText,
    #[error("a row is longer than {} MiB", LONGEST >> 20)]
    LongRow,
    #[error("the archive cannot be read")]
    Archive(#[source] store::Error),
    /// Whoever asked went away.
    #[error("the rest was not wanted")]
    Unwanted,
}

/// What the authorizer refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// A statement that is none of a reader's.
    Action(String),
    Function(String),
    Table(String),
}

impl std::fmt::Display for Denied {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Action(words) => write!(out, "{words} is not allowed"),
            Self::Function(name) => write!(out, "the function {name}() is not allowed"),
            Self::Table(name) => write!(out, "{name:?} is not one of the views"),
        }
    }
}

impl Error {
    /// What a person can do next.
    pub(crate) fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Empty => "write a statement, or `-` to read one from standard input",
            Self::Nul | Self::LongText | Self::Unwanted => return Vec::new(),
            Self::LongSql => {
                "join a list of values with json_each(:list) instead of writing it out"
            }
            Self::Several => "ask them one at a time",
            Self::Denied { hint, .. } => hint,
            Self::Writes => READS,
            Self::Misread { hints, .. } => return hints.clone(),
            Self::Unbound(_) => "give it one with `-p NAME=VALUE`",
            Self::Unused(_) => "a parameter stands in the query as :name, without quotes around it",
            Self::Nameless => "write :name in place of ? and bind it with `-p name=VALUE`",
            Self::TimeUp(_) => "ask for less, or allow more with `--deadline`",
            Self::Memory => "ask for fewer or shorter columns where rows are sorted or grouped",
            Self::LongRow => "ask for fewer columns",
            Self::Archive(error) => return error.hints(),
        };
        vec![hint.to_owned()]
    }
}

const READS: &str =
    "`sql` reads and never writes: a query is one SELECT, WITH, VALUES or EXPLAIN QUERY PLAN";

/// What there is to ask for: the views and their columns.
#[derive(Debug)]
pub(super) struct Hints(BTreeMap<String, Vec<String>>);

impl Hints {
    pub(super) fn of(archive: &Connection) -> rusqlite::Result<Self> {
        let mut statement = archive.prepare(
            "SELECT v.name, c.name FROM sqlite_schema v, pragma_table_info(v.name) c
             WHERE v.type = 'view' ORDER BY v.name, c.cid",
        )?;
        let mut rows = statement.query([])?;
        let mut views = BTreeMap::<_, Vec<_>>::new();
        while let Some(row) = rows.next()? {
            views.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        Ok(Self(views))
    }

    pub(super) fn views(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn list_views(&self) -> String {
        let views: Vec<_> = self.views().collect();
        format!("the views are {}", views.join(", "))
    }

    /// Helps with what SQLite did not understand, by the beginning of its message.
    fn on(&self, message: &str, sql: &str) -> Vec<String> {
        if message.starts_with("no such table") {
            return vec![self.list_views()];
        }
        if message.starts_with("no such function") {
            return vec!["there are SQLite's own functions, and no others".to_owned()];
        }
        if !message.starts_with("no such column") {
            return Vec::new();
        }
        // The views that the query names are those whose columns were meant.
        let words: Vec<_> = sql
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .map(str::to_ascii_lowercase)
            .collect();
        let meant = self.0.iter().filter(|(view, _)| words.contains(view));
        let columns: Vec<_> = meant
            .map(|(view, columns)| format!("{view} has the columns {}", columns.join(", ")))
            .collect();
        if columns.is_empty() {
            vec![self.list_views()]
        } else {
            columns
        }
    }
}

/// Sorts what SQLite says: the query's fault, or the archive's.
pub(super) fn sort(
    error: rusqlite::Error,
    sql: &str,
    denied: Option<Denied>,
    hints: &Hints,
) -> Error {
    if let Some(denied) = denied {
        let hint = match denied {
            Denied::Action(_) => READS.to_owned(),
            Denied::Function(_) => "only functions that work out a value are allowed".to_owned(),
            Denied::Table(_) => hints.list_views(),
        };
        return Error::Denied { denied, hint };
    }
    match error {
        rusqlite::Error::MultipleStatement => Error::Several,
        rusqlite::Error::SqlInputError {
            msg,
            offset,
            sql: part,
            ..
        } => Error::Misread {
            hints: hints.on(&msg, sql),
            at: line_and_column(sql, &part, offset),
            message: msg,
        },
        rusqlite::Error::SqliteFailure(failure, message) => match failure.code {
            ErrorCode::OutOfMemory => Error::Memory,
            ErrorCode::TooBig => Error::LongText,
            ErrorCode::OperationInterrupted => Error::Unwanted,
            ErrorCode::ReadOnly => Error::Writes,
            // The plain error, which a function raises for what it is given, and two of its relations.
            ErrorCode::Unknown | ErrorCode::TypeMismatch | ErrorCode::ParameterOutOfRange => {
                let message = message.unwrap_or_else(|| failure.to_string());
                let hints = hints.on(&message, sql);
                Error::Misread {
                    message,
                    at: None,
                    hints,
                }
            }
            _ => Error::Archive(rusqlite::Error::SqliteFailure(failure, message).into()),
        },
        error => Error::Archive(error.into()),
    }
}

/// Returns where SQLite stopped: it counts bytes in the statement, which may be a later one of the text.
fn line_and_column(sql: &str, part: &str, offset: i32) -> Option<(usize, usize)> {
    let before = sql.len().checked_sub(part.len())?;
    let before = sql.get(..before + usize::try_from(offset).ok()?)?;
    let line = before.rsplit('\n').next().unwrap_or_default();
    Some((before.matches('\n').count() + 1, line.chars().count() + 1))
}

fn place(at: Option<(usize, usize)>) -> String {
    at.map_or_else(String::new, |(line, column)| {
        format!(" (line {line}, column {column})")
    })
}

/// Phrases a length of time as it is typed.
fn seconds(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{}s", time.as_secs())
    } else {
        format!("{}ms", time.as_millis())
    }
}
