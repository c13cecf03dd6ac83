//! The rows and the queries, on archives whose every row is known. That the shell can run them is tested with the program.

use rusqlite::Connection;

use super::*;
use crate::model::coverage::Rules;
use crate::model::time::{DAY, HOUR};
use crate::store::filter::InstanceKey;
use crate::store::golden;
use crate::store::read;

fn moment(text: &str) -> Timestamp {
    Timestamp::parse_upstream(text).unwrap()
}

fn about(instances: &[InstanceKey]) -> About<'_> {
    About {
        instances,
        since: moment("2026-10-01T00:00:00Z"),
        until: moment("2026-11-01T00:00:00Z"),
        rules: Rules {
            max_gap: DAY + 12 * HOUR,
            settle: HOUR / 4,
        },
        named: &[],
    }
}

fn october() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    golden::create_october(&path);
    let archive = Connection::open(path).unwrap();
    (folder, archive)
}

fn orders() -> InstanceKey {
    InstanceKey {
        project_id: "0a1b2c3d4e5f60718293a4b5c6d7e8f9".to_owned(),
        instance_id: "11111111-0000-4000-8000-000000000001".to_owned(),
    }
}

/// The keys of a part's rows.
fn keys(archive: &Connection, part: Part, about: &About<'_>) -> Vec<i64> {
    let mut select = part.select(about);
    let key = match part {
        Part::Records | Part::Tasks => "task_key",
        Part::Walks => "walk_id",
        Part::Syncs => "sync_id",
    };
    select.columns = vec![part.view().column(key).unwrap()];
    let mut found = Vec::new();
    read::stream::<crate::store::Error>(archive, &select, |row| {
        if let [rusqlite::types::Value::Integer(key)] = row[..] {
            found.push(key);
        }
        Ok(())
    })
    .unwrap();
    found
}

#[test]
fn the_tasks_are_those_that_the_report_speaks_of() {
    let (_folder, archive) = october();
    // 100 was created and ended before, 111 was created after.
    let spoken = [
        101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 201, 202, 203,
    ];
    assert_eq!(keys(&archive, Part::Tasks, &about(&[])), spoken);
    assert_eq!(keys(&archive, Part::Records, &about(&[])), spoken);
    let named = [orders()];
    assert_eq!(keys(&archive, Part::Tasks, &about(&named)), spoken[..10]);
    let beside = About {
        named: &[100, 101],
        ..about(&named)
    };
    let with_it: Vec<_> = [100].iter().chain(&spoken[..10]).copied().collect();
    for part in [Part::Tasks, Part::Records] {
        assert_eq!(keys(&archive, part, &beside), with_it, "each once");
    }
    // Each of the others by one reason alone.
    let cases = [
        // It ended in the period; it is still open; it was missed in the period.
        (
            "UPDATE task SET updated = 1790812800000 WHERE task_key = 100",
            true,
        ),
        (
            "UPDATE task SET updated = 1790812799999 WHERE task_key = 100",
            false,
        ),
        (
            "UPDATE task SET updated = 0, is_open = 1 WHERE task_key = 100",
            true,
        ),
        (
            "UPDATE task SET is_open = 0, missing_walk = 31 WHERE task_key = 100",
            true,
        ),
        (
            "UPDATE task SET missing_walk = 11 WHERE task_key = 100",
            false,
        ),
        // A status that only a profile calls final says no more than that it is open.
        (
            "INSERT INTO status VALUES (9, 'PARKED', 1); UPDATE task SET status_key = 9 WHERE task_key = 100",
            true,
        ),
        (
            "UPDATE status SET name = char(9) || 'canceled ' WHERE status_key = 9",
            false,
        ),
        // Nobody knows when; it was first seen before the period began.
        ("UPDATE task SET created = NULL WHERE task_key = 100", false),
        ("UPDATE task SET first_walk = 31 WHERE task_key = 100", true),
    ];
    for (sql, expected) in cases {
        archive.execute_batch(sql).unwrap();
        let found = keys(&archive, Part::Tasks, &about(&[]));
        assert_eq!(found.contains(&100), expected, "{sql}");
    }
}

