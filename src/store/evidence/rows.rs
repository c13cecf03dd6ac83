//! Which rows of the archive a report of a period rests on: the tasks that it speaks of, their records, the ledger lines
//! that its coverage was judged by, and the syncs that brought all of these.

use std::collections::BTreeSet;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::model::coverage::{Rules, Window};
use crate::model::status;
use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::filter::{Condition, InstanceKey};
use crate::store::ledger::Around;
use crate::store::read::{Select, View};

/// The parts of a pack that are rows of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Every state of the tasks, with the text as it was received.
    Records,
    Tasks,
    Walks,
    Syncs,
}

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// All, if none is named.
    pub(crate) instances: &'a [InstanceKey],
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    /// By which its coverage was judged.
    pub(crate) rules: Rules,
    /// Keys of tasks that it names besides: those on both sides of a break may be of any time.
    pub(crate) named: &'a [i64],
}

impl Part {
    pub(crate) const fn view(self) -> View {
        match self {
            Self::Records => View::Revisions,
            Self::Tasks => View::Tasks,
            Self::Walks => View::Walks,
            Self::Syncs => View::Syncs,
        }
    }

    /// Returns the rows of this part, in the order in which the archive got them.
    pub(crate) fn select(self, about: &About<'_>) -> Select {
        let view = self.view();
        let condition = match self {
            Self::Records | Self::Tasks => within("task_key", tasks(about)),
            Self::Walks => within("walk_id", walks(about)),
            Self::Syncs => within("sync_id", syncs(about)),
        };
        Select {
            view,
            columns: view.all(),
            condition,
            order: None,
            limit: None,
        }
    }
}

/// A query for keys, and the values bound in it.
type Keys = (String, Vec<Value>);

fn within(column: &str, (keys, params): Keys) -> Condition {
    let mut condition = Condition::default();
    condition.and(&format!("{column} IN ({keys})"), params);
    condition
}

/// The keys of these instances.
fn instances(about: &About<'_>) -> Keys {
    let named = Condition::of_instances(about.instances);
    let sql = format!(
        "SELECT instance_key FROM (SELECT i.instance_key, p.project_id, i.instance_id
           FROM instance i JOIN project p ON p.project_key = i.project_key){}",
        named.sql()
    );
    (sql, named.params().to_vec())
}

/// The keys of all tasks that the report speaks of: created in the period; ended or last changed in it; without a time
/// and first seen after it began; still open and created before its end; found missing in it; and those that it names
/// besides. Each has an index.
///
/// A status that a profile calls final is open for the report, which knows no more of it; so are tasks that bear one here.
fn tasks(about: &About<'_>) -> Keys {
    let (of_these, of_these_params) = instances(about);
    let since = || Value::Text(about.since.to_string());
    let until = || Value::Text(about.until.to_string());
    let ends = is_among("name", &status::FINAL);
    let sql = format!(
        "SELECT t.task_key FROM task t WHERE t.instance_key IN ({of_these}) AND t.task_key IN (
           SELECT task_key FROM task WHERE created_at >= ? AND created_at < ?
           UNION ALL SELECT task_key FROM task WHERE updated_at >= ? AND updated_at < ? AND created_at < ?
           UNION ALL SELECT n.task_key FROM task n JOIN walk f ON f.walk_key = n.first_walk
             WHERE n.created_at IS NULL AND f.finished > ?
           UNION ALL SELECT task_key FROM task WHERE is_open = 1 AND created_at < ?
           UNION ALL SELECT task_key FROM task WHERE created_at < ? AND is_open = 0 AND status_key NOT IN (
             SELECT status_key FROM status WHERE {ends})
           UNION ALL SELECT m.task_key FROM task m JOIN walk w ON w.walk_key = m.missing_walk
             WHERE m.missing_walk IS NOT NULL AND w.finished >= ? AND w.finished < ?
           UNION ALL SELECT value FROM json_each(?))"
    );
    let mut params = of_these_params;
    params.extend([since(), until(), since(), until(), since()]);
    params.push(Value::Integer(about.since.millis()));
    params.extend([until(), until()]);
    params.extend([about.since, about.until].map(|time| Value::Integer(time.millis())));
    let named: Vec<_> = about.named.iter().map(ToString::to_string).collect();
    params.push(Value::Text(format!("[{}]", named.join(","))));
    (sql, params)
}

