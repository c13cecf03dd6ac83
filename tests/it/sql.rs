//! `sql` as it is typed, and above all as it should not be: whatever the statement, the archive and the folder stay as they
//! are, and whoever typed it is told what was refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::support::env::{Program, finish};
use super::support::fake_api::{FakeApi, list};
use super::support::outcome::Outcome;
use super::support::{task, tasks};

/// A program with an archive of nine tasks.
fn archive() -> Program {
    let (program, api) = (Program::new(), FakeApi::start(list(tasks(9))));
    program.sync(&api).expect_code(0);
    program
}

/// The name and the bytes of every file of the folder, apart from the index of the log, which every reader writes to.
fn files(program: &Program) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(program.home()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: BTreeMap<_, _> = paths
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.remove(&program.home().join("history.db-shm"));
    // A log without a page in it says as much as none.
    let log = program.home().join("history.db-wal");
    if files.get(&log).is_some_and(Vec::is_empty) {
        files.remove(&log);
    }
    files
}

/// Runs `sql` in the archive's own folder, where a file that a statement makes would be found.
fn sql(program: &Program, args: &[&str], query: Option<&[u8]>) -> Outcome {
    let mut command = program.command(&[&["sql"], args].concat());
    command.current_dir(program.home());
    if query.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().unwrap();
    if let (Some(query), Some(mut input)) = (query, child.stdin.take()) {
        // It need not read a query to its end that is too long.
        let _unread = input.write_all(query);
    }
    let outcome = finish(child);
    program.check_said(&outcome);
    outcome
}

