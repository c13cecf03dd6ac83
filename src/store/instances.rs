//! The list of instances: a walk of it begins hidden and ends in one transaction, like that of a task list.
//!
//! What the list tells of an instance is kept as revisions, one whenever it tells something else than before. Which of
//! them is current is decided when the walk ends, from what stands in the archive, so that a walk that a kill left behind
//! is settled the same way.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension as _, params};

use crate::model::{
    Digest,
    ledger::{Counts, WalkEnd, WalkKind},
    record::{Observation, Rejected},
    rows::{Drift, DriftKind, InstanceRow},
    standing,
    time::Timestamp,
};
use crate::store::{Error, walks::WalkStart, write::Archive};

/// What is known about a walk of a list of instances under way.
#[derive(Debug)]
pub(super) struct ListState {
    pub(super) project_key: i64,
    pub(super) counts: Counts,
    /// The instances seen, and what the walk takes for the current text of each.
    seen: HashMap<i64, Option<Current>>,
    /// The rejected records seen.
    pub(super) rejected: HashSet<i64>,
    /// A record without an id was rejected: it may be any instance, so the list proves nobody's absence.
    pub(super) anonymous: bool,
}

/// What the list says of an instance as far as is known.
#[derive(Clone, Copy, Debug)]
struct Current {
    form: Digest,
    updated: Option<Timestamp>,
}

impl Current {
    /// A copy that lags shows what was there before: what it tells is older by its own time.
    fn gives_way_to(self, updated: Option<Timestamp>, server_now: Timestamp) -> bool {
        let rank = |time| standing::credible(time, server_now);
        match (rank(self.updated), rank(updated)) {
            (Some(known), Some(shown)) => shown >= known,
            _ => true,
        }
    }
}

/// An instance as a run that reads all of them finds it in the archive.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownInstance {
    pub(crate) instance_id: String,
    /// What a list told of it last.
    pub(crate) row: InstanceRow,
    /// A list of this run showed it.
    pub(crate) is_shown: bool,
    pub(crate) gone: Option<Timestamp>,
}

/// Whether a list may be believed that has lost every instance that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It shows a known instance, or none is known.
    No,
    /// It has lost these many, and no sync before met the same.
    FirstTime(u64),
    /// It has lost all, as it had in a sync before.
    Again,
}

impl Archive {
    pub(super) fn begin_list(&mut self, start: &WalkStart) -> Result<i64, Error> {
        self.write()?;
        self.writable
            .connection
            .prepare_cached(
                "INSERT INTO walk(sync_key, project_key, attempt, kind, started, finished)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
            )?
            .execute(params![
                start.sync_key,
                start.project_key,
                start.attempt,
                WalkKind::Instances.as_str(),
                start.started.millis()
            ])?;
        let walk_key = self.writable.connection.last_insert_rowid();
        self.hide(walk_key)?;
        let state = ListState {
            project_key: start.project_key,
            counts: Counts::default(),
            seen: HashMap::new(),
            rejected: HashSet::new(),
            anonymous: false,
        };
        self.lists.insert(walk_key, state);
        Ok(walk_key)
    }

    pub(super) fn list(&mut self, walk_key: i64) -> &mut ListState {
        self.lists
            .get_mut(&walk_key)
            .expect("a walk is begun before it is fed, and fed before it is ended")
    }

