//! Rows made again from the raw text, offline: what a newer version reads differently, or what was altered beside the text.
//!
//! The text decides, read by the same code as in a sync; a text that does not have its digest decides nothing, and its
//! task is left as it is. Everything happens in one transaction, and where nothing differs nothing is written. What cannot
//! be read out of a text (identities, walks, flags, marks) is not touched, so the hash chain does not notice.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use rusqlite::{Connection, params};

use crate::model::rows::{InstanceRow, Reading};
use crate::model::status;
use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::chain::sha256;
use crate::store::revisions::REVISIONS_A_TASK;
use crate::store::scan::instances::{ATTRIBUTES, attributes, each_revision, stored};
use crate::store::scan::{self, Item, Task};
use crate::store::write::Archive;

/// Tasks that are changed between two stretches of reading. They are read first and written then, since what a reader of
/// a table sees that is written to meanwhile is undefined.
const AT_ONCE: usize = 1_000;

const COUNTERS: [&str; 4] = ["tasks", "open_tasks", "missing_tasks", "confirmed_tasks"];

/// What was found to differ, and changed unless it was only looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rebuilt {
    /// How many rows, by table and column (of a change: the attribute).
    pub(crate) rows: BTreeMap<(&'static str, String), u64>,
    /// Tasks that were looked at, and those of which anything differed.
    pub(crate) tasks: u64,
    pub(crate) touched: u64,
    /// Tasks and instances with a text that is not the one that was received: they are left as they are.
    pub(crate) left: u64,
}

impl Rebuilt {
    fn count(&mut self, table: &'static str, name: &str) {
        *self.rows.entry((table, name.to_owned())).or_default() += 1;
    }
}

/// A task whose rows do not follow from its text.
struct Wanting {
    key: i64,
    /// The number of the current revision, and what its status is to be: open or not. Nothing where the row itself is right.
    row: Option<(i64, bool)>,
    /// The revisions whose own columns differ.
    revisions: Vec<i64>,
}

/// One pass over everything.
struct Pass<'a> {
    rebuilt: Rebuilt,
    /// What the tasks of each instance come to, in the order of [`COUNTERS`].
    counted: HashMap<i64, [i64; 4]>,
    step: &'a mut dyn FnMut(u64),
}

/// Says what would be changed.
pub(crate) fn rehearse(
    connection: &Connection,
    reading: Reading,
    step: &mut dyn FnMut(u64),
) -> Result<Rebuilt, Error> {
    let mut pass = Pass::new(step);
    pass.statuses(connection)?;
    pass.tasks(connection, reading, scan::BEFORE_ALL, |_| {
        ControlFlow::Continue(())
    })?;
    pass.instance_revisions(connection, reading)?;
    pass.instances(connection, reading)?;
    pass.counters(connection)?;
    Ok(pass.rebuilt)
}

