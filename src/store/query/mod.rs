//! Anyone's SQL, asked of the archive without a risk to it or to the machine.
//!
//! A question is one statement that reads. [`guard`] sees to that: an authorizer refuses everything else while the
//! statement is compiled, and limits bound what it may take. It runs in a thread of its own, because a single function
//! call over long texts may take hours in which SQLite listens to nobody: when its time is up, whoever asked goes away,
//! and the end of the process ends the thread. Only the time that is spent waiting for SQLite counts, so a pager
//! at the other end of a pipe may take as long as its user reads.

mod error;
mod guard;

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use std::{io, thread, vec};

use rusqlite::types::Value;
use rusqlite::{Connection, InterruptHandle, Statement};

pub(crate) use self::error::Error;
use self::error::{Hints, sort};
pub(crate) use self::guard::LONGEST_SQL;
use crate::store;
use crate::store::read;

/// What `--help` shows: SQL text stands in this room only.
pub(crate) const EXAMPLES: &str = "Examples:
  dcs-history sql \"SELECT name, count(*) AS tasks FROM tasks GROUP BY name\"
  dcs-history sql -p user=li.wei 'SELECT * FROM tasks WHERE user_name = :user'
  dcs-history sql - < question.sql";

/// SQLite calls itself as deep as a query is nested: 1000 levels at most, some kilobytes each, and more where it is built
/// without optimisation. Memory that is not used costs nothing.
const STACK: usize = 64 << 20;

/// Rows are handed over together while nobody takes them, up to so many values' bytes; two such lots are on their way at most.
const LOT: usize = 1 << 20;

/// A statement and what it is asked with.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) sql: String,
    /// Values by the name of the parameter, without the sign before it.
    pub(crate) params: Vec<(String, Value)>,
    /// How long SQLite may work on it.
    pub(crate) time: Duration,
}

/// The rows of an answer, one after the other. Dropped before their end, it stops the work on the rest.
pub(crate) struct Answer {
    /// The names of the columns, as SQLite has them.
    pub(crate) columns: Vec<String>,
    rows: vec::IntoIter<Vec<Value>>,
    parts: Receiver<Part>,
    interrupt: InterruptHandle,
    time: Duration,
    left: Duration,
}

/// What comes from the thread that asks.
enum Part {
    /// Comes first, once the first row is there or there is none: until then anything may fail.
    Columns(Vec<String>),
    Rows(Vec<Vec<Value>>),
    /// Comes last; the archive is closed by then.
    End(Result<(), Error>),
}

/// Asks the archive, and waits for the first row.
pub(crate) fn ask(mut archive: Connection, question: Question) -> Result<Answer, Error> {
    if question.sql.len() > LONGEST_SQL {
        return Err(Error::LongSql);
    }
    if question.sql.contains('\0') {
        return Err(Error::Nul);
    }
    let guarded = guard::guard(&mut archive);
    let (denials, hints) = guarded.map_err(|error| Error::Archive(error.into()))?;
    let (tell, parts) = sync_channel(1);
    let (interrupt, time) = (archive.get_interrupt_handle(), question.time);
    let work = move || {
        let asked = answer(&archive, &question, &tell);
        let ended = asked.map_err(|error| error.sorted(&question.sql, &denials, &hints));
        drop(archive);
        // Nobody listens any more if the time was up.
        let _late = tell.send(Part::End(ended));
    };
    let thread = thread::Builder::new().stack_size(STACK);
    thread
        .name("sql".to_owned())
        .spawn(work)
        .map_err(no_thread)?;
    let mut answer = Answer {
        columns: Vec::new(),
        rows: Vec::new().into_iter(),
        parts,
        interrupt,
        time,
        left: time,
    };
    match answer.receive()? {
        Part::Columns(columns) => answer.columns = columns,
        Part::Rows(rows) => answer.rows = rows.into_iter(),
        Part::End(ended) => ended?,
    }
    Ok(answer)
}

