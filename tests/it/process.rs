//! Faults of the process, the disk and the archive, C01 to C26: killed, stopped, locked out, out of room, or given a file
//! that is not ours.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::support::env::{Program, finish, signal, under};
use crate::support::fake_api::{Action, FakeApi, Request, list, part_of, wait};
use crate::support::faults::{PAGES, RECORDS, THIRD_PAGE, TWO_PAGES, unproven};
use crate::support::files::mode;
use crate::support::outcome::Outcome;
use crate::support::{INSTANCE, PROJECT, TOKEN, task, tasks};

/// Twenty-five records in three pages, a few of them still running.
const TEN: [&str; 2] = ["--page-size", "10"];

fn world() -> Vec<Value> {
    let mut records = tasks(25);
    for open in [0, 3, 20] {
        records[open]["status"] = json!("EXECUTING");
    }
    records
}

/// The same a while later: two came to an end, one changed what it does, three are new, and one was deleted.
fn world_later() -> Vec<Value> {
    let mut records = world();
    for done in [0, 20] {
        records[done]["status"] = json!("SUCCESS");
        records[done]["updated_at"] = json!("2026-03-02T00:00:00.000Z");
    }
    records[3]["details"]["new_capacity"] = json!("16");
    records[3]["updated_at"] = json!("2026-03-02T00:00:01.000Z");
    records.remove(10);
    for number in 26..29 {
        records.insert(0, task(&format!("task-{number:04}"), number, "SUCCESS"));
    }
    records
}

/// Everything that the archive says about tasks, without the times and numbers of what observed them.
fn state(program: &Program) -> Vec<String> {
    [
        "SELECT instance_id, task_id, name, status, is_final, user_id, user_name, created_at, updated_at, duration_ms,
           params, error_code, revisions, missing_since IS NULL, missing_confirmed_at, missing_as
         FROM tasks ORDER BY task_id",
        "SELECT task_id, source, attribute, old_value, new_value FROM task_changes ORDER BY task_id, source, attribute",
        "SELECT task_id, old_capacity, new_capacity FROM task_details ORDER BY task_id",
        "SELECT task_id, revision, is_current, status, updated_at, raw_sha256, raw FROM task_revisions
         ORDER BY task_id, revision",
        "SELECT instance_id, high_water_mark, tasks, open_tasks, missing_tasks FROM instances",
        "SELECT count(*) FROM pending UNION ALL SELECT count(*) FROM pending_task",
    ]
    .into_iter()
    .flat_map(|sql| program.rows(sql))
    .collect()
}

/// When the process is killed, as seen from the server.
#[derive(Clone, Copy, Debug)]
enum Moment {
    BeforeTheAnswer,
    InTheBody,
    /// So many milliseconds after the whole answer was sent.
    After(u64),
}

/// A child that a script may kill. Under the lock it is known whether it was waited for, so that a number which belongs to
/// another process by then is never hit.
type Victim = Arc<Mutex<Option<Child>>>;

fn kill(victim: &Victim) {
    loop {
        if let Some(child) = &mut *victim.lock().unwrap() {
            child.kill().unwrap();
            return;
        }
        // It may ask before the test has got hold of it.
        wait(Duration::from_millis(1));
    }
}

/// Hands a child to those who wait to kill it, and sees it to its end.
fn end_of(mut child: Child, victim: &Victim) -> Outcome {
    let mut out = child.stdout.take().unwrap();
    let mut err = child.stderr.take().unwrap();
    *victim.lock().unwrap() = Some(child);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    err.read_to_end(&mut stderr).unwrap();
    out.read_to_end(&mut stdout).unwrap();
    let status = victim.lock().unwrap().as_mut().unwrap().wait().unwrap();
    Outcome::from(Output {
        status,
        stdout,
        stderr,
    })
}

