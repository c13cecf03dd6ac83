//! The ledger: a walk begins hidden and ends in one transaction that makes it visible.
//!
//! Ending a walk moves current revisions, flags, counters and the mark, writes the ledger line and takes the walk out of
//! `pending`, all in the transaction that holds its last rows. A walk that a kill left behind is settled the same way by
//! the next opening, as an unproven line, `interrupted`.

use std::collections::HashSet;

use rusqlite::{OptionalExtension as _, params};

use crate::model::{
    absence::{self, Shown},
    ledger::{Counts, MissingAs, WalkEnd, WalkKind},
    rows::{Drift, DriftKind},
    time::Timestamp,
};
use crate::store::{
    Error,
    seen::SeenTasks,
    write::{self, Archive, REVISIONS_A_TASK, WalkState},
};

/// The walk that a sync is about to make.
#[derive(Clone, Debug)]
pub(crate) struct WalkStart {
    pub(crate) sync_key: i64,
    pub(crate) project_key: i64,
    pub(crate) instance_id: String,
    pub(crate) attempt: u32,
    pub(crate) kind: WalkKind,
    pub(crate) started: Timestamp,
    /// The early start that the query asks for, where the unfiltered list hides old records.
    pub(crate) window_start: Option<Timestamp>,
}

/// What settling a walk's touched tasks came to.
#[derive(Debug, Default)]
struct Settled {
    reappeared: u64,
    unconfirmed_reappeared: u64,
    opened: i64,
}

/// A task that a walk lacks and that was not called missing before.
struct Lacking {
    task_key: i64,
    created: Option<Timestamp>,
}

