//! The database itself: pages, indexes, constraints, and references from one table to another.

use rusqlite::types::ValueRef;

use super::{Error, Look, Promise};
use crate::store::scan::text;

/// How many lines SQLite is asked for: the first say where, and the rest follow from them.
const LINES: u32 = 100;

pub(super) fn look(look: &mut Look<'_>) -> Result<(), Error> {
    look.stage("pages and indexes", None);
    let archive = look.archive;
    let mut statement = archive.prepare(&format!("PRAGMA main.integrity_check({LINES})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let told = text(row, 0)?.unwrap_or_default();
        if told != "ok" {
            for line in told.lines() {
                look.fault(Promise::Database, "the file", line);
            }
        }
    }
    look.stage("references", None);
    let mut statement = archive.prepare("PRAGMA main.foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut told = 0;
    while let Some(row) = rows.next()?
        && told < LINES
    {
        let (table, parent) = (
            text(row, 0)?.unwrap_or_default(),
            text(row, 2)?.unwrap_or_default(),
        );
        let place = match row.get_ref(1)? {
            ValueRef::Integer(key) => format!("{table} {key}"),
            _ => format!("table {table}"),
        };
        look.fault(
            Promise::Database,
            place,
            format!("it refers to a {parent} that is not there"),
        );
        told += 1;
    }
    Ok(())
}