/// Runs a sync that is killed at that moment of its k-th request. The run may have been faster than a late kill.
fn killed(program: &Program, api: &FakeApi, records: Vec<Value>, at: usize, moment: Moment) {
    let victim = Victim::default();
    let known = Arc::clone(&victim);
    api.behave(move |request| {
        let answer = part_of(&records, request);
        if request.number != at {
            return answer;
        }
        let victim = Arc::clone(&known);
        match moment {
            Moment::BeforeTheAnswer => {
                kill(&victim);
                Action::stall()
            }
            Moment::InTheBody => answer.half().then_do(move || kill(&victim)).then_stall(),
            Moment::After(millis) => answer.then_do(move || {
                wait(Duration::from_millis(millis));
                kill(&victim);
            }),
        }
    });
    let outcome = end_of(program.start_sync(api, &TEN), &victim);
    program.check(&outcome);
    // One that got the whole answer may be done before it is hit.
    if !matches!(moment, Moment::After(_)) {
        assert_eq!(
            outcome.signal,
            Some(9),
            "request {at}, {moment:?}: {outcome:#?}"
        );
    }
}

fn behave_well(api: &FakeApi, records: Vec<Value>) {
    api.behave(list(records));
}

/// What two uninterrupted runs leave: the archive after the first, and its state after each.
struct Undisturbed {
    first: Program,
    requests: [usize; 2],
    states: [Vec<String>; 2],
}

impl Undisturbed {
    fn new(api: &FakeApi) -> Self {
        let (first, second) = (Program::new(), Program::new());
        behave_well(api, world());
        first.sync_with(api, &TEN).expect_code(0);
        let asked = api.asked();
        copy(&first, &second);
        behave_well(api, world_later());
        second.sync_with(api, &TEN).expect_code(0);
        Self {
            requests: [asked, api.asked()],
            states: [state(&first), state(&second)],
            first,
        }
    }
}

/// Gives a program the archive of another that is at rest.
fn copy(from: &Program, to: &Program) {
    fs::copy(from.db(), to.db()).unwrap();
}

#[test]
fn c01_killed_around_any_request_of_a_first_sync_the_next_one_leaves_what_one_run_would_have_left()
{
    let api = FakeApi::start(list(world()));
    let undisturbed = Undisturbed::new(&api);
    assert_eq!(undisturbed.requests[0], 4);
    for at in 1..=undisturbed.requests[0] {
        for moment in [Moment::BeforeTheAnswer, Moment::InTheBody, Moment::After(0)] {
            let program = Program::new();
            killed(&program, &api, world(), at, moment);
            let shown = program.number("SELECT count(*) FROM tasks");
            assert!([0, 25].contains(&shown), "half a walk shows: {shown}");
            behave_well(&api, world());
            program.sync_with(&api, &TEN).expect_code(0);
            assert_eq!(
                state(&program),
                undisturbed.states[0],
                "request {at}, {moment:?}"
            );
        }
    }
}

#[test]
fn c01_killed_around_any_request_of_a_later_sync_the_next_one_leaves_what_one_run_would_have_left()
{
    let api = FakeApi::start(list(world()));
    let undisturbed = Undisturbed::new(&api);
    // Three pages, and one more look before a record is called missing.
    assert_eq!(undisturbed.requests[1], 4);
    for at in 1..=undisturbed.requests[1] {
        for moment in [Moment::BeforeTheAnswer, Moment::InTheBody, Moment::After(0)] {
            let program = Program::new();
            copy(&undisturbed.first, &program);
            killed(&program, &api, world_later(), at, moment);
            assert!(
                undisturbed.states.contains(&state(&program)),
                "half a walk shows"
            );
            behave_well(&api, world_later());
            program.sync_with(&api, &TEN).expect_code(0);
            assert_eq!(
                state(&program),
                undisturbed.states[1],
                "request {at}, {moment:?}"
            );
        }
    }
}

