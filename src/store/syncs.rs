//! What a sync is to the archive: its own row, the project's host, what is known of an instance before it is walked, and
//! what an answer without a list says about it.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::model::{
    Digest, absence,
    ledger::{Endpoint, ListKind, TotalTrust},
    time::Timestamp,
};
use crate::store::{Error, chain, walks::integer, write::Archive};

/// What is known of an instance before a walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct InstanceState {
    /// A list of its tasks was read before, a list of instances showed it, or its absence is being established.
    pub(crate) known: bool,
    pub(crate) has_proven_full: bool,
    /// The unfiltered list hides old records: ask for it with an early start.
    pub(crate) whole_list_needs_start: bool,
}

/// What one more answer "there is no such instance" makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    /// Not believed yet: a second answer, in another sync, is needed.
    First,
    /// Not believed yet: the instance is so new that a copy which lags may not know it.
    New,
    /// Established by this sync.
    Established,
    /// Known before.
    Noted { since: Timestamp },
}

/// How a sync ended, for its row.
#[derive(Clone, Debug)]
pub(crate) struct SyncEnd {
    pub(crate) started: Timestamp,
    pub(crate) finished: Timestamp,
    pub(crate) outcome: &'static str,
    pub(crate) exit_code: u8,
    pub(crate) instances: u64,
    pub(crate) requests: u64,
    pub(crate) retries: u64,
}

impl Archive {
    /// Writes the row of a sync that begins, at once: a folder that cannot be written to is found before any request.
    pub(crate) fn begin_sync(&mut self, started: Timestamp, version: &str) -> Result<i64, Error> {
        self.write()?;
        self.writable.connection.execute(
            "INSERT INTO sync(started, version) VALUES (?1, ?2)",
            params![started.millis(), version],
        )?;
        let sync_key = self.writable.connection.last_insert_rowid();
        self.commit()?;
        Ok(sync_key)
    }

    /// Writes the last word of a sync and the link of the chain that covers it; returns the chain's head.
    pub(crate) fn end_sync(&mut self, sync_key: i64, end: &SyncEnd) -> Result<Digest, Error> {
        self.write()?;
        self.writable.connection.execute(
            "UPDATE sync SET started = ?2, finished = max(?2, ?3), outcome = ?4, exit_code = ?5, instances = ?6,
               requests = ?7, retries = ?8
             WHERE sync_key = ?1",
            params![
                sync_key,
                end.started.millis(),
                end.finished.millis(),
                end.outcome,
                end.exit_code,
                integer(end.instances),
                integer(end.requests),
                integer(end.retries)
            ],
        )?;
        let head = chain::append(&self.writable.connection, sync_key)?;
        self.commit()?;
        Ok(head)
    }

    /// Returns the host that a project belongs to, if the project is known.
    pub(crate) fn project_host(&self, project_id: &str) -> Result<Option<String>, Error> {
        project_host(&self.writable.connection, project_id)
    }

    /// Notes the project and the host that it is read from.
    pub(crate) fn project(&mut self, project_id: &str, host: &str) -> Result<i64, Error> {
        self.write()?;
        self.writable.connection.execute(
            "INSERT INTO project(project_id, host) VALUES (?1, ?2) ON CONFLICT(project_id) DO UPDATE SET host = ?2",
            [project_id, host],
        )?;
        let key = self.writable.connection.query_row(
            "SELECT project_key FROM project WHERE project_id = ?1",
            [project_id],
            |row| row.get(0),
        )?;
        Ok(key)
    }

    pub(crate) fn endpoint(&self, host: &str, list: ListKind) -> Result<Endpoint, Error> {
        endpoint(&self.writable.connection, host, list)
    }

    pub(crate) fn save_endpoint(
        &mut self,
        host: &str,
        list: ListKind,
        endpoint: Endpoint,
    ) -> Result<(), Error> {
        self.write()?;
        let trust = match endpoint.trust {
            TotalTrust::Unknown => 0,
            TotalTrust::Trusted => 1,
            TotalTrust::Distrusted => 2,
        };
        self.writable.connection
            .prepare_cached(
                "INSERT INTO endpoint(host, list, trust, longest_page, page_limit) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT(host, list) DO UPDATE SET trust = ?3, longest_page = ?4, page_limit = ?5",
            )?
            .execute(params![
                host,
                list.as_str(),
                trust,
                integer(endpoint.longest_page),
                endpoint.page_limit
            ])?;
        Ok(())
    }

