//! Every task with all that stands for it, in one pass and in bounded memory: its row, its revisions, its changes, and
//! what walks concluded of it, each read in the order of keys side by side.
//!
//! Beside what is stored stands what the raw text says, by the same code that a sync writes with. [`super::verify`] tells
//! where the two differ, and [`super::reprocess`] makes the rows follow the text.

mod differences;
pub(super) mod instances;

use std::collections::HashSet;
use std::ops::ControlFlow;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Rows};

use crate::model::rows::{Normalized, Reading};
use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::chain::{hex, sha256};
use crate::store::revisions::{REVISIONS_A_TASK, adopts_time};
use crate::store::write::packed_id;
use differences::Change;

const TASKS: &str = "SELECT t.task_key, t.instance_key, t.id, o.name, s.name, s.is_final, u.user_id, u.user_name, t.is_open,
       t.created, t.updated, t.revision, t.revisions, t.first_walk, t.seen_walk, t.missing_walk, t.confirmed_walk,
       t.missing_as, t.params, t.error_code
     FROM task t
     LEFT JOIN operation o ON o.operation_key = t.operation_key
     LEFT JOIN status s ON s.status_key = t.status_key
     LEFT JOIN user u ON u.user_key = t.user_key
     WHERE t.task_key > ?1 ORDER BY t.task_key";
const REVISIONS: &str =
    "SELECT r.revision_key, r.walk_key, w.instance_key, w.started, w.finished, s.name, s.is_final,
       r.updated, r.digest, r.adopted, r.raw
     FROM revision r
     LEFT JOIN walk w ON w.walk_key = r.walk_key
     LEFT JOIN status s ON s.status_key = r.status_key
     WHERE r.revision_key >= (?1 + 1) * 1048576 ORDER BY r.revision_key";
const CHANGES: &str = "SELECT c.task_key, a.source, a.name, a.folded, c.old, c.new
     FROM change c LEFT JOIN attribute a ON a.attribute_key = c.attribute_key
     WHERE c.task_key > ?1 ORDER BY c.task_key, c.attribute_key";
const ABSENCES: &str = "SELECT task_key, walk_key, kind, seen_walk FROM absence
     WHERE task_key > ?1 ORDER BY task_key, walk_key";

/// A key before that of any task, and far enough from the least integer that it can be reckoned with.
pub(super) const BEFORE_ALL: i64 = -(1 << 40);

/// What a pass comes to, one after the other.
pub(super) enum Item {
    Task(Box<Task>),
    /// Rows that belong to no task: the table, and the key of the task that there is none of.
    Stray(&'static str, i64),
}

/// One task, all that stands for it, and what its raw text says.
pub(super) struct Task {
    pub(super) key: i64,
    pub(super) instance_key: i64,
    pub(super) id: String,
    /// The id is packed where it can be, and only there.
    pub(super) id_is_in_form: bool,
    pub(super) row: TaskColumns,
    /// 1 or 0.
    pub(super) is_open: i64,
    /// What the archive holds of the status, where the task has one.
    status_is_final: bool,
    pub(super) revision: i64,
    pub(super) revisions: i64,
    pub(super) first_walk: i64,
    pub(super) flags: Flags,
    /// Those that can be seen, in the order of their numbers.
    pub(super) observed: Vec<Revision>,
    /// The current one, unless there is none of that number.
    pub(super) current: Option<Current>,
    changes: Vec<Change>,
    /// Walk, kind and the last walk that showed it.
    pub(super) absences: Vec<(i64, i64, Option<i64>)>,
}

/// The columns that follow from the raw text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TaskColumns {
    id: Option<String>,
    name: Option<String>,
    pub(super) status: Option<String>,
    user_id: Option<String>,
    user_name: Option<String>,
    created: Option<i64>,
    updated: Option<i64>,
    params: Option<String>,
    error_code: Option<String>,
}

/// What a task's row says of its absence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) seen_walk: Option<i64>,
    pub(super) missing_walk: Option<i64>,
    pub(super) confirmed_walk: Option<i64>,
    pub(super) missing_as: Option<String>,
}

