//! `list --as-of` and `--observed-at`: what was true, and what could be known.

use serde_json::Value;

use crate::support::env::Program;
use crate::support::fake_api::{Action, FakeApi, Request, list};
use crate::support::{page, task};

/// A task that began in one minute of 2026-03-01 and was last changed in another.
fn changed(id: &str, began: u32, minute: u32, status: &str) -> Value {
    let mut record = task(id, began, status);
    record["updated_at"] = task(id, minute, status)["updated_at"].clone();
    record
}

/// The answer of an upstream whose clock stands at this minute.
fn showing(minute: u32, records: &[Value], request: &Request) -> Action {
    let date = format!(
        "Date: Sun, 01 Mar 2026 {:02}:{:02}:00 GMT",
        minute / 60,
        minute % 60
    );
    let from = request.offset.min(records.len());
    let to = (from + request.limit).min(records.len());
    let body = page(&records[from..to], records.len()).to_string();
    Action::reply(200, &["Content-Type: application/json", &date], body)
}

/// A program that read the list at 02:00 and at 04:00. `seen` was read while it ran; of `unseen` only the end was shown;
/// `late` began after the first reading; `gone` was not listed the second time.
fn synced() -> Program {
    let program = Program::new();
    let first = vec![
        changed("seen", 60, 70, "EXECUTING"),
        changed("gone", 50, 55, "SUCCESS"),
        changed("unseen", 30, 40, "FAILED"),
    ];
    let second = vec![
        changed("late", 150, 160, "SUCCESS"),
        changed("seen", 60, 130, "SUCCESS"),
        changed("unseen", 30, 40, "FAILED"),
    ];
    let api = FakeApi::start(list(Vec::new()));
    api.behave(move |request| showing(120, &first, request));
    program.sync(&api).expect_code(0);
    api.behave(move |request| showing(240, &second, request));
    program.sync_with(&api, &["--mode", "full"]).expect_code(0);
    program
}

/// What a line of `list` has of each task.
#[track_caller]
fn told(program: &Program, line: &str) -> Vec<String> {
    let line = format!("list {line} -o jsonl");
    let outcome = program.run(&line.split(' ').collect::<Vec<_>>());
    outcome.expect_code(0);
    assert_eq!(outcome.err, "", "{line}");
    let rows = outcome.out.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        let status = row["status"].as_str().unwrap_or("?");
        format!(
            "{} {status} {}",
            row["task_id"].as_str().unwrap(),
            row["is_final"]
        )
    });
    rows.collect()
}

#[test]
fn as_of_a_time_tasks_stand_as_their_own_times_say() {
    let program = synced();
    let cases: [(&str, &[&str]); 6] = [
        ("2026-03-01T00:29:59Z", &[]),
        ("2026-03-01T00:39:00Z", &["unseen ? null"]),
        ("2026-03-01T00:52:00Z", &["gone ? null", "unseen FAILED 1"]),
        (
            "2026-03-01T01:05:00Z",
            &["seen ? null", "gone SUCCESS 1", "unseen FAILED 1"],
        ),
        (
            "2026-03-01T02:09:59Z",
            &["seen EXECUTING 0", "gone SUCCESS 1", "unseen FAILED 1"],
        ),
        (
            "2026-03-01T02:40:00Z",
            &[
                "late SUCCESS 1",
                "seen SUCCESS 1",
                "gone SUCCESS 1",
                "unseen FAILED 1",
            ],
        ),
    ];
    for (time, expected) in cases {
        assert_eq!(
            told(&program, &format!("--as-of {time}")),
            expected,
            "{time}"
        );
    }
}

#[test]
fn observed_at_a_time_there_is_what_had_been_read() {
    let program = synced();
    let early = ["seen EXECUTING 0", "gone SUCCESS 1", "unseen FAILED 1"];
    let cases: [(&str, &[&str]); 3] = [
        ("2026-03-01T01:59:59Z", &[]),
        ("2026-03-01T03:59:59Z", &early),
        (
            "2026-03-01T05:00:00Z",
            &[
                "late SUCCESS 1",
                "seen SUCCESS 1",
                "gone SUCCESS 1",
                "unseen FAILED 1",
            ],
        ),
    ];
    for (time, expected) in cases {
        assert_eq!(
            told(&program, &format!("--observed-at {time}")),
            expected,
            "{time}"
        );
    }
    let then = program.run(&[
        "list",
        "--observed-at",
        "2026-03-01T03:00:00Z",
        "-o",
        "jsonl",
        "--sort",
        "task_id",
    ]);
    let rows: Vec<Value> = then
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows[0]["task_id"], "gone");
    assert_eq!(
        rows[0]["missing_since"],
        Value::Null,
        "nobody had missed it yet"
    );
    assert_eq!(rows[1]["revisions"], 1);
    assert_eq!(rows[1]["updated_at"], "2026-03-01T01:10:00.000Z");
}

#[test]
fn filters_and_orders_are_those_of_that_time() {
    let program = synced();
    let at = "2026-03-01T02:09:59Z";
    let cases: [(String, &[&str]); 7] = [
        (
            format!("--as-of {at} --status executing"),
            &["seen EXECUTING 0"],
        ),
        (
            format!("--as-of {at} --status success"),
            &["gone SUCCESS 1"],
        ),
        (format!("--as-of {at} --missing"), &[]),
        (
            "--as-of 2026-03-02 --missing".to_owned(),
            &["gone SUCCESS 1"],
        ),
        (
            format!("--as-of {at} --sort updated_at"),
            &["unseen FAILED 1", "gone SUCCESS 1", "seen EXECUTING 0"],
        ),
        (format!("--as-of {at} -n 1"), &["seen EXECUTING 0"]),
        (
            format!("--as-of {at} --until 2026-03-01T00:45:00Z"),
            &["unseen FAILED 1"],
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(told(&program, &line), expected, "{line}");
    }
}

#[test]
fn the_present_is_as_it_is_listed() {
    let program = synced();
    let today = program.run(&["list", "-o", "json"]).out;
    for option in ["--as-of", "--observed-at"] {
        assert_eq!(
            program.run(&["list", option, "now", "-o", "json"]).out,
            today,
            "{option}"
        );
    }
}

#[test]
fn what_is_not_known_is_said_and_what_makes_no_sense_is_refused() {
    let program = synced();
    let outcome = program.run(&["list", "--as-of", "2026-03-01T00:39:00Z"]);
    outcome
        .expect_code(0)
        .expect_said(&["of 1 task the state at that time is not known"]);
    assert!(outcome.out.contains("(unknown)"), "{outcome:#?}");
    let outcome = program.run(&[
        "list",
        "--as-of",
        "2026-03-01T00:39:00Z",
        "--status",
        "failed",
    ]);
    outcome
        .expect_code(0)
        .expect_said(&["no task matches at that time", "may be what was asked for"]);
    let cases = [
        ("list --as-of now --observed-at now", "cannot be used with"),
        ("list --as-of now --new", "cannot be used with"),
        ("list --as-of whenever", "--as-of: cannot read"),
        ("list --observed-at whenever", "--observed-at: cannot read"),
    ];
    for (line, said) in cases {
        let outcome = program.run(&line.split(' ').collect::<Vec<_>>());
        outcome.expect_code(2).expect_said(&[said]);
    }
}
