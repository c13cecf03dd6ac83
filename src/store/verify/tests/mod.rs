//! What holds is said to hold, and whatever is altered is found.

mod made;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use self::made::{Made, ONE, TWO, task};
use super::*;
use crate::model::finding::Weight;
use crate::model::ledger::WalkKind;
use crate::store::format::FORMAT;
use crate::store::open;
use crate::sync::READING;

/// Returns what does not hold, and the notes.
fn findings(archive: &Connection, head: Option<&Digest>) -> (Vec<Finding>, Vec<Finding>) {
    let mut all = Vec::new();
    verify(archive, READING, head, &mut |event| {
        if let Event::Found(finding) = event {
            all.push(finding);
        }
    })
    .unwrap();
    all.into_iter()
        .partition(|finding| finding.weight == Weight::Fault)
}

/// The columns in which an altered cell may stay unseen: they belong to names that no task's current state has, so no view
/// shows them. The README names them.
const NOT_COVERED: [&str; 6] = [
    "attribute.folded",
    "attribute.name",
    "operation.name",
    "status.is_final",
    "user.user_id",
    "user.user_name",
];

/// Values in place of one: whatever the column's type takes.
const OTHERS: [&str; 5] = [
    "NULL",
    "CASE typeof({c}) WHEN 'integer' THEN {c} + 1 WHEN 'real' THEN {c} + 1 END",
    "CASE typeof({c}) WHEN 'integer' THEN {c} - 1 WHEN 'text' THEN {c} || 'x' END",
    "CASE typeof({c}) WHEN 'text' THEN '' WHEN 'blob' THEN zeroblob(length({c})) WHEN 'null' THEN 'x' END",
    "CASE typeof({c}) WHEN 'text' THEN CAST({c} AS BLOB) WHEN 'blob' THEN lower(hex({c})) WHEN 'null' THEN 1 END",
];

/// The ends of the integers, for the first row of each table: none of them may overflow anything.
const ENDS: [&str; 2] = [
    "CASE typeof({c}) WHEN 'integer' THEN 9223372036854775807 END",
    "CASE typeof({c}) WHEN 'integer' THEN -9223372036854775807 - 1 END",
];

#[test]
fn every_altered_cell_is_found() {
    let made = Made::new();
    let archive = made.altered();
    assert_eq!(findings(&archive, None).0, []);
    archive.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    // What was learned of an endpoint and of a host is no part of the history, and `doctor` may learn more at any time.
    let columns: Vec<(String, String)> = archive
        .prepare(
            "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'refinery%' AND m.name NOT LIKE 'pending%'
               AND m.name NOT IN ('endpoint', 'manner') ORDER BY 1, c.cid",
        )
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let (mut altered, mut unseen) = (0, BTreeMap::<String, Vec<String>>::new());
    for (table, column) in &columns {
        let count: i64 = archive
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })
            .unwrap();
        assert!(count > 0, "there is nothing in {table} to alter");
        for at in 0..count {
            let ends = ENDS.iter().filter(|_| at == 0);
            for other in OTHERS.iter().chain(ends) {
                let value = other.replace("{c}", column);
                // WITHOUT ROWID tables are small; their rows are told apart by all their cells.
                let target = row_at(&archive, table, at);
                let sql = format!(
                    "UPDATE {table} SET {column} = {value} WHERE {target} AND ({value}) IS NOT {column}"
                );
                archive.execute_batch("BEGIN").unwrap();
                // What the table's own rules refuse, nobody can do through SQLite.
                if let Ok(1) = archive.execute(&sql, []) {
                    altered += 1;
                    if findings(&archive, None).0.is_empty() {
                        unseen
                            .entry(format!("{table}.{column}"))
                            .or_default()
                            .push(format!("row {at}: {value}"));
                    }
                }
                archive.execute_batch("ROLLBACK").unwrap();
            }
        }
    }
    assert_eq!(
        unseen.keys().collect::<Vec<_>>(),
        NOT_COVERED,
        "{unseen:#?}"
    );
    // Of the many cells of each of these columns, those of one row.
    for (column, rows) in &unseen {
        let rows: BTreeSet<_> = rows
            .iter()
            .filter_map(|told| told.split(':').next())
            .collect();
        assert_eq!(rows.len(), 1, "{column}: {rows:?}");
    }
    assert!(altered > 2_000, "{altered}");
    let readme = include_str!("../../../../README.md");
    for column in NOT_COVERED {
        assert!(readme.contains(&format!("`{column}`")), "{column}");
    }
}

