//! Reading the contract's views: named columns, a condition, an order, a limit; rows go to a callback one at a time.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, Transaction, params_from_iter};

use super::filter::{Condition, InstanceKey};
use crate::store::Error;

/// A view of the contract that can be read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Tasks,
    Details,
    TaskChanges,
    Changes,
    Revisions,
    Instances,
    InstanceRevisions,
    Syncs,
    Walks,
    Rejected,
    Drift,
    Upstream,
}

impl View {
    /// Every view, in the order in which the README explains them.
    pub(crate) const ALL: [Self; 12] = [
        Self::Tasks,
        Self::Details,
        Self::TaskChanges,
        Self::Changes,
        Self::Revisions,
        Self::Instances,
        Self::InstanceRevisions,
        Self::Syncs,
        Self::Walks,
        Self::Rejected,
        Self::Drift,
        Self::Upstream,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Details => "task_details",
            Self::TaskChanges => "task_changes",
            Self::Changes => "changes",
            Self::Revisions => "task_revisions",
            Self::Instances => "instances",
            Self::InstanceRevisions => "instance_revisions",
            Self::Syncs => "syncs",
            Self::Walks => "walks",
            Self::Rejected => "rejected",
            Self::Drift => "drift",
            Self::Upstream => "upstream",
        }
    }

    /// Returns the names of the columns, in the view's order.
    pub(crate) const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Tasks => &TASKS,
            Self::Details => &DETAILS,
            Self::TaskChanges => &TASK_CHANGES,
            Self::Changes => &CHANGES,
            Self::Revisions => &REVISIONS,
            Self::Instances => &INSTANCES,
            Self::InstanceRevisions => &INSTANCE_REVISIONS,
            Self::Syncs => &SYNCS,
            Self::Walks => &WALKS,
            Self::Rejected => &REJECTED,
            Self::Drift => &DRIFT,
            Self::Upstream => &UPSTREAM,
        }
    }

    /// Returns the column of that name.
    #[cfg(test)]
    pub(crate) fn column(self, name: &str) -> Option<ColumnName> {
        ColumnName::among(self.columns(), name)
    }

    /// Returns every column.
    pub(crate) fn all(self) -> Vec<ColumnName> {
        ColumnName::all(self.columns())
    }

    /// What decides between rows that are equal in the wanted order; together with it every order is a total one. The
    /// first of them follows the wanted direction, as an index does that is read backwards; the others always ascend.
    const fn ties(self) -> &'static [&'static str] {
        match self {
            Self::Tasks | Self::Details => &["task_key"],
            Self::TaskChanges | Self::Changes => &["task_key", "source", "attribute"],
            Self::Revisions => &["task_key", "revision"],
            Self::Instances => &["project_id", "instance_id"],
            Self::InstanceRevisions => &["project_id", "instance_id", "revision"],
            Self::Syncs => &["sync_id"],
            Self::Walks => &["walk_id"],
            Self::Rejected => &[
                "first_sync_id",
                "project_id",
                "instance_id",
                "position",
                "raw_sha256",
            ],
            Self::Drift => &["kind", "what"],
            Self::Upstream => &["host", "what"],
        }
    }

    /// What decides between rows that are equal in all of this: a task may have a pair and a single field of one name. It
    /// counts where the whole view is read, and must come out the same each time.
    const fn last_ties(self) -> &'static [&'static str] {
        match self {
            Self::TaskChanges | Self::Changes => &["old_value", "new_value"],
            _ => &[],
        }
    }
}

const TASKS: [&str; 23] = [
    "task_key",
    "project_id",
    "instance_id",
    "task_id",
    "instance_name",
    "name",
    "status",
    "is_final",
    "user_id",
    "user_name",
    "created_at",
    "updated_at",
    "duration_ms",
    "params",
    "error_code",
    "revisions",
    "first_seen_at",
    "last_seen_at",
    "vouched_at",
    "missing_since",
    "missing_confirmed_at",
    "missing_as",
    "reappeared_at",
];

const DETAILS: [&str; 30] = [
    "task_key",
    "project_id",
    "instance_id",
    "task_id",
    "old_capacity",
    "new_capacity",
    "enable_public_ip",
    "public_ip_id",
    "public_ip_address",
    "enable_ssl",
    "old_cache_mode",
    "new_cache_mode",
    "old_resource_spec_code",
    "new_resource_spec_code",
    "old_replica_num",
    "new_replica_num",
    "old_cache_type",
    "new_cache_type",
    "replica_ip",
    "replica_az",
    "group_name",
    "old_port",
    "new_port",
    "is_only_adjust_charging",
    "account_name",
    "source_ip",
    "target_ip",
    "node_name",
    "rename_commands",
    "updated_config_length",
];

const CHANGES: [&str; 17] = [
    "task_key",
    "project_id",
    "instance_id",
    "task_id",
    "instance_name",
    "name",
    "status",
    "is_final",
    "user_id",
    "user_name",
    "created_at",
    "updated_at",
    "missing_since",
    "source",
    "attribute",
    "old_value",
    "new_value",
];

