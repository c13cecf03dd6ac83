//! `stats`, typed by a user after a sync: groups, counts and durations, days in a zone, and what is refused.

use serde_json::{Value, json};

use crate::support::env::Program;
use crate::support::fake_api::{FakeApi, list};
use crate::support::outcome::Outcome;
use crate::support::task;

/// A task that took so many seconds.
fn took(id: &str, minute: u32, status: &str, seconds: u32) -> Value {
    let mut task = task(id, minute, status);
    task["updated_at"] = json!(format!(
        "2026-03-01T{:02}:{:02}:{seconds:02}.000Z",
        minute / 60,
        minute % 60
    ));
    task
}

/// A program that has read resizes of which one failed and one runs, two switches late in the evening, and a record from
/// the far future.
fn synced() -> Program {
    let named = |mut task: Value, name: &str| {
        task["name"] = json!(name);
        task["user_name"] = json!("eve");
        task
    };
    let mut absurd = task("absurd", 5, "SUCCESS");
    absurd["updated_at"] = json!("9999-01-01T00:00:00.000Z");
    let records = vec![
        named(took("late-2", 1_439, "SUCCESS", 9), "masterStandbySwapJob"),
        named(took("late-1", 1_438, "CANCELED", 1), "masterStandbySwapJob"),
        took("running", 6, "EXECUTING", 3),
        absurd,
        took("failed", 4, "FAILED", 50),
        took("third", 3, "SUCCESS", 30),
        took("second", 2, "SUCCESS", 20),
        took("first", 1, "SUCCESS", 10),
    ];
    let program = Program::new();
    let api = FakeApi::start(list(records));
    program.sync(&api).expect_code(0);
    program
}

#[track_caller]
fn ask(program: &Program, line: &str) -> Outcome {
    let outcome = program.run(&line.split(' ').collect::<Vec<_>>());
    outcome.expect_code(0);
    assert_eq!(outcome.err, "", "{line}");
    outcome
}

#[test]
fn tasks_are_counted_and_timed_by_what_was_asked_for() {
    let program = synced();
    let rows: Value = serde_json::from_str(&ask(&program, "stats -o json").out).unwrap();
    assert_eq!(
        rows,
        json!([
            {"name": "EXTEND", "operation": "specification changed", "tasks": 6, "succeeded": 4, "failed": 1, "open": 1,
             "missing": 0, "timed": 4, "median_ms": 20_000, "p95_ms": 50_000, "max_ms": 50_000},
            {"name": "masterStandbySwapJob", "operation": "master/standby switched", "tasks": 2, "succeeded": 1, "failed": 0,
             "open": 0, "missing": 0, "timed": 2, "median_ms": 1_000, "p95_ms": 9_000, "max_ms": 9_000},
        ])
    );
    let rows = ask(
        &program,
        "stats --by user,status -o csv --columns user_name,status,tasks",
    )
    .out;
    assert_eq!(
        rows,
        "user_name,status,tasks\ndora,SUCCESS,4\ndora,EXECUTING,1\ndora,FAILED,1\neve,CANCELED,1\neve,SUCCESS,1\n"
    );
    let rows = ask(
        &program,
        "stats --status success --by instance -o csv --columns tasks,max_ms",
    );
    assert_eq!(rows.out, "tasks,max_ms\n5,30000\n");
    let sorted = "stats --by status -o csv --columns status --sort tasks --no-header -n 2";
    assert_eq!(ask(&program, sorted).out, "CANCELED\nEXECUTING\n");
}

#[test]
fn days_are_cut_where_people_live_and_data_stays_utc() {
    let program = synced();
    let table = ask(&program, "stats --by day --tz +01:00").out;
    let days: Vec<_> = table.lines().map(|line| &line[..17]).collect();
    assert_eq!(
        days,
        [
            "day         tasks",
            "2026-03-02      2",
            "2026-03-01      6"
        ]
    );
    for (key, name) in [
        ("day", "2026-03-01"),
        ("week", "2026-W09"),
        ("month", "2026-03"),
    ] {
        let line = format!("stats --by {key} --tz +01:00 -o csv --columns {key},tasks");
        assert_eq!(ask(&program, &line).out, format!("{key},tasks\n{name},8\n"));
    }
}

#[test]
fn what_no_longer_is_listed_is_counted_and_said() {
    let program = synced();
    // A proven full walk that lacks most of them.
    let api = FakeApi::start(list(vec![took("first", 1, "SUCCESS", 10)]));
    program.sync_with(&api, &["--mode", "full", "--accept-endpoint"]);
    let outcome = program.run(&["stats"]);
    outcome.expect_code(0);
    outcome.expect_said(&["7 of these tasks are no longer listed by the cloud, and counted here"]);
    let row: Vec<_> = outcome
        .out
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(&row[3..7], ["6", "1", "1", "5"], "{}", outcome.out);
    let json = ask(&program, "stats --missing -o jsonl --columns tasks,missing");
    assert_eq!(
        json.out,
        "{\"tasks\":5,\"missing\":5}\n{\"tasks\":2,\"missing\":2}\n"
    );
}

#[test]
fn a_key_too_many_and_a_wrong_column_are_refused() {
    let program = synced();
    let cases = [
        ("stats --by day,week,month", "at most 2 keys"),
        ("stats --by day --by day", "given twice"),
        ("stats --by hour", "month"),
        (
            "stats --by status --columns name",
            "the columns are status, tasks",
        ),
        (
            "stats --by status --sort name",
            "the columns are status, tasks",
        ),
    ];
    for (line, said) in cases {
        let outcome = program.run(&line.split(' ').collect::<Vec<_>>());
        outcome.expect_code(2).expect_said(&[said]);
    }
    let nothing = program.run(&["stats", "--status", "DELETED"]);
    nothing.expect_code(0).expect_said(&["no task matches"]);
}