/// One revision, without its text.
pub(super) struct Revision {
    pub(super) number: i64,
    pub(super) walk_key: i64,
    /// Whose walk it was, and its times; nothing where there is no such walk.
    pub(super) walk: Option<(Option<i64>, Timestamp, Timestamp)>,
    /// The raw text has the digest that stands beside it.
    pub(super) digest_holds: bool,
    pub(super) status: Option<String>,
    pub(super) is_final: bool,
    pub(super) updated: Option<i64>,
    pub(super) is_adopted: bool,
    /// What the raw text says in place of the two.
    said: (Option<String>, Option<i64>),
}

/// The current revision's text and what it says.
pub(super) struct Current {
    raw: String,
    normalized: Normalized,
}

/// Hands over every task with a key above `after`, in the order of keys. What belongs to a walk that is not visible yet is
/// left out.
pub(super) fn tasks(
    connection: &Connection,
    reading: Reading,
    after: i64,
    mut take: impl FnMut(Item) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let pending = pending(connection)?;
    let mut tasks = connection.prepare(TASKS)?;
    let mut revisions = connection.prepare(REVISIONS)?;
    let mut changes = connection.prepare(CHANGES)?;
    let mut absences = connection.prepare(ABSENCES)?;
    let mut tasks = tasks.query([after])?;
    let mut beside = Beside {
        revisions: Cursor::new(revisions.query([after])?)?,
        changes: Cursor::new(changes.query([after])?)?,
        absences: Cursor::new(absences.query([after])?)?,
    };
    while let Some(row) = tasks.next()? {
        let mut task = task(row)?;
        let strays = beside.skip_to(task.key)?;
        let is_hidden = pending.contains(&task.first_walk);
        beside.collect(&mut task, reading, &pending)?;
        for (table, key) in strays {
            if take(Item::Stray(table, key))?.is_break() {
                return Ok(());
            }
        }
        if !is_hidden && take(Item::Task(Box::new(task)))?.is_break() {
            return Ok(());
        }
    }
    for (table, key) in beside.skip_to(i64::MAX)? {
        if take(Item::Stray(table, key))?.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// The walks that are not visible: a handful, since each is under way.
pub(super) fn pending(connection: &Connection) -> rusqlite::Result<HashSet<i64>> {
    let mut statement = connection.prepare("SELECT walk_key FROM pending")?;
    let keys = statement.query_map([], |row| row.get(0))?;
    keys.collect()
}

fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    let id = match row.get_ref(2)? {
        ValueRef::Blob(bytes) => hex(bytes),
        _ => text(row, 2)?.unwrap_or_default(),
    };
    let is_packed = matches!(row.get_ref(2)?, ValueRef::Blob(_));
    Ok(Task {
        key: row.get(0)?,
        instance_key: row.get(1)?,
        id_is_in_form: packed_id(&id).is_some() == is_packed,
        row: TaskColumns {
            id: Some(id.clone()),
            name: text(row, 3)?,
            status: text(row, 4)?,
            user_id: text(row, 6)?,
            user_name: text(row, 7)?,
            created: row.get(9)?,
            updated: row.get(10)?,
            params: text(row, 18)?,
            error_code: text(row, 19)?,
        },
        id,
        status_is_final: row.get::<_, Option<bool>>(5)?.unwrap_or(false),
        is_open: row.get(8)?,
        revision: row.get(11)?,
        revisions: row.get(12)?,
        first_walk: row.get(13)?,
        flags: Flags {
            seen_walk: row.get(14)?,
            missing_walk: row.get(15)?,
            confirmed_walk: row.get(16)?,
            missing_as: text(row, 17)?,
        },
        observed: Vec::new(),
        current: None,
        changes: Vec::new(),
        absences: Vec::new(),
    })
}

/// Rows that are read beside the tasks.
struct Cursor<'statement> {
    rows: Rows<'statement>,
}

impl<'statement> Cursor<'statement> {
    fn new(mut rows: Rows<'statement>) -> rusqlite::Result<Self> {
        rows.advance()?;
        Ok(Self { rows })
    }

