//! Reading what was: a task's revisions, an instance's changes, what a list of instances told.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::filter::InstanceKey;
use super::revisions::{REVISIONS_A_TASK, adopts_time};
use crate::model::fact::{Change, Missing, Outcome, Revision, Stated};
use crate::model::rows::Source;
use crate::model::standing::Standing;
use crate::model::time::Timestamp;
use crate::store::Error;

/// Returns the revisions of a task that can be seen, in the order of their numbers.
pub(crate) fn revisions(archive: &Connection, task_key: i64) -> Result<Vec<Revision>, Error> {
    let mut statement = archive.prepare_cached(
        "SELECT r.revision_key - ?1 * 1048576, w.finished, r.status_key, r.updated, r.adopted, coalesce(s.is_final, 0),
           r.revision_key = ?1 * 1048576 + t.revision
         FROM task t
         JOIN revision r ON r.revision_key BETWEEN ?1 * 1048576 + 1 AND ?1 * 1048576 + 1048575
         JOIN walk w ON w.walk_key = r.walk_key
         LEFT JOIN status s ON s.status_key = r.status_key
         WHERE t.task_key = ?1 AND r.walk_key NOT IN (SELECT walk_key FROM pending)
         ORDER BY r.revision_key",
    )?;
    let revisions = statement.query_map([task_key], revision)?;
    Ok(revisions.collect::<rusqlite::Result<_>>()?)
}

fn revision(row: &Row<'_>) -> rusqlite::Result<Revision> {
    let adopted: Option<String> = row.get(4)?;
    let time = |millis: Option<i64>| millis.and_then(Timestamp::from_millis);
    Ok(Revision {
        number: row.get(0)?,
        // The store wrote it from a moment.
        observed: time(row.get(1)?).unwrap_or(Timestamp::EPOCH),
        status: row.get(2)?,
        standing: Standing {
            updated: time(row.get(3)?),
            is_adopted: adopts_time(adopted.as_deref()),
            is_final: row.get(5)?,
        },
        is_current: row.get(6)?,
    })
}

/// Returns the text of a revision as it was received, and the fields that it adopted from beside the list.
pub(crate) fn record(
    archive: &Connection,
    task_key: i64,
    number: i64,
) -> Result<(String, Option<String>), Error> {
    let mut statement =
        archive.prepare_cached("SELECT raw, adopted FROM revision WHERE revision_key = ?1")?;
    let key = params![task_key * REVISIONS_A_TASK + number];
    Ok(statement.query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// The rows of the view `changes` with its numbers in place of the texts that it makes of them: for all tasks of an
/// instance, reading times back from text would cost more than all the rest.
const CHANGES: &str = "SELECT t.task_key, t.task_id, o.name, s.name, t.is_open, coalesce(u.user_name, u.user_id), t.created, t.updated,
    a.source, a.name, c.old,
    CAST(CASE WHEN c.attribute_key IS NOT NULL AND c.old IS NULL AND c.new IS NULL THEN (
      SELECT json_extract(json_extract(cur.raw, '$.params'), '$.' || a.name) FROM revision cur
      WHERE cur.revision_key = t.task_key * 1048576 + t.revision) ELSE c.new END AS TEXT),
    t.error_code,
    (SELECT w.finished FROM walk w WHERE w.walk_key = t.missing_walk), t.confirmed_walk IS NOT NULL, t.missing_as,
    CASE WHEN t.created IS NULL THEN (SELECT f.finished FROM walk f WHERE f.walk_key = t.first_walk) END
  FROM project p
  JOIN instance i ON i.project_key = p.project_key
  CROSS JOIN task t ON t.instance_key = i.instance_key
  LEFT JOIN operation o ON o.operation_key = t.operation_key
  LEFT JOIN status s ON s.status_key = t.status_key
  LEFT JOIN user u ON u.user_key = t.user_key
  LEFT JOIN change c ON c.task_key = t.task_key
  LEFT JOIN attribute a ON a.attribute_key = c.attribute_key
  WHERE p.project_id = ?1 AND i.instance_id = ?2 AND t.first_walk NOT IN (SELECT walk_key FROM pending)
  ORDER BY t.task_key, a.source, a.name";

/// Returns all tasks of an instance with what each states, in the order of their keys. Those of one instance fit the
/// memory where those of all would not.
pub(crate) fn changes(archive: &Connection, instance: &InstanceKey) -> Result<Vec<Change>, Error> {
    let mut statement = archive.prepare_cached(CHANGES)?;
    let mut rows = statement.query([&instance.project_id, &instance.instance_id])?;
    let mut changes: Vec<Change> = Vec::new();
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        if changes.last().is_none_or(|last| last.task_key != key) {
            changes.push(change(row)?);
        }
        if let (Some(last), Some(stated)) = (changes.last_mut(), stated(row)?) {
            last.stated.push(stated);
        }
    }
    Ok(changes)
}

fn change(row: &Row<'_>) -> rusqlite::Result<Change> {
    let time = |column| -> rusqlite::Result<Option<Timestamp>> {
        let millis: Option<i64> = row.get(column)?;
        Ok(millis.and_then(Timestamp::from_millis))
    };
    let status: Option<String> = row.get(3)?;
    let is_open: bool = row.get(4)?;
    let missing = match time(13)? {
        Some(since) => Some(Missing {
            since,
            is_confirmed: row.get(14)?,
            looks: row.get(15)?,
        }),
        None => None,
    };
    Ok(Change {
        task_key: row.get(0)?,
        task_id: row.get(1)?,
        name: row.get(2)?,
        outcome: if is_open {
            Outcome::Open
        } else {
            Outcome::of(status.as_deref())
        },
        status,
        user_name: row.get(5)?,
        created: time(6)?,
        updated: time(7)?,
        first_seen: time(16)?,
        error_code: row.get(12)?,
        missing,
        stated: Vec::new(),
    })
}

/// Returns what a row states; a task that states nothing has a row without an attribute.
fn stated(row: &Row<'_>) -> rusqlite::Result<Option<Stated>> {
    let source: Option<String> = row.get(8)?;
    let Some(attribute) = row.get(9)? else {
        return Ok(None);
    };
    Ok(Some(Stated {
        source: match source.as_deref() {
            Some("params") => Source::Params,
            _ => Source::Details,
        },
        attribute,
        old: row.get(10)?,
        new: row.get(11)?,
    }))
}

/// What a list of instances told of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listing {
    /// The end of the last proven walk that showed it in this state, or else of the walk that first did.
    pub(crate) seen: Timestamp,
    pub(crate) raw: String,
    /// In GB.
    pub(crate) capacity: Option<f64>,
}

