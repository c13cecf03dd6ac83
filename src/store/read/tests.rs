//! Filters, told by what they exclude, and the plans by which they are answered.

use super::*;
use crate::model::coverage::Window;
use crate::model::time::Timestamp;
use crate::store::error::Kind;
use crate::store::filter::Created;
use crate::store::filter::TaskFilter;
use crate::store::golden;

const FIRST: &str = "1f4c2a90-b7de-4f0e-8d3c-5a6b79081726";
const SECOND: &str = "1f4c2a90-c0ff-4eee-8d3c-000000000002";

fn select(filter: &TaskFilter) -> Select {
    Select {
        view: View::Tasks,
        columns: vec![View::Tasks.column("task_key").unwrap()],
        condition: filter.condition(),
        order: newest_first(View::Tasks, "created_at"),
        limit: None,
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the field that it fills is optional"
)]
fn newest_first(view: View, column: &str) -> Option<Order> {
    Some(Order {
        column: view.column(column).unwrap(),
        descending: true,
    })
}

fn keys(archive: &Connection, select: &Select) -> Vec<i64> {
    let rows = rows(archive, select).unwrap();
    rows.into_iter()
        .map(|row| match row[0] {
            Value::Integer(key) => key,
            ref other => panic!("{other:?}"),
        })
        .collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn of(ids: &[&str]) -> Vec<InstanceKey> {
    let key = |id: &&str| InstanceKey {
        project_id: "0a1b2c3d4e5f60718293a4b5c6d7e8f9".to_owned(),
        instance_id: (*id).to_owned(),
    };
    ids.iter().map(key).collect()
}

fn at(text: &str) -> Option<Timestamp> {
    Timestamp::parse_upstream(text)
}

#[test]
fn the_columns_are_those_of_the_views() {
    let archive = golden::archive();
    for view in [
        View::Tasks,
        View::Details,
        View::Changes,
        View::Revisions,
        View::Instances,
        View::Walks,
        View::Drift,
    ] {
        let sql = format!("SELECT * FROM {}", view.name());
        let statement = archive.prepare(&sql).unwrap();
        let names: Vec<_> = statement.column_names().collect();
        assert_eq!(names, view.columns());
    }
    assert_eq!(View::Tasks.column("task_key; DROP TABLE task"), None);
}

#[test]
fn tasks_come_newest_first_with_those_without_a_time_last_and_unfinished_walks_hidden() {
    let archive = golden::archive();
    assert_eq!(
        keys(&archive, &select(&TaskFilter::default())),
        [8, 2, 4, 3, 1, 5, 6]
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn each_filter_keeps_what_was_asked_and_excludes_the_rest() {
    let archive = golden::archive();
    let instances = |ids: &[&str]| TaskFilter {
        instances: of(ids),
        ..TaskFilter::default()
    };
    let operations = |names: &[&str]| TaskFilter {
        operations: owned(names),
        ..TaskFilter::default()
    };
    let statuses = |names: &[&str]| TaskFilter {
        statuses: owned(names),
        ..TaskFilter::default()
    };
    let users = |names: &[&str]| TaskFilter {
        users: owned(names),
        ..TaskFilter::default()
    };
    let text = |text: &str| TaskFilter {
        text: Some(text.to_owned()),
        ..TaskFilter::default()
    };
    let period = |since: &str, until: &str| TaskFilter {
        created: Created::In(Window {
            since: at(since),
            until: at(until),
        }),
        ..TaskFilter::default()
    };
    let cases: [(&str, TaskFilter, &[i64]); 33] = [
        ("one instance", instances(&[FIRST]), &[2, 1, 5]),
        (
            "two instances",
            instances(&[FIRST, SECOND]),
            &[2, 4, 3, 1, 5, 6],
        ),
        ("no such instance", instances(&["1f4c2a90"]), &[]),
        ("operation", operations(&["bindeip"]), &[2]),
        (
            "operation under its other name",
            operations(&["changeinstancespec"]),
            &[3, 1],
        ),
        (
            "two operations",
            operations(&["BindEip", "modify"]),
            &[2, 6],
        ),
        ("part of an operation", operations(&["Bind"]), &[]),
        ("status", statuses(&["success"]), &[4, 1, 5]),
        ("two statuses", statuses(&["FAILED", "成功"]), &[8, 3]),
        ("part of a user", users(&["ANN"]), &[8, 4, 1]),
        ("user's id", users(&["U-2"]), &[2]),
        ("part of a user's id", users(&["u-"]), &[]),
        ("two users", users(&["script", "u-2"]), &[2, 4]),
        ("user with a wildcard", users(&["%"]), &[]),
        ("text of a name", text("実例"), &[8]),
        ("text of a status", text("executing"), &[2, 1]),
        ("text of a user", text("<SCRIPT>"), &[4]),
        ("text of an error", text("dcs.4999"), &[3]),
        ("text of params", text("A|B\nc"), &[3]),
        ("text of a change", text("6380"), &[4]),
        ("text of raw", text("ONLY-in-raw"), &[3]),
        ("text with a wildcard", text("100%_done"), &[1]),
        ("wildcards match nothing else", text("10%done"), &[]),
        ("one wildcard", text("_done"), &[1]),
        ("a quote is text", text("' OR 1=1 --"), &[]),
        (
            "since is included",
            period("2026-09-29T00:00:00.123Z", ""),
            &[8, 2],
        ),
        (
            "since, a millisecond later",
            period("2026-09-29T00:00:00.124Z", ""),
            &[8],
        ),
        (
            "until is excluded",
            period("", "2026-09-28T00:00:00Z"),
            &[1, 5],
        ),
        (
            "until, a millisecond later",
            period("", "2026-09-28T00:00:00.001Z"),
            &[4, 3, 1, 5],
        ),
        (
            "both",
            period("2026-09-01T10:00:00Z", "2026-09-29T00:00:00Z"),
            &[4, 3, 1],
        ),
        (
            "missing",
            TaskFilter {
                missing: true,
                ..TaskFilter::default()
            },
            &[5],
        ),
        (
            "new",
            TaskFilter {
                new: true,
                ..TaskFilter::default()
            },
            &[8, 6],
        ),
        (
            "all together",
            TaskFilter {
                created: Created::In(Window {
                    since: at("2026-09-28T00:00:00Z"),
                    until: None,
                }),
                users: owned(&["ann"]),
                ..instances(&[SECOND])
            },
            &[4],
        ),
    ];
    for (name, filter, expected) in cases {
        assert_eq!(keys(&archive, &select(&filter)), expected, "{name}");
        let total = count(&archive, View::Tasks, &filter.condition(), 100).unwrap();
        assert_eq!(total as usize, expected.len(), "{name}");
    }
}

#[test]
fn absent_values_come_last_in_either_order_and_ties_are_decided() {
    let archive = golden::archive();
    let mut select = select(&TaskFilter::default());
    select.order = Some(Order {
        column: View::Tasks.column("created_at").unwrap(),
        descending: false,
    });
    assert_eq!(keys(&archive, &select), [5, 1, 3, 4, 2, 8, 6]);
    select.order = newest_first(View::Tasks, "status");
    assert_eq!(keys(&archive, &select), [8, 5, 4, 1, 3, 2, 6]);
    select.limit = Some(2);
    assert_eq!(keys(&archive, &select), [8, 5]);
    assert_eq!(
        count(&archive, View::Tasks, &select.condition, 3).unwrap(),
        3
    );
}

#[test]
fn a_task_is_found_by_its_id_or_the_beginning_of_one() {
    let archive = golden::archive();
    let cases: [(&str, &[&str], &[i64]); 10] = [
        ("00112233445566778899aabbccddeeff", &[], &[1, 4]),
        ("00112233445566778899aabbccddeeff", &[SECOND], &[4]),
        ("0011223344556677", &[], &[1, 4, 2]),
        ("0011223344556677f", &[], &[2]),
        ("0011223344556677F", &[], &[]),
        ("5", &[], &[5]),
        ("5", &[SECOND], &[]),
        ("=cmd", &[], &[3]),
        ("%", &[], &[]),
        ("7777", &[], &[]),
    ];
    for (typed, instance, expected) in cases {
        let found = find(&archive, typed, &of(instance), 10).unwrap();
        let keys: Vec<_> = found.into_iter().map(|task| task.key).collect();
        assert_eq!(keys, expected, "{typed}");
    }
    assert_eq!(find(&archive, "0", &[], 2).unwrap().len(), 2);
}

#[test]
fn a_callback_ends_the_reading() {
    let archive = golden::archive();
    let mut seen = 0;
    let ended = stream(&archive, &select(&TaskFilter::default()), |_| {
        seen += 1;
        if seen == 2 {
            Err(Error::from(Kind::WriterGone))
        } else {
            Ok(())
        }
    });
    assert_eq!(seen, 2);
    assert!(matches!(
        ended,
        Err(Error {
            kind: Kind::WriterGone,
            ..
        })
    ));
}

/// Returns the lines of the query plan that touch tasks or sort.
fn plan(archive: &Connection, sql: &str, params: &[Value]) -> String {
    let mut statement = archive
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let lines = statement
        .query_map(params_from_iter(params), |row| row.get::<_, String>(3))
        .unwrap();
    let kept =
        |line: &String| line.contains(" t ") || line.ends_with(" t") || line.contains("TEMP");
    let lines: Vec<_> = lines.map(Result::unwrap).filter(kept).collect();
    lines.join("; ")
}

#[test]
fn filters_and_the_usual_order_are_answered_by_an_index() {
    let archive = golden::archive();
    let plan_of = |select: &Select| plan(&archive, &select.sql(), select.condition.params());
    let all = |filter: &TaskFilter| Select {
        columns: View::Tasks.all(),
        limit: Some(50),
        ..select(filter)
    };
    let everything = plan_of(&all(&TaskFilter::default()));
    insta::assert_snapshot!(everything, @"SCAN t USING INDEX task_created");
    let period = TaskFilter {
        created: Created::In(Window {
            since: at("2026-09-01T00:00:00Z"),
            until: at("2026-10-01T00:00:00Z"),
        }),
        ..TaskFilter::default()
    };
    insta::assert_snapshot!(plan_of(&all(&period)), @"SEARCH t USING INDEX task_created (created_at>? AND created_at<?)");
    let instance = TaskFilter {
        instances: of(&[FIRST]),
        ..TaskFilter::default()
    };
    insta::assert_snapshot!(plan_of(&all(&instance)), @"SEARCH t USING INDEX task_instance (instance_key=?); USE TEMP B-TREE FOR ORDER BY");
    let both = TaskFilter {
        instances: of(&[FIRST]),
        ..period
    };
    insta::assert_snapshot!(plan_of(&all(&both)), @"SEARCH t USING INDEX task_instance (instance_key=?); USE TEMP B-TREE FOR ORDER BY");
    let two = TaskFilter {
        instances: of(&[FIRST, SECOND]),
        ..TaskFilter::default()
    };
    insta::assert_snapshot!(plan_of(&all(&two)), @"SEARCH t USING INDEX task_instance (instance_key=?); USE TEMP B-TREE FOR ORDER BY");
    for condition in [
        Condition::default().and_id("a"),
        Condition::default().and_id("a").and_among(&of(&[FIRST])),
        Condition::default().and_id_begins("a"),
        Condition::default()
            .and_id_begins("a")
            .and_among(&of(&[FIRST])),
    ] {
        let select = Select {
            condition,
            order: None,
            limit: None,
            ..all(&TaskFilter::default())
        };
        let plan = plan_of(&select);
        assert!(
            plan.contains("USING INDEX task_identity (task_id"),
            "{plan}"
        );
    }
    let ledger = Select {
        view: View::Walks,
        columns: View::Walks.all(),
        condition: Condition::default(),
        order: newest_first(View::Walks, "walk_id"),
        limit: Some(50),
    };
    assert_eq!(
        plan_of(&ledger),
        "",
        "the ledger is read from its end, without a sort"
    );
}

#[test]
fn a_value_is_found_by_number_as_by_text() {
    let archive = golden::archive();
    for column in ["old_value", "new_value"] {
        for value in ["6379", "'6379'", "6380", "'6380'"] {
            let sql = format!("SELECT count(*) FROM task_changes WHERE {column} = {value}");
            let quoted = format!(
                "SELECT count(*) FROM task_changes WHERE {column} IS '{}'",
                value.trim_matches('\'')
            );
            let count = |sql: &str| {
                archive
                    .query_row(sql, [], |row| row.get::<_, u32>(0))
                    .unwrap()
            };
            assert_eq!(count(&sql), count(&quoted), "{sql}");
        }
    }
}
