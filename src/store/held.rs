//! What the archive holds of an instance, as far as an incremental walk rests on it: before the walk, to choose its depth,
//! and after each of its pages, to tell whether anything can be left further down.
//!
//! Every answer costs a few steps in an index, however many tasks there are.

use rusqlite::{OptionalExtension as _, named_params, params};

use crate::model::time::{DAY, Timestamp};
use crate::store::{
    Error,
    write::{Archive, WalkState},
};

/// An open task that showed nothing new for so long is left to the full walks: it hangs, and would make every walk as deep
/// as it is old.
const WAITED_FOR: i64 = 7 * DAY;

/// The open tasks that are waited for: not called missing, with a new revision in the last week. One of a later time than
/// now was noted by a clock that was wrong, and is waited for as well: looking deeper than needed loses nothing.
const AWAITED: &str = "instance_key = :instance AND is_open = 1 AND missing_walk IS NULL AND EXISTS (
   SELECT 1 FROM revision r JOIN walk w ON w.walk_key = r.walk_key
   WHERE r.revision_key = task.task_key * 1048576 + task.revisions AND w.finished > :now - :waited_for)";

/// What is held of an instance before it is walked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Tasks that are not called missing.
    pub(crate) live: u64,
    /// Positions of the last proven full walk that are no task.
    pub(crate) strays: u64,
    /// Tasks that may still change.
    pub(crate) open: u64,
    /// The list is not newest first, or holds a record twice.
    pub(crate) irregular: bool,
    pub(crate) mark: Option<Timestamp>,
    /// When the last proven full walk began.
    pub(crate) last_full: Option<Timestamp>,
    /// The newest `created_at` of a live task.
    pub(crate) newest: Option<Timestamp>,
    /// The oldest `created_at` of an open task that is waited for.
    pub(crate) oldest_open: Option<Timestamp>,
}

/// What is held once the pages so far are merged with what was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merged {
    /// The positions that the list must have if nothing unknown is in it.
    pub(crate) expected: u64,
    /// Open tasks that are waited for and that the walk has not seen.
    pub(crate) unseen_open: u64,
}

impl Archive {
    pub(crate) fn held(
        &self,
        project_key: i64,
        instance_id: &str,
        now: Timestamp,
    ) -> Result<Held, Error> {
        let connection = &self.writable.connection;
        let time = |millis: Option<i64>| millis.and_then(Timestamp::from_millis);
        let counted = connection
            .prepare_cached(
                "SELECT i.instance_key, tasks - missing_tasks, strays, open_tasks, irregular, mark, f.started
                 FROM instance i LEFT JOIN walk f ON f.walk_key = i.full_walk
                 WHERE i.project_key = ?1 AND i.instance_id = ?2",
            )?
            .query_row(params![project_key, instance_id], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    Held {
                        live: count(row.get(1)?),
                        strays: count(row.get(2)?),
                        open: count(row.get(3)?),
                        irregular: row.get(4)?,
                        mark: time(row.get(5)?),
                        last_full: time(row.get(6)?),
                        ..Held::default()
                    },
                ))
            })
            .optional()?;
        let Some((instance_key, held)) = counted else {
            return Ok(Held::default());
        };
        let newest = connection
            .prepare_cached(
                "SELECT created FROM task WHERE instance_key = ?1 AND created_at IS NOT NULL AND missing_walk IS NULL
                 ORDER BY created_at DESC LIMIT 1",
            )?
            .query_row([instance_key], |row| row.get(0))
            .optional()?;
        let oldest_open = connection
            .prepare_cached(&format!("SELECT min(created) FROM task WHERE {AWAITED}"))?
            .query_row(
                named_params! {":instance": instance_key, ":now": now.millis(), ":waited_for": WAITED_FOR},
                |row| row.get(0),
            )?;
        Ok(Held {
            newest: time(newest),
            oldest_open: time(oldest_open),
            ..held
        })
    }

    /// Counts an instance's live tasks that were created at that time or later.
    pub(crate) fn created_since(
        &self,
        project_key: i64,
        instance_id: &str,
        time: Timestamp,
    ) -> Result<u64, Error> {
        let tasks = self
            .writable
            .connection
            .prepare_cached(
                "SELECT count(*) FROM task WHERE missing_walk IS NULL AND created_at >= ?3
                   AND instance_key = (SELECT instance_key FROM instance WHERE project_key = ?1 AND instance_id = ?2)",
            )?
            .query_row(params![project_key, instance_id, time.to_string()], |row| row.get(0))?;
        Ok(count(tasks))
    }

    /// Says what is held with the pages of this walk so far.
    pub(crate) fn merged(&self, walk_key: i64, now: Timestamp) -> Result<Merged, Error> {
        let state: &WalkState = &self.walks[&walk_key];
        let connection = &self.writable.connection;
        let before: i64 = connection
            .prepare_cached(
                "SELECT tasks - missing_tasks + strays FROM instance WHERE instance_key = ?1",
            )?
            .query_row([state.instance_key], |row| row.get(0))?;
        let mut awaited =
            connection.prepare_cached(&format!("SELECT task_key FROM task WHERE {AWAITED}"))?;
        let mut rows = awaited.query(
            named_params! {":instance": state.instance_key, ":now": now.millis(), ":waited_for": WAITED_FOR},
        )?;
        let mut unseen_open = 0;
        while let Some(row) = rows.next()? {
            unseen_open += u64::from(!state.seen.contains(row.get(0)?));
        }
        // What the walk saw beyond the tasks that were live is new, or was called missing and is not.
        let more = state.seen.len() - state.present;
        Ok(Merged {
            expected: count(before) + more,
            unseen_open,
        })
    }
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}
