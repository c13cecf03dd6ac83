//! The format of an archive: its migrations, and the check that a database is what they make.
//!
//! An archive may have been copied from anywhere, so its schema is compared with the one that this program would make,
//! and what does not belong there (a trigger, a view of somebody else's) is refused before it can be run. The format is
//! asked for again in each transaction that writes, since a newer version may have come along in between.

use std::collections::BTreeMap;

use chrono::{DateTime, Timelike as _};
use refinery::{Migration, Runner, Target};
use ring::digest;
use rusqlite::{Connection, TransactionBehavior};

use crate::store::chain::hex;
use crate::store::error::{Class, Kind, class_of};
use crate::store::{Error, header};

/// The format that this version writes: the number of the last migration, and `user_version` in the file.
pub(crate) const FORMAT: i32 = 1;

/// The SHA-256 of the schema that the migrations make. Making the schema again to compare with would take longer than all
/// else that a quiet sync does, so that is left to a schema with another digest, to say what is wrong with it.
const SCHEMA: &str = "4a4e0e30750fd2e6a92fa594d18978ede7d30e167053d3fe2c0a5fd883704e78";

/// The migration runner's own table.
const HISTORY: &str = "refinery_schema_history";

refinery::embed_migrations!("migrations");

/// The formats that a program knows. Tests know one more.
pub(super) struct Formats {
    pub(super) known: i32,
    migrations: Vec<Migration>,
}

/// The objects of a schema: by type and name, the table and the SQL text.
type Objects = BTreeMap<(String, String), (String, Option<String>)>;

impl Formats {
    pub(super) fn current() -> Self {
        Self {
            known: FORMAT,
            migrations: migrations::runner().get_migrations().clone(),
        }
    }

    /// Makes or brings up to date: everything in one transaction, so that a kill leaves the old archive or the new one.
    pub(super) fn migrate(&self, connection: &mut Connection) -> Result<(), Kind> {
        self.migrate_to(connection, Target::Latest)
    }

    fn migrate_to(&self, connection: &mut Connection, target: Target) -> Result<(), Kind> {
        // The runner begins a deferred transaction, which does not wait for a foreign writer.
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        // Not grouped, the runner would commit a migration and note it in two transactions.
        let runner = Runner::new(&self.migrations).set_grouped(true);
        match runner.set_target(target).run(connection) {
            Ok(_report) => Ok(()),
            Err(error) => Err(Kind::sorted(
                class_of_migration(&error),
                "bringing its format up to date",
                error.into(),
            )),
        }
    }

    /// Checks that a database is an archive of a known format and holds what that format holds; returns the format.
    pub(super) fn check(&self, connection: &Connection) -> Result<i32, Kind> {
        let (application_id, format) = mark(connection)?;
        header::check(application_id, format, self.known)?;
        self.compare(connection, format)?;
        Ok(format)
    }

    fn compare(&self, connection: &Connection, format: i32) -> Result<(), Kind> {
        let found = objects(connection)?;
        if format == FORMAT && digest_of(&found) == SCHEMA {
            return Ok(());
        }
        let mut model = Connection::open_in_memory()?;
        self.migrate_to(&mut model, Target::Version(format))?;
        let expected = objects(&model)?;
        let same = |(kind, name): &(String, String), (table, sql): &(String, Option<String>)| {
            // The text of this table is the runner's, and may change with its version.
            expected
                .get(&(kind.clone(), name.clone()))
                .is_some_and(|object| object.0 == *table && (name == HISTORY || object.1 == *sql))
        };
        if let Some(((kind, name), _)) = found.iter().find(|(key, object)| !same(key, object)) {
            return Err(Kind::NotOurs(format!(
                "the {kind} {name:?} is not what format {format} has"
            )));
        }
        match expected.keys().find(|key| !found.contains_key(*key)) {
            Some((kind, name)) => Err(Kind::damaged(&format!("the {kind} {name:?} is gone"))),
            None => Ok(()),
        }
    }

    /// Checks the notes of the migration runner, which trusts them more than a file from anywhere deserves: it panics on
    /// a time or a checksum that it cannot read.
    pub(super) fn check_history(&self, connection: &Connection) -> Result<(), Kind> {
        let sql = format!("SELECT version, name, applied_on, checksum FROM {HISTORY}");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (version, name): (i32, String) = (row.get(0)?, row.get(1)?);
            let (applied, checksum): (String, String) = (row.get(2)?, row.get(3)?);
            let known = self.migrations.iter().any(|migration| {
                i64::from(migration.version()) == i64::from(version)
                    && migration.name() == name
                    && migration.checksum().to_string() == checksum
            });
            if !known || !is_plain_time(&applied) {
                return Err(Kind::NotOurs(format!(
                    "it notes a migration {version} that is not this program's"
                )));
            }
        }
        Ok(())
    }
}

