//! `verify` and `reprocess` as people run them: what holds, a shelf of damaged archives with the outcome of each, and rows
//! that follow their text again. That every altered cell is found is tested beside `store::verify`.

#![expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use crate::support;
use crate::support::env::{Program, finish, signal};
use crate::support::fake_api::{Action, FakeApi, list};
use crate::support::outcome::Outcome;

/// One well-formed record: those with odd numbers double the capacity, and those with even ones halve it, so that a list of
/// them fits together.
fn task(id: &str, minute: u32, status: &str) -> Value {
    let mut record = support::task(id, minute, status);
    if id.ends_with(['0', '2', '4', '6', '8']) {
        record["details"] = serde_json::json!({"old_capacity": "8", "new_capacity": "4"});
    }
    record
}

/// A list of that many finished tasks, newest first.
fn tasks(count: u32) -> Vec<Value> {
    let one = |number| task(&format!("task-{number:04}"), number, "SUCCESS");
    (1..=count).rev().map(one).collect()
}

/// A program whose archive holds three syncs: first sightings, a change, and a record that is missing.
fn synced() -> (Program, FakeApi) {
    let program = Program::new();
    let mut records = tasks(40);
    records.insert(0, task("task-0041", 41, "EXECUTING"));
    let api = FakeApi::start(list(records.clone()));
    program.sync(&api).expect_code(0);
    records[0] = task("task-0041", 42, "SUCCESS");
    api.behave(list(records.clone()));
    program.sync(&api).expect_code(0);
    records.remove(7);
    api.behave(list(records));
    program.sync(&api).expect_code(0);
    (program, api)
}

/// Runs `verify` where the archive need not be sound.
#[track_caller]
fn verify(program: &Program, args: &[&str]) -> Outcome {
    let args = [&["verify"], args].concat();
    let outcome = finish(program.command(&args).spawn().unwrap());
    program.check_said(&outcome);
    outcome
}

/// The answer as a program reads it.
#[track_caller]
fn answer(outcome: &Outcome) -> Value {
    let mut answer: Value = serde_json::from_str(&outcome.out).unwrap();
    answer[0].take()
}

/// What was found, as `kind: place`.
fn kinds(answer: &Value) -> Vec<String> {
    let findings = answer["findings"].as_array().unwrap().iter();
    findings
        .map(|found| {
            format!(
                "{}: {}",
                found["kind"].as_str().unwrap(),
                found["place"].as_str().unwrap()
            )
        })
        .collect()
}

/// Alters the archive as anybody could.
fn alter(program: &Program, sql: &str) {
    let archive = Connection::open(program.db()).unwrap();
    archive.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    archive.execute_batch(sql).unwrap();
}

/// Everything that the archive shows of its tasks.
fn shown(program: &Program) -> Vec<String> {
    let mut shown = program.rows("SELECT * FROM tasks ORDER BY task_key");
    shown.extend(program.rows("SELECT * FROM task_changes ORDER BY task_key, source, attribute"));
    shown.extend(program.rows("SELECT * FROM task_revisions ORDER BY task_key, revision"));
    shown.extend(program.rows("SELECT * FROM instances"));
    shown
}

