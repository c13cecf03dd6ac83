//! The ledger as it is read: which walks were proven, of which list, and what became of the others.

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::filter::{Condition, InstanceKey};
use super::read::Instance;
use crate::model::coverage::{Ledger, Proven, Rules, Window};
use crate::model::time::Timestamp;
use crate::store::Error;

/// An instance, and what is known of the reading of its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) instance: Instance,
    pub(crate) ledger: Ledger,
    key: i64,
}

/// Returns these instances, or all if none is named, in the order of their ids, with what was proven around a period.
pub(crate) fn instances(
    archive: &Connection,
    named: &[InstanceKey],
    around: Around,
) -> Result<Vec<Known>, Error> {
    let wanted = Condition::of_instances(named);
    let sql = format!(
        "SELECT i.instance_key, v.project_id, v.instance_id, v.name,
           CASE WHEN i.listed_walk IS NOT NULL THEN i.created END, i.gone
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
    let mut walks = archive.prepare(&walks_around(
        "instance_key",
        "'full', 'incremental'",
        "'full'",
    ))?;
    for instance in &mut known {
        let proven = walks.query_map(around.params(instance.key), proven)?;
        instance.ledger.proven = proven.collect::<rusqlite::Result<_>>()?;
    }
    Ok(known)
}

/// Returns what is known of the reading of each project's list of instances.
pub(crate) fn lists(archive: &Connection, around: Around) -> Result<Vec<(String, Ledger)>, Error> {
    let mut projects =
        archive.prepare("SELECT project_key, project_id FROM project ORDER BY project_id")?;
    let mut walks = archive.prepare(&walks_around("project_key", "'instances'", "'instances'"))?;
    let projects = projects.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
    let mut lists = Vec::new();
    for project in projects {
        let (key, id) = project?;
        let proven = walks.query_map(around.params(key), proven)?;
        let ledger = Ledger {
            proven: proven.collect::<rusqlite::Result<_>>()?,
            ..Ledger::default()
        };
        lists.push((id, ledger));
    }
    Ok(lists)
}

/// The proven walks of a list from the last full one before a period to the first full one after it; which column names the
/// list, the kinds that count, and the one that is full.
fn walks_around(list: &str, kinds: &str, full: &str) -> String {
    format!(
        "SELECT walk_key, started, kind = {full} FROM walk
         WHERE {list} = ?1 AND proven = 1 AND kind IN ({kinds})
           AND started >= coalesce((SELECT max(started) FROM walk
             WHERE {list} = ?1 AND proven = 1 AND kind = {full} AND started <= ?2), ?4)
           AND started <= coalesce((SELECT min(started) FROM walk
             WHERE {list} = ?1 AND proven = 1 AND kind = {full} AND started >= ?3), ?5)"
    )
}

/// Which walks decide about a period: those in it, and those around it as far as the last full walk before and the first
/// one after it. Years of walks need not be read to speak of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Around {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Around {
    /// The key of a list, the bounds, and the bounds where no full walk lies beyond them.
    const fn params(self, key: i64) -> [i64; 5] {
        [key, self.first, self.last, i64::MIN, i64::MAX]
    }

    /// The state of the first moment rests on the walks beside it and on whether those before them were close enough: all
    /// of that lies within two gaps of the period, or there is a gap.
    pub(crate) fn of(period: Window, rules: Rules) -> Self {
        let margin = rules.max_gap.saturating_add(rules.settle).saturating_mul(2);
        Self {
            first: period
                .since
                .map_or(i64::MIN, |since| since.millis().saturating_sub(margin)),
            last: period
                .until
                .map_or(i64::MAX, |until| until.millis().saturating_add(margin)),
        }
    }
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

/// Counts the records of these instances, or of all and of the lists of instances, that could not be read and were first
/// met after a moment. Any of them may be a task of any earlier time, or an instance with such tasks.
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
         LEFT JOIN instance i ON i.instance_key = r.instance_key
         JOIN project p ON p.project_key = coalesce(i.project_key, r.project_key)
         WHERE w.finished > {after} AND r.first_walk NOT IN (SELECT walk_key FROM pending)
           AND ({} OR (p.project_id, i.instance_id) IN (SELECT project_id, instance_id FROM instances{}))",
        named.is_empty(),
        wanted.sql()
    );
    Ok(archive.query_row(&sql, params_from_iter(wanted.params()), |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::coverage::cover;
    use crate::model::time::{DAY, HOUR};
    use crate::store::golden;

    /// Hours after the beginning of 2026-10-01.
    fn hour(hours: i64) -> Timestamp {
        Timestamp::from_millis(1_790_812_800_000 + hours * HOUR).unwrap()
    }

    const RULES: Rules = Rules {
        max_gap: DAY,
        settle: HOUR,
    };

    #[test]
    fn the_proven_walks_of_every_list_are_read() {
        let archive = golden::archive();
        let around = Around::of(Window::default(), RULES);
        let known = instances(&archive, &[], around).unwrap();
        let numbers: Vec<Vec<i64>> = known
            .iter()
            .map(|known| known.ledger.proven.iter().map(|walk| walk.number).collect())
            .collect();
        assert_eq!(numbers, [vec![1, 3], vec![4], vec![]]);
        let lists = lists(&archive, around).unwrap();
        assert_eq!(lists.len(), 1);
        assert_eq!(lists[0].1.proven[0].number, 7);
    }

    #[test]
    fn what_was_tried_in_a_gap_is_told() {
        let archive = golden::archive();
        let known = instances(
            &archive,
            &[],
            Around {
                first: i64::MIN,
                last: i64::MAX,
            },
        )
        .unwrap();
        let period = |since: i64, until: i64| Window {
            since: Some(hour(since)),
            until: Some(hour(until)),
        };
        let cases = [
            (
                1,
                period(-48, 48),
                Tried::Walks(1, "the list moved while it was read".to_owned()),
            ),
            (1, period(24, 48), Tried::Syncs(1, "did not end".to_owned())),
            (1, period(0, 3), Tried::Nothing),
            (2, period(-48, 0), Tried::Syncs(1, "partial".to_owned())),
            (2, period(48, 99), Tried::Nothing),
        ];
        for (instance, period, expected) in cases {
            assert_eq!(
                tried(&archive, &known[instance], period).unwrap(),
                expected,
                "{period:?}"
            );
        }
    }

    #[test]
    fn records_that_could_not_be_read_count_for_their_instance_and_those_of_the_list_for_all() {
        let archive = golden::archive();
        archive
            .execute_batch("DELETE FROM rejected_record")
            .unwrap();
        let known = instances(&archive, &[], Around::of(Window::default(), RULES)).unwrap();
        let of = |number: usize| vec![known[number].instance.key.clone()];
        let counts = |moment: Option<Timestamp>| {
            [Vec::new(), of(0), of(1)]
                .map(|named| rejected_after(&archive, &named, moment).unwrap())
        };
        assert_eq!(counts(None), [0, 0, 0]);
        // One of the first instance, one of the list of instances, and one that a sync under way has set aside.
        archive
            .execute_batch(
                "INSERT INTO rejected_record(instance_key, project_key, digest, position, reason, raw, first_walk, last_walk)
                 VALUES (1, NULL, zeroblob(32), 0, 'no id', '{}', 3, 3), (NULL, 1, zeroblob(32), 0, 'no id', '{}', 7, 7),
                   (1, NULL, zeroblob(31), 0, 'no id', '{}', 5, 5)",
            )
            .unwrap();
        assert_eq!(counts(None), [2, 1, 0]);
        assert_eq!(counts(Some(hour(1))), [2, 1, 0]);
        assert_eq!(counts(Some(hour(3))), [0, 0, 0], "met before");
    }

    #[test]
    fn when_an_instance_was_created_is_believed_of_a_proven_list_alone() {
        let archive = golden::archive();
        let created = || {
            let around = Around::of(Window::default(), RULES);
            instances(&archive, &[], around).unwrap()[0].ledger.created
        };
        archive
            .execute(
                "UPDATE instance SET created = ?1 WHERE instance_key = 1",
                [hour(0).millis()],
            )
            .unwrap();
        assert_eq!(created(), None);
        archive
            .execute_batch("UPDATE instance SET listed_walk = 7 WHERE instance_key = 1")
            .unwrap();
        assert_eq!(created(), Some(hour(0)));
    }

    #[test]
    fn coverage_reads_the_ledger_by_index() {
        let archive = golden::archive();
        let plan = |sql: &str| -> String {
            let mut statement = archive
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let rows = statement
                .query_map([], |row| row.get::<_, String>(3))
                .unwrap();
            rows.map(|row| row.unwrap() + "\n").collect()
        };
        let by_instance = plan(
            "SELECT walk_key, started, kind FROM walk WHERE instance_key = 1 AND proven = 1 AND kind IN ('full', 'incremental') AND started >= 1",
        );
        assert!(
            by_instance
                .contains("COVERING INDEX walk_proven (instance_key=? AND kind=? AND started>?)"),
            "{by_instance}"
        );
        let of_list = plan(
            "SELECT walk_key, started FROM walk WHERE project_key = 1 AND proven = 1 AND kind = 'instances' AND started >= 1",
        );
        assert!(
            of_list.contains("COVERING INDEX walk_list (project_key=? AND kind=? AND started>?)"),
            "{of_list}"
        );
    }

    proptest! {
        /// A period is told the same from the walks around it as from all.
        #[test]
        fn the_walks_around_a_period_decide_about_it(
            walks in prop::collection::vec((0_i64..400, any::<bool>()), 0..40),
            since in 0_i64..400,
            length in 1_i64..100,
        ) {
            let archive = golden::archive();
            archive.execute("UPDATE walk SET proven = 0", []).unwrap();
            for (hours, is_full) in &walks {
                archive.execute(
                    "INSERT INTO walk(sync_key, instance_key, attempt, kind, started, finished, proven)
                     VALUES (1, 1, 1, ?1, ?2, ?2, 1)",
                    params![if *is_full { "full" } else { "incremental" }, hour(*hours).millis()],
                ).unwrap();
            }
            let rules = Rules { max_gap: 20 * HOUR, settle: HOUR };
            let period = Window { since: Some(hour(since)), until: Some(hour(since + length)) };
            let read = |around: Around| instances(&archive, &[], around).unwrap().remove(0).ledger;
            let all = read(Around { first: i64::MIN, last: i64::MAX });
            let near = read(Around::of(period, rules));
            prop_assert!(near.proven.len() <= all.proven.len());
            prop_assert_eq!(cover(&near, rules, period), cover(&all, rules, period));
        }
    }
}
