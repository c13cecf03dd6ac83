//! C27: a backup is whole whatever is written meanwhile, and never takes the place of anything else.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::env::{Program, finish, signal, under};
use crate::support::fake_api::{Action, FakeApi, Request, list, part_of, wait};
use crate::support::outcome::Outcome;
use crate::support::{task, tasks};

/// What the archive says: every view of the contract, as `sql` prints it.
const VIEWS: [&str; 11] = [
    "tasks",
    "task_details",
    "task_changes",
    "changes",
    "task_revisions",
    "instances",
    "syncs",
    "walks",
    "rejected",
    "drift",
    "upstream",
];

/// Everything that a reader can ask of an archive.
#[track_caller]
fn dump(program: &Program, db: &Path) -> Vec<String> {
    let ask = |view: &&str| {
        let query = format!("SELECT * FROM {view}");
        let asked = run(
            program,
            &["sql", &query, "-o", "jsonl", "--db", db.to_str().unwrap()],
        );
        asked.expect_code(0);
        asked.out
    };
    VIEWS.iter().map(ask).collect()
}

/// Runs the program without a look into every file for the token: some of these are large.
#[track_caller]
fn run(program: &Program, args: &[&str]) -> Outcome {
    finish(program.command(args).spawn().unwrap())
}

#[track_caller]
fn sync(program: &Program, api: &FakeApi, extra: &[&str]) -> Outcome {
    finish(program.start_sync(api, extra))
}

/// Records of three MiB. Of fifteen, a page is committed before the walk ends, and of five a copy takes some time.
fn heavy(count: u32) -> Vec<Value> {
    let one = |number| {
        let mut record = task(&format!("task-{number:04}"), number, "SUCCESS");
        record["params"] = json!("x".repeat(3 << 20));
        record
    };
    (1..=count).rev().map(one).collect()
}

fn copy_of(program: &Program) -> PathBuf {
    program.home().join("copy.db")
}

#[track_caller]
fn backup(program: &Program, extra: &[&str]) -> Outcome {
    let copy = copy_of(program);
    run(
        program,
        &[&["backup", copy.to_str().unwrap()], extra].concat(),
    )
}

/// The names in the program's folder that have to do with the copy.
fn left(program: &Program) -> Vec<String> {
    let names = fs::read_dir(program.home()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with("copy")).collect();
    names.sort();
    names
}

#[test]
fn c27_a_backup_amid_a_walk_answers_as_the_archive_does_and_a_sync_of_it_goes_on() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(2)));
    sync(&program, &api, &[]).expect_code(0);
    let records = heavy(15);
    let shown = records.clone();
    api.behave(move |request| {
        if request.offset < 13 {
            part_of(&shown, request)
        } else {
            Action::stall()
        }
    });
    let mut syncing = program.start_sync(&api, &["--page-size", "14"]);
    until(|| program.number("SELECT count(*) FROM task") > 2);
    let outcome = backup(&program, &[]);
    outcome.expect_code(0).expect_said(&[
        "copy.db: ",
        " MiB, 2 tasks, last sync 1 (complete) of 2026-04-01T12:00:0",
    ]);
    assert_eq!(outcome.out, "");
    let copy = copy_of(&program);
    assert_eq!(dump(&program, &program.db()), dump(&program, &copy));
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(left(&program), ["copy.db"]);
    syncing.kill().unwrap();
    syncing.wait().unwrap();

    // Both are as after a kill now, and go on alike.
    api.behave(list(records));
    for db in [program.db(), copy.clone()] {
        let synced = sync(&program, &api, &["--db", db.to_str().unwrap()]);
        synced.expect_code(0);
    }
    let tasks =
        "SELECT task_id, revisions, first_seen_at, missing_since FROM tasks ORDER BY task_id";
    let [original, copied] = [program.db(), copy].map(|db| {
        let asked = run(
            &program,
            &["sql", tasks, "-o", "csv", "--db", db.to_str().unwrap()],
        );
        asked.expect_code(0).out.clone()
    });
    assert_eq!(original, copied);
    assert_eq!(original.lines().count(), 1 + 15);
}

