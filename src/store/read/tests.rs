//! Filters, told by what they exclude, and the plans by which they are answered.

use super::*;
use crate::model::coverage::Window;
use crate::model::time::Timestamp;
use crate::store::error::Kind;
use crate::store::filter::ChangeFilter;
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
    for view in View::ALL {
        let sql = format!("SELECT * FROM {}", view.name());
        let statement = archive.prepare(&sql).unwrap();
        let names: Vec<_> = statement.column_names().collect();
        assert_eq!(names, view.columns());
    }
    let mut names = View::ALL.map(View::name);
    names.sort_unstable();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name";
    let mut statement = archive.prepare(sql).unwrap();
    let views: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(views, names);
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

/// Returns the lines of the query plan that touch the long tables, or sort.
fn plan(archive: &Connection, sql: &str, params: &[Value]) -> String {
    let mut statement = archive
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let lines = statement
        .query_map(params_from_iter(params), |row| row.get::<_, String>(3))
        .unwrap();
    // By the names that the views and the filters give them: task, change, revision.
    let kept = |line: &String| {
        let long = ["t", "c", "r", "cur", "tasks", "changes"];
        let mut words = line.split(' ').skip(1);
        words.next().is_some_and(|word| long.contains(&word)) || line.contains("TEMP")
    };
    let lines: Vec<_> = lines.map(Result::unwrap).filter(kept).collect();
    lines.join("\n")
}

/// The golden archive with some thousand tasks more.
fn large() -> Connection {
    let archive = golden::archive();
    let size = "CREATE TEMP TABLE size AS SELECT 20 AS instances, 20000 AS tasks";
    archive.execute_batch(size).unwrap();
    archive.execute_batch(include_str!("../large.sql")).unwrap();
    archive
}