/// A condition that holds for one row of a table.
fn row_at(archive: &Connection, table: &str, at: i64) -> String {
    let keys: Vec<String> = archive
        .prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")
        .unwrap()
        .query_map([table], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let keys = keys.join(", ");
    format!("({keys}) = (SELECT {keys} FROM {table} ORDER BY {keys} LIMIT 1 OFFSET {at})")
}

/// Does something to the archive, says what was found, and undoes it.
fn after(archive: &Connection, sql: &str, head: Option<&Digest>) -> Vec<Finding> {
    archive.execute_batch(&format!("BEGIN; {sql}")).unwrap();
    let (faults, _) = findings(archive, head);
    archive.execute_batch("ROLLBACK").unwrap();
    faults
}

#[test]
fn every_row_that_is_removed_is_found() {
    let made = Made::new();
    let archive = made.altered();
    archive.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    for table in [
        "absence",
        "change",
        "instance",
        "instance_revision",
        "journal",
        "link",
        "project",
        "rejected_record",
        "revision",
        "status",
        "sync",
        "task",
        "walk",
    ] {
        let count: i64 = archive
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })
            .unwrap();
        for at in 0..count {
            let target = row_at(&archive, table, at);
            let faults = after(
                &archive,
                &format!("DELETE FROM {table} WHERE {target}"),
                None,
            );
            // A status that no current task has is still one of a revision.
            assert!(!faults.is_empty(), "row {at} of {table} was removed unseen");
        }
    }
}

#[test]
fn what_is_put_in_is_found() {
    let made = Made::new();
    let archive = made.altered();
    archive.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    for sql in [
        "INSERT INTO walk(sync_key, instance_key, attempt, kind, started, finished) VALUES (2, 1, 1, 'full', 1, 2)",
        "INSERT INTO walk(walk_key, sync_key, instance_key, attempt, kind, started, finished) VALUES (0, 1, 1, 1, 'full', 1, 2)",
        "INSERT INTO journal(walk_key, kind, what, sample) VALUES (1, 'field', 'x', 'y')",
        "INSERT INTO pending VALUES (3)",
        "INSERT INTO pending_task SELECT first_walk, task_key, 1 FROM task LIMIT 1",
        "INSERT INTO sync(started, finished, outcome, exit_code, version) VALUES (1, 2, 'complete', 0, 'x')",
        "INSERT INTO absence SELECT task_key, first_walk, 1, NULL FROM task LIMIT 1",
        "INSERT INTO change SELECT task_key, (SELECT max(attribute_key) FROM attribute), 'a', 'b' FROM task LIMIT 1",
        "INSERT INTO task(instance_key, id, is_open, revision, revisions, first_walk) VALUES (1, 'x', 1, 1, 1, 1)",
        "INSERT INTO revision SELECT revision_key + 1, walk_key, status_key, updated, digest, raw, adopted FROM revision LIMIT 1",
        "INSERT INTO instance_revision SELECT 99, instance_key, walk_key, name, engine, engine_version, spec_code, capacity_gb,
           status, created, updated, form, digest, raw FROM instance_revision LIMIT 1",
        "INSERT INTO link SELECT 4, walk_key, journal_key, rejected_key, instance_revision, state, head FROM link LIMIT 1",
    ] {
        assert!(!after(&archive, sql, None).is_empty(), "{sql}");
    }
}

#[test]
fn a_history_that_is_cut_off_or_replaced_holds_by_itself_and_not_against_a_head_kept_elsewhere() {
    let made = Made::new();
    let head = chain::head(&made.altered()).unwrap().unwrap();
    assert_eq!(head.sync_id, 6);
    // Two archives that share their first syncs: one goes on, and the other is what somebody put in its place.
    let before = made.path().with_extension("before");
    std::fs::copy(made.path(), &before).unwrap();
    let mut run = made.run(60);
    run.walk(
        ONE,
        WalkKind::Full,
        &json!([task(
            "a0000000000000000000000000000009",
            500,
            501,
            "SUCCESS"
        )]),
        false,
    );
    run.end();
    let archive = made.altered();
    let (faults, notes) = findings(&archive, Some(&head.digest));
    assert_eq!(faults, []);
    let told: Vec<_> = notes
        .iter()
        .filter(|note| note.promise == Promise::Head)
        .collect();
    assert_eq!(told.len(), 1, "{notes:?}");
    assert_eq!(
        told[0].what,
        "it is the head of sync 6; syncs that ended since: 1"
    );
    let newest = chain::head(&archive).unwrap().unwrap();
    let cut = Connection::open(before).unwrap();
    assert_eq!(findings(&cut, None).0, []);
    let faults = findings(&cut, Some(&newest.digest)).0;
    assert!(
        matches!(&faults[..], [fault] if fault.promise == Promise::Head),
        "{faults:?}"
    );
}

