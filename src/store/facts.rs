//! Reading many tasks for facts about them: narrow rows, in no order, and the names that their numbers stand for.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use super::filter::{Condition, InstanceKey};
use super::read::Instance;
use crate::model::fact::{Counted, Outcome};
use crate::model::time::Timestamp;
use crate::store::Error;

/// A task's columns as the view `tasks` names them, beside the numbers that they come from. The view itself works out more
/// than a count needs: among a million tasks each join counts. Columns that no condition asks for are not looked up.
const TASKS: &str = "SELECT t.task_key, t.operation_key, t.status_key, t.user_key, t.instance_key, t.is_open, t.created, t.updated,
    t.missing_walk IS NOT NULL AS is_missing,
    p.project_id, i.instance_id, o.name AS name, s.name AS status, u.user_id, u.user_name, t.created_at, t.error_code,
    CAST(coalesce(t.params, (
      SELECT json_extract(cur.raw, '$.params') FROM revision cur
      WHERE cur.revision_key = t.task_key * 1048576 + t.revision)) AS TEXT) AS params
  FROM task t
  JOIN instance i ON i.instance_key = t.instance_key
  JOIN project p ON p.project_key = i.project_key
  LEFT JOIN operation o ON o.operation_key = t.operation_key
  LEFT JOIN status s ON s.status_key = t.status_key
  LEFT JOIN user u ON u.user_key = t.user_key
  WHERE t.first_walk NOT IN (SELECT walk_key FROM pending)";

/// Hands every task that meets a filter's condition to the callback.
pub(crate) fn tasks(
    archive: &Connection,
    names: &Names,
    condition: &Condition,
    mut each: impl FnMut(&Counted),
) -> Result<(), Error> {
    let sql = format!(
        "SELECT operation_key, status_key, user_key, instance_key, is_open, is_missing, created, updated
         FROM ({TASKS}) AS tasks{}",
        condition.sql()
    );
    let mut statement = archive.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(condition.params()))?;
    while let Some(row) = rows.next()? {
        each(&counted(row, names)?);
    }
    Ok(())
}

/// Returns every user, first those of the tasks that meet a condition, by the first of these tasks, then the others in the
/// order in which the archive met them: an order that says nothing of their names.
pub(crate) fn users(
    archive: &Connection,
    names: &Names,
    condition: &Condition,
) -> Result<Vec<User>, Error> {
    let sql = format!(
        "SELECT user_key FROM (
           SELECT user_key, min(created) AS first, min(task_key) AS key FROM ({TASKS}) AS tasks{}
           GROUP BY user_key ORDER BY first, key, user_key)
         UNION ALL SELECT * FROM (SELECT user_key FROM user ORDER BY user_key)",
        condition.sql()
    );
    let mut statement = archive.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(condition.params()))?;
    let (mut users, mut known) = (Vec::new(), HashSet::new());
    while let Some(row) = rows.next()? {
        if let Some(key) = row.get(0)?
            && known.insert(key)
        {
            users.extend(names.users.get(&key).cloned());
        }
    }
    Ok(users)
}

fn counted(row: &Row<'_>, names: &Names) -> rusqlite::Result<Counted> {
    let status: Option<i64> = row.get(1)?;
    let is_open: bool = row.get(4)?;
    let time = |column| -> rusqlite::Result<Option<Timestamp>> {
        let millis: Option<i64> = row.get(column)?;
        Ok(millis.and_then(Timestamp::from_millis))
    };
    let outcome = status.and_then(|key| names.statuses.get(&key));
    let outcome = outcome.map_or(Outcome::Open, |(_, outcome)| *outcome);
    Ok(Counted {
        operation: row.get(0)?,
        status,
        user: row.get(2)?,
        instance: row.get(3)?,
        outcome: if is_open { Outcome::Open } else { outcome },
        is_missing: row.get(5)?,
        created: time(6)?,
        updated: time(7)?,
    })
}

/// What the archive's numbers stand for.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) operations: HashMap<i64, String>,
    statuses: HashMap<i64, (String, Outcome)>,
    pub(crate) users: HashMap<i64, User>,
    pub(crate) instances: HashMap<i64, Instance>,
}

/// Who asked for a task: what was sent of the id and the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

impl Names {
    /// Reads all names of an archive: some hundreds beside a million tasks.
    pub(crate) fn read(archive: &Connection) -> Result<Self, Error> {
        let statuses: HashMap<i64, String> =
            map(archive, "SELECT status_key, name FROM status", |row| {
                row.get(1)
            })?;
        let statuses = statuses.into_iter().map(|(key, name)| {
            let outcome = Outcome::of(Some(&name));
            (key, (name, outcome))
        });
        Ok(Self {
            statuses: statuses.collect(),
            operations: map(
                archive,
                "SELECT operation_key, name FROM operation",
                |row| row.get(1),
            )?,
            users: map(
                archive,
                "SELECT user_key, user_id, user_name FROM user",
                |row| {
                    Ok(User {
                        id: row.get(1)?,
                        name: row.get(2)?,
                    })
                },
            )?,
            instances: map(
                archive,
                "SELECT i.instance_key, p.project_id, i.instance_id, i.name FROM instance i JOIN project p ON p.project_key = i.project_key",
                |row| {
                    Ok(Instance {
                        key: InstanceKey {
                            project_id: row.get(1)?,
                            instance_id: row.get(2)?,
                        },
                        name: row.get(3)?,
                    })
                },
            )?,
        })
    }

