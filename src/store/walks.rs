//! The ledger: a walk begins hidden and ends in one transaction that makes it visible.
//!
//! Ending a walk moves current revisions, flags, counters and the mark, writes the ledger line and takes the walk out of
//! `pending`, all in the transaction that holds its last rows. A walk that a kill left behind is settled the same way by
//! the next opening, as an unproven line, `interrupted`.

use std::collections::HashSet;

use rusqlite::{OptionalExtension as _, params};

use crate::model::{
    absence::Shown,
    ledger::{Counts, WalkEnd, WalkKind},
    rows::{Drift, DriftKind},
    time::Timestamp,
};
use crate::store::{
    Error,
    chain::{self, Absence, AbsenceKind, Brought},
    revisions::REVISIONS_A_TASK,
    seen::SeenTasks,
    write::{Archive, WalkState},
};

/// The walk that a sync is about to make.
#[derive(Clone, Debug)]
pub(crate) struct WalkStart {
    pub(crate) sync_key: i64,
    pub(crate) project_key: i64,
    /// Whose tasks are listed; nothing for the list of instances itself.
    pub(crate) instance_id: Option<String>,
    pub(crate) attempt: u32,
    pub(crate) kind: WalkKind,
    pub(crate) started: Timestamp,
    /// The bounds of the filter: of a backfill, or the early start where the unfiltered list hides old records.
    pub(crate) window_start: Option<Timestamp>,
    pub(crate) window_end: Option<Timestamp>,
}

/// What settling a walk's touched tasks came to.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) reappeared: u64,
    unconfirmed_reappeared: u64,
    opened: i64,
    /// What the walk brought, for the chain, and the tasks that it met again.
    pub(super) brought: Brought,
    pub(super) absences: Vec<Absence>,
}

