//! Where the tasks of an instance do not fit together, as `verify` notes it: one a break, whatever else is wrong.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::env::{Program, finish};
use crate::support::fake_api::{FakeApi, list};
use crate::support::{INSTANCE, task};

/// A resize that took a minute.
fn resize(id: &str, minute: u32, old: &str, new: &str) -> Value {
    let mut record = task(id, minute, "SUCCESS");
    record["details"] = json!({"old_capacity": old, "new_capacity": new});
    record["updated_at"] = task(id, minute + 1, "SUCCESS")["updated_at"].clone();
    record
}

/// A program that has read these records, newest first.
fn read(records: Vec<Value>) -> Program {
    let program = Program::new();
    program.sync(&FakeApi::start(list(records))).expect_code(0);
    program
}

/// Three resizes, of which the last one found what the second had not left.
fn broken() -> Program {
    read(vec![
        resize("third", 30, "64", "16"),
        resize("second", 20, "8.0", "16"),
        resize("first", 10, "4", "8"),
    ])
}

/// What `verify` answers, and with which code it ends.
#[track_caller]
fn verify(program: &Program, code: i32) -> Value {
    // What `run` checks after every run, an altered archive need not bear.
    let outcome = finish(program.command(&["verify", "-o", "json"]).spawn().unwrap());
    outcome.expect_code(code);
    let mut answer: Value = serde_json::from_str(&outcome.out).unwrap();
    answer[0].take()
}

/// Alters the archive as anybody could.
fn alter(program: &Program, sql: &str) {
    let archive = Connection::open(program.db()).unwrap();
    archive.execute_batch(sql).unwrap();
}

#[test]
fn a_break_is_a_note_and_everything_holds() {
    let program = broken();
    let told = verify(&program, 0);
    let place = format!("task third of instance {INSTANCE}");
    let message = "it found capacity \"64\", and task second had left \"16\" at 2026-03-01T00:21:00.000Z: \
                   the record of a change may have been deleted before the first proven walk";
    let expected =
        json!([{"weight": "note", "kind": "continuity", "place": place, "message": message}]);
    assert_eq!(told["findings"], expected);
    assert_eq!((&told["faults"], &told["notes"]), (&json!(0), &json!(1)));
    let table = program.run(&["verify"]);
    table.expect_code(0);
    let shown = "everything holds\n\nNotes\nkind        place";
    assert!(table.out.starts_with(shown), "{}", table.out);
    // The same one as `state` lists, with the same words.
    let breaks = program.run(&["state", "--breaks", "-o", "jsonl"]).out;
    let breaks: Value = serde_json::from_str(&breaks).unwrap();
    assert!(
        message.ends_with(breaks["note"].as_str().unwrap()),
        "{breaks}"
    );
}

#[test]
fn tasks_that_fit_together_leave_nothing_to_note() {
    let program = read(vec![
        resize("second", 20, "8.0", "16"),
        resize("first", 10, "4", "8"),
    ]);
    assert_eq!(verify(&program, 0)["findings"], json!([]));
}

#[test]
fn what_cannot_be_read_hides_neither_a_break_nor_a_fault() {
    let other = "99999999-2222-3333-4444-555555555555";
    let program = Program::new();
    let records = |answer: &str| {
        vec![
            resize("third", 30, answer, "16"),
            resize("second", 20, "8", "16"),
        ]
    };
    let api = FakeApi::start(move |request| {
        let found = if request.path.contains(other) {
            "32"
        } else {
            "64"
        };
        list(records(found))(request)
    });
    program
        .sync_with(&api, &["--instance", INSTANCE, "--instance", other])
        .expect_code(0);
    let places = |told: &Value, kind: &str| -> Vec<String> {
        let findings = told["findings"].as_array().unwrap().iter();
        findings
            .filter(|found| found["kind"] == kind)
            .map(|found| found["place"].as_str().unwrap().to_owned())
            .collect()
    };
    let both = [INSTANCE, other].map(|id| format!("task third of instance {id}"));
    assert_eq!(places(&verify(&program, 0), "continuity"), both);
    // A value that stands in the raw text alone is looked up there, and it is no JSON any more.
    let key = program
        .rows(&format!(
            "SELECT task_key FROM tasks WHERE instance_id = '{INSTANCE}' AND task_id = 'third'"
        ))
        .remove(0);
    alter(
        &program,
        &format!(
            "UPDATE revision SET raw = 'x' WHERE revision_key / 1048576 = {key};
             UPDATE change SET old = NULL, new = NULL WHERE task_key = {key}"
        ),
    );
    let told = verify(&program, 13);
    assert!(!places(&told, "raw").is_empty(), "{told:#}");
    assert!(
        places(&told, "database").contains(&format!("instance {INSTANCE}")),
        "{told:#}"
    );
    assert_eq!(places(&told, "continuity"), both[1..], "{told:#}");
}