#[test]
fn c02_killed_while_the_last_page_is_committed_the_archive_is_old_or_new() {
    let api = FakeApi::start(list(world()));
    let undisturbed = Undisturbed::new(&api);
    for millis in (0..24).step_by(2) {
        let program = Program::new();
        copy(&undisturbed.first, &program);
        killed(
            &program,
            &api,
            world_later(),
            undisturbed.requests[1],
            Moment::After(millis),
        );
        assert!(
            undisturbed.states.contains(&state(&program)),
            "half a walk shows"
        );
        behave_well(&api, world_later());
        program.sync_with(&api, &TEN).expect_code(0);
        assert_eq!(state(&program), undisturbed.states[1], "{millis} ms");
    }
}

#[test]
fn c03_c23_killed_five_times_running_the_sixth_run_completes() {
    let api = FakeApi::start(list(world()));
    let undisturbed = Undisturbed::new(&api);
    let program = Program::new();
    for at in [1, 2, 3, 4, 2] {
        killed(&program, &api, world(), at, Moment::InTheBody);
    }
    behave_well(&api, world());
    program.sync_with(&api, &TEN).expect_code(0);
    assert_eq!(state(&program), undisturbed.states[0]);
    let unfinished =
        "SELECT count(*) FROM syncs WHERE finished_at IS NULL AND outcome = 'complete'";
    assert_eq!(program.number(unfinished), 0);
    assert_eq!(program.number("SELECT count(*) FROM syncs"), 6);
}

#[test]
fn c01_pages_that_were_committed_before_a_kill_show_when_the_next_sync_closes_the_walk() {
    // Thirty-two MiB make a transaction; each of these records is three.
    let records: Vec<Value> = (1..=15)
        .rev()
        .map(|number| {
            let mut record = task(&format!("task-{number:04}"), number, "SUCCESS");
            record["params"] = json!("x".repeat(3 << 20));
            record
        })
        .collect();
    let program = Program::new();
    let api = FakeApi::start(|_| Action::stall());
    let victim = Victim::default();
    let (known, shown, db) = (Arc::clone(&victim), records.clone(), program.db());
    api.behave(move |request| {
        if request.offset < 13 {
            return part_of(&shown, request);
        }
        // The writer is still at the page before: the next is asked for meanwhile.
        for _ in 0..2000 {
            if count(&db, "task") > 0 {
                break;
            }
            wait(Duration::from_millis(10));
        }
        kill(&known);
        Action::stall()
    });
    let child = program.start_sync(&api, &["--page-size", "14"]);
    assert_eq!(end_of(child, &victim).signal, Some(9));
    assert_eq!(
        program.number("SELECT count(*) FROM task"),
        14,
        "the transaction is committed"
    );
    assert_eq!(program.number("SELECT count(*) FROM pending"), 1);
    assert!(program.task_ids().is_empty(), "half a walk shows");
    api.behave(|_| Action::reply(500, &[], ""));
    program.sync(&api).expect_code(5);
    assert_eq!(program.number("SELECT count(*) FROM tasks"), 14);
    assert_eq!(
        program.rows("SELECT proven, reason, mark_after, received FROM walks WHERE walk_id = 1"),
        ["0|interrupted||14"]
    );
    unproven(&program, 5);
    program.recovers(&api, &records);
}

/// Counts the rows of a table or view, as a reader sees them at this moment.
fn count(db: &Path, what: &str) -> i64 {
    let archive = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = format!("SELECT count(*) FROM {what}");
    archive.query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// Counts what a reader sees at this moment.
fn seen(db: &Path) -> BTreeMap<&'static str, i64> {
    ["tasks", "task_changes", "task_revisions", "walks"]
        .into_iter()
        .map(|view| (view, count(db, view)))
        .collect()
}

