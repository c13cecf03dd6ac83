//! What `status` and the metrics ask of an archive: how its syncs ended, what each instance holds, how large it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::filter::InstanceKey;
use crate::model::health::{LONG_OPEN, Run, Runs};
use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::lock;
use crate::store::place::Place;

/// What one instance holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) is_excused: bool,
    pub(crate) tasks: u32,
    pub(crate) open: u32,
    pub(crate) missing: u32,
    /// Records that could not be read and that the last proven full walk, or a later walk, has met.
    pub(crate) rejected: u32,
    pub(crate) long_open: u32,
}

/// Returns what each instance holds.
pub(crate) fn held(
    archive: &Connection,
    now: Timestamp,
) -> Result<BTreeMap<InstanceKey, Held>, Error> {
    let mut statement = archive.prepare(
        "SELECT p.project_id, i.instance_id, i.unsupported IS NOT NULL OR i.left_out = 1, i.tasks, i.open_tasks, i.missing_tasks,
           (SELECT count(*) FROM rejected_record r
            WHERE r.instance_key = i.instance_key AND r.last_walk >= coalesce(i.full_walk, 0)
              AND r.first_walk NOT IN (SELECT walk_key FROM pending)),
           (SELECT count(*) FROM task t
            WHERE t.instance_key = i.instance_key AND t.is_open = 1 AND t.missing_walk IS NULL AND t.created < ?1
              AND t.first_walk NOT IN (SELECT walk_key FROM pending))
         FROM instance i JOIN project p ON p.project_key = i.project_key",
    )?;
    let rows = statement.query_map([now.plus(-LONG_OPEN).millis()], |row| {
        let held = Held {
            is_excused: row.get(2)?,
            tasks: row.get(3)?,
            open: row.get(4)?,
            missing: row.get(5)?,
            rejected: row.get(6)?,
            long_open: row.get(7)?,
        };
        Ok((key(row)?, held))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The first two columns.
fn key(row: &Row<'_>) -> rusqlite::Result<InstanceKey> {
    Ok(InstanceKey {
        project_id: row.get(0)?,
        instance_id: row.get(1)?,
    })
}

/// Counts the records of each project's list of instances that could not be read and that the last proven walk of it, or a
/// later one, has met.
pub(crate) fn rejected_in_lists(archive: &Connection) -> Result<BTreeMap<String, u32>, Error> {
    let mut statement = archive.prepare(
        "SELECT p.project_id, count(*) FROM rejected_record r JOIN project p ON p.project_key = r.project_key
         WHERE r.last_walk >= coalesce((SELECT max(w.walk_key) FROM walk w
             WHERE w.project_key = r.project_key AND w.kind = 'instances' AND w.proven = 1), 0)
           AND r.first_walk NOT IN (SELECT walk_key FROM pending)
         GROUP BY p.project_id",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Counts the revisions of each instance beyond the first one of each task. Every task is looked at, in the order in which
/// they lie on the disk: some tens of milliseconds for a million.
pub(crate) fn later_revisions(archive: &Connection) -> Result<BTreeMap<InstanceKey, u32>, Error> {
    let mut statement = archive.prepare(
        "SELECT p.project_id, i.instance_id, t.more
         FROM (SELECT instance_key, sum(revisions - 1) AS more FROM task NOT INDEXED
               WHERE revisions > 1 AND first_walk NOT IN (SELECT walk_key FROM pending) GROUP BY instance_key) t
         JOIN instance i ON i.instance_key = t.instance_key
         JOIN project p ON p.project_key = i.project_key",
    )?;
    let rows = statement.query_map([], |row| Ok((key(row)?, row.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns how the syncs of each project ended. Backfills vouch for nothing, so they are not among them.
pub(crate) fn runs(archive: &Connection) -> Result<Vec<Runs>, Error> {
    let mut projects = archive.prepare("SELECT project_id FROM project ORDER BY project_id")?;
    let projects = projects.query_map([], |row| row.get(0))?;
    let mut all = projects
        .map(|project_id| {
            Ok(Runs {
                project_id: Some(project_id?),
                ..Runs::default()
            })
        })
        .collect::<rusqlite::Result<Vec<_>>>()?;
    if all.is_empty() {
        all.push(Runs::default());
    }
    // From the last one back, until every project has met a complete one.
    let mut syncs = archive.prepare(
        "SELECT s.sync_key, s.started, s.finished, s.outcome, s.exit_code, s.requests, s.retries,
           (SELECT p.project_id FROM walk w
            LEFT JOIN instance i ON i.instance_key = w.instance_key
            JOIN project p ON p.project_key = coalesce(i.project_key, w.project_key)
            WHERE w.sync_key = s.sync_key LIMIT 1)
         FROM sync s
         WHERE s.finished IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM walk w WHERE w.sync_key = s.sync_key AND w.kind = 'backfill')
         ORDER BY s.sync_key DESC",
    )?;
    let mut rows = syncs.query([])?;
    while let Some(row) = rows.next()? {
        let (run, project): (Run, Option<String>) = (run(row)?, row.get(7)?);
        for runs in &mut all {
            if project.is_none() || runs.project_id == project {
                if run.is_complete() {
                    runs.complete.get_or_insert_with(|| run.clone());
                }
                runs.last.get_or_insert_with(|| run.clone());
            }
        }
        if all.iter().all(|runs| runs.complete.is_some()) {
            break;
        }
    }
    Ok(all)
}

fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    let time = |column| -> rusqlite::Result<Timestamp> {
        Ok(Timestamp::from_millis(row.get(column)?).unwrap_or(Timestamp::EPOCH))
    };
    Ok(Run {
        sync_id: row.get(0)?,
        started: time(1)?,
        finished: time(2)?,
        outcome: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
        exit_code: row.get(4)?,
        requests: row.get(5)?,
        retries: row.get(6)?,
    })
}

/// Returns when the sync began that has not ended.
pub(crate) fn unfinished(archive: &Connection) -> Result<Option<Timestamp>, Error> {
    let started: Option<i64> = archive
        .query_row(
            "SELECT started FROM sync WHERE finished IS NULL ORDER BY sync_key DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    Ok(started.and_then(Timestamp::from_millis))
}

/// Tells why a sync proved less than it should have: of the last instance that it did not prove, and how many there are.
pub(crate) fn why(archive: &Connection, sync_id: i64) -> Result<Option<(u32, String)>, Error> {
    let why = archive
        .query_row(
            "SELECT count(DISTINCT w.instance_key), max(w.walk_key), coalesce(i.instance_id || ': ', '') || w.reason
             FROM walk w LEFT JOIN instance i ON i.instance_key = w.instance_key
             WHERE w.sync_key = ?1 AND w.proven = 0
               AND NOT EXISTS (SELECT 1 FROM walk p WHERE p.sync_key = ?1 AND p.proven = 1
                 AND p.instance_key IS w.instance_key)",
            params![sync_id],
            |row| Ok((row.get(0)?, row.get::<_, Option<String>>(2)?)),
        )?;
    Ok(match why {
        (count, Some(reason)) => Some((count, reason)),
        (_, None) => None,
    })
}

/// Says whether a program holds the archive for writing.
pub(crate) fn is_held(path: &Path) -> bool {
    Place::of(path).is_ok_and(|place| lock::is_held(&place.lock()))
}

/// Returns the bytes that the archive takes on the disk, with what still waits in its log.
pub(crate) fn bytes(path: &Path) -> u64 {
    Place::of(path).map_or(0, |place| {
        fs::metadata(&place.archive).map_or(0, |file| file.len()) + place.wal_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::golden;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_790_906_400_000).unwrap()
    }

    #[test]
    fn what_each_instance_holds_is_told() {
        let archive = golden::archive();
        archive
            .execute_batch(
                "INSERT INTO rejected_record(instance_key, digest, position, reason, raw, first_walk, last_walk) VALUES
                   (1, x'01', 0, 'r', 'still there', 1, 3), (1, x'02', 0, 'r', 'gone since', 1, 1),
                   (1, x'03', 0, 'r', 'not shown yet', 5, 5), (3, x'04', 0, 'r', 'never proven', 6, 6);
                 INSERT INTO rejected_record(project_key, digest, position, reason, raw, first_walk, last_walk) VALUES
                   (1, x'05', 0, 'r', 'listed', 7, 7), (1, x'06', 0, 'r', 'not listed any more', 1, 1);
                 UPDATE instance SET unsupported = 5 WHERE instance_key = 3;
                 UPDATE instance SET left_out = 1 WHERE instance_key = 2;",
            )
            .unwrap();
        let in_lists: Vec<_> = rejected_in_lists(&archive).unwrap().into_values().collect();
        assert_eq!(in_lists, [1]);
        let held: Vec<_> = held(&archive, now()).unwrap().into_values().collect();
        let rejected: Vec<_> = held.iter().map(|held| held.rejected).collect();
        assert_eq!(rejected, [1, 0, 1]);
        let open: Vec<_> = held.iter().map(|held| held.long_open).collect();
        assert_eq!(open, [1, 0, 1]);
        assert!(held[2].is_excused && held[1].is_excused && !held[0].is_excused);
        let later: Vec<_> = later_revisions(&archive).unwrap().into_values().collect();
        assert_eq!(later, [1]);
    }

    #[test]
    fn the_last_sync_and_the_last_complete_one_are_found_for_each_project() {
        let archive = golden::archive();
        let numbers = |archive: &Connection| -> Vec<_> {
            let number = |run: &Option<Run>| run.as_ref().map(|run| run.sync_id);
            let runs = runs(archive).unwrap();
            let numbers = runs
                .iter()
                .map(|runs| (number(&runs.last), number(&runs.complete)));
            numbers.collect()
        };
        assert_eq!(numbers(&archive), [(Some(2), Some(2))]);
        assert_eq!(unfinished(&archive).unwrap(), Some(now()));
        archive
            .execute_batch(
                "INSERT INTO sync(sync_key, started, finished, outcome, exit_code, version) VALUES
                   (4, 1790906400000, 1790906400000, 'unreachable', 5, ''),
                   (5, 1790906400000, 1790906400000, 'complete', 0, '');
                 INSERT INTO walk(walk_key, sync_key, instance_key, attempt, kind, started, finished)
                   VALUES (8, 5, 1, 1, 'backfill', 1, 1);
                 INSERT INTO project(project_key, project_id, host) VALUES (2, 'other', 'dcs.example');",
            )
            .unwrap();
        // The backfill does not count; the sync without a walk does, for both projects.
        assert_eq!(numbers(&archive), [(Some(4), Some(2)), (Some(4), None)]);
        assert_eq!(why(&archive, 4).unwrap(), None);
        let (count, reason) = why(&archive, 2).unwrap().unwrap();
        assert_eq!(count, 1);
        assert!(
            reason.contains("e1f2a3b4") && reason.contains("cut off"),
            "{reason}"
        );
    }
}