    /// The row that comes next, with the first column, if that is not beyond the bound.
    fn within(&self, bound: i64) -> rusqlite::Result<Option<(i64, &Row<'statement>)>> {
        let Some(row) = self.rows.get() else {
            return Ok(None);
        };
        let key = row.get(0)?;
        Ok((key <= bound).then_some((key, row)))
    }
}

struct Beside<'statement> {
    revisions: Cursor<'statement>,
    changes: Cursor<'statement>,
    absences: Cursor<'statement>,
}

impl Beside<'_> {
    /// Moves on to the rows of a task; says which tasks there are none of the rows before belong to.
    fn skip_to(&mut self, key: i64) -> rusqlite::Result<Vec<(&'static str, i64)>> {
        let mut strays = Vec::new();
        for (table, cursor, unit) in [
            ("revision", &mut self.revisions, REVISIONS_A_TASK),
            ("change", &mut self.changes, 1),
            ("absence", &mut self.absences, 1),
        ] {
            while let Some((stray, _)) =
                cursor.within(key.saturating_mul(unit).saturating_sub(1))?
            {
                let stray = (table, stray.div_euclid(unit));
                // A stray task is told once a table. Lists of them are as long as the damage.
                if strays.last() != Some(&stray) {
                    strays.push(stray);
                }
                cursor.rows.advance()?;
            }
        }
        Ok(strays)
    }

    /// Takes the rows of one task.
    fn collect(
        &mut self,
        task: &mut Task,
        reading: Reading,
        pending: &HashSet<i64>,
    ) -> rusqlite::Result<()> {
        // Keys come from a file that anybody may have altered: none of them may overflow.
        let first = task.key.saturating_mul(REVISIONS_A_TASK);
        let last = first.saturating_add(REVISIONS_A_TASK - 1);
        while let Some((key, row)) = self.revisions.within(last)? {
            let number = key.saturating_sub(first);
            if !pending.contains(&row.get(1)?) {
                revision(task, number, row, reading)?;
            }
            self.revisions.rows.advance()?;
        }
        while let Some((_, row)) = self.changes.within(task.key)? {
            task.changes.push((
                text(row, 1)?.unwrap_or_default(),
                text(row, 2)?.unwrap_or_default(),
                row.get::<_, Option<i64>>(3)?.unwrap_or(-1),
                text(row, 4)?,
                text(row, 5)?,
            ));
            self.changes.rows.advance()?;
        }
        while let Some((_, row)) = self.absences.within(task.key)? {
            if !pending.contains(&row.get(1)?) {
                task.absences.push((row.get(1)?, row.get(2)?, row.get(3)?));
            }
            self.absences.rows.advance()?;
        }
        Ok(())
    }
}

fn revision(task: &mut Task, number: i64, row: &Row<'_>, reading: Reading) -> rusqlite::Result<()> {
    let raw = row.get_ref(10)?;
    let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = raw else {
        return Ok(());
    };
    let digest_holds = matches!(row.get_ref(8)?, ValueRef::Blob(digest) if digest == sha256(bytes));
    let raw = String::from_utf8_lossy(bytes);
    let adopted = text(row, 9)?;
    let normalized = (reading.normalize)(&raw, adopted.as_deref());
    let moment = |column| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row
            .get::<_, Option<i64>>(column)?
            .and_then(Timestamp::from_millis))
    };
    task.observed.push(Revision {
        number,
        walk_key: row.get(1)?,
        walk: match (moment(3)?, moment(4)?) {
            (Some(started), Some(finished)) => Some((row.get(2)?, started, finished)),
            _ => None,
        },
        digest_holds,
        status: text(row, 5)?,
        is_final: row.get::<_, Option<bool>>(6)?.unwrap_or(false),
        updated: row.get(7)?,
        is_adopted: adopts_time(adopted.as_deref()),
        said: (
            normalized.row.status.clone(),
            normalized.row.updated.map(Timestamp::millis),
        ),
    });
    if number == task.revision {
        task.current = Some(Current {
            raw: raw.into_owned(),
            normalized,
        });
    }
    Ok(())
}

/// Returns a cell as text. Bytes that are no text are shown as such, since somebody altered them.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => None,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
    })
}
