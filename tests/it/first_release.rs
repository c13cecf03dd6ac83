//! An archive that the first release wrote, in the hands of today's program: it is read, verified against the head that was
//! written then, brought up to date, rebuilt, and added to. `tests/fixtures/first-release.sql` says what is in it.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::env::Program;
use crate::support::fake_api::{FakeApi, list};
use crate::support::task;

const FIRST_RELEASE: &str = include_str!("../fixtures/first-release.sql");

/// What the last sync that ended left as the head of the hash chain.
const HEAD: &str = "62c43141aef85d1c6d6f9cadda7550e2493e290b8258c1b51abf6e7f89a355a2";

const ONE: &str = "11111111-0000-4000-8000-000000000001";

fn program() -> Program {
    let program = Program::new();
    let archive = Connection::open(program.db()).unwrap();
    archive.execute_batch(FIRST_RELEASE).unwrap();
    drop(archive);
    program
}

/// What `verify` says of the archive, held against the head of then: whether it holds, and its notes.
#[track_caller]
fn holds(program: &Program) -> Vec<String> {
    let outcome = program.run(&["verify", "--head", HEAD, "-o", "json"]);
    outcome.expect_code(0);
    let told: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(told[0]["result"], "everything holds");
    let findings = told[0]["findings"].as_array().unwrap().iter();
    let named = findings.map(|found| {
        let (kind, place) = (found["kind"].as_str(), found["place"].as_str());
        format!("{}: {}", kind.unwrap(), place.unwrap())
    });
    named.collect()
}

/// How many rows each view shows.
const COUNTS: [(&str, i64); 9] = [
    ("tasks", 14),
    ("task_changes", 59),
    ("task_revisions", 17),
    ("instances", 3),
    ("instance_revisions", 5),
    ("syncs", 7),
    ("walks", 14),
    ("rejected", 2),
    ("drift", 21),
];

#[test]
fn it_is_read_as_it_was_written() {
    let program = program();
    for line in [
        "list",
        "changes",
        "instances",
        "instances --history",
        "stats",
        "coverage --walks",
        "coverage --drift",
        "state --breaks",
        "show task-2",
        "sql SELECT(1)",
    ] {
        program
            .run(&line.split(' ').collect::<Vec<_>>())
            .expect_code(0);
    }
    for (view, count) in COUNTS {
        let sql = format!("SELECT count(*) FROM {view}");
        assert_eq!(program.number(&sql), count, "{view}");
    }
    let missing = "SELECT task_id || ' ' || missing_as || ' ' || (missing_confirmed_at IS NOT NULL) FROM tasks
         WHERE missing_since IS NOT NULL ORDER BY task_id";
    let expected = [
        "a0000000000000000000000000000005 removed 1",
        "b0000000000000000000000000000003 aged_out 0",
    ];
    assert_eq!(program.rows(missing), expected);
    let gone = "SELECT instance_id FROM instances WHERE gone_at IS NOT NULL";
    assert_eq!(program.rows(gone), ["22222222-0000-4000-8000-000000000002"]);
    let notes = holds(&program);
    assert!(notes.contains(&format!("head: {HEAD}")), "{notes:?}");
    assert!(notes.contains(&"chain: sync 7".to_owned()), "{notes:?}");
}

#[test]
fn it_is_rebuilt_and_what_a_kill_left_is_closed() {
    let program = program();
    // What the killed sync had read of a known task shows as soon as its walk is closed.
    let shown =
        "SELECT * FROM tasks WHERE task_id <> 'b0000000000000000000000000000004' ORDER BY task_key";
    let seen = "SELECT revisions FROM tasks WHERE task_id = 'b0000000000000000000000000000004'";
    let before = program.rows(shown);
    assert_eq!(program.number(seen), 2);
    program.run(&["reprocess"]).expect_code(0);
    assert_eq!(program.rows(shown), before);
    assert_eq!(program.number(seen), 3);
    holds(&program);
}

#[test]
fn it_is_added_to() {
    let program = program();
    let mut record = task("task-new", 1, "SUCCESS");
    record["created_at"] = json!("2026-03-30T00:00:00.000Z");
    record["updated_at"] = json!("2026-03-30T00:01:00.000Z");
    let api = FakeApi::start(list(vec![record]));
    program
        .sync_with(&api, &["--instance", ONE, "--accept-endpoint"])
        .expect_code(0);
    let states = "SELECT coalesce(outcome, 'none') FROM syncs ORDER BY sync_id DESC LIMIT 2";
    assert_eq!(program.rows(states), ["complete", "interrupted"]);
    assert_eq!(
        program.number("SELECT count(*) FROM tasks WHERE task_id = 'task-new'"),
        1
    );
    holds(&program);
}
