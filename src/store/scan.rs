//! Every task with all that stands for it, in one pass and in bounded memory: its row, its revisions, its changes, and
//! what walks concluded of it, each read in the order of keys side by side.
//!
//! Beside what is stored stands what the raw text says, by the same code that a sync writes with. [`super::verify`] tells
//! where the two differ, and [`super::reprocess`] makes the rows follow the text.

use std::collections::HashSet;
use std::ops::ControlFlow;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Rows};

use crate::model::rows::{Normalized, Reading};
use crate::model::status;
use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::chain::sha256;
use crate::store::revisions::{REVISIONS_A_TASK, adopts_time, stored_changes, stored_params};
use crate::store::write::packed_id;

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

/// One attribute: source, name, folded (1 or 0), old and new value.
type Change = (String, String, i64, Option<String>, Option<String>);

/// One cell that is not what the raw text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) table: &'static str,
    /// The column, or of a change the attribute.
    pub(super) name: String,
    /// Of a revision, its number.
    pub(super) revision: Option<i64>,
    pub(super) stored: Option<String>,
    pub(super) said: Option<String>,
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
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
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
            while let Some((stray, _)) = cursor.within(key.saturating_mul(unit) - 1)? {
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
        let last = task.key.saturating_mul(REVISIONS_A_TASK) + REVISIONS_A_TASK - 1;
        while let Some((key, row)) = self.revisions.within(last)? {
            let number = key - task.key * REVISIONS_A_TASK;
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

impl Task {
    /// Returns every cell that is not what the raw text says.
    pub(super) fn differences(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        if let Some(current) = &self.current {
            let said = TaskColumns::said(&current.raw, &current.normalized);
            self.row.compare(&said, &mut found);
            let is_open = i64::from(!self.is_final(said.status.as_deref()));
            if is_open != self.is_open {
                let word = |is_open: i64| Some(is_open.to_string());
                found.push(Difference {
                    table: "task",
                    name: "is_open".to_owned(),
                    revision: None,
                    stored: word(self.is_open),
                    said: word(is_open),
                });
            }
            self.compare_changes(current, &mut found);
        }
        for revision in &self.observed {
            let (status, updated) = &revision.said;
            let mut differ = |name: &str, stored: Option<String>, said: Option<String>| {
                if stored != said {
                    found.push(Difference {
                        table: "revision",
                        name: name.to_owned(),
                        revision: Some(revision.number),
                        stored,
                        said,
                    });
                }
            };
            differ("status", revision.status.clone(), status.clone());
            differ("updated", moment(revision.updated), moment(*updated));
        }
        found
    }

    /// A status is final by what this program knows of it, or by what the archive remembers.
    pub(super) fn is_final(&self, status: Option<&str>) -> bool {
        status.is_some_and(|status| {
            let is_remembered = self.status_is_final && self.row.status.as_deref() == Some(status);
            status::is_final(status) || is_remembered
        })
    }

    /// Says whether the current revision's status is final.
    pub(super) fn said_final(&self) -> Option<bool> {
        let current = self.current.as_ref()?;
        Some(self.is_final(current.normalized.row.status.as_deref()))
    }

    fn compare_changes(&self, current: &Current, found: &mut Vec<Difference>) {
        let said = stored_changes(&current.raw, &current.normalized).map(|(change, new)| {
            (
                change.source.as_str().to_owned(),
                change.attribute.clone(),
                i64::from(change.folded),
                change.old_value.clone(),
                new.map(str::to_owned),
            )
        });
        let mut said: Vec<Change> = said.collect();
        let mut stored = self.changes.clone();
        said.sort();
        stored.sort();
        if said == stored {
            return;
        }
        let values = |change: &Change| {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!("{} → {}", value(&change.3), value(&change.4))
        };
        let name = |change: &Change| format!("{}.{}", change.0, change.1);
        let is_same =
            |one: &Change, other: &Change| (&one.0, &one.1, one.2) == (&other.0, &other.1, other.2);
        for change in &stored {
            let meant = said.iter().find(|said| is_same(said, change));
            if meant != Some(change) {
                found.push(Difference {
                    table: "change",
                    name: name(change),
                    revision: None,
                    stored: Some(values(change)),
                    said: meant.map(values),
                });
            }
        }
        for change in said {
            if !stored.iter().any(|stored| is_same(stored, &change)) {
                found.push(Difference {
                    table: "change",
                    name: name(&change),
                    revision: None,
                    stored: None,
                    said: Some(values(&change)),
                });
            }
        }
    }
}

impl TaskColumns {
    fn said(raw: &str, normalized: &Normalized) -> Self {
        let row = &normalized.row;
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            status: row.status.clone(),
            user_id: row.user_id.clone(),
            user_name: row.user_name.clone(),
            created: row.created.map(Timestamp::millis),
            updated: row.updated.map(Timestamp::millis),
            params: stored_params(raw, row).map(str::to_owned),
            error_code: row.error_code.clone(),
        }
    }

    fn compare(&self, said: &Self, found: &mut Vec<Difference>) {
        if self == said {
            return;
        }
        let texts = |row: &Self| {
            [
                ("id", row.id.clone()),
                ("name", row.name.clone()),
                ("status", row.status.clone()),
                ("user_id", row.user_id.clone()),
                ("user_name", row.user_name.clone()),
                ("created", moment(row.created)),
                ("updated", moment(row.updated)),
                ("params", row.params.clone()),
                ("error_code", row.error_code.clone()),
            ]
        };
        for ((name, stored), (_, said)) in texts(self).into_iter().zip(texts(said)) {
            if stored != said {
                found.push(Difference {
                    table: "task",
                    name: name.to_owned(),
                    revision: None,
                    stored,
                    said,
                });
            }
        }
    }
}

/// A time as people read it; one that is none stays a number.
fn moment(millis: Option<i64>) -> Option<String> {
    millis.map(|millis| {
        Timestamp::from_millis(millis).map_or_else(|| millis.to_string(), |time| time.to_string())
    })
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