#[test]
fn a_reader_sees_the_archive_before_a_walk_or_after_it_and_nothing_between() {
    let program = Program::new();
    let api = FakeApi::start(|_| Action::stall());
    let mut requests = 0;
    for records in [world(), world_later()] {
        let before = program.db().exists().then(|| seen(&program.db()));
        let db = program.db();
        api.behave(move |request| {
            let now = seen(&db);
            match &before {
                Some(before) => assert_eq!(&now, before),
                None => assert!(now.values().all(|count| *count == 0), "{now:?}"),
            }
            part_of(&records, request)
        });
        // A script that panics answers nothing, and the sync fails.
        program.sync_with(&api, &TEN).expect_code(0);
        requests += api.asked();
    }
    assert_eq!(requests, 8);
    assert_eq!(seen(&program.db())["tasks"], 28);
}

#[test]
fn c07_a_reader_in_a_long_transaction_stops_nobody_and_keeps_its_moment() {
    let program = Program::new();
    let api = FakeApi::start(list(world()));
    program.sync_with(&api, &TEN).expect_code(0);
    let reader = program.archive();
    reader.execute_batch("BEGIN").unwrap();
    let count = || -> i64 {
        reader
            .query_row("SELECT count(*) FROM tasks", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(count(), 25);
    behave_well(&api, world_later());
    program.sync_with(&api, &TEN).expect_code(0);
    assert_eq!(count(), 25);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(), 28);
}

#[test]
fn c04_a_signal_stops_a_sync_at_once_and_moves_no_mark() {
    for (name, code, outcome) in [("TERM", 143, "terminated"), ("INT", 130, "interrupted")] {
        let program = Program::new();
        let pid = Arc::new(AtomicU32::new(0));
        let known = Arc::clone(&pid);
        let api = FakeApi::start(move |request| {
            if request.number < THIRD_PAGE {
                return part_of(&tasks(RECORDS), request);
            }
            signal(known.load(Ordering::SeqCst), name);
            Action::stall()
        });
        let child = program.start_sync(&api, &PAGES);
        pid.store(child.id(), Ordering::SeqCst);
        let begin = Instant::now();
        let ended = finish(child);
        assert!(begin.elapsed() < Duration::from_secs(5));
        ended
            .expect_code(code)
            .expect_said(&["stopped by a signal"]);
        program.check(&ended);
        assert_eq!(api.asked(), THIRD_PAGE);
        unproven(&program, code);
        assert_eq!(program.number("SELECT count(*) FROM tasks"), TWO_PAGES);
        assert_eq!(program.rows("SELECT outcome FROM syncs"), [outcome]);
        assert_eq!(program.rows("SELECT reason FROM walks"), ["interrupted"]);
        program.recovers(&api, &tasks(RECORDS));
    }
}

#[test]
fn s04_no_crash_leaves_the_token_in_a_file() {
    let program = Program::new();
    let api = FakeApi::start(|_| Action::stall());
    let sync = program.start_sync(&api, &[]);
    while api.asked() == 0 {
        wait(Duration::from_millis(5));
    }
    let limits = fs::read_to_string(format!("/proc/{}/limits", sync.id())).unwrap();
    signal(sync.id(), "KILL");
    finish(sync);
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{line}");
}

#[test]
fn c05_a_second_sync_is_told_who_is_at_work_and_leaves_the_first_alone() {
    let program = Program::new();
    let (begun, go_on) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (tell, told) = (Arc::clone(&begun), Arc::clone(&go_on));
    let api = FakeApi::start(move |request| {
        tell.store(true, Ordering::SeqCst);
        while request.number == 2 && !told.load(Ordering::SeqCst) {
            wait(Duration::from_millis(2));
        }
        part_of(&tasks(RECORDS), request)
    });
    let first = program.start_sync(&api, &PAGES);
    while !begun.load(Ordering::SeqCst) {
        wait(Duration::from_millis(2));
    }
    let holder = format!("{}", first.id());
    let second = program.sync(&api);
    second.expect_code(75).expect_said(&[&holder, "since 20"]);
    let begun = Instant::now();
    let impatient = program.sync_with(&api, &["--wait", "300ms"]);
    impatient.expect_code(75).expect_said(&["waiting", &holder]);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    // One that waits long enough goes on by itself, and one that waits is stopped by a signal.
    let patient = program.start_sync(&api, &["--wait", "60s"]);
    let stopped = program.start_sync(&api, &["--wait", "60s"]);
    wait(Duration::from_millis(300));
    signal(stopped.id(), "INT");
    finish(stopped).expect_code(130);
    // Readers are never blocked.
    program.run(&["list"]).expect_code(0);
    go_on.store(true, Ordering::SeqCst);
    finish(first).expect_code(0);
    finish(patient).expect_code(0);
    assert_eq!(program.number("SELECT count(*) FROM syncs"), 2);
    program.recovers(&api, &tasks(RECORDS));
}

#[test]
fn c05_of_two_syncs_that_start_together_one_completes() {
    for _ in 0..5 {
        let program = Program::new();
        let api = FakeApi::start(list(tasks(RECORDS)));
        let both = [program.start_sync(&api, &[]), program.start_sync(&api, &[])];
        let mut codes = both.map(|child| {
            let outcome = finish(child);
            program.check_said(&outcome);
            outcome.code.unwrap()
        });
        codes.sort_unstable();
        assert!([[0, 0], [0, 75]].contains(&codes), "{codes:?}");
        program.check_archive();
        assert_eq!(program.number("SELECT count(*) FROM tasks"), 9);
    }
}

#[test]
fn c06_another_program_that_writes_for_a_second_is_waited_for() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    program.sync(&api).expect_code(0);
    let other = Connection::open(program.db()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    api.behave(list(tasks(3)));
    let child = program.start_sync(&api, &[]);
    wait(Duration::from_secs(1));
    assert_eq!(
        api.asked(),
        0,
        "nothing is asked before the archive can be written to"
    );
    other.execute_batch("ROLLBACK").unwrap();
    finish(child).expect_code(0);
    program.recovers(&api, &tasks(3));
}

/// Records of twenty-odd KiB each, half a MiB together.
fn bulky() -> Vec<Value> {
    let mut records = tasks(25);
    for record in &mut records {
        record["params"] = json!("x".repeat(20 << 10));
    }
    records
}

#[test]
fn c08_a_disk_that_is_full_ends_the_run_and_once_there_is_room_the_next_one_completes() {
    let mut codes = Vec::new();
    // From no room for a new archive to room for all of it, in blocks of 512 bytes. The signal is ignored, so that a write
    // beyond the limit fails as it does on a full disk.
    for blocks in [0, 16, 200, 400, 500, 600, 800, 1000, 1200, 100_000] {
        let program = Program::new();
        let api = FakeApi::start(list(bulky()));
        let args = program.sync_args(&api, &TEN);
        let command = program.command(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let limits = format!("trap '' XFSZ; ulimit -f {blocks}");
        let outcome = finish(under(&limits, &command).spawn().unwrap());
        program.check(&outcome);
        codes.push(outcome.code.unwrap());
        if outcome.code == Some(1) {
            outcome.expect_said(&["error: "]);
        }
        let shown = program.db().exists().then(|| seen(&program.db())["tasks"]);
        assert!(
            [None, Some(0), Some(10), Some(19), Some(25)].contains(&shown),
            "{shown:?}"
        );
        program.recovers(&api, &bulky());
    }
    assert!(codes.is_sorted_by(|one, next| one >= next), "{codes:?}");
    assert_eq!((codes[0], codes.last()), (1, Some(&0)), "{codes:?}");
    assert!(
        codes.iter().filter(|code| **code == 1).count() > 3,
        "{codes:?}"
    );
}

#[test]
fn c08_a_file_system_that_is_full_ends_the_run_and_once_there_is_room_the_next_one_completes() {
    // A file system of its own, seen by nobody else and gone with the shell.
    let script = r#"
        mount -t tmpfs -o size="$SIZE" none "$ROOM" || exit 99
        "$0" "$@"; echo "full $?" >&2
        mount -o remount,size=16m none "$ROOM"
        "$0" "$@"; echo "room $?" >&2
        cp "$ROOM/history.db" "$DCS_HISTORY_DB"
    "#;
    let mut full = 0;
    for size in ["4k", "64k", "300k", "400k", "600k", "800k"] {
        let program = Program::new();
        let api = FakeApi::start(list(bulky()));
        let room = program.home().join("room");
        fs::create_dir(&room).unwrap();
        let db = room.join("history.db");
        let mut command = Command::new("unshare");
        program.settle(&mut command);
        command.args([
            "-rm",
            "/bin/sh",
            "-c",
            script,
            env!("CARGO_BIN_EXE_dcs-history"),
        ]);
        command
            .args(program.sync_args(&api, &TEN))
            .args(["--db", db.to_str().unwrap()]);
        command
            .env("SIZE", size)
            .env("ROOM", &room)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let Ok(child) = command.spawn() else {
            eprintln!("no `unshare` here: a full disk is shown by a limit on file sizes alone");
            return;
        };
        let outcome = finish(child);
        if !outcome.err.contains("room ") {
            eprintln!(
                "no mounting here: a full disk is shown by a limit on file sizes alone: {}",
                outcome.err
            );
            return;
        }
        program.check(&outcome);
        full += u32::from(outcome.err.contains("full 1\n"));
        let ended = outcome.err.contains("full 1\n") || outcome.err.contains("full 0\n");
        assert!(ended, "{size}: {outcome:#?}");
        outcome.expect_said(&["room 0\n"]);
        assert_eq!(program.task_ids().len(), 25);
    }
    assert!(full > 2, "no run met a full disk");
}

/// Runs a sync and a list that must refuse what lies in the archive's place, before anything is asked of the cloud.
fn refused(program: &Program, api: &FakeApi, db: &Path, said: &str) -> Vec<Outcome> {
    api.behave(list(tasks(3)));
    let before = snapshot(program.home());
    let sync = program.sync_args(api, &["--db", db.to_str().unwrap()]);
    let sync: Vec<_> = sync.iter().map(String::as_str).collect();
    let outcomes = [&sync[..], &["list", "--db", db.to_str().unwrap()]]
        .into_iter()
        .map(|args| {
            let outcome = finish(program.command(args).spawn().unwrap());
            program.check_said(&outcome);
            outcome.expect_code(6);
            outcome
        })
        .collect::<Vec<_>>();
    outcomes[0].expect_said(&[said]);
    assert_eq!(api.asked(), 0);
    assert_eq!(snapshot(program.home()), before, "{outcomes:#?}");
    outcomes
}

/// Every file below a folder with what is in it; a folder has nothing in it.
fn snapshot(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_str().unwrap().to_owned();
        if path.is_dir() {
            files.extend(snapshot(&path));
            files.insert(name, Vec::new());
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn c09_c10_c11_c12_what_is_not_ours_is_refused_and_not_touched() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    let here = |name: &str| program.home().join(name);
    fs::write(here("text"), "a diary, and more than sixteen bytes of it\n").unwrap();
    refused(&program, &api, &here("text"), "nothing was changed");

    for (name, sql) in [
        (
            "other",
            "PRAGMA application_id = 252006673; CREATE TABLE precious(x); INSERT INTO precious VALUES (1);",
        ),
        (
            "nobody",
            "CREATE TABLE tasks(x); INSERT INTO tasks VALUES (1);",
        ),
    ] {
        let other = Connection::open(here(name)).unwrap();
        other.execute_batch(sql).unwrap();
        drop(other);
        refused(&program, &api, &here(name), "nothing was changed");
    }

    program.sync(&api).expect_code(0);
    fs::copy(program.db(), here("newer")).unwrap();
    let newer = Connection::open(here("newer")).unwrap();
    let version: i64 = newer
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    newer
        .execute_batch(&format!("PRAGMA user_version = {}", version + 1))
        .unwrap();
    drop(newer);
    refused(&program, &api, &here("newer"), "newer");

    fs::create_dir(here("folder")).unwrap();
    refused(&program, &api, &here("folder"), "folder");
    refused(&program, &api, &here("text/history.db"), "folder");
    refused(&program, &api, &here("missing/history.db"), "folder");
}

#[test]
fn c13_an_empty_file_becomes_an_archive() {
    let program = Program::new();
    fs::write(program.db(), "").unwrap();
    let api = FakeApi::start(list(tasks(3)));
    program.recovers(&api, &tasks(3));
}

#[test]
fn c14_an_archive_that_was_cut_is_reported_and_never_replaced() {
    let sound = Program::new();
    let api = FakeApi::start(list(tasks(200)));
    sound.sync(&api).expect_code(0);
    let bytes = fs::read(sound.db()).unwrap();
    let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    for (length, what) in [
        (bytes.len() / 2 / page * page, "half of it, in whole pages"),
        (bytes.len() - page / 2, "the last half page"),
        (page, "all but the first page"),
        (60, "a part of the header"),
    ] {
        let program = Program::new();
        fs::write(program.db(), &bytes[..length]).unwrap();
        let outcomes = refused(&program, &api, &program.db(), "backup");
        outcomes[0].expect_said(&[".recover"]);
        assert_eq!(fs::read(program.db()).unwrap().len(), length, "{what}");
    }
}

#[test]
fn c15_a_reader_that_goes_away_ends_the_output_quietly() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(600)));
    program.sync(&api).expect_code(0);
    for format in ["table", "json", "jsonl", "csv", "markdown"] {
        for lines in [0, 1] {
            let mut child = program
                .command(&["list", "-n", "0", "-o", format])
                .spawn()
                .unwrap();
            let mut out = BufReader::new(child.stdout.take().unwrap());
            for _ in 0..lines {
                assert!(out.read_line(&mut String::new()).unwrap() > 0);
            }
            drop(out);
            let outcome = finish(child);
            assert_eq!(
                (outcome.code, outcome.err.as_str()),
                (Some(0), ""),
                "{format}"
            );
        }
    }
}