    /// Takes in what the list tells of one instance.
    pub(super) fn observe_instance(
        &mut self,
        walk_key: i64,
        seen: &Observation,
        server_now: Timestamp,
    ) -> Result<(), Error> {
        let (instance_key, first) = self.sight(walk_key, &seen.id)?;
        let current = self
            .list(walk_key)
            .seen
            .get(&instance_key)
            .copied()
            .flatten();
        let counts = match current {
            Some(current) if current.form == seen.form => {
                self.list(walk_key).counts.same += u64::from(first);
                return Ok(());
            }
            Some(current) if !current.gives_way_to(seen.updated, server_now) => {
                let known: bool = self
                    .writable
                    .connection
                    .prepare_cached(
                        "SELECT EXISTS (SELECT 1 FROM instance_revision WHERE instance_key = ?1 AND form = ?2)",
                    )?
                    .query_row(params![instance_key, seen.form], |row| row.get(0))?;
                self.list(walk_key).counts.older += u64::from(first || !known);
                if known {
                    return Ok(());
                }
                return self.insert_instance_revision(walk_key, instance_key, seen);
            }
            Some(_) => &mut self.list(walk_key).counts.changed,
            None => &mut self.list(walk_key).counts.new,
        };
        *counts += 1;
        let shown = Current {
            form: seen.form,
            updated: seen.updated,
        };
        self.list(walk_key).seen.insert(instance_key, Some(shown));
        self.insert_instance_revision(walk_key, instance_key, seen)
    }

    /// Notes that the list shows an instance, and says whether it is the first time in this walk.
    fn sight(&mut self, walk_key: i64, instance_id: &str) -> Result<(i64, bool), Error> {
        let project_key = self.list(walk_key).project_key;
        self.writable
            .connection
            .prepare_cached(
                "INSERT INTO instance(project_key, instance_id) VALUES (?1, ?2)
                 ON CONFLICT(project_key, instance_id) DO NOTHING",
            )?
            .execute(params![project_key, instance_id])?;
        let (instance_key, current) = self
            .writable
            .connection
            .prepare_cached(
                "SELECT i.instance_key, r.form, r.updated
                 FROM instance i LEFT JOIN instance_revision r ON r.revision_key = i.revision
                 WHERE i.project_key = ?1 AND i.instance_id = ?2",
            )?
            .query_row(params![project_key, instance_id], |row| {
                let current = match row.get(1)? {
                    Some(form) => Some(Current {
                        form,
                        updated: row
                            .get::<_, Option<i64>>(2)?
                            .and_then(Timestamp::from_millis),
                    }),
                    None => None,
                };
                Ok((row.get::<_, i64>(0)?, current))
            })?;
        self.shown.insert(instance_key);
        let seen = &mut self.list(walk_key).seen;
        let first = !seen.contains_key(&instance_key);
        seen.entry(instance_key).or_insert(current);
        Ok((instance_key, first))
    }

    /// A record that could not be read shows its instance all the same, if its id could be cut out.
    pub(super) fn sight_rejected(
        &mut self,
        walk_key: i64,
        rejected: &Rejected,
    ) -> Result<(), Error> {
        if let Some(id) = &rejected.id {
            return self.sight(walk_key, id).map(drop);
        }
        self.list(walk_key).anonymous = true;
        Ok(())
    }

