//! Kinds, held against what the views really have, and what each filter leaves.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::*;
use crate::model::time::Timestamp;
use crate::store::golden;
use crate::store::read;

/// The golden archive, with a row in each of the views that have none there.
fn archive() -> Connection {
    let archive = golden::archive();
    archive
        .execute_batch(
            "INSERT INTO journal(walk_key, kind, what, sample) VALUES (1, 'field', 'a', 'b');
             INSERT INTO rejected_record(instance_key, digest, position, reason, raw, first_walk, last_walk) VALUES
               (1, zeroblob(32), 0, 'no id', x'ff00', 1, 1), (2, zeroblob(32), 0, 'no id', '{}', 2, 2);
             INSERT INTO rejected_record(project_key, digest, position, reason, raw, first_walk, last_walk) VALUES
               (1, zeroblob(32), 1, 'no id', '{}', 7, 7);
             INSERT INTO instance_revision(revision_key, instance_key, walk_key, capacity_gb, created, updated, form, digest, raw)
               VALUES (1, 1, 7, 0.5, 0, 0, zeroblob(32), zeroblob(32), '{}');
             UPDATE instance SET revision = 1, capacity_gb = 4, created = 0, gone = 0, mark = 0 WHERE instance_key = 1;
             UPDATE task SET seen_walk = 3 WHERE task_key = 1;
             UPDATE task SET confirmed_walk = 3 WHERE task_key = 5;
             UPDATE walk SET window_start = 0, window_end = 0, mark_before = 0, mark_after = 0;",
        )
        .unwrap();
    let numbers = [
        ("replica_num", 1, "1", "2"),
        ("updated_config_length", 0, "", "7"),
        ("enable_ssl", 0, "", "true"),
        ("is_only_adjust_charging", 0, "", "false"),
    ];
    for (name, folded, old, new) in numbers {
        archive
            .execute(
                "INSERT INTO attribute(source, name, folded) VALUES ('details', ?1, ?2)",
                (name, folded),
            )
            .unwrap();
        let key = archive.last_insert_rowid();
        archive
            .execute("INSERT INTO change VALUES (1, ?1, ?2, ?3)", (key, old, new))
            .unwrap();
    }
    archive
}

fn rows(archive: &Connection, view: View, filter: &Filter) -> Vec<Vec<Value>> {
    read::rows(archive, &select(view, view.all(), filter)).unwrap()
}

fn is_of(kind: Kind, value: &Value) -> bool {
    match (kind, value) {
        (Kind::Time, Value::Text(text)) => {
            Timestamp::parse_upstream(text).is_some_and(|time| time.to_string() == *text)
        }
        (Kind::Flag, Value::Integer(0 | 1))
        | (Kind::Integer, Value::Integer(_))
        | (Kind::Real, Value::Real(_))
        | (Kind::Text, Value::Text(_))
        | (Kind::Bytes, Value::Text(_) | Value::Blob(_)) => true,
        _ => false,
    }
}

#[test]
fn every_column_holds_what_its_kind_says() {
    let archive = archive();
    // What no row here shows: text, all of it, told by a part of its name.
    let texts = [
        "public_ip_",
        "cache_",
        "spec_code",
        "replica_",
        "group_name",
        "account_name",
        "_ip",
        "node_name",
        "rename_commands",
        "engine",
        "name",
        "status",
        "task_id",
        "error",
    ];
    let numbers = ["duration_ms", "server_total", "exit_code"];
    for view in View::ALL {
        let rows = rows(&archive, view, &Filter::default());
        assert!(!rows.is_empty(), "{}", view.name());
        for (index, column) in view.all().into_iter().enumerate() {
            let (kind, name) = (kind(view, column), column.as_str());
            let values = rows.iter().map(|row| &row[index]);
            let values: Vec<_> = values.filter(|value| **value != Value::Null).collect();
            for value in &values {
                assert!(
                    is_of(kind, value),
                    "{}.{name}: {kind:?}, {value:?}",
                    view.name()
                );
            }
            let expected = match kind {
                Kind::Text => texts.iter().any(|part| name.contains(part)),
                Kind::Integer => numbers.contains(&name),
                _ => false,
            };
            assert!(
                !values.is_empty() || expected,
                "{}.{name} is never there",
                view.name()
            );
        }
    }
}

#[test]
fn no_name_of_a_kind_is_left_over_or_told_twice() {
    let all: Vec<_> = [&TIMES[..], &FLAGS, &REALS, &INTEGERS].concat();
    for (index, name) in all.iter().enumerate() {
        assert!(!all[..index].contains(name), "{name} is there twice");
        let known = View::ALL.iter().any(|view| view.columns().contains(name));
        assert!(known, "no view has {name}");
    }
}