impl Answer {
    /// Returns the next row, if there is one. Text that is not UTF-8 comes as a blob.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Value>>, Error> {
        loop {
            if let Some(row) = self.rows.next() {
                return Ok(Some(row));
            }
            match self.receive()? {
                Part::Rows(rows) => self.rows = rows.into_iter(),
                Part::Columns(columns) => self.columns = columns,
                Part::End(ended) => return ended.map(|()| None),
            }
        }
    }

    fn receive(&mut self) -> Result<Part, Error> {
        let began = Instant::now();
        let received = self.parts.recv_timeout(self.left);
        self.left = self.left.saturating_sub(began.elapsed());
        received.map_err(|error| match error {
            RecvTimeoutError::Timeout => Error::TimeUp(self.time),
            // It ends without a word only if SQLite cannot get the last bytes of a row that it has announced.
            RecvTimeoutError::Disconnected => Error::Memory,
        })
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.interrupt.interrupt();
    }
}

fn no_thread(error: io::Error) -> Error {
    Error::Archive(store::error::Kind::io("starting a thread")(error).into())
}

/// Why there is no answer, as yet unsorted.
enum Failed {
    Sqlite(rusqlite::Error),
    Asked(Error),
    /// Nobody wants the rest.
    Unwanted,
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Failed {
    fn sorted(self, sql: &str, denials: &guard::Denials, hints: &Hints) -> Error {
        match self {
            Self::Sqlite(error) => sort(error, sql, denials.first(), hints),
            Self::Asked(error) => error,
            Self::Unwanted => Error::Unwanted,
        }
    }
}

/// Does the work of the thread: compiles, binds, and hands over row by row.
fn answer(
    archive: &Connection,
    question: &Question,
    tell: &SyncSender<Part>,
) -> Result<(), Failed> {
    let mut statement = archive.prepare(&question.sql)?;
    let columns: Vec<_> = statement.column_names().map(ToOwned::to_owned).collect();
    if columns.is_empty() {
        let is_empty = statement.readonly();
        return Err(Failed::Asked(if is_empty {
            Error::Empty
        } else {
            Error::Writes
        }));
    }
    if !statement.readonly() {
        return Err(Failed::Asked(Error::Writes));
    }
    bind(&mut statement, &question.params)?;
    let (mut rows, count) = (statement.raw_query(), columns.len());
    let mut next = rows.next()?;
    let send = |part| tell.send(part).map_err(|_gone| Failed::Unwanted);
    send(Part::Columns(columns))?;
    let (mut lot, mut bytes) = (Vec::new(), 0);
    while let Some(row) = next {
        let values = read::values(row, count)?;
        let row_bytes: usize = values.iter().map(size).sum();
        if row_bytes > guard::LONGEST {
            return Err(Failed::Asked(Error::LongRow));
        }
        lot.push(values);
        bytes += row_bytes;
        // Whoever waits gets what there is; whoever does not is spared a message a row.
        let sent = if bytes > LOT {
            tell.send(Part::Rows(lot)).map_err(|_gone| None)
        } else {
            tell.try_send(Part::Rows(lot)).map_err(|error| match error {
                TrySendError::Full(Part::Rows(lot)) => Some(lot),
                _ => None,
            })
        };
        (lot, bytes) = match sent {
            Ok(()) => (Vec::new(), 0),
            Err(Some(kept)) => (kept, bytes),
            Err(None) => return Err(Failed::Unwanted),
        };
        next = rows.next()?;
    }
    if lot.is_empty() {
        Ok(())
    } else {
        send(Part::Rows(lot))
    }
}

/// Gives every parameter its value. One without a value would be NULL, and compare with nothing.
fn bind(statement: &mut Statement<'_>, params: &[(String, Value)]) -> Result<(), Failed> {
    let mut used = vec![false; params.len()];
    for index in 1..=statement.parameter_count() {
        let Some(spelt) = statement.parameter_name(index).map(ToOwned::to_owned) else {
            return Err(Failed::Asked(Error::Nameless));
        };
        // The sign before the name is one of `:`, `@`, `$`, `?`.
        let named = params.iter().position(|(name, _)| *name == spelt[1..]);
        let Some(named) = named else {
            return Err(Failed::Asked(Error::Unbound(spelt)));
        };
        statement.raw_bind_parameter(index, &params[named].1)?;
        used[named] = true;
    }
    match used.iter().position(|used| !used) {
        Some(unused) => Err(Failed::Asked(Error::Unused(params[unused].0.clone()))),
        None => Ok(()),
    }
}

fn size(value: &Value) -> usize {
    // An enum of a few words, and what it owns.
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            Value::Null | Value::Integer(_) | Value::Real(_) => 0,
        }
}

#[cfg(test)]
mod tests;