#[test]
fn the_ledger_lines_are_those_around_the_period_with_their_syncs() {
    let (_folder, archive) = october();
    let walks = keys(&archive, Part::Walks, &about(&[]));
    // The archive begins and ends less than two gaps away from October, so all of them count.
    assert_eq!(walks.first(), Some(&11));
    let count = archive.query_row("SELECT count(*) FROM walk", [], |row| row.get(0));
    assert_eq!(i64::try_from(walks.len()), Ok(count.unwrap()));
    let short = About {
        since: moment("2026-10-20T00:00:00Z"),
        until: moment("2026-10-21T00:00:00Z"),
        ..about(&[])
    };
    let walks = keys(&archive, Part::Walks, &short);
    let syncs: std::collections::BTreeSet<_> = walks.iter().map(|walk| walk / 10).collect();
    // Three days and half an hour on each side, and on to the next walk: from the 16th to the 24th, at noon; the sync of a
    // day in October has two more than its number.
    assert_eq!(syncs, (16 + 2..=24 + 2).collect());
    // Of a named instance its own, and not those of the list of instances.
    let named = [orders()];
    let walks = keys(&archive, Part::Walks, &about(&named));
    assert!(walks.iter().all(|walk| walk % 10 == 1), "{walks:?}");
    // The syncs of those, those that brought a record, and the last one, which the head is of.
    let named = About {
        instances: &named,
        ..short
    };
    let syncs = keys(&archive, Part::Syncs, &named);
    for sync in keys(&archive, Part::Walks, &named)
        .iter()
        .map(|walk| walk / 10)
    {
        assert!(syncs.contains(&sync), "{syncs:?}");
    }
    assert!(syncs.contains(&35) && !syncs.contains(&4), "{syncs:?}");
    archive
        .execute_batch("UPDATE task SET is_open = 1 WHERE task_key = 101")
        .unwrap();
    assert!(keys(&archive, Part::Syncs, &named).contains(&4));
}

#[test]
fn what_a_running_walk_brought_is_in_no_part() {
    let archive = golden::archive();
    let all = About {
        since: moment("2000-01-01T00:00:00Z"),
        until: moment("2100-01-01T00:00:00Z"),
        ..about(&[])
    };
    assert!(!keys(&archive, Part::Tasks, &all).contains(&7));
    assert!(!keys(&archive, Part::Records, &all).contains(&7));
    assert!(!keys(&archive, Part::Walks, &all).contains(&5));
    assert_eq!(keys(&archive, Part::Syncs, &all), [1, 2]);
}

#[test]
fn hostile_ids_change_no_line_of_the_queries() {
    let hostile = [InstanceKey {
        project_id: "p'); DROP TABLE task; --".to_owned(),
        instance_id: "x\n.shell touch here\n*/".to_owned(),
    }];
    let pieces = Pieces {
        unit: "day",
        edges: vec![(moment("2026-10-01T00:00:00Z"), "2026-10-01".to_owned())],
    };
    let plain = [orders()];
    for make in [queries, check] {
        let sql = make(&about(&hostile), &pieces);
        assert!(!sql.contains("touch here"), "{sql}");
        assert!(
            sql.bytes()
                .all(|byte| byte == b'\n' || matches!(byte, b' '..=b'~'))
        );
        let plain = make(&about(&plain), &pieces);
        assert_eq!(sql.lines().count(), plain.lines().count());
        let commands = |sql: &str| sql.lines().filter(|line| line.starts_with('.')).count();
        assert_eq!(commands(&sql), commands(&plain));
    }
}

#[test]
fn a_name_is_taken_out_of_a_line_as_it_is_written_there() {
    // The shell that will run the check may be older or newer; this is the version that the program brings.
    let archive = Connection::open_in_memory().unwrap();
    for written in [
        "null",
        r#""""#,
        r#""ann""#,
        r#""a\nb|\"c\"""#,
        r#""\u0000\u001b[2J\u202e""#,
        r#""\udb40\udc01 \/ 订单""#,
    ] {
        let line = format!(r#"{{"id":1,"name":{written},"x":[]}}"#);
        let name: String = archive
            .query_row("SELECT ?1 -> '$.name'", [line], |row| row.get(0))
            .unwrap();
        assert_eq!(name, written);
    }
}
