//! A small archive for tests, with every odd thing in it that a reader has to stand.

use rusqlite::Connection;

const SCHEMA: &str = include_str!("../../migrations/V0001__archive.sql");
const ROWS: &str = include_str!("golden.sql");

/// Returns the archive, in memory.
pub(crate) fn archive() -> Connection {
    let archive = Connection::open_in_memory().unwrap();
    fill(&archive);
    archive
}

/// Makes an empty database that archive.
pub(crate) fn fill(archive: &Connection) {
    archive.execute_batch(SCHEMA).unwrap();
    archive.execute_batch(ROWS).unwrap();
}
