use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::guard::{FUNCTIONS, guard};
use super::{Answer, Error, Question, ask};
use crate::store::{golden, open};

/// The golden archive as a file of its own.
struct Archive {
    folder: tempfile::TempDir,
}

impl Archive {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        golden::create(&folder.path().join("history.db"));
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn open(&self) -> Connection {
        open::readable(&self.path()).unwrap()
    }

    fn ask(&self, sql: &str, params: &[(&str, Value)]) -> Result<Answer, Error> {
        let named = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let question = Question {
            sql: sql.to_owned(),
            params: named.collect(),
            time: Duration::from_mins(1),
        };
        ask(self.open(), question)
    }

    fn rows(&self, sql: &str, params: &[(&str, Value)]) -> Result<Vec<Vec<Value>>, Error> {
        let mut answer = self.ask(sql, params)?;
        let mut rows = Vec::new();
        while let Some(row) = answer.next()? {
            rows.push(row);
        }
        Ok(rows)
    }

    #[track_caller]
    fn refusal(&self, sql: &str, params: &[(&str, Value)]) -> String {
        let error = self.rows(sql, params).unwrap_err();
        format!("{error}; {}", error.hints().join("; "))
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn every_view_answers_however_it_is_asked() {
    let archive = Archive::new();
    let plain = Connection::open(archive.path()).unwrap();
    let mut views = plain
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'view'")
        .unwrap();
    let views: Vec<String> = views
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(views.len() >= 9, "{views:?}");
    for view in views {
        // However SQLite merges a view into the query around it, its tables are reached through it.
        for sql in [
            "SELECT * FROM {}",
            "SELECT count(*) FROM {}",
            "SELECT count(*) FROM main.{} AS x",
            "SELECT 1 FROM {} LIMIT 1",
            "SELECT count(*) FROM (SELECT 1 FROM {})",
            "SELECT count(*) FROM {} JOIN tasks",
            "SELECT * FROM tasks LEFT JOIN {} AS x ON 1 LIMIT 1",
            "SELECT max(n) FROM (SELECT row_number() OVER () AS n FROM {})",
            "WITH x AS (SELECT * FROM {}) SELECT count(*) FROM x",
            "WITH x AS MATERIALIZED (SELECT * FROM {}) SELECT * FROM x, x AS y LIMIT 1",
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM {}) OR 1 IN (SELECT 1 FROM {})",
            "SELECT (SELECT count(*) FROM {} AS x) FROM {}",
            "SELECT 1 FROM {} UNION SELECT 2 FROM {} ORDER BY 1",
            "EXPLAIN QUERY PLAN SELECT * FROM {}",
        ] {
            let sql = sql.replace("{}", &view);
            let expected = {
                let mut statement = plain.prepare(&sql).unwrap();
                let mut rows = statement.query([]).unwrap();
                let mut count = 0;
                while rows.next().unwrap().is_some() {
                    count += 1;
                }
                count
            };
            let rows = archive
                .rows(&sql, &[])
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert_eq!(rows.len(), expected, "{sql}");
        }
    }
}

#[test]
fn the_tables_beneath_are_refused_and_the_views_named() {
    let archive = Archive::new();
    for (sql, table) in [
        ("SELECT * FROM task", "task"),
        ("SELECT count(*) FROM task", "task"),
        ("SELECT count(*) FROM TASK", "TASK"),
        ("SELECT raw FROM main.revision", "revision"),
        ("SELECT * FROM tasks, pending", "pending"),
        ("SELECT (SELECT host FROM project) FROM tasks", "project"),
        ("WITH x AS (SELECT * FROM walk) SELECT * FROM x", "walk"),
        (
            "SELECT * FROM refinery_schema_history",
            "refinery_schema_history",
        ),
        (
            "SELECT * FROM pragma_table_info('tasks')",
            "pragma_table_info",
        ),
        (
            "SELECT count(*) FROM pragma_database_list",
            "pragma_database_list",
        ),
        (
            "SELECT count(*) FROM pragma_compile_options",
            "pragma_compile_options",
        ),
        ("SELECT * FROM dbstat", "dbstat"),
        ("SELECT count(*) FROM dbstat", "dbstat"),
        ("SELECT count(*) FROM main.dbstat", "dbstat"),
    ] {
        let refusal = archive.refusal(sql, &[]);
        assert!(
            refusal.starts_with(&format!("{table:?} is not one of the views; ")),
            "{sql}: {refusal}"
        );
        assert!(
            refusal.contains("the views are changes, drift, instance_revisions, instances, "),
            "{sql}: {refusal}"
        );
    }
}

#[test]
fn what_stands_beside_the_views_can_be_read() {
    let archive = Archive::new();
    let one = |sql: &str| {
        let rows = archive
            .rows(sql, &[])
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows[0][0].clone()
    };
    assert_eq!(
        one("SELECT name FROM sqlite_schema WHERE name = 'tasks'"),
        text("tasks")
    );
    assert_eq!(
        one("SELECT name FROM sqlite_master WHERE name = 'tasks'"),
        text("tasks")
    );
    assert_eq!(
        one("SELECT count(*) > 9 FROM sqlite_schema"),
        Value::Integer(1)
    );
    assert_eq!(one("SELECT value FROM json_each('[7]')"), Value::Integer(7));
    assert_eq!(
        one("SELECT count(*) FROM json_tree('[7]')"),
        Value::Integer(2)
    );
    assert_eq!(
        one("WITH x AS (SELECT 1) SELECT count(*) FROM x"),
        Value::Integer(1)
    );
    assert_eq!(one("VALUES (1), (2)"), Value::Integer(1));
    assert_eq!(one("SELECT 1; -- and no more"), Value::Integer(1));
    let sums = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10) SELECT sum(i) FROM n";
    assert_eq!(one(sums), Value::Integer(55));
}