    fn insert_instance_revision(
        &self,
        walk_key: i64,
        instance_key: i64,
        seen: &Observation,
    ) -> Result<(), Error> {
        let row = (self.reading.instance)(&seen.raw);
        self.writable
            .connection
            .prepare_cached(
                "INSERT INTO instance_revision(instance_key, walk_key, name, engine, engine_version, spec_code, capacity_gb,
                   status, created, updated, form, digest, raw)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                instance_key,
                walk_key,
                row.name,
                row.engine,
                row.engine_version,
                row.spec_code,
                row.capacity,
                row.status,
                row.created.map(Timestamp::millis),
                seen.updated.map(Timestamp::millis),
                seen.form,
                seen.digest,
                seen.raw
            ])?;
        Ok(())
    }

    /// Says whether the list that the walk read has lost every known instance of its project. The first sync that meets
    /// such a list does not believe it, and this notes it for the next.
    pub(crate) fn lost_all(&mut self, walk_key: i64) -> Result<Lost, Error> {
        self.write()?;
        let project_key = self.list(walk_key).project_key;
        let lost = self.lacking_instances(walk_key)?;
        let known = self.known_keys(project_key)?.len();
        let (lost_sync, sync): (Option<i64>, i64) = self.writable.connection.query_row(
            "SELECT lost_sync, (SELECT sync_key FROM walk WHERE walk_key = ?2) FROM project WHERE project_key = ?1",
            [project_key, walk_key],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let is_lost = !lost.is_empty() && lost.len() == known;
        let (lost_sync, told) = match lost_sync {
            _ if !is_lost => (None, Lost::No),
            Some(before) if before != sync => (Some(before), Lost::Again),
            _ => (Some(sync), Lost::FirstTime(lost.len() as u64)),
        };
        self.writable.connection.execute(
            "UPDATE project SET lost_sync = ?2 WHERE project_key = ?1",
            params![project_key, lost_sync],
        )?;
        Ok(told)
    }

    /// The instances of a project that are known and not gone.
    fn known_keys(&self, project_key: i64) -> Result<Vec<i64>, Error> {
        let mut statement = self.writable.connection.prepare_cached(
            "SELECT instance_key FROM instance
             WHERE project_key = ?1 AND gone IS NULL
               AND (revision IS NOT NULL OR first_walk IS NOT NULL OR absent_sync IS NOT NULL)",
        )?;
        let keys = statement.query_map([project_key], |row| row.get(0))?;
        Ok(keys.collect::<rusqlite::Result<_>>()?)
    }

    fn lacking_instances(&mut self, walk_key: i64) -> Result<Vec<i64>, Error> {
        let project_key = self.list(walk_key).project_key;
        let mut lacking = self.known_keys(project_key)?;
        let seen = &self.list(walk_key).seen;
        lacking.retain(|key| !seen.contains_key(key));
        Ok(lacking)
    }

    /// Ends a walk of the list: what it told becomes visible, whatever it proved.
    pub(super) fn end_list(&mut self, walk_key: i64, end: &WalkEnd) -> Result<Counts, Error> {
        self.write()?;
        self.list(walk_key).counts.received = end.received;
        let rejected = std::mem::take(&mut self.list(walk_key).rejected);
        self.rejected_again(walk_key, rejected)?;
        self.list(walk_key).counts.reappeared = self.settle_list(walk_key, end.finished)?;
        if end.proven {
            if !self.list(walk_key).anonymous {
                let missing = self.lacking_instances(walk_key)?.len() as u64;
                self.list(walk_key).counts.missing = missing;
            }
            for instance_key in self.list(walk_key).seen.keys().copied().collect::<Vec<_>>() {
                self.writable
                    .connection
                    .prepare_cached("UPDATE instance SET listed_walk = ?2 WHERE instance_key = ?1")?
                    .execute([instance_key, walk_key])?;
            }
        }
        let counts = self.list(walk_key).counts;
        self.write_counts(walk_key, &counts)?;
        self.write_line(walk_key, end)?;
        self.lists.remove(&walk_key);
        self.commit_if_large()?;
        Ok(counts)
    }

    /// Moves the instances that the walk told something new of to the revision that is current now. What was gone and is
    /// listed again is not gone; says how many those are.
    pub(super) fn settle_list(
        &mut self,
        walk_key: i64,
        server_now: Timestamp,
    ) -> Result<u64, Error> {
        let told: Vec<(i64, i64, Option<i64>)> = self
            .writable
            .connection
            .prepare_cached(
                "SELECT instance_key, revision_key, updated FROM instance_revision WHERE walk_key = ?1 ORDER BY revision_key",
            )?
            .query_map([walk_key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (instance_key, revision_key, updated) in told {
            let current: Option<(Digest, Option<i64>)> = self
                .writable
                .connection
                .prepare_cached(
                    "SELECT r.form, r.updated FROM instance i JOIN instance_revision r ON r.revision_key = i.revision
                     WHERE i.instance_key = ?1",
                )?
                .query_row([instance_key], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let current = current.map(|(form, updated)| Current {
                form,
                updated: updated.and_then(Timestamp::from_millis),
            });
            let updated = updated.and_then(Timestamp::from_millis);
            if current.is_none_or(|current| current.gives_way_to(updated, server_now)) {
                self.writable
                    .connection
                    .prepare_cached(
                        "UPDATE instance SET (revision, name, engine, engine_version, spec_code, capacity_gb, status, created) = (
                           SELECT revision_key, name, engine, engine_version, spec_code, capacity_gb, status, created
                           FROM instance_revision WHERE revision_key = ?2)
                         WHERE instance_key = ?1",
                    )?
                    .execute([instance_key, revision_key])?;
            }
        }
        self.listed_again(walk_key)
    }

    fn listed_again(&mut self, walk_key: i64) -> Result<u64, Error> {
        let Some(state) = self.lists.get(&walk_key) else {
            return Ok(0);
        };
        let mut statement = self.writable.connection.prepare_cached(
            "SELECT instance_key, instance_id FROM instance WHERE project_key = ?1 AND gone IS NOT NULL",
        )?;
        let gone: Vec<(i64, String)> = statement
            .query_map([state.project_key], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        drop(statement);
        let mut again = 0;
        for (instance_key, instance_id) in gone {
            if !self.list(walk_key).seen.contains_key(&instance_key) {
                continue;
            }
            again += 1;
            self.writable.connection.execute(
                "UPDATE instance SET gone = NULL, absent_sync = NULL WHERE instance_key = ?1",
                [instance_key],
            )?;
            let what = format!("instance {instance_id} was gone and is listed again");
            self.journal(
                walk_key,
                &Drift {
                    kind: DriftKind::Upstream,
                    what,
                    sample: String::new(),
                },
            )?;
        }
        Ok(again)
    }

    /// Notes which instances of a project the run does not read because it was told so.
    pub(crate) fn leave_out(&mut self, project_key: i64, ids: &[String]) -> Result<(), Error> {
        self.write()?;
        self.writable.connection.execute(
            "UPDATE instance SET left_out = 0 WHERE project_key = ?1 AND left_out = 1",
            [project_key],
        )?;
        for id in ids {
            self.writable
                .connection
                .prepare_cached(
                    "UPDATE instance SET left_out = 1 WHERE project_key = ?1 AND instance_id = ?2",
                )?
                .execute(params![project_key, id])?;
        }
        Ok(())
    }

    /// Returns the instances that are known of the project with this id.
    pub(crate) fn instances_of(&self, project_id: &str) -> Result<Vec<KnownInstance>, Error> {
        let project_key = self
            .writable
            .connection
            .query_row(
                "SELECT project_key FROM project WHERE project_id = ?1",
                [project_id],
                |row| row.get(0),
            )
            .optional()?;
        project_key.map_or(Ok(Vec::new()), |key| self.known_instances(key))
    }

    /// Returns the instances of a project that are known, or that a list of this run showed.
    pub(crate) fn known_instances(&self, project_key: i64) -> Result<Vec<KnownInstance>, Error> {
        let mut statement = self.writable.connection.prepare_cached(
            "SELECT i.instance_key, i.instance_id, r.raw, i.gone,
               i.revision IS NOT NULL OR i.first_walk IS NOT NULL OR i.absent_sync IS NOT NULL
             FROM instance i LEFT JOIN instance_revision r ON r.revision_key = i.revision
             WHERE i.project_key = ?1 ORDER BY i.instance_key",
        )?;
        let mut rows = statement.query([project_key])?;
        let mut known = Vec::new();
        while let Some(row) = rows.next()? {
            let is_shown = self.shown.contains(&row.get(0)?);
            if !is_shown && !row.get::<_, bool>(4)? {
                continue;
            }
            let raw: Option<String> = row.get(2)?;
            let gone: Option<i64> = row.get(3)?;
            known.push(KnownInstance {
                instance_id: row.get(1)?,
                row: raw.map_or_else(InstanceRow::default, |raw| (self.reading.instance)(&raw)),
                is_shown,
                gone: gone.and_then(Timestamp::from_millis),
            });
        }
        Ok(known)
    }
}