#[test]
fn c27_backups_during_syncs_that_write_all_the_time_are_each_whole() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(400)));
    sync(&program, &api, &[]).expect_code(0);
    let done = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&done);
    // Each sync is shown every record in a new state, so that every page is written to.
    let round = Arc::new(AtomicUsize::new(0));
    let shown = Arc::clone(&round);
    api.behave(move |request: &Request| {
        let mut records = tasks(400);
        for record in &mut records {
            record["error_code"] = json!(shown.load(Ordering::Relaxed).to_string());
        }
        part_of(&records, request)
    });
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..8 {
                round.fetch_add(1, Ordering::Relaxed);
                sync(&program, &api, &["--page-size", "100"]).expect_code(0);
            }
            done.store(true, Ordering::Relaxed);
        });
        let mut copies = 0;
        while !stop.load(Ordering::Relaxed) || copies < 3 {
            backup(&program, &["--force"]).expect_code(0);
            let copy = rusqlite::Connection::open(copy_of(&program)).unwrap();
            let row = |sql: &str| {
                copy.query_row(sql, [], |row| row.get::<_, String>(0))
                    .unwrap()
            };
            assert_eq!(row("PRAGMA integrity_check"), "ok");
            assert_eq!(row("PRAGMA journal_mode"), "delete");
            // A walk shows all or nothing.
            let states = "SELECT count(DISTINCT t.error_code) || ' ' || count(*) FROM tasks t";
            assert!(
                ["0 400", "1 400"].contains(&row(states).as_str()),
                "{}",
                row(states)
            );
            copies += 1;
        }
    });
}

/// Waits until something is so.
#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        wait(Duration::from_millis(10));
    }
    panic!("it never was");
}

/// Starts a backup and returns when it has begun to write.
fn begun(program: &Program) -> Option<Child> {
    let copy = copy_of(program);
    let new = program.home().join("copy.db.new");
    let mut child = program
        .command(&["backup", copy.to_str().unwrap()])
        .spawn()
        .unwrap();
    while child.try_wait().unwrap().is_none() {
        if fs::metadata(&new).is_ok_and(|file| file.len() > 0) {
            return Some(child);
        }
        wait(Duration::from_micros(200));
    }
    None
}

#[test]
fn c27_a_backup_that_is_killed_or_stopped_leaves_no_copy_and_the_next_one_clears_up() {
    let program = Program::new();
    let api = FakeApi::start(list(heavy(5)));
    sync(&program, &api, &[]).expect_code(0);
    for (name, code) in [("KILL", None), ("INT", Some(130)), ("TERM", Some(143))] {
        // The copy may be done before the signal arrives; in one of ten tries it is not.
        let caught = (0..10).any(|_| {
            let _none = fs::remove_file(copy_of(&program));
            let Some(child) = begun(&program) else {
                return false;
            };
            signal(child.id(), name);
            let outcome = finish(child);
            outcome.code == code
        });
        assert!(caught, "{name} always came too late");
        let expected: &[&str] = match name {
            "KILL" => &["copy.db.new"],
            _ => &[],
        };
        let remaining: Vec<_> = left(&program);
        assert_eq!(remaining, expected, "{name}");
        backup(&program, &[]).expect_code(0);
        assert_eq!(left(&program), ["copy.db"]);
        assert_eq!(
            dump(&program, &copy_of(&program)),
            dump(&program, &program.db())
        );
    }
}

#[test]
fn of_two_backups_to_one_place_the_second_is_told_that_it_is_busy() {
    let program = Program::new();
    let api = FakeApi::start(list(heavy(5)));
    sync(&program, &api, &[]).expect_code(0);
    let met = (0..10).any(|_| {
        let _none = fs::remove_file(copy_of(&program));
        let Some(child) = begun(&program) else {
            return false;
        };
        // Held still, so that the other one surely meets it.
        signal(child.id(), "STOP");
        let second = backup(&program, &[]);
        signal(child.id(), "CONT");
        finish(child).expect_code(0);
        second.code == Some(75)
    });
    assert!(met, "no second backup met the first");
    assert_eq!(left(&program), ["copy.db"]);
    assert_eq!(
        dump(&program, &copy_of(&program)),
        dump(&program, &program.db())
    );
}

