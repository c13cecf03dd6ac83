//! Statuses that end a task because somebody said so.
//!
//! The upstream documents none, so a status that we do not know counts as one that may still change. Whoever knows better
//! says it in a profile, and the archive remembers: from then on it is final in every sync, and the tasks that stood open
//! with it are not open any more.

use rusqlite::{Connection, params};

use crate::model::status;
use crate::store::{Error, write::Archive};

/// Reads what the archive remembers; what everybody knows is not in it.
pub(super) fn remembered(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM status WHERE is_final = 1")?;
    let names = statement.query_map([], |row| row.get(0))?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    Ok(names
        .into_iter()
        .filter(|name| !status::is_final(name))
        .collect())
}

impl Archive {
    /// Takes these statuses for final from now on. Where nothing about that is new, nothing is written.
    pub(crate) fn end_tasks_at(&mut self, statuses: &[String]) -> Result<(), Error> {
        let mut names: Vec<String> = Vec::new();
        for name in statuses.iter().map(|name| name.trim()) {
            let is_new = !name.is_empty() && self.dictionary.is_open(Some(name));
            if is_new && !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name.to_owned());
            }
        }
        if names.is_empty() {
            return Ok(());
        }
        self.write()?;
        let connection = &self.writable.connection;
        for name in &names {
            connection.execute(
                "INSERT INTO status(name, is_final) VALUES (?1, 1) ON CONFLICT(name) DO NOTHING",
                [name],
            )?;
            // As sent it may have blanks around it and be written otherwise.
            connection.execute(
                "UPDATE status SET is_final = 1 WHERE lower(trim(name)) = lower(?1)",
                [name],
            )?;
        }
        connection.execute(
            "UPDATE task SET is_open = 0
             WHERE is_open = 1 AND status_key IN (SELECT status_key FROM status WHERE is_final = 1)",
            params![],
        )?;
        connection.execute(
            "UPDATE instance SET open_tasks = (
               SELECT count(*) FROM task t WHERE t.instance_key = instance.instance_key AND t.is_open = 1)
             WHERE open_tasks > 0",
            params![],
        )?;
        self.commit()?;
        self.dictionary.finals.extend(names);
        Ok(())
    }
}