    pub(crate) fn status(&self, key: i64) -> Option<&str> {
        self.statuses.get(&key).map(|(name, _)| name.as_str())
    }
}

fn map<T>(
    archive: &Connection,
    sql: &str,
    value: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<HashMap<i64, T>, Error> {
    let mut statement = archive.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, value(row)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns when the archive last read anything, by the cloud's clock: the present, as far as it knows.
pub(crate) fn read_until(archive: &Connection) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT finished FROM walk WHERE walk_key NOT IN (SELECT walk_key FROM pending)
               ORDER BY walk_key DESC LIMIT 1";
    let millis: Option<i64> = archive.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(millis.and_then(Timestamp::from_millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::filter::TaskFilter;
    use crate::store::golden;
    use crate::store::read::{self, View};

    fn counted(archive: &Connection, filter: &TaskFilter) -> Vec<Counted> {
        let names = Names::read(archive).unwrap();
        let mut found = Vec::new();
        tasks(archive, &names, &filter.condition(), |task| {
            found.push(*task);
        })
        .unwrap();
        found
    }

    #[test]
    fn tasks_are_read_as_the_view_shows_them() {
        let archive = golden::archive();
        let found = counted(&archive, &TaskFilter::default());
        assert_eq!(found.len(), 7, "what a running walk added is not seen");
        let count = |is: fn(&Counted) -> bool| found.iter().filter(|task| is(task)).count();
        assert_eq!(count(|task| task.outcome == Outcome::Succeeded), 3);
        assert_eq!(count(|task| task.outcome == Outcome::Failed), 1);
        assert_eq!(count(|task| task.outcome == Outcome::Open), 3);
        assert_eq!(count(|task| task.is_missing), 1);
        assert_eq!(count(|task| task.created.is_none()), 1);
    }

    #[test]
    fn every_filter_finds_as_many_as_in_the_view() {
        let archive = golden::archive();
        let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let all = TaskFilter::default;
        let filters = [
            TaskFilter {
                operations: text(&["extend"]),
                ..all()
            },
            TaskFilter {
                statuses: text(&["success", "成功"]),
                ..all()
            },
            TaskFilter {
                users: text(&["ann"]),
                ..all()
            },
            TaskFilter {
                text: Some("100%_done".to_owned()),
                ..all()
            },
            TaskFilter {
                text: Some("dcs.4999".to_owned()),
                ..all()
            },
            TaskFilter {
                text: Some("6380".to_owned()),
                ..all()
            },
            TaskFilter {
                missing: true,
                ..all()
            },
            TaskFilter { new: true, ..all() },
        ];
        for filter in filters {
            let condition = filter.condition();
            let expected = read::count(&archive, View::Tasks, &condition, 100).unwrap();
            assert!(expected > 0, "{filter:?}");
            assert_eq!(
                counted(&archive, &filter).len(),
                expected as usize,
                "{filter:?}"
            );
        }
    }

    #[test]
    fn users_come_by_their_first_task_and_then_as_the_archive_met_them() {
        let archive = golden::archive();
        let names = Names::read(&archive).unwrap();
        let order = |filter: TaskFilter| -> Vec<String> {
            let users = users(&archive, &names, &filter.condition()).unwrap();
            users
                .into_iter()
                .map(|user| user.name.unwrap_or_default().chars().take(3).collect())
                .collect()
        };
        assert_eq!(order(TaskFilter::default()), ["ann", "=HY", "Joa", "eve"]);
        let only = TaskFilter {
            operations: vec!["UpdatePort".to_owned()],
            ..TaskFilter::default()
        };
        assert_eq!(order(only), ["Joa", "ann", "eve", "=HY"]);
    }

    #[test]
    fn the_present_is_the_end_of_the_last_walk_that_can_be_seen() {
        let archive = golden::archive();
        let until = read_until(&archive).unwrap().unwrap();
        assert_eq!(until.to_string(), "2026-10-01T02:00:00.900Z");
        archive
            .execute_batch("INSERT INTO pending VALUES (7)")
            .unwrap();
        let until = read_until(&archive).unwrap().unwrap();
        assert_eq!(until.to_string(), "2026-10-01T02:00:06.000Z");
    }

    #[test]
    fn a_count_looks_up_nothing_that_it_does_not_need() {
        let archive = golden::archive();
        let sql =
            format!("EXPLAIN QUERY PLAN SELECT operation_key, created FROM ({TASKS}) AS tasks");
        let mut statement = archive.prepare(&sql).unwrap();
        let lines = statement
            .query_map([], |row| row.get::<_, String>(3))
            .unwrap();
        let plan: Vec<_> = lines.map(Result::unwrap).collect();
        let touches = |table: &str| {
            plan.iter()
                .any(|line| line.split(' ').nth(1) == Some(table))
        };
        assert!(touches("t"), "{plan:?}");
        for table in ["o", "s", "u", "cur"] {
            assert!(!touches(table), "{plan:?}");
        }
    }
}
