//! Texts that repeat (operations, statuses, users, attributes), stored once and known by a small integer.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Result, params};

use crate::model::{
    rows::{ChangeRow, Source, TaskRow},
    status,
};

/// How many users and attributes are kept in memory: both can be made up by whoever writes task parameters, so the
/// memory must not grow with them.
const REMEMBERED: usize = 4_096;

/// The keys looked up so far. It forgets on rollback, because the rows may be gone.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    operations: HashMap<String, i64>,
    statuses: HashMap<String, i64>,
    users: HashMap<(Option<String>, Option<String>), i64>,
    attributes: HashMap<(Source, String, bool), i64>,
    /// Statuses that somebody said to be final; not forgotten on a rollback.
    pub(super) finals: Vec<String>,
}

impl Dictionary {
    pub(super) fn knowing(finals: Vec<String>) -> Self {
        Self {
            finals,
            ..Self::default()
        }
    }

    /// Forgets the keys.
    pub(super) fn forget(&mut self) {
        *self = Self::knowing(std::mem::take(&mut self.finals));
    }

    pub(super) fn operation(
        &mut self,
        connection: &Connection,
        row: &TaskRow,
    ) -> Result<Option<i64>> {
        let Some(name) = &row.name else {
            return Ok(None);
        };
        remembered(&mut self.operations, name.clone(), || {
            find_or_insert(
                connection,
                "SELECT operation_key FROM operation WHERE name = ?1",
                "INSERT INTO operation(name) VALUES (?1)",
                params![name],
                params![name],
            )
        })
        .map(Some)
    }

    pub(super) fn status(
        &mut self,
        connection: &Connection,
        name: Option<&str>,
    ) -> Result<Option<i64>> {
        let Some(name) = name else { return Ok(None) };
        let is_final = self.is_final(name);
        remembered(&mut self.statuses, name.to_owned(), || {
            find_or_insert(
                connection,
                "SELECT status_key FROM status WHERE name = ?1",
                "INSERT INTO status(name, is_final) VALUES (?1, ?2)",
                params![name],
                params![name, is_final],
            )
        })
        .map(Some)
    }

    /// Says whether a task with this status may still change: also where it has none or an unknown one.
    pub(super) fn is_open(&self, status: Option<&str>) -> bool {
        !status.is_some_and(|status| self.is_final(status))
    }

    fn is_final(&self, name: &str) -> bool {
        status::is_final(name)
            || self
                .finals
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name.trim()))
    }

    pub(super) fn user(&mut self, connection: &Connection, row: &TaskRow) -> Result<Option<i64>> {
        if row.user_id.is_none() && row.user_name.is_none() {
            return Ok(None);
        }
        let identity = (row.user_id.clone(), row.user_name.clone());
        remembered(&mut self.users, identity, || {
            find_or_insert(
                connection,
                "SELECT user_key FROM user
                 WHERE coalesce(user_id, '') = coalesce(?1, '') AND coalesce(user_name, '') = coalesce(?2, '')
                   AND (user_id IS NULL) = (?1 IS NULL) AND (user_name IS NULL) = (?2 IS NULL)",
                "INSERT INTO user(user_id, user_name) VALUES (?1, ?2)",
                params![row.user_id, row.user_name],
                params![row.user_id, row.user_name],
            )
        })
        .map(Some)
    }

    pub(super) fn attribute(&mut self, connection: &Connection, change: &ChangeRow) -> Result<i64> {
        let identity = (change.source, change.attribute.clone(), change.folded);
        let source = change.source.as_str();
        remembered(&mut self.attributes, identity, || {
            find_or_insert(
                connection,
                "SELECT attribute_key FROM attribute WHERE source = ?1 AND name = ?2 AND folded = ?3",
                "INSERT INTO attribute(source, name, folded) VALUES (?1, ?2, ?3)",
                params![source, change.attribute, change.folded],
                params![source, change.attribute, change.folded],
            )
        })
    }
}

fn remembered<K: std::hash::Hash + Eq>(
    known: &mut HashMap<K, i64>,
    identity: K,
    find: impl FnOnce() -> Result<i64>,
) -> Result<i64> {
    if let Some(key) = known.get(&identity) {
        return Ok(*key);
    }
    if known.len() >= REMEMBERED {
        known.clear();
    }
    let key = find()?;
    known.insert(identity, key);
    Ok(key)
}

fn find_or_insert(
    connection: &Connection,
    find: &str,
    insert: &str,
    identity: &[&dyn rusqlite::ToSql],
    row: &[&dyn rusqlite::ToSql],
) -> Result<i64> {
    let known = connection
        .prepare_cached(find)?
        .query_row(identity, |row| row.get(0))
        .optional()?;
    if let Some(key) = known {
        return Ok(key);
    }
    connection.prepare_cached(insert)?.execute(row)?;
    Ok(connection.last_insert_rowid())
}
