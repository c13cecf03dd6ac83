//! `backfill`, against servers that treat the time filter in every way that is thinkable.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::env::Program;
use crate::support::fake_api::{Action, FakeApi, Request, list, part_of};
use crate::support::outcome::Outcome;
use crate::support::{task, tasks};

/// Tasks of minutes 1 to 30; the period of these tests is the ten minutes from 00:10 on.
const PERIOD: [&str; 4] = [
    "--since",
    "2026-03-01T00:10:00.500Z",
    "--until",
    "2026-03-01T00:20:00Z",
];

/// What the server hears as bounds: a second more on both sides.
const SENT: [&str; 2] = ["20260301000959", "20260301002001"];

type Rule = fn(&Value, &BTreeMap<String, String>) -> bool;

fn second(record: &Value, name: &str) -> String {
    let time = record[name].as_str().unwrap_or_default();
    time.chars().filter(char::is_ascii_digit).take(14).collect()
}

fn within(record: &Value, name: &str, filter: &BTreeMap<String, String>, parameter: &str) -> bool {
    let time = second(record, name);
    let after = filter.get(parameter).is_none_or(|start| time > *start);
    after && filter.get("end_time").is_none_or(|end| time < *end)
}

fn serve(api: &FakeApi, records: Vec<Value>, rule: Rule) {
    api.behave(move |request: &Request| {
        let shown: Vec<Value> = records
            .iter()
            .filter(|record| rule(record, &request.query))
            .cloned()
            .collect();
        part_of(&shown, request)
    });
}

fn backfill(program: &Program, api: &FakeApi, extra: &[&str]) -> Outcome {
    let extra: Vec<&str> = PERIOD.iter().chain(extra).copied().collect();
    let args = program.read_args("backfill", api, &extra);
    program.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn whatever_the_server_does_with_the_filter_is_right_and_said() {
    let mut records = tasks(30);
    // Created before the period, changed in it.
    records[25]["updated_at"] = "2026-03-01T00:15:00.000Z".into();
    let cases: [(Rule, &str, usize); 5] = [
        (
            |record, filter| within(record, "created_at", filter, "start_time"),
            "cannot be told",
            11,
        ),
        (
            |record, filter| within(record, "updated_at", filter, "start_time"),
            "filters by updated_at",
            12,
        ),
        (|_, _| true, "18 of 30 records lie outside", 30),
        (
            // It hears another name for the beginning.
            |record, filter| within(record, "created_at", filter, "begin_time"),
            "records lie outside",
            20,
        ),
        (|_, _| false, "shows nothing for that time", 0),
    ];
    for (rule, said, received) in cases {
        let (program, api) = (Program::new(), FakeApi::start(|_| Action::close()));
        serve(&api, records.clone(), rule);
        let outcome = backfill(&program, &api, &[]);
        outcome.expect_code(0).expect_said(&[said]);
        assert_eq!(program.task_ids().len(), received, "{said}");
        let asked = &api.requests()[0].query;
        assert_eq!(
            [&asked["start_time"], &asked["end_time"]],
            SENT.each_ref(),
            "{asked:?}"
        );
        assert_eq!(
            program.rows("SELECT kind, proven, window_start, window_end FROM walks ORDER BY walk_id DESC LIMIT 1"),
            ["backfill|1|2026-03-01T00:09:59.000Z|2026-03-01T00:20:01.000Z"]
        );
    }
}

#[test]
fn a_bound_may_be_in_or_out_and_the_other_name_may_be_asked_for() {
    let (program, api) = (Program::new(), FakeApi::start(|_| Action::close()));
    serve(&api, tasks(30), |record, filter| {
        within(record, "created_at", filter, "begin_time")
    });
    backfill(&program, &api, &["--time-parameter", "begin_time"]).expect_code(0);
    // The server leaves out what lies on its bounds; minute 10 is before the period by half a second.
    let ids = program.task_ids();
    assert!(ids.contains(&"task-0010".to_owned()), "{ids:?}");
    assert!(ids.contains(&"task-0020".to_owned()), "{ids:?}");
    assert_eq!(ids.len(), 11);
}

#[test]
fn a_server_that_refuses_the_filter_is_asked_for_the_whole_list() {
    let (program, api) = (Program::new(), FakeApi::start(|_| Action::close()));
    api.behave(|request: &Request| {
        if request.query.contains_key("start_time") {
            return Action::error(400, "DCS.4063", "Invalid parameter start_time.");
        }
        part_of(&tasks(30), request)
    });
    let outcome = backfill(&program, &api, &[]);
    outcome
        .expect_code(0)
        .expect_said(&["refuses the time filter"]);
    assert_eq!(program.task_ids().len(), 30);
    assert_eq!(
        program.rows("SELECT kind, proven, window_start FROM walks ORDER BY walk_id"),
        ["backfill|0|2026-03-01T00:09:59.000Z", "backfill|1|"]
    );
}

#[test]
fn a_backfill_vouches_for_nothing_and_calls_nothing_missing() {
    let (program, api) = (Program::new(), FakeApi::start(|_| Action::close()));
    serve(&api, tasks(30), |_, _| true);
    program.sync(&api).expect_code(0);
    let before = program
        .rows("SELECT high_water_mark, last_proven_at, last_full_at, missing_tasks FROM instances");
    let mut later = tasks(30);
    later[15] = task("task-0015", 15, "FAILED");
    serve(&api, later, |record, filter| {
        within(record, "created_at", filter, "start_time")
    });
    backfill(&program, &api, &[]).expect_code(0);
    assert_eq!(
        program.rows(
            "SELECT high_water_mark, last_proven_at, last_full_at, missing_tasks FROM instances"
        ),
        before
    );
    assert_eq!(
        program.rows("SELECT status, revisions FROM tasks WHERE task_id = 'task-0015'"),
        ["FAILED|2"],
        "what it showed is kept"
    );
    assert_eq!(program.number("SELECT count(*) FROM syncs"), 2);
}

#[test]
fn a_backfill_says_that_it_was_one_and_claims_no_proof() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(30)));
    let done = backfill(&program, &api, &[]);
    done.expect_code(0)
        .expect_said(&["backfill 1: complete: 1 of 1 instances read to the end; 30 new"]);
    assert!(!done.err.contains("proven"), "{}", done.err);
    api.behave(|_| Action::reply(503, &[], ""));
    backfill(&program, &api, &[]).expect_code(5);
}

#[test]
fn a_backfill_needs_a_period() {
    let (program, api) = (Program::new(), FakeApi::start(|_| Action::close()));
    let args = program.read_args("backfill", &api, &[]);
    let outcome = program.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    outcome.expect_code(2).expect_said(&["a period", "--since"]);
    assert_eq!(api.asked(), 0);
}