#[test]
fn nothing_but_an_archive_of_this_program_is_replaced_and_only_if_asked() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    sync(&program, &api, &[]).expect_code(0);
    let at = |name: &str| program.home().join(name);
    fs::write(at("text"), "not a database\n").unwrap();
    let other = rusqlite::Connection::open(at("other.db")).unwrap();
    other.execute_batch("CREATE TABLE t(x)").unwrap();
    drop(other);
    symlink("history.db", at("link")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    fs::hard_link(program.db(), at("twin.db")).unwrap();
    fs::hard_link(program.db(), at("name.new")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    fs::write(at("orphan.db-wal"), "left behind").unwrap();
    let mut newer = fs::read(program.db()).unwrap();
    newer[63] += 1;
    fs::write(at("newer.db"), newer).unwrap();
    let before = files(&program);
    for (name, said) in [
        ("text", "not a sound archive of this program"),
        ("other.db", "not a sound archive of this program"),
        ("newer.db", "newer version"),
        ("link", "it is a link"),
        ("dangling", "it is a link"),
        ("twin.db", "it is the archive itself"),
        ("history.db", "it is the archive itself"),
        ("./folder/../history.db", "it is the archive itself"),
        ("history.db-wal", "belongs to the archive itself"),
        ("history.db.lock", "belongs to the archive itself"),
        ("history.db.new", "belongs to the archive itself"),
        ("name", "belongs to the archive itself"),
        ("folder", "it is a folder"),
        ("orphan.db", "a journal lies beside it"),
        ("missing/copy.db", "its folder does not exist"),
        ("text/copy.db", "is a file"),
    ] {
        let target = at(name);
        let outcome = run(&program, &["backup", "--force", target.to_str().unwrap()]);
        outcome.expect_code(2).expect_said(&[said]);
        assert_eq!(files(&program), before, "{name}");
    }
    for name in ["text", "other.db", "newer.db"] {
        let outcome = run(&program, &["backup", at(name).to_str().unwrap()]);
        outcome
            .expect_code(2)
            .expect_said(&["is there already", "--force"]);
    }
    assert_eq!(files(&program), before);
    let copy = at("copy.db");
    backup(&program, &[]).expect_code(0);
    let first = fs::read(&copy).unwrap();
    backup(&program, &[]).expect_code(2);
    api.behave(list(tasks(4)));
    sync(&program, &api, &[]).expect_code(0);
    assert_eq!(fs::read(&copy).unwrap(), first);
    backup(&program, &["--force"])
        .expect_code(0)
        .expect_said(&["4 tasks"]);
    assert_eq!(dump(&program, &copy), dump(&program, &program.db()));
}

/// Every file with what is in it; a folder and a link that leads nowhere have nothing in them.
fn files(program: &Program) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(program.home()).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap_or_default())
        })
        // A reader leaves the files of the log, and they are its own.
        .filter(|(name, _)| !name.starts_with("history.db-"))
        .collect();
    files.sort();
    files
}

#[test]
fn an_archive_that_another_sync_is_reading_into_is_not_replaced() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    sync(&program, &api, &[]).expect_code(0);
    backup(&program, &[]).expect_code(0);
    let copy = copy_of(&program);
    api.behave(|_| Action::stall());
    let mut syncing = program.start_sync(&api, &["--db", copy.to_str().unwrap()]);
    until(|| api.asked() > 0);
    let outcome = backup(&program, &["--force"]);
    assert!([Some(2), Some(75)].contains(&outcome.code), "{outcome:#?}");
    syncing.kill().unwrap();
    syncing.wait().unwrap();
}

