//! A small archive for tests, with every odd thing in it that a reader has to stand.

use std::path::Path;

use rusqlite::Connection;

use crate::model::time::Timestamp;
use crate::store::open;

const SCHEMA: &str = include_str!("../../migrations/V0001__archive.sql");
const ROWS: &str = include_str!("golden.sql");
const OCTOBER: &str = include_str!("october.sql");

/// Returns the archive, in memory.
pub(crate) fn archive() -> Connection {
    let archive = Connection::open_in_memory().unwrap();
    archive.execute_batch(SCHEMA).unwrap();
    archive.execute_batch(ROWS).unwrap();
    archive
}

/// Makes that archive as a file.
pub(crate) fn create(path: &Path) {
    create_of(path, ROWS);
}

/// Makes an archive of a month whose every figure is known.
pub(crate) fn create_october(path: &Path) {
    create_of(path, OCTOBER);
}

fn create_of(path: &Path, rows: &str) {
    let writable = open::writable(path, Timestamp::EPOCH).unwrap();
    writable.connection.execute_batch(rows).unwrap();
    open::finish(writable).unwrap();
}

/// Adds that many plain tasks to it, all older than the others.
pub(crate) fn add_tasks(archive: &Connection, count: u32) {
    for key in 100..100 + count {
        archive
            .execute(
                "INSERT INTO task(task_key, instance_key, id, is_open, created, revision, revisions, first_walk)
                 VALUES (?1, 1, 'plain' || ?1, 1, ?1, 1, 1, 1)",
                [key],
            )
            .unwrap();
        archive
            .execute(
                "INSERT INTO revision(revision_key, walk_key, digest, raw) VALUES (?1 * 1048576 + 1, 1, zeroblob(32), '{}')",
                [key],
            )
            .unwrap();
    }
}
