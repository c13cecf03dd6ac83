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

/// A query for keys or a condition, and the values bound in it.
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

/// The keys of all tasks that the report speaks of, and of those that it names besides.
fn tasks(about: &About<'_>) -> Keys {
    let (of_these, mut params) = instances(about);
    let mut keys = Vec::new();
    for (condition, values) in spoken_of(about) {
        keys.push(format!(
            "SELECT t.task_key FROM task t WHERE {condition} UNION ALL "
        ));
        params.extend(values);
    }
    let sql = format!(
        "SELECT t.task_key FROM task t WHERE t.instance_key IN ({of_these}) AND t.task_key IN (
           {} SELECT value FROM json_each(?))",
        keys.concat()
    );
    let named: Vec<_> = about.named.iter().map(ToString::to_string).collect();
    params.push(Value::Text(format!("[{}]", named.join(","))));
    (sql, params)
}

/// Why a report speaks of a task `t`: created in the period; ended or last changed in it; without a time and first seen
/// after it began; still open and created before its end; found missing in it. Each has an index.
///
/// A status that a profile calls final is open for the report, which knows no more of it; so are tasks that bear one here.
fn spoken_of(about: &About<'_>) -> [Keys; 6] {
    let since = || Value::Text(about.since.to_string());
    let until = || Value::Text(about.until.to_string());
    let [since_millis, until_millis] =
        [about.since, about.until].map(|time| Value::Integer(time.millis()));
    let ends = is_among("name", &status::FINAL);
    let finished = |walk: &str| format!("(SELECT finished FROM walk WHERE walk_key = t.{walk})");
    let (first, missing) = (finished("first_walk"), finished("missing_walk"));
    [
        (
            "t.created_at >= ? AND t.created_at < ?".to_owned(),
            vec![since(), until()],
        ),
        (
            "t.updated_at >= ? AND t.updated_at < ? AND t.created_at < ?".to_owned(),
            vec![since(), until(), since()],
        ),
        (
            format!("t.created_at IS NULL AND {first} > ?"),
            vec![since_millis.clone()],
        ),
        (
            "t.is_open = 1 AND t.created_at < ?".to_owned(),
            vec![until()],
        ),
        (
            format!(
                "t.created_at < ? AND t.is_open = 0
                 AND t.status_key NOT IN (SELECT status_key FROM status WHERE {ends})"
            ),
            vec![until()],
        ),
        (
            format!("t.missing_walk IS NOT NULL AND {missing} >= ? AND {missing} < ?"),
            vec![since_millis, until_millis],
        ),
    ]
}

/// Returns the instances that the report has anything to tell of: with a task that it speaks of, or with one that was
/// changed in the period and may show that another is missing. Of each instance only as much is looked at as that takes.
pub(crate) fn touched(
    archive: &Connection,
    about: &About<'_>,
) -> Result<BTreeSet<InstanceKey>, Error> {
    let (of_these, mut params) = instances(about);
    let changed = (
        "t.updated_at >= ? AND t.updated_at < ?".to_owned(),
        Vec::from([about.since, about.until].map(|time| Value::Text(time.to_string()))),
    );
    let mut reasons = Vec::new();
    for (condition, values) in spoken_of(about).into_iter().chain([changed]) {
        reasons.push(format!(
            "EXISTS (SELECT 1 FROM task t WHERE t.instance_key = i.instance_key AND {condition})"
        ));
        params.extend(values);
    }
    let sql = format!(
        "SELECT p.project_id, i.instance_id FROM instance i JOIN project p ON p.project_key = i.project_key
         WHERE i.instance_key IN ({of_these}) AND ({})",
        reasons.join(" OR ")
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