#[test]
fn without_room_or_rights_there_is_no_backup_and_nothing_is_left() {
    let program = Program::new();
    let api = FakeApi::start(list(heavy(5)));
    sync(&program, &api, &[]).expect_code(0);
    let copy = copy_of(&program);
    let command = program.command(&["backup", copy.to_str().unwrap()]);
    // In blocks of 512 bytes; the signal is ignored, so that a write beyond the limit fails as on a full disk.
    for blocks in [100, 20_000] {
        let limits = format!("trap '' XFSZ; ulimit -f {blocks}; umask 000");
        let outcome = finish(under(&limits, &command).spawn().unwrap());
        outcome
            .expect_code(1)
            .expect_said(&["cannot write the backup"]);
        assert_eq!(left(&program), [""; 0], "{blocks}");
    }
    let outcome = run(&program, &["backup", "/proc/copy.db"]);
    outcome
        .expect_code(1)
        .expect_said(&["cannot write the backup /proc/copy.db"]);
    let outcome = finish(under("umask 777", &command).spawn().unwrap());
    outcome.expect_code(0);
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn what_is_no_sound_archive_is_not_copied() {
    let program = Program::new();
    let outcome = backup(&program, &[]);
    outcome
        .expect_code(6)
        .expect_said(&["there is no archive there yet"]);
    let api = FakeApi::start(list(heavy(5)));
    sync(&program, &api, &[]).expect_code(0);
    // Bytes of an inner page are altered; its header is left as it was.
    let mut bytes = fs::read(program.db()).unwrap();
    bytes[8_192 * 3..8_192 * 4].fill(0x5a);
    fs::write(program.db(), bytes).unwrap();
    let copy = copy_of(&program);
    let outcome = finish(
        program
            .command(&["backup", copy.to_str().unwrap()])
            .spawn()
            .unwrap(),
    );
    outcome
        .expect_code(6)
        .expect_said(&["it is damaged", ".recover"]);
    assert_eq!(left(&program), [""; 0]);
}

#[test]
fn a_backup_answers_where_nothing_can_be_written() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    sync(&program, &api, &[]).expect_code(0);
    let folder = program.home().join("still");
    fs::create_dir(&folder).unwrap();
    let copy = folder.join("copy.db");
    run(&program, &["backup", copy.to_str().unwrap()]).expect_code(0);
    fs::set_permissions(&copy, Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    assert_eq!(dump(&program, &copy), dump(&program, &program.db()));
    let names: Vec<_> = fs::read_dir(&folder).unwrap().collect();
    assert_eq!(names.len(), 1, "a reader leaves nothing beside it");
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_readme_restores_a_backup() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    sync(&program, &api, &[]).expect_code(0);
    let home = program.home().to_str().unwrap();
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let lines = readme
        .lines()
        .skip_while(|line| !line.starts_with("To restore one,"));
    let lines: Vec<_> = lines
        .skip(2)
        .take_while(|line| line.starts_with("    "))
        .collect();
    let copy = format!("{home}/copies/history.db");
    let script = lines.join("\n").replace("/backup/history.db", &copy);
    assert!(script.contains(&copy) && lines.len() == 2, "{script}");
    fs::create_dir(program.home().join("copies")).unwrap();
    run(&program, &["backup", &copy]).expect_code(0);
    let before = dump(&program, &program.db());
    fs::write(program.db(), "broken").unwrap();
    let mut command = Command::new("/bin/sh");
    program.settle(&mut command);
    let bin = Path::new(env!("CARGO_BIN_EXE_dcs-history"))
        .parent()
        .unwrap();
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    command.args(["-c", &script]).current_dir(home);
    // What was read by a clock of another month is not fresh, and `status` is there to say so.
    finish(command.spawn().unwrap()).expect_code(12);
    assert_eq!(dump(&program, &program.db()), before);
    assert_eq!(
        fs::metadata(program.db()).unwrap().permissions().mode() & 0o777,
        0o600
    );
    sync(&program, &api, &[]).expect_code(0);
    assert_eq!(program.number("SELECT count(*) FROM syncs"), 2);
}
