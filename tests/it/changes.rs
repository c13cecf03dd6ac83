//! `changes`, typed by a user after a sync: every format, hostile text, what nobody knows, and a reader that goes away.

use serde_json::{Value, json};

use crate::support::env::{Program, finish};
use crate::support::fake_api::{FakeApi, list};
use crate::support::outcome::Outcome;
use crate::support::task;

/// A name that would clear a terminal, forge a line and run as a formula.
const HOSTILE: &str = "=1+1\u{1b}[2J\n\u{202e}|<b>";

/// A program that has read a resize that failed, a switch that states nothing, and a hostile record.
fn synced() -> Program {
    let mut failed = task("failed", 1, "FAILED");
    failed["details"]["old_cache_mode"] = json!("ha");
    failed["details"]["new_cache_mode"] = json!("ha");
    let mut switch = task("switch", 2, "SUCCESS");
    switch["name"] = json!("masterStandbySwapJob");
    switch["details"] = json!({});
    let mut hostile = task("hostile", 3, "SUCCESS");
    hostile["user_name"] = json!(HOSTILE);
    hostile["details"] = json!({ "new_port": HOSTILE });
    let program = Program::new();
    let api = FakeApi::start(list(vec![hostile, switch, failed]));
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
fn every_format_has_the_same_rows_newest_first() {
    let program = synced();
    let json: Vec<Value> = serde_json::from_str(&ask(&program, "changes -o json").out).unwrap();
    let rows: Vec<_> = json
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
            [
                text("task_id"),
                text("attribute"),
                text("old_value"),
                text("new_value"),
            ]
        })
        .collect();
    let owned = |row: [&str; 4]| row.map(str::to_owned);
    assert_eq!(
        rows,
        [
            owned(["hostile", "port", "-", HOSTILE]),
            owned(["switch", "-", "-", "-"]),
            owned(["failed", "capacity", "4", "8"]),
        ]
    );
    let lines = ask(&program, "changes -o jsonl").out;
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, json);
    for format in ["table", "markdown", "csv"] {
        let out = ask(
            &program,
            &format!("changes --columns task_id,attribute --no-header -o {format}"),
        )
        .out;
        let ids: Vec<_> = out
            .lines()
            .map(|line| line.trim_matches('|').trim())
            .collect();
        assert_eq!(ids.len(), 3, "{out}");
        for (line, id) in ids.iter().zip(["hostile", "switch", "failed"]) {
            assert!(line.starts_with(id), "{out}");
        }
    }
    assert_eq!(
        ask(&program, "changes --all -o jsonl").out.lines().count(),
        4
    );
}

#[test]
fn a_failed_change_and_one_without_an_attribute_are_told_apart_from_others() {
    let table = ask(&synced(), "changes --until 2026-03-01T00:03:00Z").out;
    let lines = table.lines().skip(1).map(|line| {
        let words: Vec<_> = line.split_whitespace().skip(2).collect();
        words.join(" ")
    });
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            "masterStandbySwapJob master/standby switched dora - - SUCCESS",
            "EXTEND specification changed dora capacity 4 → 8 FAILED"
        ]
    );
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let program = synced();
    for format in ["table", "markdown"] {
        let out = ask(&program, &format!("changes -o {format}")).out;
        assert!(!out.contains(['\u{1b}', '\u{202e}']), "{out:?}");
        assert!(out.contains(r"u{202e}"), "{out}");
    }
    let csv = ask(
        &program,
        "changes -o csv --columns user_name,new_value --attribute port",
    )
    .out;
    assert!(csv.contains("\"'=1+1"), "{csv}");
}

#[test]
fn what_nobody_knows_is_refused_and_nothing_found_is_no_error() {
    let program = synced();
    for (line, said) in [
        ("changes --attribute capacit", "did you mean capacity?"),
        (
            "changes --operation masterStandbySwap",
            "did you mean masterStandbySwapJob?",
        ),
        ("changes --status succes", "did you mean SUCCESS?"),
        (
            "changes --instance 11111112",
            "did you mean 11111111-2222-3333-4444-555555555555?",
        ),
    ] {
        let outcome = program.run(&line.split(' ').collect::<Vec<_>>());
        outcome.expect_code(2).expect_said(&[said]);
        assert_eq!(outcome.out, "");
    }
    assert_eq!(
        ask(&program, "changes --attribute cache_mode -o json").out,
        "[]\n"
    );
    let outcome = program.run(&["changes", "--user", "dor4"]);
    outcome
        .expect_code(0)
        .expect_said(&["no change matches; no user \"dor4\" is known, did you mean dora?"]);
}

#[test]
fn a_reader_that_goes_away_is_a_quiet_end() {
    let program = synced();
    for format in ["table", "json", "jsonl", "csv", "markdown"] {
        let mut child = program.command(&["changes", "-o", format]).spawn().unwrap();
        drop(child.stdout.take());
        let outcome = finish(child);
        outcome.expect_code(0);
        assert_eq!(outcome.err, "", "{format}");
    }
}
