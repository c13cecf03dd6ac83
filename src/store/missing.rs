//! What a proven full walk lacks: found, noted, and confirmed by a later one.
//!
//! The rules are those of [`crate::model::absence`]; here are the rows that they are asked about.

use rusqlite::{Row, params};

use crate::model::{
    absence::{self, Borders},
    ledger::MissingAs,
    time::Timestamp,
};
use crate::store::{
    Error,
    chain::{Absence, AbsenceKind},
    walks::integer,
    write::Archive,
};

/// A task that a walk lacks.
pub(super) struct Lacking {
    task_key: i64,
    created: Option<Timestamp>,
    updated: Option<Timestamp>,
}

impl Archive {
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

    /// Returns those of the tasks which the walk, once proven, would call missing or confirm that may have slipped through
    /// between two of its pages, in the order of their keys.
    pub(crate) fn slipped(
        &mut self,
        walk_key: i64,
        started: Timestamp,
        borders: &Borders,
    ) -> Result<Vec<i64>, Error> {
        if self.walk(walk_key).anonymous || borders.is_empty() {
            return Ok(Vec::new());
        }
        let mut lacking = self.lacking(walk_key)?;
        lacking.extend(self.confirmable(walk_key, started)?);
        let mut slipped: Vec<i64> = lacking
            .into_iter()
            .filter(|task| borders.hide(task.created, task.updated))
            .map(|task| task.task_key)
            .collect();
        slipped.sort_unstable();
        Ok(slipped)
    }

    /// Returns the tasks that readers know, that are not called missing, and that the walk has not shown.
    ///
    /// It must be asked before the walk is settled: the counters that spare the search are those of the walk before.
    pub(super) fn lacking(&self, walk_key: i64) -> Result<Vec<Lacking>, Error> {
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
            "SELECT task_key, created, updated FROM task WHERE instance_key = ?1 AND missing_walk IS NULL",
        )?;
        let mut rows = statement.query([state.instance_key])?;
        let mut lacking = Vec::new();
        while let Some(row) = rows.next()? {
            let task_key = row.get(0)?;
            if !state.seen.contains(task_key) {
                lacking.push(Lacking {
                    task_key,
                    created: time(row, 1)?,
                    updated: time(row, 2)?,
                });
            }
        }
        Ok(lacking)
    }

    /// Returns the tasks called missing by an earlier walk whose absence this one confirms.
    pub(super) fn confirmable(
        &self,
        walk_key: i64,
        started: Timestamp,
    ) -> Result<Vec<Lacking>, Error> {
        let state = &self.walks[&walk_key];
        let mut statement = self.writable.connection.prepare_cached(
            "SELECT t.task_key, t.created, t.updated, w.finished
             FROM task t JOIN walk w ON w.walk_key = t.missing_walk
             WHERE t.instance_key = ?1 AND t.missing_walk IS NOT NULL AND t.confirmed_walk IS NULL",
        )?;
        let mut rows = statement.query([state.instance_key])?;
        let mut confirmable = Vec::new();
        while let Some(row) = rows.next()? {
            let (created, updated) = (time(row, 1)?, time(row, 2)?);
            let since = time(row, 3)?.unwrap_or(started);
            let task_key = row.get(0)?;
            if !state.seen.contains(task_key)
                && absence::confirms(since, started, created, updated, state.shown)
            {
                confirmable.push(Lacking {
                    task_key,
                    created,
                    updated,
                });
            }
        }
        Ok(confirmable)
    }

    /// Calls missing what the proven walk lacks, and confirms what an earlier one called so; returns both.
    pub(super) fn call_missing(
        &mut self,
        walk_key: i64,
        lacking: &[Lacking],
        confirmable: &[Lacking],
    ) -> Result<Vec<Absence>, Error> {
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
        let kind = match missing_as {
            MissingAs::Removed => AbsenceKind::Removed,
            MissingAs::AgedOut => AbsenceKind::AgedOut,
        };
        let mut absences = Vec::with_capacity(lacking.len() + confirmable.len());
        for task in lacking {
            let seen_walk = self.writable.connection
                .prepare_cached(
                    "UPDATE task SET missing_walk = ?2, missing_as = ?3,
                       seen_walk = max(coalesce(seen_walk, 0), coalesce((SELECT full_walk FROM instance WHERE instance_key = ?4), 0))
                     WHERE task_key = ?1 RETURNING seen_walk",
                )?
                .query_row(params![task.task_key, walk_key, missing_as.as_str(), instance_key], |row| row.get(0))?;
            absences.push(Absence {
                task_key: task.task_key,
                kind,
                seen_walk,
            });
        }
        for Lacking { task_key, .. } in confirmable {
            self.writable
                .connection
                .prepare_cached("UPDATE task SET confirmed_walk = ?2 WHERE task_key = ?1")?
                .execute([*task_key, walk_key])?;
            absences.push(Absence {
                task_key: *task_key,
                kind: AbsenceKind::Confirmed,
                seen_walk: None,
            });
        }
        self.writable.connection
            .prepare_cached(
                "UPDATE instance SET missing_tasks = missing_tasks + ?2, confirmed_tasks = confirmed_tasks + ?3
                 WHERE instance_key = ?1",
            )?
            .execute(params![instance_key, integer(lacking.len() as u64), integer(confirmable.len() as u64)])?;
        Ok(absences)
    }
}

fn time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, Error> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.and_then(Timestamp::from_millis))
}