/// Returns what the lists of instances told last of an instance by a moment.
pub(crate) fn listing(
    archive: &Connection,
    instance: &InstanceKey,
    by: Timestamp,
) -> Result<Option<Listing>, Error> {
    let found: Option<(i64, String, Option<f64>)> = archive
        .prepare_cached(
            "SELECT max(w.finished, coalesce((SELECT max(l.finished) FROM walk l
                 WHERE l.project_key = i.project_key AND l.kind = 'instances' AND l.proven = 1 AND l.finished <= ?3
                   AND l.walk_key <= i.listed_walk AND l.walk_key >= r.walk_key), 0)), r.raw, r.capacity_gb
             FROM instance i
             JOIN project p ON p.project_key = i.project_key
             JOIN instance_revision r ON r.instance_key = i.instance_key
             JOIN walk w ON w.walk_key = r.walk_key
             WHERE p.project_id = ?1 AND i.instance_id = ?2 AND w.finished <= ?3
               AND r.walk_key NOT IN (SELECT walk_key FROM pending)
             ORDER BY r.revision_key DESC LIMIT 1",
        )?
        .query_row(
            params![instance.project_id, instance.instance_id, by.millis()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    Ok(found.and_then(|(seen, raw, capacity)| {
        Some(Listing {
            seen: Timestamp::from_millis(seen)?,
            raw,
            capacity,
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::golden;
    use crate::store::read::instances;

    fn first() -> InstanceKey {
        InstanceKey {
            project_id: "0a1b2c3d4e5f60718293a4b5c6d7e8f9".to_owned(),
            instance_id: "1f4c2a90-b7de-4f0e-8d3c-5a6b79081726".to_owned(),
        }
    }

    #[test]
    fn the_tasks_of_an_instance_are_read_with_what_they_state() {
        let archive = golden::archive();
        let found = changes(&archive, &first()).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    one.task_key,
                    one.outcome,
                    one.missing.is_some(),
                    one.stated.len(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (1, Outcome::Succeeded, false, 3),
                (2, Outcome::Open, false, 1),
                (5, Outcome::Succeeded, true, 0),
            ]
        );
        let capacity = found[0].states(Source::Details, "capacity").unwrap();
        assert_eq!(
            (capacity.old.as_deref(), capacity.new.as_deref()),
            (Some("4"), Some("8.0"))
        );
        assert!(found[0].states(Source::Params, "note").is_some());
        assert_eq!(found[0].updated.unwrap().millis(), 1_788_256_865_250);
    }

    /// Every row of the view, and nothing else, told in its own words.
    #[test]
    fn what_is_read_is_what_the_view_shows() {
        let archive = golden::archive();
        // A long parameter stands in the raw text only.
        let long = "UPDATE change SET new = NULL WHERE task_key = 1 AND attribute_key = 3";
        assert_eq!(archive.execute(long, []).unwrap(), 1);
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let mut read = Vec::new();
        for instance in instances(&archive).unwrap() {
            for one in changes(&archive, &instance.key).unwrap() {
                let head = [
                    Some(one.task_key.to_string()),
                    Some(one.task_id.clone()),
                    one.name.clone(),
                    one.status.clone(),
                    one.user_name.clone(),
                    text(one.created),
                    text(one.updated),
                    text(one.missing.as_ref().map(|missing| missing.since)),
                ];
                let mut rows: Vec<_> = one
                    .stated
                    .iter()
                    .map(|stated| {
                        [
                            Some(stated.source.as_str().to_owned()),
                            Some(stated.attribute.clone()),
                            stated.old.clone(),
                            stated.new.clone(),
                        ]
                    })
                    .collect();
                if rows.is_empty() {
                    rows.push([const { None }; 4]);
                }
                read.extend(rows.into_iter().map(|row| [head.as_slice(), &row].concat()));
            }
        }
        let mut statement = archive
            .prepare(
                "SELECT CAST(task_key AS TEXT), task_id, name, status, coalesce(user_name, user_id), created_at, updated_at,
                   missing_since, source, attribute, old_value, new_value
                 FROM changes ORDER BY instance_id, project_id, task_key, source, attribute",
            )
            .unwrap();
        let shown = statement
            .query_map([], |row| (0..12).map(|column| row.get(column)).collect())
            .unwrap();
        let shown: Vec<Vec<Option<String>>> = shown.map(Result::unwrap).collect();
        assert_eq!(read, shown);
        assert_eq!(shown.len(), 9);
        assert_eq!(shown[2][11].as_deref(), Some("100%_done"));
    }

    #[test]
    fn a_listing_is_the_last_one_that_was_told_by_then_and_as_new_as_its_last_proof() {
        let archive = golden::archive();
        archive
            .execute_batch(
                "INSERT INTO walk(walk_key, sync_key, project_key, attempt, kind, started, finished, proven) VALUES
                   (8, 2, 1, 1, 'instances', 1790900000000, 1790900000500, 1),
                   (9, 2, 1, 1, 'instances', 1790990000000, 1790990000500, 1),
                   (10, 2, 1, 1, 'instances', 1791000000000, 1791000000500, 0);
                 INSERT INTO instance_revision(revision_key, instance_key, walk_key, capacity_gb, form, digest, raw) VALUES
                   (1, 1, 7, 4, zeroblob(32), zeroblob(32), 'one'), (2, 1, 9, 8, zeroblob(32), zeroblob(32), 'two');
                 UPDATE instance SET revision = 2, listed_walk = 9 WHERE instance_key = 1;",
            )
            .unwrap();
        let told = |millis: i64| {
            let by = Timestamp::from_millis(millis).unwrap();
            let found = listing(&archive, &first(), by).unwrap();
            found.map(|found| (found.raw, found.seen.millis()))
        };
        let some = |raw: &str, seen: i64| Some((raw.to_owned(), seen));
        assert_eq!(told(1_790_820_000_899), None);
        assert_eq!(told(1_790_820_000_900), some("one", 1_790_820_000_900));
        assert_eq!(told(1_790_989_999_999), some("one", 1_790_900_000_500));
        assert_eq!(told(1_791_999_999_999), some("two", 1_790_990_000_500));
    }

    #[test]
    fn the_revisions_of_a_task_are_those_that_can_be_seen() {
        let archive = golden::archive();
        let found = revisions(&archive, 1).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.number, one.standing.is_final, one.is_current))
            .collect();
        assert_eq!(told, [(1, false, false), (2, true, true)]);
        assert_eq!(found[1].observed.to_string(), "2026-10-01T02:00:04.000Z");
        assert!(
            revisions(&archive, 7).unwrap().is_empty(),
            "of a walk that runs"
        );
        let (raw, adopted) = record(&archive, 1, 1).unwrap();
        assert!(raw.contains("EXECUTING"), "{raw}");
        assert_eq!(adopted, None);
    }
}
