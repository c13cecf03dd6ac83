//! What the archive vouches for, as it is asked and told.

use super::*;

#[test]
fn every_span_of_a_period_is_told_with_its_reason() {
    let archive = Archive::new();
    insta::assert_snapshot!(archive.out("coverage --since 2026-09-29 --until 2026-10-03"), @r"
    instance                              state      since                     until                     length  reason
    1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  inherited  2026-09-29T00:00:00.000Z  2026-09-30T02:00:01.000Z  1d02h   before the first proven walk: what was deleted by then is unknown
    1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  vouched    2026-09-30T02:00:01.000Z  2026-10-01T01:45:01.000Z  23h45m  proven walks at most 1d00h apart
    1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  gap        2026-10-01T01:45:01.000Z  2026-10-03T00:00:00.000Z  1d22h   no proven walk since; no sync ran
    1f4c2a90-c0ff-4eee-8d3c-000000000002  inherited  2026-09-29T00:00:00.000Z  2026-10-01T01:45:01.000Z  2d01h   before the first proven walk: what was deleted by then is unknown
    1f4c2a90-c0ff-4eee-8d3c-000000000002  gap        2026-10-01T01:45:01.000Z  2026-10-03T00:00:00.000Z  1d22h   no proven walk since; a sync ran without a walk of it, outcome did not end
    e1f2a3b4-0000-4000-8000-000000000003  gap        2026-09-29T00:00:00.000Z  2026-10-03T00:00:00.000Z  4d00h   no full walk was ever proven; a walk was not proven: answer\u{1b}\r\ncut off
    (their list)                          inherited  2026-09-29T00:00:00.000Z  2026-10-01T01:45:00.100Z  2d01h   before the first proven walk: what was deleted by then is unknown
    (their list)                          gap        2026-10-01T01:45:00.100Z  2026-10-03T00:00:00.000Z  1d22h   no proven walk since
    (all)                                 gap        2026-09-29T00:00:00.000Z  2026-10-03T00:00:00.000Z  4d00h   3 of 3 instances, and the list of instances
    ");
    insta::assert_snapshot!(archive.out("coverage --gaps --instance 1f4c2a90-b --until 2026-10-03 -o jsonl"), @r#"
    {"scope":"instance","project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","instance_name":null,"state":"inherited","since":null,"until":"2026-09-30T02:00:01.000Z","duration_ms":null,"widest_ms":null,"reason":"before the first proven walk: what was deleted by then is unknown"}
    {"scope":"instance","project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","instance_name":null,"state":"gap","since":"2026-10-01T01:45:01.000Z","until":"2026-10-03T00:00:00.000Z","duration_ms":166499000,"widest_ms":null,"reason":"no proven walk since; no sync ran"}
    "#);
    insta::assert_snapshot!(archive.out("coverage --instance 1f4c2a90-b --period 2026-09-30 -o csv"), @"
    scope,project_id,instance_id,instance_name,state,since,until,duration_ms,widest_ms,reason
    instance,0a1b2c3d4e5f60718293a4b5c6d7e8f9,1f4c2a90-b7de-4f0e-8d3c-5a6b79081726,,inherited,2026-09-30T00:00:00.000Z,2026-09-30T02:00:01.000Z,7201000,,before the first proven walk: what was deleted by then is unknown
    instance,0a1b2c3d4e5f60718293a4b5c6d7e8f9,1f4c2a90-b7de-4f0e-8d3c-5a6b79081726,,vouched,2026-09-30T02:00:01.000Z,2026-10-01T00:00:00.000Z,79199000,86400000,proven walks at most 1d00h apart
    ");
    insta::assert_snapshot!(archive.drawn("coverage --until 2026-10-03"), @r"
    instance      state      since             until             length
    ────────────  ─────────  ────────────────  ────────────────  ──────
    1f4c2a90-b    inherited  …                 2026-09-30 02:00  -
                  before the first proven walk: what was deleted by then is unknown
    1f4c2a90-b    vouched    2026-09-30 02:00  2026-10-01 01:45  23h45m
                  proven walks at most 1d00h apart
    1f4c2a90-b    gap        2026-10-01 01:45  2026-10-03 00:00  1d22h
                  no proven walk since; no sync ran
    1f4c2a90-c    inherited  …                 2026-10-01 01:45  -
                  before the first proven walk: what was deleted by then is unknown
    1f4c2a90-c    gap        2026-10-01 01:45  2026-10-03 00:00  1d22h
                  no proven walk since; a sync ran without a walk of it, outcome did
                  not end
    e1f2a3b4-0    gap        …                 2026-10-03 00:00  -
                  no full walk was ever proven; a walk was not proven:
                  answer\u{1b}\r\ncut off
    (their list)  inherited  …                 2026-10-01 01:45  -
                  before the first proven walk: what was deleted by then is unknown
    (their list)  gap        2026-10-01 01:45  2026-10-03 00:00  1d22h
                  no proven walk since
    (all)         gap        …                 2026-10-03 00:00  -
                  3 of 3 instances, and the list of instances
    ");
    insta::assert_snapshot!(archive.out("coverage --instance e1 --period 2026-09 -o markdown"), @"
    | instance | state | since | until | length | reason |
    | --- | --- | --- | --- | --- | --- |
    | e1f2a3b4-0000-4000-8000-000000000003 | gap | 2026-09-01T00:00:00.000Z | 2026-10-01T00:00:00.000Z | 30d00h | no full walk was ever proven; a sync ran without a walk of it, outcome partial |
    ");
}

#[test]
fn spans_are_sorted_cut_and_chosen_as_rows_of_a_view_are() {
    let archive = Archive::new();
    insta::assert_snapshot!(
        archive.out("coverage --until 2026-10-03 --sort duration_ms:desc -n 2 --columns state,duration_ms,scope"), @"
    state  duration_ms  scope
    gap      166499900  list
    gap      166499000  instance
    ");
    let outcome = archive.run("coverage --columns state,nonsense", None);
    assert_eq!(outcome.exit, Exit::Usage);
    assert!(outcome.err.contains("the columns are scope, project_id"));
    let none = "coverage --gaps --instance 1f4c2a90-b --since 2026-09-30T03:00:00Z --until 2026-09-30T04:00:00Z";
    let outcome = archive.run(none, None);
    assert_eq!((outcome.exit, outcome.out.as_str()), (Exit::Done, ""));
    assert_eq!(outcome.err, "no gap\n");
}

#[test]
fn a_stricter_rule_makes_a_gap_of_what_was_vouched_for() {
    let archive = Archive::new();
    let states = |rules: &str| {
        let line = format!(
            "coverage --instance 1f4c2a90-b --period 2026-09-30 --no-header --columns state,since{rules}"
        );
        archive.out(&line)
    };
    insta::assert_snapshot!(states(""), @"
    inherited  2026-09-30T00:00:00.000Z
    vouched    2026-09-30T02:00:01.000Z
    ");
    insta::assert_snapshot!(states(" --settle 3h"), @"
    inherited  2026-09-30T00:00:00.000Z
    vouched    2026-09-30T02:00:01.000Z
    gap        2026-09-30T23:00:01.000Z
    ");
    insta::assert_snapshot!(states(" --max-gap 23h"), @"
    inherited  2026-09-30T00:00:00.000Z
    gap        2026-09-30T01:45:01.000Z
    ");
}

#[test]
fn a_question_is_answered_with_proven_none_found_or_cannot_know() {
    let archive = Archive::new();
    let vouched = "--since 2026-09-30T03:00:00Z --until 2026-10-01";
    let cases = [
        (format!("--instance 1f4c2a90-b {vouched}"), Exit::Done, "proven none"),
        ("--instance 1f4c2a90-b --since 2026-09-28 --until 2026-10".to_owned(), Exit::Found, "BindEip"),
        // Before the first proven walk, after the last one, and an instance of which no walk was proven.
        ("--instance 1f4c2a90-b --operation EXTEND --period 2026-09-30".to_owned(), Exit::CannotKnow, "inherited"),
        ("--instance 1f4c2a90-b --operation EXTEND --since 2026-09-30T03:00:00Z --until 2026-10-02".to_owned(), Exit::CannotKnow, "no proven walk since"),
        (format!("--instance e1 {vouched}"), Exit::CannotKnow, "no full walk was ever proven"),
        // A task without a readable time, first seen by the walk of 2026-10-01.
        (format!("--instance 1f4c2a90-c {vouched} --max-gap 9999d"), Exit::CannotKnow, "tasks without a readable time: 1"),
        // All instances, also those that nobody named.
        (format!("--operation modify {vouched}"), Exit::CannotKnow, "(their list)"),
    ];
    for (line, exit, part) in cases {
        let outcome = archive.run(&format!("assert-none {line}"), None);
        assert_eq!(outcome.exit, exit, "{line}: {}", outcome.out);
        assert!(outcome.out.contains(part), "{line}: {}", outcome.out);
    }
}

#[test]
fn what_an_open_task_may_become_is_not_denied() {
    let archive = Archive::new();
    let database = rusqlite::Connection::open(archive.path()).unwrap();
    // The open task moves into the vouched time; then it is final there.
    database
        .execute(
            "UPDATE task SET created = 1790750000000 WHERE task_key = 2",
            [],
        )
        .unwrap();
    let question = "assert-none --instance 1f4c2a90-b --status FAILED --since 2026-09-30T03:00:00Z --until 2026-10-01";
    let outcome = archive.run(question, None);
    assert_eq!(outcome.exit, Exit::CannotKnow);
    assert!(outcome.out.contains("asked for: 1"), "{}", outcome.out);
    database
        .execute(
            "UPDATE task SET is_open = 0, status_key = 1 WHERE task_key = 2",
            [],
        )
        .unwrap();
    assert_eq!(archive.run(question, None).exit, Exit::Done);
}

#[test]
fn a_record_that_could_not_be_read_may_be_any_task_of_its_instance() {
    let archive = Archive::new();
    let database = rusqlite::Connection::open(archive.path()).unwrap();
    let reject = "INSERT INTO rejected_record(instance_key, digest, position, reason, raw, first_walk, last_walk)
        VALUES (1, zeroblob(32), 0, 'no id', '7', 3, 3)";
    database.execute(reject, []).unwrap();
    let ask = |instance: &str, since: &str| {
        let line = format!(
            "assert-none --instance {instance} --operation EXTEND --since {since} --until 2026-10-01T01:00:00Z --max-gap 9999d"
        );
        archive.run(&line, None)
    };
    let outcome = ask("1f4c2a90-b", "2026-09-30T03:00:00Z");
    assert_eq!(outcome.exit, Exit::CannotKnow);
    assert!(
        outcome.out.contains("records that could not be read: 1"),
        "{}",
        outcome.out
    );
    // A walk that shows it first says nothing against a period that begins later, nor against another instance.
    database
        .execute("UPDATE rejected_record SET first_walk = 1", [])
        .unwrap();
    assert_eq!(ask("1f4c2a90-b", "2026-09-30T03:00:00Z").exit, Exit::Done);
}

#[test]
fn an_answer_has_a_form_for_every_reader() {
    let archive = Archive::new();
    let none = "assert-none --instance 1f4c2a90-b --since 2026-09-30T03:00:00Z --until 2026-10-01";
    insta::assert_snapshot!(archive.out(none), @"
    proven none

      since          2026-09-30T03:00:00.000Z
      until          2026-10-01T00:00:00.000Z
      asked of       1 instance
      found          0
      may be unseen  only what was created and deleted within 1d00h, between two walks
    ");
    insta::assert_snapshot!(archive.out(&format!("{none} -o json")), @r#"
    [
    {"answer":"proven_none","exit_code":0,"since":"2026-09-30T03:00:00.000Z","until":"2026-10-01T00:00:00.000Z","instances":1,"found":0,"rejected":0,"undated":0,"open":0,"widest_ms":86400000,"not_vouched":[],"tasks":[]}
    ]
    "#);
    insta::assert_snapshot!(archive.out(&format!("{none} -o csv")), @"
    answer,exit_code,since,until,instances,found,rejected,undated,open,widest_ms,not_vouched
    proven_none,0,2026-09-30T03:00:00.000Z,2026-10-01T00:00:00.000Z,1,0,0,0,0,86400000,
    ");
    let answered = |line: &str, width| {
        let outcome = archive.run(line, width);
        format!("{}{}({})", outcome.out, outcome.err, outcome.exit.code())
    };
    let unknown = "assert-none --instance 1f4c2a90-b --operation EXTEND --since 2026-09-30T03:00:00Z --until 2026-10-02";
    insta::assert_snapshot!(answered(unknown, Some(80)), @"
    cannot know

      since     2026-09-30T03:00:00.000Z
      until     2026-10-02T00:00:00.000Z
      asked of  1 instance
      found     0

    What the archive cannot vouch for
    instance    state  since             until             length
    ──────────  ─────  ────────────────  ────────────────  ──────
    1f4c2a90-b  gap    2026-10-01 01:45  2026-10-02 00:00  22h14m
                no proven walk since; no sync ran
    up to --until 2026-10-01T01:45:01.000Z the archive can tell
    (11)
    ");
    insta::assert_snapshot!(answered(&format!("{unknown} -o jsonl"), None), @r#"
    {"answer":"cannot_know","exit_code":11,"since":"2026-09-30T03:00:00.000Z","until":"2026-10-02T00:00:00.000Z","instances":1,"found":0,"rejected":0,"undated":0,"open":0,"widest_ms":86400000,"not_vouched":[{"scope":"instance","project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","instance_name":null,"state":"gap","since":"2026-10-01T01:45:01.000Z","until":"2026-10-02T00:00:00.000Z","duration_ms":80099000,"widest_ms":null,"reason":"no proven walk since; no sync ran"}],"tasks":[]}
    up to --until 2026-10-01T01:45:01.000Z the archive can tell
    (11)
    "#);
    let found = "assert-none --instance 1f4c2a90-b --period 2026-09";
    insta::assert_snapshot!(answered(found, Some(80)), @r"
    found

      since     2026-09-01T00:00:00.000Z
      until     2026-10-01T00:00:00.000Z
      asked of  1 instance
      found     2

    What was found
    created_at           instance    name          status     user_name     duration
    ───────────────────  ──────────  ────────────  ─────────  ────────────  ────────
    2026-09-29 00:00:00  1f4c2a90-b  BindEip       EXECUTING  eve\u{202e}…  -
    2026-09-01 10:00:00  1f4c2a90-b  ChangeInsta…  SUCCESS    ann           1m05s
    (10)
    ");
    insta::assert_snapshot!(answered(&format!("{found} -o markdown"), None), @r"
    # found

    - since: 2026-09-01T00:00:00.000Z
    - until: 2026-10-01T00:00:00.000Z
    - asked of: 1 instance
    - found: 2

    ## What was found

    | created_at | instance | name | operation | status | user_name | duration |
    | --- | --- | --- | --- | --- | --- | --- |
    | 2026-09-29T00:00:00.123Z | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | BindEip | public access enabled | EXECUTING | eve\\u{202e}nimda |  |
    | 2026-09-01T10:00:00.000Z | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | ChangeInstanceSpec | specification changed | SUCCESS | ann | 1m05s |
    (10)
    ");
}