/// A later version of SQLite may bring more: each is to be looked at before it is allowed or added here.
#[test]
fn every_function_of_sqlite_is_allowed_or_refused_for_a_reason() {
    #[rustfmt::skip]
    let refused = [
        // They load or reach code by an address.
        "load_extension", "fts3_tokenizer",
        // They tell of the connection, or write to its log.
        "changes", "last_insert_rowid", "total_changes", "sqlite_compileoption_get", "sqlite_compileoption_used", "sqlite_log",
        "sqlite_source_id", "subtype",
        // They belong to indexes that an archive does not have.
        "bm25", "fts5", "fts5_get_locale", "fts5_insttoken", "fts5_locale", "fts5_source_id", "highlight", "match", "matchinfo", "offsets",
        "optimize", "rtreecheck", "rtreedepth", "rtreenode", "snippet",
    ];
    let plain = Connection::open_in_memory().unwrap();
    let mut names = plain
        .prepare("SELECT DISTINCT name FROM pragma_function_list")
        .unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut count = 0;
    for name in names.map(Result::unwrap) {
        let is_allowed = FUNCTIONS.iter().any(|kind| kind.contains(&&*name));
        assert_ne!(is_allowed, refused.contains(&&*name), "{name}");
        count += 1;
    }
    assert!(count > 100, "{count}");
}

#[test]
fn a_parameter_is_bound_by_its_name_and_none_is_left_without_a_value() {
    let archive = Archive::new();
    let rows = archive.rows(
        "SELECT :a, @a, $b, typeof(:a), typeof($b)",
        &[("a", Value::Integer(8)), ("b", text("8"))],
    );
    let expected = [
        Value::Integer(8),
        Value::Integer(8),
        text("8"),
        text("integer"),
        text("text"),
    ];
    assert_eq!(rows.unwrap(), [expected.to_vec()]);
    let rows = archive.rows("SELECT ?1", &[("1", text("x"))]).unwrap();
    assert_eq!(rows, [[text("x")]]);
    for (sql, params, part) in [
        (
            "SELECT :a",
            &[][..],
            "the parameter :a has no value; give it one with `-p NAME=VALUE`",
        ),
        (
            "SELECT :a",
            &[("A", Value::Null)],
            "the parameter :a has no value",
        ),
        (
            "SELECT ':a'",
            &[("a", Value::Null)],
            "the value \"a\" is for no parameter of the query; a parameter stands",
        ),
        ("SELECT ?", &[], "a parameter has no name; write :name"),
        (
            "SELECT ?99999",
            &[],
            "variable number must be between ?1 and ?1000",
        ),
    ] {
        let refusal = archive.refusal(sql, params);
        assert!(refusal.contains(part), "{sql}: {refusal}");
    }
}