    pub(crate) fn instance_state(
        &self,
        project_key: i64,
        instance_id: &str,
    ) -> Result<InstanceState, Error> {
        let state = self
            .writable
            .connection
            .prepare_cached(
                "SELECT first_walk IS NOT NULL OR absent_sync IS NOT NULL OR revision IS NOT NULL, full_walk IS NOT NULL,
                   whole_since IS NOT NULL
                 FROM instance WHERE project_key = ?1 AND instance_id = ?2",
            )?
            .query_row(params![project_key, instance_id], |row| {
                Ok(InstanceState {
                    known: row.get(0)?,
                    has_proven_full: row.get(1)?,
                    whole_list_needs_start: row.get(2)?,
                })
            })
            .optional()?;
        Ok(state.unwrap_or_default())
    }

    /// From now on, the walk says, the instance's list must be asked for with an early start.
    pub(crate) fn needs_start(&mut self, walk_key: i64) -> Result<(), Error> {
        self.write()?;
        let instance_key = self.walk(walk_key).instance_key;
        self.writable.connection.execute(
            "UPDATE instance SET whole_since = ?2 WHERE instance_key = ?1",
            [instance_key, walk_key],
        )?;
        Ok(())
    }

    /// Notes an answer that a known instance does not exist. It is believed at once where a proven list lacks it too, and
    /// else when another sync is told the same; but not of an instance that is new, whoever says so.
    pub(crate) fn absent(
        &mut self,
        project_key: i64,
        instance_id: &str,
        sync_key: i64,
        server_now: Timestamp,
        is_unlisted: bool,
    ) -> Result<Absence, Error> {
        self.write()?;
        let (instance_key, first, gone, first_seen): (i64, Option<i64>, Option<i64>, Option<i64>) =
            self.writable.connection.query_row(
                "SELECT instance_key, absent_sync, gone, (
                   SELECT min(w.finished) FROM walk w WHERE w.walk_key IN (i.first_walk, (
                     SELECT min(r.walk_key) FROM instance_revision r WHERE r.instance_key = i.instance_key)))
                 FROM instance i WHERE project_key = ?1 AND instance_id = ?2",
                params![project_key, instance_id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
        if let Some(since) = gone.and_then(Timestamp::from_millis) {
            return Ok(Absence::Noted { since });
        }
        let first_seen = first_seen.and_then(Timestamp::from_millis);
        let is_new = first_seen.is_some_and(|seen| absence::is_new(seen, server_now));
        if !is_new && (is_unlisted || first.is_some_and(|first| first != sync_key)) {
            self.writable.connection.execute(
                "UPDATE instance SET gone = ?2 WHERE instance_key = ?1",
                params![instance_key, server_now.millis()],
            )?;
            return Ok(Absence::Established);
        }
        self.writable.connection.execute(
            "UPDATE instance SET absent_sync = ?2 WHERE instance_key = ?1",
            [instance_key, sync_key],
        )?;
        Ok(if is_new { Absence::New } else { Absence::First })
    }

    /// Notes an answer that the instance has no background tasks, and says since when that is known.
    pub(crate) fn unsupported(
        &mut self,
        project_key: i64,
        instance_id: &str,
        server_now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        self.write()?;
        self.writable.connection.execute(
            "INSERT INTO instance(project_key, instance_id) VALUES (?1, ?2)
             ON CONFLICT(project_key, instance_id) DO NOTHING",
            params![project_key, instance_id],
        )?;
        let since: Option<i64> = self.writable.connection.query_row(
            "SELECT unsupported FROM instance WHERE project_key = ?1 AND instance_id = ?2",
            params![project_key, instance_id],
            |row| row.get(0),
        )?;
        if let Some(since) = since {
            return Ok(Timestamp::from_millis(since));
        }
        self.writable.connection.execute(
            "UPDATE instance SET unsupported = ?3 WHERE project_key = ?1 AND instance_id = ?2",
            params![project_key, instance_id, server_now.millis()],
        )?;
        Ok(None)
    }
}

/// Returns what was learned about lists of that kind at a host.
pub(crate) fn endpoint(
    connection: &Connection,
    host: &str,
    list: ListKind,
) -> Result<Endpoint, Error> {
    let known = connection
        .query_row(
            "SELECT trust, longest_page, page_limit FROM endpoint WHERE host = ?1 AND list = ?2",
            [host, list.as_str()],
            |row| {
                Ok(Endpoint {
                    trust: match row.get(0)? {
                        1 => TotalTrust::Trusted,
                        2 => TotalTrust::Distrusted,
                        _ => TotalTrust::Unknown,
                    },
                    longest_page: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
                    page_limit: row.get(2)?,
                })
            },
        )
        .optional()?;
    Ok(known.unwrap_or_default())
}

/// Returns the host that a project belongs to, if the project is known.
pub(crate) fn project_host(
    connection: &Connection,
    project_id: &str,
) -> Result<Option<String>, Error> {
    let host = connection
        .query_row(
            "SELECT host FROM project WHERE project_id = ?1",
            [project_id],
            |row| row.get(0),
        )
        .optional()?;
    Ok(host)
}
