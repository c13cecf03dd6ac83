//! The ledger as it is read: which walks were proven, of which list, and what became of the others.

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::filter::{Condition, InstanceKey};
use super::read::Instance;
use crate::model::coverage::{Ledger, Proven, Window};
use crate::model::time::Timestamp;
use crate::store::Error;

/// An instance, and what is known of the reading of its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) instance: Instance,
    pub(crate) ledger: Ledger,
    key: i64,
}

/// Returns these instances, or all if none is named, in the order of their ids.
pub(crate) fn instances(archive: &Connection, named: &[InstanceKey]) -> Result<Vec<Known>, Error> {
    let wanted = Condition::of_instances(named);
    let sql = format!(
        "SELECT i.instance_key, v.project_id, v.instance_id, v.name, i.created, i.gone
         FROM (SELECT project_id, instance_id, name FROM instances{}) v
         JOIN project p ON p.project_id = v.project_id
         JOIN instance i ON i.project_key = p.project_key AND i.instance_id = v.instance_id
         ORDER BY v.instance_id, v.project_id",
        wanted.sql()
    );
    let mut statement = archive.prepare(&sql)?;
    let known = statement.query_map(params_from_iter(wanted.params()), |row| {
        Ok(Known {
            key: row.get(0)?,
            instance: Instance {
                key: InstanceKey {
                    project_id: row.get(1)?,
                    instance_id: row.get(2)?,
                },
                name: row.get(3)?,
            },
            ledger: Ledger {
                proven: Vec::new(),
                created: time(row.get(4)?),
                gone: time(row.get(5)?),
            },
        })
    })?;
    let mut known: Vec<_> = known.collect::<rusqlite::Result<_>>()?;
    let mut walks = archive.prepare(
        "SELECT walk_key, started, kind = 'full' FROM walk
         WHERE instance_key = ?1 AND proven = 1 AND kind IN ('full', 'incremental')",
    )?;
    for instance in &mut known {
        let proven = walks.query_map([instance.key], proven)?;
        instance.ledger.proven = proven.collect::<rusqlite::Result<_>>()?;
    }
    Ok(known)
}

/// Returns what is known of the reading of each project's list of instances.
pub(crate) fn lists(archive: &Connection) -> Result<Vec<(String, Ledger)>, Error> {
    let mut projects =
        archive.prepare("SELECT project_key, project_id FROM project ORDER BY project_id")?;
    let mut walks = archive.prepare(
        "SELECT walk_key, started, 1 FROM walk WHERE project_key = ?1 AND proven = 1 AND kind = 'instances'",
    )?;
    let projects = projects.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
    let mut lists = Vec::new();
    for project in projects {
        let (key, id) = project?;
        let proven = walks.query_map([key], proven)?;
        let ledger = Ledger {
            proven: proven.collect::<rusqlite::Result<_>>()?,
            ..Ledger::default()
        };
        lists.push((id, ledger));
    }
    Ok(lists)
}

fn proven(row: &rusqlite::Row<'_>) -> rusqlite::Result<Proven> {
    Ok(Proven {
        number: row.get(0)?,
        // The store wrote it from a moment.
        started: time(row.get(1)?).unwrap_or(Timestamp::EPOCH),
        is_full: row.get(2)?,
    })
}

fn time(millis: Option<i64>) -> Option<Timestamp> {
    millis.and_then(Timestamp::from_millis)
}

/// What was tried in a stretch of time in which nothing was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// Walks of this very list were not proven: how many, and why the last one was not.
    Walks(u32, String),
    /// Syncs ran without a walk of it: how many, and how the last one ended.
    Syncs(u32, String),
    Nothing,
}

/// Tells what was tried for an instance in a period.
pub(crate) fn tried(archive: &Connection, known: &Known, period: Window) -> Result<Tried, Error> {
    let since = period.since.map_or(i64::MIN, Timestamp::millis);
    let until = period.until.map_or(i64::MAX, Timestamp::millis);
    // A bare column beside `max` is that of the row with the maximum.
    let walks: Option<(u32, Option<i64>, Option<String>)> = archive
        .prepare_cached(
            "SELECT count(*), max(walk_key), reason FROM walk
             WHERE instance_key = ?1 AND proven = 0 AND kind <> 'backfill' AND started >= ?2 AND started < ?3
               AND walk_key NOT IN (SELECT walk_key FROM pending)",
        )?
        .query_row(params![known.key, since, until], three)
        .optional()?;
    if let Some((count, _, Some(reason))) = walks {
        return Ok(Tried::Walks(count, reason));
    }
    let syncs: Option<(u32, Option<i64>, Option<String>)> = archive
        .prepare_cached(
            "SELECT count(*), max(sync_key), coalesce(outcome, 'did not end') FROM sync
             WHERE started >= ?2 AND started < ?3
               AND NOT EXISTS (SELECT 1 FROM walk w WHERE w.sync_key = sync.sync_key AND w.instance_key = ?1)",
        )?
        .query_row(params![known.key, since, until], three)
        .optional()?;
    Ok(match syncs {
        Some((count, Some(_), Some(outcome))) => Tried::Syncs(count, outcome),
        _ => Tried::Nothing,
    })
}

fn three(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u32, Option<i64>, Option<String>)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

/// Counts the records of these instances, or of all, that could not be read and were first met after a moment. Any of
/// them may be a task of any earlier time.
pub(crate) fn rejected_after(
    archive: &Connection,
    named: &[InstanceKey],
    moment: Option<Timestamp>,
) -> Result<u32, Error> {
    let wanted = Condition::of_instances(named);
    let after = moment.map_or(i64::MIN, Timestamp::millis);
    let sql = format!(
        "SELECT count(*) FROM rejected_record r
         JOIN walk w ON w.walk_key = r.first_walk
         JOIN instance i ON i.instance_key = r.instance_key
         JOIN project p ON p.project_key = i.project_key
         WHERE w.finished > {after} AND r.first_walk NOT IN (SELECT walk_key FROM pending)
           AND (p.project_id, i.instance_id) IN (SELECT project_id, instance_id FROM instances{})",
        wanted.sql()
    );
    Ok(archive.query_row(&sql, params_from_iter(wanted.params()), |row| row.get(0))?)
}
