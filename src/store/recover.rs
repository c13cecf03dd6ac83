//! What a kill, a signal or a failed write leaves behind, and how it is put in order.
//!
//! A walk that did not end becomes an unproven ledger line, `interrupted`, and its rows become visible: what was observed
//! is never thrown away.

use rusqlite::params;

use crate::model::time::Timestamp;
use crate::store::{Error, chain, walks::integer, write::Archive};

impl Archive {
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
        let left: Vec<(i64, Option<i64>)> = self
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
            let Some(instance_key) = instance_key else {
                let finished = self.finished(*walk_key)?;
                self.settle_list(*walk_key, finished)?;
                self.reveal(*walk_key)?;
                continue;
            };
            let settled = self.settle(*walk_key)?;
            self.writable.connection.execute(
                "UPDATE walk SET reappeared = ?2 WHERE walk_key = ?1",
                params![walk_key, integer(settled.reappeared)],
            )?;
            chain::seal(
                &self.writable.connection,
                *walk_key,
                settled.brought,
                settled.absences,
            )?;
            self.answered(*instance_key, *walk_key)?;
            self.reveal(*walk_key)?;
            self.recount(*instance_key)?;
        }
        self.commit()?;
        Ok(left.len() as u64)
    }

    fn finished(&self, walk_key: i64) -> Result<Timestamp, Error> {
        let finished = self.writable.connection.query_row(
            "SELECT finished FROM walk WHERE walk_key = ?1",
            [walk_key],
            |row| row.get(0),
        )?;
        // The store wrote it from a moment.
        Ok(Timestamp::from_millis(finished).unwrap_or(Timestamp::EPOCH))
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
        self.lists.clear();
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