/// Statements that nobody should get an answer to, and what is said about them.
const HOSTILE: &[(&str, &str)] = &[
    // Rows that would be written.
    (
        "INSERT INTO task(task_key) VALUES (1)",
        "INSERT is not allowed",
    ),
    ("INSERT INTO tasks VALUES (1)", "is not allowed"),
    (
        "REPLACE INTO project VALUES (1, 'a', 'b')",
        "INSERT is not allowed",
    ),
    ("UPDATE task SET is_open = 0", "UPDATE is not allowed"),
    (
        "UPDATE tasks SET status = 'SUCCESS'",
        "cannot modify tasks because it is a view",
    ),
    ("DELETE FROM task", "DELETE is not allowed"),
    ("DELETE FROM task RETURNING *", "DELETE is not allowed"),
    (
        "INSERT INTO sync(started, version) VALUES (1, 'x') RETURNING sync_key",
        "INSERT is not allowed",
    ),
    (
        "WITH x AS (SELECT 1) INSERT INTO pending SELECT * FROM x",
        "INSERT is not allowed",
    ),
    (
        "WITH x AS (SELECT 1) DELETE FROM walk",
        "DELETE is not allowed",
    ),
    ("EXPLAIN DELETE FROM task", "DELETE is not allowed"),
    (
        "UPDATE sqlite_schema SET sql = ''",
        "table sqlite_master may not be modified",
    ),
    (
        "DELETE FROM sqlite_schema",
        "table sqlite_master may not be modified",
    ),
    // Schemas that would be changed.
    (
        "DROP TABLE task",
        "changing the schema (CREATE, DROP, ALTER) is not allowed",
    ),
    ("DROP VIEW tasks", "changing the schema"),
    ("CREATE TABLE x(y)", "changing the schema"),
    (
        "CREATE TABLE x AS SELECT * FROM tasks",
        "changing the schema",
    ),
    ("CREATE TEMP TABLE x(y)", "changing the schema"),
    ("CREATE TEMP VIEW x AS SELECT 1", "changing the schema"),
    ("CREATE VIEW x AS SELECT 1", "changing the schema"),
    ("CREATE INDEX x ON task(id)", "changing the schema"),
    (
        "CREATE TRIGGER x AFTER INSERT ON task BEGIN SELECT 1; END",
        "CREATE TRIGGER is not allowed",
    ),
    (
        "CREATE TEMP TRIGGER x INSTEAD OF INSERT ON tasks BEGIN SELECT 1; END",
        "CREATE TRIGGER is not allowed",
    ),
    (
        "CREATE VIRTUAL TABLE x USING fts5(y)",
        "changing the schema",
    ),
    (
        "CREATE VIRTUAL TABLE temp.x USING rtree(a, b, c)",
        "changing the schema",
    ),
    ("ALTER TABLE task RENAME TO x", "is not allowed"),
    ("ALTER TABLE task ADD COLUMN x", "is not allowed"),
    ("REINDEX", "REINDEX is not allowed"),
    ("ANALYZE", "is not allowed"),
    // Files that would be made, read or reached.
    ("VACUUM", "not one that only reads"),
    ("VACUUM INTO 'stolen.db'", "not one that only reads"),
    ("ATTACH 'stolen.db' AS x", "ATTACH is not allowed"),
    ("ATTACH ':memory:' AS x", "ATTACH is not allowed"),
    (
        "ATTACH 'file:stolen.db?mode=rwc' AS x",
        "ATTACH is not allowed",
    ),
    ("DETACH main", "DETACH is not allowed"),
    (
        "SELECT load_extension('stolen')",
        "the function load_extension() is not allowed",
    ),
    (
        "SELECT fts3_tokenizer('simple')",
        "the function fts3_tokenizer() is not allowed",
    ),
    ("SELECT readfile('token')", "no such function: readfile"),
    (
        "SELECT writefile('stolen', 'x')",
        "no such function: writefile",
    ),
    ("SELECT edit('x')", "no such function: edit"),
    (
        "SELECT sqlite_log(1, 'x')",
        "the function sqlite_log() is not allowed",
    ),
    ("SELECT * FROM dbstat", "\"dbstat\" is not one of the views"),
    (
        "SELECT * FROM sqlite_dbpage",
        "no such table: sqlite_dbpage",
    ),
    (
        "SELECT * FROM fts3tokenize('simple', 'x')",
        "\"fts3tokenize\" is not one of the views",
    ),
    ("SELECT * FROM fsdir('/')", "no such table: fsdir"),
    // Settings.
    ("PRAGMA user_version", "PRAGMA user_version is not allowed"),
    (
        "PRAGMA user_version = 9",
        "PRAGMA user_version is not allowed",
    ),
    ("PRAGMA query_only = 0", "PRAGMA query_only is not allowed"),
    (
        "PRAGMA writable_schema = ON",
        "PRAGMA writable_schema is not allowed",
    ),
    (
        "PRAGMA journal_mode = DELETE",
        "PRAGMA journal_mode is not allowed",
    ),
    (
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA wal_checkpoint is not allowed",
    ),
    (
        "PRAGMA temp_store_directory = '.'",
        "PRAGMA temp_store_directory is not allowed",
    ),
    (
        "PRAGMA hard_heap_limit = 0",
        "PRAGMA hard_heap_limit is not allowed",
    ),
    (
        "PRAGMA table_info(tasks)",
        "PRAGMA table_info is not allowed",
    ),
    (
        "SELECT * FROM pragma_table_info('tasks')",
        "\"pragma_table_info\" is not one of the views",
    ),
    (
        "SELECT count(*) FROM pragma_database_list",
        "\"pragma_database_list\" is not one of the views",
    ),
    (
        "SELECT * FROM pragma_optimize",
        "\"pragma_optimize\" is not one of the views",
    ),
    // Transactions.
    (
        "BEGIN IMMEDIATE",
        "BEGIN, COMMIT or ROLLBACK is not allowed",
    ),
    ("COMMIT", "BEGIN, COMMIT or ROLLBACK is not allowed"),
    ("ROLLBACK", "BEGIN, COMMIT or ROLLBACK is not allowed"),
    (
        "SAVEPOINT x",
        "SAVEPOINT, RELEASE or ROLLBACK TO is not allowed",
    ),
    (
        "RELEASE x",
        "SAVEPOINT, RELEASE or ROLLBACK TO is not allowed",
    ),
    // Not one statement.
    ("SELECT 1; SELECT 2", "more than one statement"),
    ("SELECT 1; DROP TABLE task", "is not allowed"),
    ("SELECT 1; ATTACH 'stolen.db' AS x", "ATTACH is not allowed"),
    ("", "the query is empty"),
    (" ; ", "the query is empty"),
    ("/* SELECT 1 */", "the query is empty"),
    // What is no SQL.
    ("SELECT 'abc", "unrecognized token: \"'abc\""),
    (
        "SELECT \"nosuchcolumn\"",
        "no such column: \"nosuchcolumn\"",
    ),
    (
        "SELECT 1 /* \u{1b}]0;title\u{7} */ FRM\u{1b}[2J\u{202e}x",
        "\\u{1b}",
    ),
    (".dump", "near \".\": syntax error"),
    // The program's own tables.
    ("SELECT * FROM task", "\"task\" is not one of the views"),
    (
        "SELECT count(*) FROM revision",
        "\"revision\" is not one of the views",
    ),
    // More than a machine has.
    (
        "SELECT group_concat(hex(zeroblob(1000000))) FROM tasks a, tasks b",
        "a text is longer than 64 MiB",
    ),
    (
        "SELECT zeroblob(2000000000)",
        "a text is longer than 64 MiB",
    ),
    (
        "SELECT randomblob(2000000000)",
        "a text is longer than 64 MiB",
    ),
    (
        "SELECT printf('%.*c', 1000000000, 'x')",
        "a text is longer than 64 MiB",
    ),
    (
        "SELECT hex(hex(hex(hex(zeroblob(5000000)))))",
        "a text is longer than 64 MiB",
    ),
    (
        "SELECT replace(hex(zeroblob(30000)), '0', hex(zeroblob(30000)))",
        "a text is longer than 64 MiB",
    ),
    (
        "SELECT zeroblob(40000000), zeroblob(40000000)",
        "a row is longer than 64 MiB",
    ),
    (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) SELECT json_group_array(hex(zeroblob(100000))) FROM n",
        "a text is longer than 64 MiB",
    ),
    (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT randomblob(1000000) AS x FROM n ORDER BY x",
        "more than 512 MiB of memory",
    ),
    (
        "SELECT count(DISTINCT randomblob(1000000) || a.task_key) FROM task_changes a, task_changes b, task_changes c, task_changes d, task_changes e",
        "more than 512 MiB of memory",
    ),
    (
        "SELECT 'x' LIKE hex(zeroblob(10000))",
        "pattern too complex",
    ),
];

