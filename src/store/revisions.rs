//! Revisions and the rows normalised from the current one: written once, numbered, compared, never edited.

use rusqlite::{Row, params};

use crate::model::{
    Digest,
    record::Observation,
    rows::{ChangeRow, Normalized, TaskRow},
    standing::Standing,
    time::Timestamp,
};
use crate::store::{Error, compact, error::Kind, write::Archive};

/// The revisions that one task can have: its key and a revision's number share one integer (see the migration).
pub(super) const REVISIONS_A_TASK: i64 = 1 << 20;

/// One stored revision, as far as a comparison needs it.
pub(super) struct Revision {
    pub(super) number: i64,
    pub(super) digest: Digest,
    pub(super) adopted: Option<String>,
    pub(super) status_key: Option<i64>,
    pub(super) standing: Standing,
}

impl Archive {
    /// Rewrites the normalised row of a task from the revision that became current.
    pub(super) fn update_task(
        &mut self,
        task_key: i64,
        revision: i64,
        raw: &str,
        normalized: &Normalized,
    ) -> Result<(), Error> {
        let row = &normalized.row;
        let (operation, status, user) = (
            self.dictionary.operation(&self.writable.connection, row)?,
            self.dictionary
                .status(&self.writable.connection, row.status.as_deref())?,
            self.dictionary.user(&self.writable.connection, row)?,
        );
        self.writable.connection
            .prepare_cached(
                "UPDATE task SET operation_key = ?2, status_key = ?3, user_key = ?4, is_open = ?5, created = ?6,
                   updated = ?7, revision = ?8, params = ?9, error_code = ?10
                 WHERE task_key = ?1",
            )?
            .execute(params![
                task_key,
                operation,
                status,
                user,
                self.dictionary.is_open(row.status.as_deref()),
                row.created.map(Timestamp::millis),
                row.updated.map(Timestamp::millis),
                revision,
                stored_params(raw, row),
                row.error_code
            ])?;
        self.writable
            .connection
            .prepare_cached("DELETE FROM change WHERE task_key = ?1")?
            .execute([task_key])?;
        self.insert_changes(task_key, raw, normalized)
    }

    pub(super) fn count_revisions(&self, task_key: i64) -> Result<(), Error> {
        self.writable
            .connection
            .prepare_cached(
                "UPDATE task SET revisions = (
                   SELECT max(revision_key) - ?1 * 1048576 FROM revision
                   WHERE revision_key BETWEEN ?1 * 1048576 + 1 AND ?1 * 1048576 + 1048575)
                 WHERE task_key = ?1",
            )?
            .execute([task_key])?;
        Ok(())
    }

    pub(super) fn insert_revision(
        &self,
        walk_key: i64,
        task_key: i64,
        number: i64,
        seen: &Observation,
        status: Option<i64>,
        updated: Option<Timestamp>,
    ) -> Result<(), Error> {
        if number >= REVISIONS_A_TASK {
            return Err(Kind::TooManyRevisions {
                task_id: seen.id.clone(),
            }
            .into());
        }
        self.writable.connection
            .prepare_cached(
                "INSERT INTO revision(revision_key, walk_key, status_key, updated, digest, raw, adopted)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                task_key * REVISIONS_A_TASK + number,
                walk_key,
                status,
                updated.map(Timestamp::millis),
                seen.digest,
                seen.raw,
                seen.adopted
            ])?;
        Ok(())
    }

    pub(super) fn insert_changes(
        &mut self,
        task_key: i64,
        raw: &str,
        normalized: &Normalized,
    ) -> Result<(), Error> {
        for (change, new) in stored_changes(raw, normalized) {
            let attribute = self
                .dictionary
                .attribute(&self.writable.connection, change)?;
            self.writable
                .connection
                .prepare_cached(
                    "INSERT INTO change(task_key, attribute_key, old, new) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![task_key, attribute, change.old_value, new])?;
        }
        Ok(())
    }

    pub(super) fn revision(&self, task_key: i64, number: i64) -> Result<Revision, Error> {
        let revision = self
            .writable
            .connection
            .prepare_cached(&format!("{REVISION} WHERE r.revision_key = ?1"))?
            .query_row([task_key * REVISIONS_A_TASK + number], |row| {
                revision(row, task_key)
            })?;
        Ok(revision)
    }

    pub(super) fn revisions(&self, task_key: i64) -> Result<Vec<Revision>, Error> {
        let (first, last) = (
            task_key * REVISIONS_A_TASK,
            (task_key + 1) * REVISIONS_A_TASK,
        );
        let mut statement = self.writable.connection.prepare_cached(&format!(
            "{REVISION} WHERE r.revision_key > ?1 AND r.revision_key < ?2"
        ))?;
        let revisions = statement.query_map([first, last], |row| revision(row, task_key))?;
        Ok(revisions.collect::<rusqlite::Result<_>>()?)
    }

    /// Says whether a stored revision is the observation: byte by byte, or else in canonical form.
    pub(super) fn is_same(
        &self,
        task_key: i64,
        stored: &Revision,
        seen: &Observation,
    ) -> Result<bool, Error> {
        if stored.digest == seen.digest && stored.adopted == seen.adopted {
            return Ok(true);
        }
        let raw: String = self
            .writable
            .connection
            .prepare_cached("SELECT raw FROM revision WHERE revision_key = ?1")?
            .query_row([task_key * REVISIONS_A_TASK + stored.number], |row| {
                row.get(0)
            })?;
        Ok((self.reading.form)(&raw, stored.adopted.as_deref()) == Some(seen.form))
    }
}

const REVISION: &str =
    "SELECT r.revision_key, r.digest, r.adopted, r.status_key, r.updated, coalesce(s.is_final, 0)
    FROM revision r LEFT JOIN status s ON s.status_key = r.status_key";

fn revision(row: &Row<'_>, task_key: i64) -> rusqlite::Result<Revision> {
    let adopted: Option<String> = row.get(2)?;
    let is_adopted = adopts_time(adopted.as_deref());
    Ok(Revision {
        number: row.get::<_, i64>(0)? - task_key * REVISIONS_A_TASK,
        digest: row.get(1)?,
        adopted,
        status_key: row.get(3)?,
        standing: Standing {
            updated: row
                .get::<_, Option<i64>>(4)?
                .and_then(Timestamp::from_millis),
            is_adopted,
            is_final: row.get(5)?,
        },
    })
}

/// Returns what a task changes, each with the new value that is stored: none where the views read it out of the raw text.
pub(super) fn stored_changes<'a>(
    raw: &str,
    normalized: &'a Normalized,
) -> impl Iterator<Item = (&'a ChangeRow, Option<&'a str>)> {
    let params = normalized.row.params.as_deref();
    let readable = params.filter(|params| compact::params_stand_in_raw(raw, params));
    normalized.changes.iter().map(move |change| {
        let in_raw = readable.is_some_and(|params| compact::value_stands_in_params(change, params));
        (change, change.new_value.as_deref().filter(|_| !in_raw))
    })
}

/// Returns the parameters' text where the views cannot read it out of the raw text.
pub(super) fn stored_params<'a>(raw: &str, row: &'a TaskRow) -> Option<&'a str> {
    row.params
        .as_deref()
        .filter(|params| !compact::params_stand_in_raw(raw, params))
}

/// Says whether adopted fields hold the time of the last update. In JSON text a quote inside a value is escaped, so this
/// can only be the name of a member.
pub(super) fn adopts_time(adopted: Option<&str>) -> bool {
    adopted.is_some_and(|fields| fields.contains(r#""updated_at":"#))
}