/// Returns the instances that the report has anything to tell of: with a task that it speaks of, or with one
/// that was changed in the period and may show that another is missing.
pub(crate) fn touched(
    archive: &Connection,
    about: &About<'_>,
) -> Result<BTreeSet<InstanceKey>, Error> {
    let (tasks, mut params) = tasks(about);
    params.extend([about.since, about.until].map(|time| Value::Text(time.to_string())));
    let sql = format!(
        "SELECT p.project_id, i.instance_id FROM instance i JOIN project p ON p.project_key = i.project_key
         WHERE i.instance_key IN (
           SELECT t.instance_key FROM ({tasks}) k JOIN task t ON t.task_key = k.task_key
           UNION SELECT instance_key FROM task WHERE updated_at >= ? AND updated_at < ?)"
    );
    let mut statement = archive.prepare(&sql)?;
    let touched = statement.query_map(params_from_iter(params), |row| {
        Ok(InstanceKey {
            project_id: row.get(0)?,
            instance_id: row.get(1)?,
        })
    })?;
    Ok(touched.collect::<rusqlite::Result<_>>()?)
}

/// Everything that counts as space around a status, as arguments of `trim`.
const SPACES: &str = "char(9,10,11,12,13,32,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288)";

/// Says in SQL whether a status is one of these, as `model::status` says it.
pub(super) fn is_among(status: &str, known: &[&str]) -> String {
    let known: Vec<_> = known.iter().map(|known| format!("'{known}'")).collect();
    format!("upper(trim({status}, {SPACES})) IN ({})", known.join(", "))
}

/// The ledger lines of each list, proven or not, from the last proven full one before the period to the first one after it,
/// as the coverage looks at them. The lists of instances count where no instance is named.
fn walks(about: &About<'_>) -> Keys {
    let (of_these, mut params) = instances(about);
    let period = Window {
        since: Some(about.since),
        until: Some(about.until),
    };
    let around = Around::of(period, about.rules);
    let bounds = |params: &mut Vec<Value>| {
        let bounds = [around.first, i64::MIN, around.last, i64::MAX];
        params.extend(bounds.map(Value::Integer));
    };
    bounds(&mut params);
    let stretch = |list: &str, full: &str| {
        format!(
            "w.started >= coalesce((SELECT max(b.started) FROM walk b
               WHERE b.{list} = l.{list} AND b.proven = 1 AND b.kind = '{full}' AND b.started <= ?), ?)
             AND w.started <= coalesce((SELECT min(b.started) FROM walk b
               WHERE b.{list} = l.{list} AND b.proven = 1 AND b.kind = '{full}' AND b.started >= ?), ?)"
        )
    };
    let mut sql = format!(
        "SELECT w.walk_key FROM instance l JOIN walk w ON w.instance_key = l.instance_key
         WHERE l.instance_key IN ({of_these}) AND {}",
        stretch("instance_key", "full")
    );
    if about.instances.is_empty() {
        sql = format!(
            "{sql} UNION ALL SELECT w.walk_key FROM project l JOIN walk w ON w.project_key = l.project_key WHERE {}",
            stretch("project_key", "instances")
        );
        bounds(&mut params);
    }
    (sql, params)
}

/// The syncs that made these ledger lines or brought these records, and the one that the head is of.
fn syncs(about: &About<'_>) -> Keys {
    let (walks, mut params) = walks(about);
    let (tasks, of_tasks) = tasks(about);
    params.extend(of_tasks);
    let sql = format!(
        "SELECT sync_key FROM walk WHERE walk_key IN ({walks}) AND walk_key NOT IN (SELECT walk_key FROM pending)
         UNION SELECT w.sync_key FROM ({tasks}) k
           JOIN revision r ON r.revision_key BETWEEN k.task_key * 1048576 + 1 AND k.task_key * 1048576 + 1048575
           JOIN walk w ON w.walk_key = r.walk_key
           WHERE r.walk_key NOT IN (SELECT walk_key FROM pending)
         UNION SELECT max(sync_key) FROM link"
    );
    (sql, params)
}