impl Archive {
    /// Begins a walk, and the instance if it is new.
    pub(crate) fn begin_walk(&mut self, start: &WalkStart) -> Result<i64, Error> {
        self.write()?;
        self.writable
            .connection
            .prepare_cached(
                "INSERT INTO instance(project_key, instance_id) VALUES (?1, ?2)
                 ON CONFLICT(project_key, instance_id) DO NOTHING",
            )?
            .execute(params![start.project_key, start.instance_id])?;
        let (instance_key, mark): (i64, Option<i64>) = self
            .writable
            .connection
            .prepare_cached("SELECT instance_key, mark FROM instance WHERE project_key = ?1 AND instance_id = ?2")?
            .query_row(params![start.project_key, start.instance_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.writable.connection
            .prepare_cached(
                "INSERT INTO walk(sync_key, instance_key, attempt, kind, started, finished, window_start, mark_before, mark_after)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?7)",
            )?
            .execute(params![
                start.sync_key,
                instance_key,
                start.attempt,
                start.kind.as_str(),
                start.started.millis(),
                start.window_start.map(Timestamp::millis),
                mark
            ])?;
        let walk_key = self.writable.connection.last_insert_rowid();
        self.writable
            .connection
            .prepare_cached("INSERT INTO pending(walk_key) VALUES (?1)")?
            .execute([walk_key])?;
        let state = WalkState {
            instance_key,
            counts: Counts::default(),
            seen: SeenTasks::default(),
            shown: Shown::default(),
            opened: 0,
            present: 0,
            touched: false,
            rejected: HashSet::new(),
            anonymous: false,
        };
        self.walks.insert(walk_key, state);
        Ok(walk_key)
    }

    /// Ends a page: what a kill would leave of the walk has a time and counts, and a full transaction is committed.
    pub(crate) fn end_page(
        &mut self,
        walk_key: i64,
        server_now: Timestamp,
        requests: u64,
        received: u64,
    ) -> Result<(), Error> {
        self.write()?;
        let counts = Counts {
            received,
            ..self.walk(walk_key).counts
        };
        self.write_counts(walk_key, &counts)?;
        self.writable
            .connection
            .prepare_cached(
                "UPDATE walk SET finished = max(started, ?2), requests = ?3 WHERE walk_key = ?1",
            )?
            .execute(params![walk_key, server_now.millis(), integer(requests)])?;
        self.commit_if_large()
    }

    /// Says whether the walk, once proven, would call something missing or confirm it.
    pub(crate) fn would_call_missing(
        &mut self,
        walk_key: i64,
        started: Timestamp,
    ) -> Result<bool, Error> {
        let state = self.walk(walk_key);
        if state.anonymous {
            return Ok(false);
        }
        Ok(!self.lacking(walk_key)?.is_empty() || !self.confirmable(walk_key, started)?.is_empty())
    }

    /// Ends a walk: everything that it found becomes visible, whatever it proved.
    pub(crate) fn end_walk(&mut self, walk_key: i64, end: &WalkEnd) -> Result<Counts, Error> {
        self.write()?;
        let call_missing = end.proven && end.call_missing && !self.walk(walk_key).anonymous;
        let (lacking, confirmable) = if call_missing {
            (
                self.lacking(walk_key)?,
                self.confirmable(walk_key, end.started)?,
            )
        } else {
            (Vec::new(), Vec::new())
        };
        let settled = self.settle(walk_key)?;
        let state = self.walk(walk_key);
        state.counts.received = end.received;
        state.counts.reappeared = settled.reappeared;
        let (instance_key, opened) = (state.instance_key, state.opened);
        let new = state.counts.new;
        let answered = end.error.is_none() || end.received > 0;
        let rejected = std::mem::take(&mut state.rejected);
        for rejected_key in rejected {
            self.writable
                .connection
                .prepare_cached(
                    "UPDATE rejected_record SET last_walk = ?2 WHERE rejected_key = ?1",
                )?
                .execute([rejected_key, walk_key])?;
        }
        self.writable
            .connection
            .prepare_cached(
                "UPDATE instance SET tasks = tasks + ?2, open_tasks = open_tasks + ?3,
                   missing_tasks = missing_tasks - ?4, confirmed_tasks = confirmed_tasks - ?5
                 WHERE instance_key = ?1",
            )?
            .execute(params![
                instance_key,
                integer(new),
                opened + settled.opened,
                integer(settled.reappeared),
                integer(settled.reappeared - settled.unconfirmed_reappeared)
            ])?;
        if answered {
            self.answered(instance_key, walk_key)?;
        }
        if end.proven {
            self.call_missing(walk_key, &lacking, &confirmable)?;
            self.prove(instance_key, walk_key, end.mark)?;
        }
        let counts = self.walk(walk_key).counts;
        self.write_counts(walk_key, &counts)?;
        self.write_line(walk_key, end)?;
        self.walks.remove(&walk_key);
        self.commit_if_large()?;
        Ok(counts)
    }

    /// The instance answered with a list: whatever said that it was gone or without tasks does not hold any more.
    fn answered(&mut self, instance_key: i64, walk_key: i64) -> Result<(), Error> {
        let gone: Option<String> = self
            .writable
            .connection
            .prepare_cached(
                "SELECT instance_id FROM instance WHERE instance_key = ?1 AND gone IS NOT NULL",
            )?
            .query_row([instance_key], |row| row.get(0))
            .optional()?;
        if let Some(instance_id) = gone {
            let what = format!("instance {instance_id} answers again");
            self.journal(
                walk_key,
                &Drift {
                    kind: DriftKind::Upstream,
                    what,
                    sample: String::new(),
                },
            )?;
        }
        self.writable
            .connection
            .prepare_cached(
                "UPDATE instance SET first_walk = coalesce(first_walk, ?2), last_walk = ?2,
                   absent_sync = NULL, gone = NULL, unsupported = NULL
                 WHERE instance_key = ?1",
            )?
            .execute([instance_key, walk_key])?;
        Ok(())
    }

    /// A proven walk moves the mark, never back.
    fn prove(
        &self,
        instance_key: i64,
        walk_key: i64,
        mark: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.writable
            .connection
            .prepare_cached(
                "UPDATE instance SET proven_walk = ?2, full_walk = ?2,
                   mark = CASE WHEN ?3 IS NULL OR mark >= ?3 THEN mark ELSE ?3 END
                 WHERE instance_key = ?1",
            )?
            .execute(params![instance_key, walk_key, mark.map(Timestamp::millis)])?;
        self.writable.connection
            .prepare_cached(
                "UPDATE walk SET mark_after = (SELECT mark FROM instance WHERE instance_key = ?1) WHERE walk_key = ?2",
            )?
            .execute([instance_key, walk_key])?;
        Ok(())
    }

    fn write_counts(&self, walk_key: i64, counts: &Counts) -> Result<(), Error> {
        self.writable.connection
            .prepare_cached(
                "UPDATE walk SET received = ?2, new = ?3, changed = ?4, same = ?5, older = ?6, rejected = ?7,
                   missing = ?8, reappeared = ?9
                 WHERE walk_key = ?1",
            )?
            .execute(params![
                walk_key,
                integer(counts.received),
                integer(counts.new),
                integer(counts.changed),
                integer(counts.same),
                integer(counts.older),
                integer(counts.rejected),
                integer(counts.missing),
                integer(counts.reappeared)
            ])?;
        Ok(())
    }

    /// Writes the ledger line and makes the walk visible.
    fn write_line(&self, walk_key: i64, end: &WalkEnd) -> Result<(), Error> {
        self.writable.connection
            .prepare_cached(
                "UPDATE walk SET started = ?2, finished = max(?2, ?3), proven = ?4, reason = ?5, requests = ?6,
                   server_total = ?7, error = ?8
                 WHERE walk_key = ?1",
            )?
            .execute(params![
                walk_key,
                end.started.millis(),
                end.finished.millis(),
                end.proven,
                end.reason,
                integer(end.requests),
                end.server_total.map(integer),
                end.error
            ])?;
        self.reveal(walk_key)
    }

    fn reveal(&self, walk_key: i64) -> Result<(), Error> {
        self.writable
            .connection
            .prepare_cached("DELETE FROM pending WHERE walk_key = ?1")?
            .execute([walk_key])?;
        Ok(())
    }

    /// Moves the tasks that the walk touched to the revision that is current now, and clears what called them missing.
    fn settle(&mut self, walk_key: i64) -> Result<Settled, Error> {
        let mut settled = Settled::default();
        let mut after = i64::MIN;
        loop {
            // In portions, because a change of every record of a long list must not be held in memory.
            let touched: Vec<(i64, i64)> = self
            .writable
            .connection
                .prepare_cached(
                    "SELECT task_key, revision FROM pending_task WHERE walk_key = ?1 AND task_key > ?2
                     ORDER BY task_key LIMIT 1000",
                )?
                .query_map([walk_key, after], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let Some((last, _)) = touched.last() else {
                break;
            };
            after = *last;
            for (task_key, revision) in touched {
                self.settle_task(walk_key, task_key, revision, &mut settled)?;
            }
        }
        self.writable
            .connection
            .prepare_cached("DELETE FROM pending_task WHERE walk_key = ?1")?
            .execute([walk_key])?;
        Ok(settled)
    }

    fn settle_task(
        &mut self,
        walk_key: i64,
        task_key: i64,
        revision: i64,
        settled: &mut Settled,
    ) -> Result<(), Error> {
        let (current, was_open, missing, confirmed, task_id): (i64, bool, bool, bool, String) = self
            .writable
            .connection
            .prepare_cached(
                "SELECT revision, is_open, missing_walk IS NOT NULL, confirmed_walk IS NOT NULL, task_id
                 FROM task WHERE task_key = ?1",
            )?
            .query_row([task_key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
        if revision != current {
            let (raw, adopted): (String, Option<String>) = self
                .writable
                .connection
                .prepare_cached("SELECT raw, adopted FROM revision WHERE revision_key = ?1")?
                .query_row([task_key * REVISIONS_A_TASK + revision], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let normalized = (self.reading.normalize)(&raw, adopted.as_deref());
            self.update_task(task_key, revision, &raw, &normalized)?;
            let is_open = write::is_open(normalized.row.status.as_deref());
            settled.opened += i64::from(is_open) - i64::from(was_open);
        }
        self.count_revisions(task_key)?;
        if missing {
            settled.reappeared += 1;
            settled.unconfirmed_reappeared += u64::from(!confirmed);
            self.writable.connection
                .prepare_cached(
                    "UPDATE task SET missing_walk = NULL, confirmed_walk = NULL, missing_as = NULL, seen_walk = ?2
                     WHERE task_key = ?1",
                )?
                .execute([task_key, walk_key])?;
            let what = format!("task {task_id} reappeared");
            self.journal(
                walk_key,
                &Drift {
                    kind: DriftKind::Upstream,
                    what,
                    sample: String::new(),
                },
            )?;
        }
        Ok(())
    }

    /// Returns the tasks that readers know, that are not called missing, and that the walk has not shown.
    ///
    /// It must be asked before the walk is settled: the counters that spare the search are those of the walk before.
    fn lacking(&self, walk_key: i64) -> Result<Vec<Lacking>, Error> {
        let state = &self.walks[&walk_key];
        let present: i64 = self
            .writable
            .connection
            .prepare_cached("SELECT tasks - missing_tasks FROM instance WHERE instance_key = ?1")?
            .query_row([state.instance_key], |row| row.get(0))?;
        if integer(state.present) == present {
            return Ok(Vec::new());
        }
        let mut statement = self.writable.connection.prepare_cached(
            "SELECT task_key, created FROM task WHERE instance_key = ?1 AND missing_walk IS NULL",
        )?;
        let mut rows = statement.query([state.instance_key])?;
        let mut lacking = Vec::new();
        while let Some(row) = rows.next()? {
            let task_key = row.get(0)?;
            if !state.seen.contains(task_key) {
                let created = row
                    .get::<_, Option<i64>>(1)?
                    .and_then(Timestamp::from_millis);
                lacking.push(Lacking { task_key, created });
            }
        }
        Ok(lacking)
    }

    /// Returns the tasks called missing by an earlier walk whose absence this one confirms.
    fn confirmable(&self, walk_key: i64, started: Timestamp) -> Result<Vec<i64>, Error> {
        let state = &self.walks[&walk_key];
        let mut statement = self.writable.connection.prepare_cached(
            "SELECT t.task_key, t.created, t.updated, w.finished
             FROM task t JOIN walk w ON w.walk_key = t.missing_walk
             WHERE t.instance_key = ?1 AND t.missing_walk IS NOT NULL AND t.confirmed_walk IS NULL",
        )?;
        let mut rows = statement.query([state.instance_key])?;
        let mut confirmable = Vec::new();
        while let Some(row) = rows.next()? {
            let time = |column| {
                Ok::<_, Error>(
                    row.get::<_, Option<i64>>(column)?
                        .and_then(Timestamp::from_millis),
                )
            };
            let (created, updated, since) = (time(1)?, time(2)?, time(3)?.unwrap_or(started));
            let task_key = row.get(0)?;
            if !state.seen.contains(task_key)
                && absence::confirms(since, started, created, updated, state.shown)
            {
                confirmable.push(task_key);
            }
        }
        Ok(confirmable)
    }

    /// Calls missing what the proven walk lacks, and confirms what an earlier one called so.
    fn call_missing(
        &mut self,
        walk_key: i64,
        lacking: &[Lacking],
        confirmable: &[i64],
    ) -> Result<(), Error> {
        let state = self.walk(walk_key);
        let (instance_key, shown) = (state.instance_key, state.shown);
        state.counts.missing = lacking.len() as u64;
        let newest = lacking
            .iter()
            .map(|task| task.created)
            .try_fold(None, |newest, created| {
                created.map(|created| Some(created).max(newest))
            })
            .flatten();
        let missing_as: MissingAs = absence::missing_as(newest, shown);
        for task in lacking {
            self.writable.connection
                .prepare_cached(
                    "UPDATE task SET missing_walk = ?2, missing_as = ?3,
                       seen_walk = max(coalesce(seen_walk, 0), coalesce((SELECT full_walk FROM instance WHERE instance_key = ?4), 0))
                     WHERE task_key = ?1",
                )?
                .execute(params![task.task_key, walk_key, missing_as.as_str(), instance_key])?;
        }
        for task_key in confirmable {
            self.writable
                .connection
                .prepare_cached("UPDATE task SET confirmed_walk = ?2 WHERE task_key = ?1")?
                .execute([*task_key, walk_key])?;
        }
        self.writable.connection
            .prepare_cached(
                "UPDATE instance SET missing_tasks = missing_tasks + ?2, confirmed_tasks = confirmed_tasks + ?3
                 WHERE instance_key = ?1",
            )?
            .execute(params![instance_key, integer(lacking.len() as u64), integer(confirmable.len() as u64)])?;
        Ok(())
    }

    /// Closes what a kill left behind: its walks become unproven ledger lines, `interrupted`, and their rows visible.
    pub(crate) fn recover(&mut self) -> Result<u64, Error> {
        let closed = self.recover_walks()?;
        let unfinished: i64 = self.writable.connection.query_row(
            "SELECT count(*) FROM sync WHERE outcome IS NULL",
            [],
            |row| row.get(0),
        )?;
        if unfinished > 0 {
            self.write()?;
            self.writable.connection.execute(
                "UPDATE sync SET outcome = 'interrupted',
                   finished = coalesce((SELECT max(w.finished) FROM walk w WHERE w.sync_key = sync.sync_key), started)
                 WHERE outcome IS NULL",
                [],
            )?;
            self.commit()?;
        }
        Ok(closed)
    }

    fn recover_walks(&mut self) -> Result<u64, Error> {
        let left: Vec<(i64, i64)> = self
            .writable
            .connection
            .prepare("SELECT walk_key, instance_key FROM walk WHERE walk_key IN (SELECT walk_key FROM pending)")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        if left.is_empty() {
            return Ok(0);
        }
        self.write()?;
        for (walk_key, instance_key) in &left {
            let settled = self.settle(*walk_key)?;
            self.writable.connection.execute(
                "UPDATE walk SET reappeared = ?2 WHERE walk_key = ?1",
                params![walk_key, integer(settled.reappeared)],
            )?;
            self.answered(*instance_key, *walk_key)?;
            self.reveal(*walk_key)?;
            self.recount(*instance_key)?;
        }
        self.commit()?;
        Ok(left.len() as u64)
    }

    /// Forgets what is not committed, after a write that failed.
    pub(crate) fn abandon(&mut self) {
        // A transaction that SQLite has rolled back by itself has nothing left to roll back.
        let _gone = self.writable.connection.execute_batch("ROLLBACK");
        self.forget();
    }

    /// Closes the walks that the run did not end, as a kill's are closed.
    pub(crate) fn interrupt(&mut self) -> Result<(), Error> {
        self.walks.clear();
        self.recover_walks().map(drop)
    }

    /// Counts an instance's tasks anew, where the walk that knew the difference is gone.
    fn recount(&self, instance_key: i64) -> Result<(), Error> {
        self.writable.connection.execute(
            "UPDATE instance SET (tasks, open_tasks, missing_tasks, confirmed_tasks) = (
               SELECT count(*), coalesce(sum(is_open), 0), count(missing_walk), count(confirmed_walk)
               FROM task WHERE instance_key = ?1)
             WHERE instance_key = ?1",
            [instance_key],
        )?;
        Ok(())
    }
}

/// Counters and keys are integers of SQLite's size.
pub(super) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