#[test]
fn what_sqlite_does_not_understand_is_told_with_its_place_and_what_there_is() {
    let archive = Archive::new();
    for (sql, part) in [
        (
            "SELEC 1",
            r#"near "SELEC": syntax error (line 1, column 1)"#,
        ),
        (
            "SELECT *\nFROM tasks\nWERE 1",
            r#"near "1": syntax error (line 3, column 6)"#,
        ),
        (
            "SELECT 'ü', nam FROM tasks",
            "no such column: nam (line 1, column 13); tasks has the columns task_key, project_id",
        ),
        (
            "SELECT \"nam\" FROM walks",
            "walks has the columns walk_id, sync_id",
        ),
        (
            "SELECT x",
            "no such column: x (line 1, column 8); the views are changes, drift",
        ),
        (
            "SELECT * FROM task_change",
            "no such table: task_change; the views are changes, drift, instance_revisions, instances, rejected, syncs, task_changes",
        ),
        (
            "SELECT readfile('/etc/passwd')",
            "no such function: readfile (line 1, column 8); there are SQLite's own functions",
        ),
        ("SELECT 'abc", "unrecognized token: \"'abc\""),
        ("SELECT json('x')", "malformed JSON"),
        ("SELECT abs(-9223372036854775808)", "integer overflow"),
        (
            "SELECT 1; SELEC 2",
            r#"near "SELEC": syntax error (line 1, column 11)"#,
        ),
        (
            "SELECT 1; SELECT 2",
            "there is more than one statement; ask them one at a time",
        ),
        ("SELECT 1\0; SELECT 2", "NUL"),
        ("", "the query is empty"),
        (" ;; ", "the query is empty"),
        ("/* nothing */ -- at all", "the query is empty"),
    ] {
        let refusal = archive.refusal(sql, &[]);
        assert!(refusal.contains(part), "{sql}: {refusal}");
    }
}

#[test]
fn an_answer_that_nobody_wants_ends_the_work_on_it() {
    let archive = Archive::new();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let mut answer = archive.ask(endless, &[]).unwrap();
    assert_eq!(answer.columns, ["i"]);
    for number in 1..=10_000 {
        assert_eq!(answer.next().unwrap(), Some(vec![Value::Integer(number)]));
    }
    // A second one must not have to wait for the first.
    drop(answer);
    assert_eq!(archive.rows("SELECT 1", &[]).unwrap().len(), 1);
}

#[test]
fn a_question_without_an_end_is_given_up_in_time() {
    let archive = Archive::new();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    for sql in [
        format!("{endless} SELECT max(i) FROM n"),
        // Rows come, and then no more.
        format!("SELECT 1 UNION ALL SELECT * FROM ({endless} SELECT i FROM n WHERE i < 0)"),
    ] {
        let time = Duration::from_millis(200);
        let asked = ask(
            archive.open(),
            Question {
                sql: sql.clone(),
                params: Vec::new(),
                time,
            },
        );
        let error = asked.and_then(|mut answer| {
            while answer.next()?.is_some() {}
            Ok(())
        });
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            "there was no answer within 200ms",
            "{sql}"
        );
    }
}

#[test]
fn the_guard_needs_no_authorizer_to_keep_the_archive_as_it_is() {
    let archive = Archive::new();
    let before = fs::read(archive.path()).unwrap();
    let mut connection = archive.open();
    guard(&mut connection).unwrap();
    connection
        .authorizer(None::<fn(rusqlite::hooks::AuthContext<'_>) -> rusqlite::hooks::Authorization>)
        .unwrap();
    let new = archive.folder.path().join("new.db");
    let new = new.to_str().unwrap();
    for sql in [
        "DELETE FROM task".to_owned(),
        "CREATE TABLE x(y)".to_owned(),
        "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema".to_owned(),
        "VACUUM".to_owned(),
        format!("VACUUM INTO '{new}'"),
        format!("ATTACH '{new}' AS new"),
        "ATTACH ':memory:' AS new".to_owned(),
        "SELECT load_extension('x')".to_owned(),
    ] {
        assert!(connection.execute_batch(&sql).is_err(), "{sql}");
    }
    drop(connection);
    assert_eq!(fs::read(archive.path()).unwrap(), before);
    assert!(!fs::exists(new).unwrap());
}