const TASK_CHANGES: [&str; 8] = [
    "task_key",
    "project_id",
    "instance_id",
    "task_id",
    "source",
    "attribute",
    "old_value",
    "new_value",
];

const REVISIONS: [&str; 12] = [
    "task_key",
    "project_id",
    "instance_id",
    "task_id",
    "revision",
    "is_current",
    "observed_at",
    "sync_id",
    "status",
    "updated_at",
    "raw_sha256",
    "raw",
];

const SYNCS: [&str; 19] = [
    "sync_id",
    "started_at",
    "finished_at",
    "outcome",
    "exit_code",
    "version",
    "instances",
    "walks",
    "proven",
    "requests",
    "retries",
    "new",
    "changed",
    "same",
    "older",
    "rejected",
    "missing",
    "reappeared",
    "head",
];

const WALKS: [&str; 25] = [
    "walk_id",
    "sync_id",
    "project_id",
    "instance_id",
    "attempt",
    "kind",
    "window_start",
    "window_end",
    "started_at",
    "finished_at",
    "proven",
    "reason",
    "requests",
    "server_total",
    "received",
    "new",
    "changed",
    "same",
    "older",
    "rejected",
    "missing",
    "reappeared",
    "mark_before",
    "mark_after",
    "error",
];

const INSTANCES: [&str; 19] = [
    "project_id",
    "instance_id",
    "name",
    "engine",
    "engine_version",
    "spec_code",
    "capacity_gb",
    "status",
    "created_at",
    "first_seen_at",
    "last_seen_at",
    "gone_at",
    "last_proven_at",
    "last_full_at",
    "high_water_mark",
    "tasks",
    "open_tasks",
    "missing_tasks",
    "left_out",
];

const INSTANCE_REVISIONS: [&str; 16] = [
    "project_id",
    "instance_id",
    "revision",
    "is_current",
    "observed_at",
    "sync_id",
    "name",
    "engine",
    "engine_version",
    "spec_code",
    "capacity_gb",
    "status",
    "created_at",
    "updated_at",
    "raw_sha256",
    "raw",
];

const REJECTED: [&str; 9] = [
    "project_id",
    "instance_id",
    "task_id",
    "position",
    "reason",
    "raw",
    "raw_sha256",
    "first_sync_id",
    "last_sync_id",
];

const UPSTREAM: [&str; 6] = [
    "host",
    "what",
    "finding",
    "evidence",
    "first_seen_at",
    "last_seen_at",
];

const DRIFT: [&str; 5] = ["first_seen_at", "sync_id", "kind", "what", "sample"];

/// The name of a column that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ColumnName(&'static str);

impl ColumnName {
    /// Returns the known column of that name: the only way to one, so that no typed text becomes SQL.
    pub(crate) fn among(known: &[&'static str], name: &str) -> Option<Self> {
        let found = known.iter().find(|known| **known == name);
        found.copied().map(Self)
    }

    /// Returns every known column.
    pub(crate) fn all(known: &[&'static str]) -> Vec<Self> {
        known.iter().copied().map(Self).collect()
    }

    pub(crate) const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The order of rows by one column; absent values come last either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) column: ColumnName,
    pub(crate) descending: bool,
}

impl Order {
    /// From the least value of a known column to the greatest.
    pub(crate) const fn ascending(column: &'static str) -> Self {
        Self {
            column: ColumnName(column),
            descending: false,
        }
    }

    /// From the greatest value of a known column to the least.
    pub(crate) const fn descending(column: &'static str) -> Self {
        Self {
            column: ColumnName(column),
            descending: true,
        }
    }
}

/// Which rows of a view are wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Select {
    pub(crate) view: View,
    pub(crate) columns: Vec<ColumnName>,
    pub(crate) condition: Condition,
    /// Without an order rows come as they were written.
    pub(crate) order: Option<Order>,
    pub(crate) limit: Option<u64>,
}

impl Select {
    pub(super) fn sql(&self) -> String {
        let columns: Vec<_> = self.columns.iter().map(|column| column.0).collect();
        let (view, condition) = (self.view.name(), self.condition.sql());
        let mut sql = format!(
            "SELECT {} FROM {view}{condition} ORDER BY ",
            columns.join(", ")
        );
        let direction = match self.order {
            Some(order) if order.descending => "DESC",
            _ => "ASC",
        };
        let wanted = self.order.map(|order| order.column.0);
        let ties = self.view.ties();
        let mut terms: Vec<_> = wanted
            .map(|column| format!("{column} {direction} NULLS LAST"))
            .into_iter()
            .collect();
        for (number, tie) in ties
            .iter()
            .enumerate()
            .filter(|(_, tie)| wanted != Some(**tie))
        {
            // The first of them is never absent, and the plain order is the one that an index has.
            let direction = if number == 0 { direction } else { "ASC" };
            terms.push(format!("{tie} {direction}"));
        }
        if wanted.is_none() {
            terms.extend(self.view.last_ties().iter().map(ToString::to_string));
        }
        sql.push_str(&terms.join(", "));
        if let Some(limit) = self.limit {
            // SQL has signed numbers only.
            let limit = limit.min(i64::MAX.unsigned_abs());
            let _infallible = write!(sql, " LIMIT {limit}");
        }
        sql
    }
}

