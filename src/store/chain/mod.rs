//! The hash chain: what was written once cannot be altered, removed or put in between without its being seen.
//!
//! Each sync that ends appends one link over everything that was written since the link before and is never changed
//! again. Its head is the SHA-256 of the head before it and of these rows, in a fixed order and an encoding in which no
//! two lists of rows are alike: a byte for the kind of row, and for each cell its type, its length and its bytes. What a
//! walk brought of tasks, which may be a million revisions, is digested when the walk ends and stands in its ledger line,
//! so a link costs what is new in the ledger and nothing else. What a kill left behind belongs to the next link.
//!
//! Names stand in it in place of this archive's keys where both say the same, so that neither can be moved under a row.
//! Rows that follow from the raw text (columns of tasks, changes) and what moves (flags, counters) are not in it:
//! [`super::verify`] works them out again. The marks, and whatever else of an instance follows from no other row, are
//! digested as each sync leaves them, which vouches for them until the next sync.

mod brought;
mod hasher;

use rusqlite::{Connection, OptionalExtension as _, Row, params, types::ValueRef};

use crate::model::Digest;
pub(super) use brought::{Absence, AbsenceKind, Brought, revisions_of, seal};
pub(crate) use hasher::hex;
pub(super) use hasher::sha256;
use hasher::{Hasher, NOTHING};

/// Each digest begins with what it is one of, so that none passes for another.
const LINK: &[u8] = b"dcs-history link 1\n";
const STATE: &[u8] = b"dcs-history state 1\n";

/// The tables that a link covers, in its order: the byte that stands for the table, and its rows between two keys.
const LEDGER: [(u8, &str); 5] = [
    (
        b'w',
        "SELECT w.walk_key, w.sync_key, ip.project_id, i.instance_id, lp.project_id, w.attempt, w.kind, w.window_start,
           w.window_end, w.started, w.finished, w.proven, w.reason, w.requests, w.server_total, w.received, w.new,
           w.changed, w.same, w.older, w.rejected, w.missing, w.reappeared, w.mark_before, w.mark_after, w.error, w.digest
         FROM walk w
         LEFT JOIN instance i ON i.instance_key = w.instance_key
         LEFT JOIN project ip ON ip.project_key = i.project_key
         LEFT JOIN project lp ON lp.project_key = w.project_key
         WHERE w.walk_key > ?1 AND w.walk_key <= ?2 ORDER BY w.walk_key",
    ),
    (
        b'j',
        "SELECT journal_key, walk_key, seen, kind, what, sample FROM journal
         WHERE journal_key > ?1 AND journal_key <= ?2 ORDER BY journal_key",
    ),
    (
        b'r',
        "SELECT r.rejected_key, ip.project_id, i.instance_id, lp.project_id, r.digest, r.task_id, r.position, r.reason,
           r.first_walk, typeof(r.raw)
         FROM rejected_record r
         LEFT JOIN instance i ON i.instance_key = r.instance_key
         LEFT JOIN project ip ON ip.project_key = i.project_key
         LEFT JOIN project lp ON lp.project_key = r.project_key
         WHERE r.rejected_key > ?1 AND r.rejected_key <= ?2 ORDER BY r.rejected_key",
    ),
    (
        b'i',
        "SELECT r.revision_key, p.project_id, i.instance_id, r.walk_key, r.updated, r.form, r.digest
         FROM instance_revision r
         LEFT JOIN instance i ON i.instance_key = r.instance_key
         LEFT JOIN project p ON p.project_key = i.project_key
         WHERE r.revision_key > ?1 AND r.revision_key <= ?2 ORDER BY r.revision_key",
    ),
    (
        b's',
        "SELECT sync_key, started, finished, outcome, exit_code, version, instances, requests, retries FROM sync
         WHERE sync_key > ?1 AND sync_key <= ?2 ORDER BY sync_key",
    ),
];

/// What a sync leaves that follows from no other row. Counters and what the list of instances tells are worked out again.
/// What was learned of an endpoint and of a host is not in it, since `doctor` may learn more between two syncs.
const STANDING: [(u8, &str); 2] = [
    (
        b'p',
        "SELECT project_key, project_id, host, lost_sync FROM project ORDER BY project_key",
    ),
    (
        b'i',
        "SELECT instance_key, project_key, instance_id, revision, listed_walk, mark, proven_walk, full_walk, first_walk,
           last_walk, whole_since, absent_sync, gone, irregular, strays, left_out, unsupported
         FROM instance ORDER BY instance_key",
    ),
];