/// Waits until a sync is at work.
#[track_caller]
fn wait_for_a_sync(program: &Program) {
    for _ in 0..2_000 {
        if program.number("SELECT count(*) FROM sync WHERE finished IS NULL") > 0 {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("no sync began");
}

#[test]
fn an_archive_holds_and_every_format_says_so() {
    let (program, api) = synced();
    let summary = program.sync_with(&api, &["-v", "-o", "json"]);
    let head = answer(&summary)["head"].as_str().unwrap().to_owned();
    summary.expect_said(&[&format!("the head of the hash chain is {head}")]);
    assert_eq!(
        program.rows("SELECT head FROM syncs ORDER BY sync_id DESC LIMIT 1"),
        std::slice::from_ref(&head)
    );
    let outcome = verify(&program, &["-o", "json"]);
    outcome.expect_code(0);
    let told = answer(&outcome);
    assert_eq!(told["result"], "everything holds");
    assert_eq!(
        (&told["head"], &told["head_sync_id"]),
        (&head.clone().into(), &4.into())
    );
    assert_eq!(
        (
            &told["tasks"],
            &told["revisions"],
            &told["links"],
            &told["log_bytes"]
        ),
        (&41.into(), &42.into(), &4.into(), &0.into())
    );
    assert_eq!(told["findings"], Value::Array(Vec::new()));
    for (format, part) in [
        (
            "table",
            format!("head          {head} (sync 4)\n  log           0 B\n"),
        ),
        (
            "markdown",
            format!(
                "# everything holds\n\n- tasks: 41\n- revisions: 42\n- ledger lines: 4\n- links: 4\n- head: {head}"
            ),
        ),
        ("csv", "weight,kind,place,message\n".to_owned()),
        ("jsonl", format!("\"head\":\"{head}\"")),
    ] {
        let outcome = verify(&program, &["-o", format]);
        outcome.expect_code(0);
        assert!(outcome.out.contains(&part), "{format}: {}", outcome.out);
    }
    let outcome = verify(&program, &["--head", &head.to_uppercase(), "-o", "json"]);
    outcome.expect_code(0);
    assert_eq!(kinds(&answer(&outcome)), [format!("head: {head}")]);
    verify(&program, &["--head", "abc"])
        .expect_code(2)
        .expect_said(&["64 hexadecimal digits"]);
}

#[test]
fn what_does_not_hold_is_a_line_each_and_exit_code_13() {
    let (program, _api) = synced();
    alter(
        &program,
        "UPDATE task SET status_key = (SELECT status_key FROM status WHERE name = 'EXECUTING') WHERE task_id = 'task-0003';
         UPDATE instance SET mark = mark + 1",
    );
    let outcome = verify(&program, &[]);
    outcome
        .expect_code(13)
        .expect_said(&["reprocess", "backups"]);
    assert!(
        outcome
            .out
            .starts_with("something does not hold\n\nWhat does not hold\nkind"),
        "{}",
        outcome.out
    );
    let expected = "rows  task task-0003 of instance 11111111-2222-3333-4444-555555555555  \
                    task status is \"EXECUTING\", and by the raw text it is \"SUCCESS\"";
    assert!(outcome.out.contains(expected), "{}", outcome.out);
    let expected = "mark is \"2026-03-01T00:42:00.001Z\", and by the ledger it is \"2026-03-01T00:42:00.000Z\"";
    assert!(outcome.out.contains(expected), "{}", outcome.out);
    let outcome = verify(&program, &["-o", "csv"]);
    outcome.expect_code(13);
    // A task that has not succeeded has left nothing, so the next one does not fit to the one before it: said at the end.
    let lines: Vec<_> = outcome.out.lines().skip(1).collect();
    let (last, faults) = lines.split_last().unwrap();
    assert!(
        faults.iter().all(|line| line.starts_with("fault,")),
        "{lines:#?}"
    );
    assert!(
        last.starts_with("note,continuity,task task-0004"),
        "{lines:#?}"
    );
    let all = outcome.out.lines().count();
    let outcome = verify(&program, &["-o", "csv", "-n", "1"]);
    outcome.expect_code(13).expect_said(&["-n 0 for all"]);
    assert_eq!(outcome.out.lines().count(), 2);
    let outcome = verify(&program, &["-o", "csv", "-n", "0"]);
    assert_eq!(outcome.out.lines().count(), all);
}

#[test]
fn a_shelf_of_damaged_archives_c14_c16() {
    let (program, _api) = synced();
    let whole = fs::read(program.db()).unwrap();
    let page = 8_192;
    let put = |bytes: &[u8]| fs::write(program.db(), bytes).unwrap();

    put(&whole[..whole.len() / 2 / page * page]);
    verify(&program, &[])
        .expect_code(6)
        .expect_said(&["it is damaged", ".recover"]);
    put(&whole[..100]);
    verify(&program, &[]).expect_code(6);
    put(b"something else entirely, and long enough to be looked at as a file of SQLite's would be looked at, surely");
    verify(&program, &[])
        .expect_code(6)
        .expect_said(&["not an archive"]);

    // Any page turned into zeros is found: by the database, or because the archive cannot be opened.
    let (mut found, mut refused) = (0, 0);
    for at in 1..whole.len() / page {
        let mut bytes = whole.clone();
        bytes[at * page..(at + 1) * page].fill(0);
        put(&bytes);
        match verify(&program, &["-o", "json"]).code {
            Some(13) => found += 1,
            Some(6) => refused += 1,
            code => panic!("page {at}: {code:?}"),
        }
    }
    assert!(found > 20, "{found} found, {refused} refused");

    // A byte turned over anywhere is found, or changes nothing that the archive shows.
    put(&whole);
    let before = shown(&program);
    let mut held = 0;
    for step in 1..=60_u64 {
        put(&whole);
        let at = step.wrapping_mul(2_654_435_761) % whole.len() as u64;
        let file = fs::OpenOptions::new()
            .write(true)
            .open(program.db())
            .unwrap();
        let turned = [whole[usize::try_from(at).unwrap()] ^ (1 << (step % 8))];
        file.write_all_at(&turned, at).unwrap();
        drop(file);
        match verify(&program, &["-o", "json"]).code {
            Some(0) => {
                held += 1;
                assert_eq!(shown(&program), before, "byte {at}");
            }
            Some(6 | 13) => {}
            code => panic!("byte {at}: {code:?}"),
        }
    }
    assert!((1..60).contains(&held), "{held}");
}

#[test]
fn an_index_that_lacks_a_row_is_found() {
    let (program, _api) = synced();
    let archive = Connection::open(program.db()).unwrap();
    // The index is taken out of the schema while a row is altered, and put back.
    let (root, sql): (i64, String) = archive
        .query_row(
            "SELECT rootpage, sql FROM sqlite_schema WHERE name = 'task_created'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    archive
        .execute_batch("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'task_created'; PRAGMA writable_schema = RESET")
        .unwrap();
    archive
        .execute(
            "UPDATE task SET created = created + 1 WHERE task_key = 3",
            [],
        )
        .unwrap();
    archive
        .execute_batch("PRAGMA writable_schema = ON")
        .unwrap();
    archive
        .execute(
            "INSERT INTO sqlite_schema VALUES ('index', 'task_created', 'task', ?1, ?2)",
            rusqlite::params![root, sql],
        )
        .unwrap();
    archive
        .execute_batch("PRAGMA writable_schema = RESET")
        .unwrap();
    drop(archive);
    let outcome = verify(&program, &["-o", "json"]);
    outcome.expect_code(13);
    let kinds = kinds(&answer(&outcome));
    for kind in ["database", "rows"] {
        assert!(
            kinds.iter().any(|found| found.starts_with(kind)),
            "{kind}: {kinds:?}"
        );
    }
}

#[test]
fn a_log_that_is_lost_takes_whole_syncs_with_it_which_a_head_shows() {
    let (program, api) = synced();
    let aside = program.db().with_extension("aside");
    fs::copy(program.db(), &aside).unwrap();
    let summary = program.sync_with(&api, &["-o", "json"]);
    let head = answer(&summary)["head"].as_str().unwrap().to_owned();
    verify(&program, &["--head", &head]).expect_code(0);
    // What lay in the log is what the file lacks without it.
    fs::rename(&aside, program.db()).unwrap();
    verify(&program, &[]).expect_code(0);
    let outcome = verify(&program, &["--head", &head, "-o", "json"]);
    outcome.expect_code(13);
    assert_eq!(kinds(&answer(&outcome)), [format!("head: {head}")]);
}

#[test]
fn links_that_are_cut_off_are_found() {
    let (program, _api) = synced();
    let head = program
        .rows("SELECT head FROM syncs ORDER BY sync_id DESC LIMIT 1")
        .remove(0);
    alter(&program, "DELETE FROM link WHERE sync_key = 3");
    let outcome = verify(&program, &["--head", &head, "-o", "json"]);
    outcome.expect_code(13);
    let kinds = kinds(&answer(&outcome));
    for found in ["chain: sync 3".to_owned(), format!("head: {head}")] {
        assert!(kinds.contains(&found), "{found}: {kinds:?}");
    }
    // The next link does not make up for it.
    let (program, api) = synced();
    alter(&program, "DELETE FROM link WHERE sync_key = 2");
    program.sync(&api).expect_code(0);
    verify(&program, &[]).expect_code(13);
}

#[test]
fn an_archive_is_verified_while_a_sync_is_at_work_and_after_it_was_killed() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(9)));
    program.sync(&api).expect_code(0);
    let records = tasks(40);
    let answers = records.clone();
    api.behave(move |request| {
        let action = list(answers.clone())(request);
        if request.offset > 0 {
            Action::stall()
        } else {
            action
        }
    });
    let running = program.start_sync(&api, &["--page-size", "10", "--mode", "full"]);
    wait_for_a_sync(&program);
    thread::sleep(Duration::from_millis(200));
    let outcome = verify(&program, &["-o", "json"]);
    signal(running.id(), "KILL");
    finish(running);
    outcome.expect_code(0);
    assert_eq!(kinds(&answer(&outcome)), ["chain: sync 2"]);
    verify(&program, &[]).expect_code(0);
    program.recovers(&api, &records);
    let outcome = verify(&program, &["-o", "json"]);
    outcome.expect_code(0);
    assert_eq!(kinds(&answer(&outcome)), Vec::<String>::new());
}

