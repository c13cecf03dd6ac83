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