impl Archive {
    /// Makes the rows follow the raw text.
    pub(crate) fn reprocess(&mut self, step: &mut dyn FnMut(u64)) -> Result<Rebuilt, Error> {
        self.recover()?;
        self.write()?;
        let done = self.reprocess_all(step);
        match done {
            Ok(rebuilt) => {
                self.commit()?;
                Ok(rebuilt)
            }
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    fn reprocess_all(&mut self, step: &mut dyn FnMut(u64)) -> Result<Rebuilt, Error> {
        let mut pass = Pass::new(step);
        for status_key in pass.statuses(&self.writable.connection)? {
            self.writable.connection.execute(
                "UPDATE status SET is_final = 1 WHERE status_key = ?1",
                [status_key],
            )?;
        }
        let mut after = scan::BEFORE_ALL;
        loop {
            let mut wanting = Vec::new();
            pass.tasks(&self.writable.connection, self.reading, after, |task| {
                wanting.push(task);
                if wanting.len() < AT_ONCE {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
            let is_last = wanting.len() < AT_ONCE;
            for task in wanting {
                after = task.key;
                self.rebuild(&task)?;
            }
            if is_last {
                break;
            }
        }
        for (key, row) in pass.instance_revisions(&self.writable.connection, self.reading)? {
            self.rebuild_instance_revision(key, &row)?;
        }
        for key in pass.instances(&self.writable.connection, self.reading)? {
            self.writable.connection.execute(
                "UPDATE instance SET (name, engine, engine_version, spec_code, capacity_gb, status, created) = (
                   SELECT name, engine, engine_version, spec_code, capacity_gb, status, created
                   FROM instance_revision WHERE revision_key = instance.revision)
                 WHERE instance_key = ?1",
                [key],
            )?;
        }
        for (key, [tasks, open, missing, confirmed]) in pass.counters(&self.writable.connection)? {
            self.writable.connection.execute(
                "UPDATE instance SET tasks = ?2, open_tasks = ?3, missing_tasks = ?4, confirmed_tasks = ?5
                 WHERE instance_key = ?1",
                [key, tasks, open, missing, confirmed],
            )?;
        }
        Ok(pass.rebuilt)
    }

    fn rebuild(&mut self, task: &Wanting) -> Result<(), Error> {
        if let Some((revision, is_open)) = task.row {
            let (raw, adopted) = self.text_of(task.key, revision)?;
            let normalized = (self.reading.normalize)(&raw, adopted.as_deref());
            self.update_task(task.key, revision, &raw, &normalized)?;
            self.writable
                .connection
                .prepare_cached(
                    "UPDATE task SET is_open = ?2 WHERE task_key = ?1 AND is_open <> ?2",
                )?
                .execute(params![task.key, is_open])?;
        }
        for number in &task.revisions {
            let (raw, adopted) = self.text_of(task.key, *number)?;
            let row = (self.reading.normalize)(&raw, adopted.as_deref()).row;
            let status = self
                .dictionary
                .status(&self.writable.connection, row.status.as_deref())?;
            self.writable
                .connection
                .prepare_cached(
                    "UPDATE revision SET status_key = ?2, updated = ?3 WHERE revision_key = ?1",
                )?
                .execute(params![
                    task.key
                        .saturating_mul(REVISIONS_A_TASK)
                        .saturating_add(*number),
                    status,
                    row.updated.map(Timestamp::millis)
                ])?;
        }
        Ok(())
    }

    fn text_of(&self, task_key: i64, number: i64) -> Result<(String, Option<String>), Error> {
        let text = self
            .writable
            .connection
            .prepare_cached("SELECT raw, adopted FROM revision WHERE revision_key = ?1")?
            .query_row(
                [task_key
                    .saturating_mul(REVISIONS_A_TASK)
                    .saturating_add(number)],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
        Ok(text)
    }

    fn rebuild_instance_revision(&self, key: i64, row: &InstanceRow) -> Result<(), Error> {
        self.writable.connection.execute(
            "UPDATE instance_revision SET name = ?2, engine = ?3, engine_version = ?4, spec_code = ?5, capacity_gb = ?6,
               status = ?7, created = ?8
             WHERE revision_key = ?1",
            params![
                key,
                row.name,
                row.engine,
                row.engine_version,
                row.spec_code,
                row.capacity,
                row.status,
                row.created.map(Timestamp::millis)
            ],
        )?;
        Ok(())
    }
}

impl<'a> Pass<'a> {
    fn new(step: &'a mut dyn FnMut(u64)) -> Self {
        Self {
            rebuilt: Rebuilt::default(),
            counted: HashMap::new(),
            step,
        }
    }

    /// Returns the statuses that this program knows as final and the archive does not.
    fn statuses(&mut self, connection: &Connection) -> Result<Vec<i64>, Error> {
        let mut statement =
            connection.prepare("SELECT status_key, name FROM status WHERE is_final = 0")?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            if status::is_final(&row.get::<_, String>(1)?) {
                self.rebuilt.count("status", "is_final");
                found.push(row.get(0)?);
            }
        }
        Ok(found)
    }

    /// Hands over the tasks beyond `after` whose rows do not follow from their texts.
    fn tasks(
        &mut self,
        connection: &Connection,
        reading: Reading,
        after: i64,
        mut take: impl FnMut(Wanting) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        scan::tasks(connection, reading, after, |item| {
            // What belongs to no task cannot be rebuilt; `verify` tells of it.
            let Item::Task(task) = item else {
                return Ok(ControlFlow::Continue(()));
            };
            self.rebuilt.tasks += 1;
            (self.step)(self.rebuilt.tasks);
            let wanting = self.judge(&task);
            let is_open = task
                .said_final()
                .map_or(task.is_open, |is_final| i64::from(!is_final));
            let counted = self.counted.entry(task.instance_key).or_default();
            for (counted, one) in counted.iter_mut().zip([
                1,
                is_open,
                i64::from(task.flags.missing_walk.is_some()),
                i64::from(task.flags.confirmed_walk.is_some()),
            ]) {
                *counted = counted.saturating_add(one);
            }
            Ok(wanting.map_or(ControlFlow::Continue(()), &mut take))
        })
    }

    /// Says what of a task is to be rebuilt, and counts it.
    fn judge(&mut self, task: &Task) -> Option<Wanting> {
        let mut differences = task.differences();
        // Which task it is does not follow from the text alone, and the chain keeps it.
        differences.retain(|difference| difference.name != "id" || difference.table != "task");
        if differences.is_empty() {
            return None;
        }
        if task.observed.iter().any(|revision| !revision.digest_holds) {
            self.rebuilt.left += 1;
            return None;
        }
        let mut revisions = Vec::new();
        let mut row_differs = false;
        for difference in differences {
            self.rebuilt.count(difference.table, &difference.name);
            match difference.revision {
                Some(number) if revisions.last() != Some(&number) => revisions.push(number),
                Some(_) => {}
                None => row_differs = true,
            }
        }
        self.rebuilt.touched += 1;
        let is_open = task.said_final().is_some_and(|is_final| !is_final);
        Some(Wanting {
            key: task.key,
            row: row_differs.then_some((task.revision, is_open)),
            revisions,
        })
    }

    /// Returns the revisions of instances whose columns do not follow from their texts, with what these say.
    fn instance_revisions(
        &mut self,
        connection: &Connection,
        reading: Reading,
    ) -> Result<Vec<(i64, InstanceRow)>, Error> {
        let mut found = Vec::new();
        each_revision(connection, |revision| {
            let row = (reading.instance)(&revision.raw);
            let said = attributes(&row);
            if said == revision.stored {
                return Ok(());
            }
            if !revision.digest_holds {
                self.rebuilt.left += 1;
                return Ok(());
            }
            for (name, (said, stored)) in ATTRIBUTES.iter().zip(said.iter().zip(&revision.stored)) {
                if said != stored {
                    self.rebuilt.count("instance_revision", name);
                }
            }
            found.push((revision.key, row));
            Ok(())
        })?;
        Ok(found)
    }

    /// Returns the instances whose attributes are not those of their current revision.
    fn instances(&mut self, connection: &Connection, reading: Reading) -> Result<Vec<i64>, Error> {
        let mut statement = connection.prepare(
            "SELECT i.instance_key, i.name, i.engine, i.engine_version, i.spec_code, i.capacity_gb, i.status, i.created, r.raw, r.digest
             FROM instance i JOIN instance_revision r ON r.revision_key = i.revision",
        )?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let raw: String = row.get(8)?;
            // Of a text that is not the one that was received, its revision tells.
            if row.get(9).ok() != Some(sha256(raw.as_bytes())) {
                continue;
            }
            let said = attributes(&(reading.instance)(&raw));
            let own = stored(row, 1)?;
            if said != own {
                for (name, (said, own)) in ATTRIBUTES.iter().zip(said.iter().zip(&own)) {
                    if said != own {
                        self.rebuilt.count("instance", name);
                    }
                }
                found.push(row.get(0)?);
            }
        }
        Ok(found)
    }

    /// Returns the instances whose counters are not those of their tasks, with these.
    fn counters(&mut self, connection: &Connection) -> Result<Vec<(i64, [i64; 4])>, Error> {
        let mut statement = connection.prepare(
            "SELECT instance_key, tasks, open_tasks, missing_tasks, confirmed_tasks FROM instance ORDER BY instance_key",
        )?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            let said: [i64; 4] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            let counted: [i64; 4] = self.counted.get(&key).copied().unwrap_or_default();
            for (name, (said, counted)) in COUNTERS.iter().zip(said.iter().zip(&counted)) {
                if said != counted {
                    self.rebuilt.count("instance", name);
                }
            }
            if said != counted {
                found.push((key, counted));
            }
        }
        Ok(found)
    }
}