#[test]
fn rows_are_rebuilt_from_the_raw_text_in_one_go_and_said() {
    let (program, _api) = synced();
    let before = shown(&program);
    let bytes = fs::read(program.db()).unwrap();
    let outcome = program.run(&["reprocess"]);
    outcome
        .expect_code(0)
        .expect_said(&["0 of 41 tasks changed, 0 rows in all"]);
    assert_eq!(outcome.out, "");
    assert!(
        fs::read(program.db()).unwrap() == bytes,
        "it wrote, and there was nothing to do"
    );

    alter(
        &program,
        "UPDATE task SET status_key = NULL, is_open = 1 WHERE task_key % 2 = 0;
         UPDATE task SET created = created + 1, error_code = 'x' WHERE task_key = 5;
         DELETE FROM change WHERE task_key IN (7, 8);
         UPDATE change SET new = '9' WHERE task_key = 9;
         UPDATE revision SET updated = NULL WHERE revision_key / 1048576 = 1;
         UPDATE status SET is_final = 0 WHERE name = 'SUCCESS';
         UPDATE instance SET open_tasks = 7, tasks = 3",
    );
    verify(&program, &[]).expect_code(13);
    let altered = fs::read(program.db()).unwrap();
    let dry = program.run(&["reprocess", "--dry-run", "-o", "csv"]);
    dry.expect_code(0)
        .expect_said(&["24 of 41 tasks would be changed"]);
    assert!(
        fs::read(program.db()).unwrap() == altered,
        "a dry run wrote"
    );
    let outcome = program.run(&["reprocess", "-o", "csv"]);
    outcome
        .expect_code(0)
        .expect_said(&["24 of 41 tasks changed"]);
    assert_eq!(outcome.out, dry.out);
    for line in [
        "task,status,20\n",
        "task,is_open,20\n",
        "task,created,1\n",
        "change,details.capacity,3\n",
        "revision,updated,2\n",
        "status,is_final,1\n",
        "instance,open_tasks,1\n",
    ] {
        assert!(outcome.out.contains(line), "{line}: {}", outcome.out);
    }
    verify(&program, &[]).expect_code(0);
    assert_eq!(shown(&program), before);
}