#[test]
fn c17_every_revision_that_was_seen_stays() {
    let program = Program::new();
    let api = FakeApi::start(|_| Action::stall());
    let at = |minute: u32, status: &str| {
        let mut record = task("a", 1, status);
        record["updated_at"] = json!(format!("2026-03-01T00:{minute:02}:00.000Z"));
        record
    };
    for (minute, status) in [
        (1, "CREATED"),
        (2, "EXECUTING"),
        (3, "SUCCESS"),
        (3, "SUCCESS"),
    ] {
        behave_well(&api, vec![at(minute, status)]);
        program.sync(&api).expect_code(0);
    }
    assert_eq!(
        program.rows("SELECT revision, is_current, status FROM task_revisions ORDER BY revision"),
        ["1|0|CREATED", "2|0|EXECUTING", "3|1|SUCCESS"]
    );
}

/// Makes a folder that the program may look into and not write to; root must become somebody else for that.
fn as_a_guest(program: &Program, folder: &Path, command: &mut Command) {
    fs::create_dir(folder).unwrap();
    fs::set_permissions(program.home(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap();
    if fs::metadata(folder).unwrap().uid() == 0 {
        // The one whom nothing belongs to.
        command.uid(65534).gid(65534);
    }
}

#[test]
fn c18_a_folder_that_may_not_be_written_to_is_told_before_anything_is_asked() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    let folder = program.home().join("kept");
    let db = folder.join("history.db");
    let mut command = program.command(&["sync", "--endpoint", api.url(), "--project-id", PROJECT]);
    command
        .env("DCS_HISTORY_DB", &db)
        .env("DCS_HISTORY_TOKEN", TOKEN);
    as_a_guest(&program, &folder, &mut command);
    let outcome = finish(command.spawn().unwrap());
    program.check_said(&outcome);
    outcome
        .expect_code(1)
        .expect_said(&["cannot use the archive", "hint: "]);
    assert_eq!(api.asked(), 0);
    assert!(snapshot(&folder).is_empty());
}

#[test]
fn c18_an_archive_that_may_only_be_read_is_told_before_anything_is_asked() {
    let sound = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    sound.sync(&api).expect_code(0);
    let program = Program::new();
    let folder = program.home().join("kept");
    let db = folder.join("history.db");
    let mut command = program.command(&["sync", "--endpoint", api.url(), "--project-id", PROJECT]);
    command
        .env("DCS_HISTORY_DB", &db)
        .env("DCS_HISTORY_TOKEN", TOKEN);
    as_a_guest(&program, &folder, &mut command);
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    fs::copy(sound.db(), &db).unwrap();
    fs::set_permissions(&db, Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    api.behave(list(tasks(3)));
    let before = snapshot(&folder);
    let outcome = finish(command.spawn().unwrap());
    program.check_said(&outcome);
    outcome
        .expect_code(1)
        .expect_said(&["cannot use the archive", "hint: "]);
    assert_eq!(api.asked(), 0);
    assert_eq!(snapshot(&folder), before);
}

#[test]
fn c23_a_lock_file_that_nobody_holds_means_nothing() {
    let program = Program::new();
    let lock = program.home().join("history.db.lock");
    // Process 1 is always there.
    fs::write(
        &lock,
        "pid 1\nsince 2020-01-01T00:00:00.000Z\nprogram dcs-history 0.1.0\n",
    )
    .unwrap();
    let api = FakeApi::start(list(tasks(3)));
    program.recovers(&api, &tasks(3));
}

#[test]
fn c26_from_cron_it_works_and_whatever_the_umask_nobody_else_may_read_the_archive() {
    for umask in ["000", "777"] {
        let program = Program::new();
        let folder = program.home().to_owned();
        let api = FakeApi::start(move |request: &Request| {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
            part_of(&tasks(3), request)
        });
        let args = program.sync_args(
            &api,
            &[
                "--instance",
                INSTANCE,
                "--db",
                program.db().to_str().unwrap(),
            ],
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_dcs-history"));
        command.args(args).env_clear();
        let outcome = finish(under(&format!("umask {umask}"), &command).spawn().unwrap());
        outcome.expect_code(0);
        program.check(&outcome);
        assert_eq!(mode(&program.db()), 0o600);
        assert_eq!(program.number("SELECT count(*) FROM tasks"), 3);
    }
}

#[test]
fn c22_a_reader_that_never_ends_makes_the_log_grow_and_stops_nobody() {
    // A program whose output nobody takes stands still in the middle of its query. It is another process, since a test
    // that opens and closes the archive's files itself would give up the locks of a reader of its own.
    const ENDLESS: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900000)
        SELECT i, (SELECT count(*) FROM task_revisions) FROM n";
    let program = Program::new();
    let api = FakeApi::start(list(world()));
    program.sync_with(&api, &TEN).expect_code(0);
    let log = || {
        let mut path = program.db().into_os_string();
        path.push("-wal");
        fs::metadata(path).map_or(0, |file| file.len())
    };
    let mut reader = program
        .command(&["sql", "-o", "csv", ENDLESS])
        .spawn()
        .unwrap();
    let mut began = [0];
    reader
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut began)
        .unwrap();
    for number in 0..20 {
        let mut records = world();
        records[0]["details"]["new_capacity"] = json!(number.to_string());
        behave_well(&api, records);
        program.sync_with(&api, &TEN).expect_code(0);
    }
    let grown = log();
    reader.kill().unwrap();
    reader.wait().unwrap();
    assert!(
        grown > 100_000,
        "what the reader may still read stays in the log: {grown}"
    );
    program.sync_with(&api, &TEN).expect_code(0);
    assert_eq!(log(), 0, "the next sync moves it into the archive");
    let kept = "SELECT count(*) FROM task_revisions WHERE task_id = 'task-0025'";
    assert_eq!(program.number(kept), 20);
}
