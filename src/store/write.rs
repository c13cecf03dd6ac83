//! Taking observations in: one writer, transactions of bounded size, nothing of a walk visible before all of it.
//!
//! A new task is written whole and hidden by its walk's key in `pending`. A task that readers already see is left as it
//! is: its new revisions carry the walk's key, and `pending_task` says which of them will be current, until the
//! transaction that ends the walk moves everything at once (see [`super::walks`]).

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension as _, params, types::ValueRef};

use crate::model::{
    absence::Shown,
    ledger::{Counts, WalkKind},
    record::{Observation, Rejected},
    rows::{Drift, Normalized, Reading},
    standing::{self, History, Standing},
    time::Timestamp,
};
use crate::store::{
    Error,
    dictionary::Dictionary,
    finals, format,
    instances::ListState,
    open::{self, Writable},
    revisions::{adopts_time, stored_params},
    seen::SeenTasks,
};

/// Rows and bytes after which a transaction is committed. Few and large transactions cost half of what one a page costs,
/// and what is not yet committed is all that a kill can lose; memory does not grow with it, because SQLite spills.
const ROWS_A_TRANSACTION: u64 = 20_000;
const BYTES_A_TRANSACTION: u64 = 32 << 20;

/// The tasks from which on a first load is worth packing; below it, some hundred kilobytes are at stake.
const WORTH_PACKING: i64 = 5_000;

/// The archive, open for writing.
pub(crate) struct Archive {
    pub(super) writable: Writable,
    pub(super) reading: Reading,
    pub(super) dictionary: Dictionary,
    pub(super) walks: HashMap<i64, WalkState>,
    pub(super) lists: HashMap<i64, ListState>,
    /// The instances that a list of this run showed.
    pub(super) shown: HashSet<i64>,
    /// Journal entries known to be there.
    journalled: HashSet<(&'static str, String)>,
    uncommitted_rows: u64,
    uncommitted_bytes: u64,
    /// It held no task when this run opened it.
    was_empty: bool,
}

/// What is known about a walk under way.
#[derive(Debug)]
pub(super) struct WalkState {
    pub(super) instance_key: i64,
    pub(super) kind: WalkKind,
    pub(super) counts: Counts,
    pub(super) seen: SeenTasks,
    pub(super) shown: Shown,
    pub(super) opened: i64,
    /// How many tasks it saw of those that were known and not called missing when it began.
    pub(super) present: u64,
    /// Some known task was touched, so `pending_task` must be asked.
    pub(super) touched: bool,
    /// The rejected records seen.
    pub(super) rejected: HashSet<i64>,
    /// A record without an id was rejected: it may be any task, so nothing can be called missing.
    pub(super) anonymous: bool,
}

/// A task's row as an observation of it meets it.
struct Known {
    task_key: i64,
    /// The current revision, by what this walk has seen so far.
    revision: i64,
    missing: bool,
    /// The task is this walk's own, so no reader sees it yet.
    own: bool,
}

impl Archive {
    pub(crate) fn new(writable: Writable, reading: Reading) -> Self {
        let any = writable
            .connection
            .query_row("SELECT EXISTS (SELECT 1 FROM task)", [], |row| {
                row.get::<_, bool>(0)
            });
        Self {
            was_empty: any.is_ok_and(|any| !any),
            reading,
            dictionary: Dictionary::knowing(
                finals::remembered(&writable.connection).unwrap_or_default(),
            ),
            writable,
            walks: HashMap::new(),
            lists: HashMap::new(),
            shown: HashSet::new(),
            journalled: HashSet::new(),
            uncommitted_rows: 0,
            uncommitted_bytes: 0,
        }
    }