/// Begins a transaction that only reads: what is read until it is dropped is one state of the archive.
pub(crate) fn snapshot(archive: &Connection) -> Result<Transaction<'_>, Error> {
    Ok(archive.unchecked_transaction()?)
}

/// Hands every row to the callback, which may end the reading with an error of its own.
///
/// Text that is not UTF-8 comes as a blob.
pub(crate) fn stream<E: From<Error>>(
    archive: &Connection,
    select: &Select,
    mut each: impl FnMut(Vec<Value>) -> Result<(), E>,
) -> Result<(), E> {
    stream_while(archive, select, |row| each(row).map(ControlFlow::Continue))
}

/// The same, until the callback has had enough.
pub(crate) fn stream_while<E: From<Error>>(
    archive: &Connection,
    select: &Select,
    mut each: impl FnMut(Vec<Value>) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let mut statement = archive.prepare(&select.sql()).map_err(Error::from)?;
    let count = statement.column_count();
    let mut rows = statement
        .query(params_from_iter(select.condition.params()))
        .map_err(Error::from)?;
    while let Some(row) = rows.next().map_err(Error::from)? {
        if each(values(row, count).map_err(Error::from)?)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Takes the values out of a row.
pub(super) fn values(row: &Row<'_>, count: usize) -> rusqlite::Result<Vec<Value>> {
    (0..count)
        .map(|index| row.get_ref(index).map(owned))
        .collect()
}

/// Returns all rows: for the few of one task.
pub(crate) fn rows(archive: &Connection, select: &Select) -> Result<Vec<Vec<Value>>, Error> {
    let mut rows = Vec::new();
    stream(archive, select, |row| {
        rows.push(row);
        Ok::<_, Error>(())
    })?;
    Ok(rows)
}

/// Counts the rows that meet the condition, up to a bound: nobody waits for the exact size of a million.
pub(crate) fn count(
    archive: &Connection,
    view: View,
    condition: &Condition,
    most: u32,
) -> Result<u32, Error> {
    let (view, condition_sql) = (view.name(), condition.sql());
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {view}{condition_sql} LIMIT {most})");
    Ok(archive.query_row(&sql, params_from_iter(condition.params()), |row| row.get(0))?)
}

/// An instance of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) key: InstanceKey,
    pub(crate) name: Option<String>,
}

/// Returns the instances of the archive in the order of their ids.
pub(crate) fn instances(archive: &Connection) -> Result<Vec<Instance>, Error> {
    let sql =
        "SELECT project_id, instance_id, name FROM instances ORDER BY instance_id, project_id";
    let mut statement = archive.prepare(sql)?;
    let instances = statement.query_map([], |row| {
        Ok(Instance {
            key: InstanceKey {
                project_id: row.get(0)?,
                instance_id: row.get(1)?,
            },
            name: row.get(2)?,
        })
    })?;
    Ok(instances.collect::<rusqlite::Result<_>>()?)
}

/// A kind of names that tasks carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    Operations,
    Statuses,
    Users,
    Attributes,
}

/// Returns the names of a kind that the archive has met, each once, in their own order.
pub(crate) fn names(archive: &Connection, kind: Names) -> Result<Vec<String>, Error> {
    // From the tables, since a view would have to look at every task.
    let sql = match kind {
        Names::Operations => "SELECT name FROM operation ORDER BY name",
        Names::Statuses => "SELECT name FROM status ORDER BY name",
        Names::Users => {
            "SELECT user_name FROM user WHERE user_name IS NOT NULL
             UNION SELECT user_id FROM user WHERE user_id IS NOT NULL ORDER BY 1"
        }
        Names::Attributes => "SELECT DISTINCT name FROM attribute ORDER BY name",
    };
    let mut statement = archive.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// A task, as far as one is told from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) key: i64,
    pub(crate) task_id: String,
    pub(crate) instance_id: String,
}

/// Returns the tasks that were meant by an id or the beginning of one: those with exactly that id if there are any.
/// `most` bounds the answer.
pub(crate) fn find(
    archive: &Connection,
    typed: &str,
    instances: &[InstanceKey],
    most: u64,
) -> Result<Vec<Found>, Error> {
    let exactly = Condition::default().and_id(typed).and_among(instances);
    let exact = matching(archive, &exactly, most)?;
    if !exact.is_empty() {
        return Ok(exact);
    }
    let beginning = Condition::default()
        .and_id_begins(typed)
        .and_among(instances);
    matching(archive, &beginning, most)
}

fn matching(archive: &Connection, condition: &Condition, most: u64) -> Result<Vec<Found>, Error> {
    let condition_sql = condition.sql();
    let sql = format!(
        "SELECT task_key, task_id, instance_id FROM tasks{condition_sql} ORDER BY task_id, task_key LIMIT {most}"
    );
    let mut statement = archive.prepare(&sql)?;
    let found = statement.query_map(params_from_iter(condition.params()), |row| {
        Ok(Found {
            key: row.get(0)?,
            task_id: row.get(1)?,
            instance_id: row.get(2)?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Blob(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests;
