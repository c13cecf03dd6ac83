//! Reading what was: a task's revisions, an instance's changes, what a list of instances told.

use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::filter::{Condition, InstanceKey};
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

/// Returns all tasks of an instance with what each states, in the order of their keys. Those of one instance fit the
/// memory where those of all would not.
pub(crate) fn changes(archive: &Connection, instance: &InstanceKey) -> Result<Vec<Change>, Error> {
    let condition = Condition::of_instances(std::slice::from_ref(instance));
    let sql = format!(
        "SELECT task_key, task_id, name, status, is_final, coalesce(user_name, user_id), created_at, updated_at,
           missing_since, source, attribute, old_value, new_value,
           (SELECT t.error_code FROM task t WHERE t.task_key = changes.task_key),
           CASE WHEN missing_since IS NOT NULL THEN (
             SELECT t.confirmed_walk IS NOT NULL FROM task t WHERE t.task_key = changes.task_key) END,
           CASE WHEN missing_since IS NOT NULL THEN (
             SELECT t.missing_as FROM task t WHERE t.task_key = changes.task_key) END,
           CASE WHEN created_at IS NULL THEN (
             SELECT f.finished FROM task t JOIN walk f ON f.walk_key = t.first_walk WHERE t.task_key = changes.task_key) END
         FROM changes{} ORDER BY task_key, source, attribute",
        condition.sql()
    );
    let mut statement = archive.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(condition.params()))?;
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
        let text: Option<String> = row.get(column)?;
        Ok(text.and_then(|text| Timestamp::parse_upstream(&text)))
    };
    let status: Option<String> = row.get(3)?;
    let is_final: bool = row.get(4)?;
    let missing = match time(8)? {
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
        outcome: if is_final {
            Outcome::of(status.as_deref())
        } else {
            Outcome::Open
        },
        status,
        user_name: row.get(5)?,
        created: time(6)?,
        updated: time(7)?,
        first_seen: row
            .get::<_, Option<i64>>(16)?
            .and_then(Timestamp::from_millis),
        error_code: row.get(13)?,
        missing,
        stated: Vec::new(),
    })
}

/// Returns what a row states; a task that states nothing has a row without an attribute.
fn stated(row: &Row<'_>) -> rusqlite::Result<Option<Stated>> {
    let source: Option<String> = row.get(9)?;
    let Some(attribute) = row.get(10)? else {
        return Ok(None);
    };
    Ok(Some(Stated {
        source: match source.as_deref() {
            Some("params") => Source::Params,
            _ => Source::Details,
        },
        attribute,
        old: row.get(11)?,
        new: row.get(12)?,
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