impl Archive {
    /// Begins a walk, and the instance if it is new.
    pub(crate) fn begin_walk(&mut self, start: &WalkStart) -> Result<i64, Error> {
        let Some(instance_id) = &start.instance_id else {
            return self.begin_list(start);
        };
        self.write()?;
        self.writable
            .connection
            .prepare_cached(
                "INSERT INTO instance(project_key, instance_id) VALUES (?1, ?2)
                 ON CONFLICT(project_key, instance_id) DO NOTHING",
            )?
            .execute(params![start.project_key, instance_id])?;
        let (instance_key, mark): (i64, Option<i64>) = self
            .writable
            .connection
            .prepare_cached("SELECT instance_key, mark FROM instance WHERE project_key = ?1 AND instance_id = ?2")?
            .query_row(params![start.project_key, instance_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.writable.connection
            .prepare_cached(
                "INSERT INTO walk(sync_key, instance_key, attempt, kind, started, finished, window_start, window_end,
                   mark_before, mark_after)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?8)",
            )?
            .execute(params![
                start.sync_key,
                instance_key,
                start.attempt,
                start.kind.as_str(),
                start.started.millis(),
                start.window_start.map(Timestamp::millis),
                start.window_end.map(Timestamp::millis),
                mark
            ])?;
        let walk_key = self.writable.connection.last_insert_rowid();
        self.hide(walk_key)?;
        let state = WalkState {
            instance_key,
            kind: start.kind,
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
            ..match self.lists.get(&walk_key) {
                Some(list) => list.counts,
                None => self.walk(walk_key).counts,
            }
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

    /// Ends a walk: everything that it found becomes visible, whatever it proved.
    pub(crate) fn end_walk(&mut self, walk_key: i64, end: &WalkEnd) -> Result<Counts, Error> {
        if self.lists.contains_key(&walk_key) {
            return self.end_list(walk_key, end);
        }
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
        self.rejected_again(walk_key, rejected)?;
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
        let mut absences = settled.absences;
        // A backfill saw what a filter shows, and vouches for nothing.
        if end.proven && self.walk(walk_key).kind != WalkKind::Backfill {
            absences.extend(self.call_missing(walk_key, &lacking, &confirmable)?);
            self.prove(instance_key, walk_key, end)?;
        }
        chain::seal(
            &self.writable.connection,
            walk_key,
            settled.brought,
            absences,
        )?;
        let counts = self.walk(walk_key).counts;
        self.write_counts(walk_key, &counts)?;
        self.write_line(walk_key, end)?;
        self.walks.remove(&walk_key);
        self.commit_if_large()?;
        Ok(counts)
    }

    /// Notes which walk showed these rejected records last.
    pub(super) fn rejected_again(
        &self,
        walk_key: i64,
        rejected: HashSet<i64>,
    ) -> Result<(), Error> {
        for rejected_key in rejected {
            self.writable
                .connection
                .prepare_cached(
                    "UPDATE rejected_record SET last_walk = ?2 WHERE rejected_key = ?1",
                )?
                .execute([rejected_key, walk_key])?;
        }
        Ok(())
    }

    /// The instance answered with a list: whatever said that it was gone or without tasks does not hold any more.
    pub(super) fn answered(&mut self, instance_key: i64, walk_key: i64) -> Result<(), Error> {
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
    fn prove(&self, instance_key: i64, walk_key: i64, end: &WalkEnd) -> Result<(), Error> {
        self.writable
            .connection
            .prepare_cached(
                "UPDATE instance SET proven_walk = ?2,
                   mark = CASE WHEN ?3 IS NULL OR mark >= ?3 THEN mark ELSE ?3 END
                 WHERE instance_key = ?1",
            )?
            .execute(params![
                instance_key,
                walk_key,
                end.mark.map(Timestamp::millis)
            ])?;
        let state = &self.walks[&walk_key];
        if state.kind == WalkKind::Full {
            let strays = end.received.saturating_sub(state.seen.len());
            self.writable
                .connection
                .prepare_cached(
                    "UPDATE instance SET full_walk = ?2, irregular = ?3, strays = ?4 WHERE instance_key = ?1",
                )?
                .execute(params![instance_key, walk_key, !end.regular, integer(strays)])?;
        }
        self.writable.connection
            .prepare_cached(
                "UPDATE walk SET mark_after = (SELECT mark FROM instance WHERE instance_key = ?1) WHERE walk_key = ?2",
            )?
            .execute([instance_key, walk_key])?;
        Ok(())
    }

    pub(super) fn write_counts(&self, walk_key: i64, counts: &Counts) -> Result<(), Error> {
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
    pub(super) fn write_line(&self, walk_key: i64, end: &WalkEnd) -> Result<(), Error> {
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

    pub(super) fn hide(&self, walk_key: i64) -> Result<(), Error> {
        self.writable
            .connection
            .prepare_cached("INSERT INTO pending(walk_key) VALUES (?1)")?
            .execute([walk_key])?;
        Ok(())
    }

    pub(super) fn reveal(&self, walk_key: i64) -> Result<(), Error> {
        self.writable
            .connection
            .prepare_cached("DELETE FROM pending WHERE walk_key = ?1")?
            .execute([walk_key])?;
        Ok(())
    }

    /// Moves the tasks that the walk touched to the revision that is current now, and clears what called them missing.
    pub(super) fn settle(&mut self, walk_key: i64) -> Result<Settled, Error> {
        let nothing_new = self
            .walks
            .get(&walk_key)
            .is_some_and(|walk| walk.counts.new == 0 && !walk.touched);
        let mut settled = Settled::default();
        if nothing_new {
            return Ok(settled);
        }
        settled.brought = chain::revisions_of(&self.writable.connection, walk_key)?;
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
            let is_open = self.dictionary.is_open(normalized.row.status.as_deref());
            settled.opened += i64::from(is_open) - i64::from(was_open);
        }
        self.count_revisions(task_key)?;
        if missing {
            settled.reappeared += 1;
            settled.absences.push(Absence {
                task_key,
                kind: AbsenceKind::Reappeared,
                seen_walk: None,
            });
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
}

/// Counters and keys are integers of SQLite's size.
pub(super) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
