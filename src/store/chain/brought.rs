//! What a walk brought of tasks: one digest in its ledger line, whatever came in which order.

use rusqlite::{Connection, params, types::ValueRef};

use super::hasher::{Hasher, NOTHING};
use crate::model::Digest;

/// What the digest begins with.
const WALK: &[u8] = b"dcs-history walk 1\n";

/// What one walk brought of tasks, digested row by row: its revisions in the order of task and number, and what it
/// concluded of tasks that it lacked, in the order of task. So the order in which records came is no part of it, and a
/// walk that is settled after a kill has the digest that it would have had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Brought {
    revisions: Option<Digest>,
    absences: Option<Digest>,
}

/// What a walk concluded of a task that it lacked, or that it met again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Absence {
    pub(in crate::store) task_key: i64,
    pub(in crate::store) kind: AbsenceKind,
    /// The last walk known to have shown a task that is called missing.
    pub(in crate::store) seen_walk: Option<i64>,
}

/// The numbers are those of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) enum AbsenceKind {
    Removed = 1,
    AgedOut = 2,
    Confirmed = 3,
    Reappeared = 4,
}

impl AbsenceKind {
    pub(in crate::store) fn of(number: i64) -> Option<Self> {
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
    pub(in crate::store) fn revision(&mut self, key: i64, cells: [ValueRef<'_>; 3]) {
        let mut row = Hasher::after(self.revisions.as_ref());
        row.cell(ValueRef::Integer(key));
        for cell in cells {
            row.cell(cell);
        }
        self.revisions = Some(row.finish());
    }

    /// Takes in what the walk concluded of a task, as the table holds it.
    pub(in crate::store) fn absence(&mut self, task_key: i64, kind: i64, seen_walk: Option<i64>) {
        let mut row = Hasher::after(self.absences.as_ref());
        row.cell(ValueRef::Integer(task_key));
        row.cell(ValueRef::Integer(kind));
        row.cell(seen_walk.map_or(ValueRef::Null, ValueRef::Integer));
        self.absences = Some(row.finish());
    }

    /// Returns the digest for the ledger line; nothing where the walk brought nothing.
    pub(in crate::store) fn digest(&self) -> Option<Digest> {
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
pub(in crate::store) fn revisions_of(
    connection: &Connection,
    walk_key: i64,
) -> rusqlite::Result<Brought> {
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
pub(in crate::store) fn seal(
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_a_walk_brought_is_told_by_its_order_and_its_kind() {
        let row = |number| [ValueRef::Integer(number), ValueRef::Null, ValueRef::Null];
        let brought = |revisions: &[i64], absences: &[i64]| {
            let mut brought = Brought::default();
            for key in revisions {
                brought.revision(*key, row(0));
            }
            for key in absences {
                brought.absence(*key, 1, None);
            }
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
}
