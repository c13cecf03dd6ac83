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

use std::fmt::Write as _;

use ring::digest::{Context, SHA256, digest};
use rusqlite::{Connection, OptionalExtension as _, Row, params, types::ValueRef};

use crate::model::Digest;

/// Each digest begins with what it is one of, so that none passes for another.
const LINK: &[u8] = b"dcs-history link 1\n";
const STATE: &[u8] = b"dcs-history state 1\n";
const WALK: &[u8] = b"dcs-history walk 1\n";

/// What stands before the first link, and before the first row that a walk brought.
const NOTHING: Digest = [0; 32];

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
        "SELECT journal_key, walk_key, kind, what, sample FROM journal
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
const STANDING: [(u8, &str); 3] = [
    (
        b'p',
        "SELECT project_key, project_id, host, lost_sync FROM project ORDER BY project_key",
    ),
    (
        b'e',
        "SELECT endpoint_key, host, list, trust, longest_page, page_limit FROM endpoint ORDER BY endpoint_key",
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

/// What one walk brought of tasks, digested row by row: its revisions in the order of task and number, and what it
/// concluded of tasks that it lacked, in the order of task. So the order in which records came is no part of it, and a
/// walk that is settled after a kill has the digest that it would have had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Brought {
    revisions: Option<Digest>,
    absences: Option<Digest>,
}

/// What a walk concluded of a task that it lacked, or that it met again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Absence {
    pub(super) task_key: i64,
    pub(super) kind: AbsenceKind,
    /// The last walk known to have shown a task that is called missing.
    pub(super) seen_walk: Option<i64>,
}

/// The numbers are those of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AbsenceKind {
    Removed = 1,
    AgedOut = 2,
    Confirmed = 3,
    Reappeared = 4,
}

impl AbsenceKind {
    pub(super) fn of(number: i64) -> Option<Self> {
        [
            Self::Removed,
            Self::AgedOut,
            Self::Confirmed,
            Self::Reappeared,
        ]
        .into_iter()
        .find(|kind| *kind as i64 == number)
    }
}