#[test]
fn a_link_covers_what_a_kill_left_and_a_quiet_sync_adds_nothing_but_its_line() {
    let made = Made::new();
    let archive = made.altered();
    // The fourth sync was killed: it has no link, and the fifth one's covers its walk.
    let linked: Vec<i64> = archive
        .prepare("SELECT sync_key FROM link ORDER BY sync_key")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(linked, [1, 2, 3, 5, 6]);
    let number = |sql: &str| -> i64 { archive.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(
        number("SELECT count(*) FROM walk WHERE sync_key = 4 AND digest IS NOT NULL"),
        1
    );
    let at = "SELECT group_concat(kind) FROM (SELECT kind FROM absence WHERE task_key =
                (SELECT task_key FROM task WHERE task_id = 'b0000000000000000000000000000002') ORDER BY walk_key)";
    let concluded: String = archive.query_row(at, [], |row| row.get(0)).unwrap();
    assert_eq!(
        concluded, "2,4",
        "aged out, and met again by the walk that was killed"
    );
    let digests = number("SELECT count(digest) FROM walk");
    let mut run = made.run(70);
    let shown = json!([task("b0000000000000000000000000000001", -5, -4, "SUCCESS")]);
    run.walk(TWO, WalkKind::Full, &shown, false);
    run.end();
    assert_eq!(number("SELECT count(digest) FROM walk"), digests);
    assert_eq!(findings(&archive, None).0, []);
}

#[test]
fn a_sync_that_has_not_ended_is_a_note() {
    let made = Made::new();
    drop(made.run(60));
    let (faults, notes) = findings(&made.altered(), None);
    assert_eq!(faults, []);
    let told: Vec<_> = notes
        .iter()
        .map(|note| (note.promise, note.place.as_str()))
        .collect();
    assert!(told.contains(&(Promise::Chain, "sync 7")), "{notes:?}");
}

#[test]
fn a_current_state_that_is_older_than_what_was_observed_last_is_a_note() {
    let made = Made::new();
    let (_, notes) = findings(&open::readable(&made.path()).unwrap(), None);
    let told: Vec<_> = notes
        .iter()
        .filter(|note| note.promise == Promise::Revisions)
        .collect();
    assert_eq!(told.len(), 1, "{notes:?}");
    assert_eq!(
        told[0].place,
        format!("task a0000000000000000000000000000003 of instance {ONE}")
    );
}

#[test]
fn a_text_that_is_replaced_with_all_that_follows_from_it_is_found_by_the_chain() {
    let made = Made::new();
    let archive = made.altered();
    let id = "b0000000000000000000000000000001";
    let raw: String = archive
        .query_row(
            "SELECT raw FROM task_revisions WHERE task_id = ?1",
            [id],
            |row| row.get(0),
        )
        .unwrap();
    let forged = raw.replace("\"new_capacity\":\"8\"", "\"new_capacity\":\"9\"");
    assert_ne!(forged, raw);
    archive
        .execute(
            "UPDATE revision SET raw = ?1, digest = ?2 WHERE raw = ?3",
            rusqlite::params![forged, chain::sha256(forged.as_bytes()), raw],
        )
        .unwrap();
    archive
        .execute(
            "UPDATE change SET new = '9' WHERE new = '8' AND task_key = (SELECT task_key FROM task WHERE task_id = ?1)",
            [id],
        )
        .unwrap();
    let (faults, _) = findings(&archive, None);
    assert!(
        matches!(&faults[..], [fault] if fault.promise == Promise::Chain && fault.place == "walk 3"),
        "{faults:?}"
    );
}

/// The archive of the first release that later ones are tried on.
const FIRST_RELEASE: &str = include_str!("../../../../tests/fixtures/first-release.sql");

#[test]
fn the_archive_of_the_first_release_is_what_its_recipe_makes() {
    // A later format has other rows; then this has shown what it can.
    assert_eq!(
        FORMAT, 1,
        "remove this test: the fixture's recipe made format 1"
    );
    let made = Made::new();
    made.killed(51);
    let made = made.altered();
    let fixture = Connection::open_in_memory().unwrap();
    fixture.execute_batch(FIRST_RELEASE).unwrap();
    let tables: Vec<String> = made
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'refinery%' ORDER BY name")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(tables.len() > 15, "{tables:?}");
    for table in tables {
        let (made, fixture) = (rows(&made, &table), rows(&fixture, &table));
        // What was learned of a host's manner is no part of the history.
        assert!(!made.is_empty() || table == "manner", "{table} is empty");
        assert_eq!(made, fixture, "{table}");
    }
}

/// Every row of a table, as text, in an order of its own.
fn rows(archive: &Connection, table: &str) -> BTreeSet<String> {
    let mut statement = archive.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..columns).map(|column| row.get::<_, rusqlite::types::Value>(column));
        Ok(format!("{:?}", cells.collect::<Result<Vec<_>, _>>()?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}