/// How far a link reaches: the last key of each table that it covers, in the order of [`LEDGER`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach(pub(super) [i64; 5]);

impl Reach {
    pub(super) const fn walk(self) -> i64 {
        self.0[0]
    }

    pub(super) const fn sync(self) -> i64 {
        self.0[4]
    }
}

/// One link as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) reach: Reach,
    pub(super) state: Digest,
    pub(super) head: Digest,
}

/// The last link of the archive: the sync that appended it, and the chain's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) sync_id: i64,
    pub(crate) digest: Digest,
}

/// Appends the link of a sync that ends. To be called in the transaction that writes the sync's row.
pub(super) fn append(connection: &Connection, sync_key: i64) -> rusqlite::Result<Digest> {
    let before = last(connection)?;
    let greatest = |sql: &str| -> rusqlite::Result<i64> {
        connection
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))
    };
    let reach = Reach([
        greatest("SELECT coalesce(max(walk_key), 0) FROM walk")?,
        greatest("SELECT coalesce(max(journal_key), 0) FROM journal")?,
        greatest("SELECT coalesce(max(rejected_key), 0) FROM rejected_record")?,
        greatest("SELECT coalesce(max(revision_key), 0) FROM instance_revision")?,
        sync_key,
    ]);
    let state = state(connection)?;
    let head = head_of(connection, before.as_ref(), reach, &state)?;
    let [walk, journal, rejected, revision, _] = reach.0;
    connection
        .prepare_cached(
            "INSERT INTO link(sync_key, walk_key, journal_key, rejected_key, instance_revision, state, head)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![sync_key, walk, journal, rejected, revision, state, head])?;
    Ok(head)
}

/// Works out the head of a link from the one before it and the rows between the two.
pub(super) fn head_of(
    connection: &Connection,
    before: Option<&Link>,
    reach: Reach,
    state: &Digest,
) -> rusqlite::Result<Digest> {
    let mut hasher = Hasher::new(LINK);
    hasher.digest(before.map_or(&NOTHING, |link| &link.head));
    let from = before.map_or(Reach::default(), |link| link.reach);
    for ((table, sql), (from, to)) in LEDGER.iter().zip(from.0.into_iter().zip(reach.0)) {
        let mut statement = connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([from, to])?;
        while let Some(row) = rows.next()? {
            hasher.row(*table, row, columns)?;
        }
    }
    for to in reach.0 {
        hasher.cell(ValueRef::Integer(to));
    }
    hasher.digest(state);
    Ok(hasher.finish())
}

/// Digests what a sync leaves in the rows that move and follow from no other.
pub(super) fn state(connection: &Connection) -> rusqlite::Result<Digest> {
    let mut hasher = Hasher::new(STATE);
    for (table, sql) in STANDING {
        let mut statement = connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            hasher.row(table, row, columns)?;
        }
    }
    Ok(hasher.finish())
}

const LINKS: &str = "SELECT walk_key, journal_key, rejected_key, instance_revision, sync_key, state, head FROM link";

fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        reach: Reach([
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ]),
        // A digest of another length is none, and fits nothing.
        state: row.get(5).unwrap_or(NOTHING),
        head: row.get(6).unwrap_or(NOTHING),
    })
}

/// The link that the next one follows.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<Link>> {
    connection
        .prepare_cached(&format!("{LINKS} ORDER BY sync_key DESC LIMIT 1"))?
        .query_row([], link)
        .optional()
}

/// Hands every link to `take`, in order.
pub(super) fn each<E: From<rusqlite::Error>>(
    connection: &Connection,
    mut take: impl FnMut(&Link) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = connection.prepare(&format!("{LINKS} ORDER BY sync_key"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(&link(row)?)?;
    }
    Ok(())
}

/// Returns the chain's head, if any sync has ended.
pub(crate) fn head(connection: &Connection) -> rusqlite::Result<Option<Head>> {
    Ok(last(connection)?.map(|link| Head {
        sync_id: link.reach.sync(),
        digest: link.head,
    }))
}