impl Brought {
    /// Takes in a revision: its key, the task's id, the digest of the raw text, and what was adopted.
    pub(super) fn revision(&mut self, key: i64, cells: [ValueRef<'_>; 3]) {
        let mut row = Hasher::after(self.revisions.as_ref());
        row.cell(ValueRef::Integer(key));
        cells.into_iter().for_each(|cell| row.cell(cell));
        self.revisions = Some(row.finish());
    }

    /// Takes in what the walk concluded of a task, as the table holds it.
    pub(super) fn absence(&mut self, task_key: i64, kind: i64, seen_walk: Option<i64>) {
        let mut row = Hasher::after(self.absences.as_ref());
        row.cell(ValueRef::Integer(task_key));
        row.cell(ValueRef::Integer(kind));
        row.cell(seen_walk.map_or(ValueRef::Null, ValueRef::Integer));
        self.absences = Some(row.finish());
    }

    /// Returns the digest for the ledger line; nothing where the walk brought nothing.
    pub(super) fn digest(&self) -> Option<Digest> {
        if self.revisions.is_none() && self.absences.is_none() {
            return None;
        }
        let mut hasher = Hasher::new(WALK);
        for part in [&self.revisions, &self.absences] {
            hasher.digest(part.as_ref().unwrap_or(&NOTHING));
        }
        Some(hasher.finish())
    }
}

/// Digests the revisions that a walk brought. To be called before the walk is settled, while `pending_task` names the
/// known tasks that it touched; those are older than the tasks that it brought, and so come first.
pub(super) fn revisions_of(connection: &Connection, walk_key: i64) -> rusqlite::Result<Brought> {
    let mut brought = Brought::default();
    for sql in [
        "SELECT r.revision_key, t.id, r.digest, r.adopted
         FROM pending_task p CROSS JOIN task t ON t.task_key = p.task_key
         CROSS JOIN revision r ON r.revision_key BETWEEN p.task_key * 1048576 + 1 AND p.task_key * 1048576 + 1048575
         WHERE p.walk_key = ?1 AND r.walk_key = ?1 ORDER BY p.task_key, r.revision_key",
        "SELECT r.revision_key, t.id, r.digest, r.adopted
         FROM task t CROSS JOIN revision r ON r.revision_key BETWEEN t.task_key * 1048576 + 1 AND t.task_key * 1048576 + 1048575
         WHERE t.first_walk = ?1 ORDER BY t.task_key, r.revision_key",
    ] {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([walk_key])?;
        while let Some(row) = rows.next()? {
            let cells = [row.get_ref(1)?, row.get_ref(2)?, row.get_ref(3)?];
            brought.revision(row.get(0)?, cells);
        }
    }
    Ok(brought)
}

/// Ends what a walk brought: keeps what it concluded of tasks, and writes the digest into its ledger line.
pub(super) fn seal(
    connection: &Connection,
    walk_key: i64,
    mut brought: Brought,
    mut absences: Vec<Absence>,
) -> rusqlite::Result<()> {
    absences.sort_unstable();
    for absence in absences {
        let kind = absence.kind as i64;
        brought.absence(absence.task_key, kind, absence.seen_walk);
        connection
            .prepare_cached(
                "INSERT INTO absence(task_key, walk_key, kind, seen_walk) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![absence.task_key, walk_key, kind, absence.seen_walk])?;
    }
    if let Some(digest) = brought.digest() {
        connection
            .prepare_cached("UPDATE walk SET digest = ?2 WHERE walk_key = ?1")?
            .execute(params![walk_key, digest])?;
    }
    Ok(())
}

/// A SHA-256 over cells.
struct Hasher {
    context: Context,
    /// One row; the digest is fed with whole rows, which costs half of what cells would.
    buffer: Vec<u8>,
}

impl Hasher {
    fn new(of: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(of);
        Self {
            context,
            buffer: Vec::new(),
        }
    }

    /// The digest of one row after those that `before` is the digest of.
    fn after(before: Option<&Digest>) -> Self {
        Self::new(before.unwrap_or(&NOTHING))
    }

    fn digest(&mut self, digest: &Digest) {
        self.buffer.extend_from_slice(digest);
    }

    fn row(&mut self, table: u8, row: &Row<'_>, columns: usize) -> rusqlite::Result<()> {
        self.buffer.push(table);
        for column in 0..columns {
            self.cell(row.get_ref(column)?);
        }
        self.feed();
        Ok(())
    }

    fn cell(&mut self, value: ValueRef<'_>) {
        let (kind, bytes) = match value {
            ValueRef::Null => return self.buffer.push(0),
            ValueRef::Integer(number) => {
                self.buffer.push(1);
                return self.buffer.extend_from_slice(&number.to_le_bytes());
            }
            ValueRef::Real(number) => {
                self.buffer.push(2);
                return self
                    .buffer
                    .extend_from_slice(&number.to_bits().to_le_bytes());
            }
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(bytes) => (4, bytes),
        };
        self.buffer.push(kind);
        self.buffer
            .extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(bytes);
    }

    fn feed(&mut self) {
        self.context.update(&self.buffer);
        self.buffer.clear();
    }

    fn finish(mut self) -> Digest {
        self.feed();
        array(self.context.finish().as_ref())
    }
}

/// Returns the SHA-256 of bytes.
pub(super) fn sha256(bytes: &[u8]) -> Digest {
    array(digest(&SHA256, bytes).as_ref())
}

fn array(bytes: &[u8]) -> Digest {
    let mut digest = NOTHING;
    // Both are 32 bytes long.
    digest.copy_from_slice(bytes);
    digest
}

/// Returns a digest as people and programs write it: 64 hexadecimal digits in lower case.
pub(crate) fn hex(digest: &Digest) -> String {
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _written = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_rows_are_encoded_alike() {
        use ValueRef::{Blob, Integer, Null, Real, Text};
        let rows: [&[ValueRef<'_>]; 12] = [
            &[],
            &[Null],
            &[Null, Null],
            &[Text(b"")],
            &[Blob(b"")],
            &[Text(b"ab"), Text(b"c")],
            &[Text(b"a"), Text(b"bc")],
            &[Blob(b"ab"), Text(b"c")],
            &[Integer(1)],
            &[Real(1.0)],
            &[Text(b"1")],
            // The encoding of a null inside a text is no null.
            &[Text(b"\0")],
        ];
        let digests: HashSet<Digest> = rows
            .iter()
            .map(|row| {
                let mut hasher = Hasher::new(LINK);
                row.iter().for_each(|cell| hasher.cell(*cell));
                hasher.finish()
            })
            .collect();
        assert_eq!(digests.len(), rows.len());
    }

    #[test]
    fn what_a_walk_brought_is_told_by_its_order_and_its_kind() {
        let row = |number| [ValueRef::Integer(number), ValueRef::Null, ValueRef::Null];
        let brought = |revisions: &[i64], absences: &[i64]| {
            let mut brought = Brought::default();
            revisions
                .iter()
                .for_each(|key| brought.revision(*key, row(0)));
            absences
                .iter()
                .for_each(|key| brought.absence(*key, 1, None));
            brought.digest()
        };
        assert_eq!(brought(&[], &[]), None);
        let all = [
            brought(&[1, 2], &[]),
            brought(&[2, 1], &[]),
            brought(&[1], &[]),
            brought(&[], &[1]),
            brought(&[1], &[2]),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn the_digest_is_sha_256() {
        assert_eq!(
            hex(&sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
