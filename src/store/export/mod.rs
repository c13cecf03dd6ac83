//! Whole views for other engines: what kind each column is of, and which rows a filter leaves.
//!
//! Rows come in the order in which the archive got them, which is a total one and needs no sorting of what is not filtered.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rusqlite::Connection;

use super::birth::JOURNALS;
use super::filter::{Condition, InstanceKey};
use super::place::{Place, beside};
use super::read::{ColumnName, Select, View};
use crate::model::coverage::Window;
use crate::model::kind::Kind;
use crate::store::Error;

/// Columns that are not texts. A name is of one kind in all views, apart from those that [`kind`] tells.
const TIMES: [&str; 19] = [
    "created_at",
    "updated_at",
    "first_seen_at",
    "last_seen_at",
    "vouched_at",
    "missing_since",
    "missing_confirmed_at",
    "reappeared_at",
    "observed_at",
    "gone_at",
    "last_proven_at",
    "last_full_at",
    "high_water_mark",
    "started_at",
    "finished_at",
    "window_start",
    "window_end",
    "mark_before",
    "mark_after",
];
const FLAGS: [&str; 6] = [
    "is_final",
    "is_current",
    "left_out",
    "enable_public_ip",
    "enable_ssl",
    "is_only_adjust_charging",
];
const REALS: [&str; 3] = ["capacity_gb", "old_capacity", "new_capacity"];
const INTEGERS: [&str; 33] = [
    "task_key",
    "duration_ms",
    "revisions",
    "revision",
    "old_replica_num",
    "new_replica_num",
    "old_port",
    "new_port",
    "updated_config_length",
    "tasks",
    "open_tasks",
    "missing_tasks",
    "sync_id",
    "exit_code",
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
    "walk_id",
    "attempt",
    "server_total",
    "received",
    "position",
    "first_sync_id",
    "last_sync_id",
];

/// Says what a column of a view holds.
pub(crate) fn kind(view: View, column: ColumnName) -> Kind {
    match (view, column.as_str()) {
        // A sync counts the walks that are.
        (View::Walks, "proven") => Kind::Flag,
        (View::Rejected, "raw") => Kind::Bytes,
        (_, name) if TIMES.contains(&name) => Kind::Time,
        (_, name) if FLAGS.contains(&name) => Kind::Flag,
        (_, name) if REALS.contains(&name) => Kind::Real,
        (_, name) if INTEGERS.contains(&name) => Kind::Integer,
        _ => Kind::Text,
    }
}

/// Which rows are wanted. What is empty excludes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) instances: Vec<InstanceKey>,
    pub(crate) period: Window,
}

/// Says whether the rows of a view belong to instances.
pub(crate) fn has_instances(view: View) -> bool {
    view.columns().contains(&"instance_id")
}

/// Says whether the rows of a view belong to a moment.
pub(crate) const fn has_period(view: View) -> bool {
    !matches!(view, View::Instances | View::Rejected | View::Upstream)
}

/// Returns the rows of a view that the filter leaves. What the view cannot tell excludes nothing.
pub(crate) fn select(view: View, columns: Vec<ColumnName>, filter: &Filter) -> Select {
    let of_instances = if has_instances(view) {
        Condition::of_instances(&filter.instances)
    } else {
        Condition::default()
    };
    let period = filter.period;
    let condition = match view {
        View::Tasks | View::Changes => of_instances.and_period("created_at", period),
        View::TaskChanges if *filter == Filter::default() => of_instances.and_task_by_task(),
        View::Details | View::TaskChanges | View::Revisions => of_instances.and_created(period),
        View::InstanceRevisions => of_instances.and_period("observed_at", period),
        View::Syncs | View::Walks => of_instances.and_period("started_at", period),
        View::Drift => of_instances.and_period("first_seen_at", period),
        View::Instances | View::Rejected | View::Upstream => of_instances,
    };
    Select {
        view,
        columns,
        condition,
        order: None,
        limit: None,
    }
}

/// Says whether a name is that of the archive, or of a file that lies beside it for the program's own use, so that
/// nothing may be put there.
pub(crate) fn belongs(target: &Path, archive: &Path) -> bool {
    let (Ok(archive), Ok(target)) = (Place::of(archive), Place::of(target)) else {
        return false;
    };
    let (archive, target) = (archive.archive, target.archive);
    let own = JOURNALS.iter().chain(&[".lock", ".new"]);
    let mut own = own.map(|suffix| beside(&archive, suffix));
    // Another name of the same file is the archive too.
    let is_same = match (fs::metadata(&archive), fs::metadata(&target)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    };
    is_same || own.any(|own| own == target)
}

/// So many steps of SQLite's machine lie between two looks at whether somebody wants it to stop: some hundredths of a second.
const STEPS: i32 = 100_000;

/// Lets a signal end a long sort, during which no row comes.
pub(crate) fn stop_when(
    archive: &mut Connection,
    is_stopped: impl FnMut() -> bool + Send + 'static,
) -> Result<(), Error> {
    Ok(archive.progress_handler(STEPS, Some(is_stopped))?)
}

#[cfg(test)]
mod tests;