fn of(id: &str) -> Filter {
    Filter {
        instances: vec![InstanceKey {
            project_id: "0a1b2c3d4e5f60718293a4b5c6d7e8f9".to_owned(),
            instance_id: id.to_owned(),
        }],
        ..Filter::default()
    }
}

fn period(since: &str, until: &str) -> Filter {
    Filter {
        period: Window {
            since: Timestamp::parse_upstream(since),
            until: Timestamp::parse_upstream(until),
        },
        ..Filter::default()
    }
}

#[test]
fn a_filter_leaves_what_belongs_to_an_instance_or_a_time() {
    let archive = archive();
    let all = Filter::default();
    let first = of("1f4c2a90-b7de-4f0e-8d3c-5a6b79081726");
    let nobody = of("1f4c2a90");
    let september = period("2026-09-01T00:00:00Z", "2026-09-29T00:00:00Z");
    let began = period("2026-10-01T02:00:00Z", "2026-10-02T00:00:00Z");
    let counted = |filter: &Filter| View::ALL.map(|view| rows(&archive, view, filter).len());
    // In the order of View::ALL; what cannot be asked of a view leaves all of it.
    assert_eq!(counted(&all), [7, 7, 10, 13, 8, 3, 1, 3, 6, 3, 1, 1]);
    assert_eq!(counted(&first), [3, 3, 8, 9, 4, 1, 1, 3, 2, 1, 1, 1]);
    assert_eq!(counted(&nobody), [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 1, 1]);
    assert_eq!(counted(&september), [3, 3, 9, 9, 4, 3, 0, 0, 0, 3, 0, 1]);
    assert_eq!(counted(&began), [0, 0, 0, 0, 0, 3, 1, 1, 4, 3, 0, 1]);
    let both = Filter {
        instances: first.instances,
        ..september
    };
    assert_eq!(counted(&both), [1, 1, 7, 7, 2, 1, 0, 0, 0, 1, 0, 1]);
    for view in View::ALL {
        let changes =
            |filter: &Filter| counted(filter)[position(view)] != counted(&all)[position(view)];
        assert_eq!(changes(&nobody), has_instances(view), "{}", view.name());
        assert_eq!(
            changes(&both),
            has_period(view) || has_instances(view),
            "{}",
            view.name()
        );
    }
}

fn position(view: View) -> usize {
    View::ALL.iter().position(|one| *one == view).unwrap()
}

#[test]
fn long_views_are_read_in_their_order_and_at_most_one_task_is_sorted() {
    let archive = golden::archive();
    let last = |terms: &str| format!("USE TEMP B-TREE FOR LAST {terms} OF ORDER BY");
    for (view, expected) in [
        (View::Tasks, String::new()),
        (View::Details, String::new()),
        (View::TaskChanges, last("4 TERMS")),
        (View::Changes, last("4 TERMS")),
        (View::Revisions, last("TERM")),
        (View::Walks, String::new()),
    ] {
        let select = select(view, view.all(), &Filter::default());
        assert_eq!(sorts(&archive, &select), expected, "{}", view.name());
    }
}

fn sorts(archive: &Connection, select: &Select) -> String {
    let sql = format!("EXPLAIN QUERY PLAN {}", select.sql());
    let mut statement = archive.prepare(&sql).unwrap();
    let lines = statement
        .query_map(params_from_iter(select.condition.params()), |row| {
            row.get::<_, String>(3)
        })
        .unwrap();
    let lines: Vec<_> = lines.map(Result::unwrap).collect();
    let sorts = lines.iter().filter(|line| line.contains("ORDER BY"));
    sorts.cloned().collect::<Vec<_>>().join("\n")
}

#[test]
fn what_belongs_to_the_archive_is_told_under_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let archive = path("h.db");
    golden::create(&archive);
    std::os::unix::fs::symlink(&archive, path("link.db")).unwrap();
    fs::hard_link(&archive, path("other.csv")).unwrap();
    for name in [
        "h.db",
        "link.db",
        "other.csv",
        "h.db-wal",
        "h.db-shm",
        "h.db-journal",
        "h.db.lock",
        "h.db.new",
    ] {
        assert!(belongs(&path(name), &archive), "{name}");
        assert!(belongs(&path(name), &path("link.db")), "{name}");
    }
    for name in ["h.csv", "h.db.csv", "missing/h.db", "h.db-wal.csv"] {
        assert!(!belongs(&path(name), &archive), "{name}");
    }
}