/// The first page of a view, newest first.
fn page(view: View, condition: Condition) -> Select {
    Select {
        view,
        columns: view.all(),
        condition,
        order: newest_first(view, "created_at"),
        limit: Some(50),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of them are the plans")]
fn filters_and_the_usual_order_are_answered_by_an_index() {
    let archive = large();
    let plan_of = |view: View, filter: &TaskFilter| {
        let condition = match view {
            View::Changes => ChangeFilter {
                tasks: filter.clone(),
                ..ChangeFilter::default()
            }
            .condition(),
            _ => filter.condition(),
        };
        let select = page(view, condition);
        plan(&archive, &select.sql(), select.condition.params())
    };
    let period = TaskFilter {
        created: Created::In(Window {
            since: at("2026-09-01T00:00:00Z"),
            until: at("2026-10-01T00:00:00Z"),
        }),
        ..TaskFilter::default()
    };
    let instance = TaskFilter {
        instances: of(&[FIRST]),
        ..TaskFilter::default()
    };
    let both = TaskFilter {
        instances: of(&[FIRST]),
        ..period.clone()
    };
    let two = TaskFilter {
        instances: of(&[FIRST, SECOND]),
        ..TaskFilter::default()
    };
    let missing = TaskFilter {
        missing: true,
        ..TaskFilter::default()
    };
    let new = TaskFilter {
        new: true,
        ..TaskFilter::default()
    };
    let mut plans = String::new();
    for (name, filter) in [
        ("all", &TaskFilter::default()),
        ("period", &period),
        ("instance", &instance),
        ("instance and period", &both),
        ("two instances", &two),
        ("missing", &missing),
        ("new", &new),
    ] {
        for view in [View::Tasks, View::Changes] {
            let _infallible = writeln!(
                plans,
                "# {name}: {}\n{}",
                view.name(),
                plan_of(view, filter)
            );
        }
    }
    insta::assert_snapshot!(plans, @"
    # all: tasks
    SCAN t USING INDEX task_created
    SEARCH r USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH c USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    # all: changes
    SCAN t USING INDEX task_created
    SEARCH c USING PRIMARY KEY (task_key=?) LEFT-JOIN
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    # period: tasks
    SEARCH t USING INDEX task_created (created_at>? AND created_at<?)
    SEARCH r USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH c USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    # period: changes
    SEARCH t USING INDEX task_created (created_at>? AND created_at<?)
    SEARCH c USING PRIMARY KEY (task_key=?) LEFT-JOIN
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    # instance: tasks
    SEARCH t USING INDEX task_instance (instance_key=?)
    SEARCH r USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH c USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    # instance: changes
    SEARCH t USING INDEX task_instance (instance_key=?)
    SEARCH c USING PRIMARY KEY (task_key=?) LEFT-JOIN
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    # instance and period: tasks
    SEARCH t USING INDEX task_instance (instance_key=? AND created_at>? AND created_at<?)
    SEARCH r USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH c USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    # instance and period: changes
    SEARCH t USING INDEX task_instance (instance_key=? AND created_at>? AND created_at<?)
    SEARCH c USING PRIMARY KEY (task_key=?) LEFT-JOIN
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    # two instances: tasks
    SEARCH t USING INDEX task_instance (instance_key=?)
    SEARCH r USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH c USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    USE TEMP B-TREE FOR ORDER BY
    # two instances: changes
    SEARCH t USING INDEX task_instance (instance_key=?)
    SEARCH c USING PRIMARY KEY (task_key=?) LEFT-JOIN
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    USE TEMP B-TREE FOR ORDER BY
    # missing: tasks
    SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
    SCAN t USING INDEX task_missing
    SEARCH r USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH c USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    USE TEMP B-TREE FOR ORDER BY
    # missing: changes
    SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
    SCAN t USING INDEX task_missing
    SEARCH c USING PRIMARY KEY (task_key=?) LEFT-JOIN
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    USE TEMP B-TREE FOR ORDER BY
    # new: tasks
    SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH t USING COVERING INDEX task_first (first_walk=?)
    SEARCH r USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH c USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    USE TEMP B-TREE FOR ORDER BY
    # new: changes
    SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH t USING COVERING INDEX task_first (first_walk=?)
    SEARCH c USING PRIMARY KEY (task_key=?) LEFT-JOIN
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH cur USING INTEGER PRIMARY KEY (rowid=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[test]
fn what_the_contract_says_of_indexes_holds_for_every_view() {
    let archive = large();
    let mut plans = String::new();
    for sql in [
        "SELECT * FROM tasks WHERE task_id = 'a'",
        "SELECT * FROM tasks WHERE instance_id = 'a'",
        "SELECT * FROM tasks WHERE created_at >= '2026' AND created_at < '2027'",
        "SELECT * FROM tasks WHERE updated_at >= '2026'",
        "SELECT * FROM tasks WHERE task_key = 1",
        "SELECT * FROM changes WHERE task_id = 'a'",
        "SELECT * FROM changes WHERE instance_id = 'a'",
        "SELECT * FROM changes WHERE created_at >= '2026'",
        "SELECT * FROM changes WHERE updated_at >= '2026'",
        "SELECT * FROM task_changes WHERE task_id = 'a'",
        "SELECT * FROM task_changes WHERE instance_id = 'a'",
        "SELECT * FROM task_revisions WHERE task_id = 'a'",
        "SELECT * FROM task_revisions WHERE instance_id = 'a'",
        "SELECT task_key, new_capacity FROM task_details WHERE task_id = 'a'",
        "SELECT task_key FROM task_details WHERE instance_id = 'a'",
        "SELECT * FROM tasks x JOIN task_changes y USING (task_key) WHERE x.task_id = 'a'",
        "SELECT * FROM tasks x JOIN task_revisions y USING (task_key) WHERE x.task_id = 'a'",
        "SELECT x.name, y.new_port FROM tasks x JOIN task_details y USING (task_key) WHERE x.task_id = 'a'",
        "SELECT * FROM tasks x JOIN changes y USING (task_key) WHERE x.task_id = 'a'",
    ] {
        let plan = plan(&archive, sql, &[]);
        assert!(!plan.contains("SCAN"), "{sql}: {plan}");
        assert!(!plan.is_empty(), "{sql}");
        let _infallible = writeln!(plans, "# {sql}\n{plan}");
    }
    assert!(!plans.contains("TEMP"), "{plans}");
}

#[test]
fn a_task_is_looked_up_and_read_without_a_search() {
    let archive = large();
    for condition in [
        Condition::default().and_id("a"),
        Condition::default().and_id("a").and_among(&of(&[FIRST])),
        Condition::default().and_id_begins("a"),
        Condition::default()
            .and_id_begins("a")
            .and_among(&of(&[FIRST])),
    ] {
        let select = Select {
            order: None,
            limit: None,
            ..page(View::Tasks, condition)
        };
        let plan = plan(&archive, &select.sql(), select.condition.params());
        assert!(
            plan.contains("USING INDEX task_identity (task_id"),
            "{plan}"
        );
    }
    for view in [
        View::Tasks,
        View::Details,
        View::TaskChanges,
        View::Revisions,
    ] {
        let select = Select {
            view,
            columns: view.all(),
            condition: Condition::of_task(1),
            order: None,
            limit: None,
        };
        let plan = plan(&archive, &select.sql(), select.condition.params());
        assert!(
            plan.starts_with("SEARCH t USING INTEGER PRIMARY KEY") && !plan.contains("SCAN"),
            "{plan}"
        );
    }
    let ledger = Select {
        order: newest_first(View::Walks, "walk_id"),
        limit: Some(50),
        view: View::Walks,
        columns: View::Walks.all(),
        condition: Condition::default(),
    };
    let plan = plan(&archive, &ledger.sql(), &[]);
    assert!(
        !plan.contains("TEMP"),
        "the ledger is read from its end, without a sort: {plan}"
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

#[test]
fn changes_come_newest_first_and_in_the_order_of_their_names_within_a_task() {
    let archive = golden::archive();
    let columns = |select: &Select| -> Vec<String> {
        let rows = rows(&archive, select).unwrap();
        let cell = |value: &Value| match value {
            Value::Integer(key) => key.to_string(),
            Value::Text(text) => text.clone(),
            _ => "-".to_owned(),
        };
        rows.iter()
            .map(|row| format!("{} {}", cell(&row[0]), cell(&row[1])))
            .collect()
    };
    let mut select = Select {
        columns: vec![
            View::Changes.column("task_key").unwrap(),
            View::Changes.column("attribute").unwrap(),
        ],
        ..page(View::Changes, ChangeFilter::default().condition())
    };
    let newest = [
        "8 -",
        "2 enable_public_ip",
        "4 port",
        "3 note",
        "1 capacity",
        "1 port",
        "1 note",
        "5 -",
        "6 -",
    ];
    assert_eq!(columns(&select), newest);
    select.order = Some(Order {
        descending: false,
        ..select.order.unwrap()
    });
    let oldest = [
        "5 -",
        "1 capacity",
        "1 port",
        "1 note",
        "3 note",
        "4 port",
        "2 enable_public_ip",
        "8 -",
        "6 -",
    ];
    assert_eq!(columns(&select), oldest);
}