    /// Begins a transaction unless one is open.
    pub(super) fn write(&mut self) -> Result<(), Error> {
        if self.writable.connection.is_autocommit() {
            self.writable.connection.execute_batch("BEGIN IMMEDIATE")?;
            // The program on disk may have been replaced by a newer one that migrated the archive meanwhile.
            if let Err(error) = format::check_format(&self.writable.connection) {
                self.writable.connection.execute_batch("ROLLBACK")?;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Plays a disk that takes so many transactions and no more.
    #[cfg(test)]
    pub(crate) fn fail_after(&mut self, commits: u32) {
        let mut left = commits;
        let hook = move || {
            let full = left == 0;
            left = left.saturating_sub(1);
            full
        };
        self.writable.connection.commit_hook(Some(hook)).unwrap();
    }

    /// Ends the writing: what is written is committed and moved from the log into the archive.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        self.commit()?;
        if self.was_empty {
            self.pack();
        }
        open::finish(self.writable)
    }

    /// Packs an archive after its first load, which leaves a quarter of every index empty: lists come newest first, and
    /// keys that arrive backwards split every page.
    fn pack(&self) {
        let connection = &self.writable.connection;
        let tasks =
            connection.query_row("SELECT count(*) FROM task", [], |row| row.get::<_, i64>(0));
        if tasks.is_ok_and(|tasks| tasks >= WORTH_PACKING) {
            // It needs room for a copy on disk, and with a small cache little memory; where there is none, the archive is
            // larger than it could be and just as good.
            let _as_it_was =
                connection.execute_batch("PRAGMA cache_size = -2000; PRAGMA shrink_memory; VACUUM");
        }
    }

    /// Commits what is written so far.
    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        if !self.writable.connection.is_autocommit() {
            self.writable.connection.execute_batch("COMMIT")?;
        }
        (self.uncommitted_rows, self.uncommitted_bytes) = (0, 0);
        Ok(())
    }

    /// Forgets what is remembered of rows that a rollback may have taken away.
    pub(super) fn forget(&mut self) {
        self.dictionary.forget();
        self.journalled.clear();
        self.walks.clear();
        self.lists.clear();
        self.shown.clear();
        (self.uncommitted_rows, self.uncommitted_bytes) = (0, 0);
    }

    pub(super) fn commit_if_large(&mut self) -> Result<(), Error> {
        if self.uncommitted_rows >= ROWS_A_TRANSACTION
            || self.uncommitted_bytes >= BYTES_A_TRANSACTION
        {
            self.commit()?;
        }
        Ok(())
    }

    pub(super) fn walk(&mut self, walk_key: i64) -> &mut WalkState {
        self.walks
            .get_mut(&walk_key)
            .expect("a walk is begun before it is fed, and fed before it is ended")
    }

    /// Takes in one observation.
    pub(crate) fn observe(
        &mut self,
        walk_key: i64,
        seen: &Observation,
        server_now: Timestamp,
    ) -> Result<(), Error> {
        self.write()?;
        self.uncommitted_rows += 1;
        self.uncommitted_bytes += seen.raw.len() as u64;
        if self.lists.contains_key(&walk_key) {
            return self.observe_instance(walk_key, seen, server_now);
        }
        self.walk(walk_key).shown.add(seen.created, seen.updated);
        match self.find_task(walk_key, &seen.id)? {
            None => self.insert_task(walk_key, seen),
            Some(known) => self.observe_known(walk_key, &known, seen, server_now),
        }
    }

    /// Takes in one record that could not be read.
    pub(crate) fn reject(
        &mut self,
        walk_key: i64,
        rejected: &Rejected,
        position: u64,
    ) -> Result<(), Error> {
        self.write()?;
        self.uncommitted_rows += 1;
        self.uncommitted_bytes += rejected.raw.len() as u64;
        // A record belongs to an instance, or, in the list of instances, to the project.
        let (instance_key, project_key) = if let Some(list) = self.lists.get(&walk_key) {
            let project_key = list.project_key;
            self.sight_rejected(walk_key, rejected)?;
            (None, Some(project_key))
        } else {
            match &rejected.id {
                None => self.walk(walk_key).anonymous = true,
                Some(id) => {
                    if let Some(known) = self.find_task(walk_key, id)? {
                        self.sighted(walk_key, &known)?;
                    }
                }
            }
            (Some(self.walk(walk_key).instance_key), None)
        };
        let stored: Option<i64> = self
            .writable
            .connection
            .prepare_cached(
                "SELECT rejected_key FROM rejected_record
                 WHERE coalesce(instance_key, -project_key) = coalesce(?1, -?2) AND digest = ?3",
            )?
            .query_row(params![instance_key, project_key, rejected.digest], |row| {
                row.get(0)
            })
            .optional()?;
        if let Some(key) = stored {
            let (counts, set_aside) = self.set_aside(walk_key);
            counts.rejected += u64::from(set_aside.insert(key));
            return Ok(());
        }
        // Bytes that are not UTF-8 cannot be text, and the archive's own functions would end a text at a NUL: such a record
        // is kept as bytes.
        let raw = match std::str::from_utf8(&rejected.raw) {
            Ok(text) if !text.contains('\0') => ValueRef::Text(text.as_bytes()),
            _ => ValueRef::Blob(&rejected.raw),
        };
        self.writable.connection
            .prepare_cached(
                "INSERT INTO rejected_record(instance_key, project_key, digest, task_id, position, reason, raw, first_walk, last_walk)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
            )?
            .execute(params![
                instance_key,
                project_key,
                rejected.digest,
                rejected.id,
                i64::try_from(position).unwrap_or(i64::MAX),
                rejected.reason,
                rusqlite::types::ToSqlOutput::Borrowed(raw),
                walk_key
            ])?;
        let key = self.writable.connection.last_insert_rowid();
        let (counts, set_aside) = self.set_aside(walk_key);
        set_aside.insert(key);
        counts.rejected += 1;
        counts.rejected_new += 1;
        Ok(())
    }

    /// The counts of a walk, and the rejected records that it saw.
    fn set_aside(&mut self, walk_key: i64) -> (&mut Counts, &mut HashSet<i64>) {
        if self.lists.contains_key(&walk_key) {
            let list = self.list(walk_key);
            return (&mut list.counts, &mut list.rejected);
        }
        let walk = self.walk(walk_key);
        (&mut walk.counts, &mut walk.rejected)
    }

    /// Journals the first sighting of something undocumented.
    pub(crate) fn journal(&mut self, walk_key: i64, drift: &Drift) -> Result<(), Error> {
        let identity = (drift.kind.as_str(), drift.what.clone());
        if self.journalled.contains(&identity) {
            return Ok(());
        }
        self.write()?;
        self.writable.connection
            .prepare_cached("INSERT OR IGNORE INTO journal(walk_key, kind, what, sample) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![walk_key, drift.kind.as_str(), drift.what, drift.sample])?;
        self.journalled.insert(identity);
        Ok(())
    }

    fn find_task(&mut self, walk_key: i64, task_id: &str) -> Result<Option<Known>, Error> {
        let state = self.walk(walk_key);
        let (instance_key, touched) = (state.instance_key, state.touched);
        let found = self
            .writable
            .connection
            .prepare_cached(
                "SELECT task_key, revision, missing_walk IS NOT NULL, first_walk FROM task
                 WHERE task_id = ?1 AND instance_key = ?2",
            )?
            .query_row(params![task_id, instance_key], |row| {
                Ok(Known {
                    task_key: row.get(0)?,
                    revision: row.get(1)?,
                    missing: row.get(2)?,
                    own: row.get::<_, i64>(3)? == walk_key,
                })
            })
            .optional()?;
        let Some(mut known) = found else {
            return Ok(None);
        };
        if touched && !known.own {
            let pending = self
                .writable
                .connection
                .prepare_cached(
                    "SELECT revision FROM pending_task WHERE walk_key = ?1 AND task_key = ?2",
                )?
                .query_row(params![walk_key, known.task_key], |row| row.get(0))
                .optional()?;
            known.revision = pending.unwrap_or(known.revision);
        }
        Ok(Some(known))
    }

    /// Notes that the walk saw the task, and returns whether it had not before.
    fn sighted(&mut self, walk_key: i64, known: &Known) -> Result<bool, Error> {
        let state = self.walk(walk_key);
        let first = state.seen.insert(known.task_key);
        state.present += u64::from(first && !known.missing);
        if first && known.missing {
            self.touch(walk_key, known.task_key, known.revision)?;
        }
        Ok(first)
    }

    fn touch(&mut self, walk_key: i64, task_key: i64, revision: i64) -> Result<(), Error> {
        self.walk(walk_key).touched = true;
        self.writable
            .connection
            .prepare_cached(
                "INSERT INTO pending_task(walk_key, task_key, revision) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET revision = excluded.revision",
            )?
            .execute([walk_key, task_key, revision])?;
        Ok(())
    }

    fn insert_task(&mut self, walk_key: i64, seen: &Observation) -> Result<(), Error> {
        let normalized = (self.reading.normalize)(&seen.raw, seen.adopted.as_deref());
        let row = &normalized.row;
        let (operation, status, user) = (
            self.dictionary.operation(&self.writable.connection, row)?,
            self.dictionary
                .status(&self.writable.connection, row.status.as_deref())?,
            self.dictionary.user(&self.writable.connection, row)?,
        );
        let is_open = self.dictionary.is_open(row.status.as_deref());
        let instance_key = self.walk(walk_key).instance_key;
        let packed = packed_id(&seen.id);
        let id = match &packed {
            Some(bytes) => ValueRef::Blob(bytes),
            None => ValueRef::Text(seen.id.as_bytes()),
        };
        self.writable.connection
            .prepare_cached(
                "INSERT INTO task(instance_key, id, operation_key, status_key, user_key, is_open, created, updated,
                   revision, revisions, first_walk, params, error_code)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, 1, ?9, ?10, ?11)",
            )?
            .execute(params![
                instance_key,
                rusqlite::types::ToSqlOutput::Borrowed(id),
                operation,
                status,
                user,
                is_open,
                row.created.map(Timestamp::millis),
                row.updated.map(Timestamp::millis),
                walk_key,
                stored_params(&seen.raw, row),
                row.error_code
            ])?;
        let task_key = self.writable.connection.last_insert_rowid();
        self.insert_revision(walk_key, task_key, 1, seen, status, row.updated)?;
        self.insert_changes(task_key, &seen.raw, &normalized)?;
        self.journal_all(walk_key, &normalized)?;
        let state = self.walk(walk_key);
        state.seen.insert(task_key);
        state.counts.new += 1;
        state.opened += i64::from(is_open);
        Ok(())
    }