#[test]
fn more_tasks_than_are_held_at_once_are_rebuilt() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(2_500)));
    program.sync(&api).expect_code(0);
    let before = shown(&program);
    alter(
        &program,
        "UPDATE task SET user_key = NULL; DELETE FROM change; UPDATE instance SET open_tasks = 1",
    );
    program
        .run(&["reprocess"])
        .expect_code(0)
        .expect_said(&["2500 of 2500 tasks changed, 7501 rows in all"]);
    assert_eq!(shown(&program), before);
    verify(&program, &[]).expect_code(0);
}

#[test]
fn a_text_that_was_altered_decides_nothing() {
    let (program, _api) = synced();
    alter(
        &program,
        "UPDATE revision SET raw = replace(raw, 'SUCCESS', 'FAILED') WHERE revision_key / 1048576 = 5;
         UPDATE task SET error_code = 'x' WHERE task_key = 6",
    );
    program.run(&["reprocess"]).expect_code(3).expect_said(&[
        "1 of 41 tasks changed",
        "1 are left as they are",
        "verify",
    ]);
    assert_eq!(
        program.rows("SELECT status FROM tasks WHERE task_key = 5"),
        ["SUCCESS"]
    );
    verify(&program, &[]).expect_code(13);
}

#[test]
fn neither_makes_an_archive_and_the_lock_is_respected() {
    let program = Program::new();
    for args in [&["verify"][..], &["reprocess"], &["reprocess", "--dry-run"]] {
        program
            .run(args)
            .expect_code(6)
            .expect_said(&["there is no archive"]);
        assert!(!program.db().exists());
    }
    let api = FakeApi::start(list(tasks(3)));
    program.sync(&api).expect_code(0);
    api.behave(|_| Action::stall());
    let running = program.start_sync(&api, &[]);
    wait_for_a_sync(&program);
    let busy = program.run(&["reprocess"]);
    let dry = program.run(&["reprocess", "--dry-run"]);
    signal(running.id(), "KILL");
    finish(running);
    busy.expect_code(75);
    dry.expect_code(0);
}
