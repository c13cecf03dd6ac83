//! Does the archive hold what it promises? Everything in it that can be worked out again is, and compared.
//!
//! The look goes from the outside in: the database, the hash chain, every task with its revisions, the ledger and what
//! instances say of themselves. It only reads, within one moment of the archive, in bounded memory and in time
//! proportional to what is there. Whatever is found is told at once; a look that a damaged page ends is a finding, and the
//! next one begins all the same.

mod absences;
mod damage;
mod instances;
mod ledger;
mod links;
mod tasks;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::error::Error as _;
use std::path::Path;

use rusqlite::Connection;

use crate::model::Digest;
use crate::model::finding::{Finding, Promise};
use crate::model::rows::Reading;
use crate::store::Error;
use crate::store::chain::{self, Head};
use crate::store::error::Class;
use crate::store::place::Place;

/// What is told while it goes on.
#[derive(Debug)]
pub(crate) enum Event {
    /// The next look begins; how many steps it takes, where that is known.
    Stage(&'static str, Option<u64>),
    /// So many steps of it are done.
    Step(u64),
    Found(Finding),
}

/// What was looked through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) tasks: u64,
    pub(crate) revisions: u64,
    pub(crate) walks: u64,
    pub(crate) links: u64,
    pub(crate) head: Option<Head>,
}

/// Looks through the archive as it is at one moment. `expected` is a head that the chain must contain.
pub(crate) fn verify(
    archive: &Connection,
    reading: Reading,
    expected: Option<&Digest>,
    tell: &mut dyn FnMut(Event),
) -> Result<Verified, Error> {
    let mut look = Look {
        archive,
        reading,
        tell,
        verified: Verified::default(),
        names: HashMap::new(),
        tallies: HashMap::new(),
        lanes: HashMap::new(),
    };
    look.attempt("database", damage::look)?;
    look.attempt("instance", Look::name_instances)?;
    look.attempt("link", |look| links::look(look, expected))?;
    look.attempt("task", tasks::look)?;
    look.attempt("walk", ledger::look)?;
    look.attempt("instance", instances::look)?;
    look.verified.head = chain::head(archive).ok().flatten();
    Ok(look.verified)
}

/// Makes a finding of an error that ended a look, if the archive is what is wrong.
pub(crate) fn damage(error: Error, place: impl Into<String>) -> Result<Finding, Error> {
    if error.class() != Class::Archive {
        return Err(error);
    }
    let mut what = error.kind.to_string();
    let mut cause = error.kind.source();
    while let Some(error) = cause {
        what = format!("{what}: {error}");
        cause = error.source();
    }
    Ok(Finding::fault(Promise::Database, place, what))
}

/// Returns how many bytes wait in the log beside the archive: a reader that never ends keeps it growing.
pub(crate) fn log_bytes(path: &Path) -> u64 {
    Place::of(path).map_or(0, |place| place.wal_bytes())
}

/// One verification under way.
struct Look<'a> {
    archive: &'a Connection,
    reading: Reading,
    tell: &'a mut dyn FnMut(Event),
    verified: Verified,
    /// The instances by their keys.
    names: HashMap<i64, String>,
    /// What the tasks of each instance come to.
    tallies: HashMap<i64, Tally>,
    /// What the ledger says of each instance.
    lanes: HashMap<i64, ledger::Lane>,
}

/// What the rows of one instance come to, against its counters and its mark.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    tasks: i64,
    open: i64,
    missing: i64,
    confirmed: i64,
    mark: Option<i64>,
    /// Some revision was last updated at the mark.
    mark_was_shown: bool,
}

impl Look<'_> {
    /// Makes one look. What is wrong with the file there is a finding; what is wrong with the machine ends everything.
    fn attempt(
        &mut self,
        place: &str,
        look: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Err(error) = look(self) {
            self.found(damage(error, format!("table {place}"))?);
        }
        Ok(())
    }

    fn found(&mut self, finding: Finding) {
        (self.tell)(Event::Found(finding));
    }

    fn fault(&mut self, promise: Promise, place: impl Into<String>, what: impl Into<String>) {
        self.found(Finding::fault(promise, place, what));
    }

    fn note(&mut self, promise: Promise, place: impl Into<String>, what: impl Into<String>) {
        self.found(Finding::note(promise, place, what));
    }

    fn stage(&mut self, name: &'static str, steps: Option<u64>) {
        (self.tell)(Event::Stage(name, steps));
    }

    fn step(&mut self, done: u64) {
        // Often enough for a line on a terminal, and seldom enough to cost nothing.
        if done.is_multiple_of(1024) {
            (self.tell)(Event::Step(done));
        }
    }

    fn name_instances(&mut self) -> Result<(), Error> {
        let mut statement = self
            .archive
            .prepare("SELECT instance_key, instance_id, mark FROM instance")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            self.names
                .insert(key, super::scan::text(row, 1)?.unwrap_or_default());
            let tally = Tally {
                mark: row.get(2)?,
                ..Tally::default()
            };
            self.tallies.insert(key, tally);
        }
        Ok(())
    }

    fn instance(&self, key: i64) -> String {
        self.names.get(&key).map_or_else(
            || format!("instance number {key}"),
            |id| format!("instance {id}"),
        )
    }
}

/// Quotes a value for a message, cut to a length that a line bears.
pub(crate) fn quoted(value: Option<&str>) -> String {
    const LONGEST: usize = 80;
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}