    fn observe_known(
        &mut self,
        walk_key: i64,
        known: &Known,
        seen: &Observation,
        server_now: Timestamp,
    ) -> Result<(), Error> {
        let first = self.sighted(walk_key, known)?;
        let current = self.revision(known.task_key, known.revision)?;
        if self.is_same(known.task_key, &current, seen)? {
            self.walk(walk_key).counts.same += u64::from(first);
            return Ok(());
        }
        let normalized = (self.reading.normalize)(&seen.raw, seen.adopted.as_deref());
        let row = &normalized.row;
        let status = self
            .dictionary
            .status(&self.writable.connection, row.status.as_deref())?;
        let mut history = History {
            has_observation: false,
            has_status: false,
        };
        let (mut number, mut last) = (None, 0);
        for revision in self.revisions(known.task_key)? {
            history.has_status |= revision.status_key == status;
            last = last.max(revision.number);
            if number.is_none() && self.is_same(known.task_key, &revision, seen)? {
                number = Some(revision.number);
            }
        }
        history.has_observation = number.is_some();
        let observed = Standing {
            updated: row.updated,
            is_adopted: adopts_time(seen.adopted.as_deref()),
            is_final: !self.dictionary.is_open(row.status.as_deref()),
        };
        let wins = standing::supersedes(current.standing, observed, history, server_now);
        let number = if let Some(number) = number {
            number
        } else {
            self.insert_revision(
                walk_key,
                known.task_key,
                last + 1,
                seen,
                status,
                row.updated,
            )?;
            self.journal_all(walk_key, &normalized)?;
            last + 1
        };
        if wins {
            self.walk(walk_key).counts.changed += 1;
        } else {
            // The same older copy comes again with every page that begins with it.
            self.walk(walk_key).counts.older += u64::from(first || !history.has_observation);
        }
        let (revision, is_new) = (
            if wins { number } else { known.revision },
            !history.has_observation,
        );
        if !known.own {
            if wins || is_new {
                self.touch(walk_key, known.task_key, revision)?;
            }
            return Ok(());
        }
        let was_open = i64::from(!current.standing.is_final);
        if wins {
            self.update_task(known.task_key, number, &seen.raw, &normalized)?;
            self.walk(walk_key).opened += i64::from(!observed.is_final) - was_open;
        }
        self.count_revisions(known.task_key)
    }

    fn journal_all(&mut self, walk_key: i64, normalized: &Normalized) -> Result<(), Error> {
        normalized
            .drift
            .iter()
            .try_for_each(|drift| self.journal(walk_key, drift))
    }
}

/// Packs an id of exactly 32 lower-case hex digits into 16 bytes.
pub(super) fn packed_id(id: &str) -> Option<[u8; 16]> {
    let digits = id.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut packed = [0; 16];
    for (byte, pair) in packed.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (nibble(pair[0])?, nibble(pair[1])?);
        *byte = high << 4 | low;
    }
    Some(packed)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