/// Returns the version of SQLite that is built in.
pub(crate) fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Checks that a database is still an archive of the format that this program writes. To be called after every `BEGIN` of
/// a writer: another version may have migrated the archive since it was opened.
pub(crate) fn check_format(connection: &Connection) -> Result<(), Error> {
    let of = |kind| Error {
        path: connection.path().map(Into::into),
        kind,
    };
    let (application_id, found) = mark(connection).map_err(|error| of(error.into()))?;
    header::check(application_id, found, FORMAT).map_err(of)?;
    if found < FORMAT {
        let known = FORMAT;
        return Err(of(Kind::Older { found, known }));
    }
    Ok(())
}

fn mark(connection: &Connection) -> rusqlite::Result<(i32, i32)> {
    // Two statements of which the text is kept: they run at each BEGIN.
    let number = |sql: &str| {
        connection
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))
    };
    Ok((
        number("PRAGMA main.application_id")?,
        number("PRAGMA main.user_version")?,
    ))
}

fn objects(connection: &Connection) -> rusqlite::Result<Objects> {
    // ANALYZE leaves its tables, and anyone may run it.
    let mut statement = connection.prepare(
        "SELECT type, name, tbl_name, sql FROM main.sqlite_schema
         WHERE NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat4'))",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?)))
    })?;
    rows.collect()
}

/// Returns the SHA-256 of all objects, without the text of the migration runner's table, which is not ours.
fn digest_of(objects: &Objects) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for ((kind, name), (table, sql)) in objects {
        let sql = sql.as_deref().filter(|_| name != HISTORY).unwrap_or("");
        for part in [kind, name, table, sql] {
            context.update(&part.len().to_le_bytes());
            context.update(part.as_bytes());
        }
    }
    hex(context.finish().as_ref())
}

/// Whether the migration runner can read a time that it is said to have written.
fn is_plain_time(text: &str) -> bool {
    text.ends_with('Z')
        && text.as_bytes().get(10) == Some(&b'T')
        && DateTime::parse_from_rfc3339(text)
            // A leap second is kept as a nanosecond beyond the last.
            .is_ok_and(|time| time.nanosecond() < 1_000_000_000)
}

fn class_of_migration(error: &refinery::Error) -> Class {
    match error.kind() {
        refinery::error::Kind::Connection(_, source) => source
            .downcast_ref::<rusqlite::Error>()
            .map_or(Class::Machine, class_of),
        _ => Class::Machine,
    }
}

#[cfg(test)]
impl Formats {
    /// The formats of a later version, which has one more migration.
    pub(super) fn later(sql: &str) -> Self {
        let mut formats = Self::current();
        let name = format!("V{}__later", FORMAT + 1);
        formats.known = FORMAT + 1;
        formats
            .migrations
            .push(Migration::unapplied(&name, sql).unwrap());
        formats
    }

    /// The same, if somebody had edited the first migration.
    pub(super) fn with_another_first(mut self) -> Self {
        let first = &self.migrations[0];
        let sql = format!("{} -- better", first.sql().unwrap());
        let name = format!("V{}__{}", first.version(), first.name());
        self.migrations[0] = Migration::unapplied(&name, &sql).unwrap();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_schema_that_the_migrations_make() {
        let mut archive = Connection::open_in_memory().unwrap();
        Formats::current().migrate(&mut archive).unwrap();
        assert_eq!(digest_of(&objects(&archive).unwrap()), SCHEMA);
    }

    #[test]
    fn the_first_migration_is_the_one_that_was_released() {
        let mut made = Connection::open_in_memory().unwrap();
        Formats::current()
            .migrate_to(&mut made, Target::Version(1))
            .unwrap();
        let released = Connection::open_in_memory().unwrap();
        let sql = include_str!("../../tests/fixtures/first-release.sql");
        released.execute_batch(sql).unwrap();
        let noted = |archive: &Connection| -> (String, String) {
            let sql = format!("SELECT name, checksum FROM {HISTORY} WHERE version = 1");
            let row = archive.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
            row.unwrap()
        };
        let why =
            "V0001 was edited: archives that people have would be refused; add a migration instead";
        assert_eq!(noted(&made), noted(&released), "{why}");
        let (made, released) = (objects(&made).unwrap(), objects(&released).unwrap());
        assert_eq!(digest_of(&made), digest_of(&released), "{why}");
    }

    #[test]
    fn an_object_more_or_less_or_with_another_text_makes_another_digest() {
        let mut archive = Connection::open_in_memory().unwrap();
        Formats::current().migrate(&mut archive).unwrap();
        for sql in [
            "CREATE VIEW more AS SELECT 1",
            "DROP VIEW more; DROP VIEW changes",
            "CREATE VIEW changes AS SELECT 1",
        ] {
            archive.execute_batch(sql).unwrap();
            assert_ne!(digest_of(&objects(&archive).unwrap()), SCHEMA, "{sql}");
        }
    }
}