#[test]
fn no_statement_changes_the_archive_or_the_folder_and_each_refusal_is_told() {
    let program = archive();
    let before = files(&program);
    let mut faults = Vec::new();
    for (query, part) in HOSTILE {
        let outcome = sql(&program, &["-"], Some(query.as_bytes()));
        let said = outcome
            .err
            .strip_prefix("error: cannot answer the query\n  caused by: ");
        let is_told = said.is_some_and(|said| said.contains(part));
        let is_harmless = !outcome
            .err
            .chars()
            .any(|letter| letter != '\n' && letter.is_control())
            && !outcome.err.contains('\u{202e}');
        if outcome.code != Some(2) || !outcome.out.is_empty() || !is_told || !is_harmless {
            faults.push(format!("{query}: {outcome:#?}"));
        }
        assert!(files(&program) == before, "{query} has changed a file");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(HOSTILE.len() >= 80, "{}", HOSTILE.len());
    program.check_archive();
}

#[test]
fn what_is_too_long_or_too_deep_is_refused() {
    let program = archive();
    let before = files(&program);
    let nested = |open: &str, close: &str, times: usize| {
        format!("SELECT {}1{}", open.repeat(times), close.repeat(times))
    };
    let from = |times: usize| {
        format!(
            "{}SELECT 1{}",
            "SELECT * FROM (".repeat(times),
            ")".repeat(times)
        )
    };
    let chain = |times: usize| format!("SELECT 1{}", " + 1".repeat(times));
    for (query, part) in [
        (
            format!("SELECT 1 --{}", "x".repeat(1_000_000)),
            "longer than 1000000 bytes",
        ),
        (format!("SELECT 1{}", ", 1".repeat(600)), "too many columns"),
        (
            format!("SELECT 1{}", " UNION SELECT 1".repeat(600)),
            "too many terms",
        ),
        (
            format!("SELECT max(1{})", ", 1".repeat(200)),
            "too many arguments",
        ),
        (nested("(", ")", 100_000), "Recursion limit"),
        (
            nested("(SELECT ", ")", 100),
            "too large (maximum depth 1000)",
        ),
        (nested("(SELECT ", ")", 50_000), "Recursion limit"),
        (nested("NOT ", "", 200_000), "Recursion limit"),
        (nested("abs(", ")", 990), "Recursion limit"),
        (chain(5_000), "too large (maximum depth 1000)"),
        (from(50_000), "Recursion limit"),
        (
            format!(
                "SELECT json('{}{}')",
                "[".repeat(100_000),
                "]".repeat(100_000)
            ),
            "malformed JSON",
        ),
        ("SELECT 1\0; DROP TABLE task".to_owned(), "NUL"),
    ] {
        let start: String = query.chars().take(60).collect();
        let outcome = sql(&program, &["-"], Some(query.as_bytes()));
        assert_eq!(outcome.code, Some(2), "{start}: {outcome:#?}");
        assert!(outcome.err.contains(part), "{start}: {outcome:#?}");
    }
    // As deep as is allowed, nothing overflows.
    for query in [
        nested("(", ")", 300),
        nested("(SELECT ", ")", 40),
        nested("NOT ", "", 450),
        chain(900),
        from(150),
    ] {
        let start: String = query.chars().take(60).collect();
        let outcome = sql(&program, &["--no-header", "-"], Some(query.as_bytes()));
        assert_eq!(outcome.code, Some(0), "{start}: {outcome:#?}");
    }
    let outcome = sql(&program, &["-"], Some(b"SELECT '\xff'"));
    outcome.expect_code(2).expect_said(&["not UTF-8"]);
    assert!(files(&program) == before);
}

#[test]
fn a_query_that_does_not_end_is_given_up() {
    let program = archive();
    let before = files(&program);
    for query in [
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        "SELECT count(*) FROM task_changes a, task_changes b, task_changes c, task_changes d, task_changes e, task_changes f, task_changes g, task_changes h",
        // One call of one function, in which SQLite listens to nobody.
        "SELECT instr(hex(zeroblob(30000000)), hex(zeroblob(15000000)) || '1')",
    ] {
        let outcome = sql(&program, &["--deadline", "500ms", query], None);
        outcome.expect_code(2);
        outcome.expect_said(&[
            "no answer within 500ms",
            "hint: ask for less, or allow more with `--deadline`",
        ]);
    }
    let mut command = program.command(&[
        "sql",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n",
    ]);
    let outcome = finish(
        command
            .env("DCS_HISTORY_DEADLINE", "300ms")
            .spawn()
            .unwrap(),
    );
    outcome
        .expect_code(2)
        .expect_said(&["no answer within 300ms"]);
    for wrong in ["0s", "x", "-1s"] {
        let timeout = format!("--deadline={wrong}");
        sql(&program, &[&timeout, "SELECT 1"], None).expect_code(2);
    }
    assert!(files(&program) == before);
}

#[test]
fn a_hostile_archive_is_refused_before_its_schema_can_do_anything() {
    for change in [
        "CREATE VIEW instances_2 AS SELECT load_extension('x')",
        "CREATE TRIGGER x AFTER INSERT ON task BEGIN DELETE FROM task; END",
        "CREATE TABLE extra(x)",
        "DROP VIEW drift; CREATE VIEW drift AS SELECT readfile('/etc/passwd') AS sample",
    ] {
        let program = archive();
        Connection::open(program.db())
            .unwrap()
            .execute_batch(change)
            .unwrap();
        let outcome = sql(&program, &["SELECT 1"], None);
        outcome
            .expect_code(6)
            .expect_said(&["cannot use the archive"]);
    }
    let program = Program::new();
    sql(&program, &["SELECT 1"], None)
        .expect_code(6)
        .expect_said(&["there is no archive there yet"]);
    fs::write(program.db(), "no archive").unwrap();
    sql(&program, &["SELECT 1"], None).expect_code(6);
}

#[test]
fn every_format_has_all_values_and_columns_of_one_name_keep_theirs() {
    let program = archive();
    let query = "SELECT 1 AS a, 'x' AS a, :v AS b, NULL AS c, 0.5 AS d, x'ff41' AS e";
    let out = |args: &[&str]| {
        let outcome = sql(&program, &[&["-p", "v=8", query], args].concat(), None);
        outcome.expect_code(0);
        outcome.out
    };
    let parsed: Value = serde_json::from_str(&out(&["-o", "json"])).unwrap();
    let expected = json!([{"a": 1, "a_2": "x", "b": 8, "c": null, "d": 0.5, "e": "\u{fffd}A"}]);
    assert_eq!(parsed, expected);
    assert_eq!(
        out(&["-o", "jsonl", "--columns", "a_2,b"]),
        "{\"a_2\":\"x\",\"b\":8}\n"
    );
    assert_eq!(out(&["-o", "csv", "--columns", "b,a"]), "b,a\n8,1\n");
    assert_eq!(
        out(&["-o", "csv", "--columns", "d", "--no-header"]),
        "0.5\n"
    );
    assert_eq!(
        out(&[]),
        "a  a_2  b  c    d  e\n1  x    8  -  0.5  \u{fffd}A\n"
    );
    let outcome = sql(
        &program,
        &["--columns", "a,nam", "SELECT 1 AS a, 2 AS name"],
        None,
    );
    outcome.expect_code(2).expect_said(&[
        "the answer has no column \"nam\"",
        "hint: its columns are a, name",
    ]);
}

#[test]
fn rows_are_limited_parameters_bound_and_an_empty_answer_is_none() {
    let program = archive();
    let run = |args: &[&str], code: i32| {
        let outcome = sql(&program, args, None);
        outcome.expect_code(code);
        outcome
    };
    let ids = "SELECT task_id FROM tasks ORDER BY task_id";
    assert_eq!(
        run(&["--no-header", "-n", "2", ids], 0).out,
        "task-0001\ntask-0002\n"
    );
    assert_eq!(
        run(&["--no-header", "-n", "0", ids], 0).out.lines().count(),
        9
    );
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    assert_eq!(
        run(&["--no-header", "-n", "3", "-o", "csv", endless], 0).out,
        "1\n2\n3\n"
    );

    let by = "SELECT count(*) AS n FROM tasks WHERE user_name = :user AND created_at >= $since";
    let bound = [
        "--no-header",
        "-p",
        "user=dora",
        "--param",
        "since=2026-03-01T00:05:00.000Z",
        by,
    ];
    assert_eq!(run(&bound, 0).out, "5\n");
    // What is bound is a value and never SQL.
    let hostile = ["--no-header", "-p", "user=' OR 1=1 --", "-p", "since=", by];
    assert_eq!(run(&hostile, 0).out, "0\n");
    run(&[by], 2).expect_said(&["the parameter :user has no value"]);
    run(&["-p", "x=1", "SELECT 1"], 2).expect_said(&["\"x\" is for no parameter"]);
    run(&["-p", "x=1", "-p", "x=2", "SELECT :x"], 2)
        .expect_said(&["two values for the parameter \"x\""]);
    run(&["-p", "x", "SELECT :x"], 2).expect_said(&["write NAME=VALUE"]);

    let none = run(&["SELECT * FROM tasks WHERE 0"], 0);
    assert_eq!((none.out.as_str(), none.err.as_str()), ("", "no rows\n"));
    let none = run(&["-o", "json", "SELECT * FROM tasks WHERE 0"], 0);
    assert_eq!((none.out.as_str(), none.err.as_str()), ("[]\n", ""));
}

#[test]
fn what_the_cloud_sent_is_data_and_answers_come_while_a_sync_writes() {
    let program = Program::new();
    let mut record = task("evil", 1, "SUCCESS");
    record["user_name"] = json!("=cmd\u{1b}[2J\u{202e}");
    let api = FakeApi::start(list(vec![record]));
    program.sync(&api).expect_code(0);
    let name = "SELECT user_name FROM tasks";
    // A writer in the middle of its work keeps no reader waiting.
    let writer = Connection::open(program.db()).unwrap();
    writer
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM change;")
        .unwrap();
    let table = sql(&program, &["--no-header", name], None);
    table.expect_code(0);
    assert_eq!(table.out, "=cmd\\u{1b}[2J\\u{202e}\n");
    let csv = sql(&program, &["-o", "csv", "--no-header", name], None);
    assert!(
        csv.out.starts_with("'=cmd") || csv.out.starts_with("\"'=cmd"),
        "{csv:#?}"
    );
    let json = sql(&program, &["-o", "jsonl", name], None);
    assert_eq!(json.out, "{\"user_name\":\"=cmd\\u001b[2J\\u202e\"}\n");
}
