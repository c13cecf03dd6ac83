//! `export` as it is typed: what goes where, what stands in its way, and that nothing of it is left where it fails.

use std::fs::{self, Permissions};
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::env::{Program, finish, signal, under};
use crate::support::fake_api::{Action, FakeApi, list, wait};
use crate::support::files::{mode, names};
use crate::support::outcome::Outcome;
use crate::support::{task, tasks};

const VIEWS: [&str; 12] = [
    "tasks",
    "task_details",
    "task_changes",
    "changes",
    "task_revisions",
    "instances",
    "instance_revisions",
    "syncs",
    "walks",
    "rejected",
    "drift",
    "upstream",
];

/// A program with an archive of nine tasks.
fn archive() -> Program {
    let (program, api) = (Program::new(), FakeApi::start(list(tasks(9))));
    program.sync(&api).expect_code(0);
    program
}

#[track_caller]
fn export(program: &Program, args: &[&str]) -> Outcome {
    let mut command = program.command(&[&["export"], args].concat());
    command.current_dir(program.home());
    let outcome = finish(command.spawn().unwrap());
    program.check(&outcome);
    outcome
}

/// The number of rows of a Parquet file.
fn rows(path: &Path) -> i64 {
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    reader.metadata().file_metadata().num_rows()
}

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| (name.clone(), fs::read(folder.join(name)).unwrap());
    names(folder).into_iter().map(read).collect()
}

#[test]
fn every_view_goes_into_a_folder_and_equal_archives_give_equal_files() {
    let program = archive();
    let home = program.home();
    let outcome = export(&program, &["--out-dir", "one"]);
    outcome
        .expect_code(0)
        .expect_said(&["export one: 12 views, ", " rows, ", " KiB\n"]);
    assert_eq!(outcome.out, "");
    let mut expected = VIEWS.map(|view| format!("{view}.parquet"));
    expected.sort();
    assert_eq!(names(&home.join("one")), expected);
    assert_eq!(mode(&home.join("one")), 0o700);
    for view in VIEWS {
        let path = home.join("one").join(format!("{view}.parquet"));
        assert_eq!(mode(&path), 0o600, "{view}");
        let count = program.number(&format!("SELECT count(*) FROM {view}"));
        assert_eq!(rows(&path), count, "{view}");
    }
    for format in ["parquet", "jsonl", "csv"] {
        for folder in ["first", "second"] {
            let folder = format!("{format}-{folder}");
            export(&program, &["--format", format, "--out-dir", &folder]).expect_code(0);
        }
        let of = |folder: &str| files(&home.join(format!("{format}-{folder}")));
        assert_eq!(of("first"), of("second"), "{format}");
        assert_eq!(of("first").len(), VIEWS.len(), "{format}");
    }
}

#[test]
fn json_lines_and_csv_are_those_of_other_commands() {
    let program = archive();
    for (format, view) in [
        ("jsonl", "tasks"),
        ("csv", "tasks"),
        ("jsonl", "walks"),
        ("csv", "syncs"),
    ] {
        let query = format!("SELECT * FROM {view} ORDER BY 1");
        let asked = program.run(&["sql", &query, "-o", format]);
        let exported = export(&program, &[view, "--format", format]);
        assert_eq!(exported.expect_code(0).err, "");
        assert_eq!(exported.out, asked.out, "{view} as {format}");
        let file = format!("{view}.{format}");
        export(&program, &[view, "--out", &file]).expect_code(0);
        let written = fs::read_to_string(program.home().join(&file)).unwrap();
        assert_eq!(written, asked.out, "{file}");
    }
    let columns = export(
        &program,
        &["tasks", "--format", "csv", "--columns", "task_id,status"],
    );
    let lines: Vec<_> = columns.out.lines().take(2).collect();
    assert_eq!(lines.len(), 2, "{columns:?}");
    assert_eq!(lines[0], "task_id,status");
    assert!(lines[1].ends_with(",SUCCESS"), "{lines:?}");
    let bare = [
        "tasks",
        "--format",
        "csv",
        "--no-header",
        "--columns",
        "task_key",
    ];
    assert_eq!(export(&program, &bare).out, "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
}

#[test]
fn filters_choose_rows_and_say_what_they_leave_out() {
    let program = archive();
    let count = |args: &[&str]| {
        let all = [&["tasks", "--format", "csv", "--no-header"], args].concat();
        export(&program, &all).expect_code(0).out.lines().count()
    };
    // Task n was made in the n-th minute of that day.
    assert_eq!(
        count(&[
            "--since",
            "2026-03-01T00:03:00Z",
            "--until",
            "2026-03-01T00:06:00Z"
        ]),
        3
    );
    assert_eq!(count(&["--period", "2026-03"]), 9);
    assert_eq!(count(&["--period", "2026-02"]), 0);
    assert_eq!(count(&["--instance", "1111"]), 9);

    let outcome = export(
        &program,
        &[
            "--out-dir",
            "x",
            "--format",
            "csv",
            "--instance",
            "1111",
            "--period",
            "2026-02",
        ],
    );
    outcome.expect_code(0).expect_said(&[
        "export x: 7 views, 0 rows",
        "left out, since the filter cannot be asked of them: instances, syncs, rejected, drift",
    ]);
    assert_eq!(names(&program.home().join("x")).len(), 7);
    for (args, said) in [
        (
            ["syncs", "--instance=1111"],
            "--instance cannot be asked of syncs",
        ),
        (
            ["rejected", "--period=2026"],
            "a period cannot be asked of rejected",
        ),
        (
            ["tasks", "--instance=zzz"],
            "no instance \"zzz\" in the archive",
        ),
        (["tasks", "--period=soon"], "--period"),
    ] {
        export(&program, &args).expect_code(2).expect_said(&[said]);
    }
}

#[test]
fn wrong_usage_is_answered_with_what_to_do() {
    let program = archive();
    for (args, said) in [
        (&["taks"][..], "a similar value exists: 'tasks'"),
        (
            &["tasks", "--format", "xlsx"],
            "possible values: parquet, jsonl, csv",
        ),
        (&[], "--out-dir DIR writes a file for each view"),
        (
            &["tasks", "walks", "--out", "x.csv"],
            "several views do not go into one file",
        ),
        (
            &["tasks", "--out", "x", "--out-dir", "y"],
            "cannot be used with",
        ),
        (
            &["tasks", "--columns", "nmae"],
            "its columns are task_key, project_id",
        ),
        (&["tasks", "--columns", "name,name"], "named twice"),
        (
            &["--columns", "name", "--out-dir", "y"],
            "those of one view",
        ),
        (
            &["tasks", "--force"],
            "--force replaces files, and none is named",
        ),
        (
            &["tasks", "--out", "nowhere/x.csv"],
            "make its folder first",
        ),
        (
            &["tasks", "--out", "token/x.csv"],
            "name a file in a folder",
        ),
        (
            &["tasks", "--out-dir", "nowhere/x"],
            "a new one in a folder that exists",
        ),
        (&["tasks", "--out-dir", "token"], "--out-dir names a folder"),
        (&["tasks", "--out", "."], "names no file"),
        (
            &["tasks", "--out", "history.db"],
            "history.db belongs to the archive",
        ),
        (
            &["tasks", "--out", "history.db", "--force"],
            "history.db belongs to the archive",
        ),
        (
            &["tasks", "--out", "history.db-journal"],
            "belongs to the archive",
        ),
    ] {
        let outcome = export(&program, args);
        outcome.expect_code(2).expect_said(&[said, "hint: "]);
        assert_eq!(outcome.out, "");
    }
    assert_eq!(names(program.home()), [""; 0]);
}

#[test]
fn a_missing_archive_is_6_and_an_empty_one_has_empty_views() {
    let program = Program::new();
    let missing = export(&program, &["tasks", "--out", "x.parquet"]);
    missing
        .expect_code(6)
        .expect_said(&["there is no archive there yet"]);
    let api = FakeApi::start(list(Vec::new()));
    program.sync(&api).expect_code(0);
    export(&program, &["--out-dir", "x"]).expect_code(0);
    for view in ["tasks", "task_details", "changes", "rejected", "drift"] {
        assert_eq!(
            rows(&program.home().join(format!("x/{view}.parquet"))),
            0,
            "{view}"
        );
    }
    assert_eq!(
        export(&program, &["tasks", "--format", "jsonl"])
            .expect_code(0)
            .out,
        ""
    );
    let header = export(&program, &["drift", "--format", "csv"]);
    assert_eq!(
        header.expect_code(0).out,
        "first_seen_at,sync_id,kind,what,sample\n"
    );
}

#[test]
fn what_is_there_stays_unless_it_may_be_replaced_and_no_link_is_followed() {
    let program = archive();
    let home = program.home();
    let path = |name: &str| home.join(name);
    fs::write(path("old.csv"), "old").unwrap();
    fs::write(path("aim"), "aim").unwrap();
    symlink("aim", path("link.csv")).unwrap();
    symlink("gone", path("dangling.csv")).unwrap();
    fs::create_dir(path("folder.csv")).unwrap();
    let pipe = Command::new("mkfifo").arg(path("pipe.csv")).status();
    assert!(pipe.unwrap().success());
    for (name, said) in [
        ("link.csv", "is a link"),
        ("dangling.csv", "is a link"),
        ("folder.csv", "is a folder"),
        ("pipe.csv", "is no plain file"),
    ] {
        for force in [&[][..], &["--force"]] {
            let args = [&["tasks", "--out", name], force].concat();
            export(&program, &args).expect_code(2).expect_said(&[said]);
        }
    }
    export(&program, &["tasks", "--out", "old.csv"])
        .expect_code(2)
        .expect_said(&["old.csv is there already", "--force replaces it"]);
    assert_eq!(fs::read_to_string(path("old.csv")).unwrap(), "old");
    assert_eq!(fs::read_to_string(path("aim")).unwrap(), "aim");
    assert!(!path("gone").exists());

    fs::set_permissions(path("old.csv"), Permissions::from_mode(0o644)).unwrap();
    export(&program, &["tasks", "--out", "old.csv", "--force"]).expect_code(0);
    assert_eq!(
        fs::read_to_string(path("old.csv")).unwrap().lines().count(),
        10
    );
    assert_eq!(mode(&path("old.csv")), 0o600);

    // Of a folder, all files or none: one that is there stands in the way of every other.
    fs::create_dir(path("some")).unwrap();
    fs::write(path("some/walks.parquet"), "old").unwrap();
    export(&program, &["--out-dir", "some"])
        .expect_code(2)
        .expect_said(&["walks.parquet is there already"]);
    assert_eq!(names(&path("some")), ["walks.parquet"]);
    export(&program, &["--out-dir", "some", "--force"]).expect_code(0);
    assert_eq!(names(&path("some")).len(), VIEWS.len());
    assert_eq!(rows(&path("some/walks.parquet")), 1);
}

/// Records of three MiB: an export of them takes some time, and of fourteen, a page is committed before its walk ends.
fn heavy(count: u32) -> Vec<Value> {
    let one = |number| {
        let mut record = task(&format!("task-{number:04}"), number, "SUCCESS");
        record["params"] = json!("x".repeat(3 << 20));
        record
    };
    (1..=count).rev().map(one).collect()
}

fn heavy_archive(count: u32) -> Program {
    let (program, api) = (Program::new(), FakeApi::start(list(heavy(count))));
    let synced = finish(program.start_sync(&api, &["--page-size", "10"]));
    synced.expect_code(0);
    program
}

#[test]
fn a_full_disk_and_a_folder_without_permission_leave_nothing_behind() {
    let program = heavy_archive(4);
    for format in ["parquet", "jsonl", "csv"] {
        let args = ["export", "--out-dir", "new", "--format", format];
        let mut command = under("ulimit -f 100; trap '' XFSZ", &program.command(&args));
        command.current_dir(program.home());
        let outcome = finish(command.spawn().unwrap());
        outcome.expect_code(1).expect_said(&["cannot write new/"]);
        assert_eq!(names(program.home()), [""; 0], "{format}");
    }
    if !Path::new("/dev/full").exists() {
        return;
    }
    for format in ["parquet", "jsonl", "csv"] {
        let mut command = program.command(&["export", "tasks", "--format", format]);
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let outcome = finish(command.stdout(full).spawn().unwrap());
        outcome
            .expect_code(1)
            .expect_said(&["cannot write to standard output", "No space left"]);
    }
}

/// Starts an export and returns when a part of it is written.
fn begun(program: &Program, format: &str) -> (std::process::Child, PathBuf) {
    let mut command = program.command(&["export", "--out-dir", "new", "--format", format]);
    let child = command.current_dir(program.home()).spawn().unwrap();
    let folder = program.home().join("new");
    let has_begun = || fs::read_dir(&folder).is_ok_and(|mut files| files.next().is_some());
    for _ in 0..3_000 {
        if has_begun() {
            break;
        }
        wait(Duration::from_millis(1));
    }
    (child, folder)
}

#[test]
fn a_signal_ends_it_and_nothing_is_left_behind() {
    let program = heavy_archive(40);
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        for format in ["parquet", "jsonl"] {
            let (child, folder) = begun(&program, format);
            signal(child.id(), name);
            let outcome = finish(child);
            outcome
                .expect_code(code)
                .expect_said(&["stopped by a signal: nothing was written"]);
            assert!(!folder.exists(), "{name}, {format}");
        }
    }
    // What a kill leaves has no name of an export.
    let (mut child, folder) = begun(&program, "csv");
    child.kill().unwrap();
    child.wait().unwrap();
    let left = names(&folder);
    let is_hidden = |name: &String| {
        name.starts_with('.')
            && Path::new(name)
                .extension()
                .is_some_and(|ending| ending == "new")
    };
    assert!(!left.is_empty() && left.iter().all(is_hidden), "{left:?}");
    export(&program, &["tasks", "--out-dir", "new"]).expect_code(0);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let program = heavy_archive(20);
    for format in ["parquet", "jsonl", "csv"] {
        let mut command = program.command(&["export", "task_revisions", "--format", format]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut head = [0; 4];
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut head).unwrap();
        drop(out);
        let outcome = finish(child);
        outcome.expect_code(0);
        assert_eq!(outcome.err, "", "{format}");
    }
}

#[test]
fn an_export_amid_a_walk_shows_what_the_archive_shows() {
    let program = archive();
    let before = export(&program, &["--out-dir", "before", "--format", "jsonl"]);
    before.expect_code(0);
    let records = heavy(15);
    let api = FakeApi::start(move |request| {
        if request.offset < 13 {
            crate::support::fake_api::part_of(&records, request)
        } else {
            Action::stall()
        }
    });
    let mut syncing = program.start_sync(&api, &["--page-size", "14", "--accept-endpoint"]);
    let until = || program.number("SELECT count(*) FROM task") > 9;
    for _ in 0..3_000 {
        if until() {
            break;
        }
        wait(Duration::from_millis(10));
    }
    assert!(until(), "the walk never came so far");
    export(&program, &["--out-dir", "amid", "--format", "jsonl"]).expect_code(0);
    syncing.kill().unwrap();
    syncing.wait().unwrap();
    let (before, amid) = ["before", "amid"]
        .map(|name| files(&program.home().join(name)))
        .into();
    for ((name, one), (_, other)) in before.iter().zip(&amid) {
        // The sync that is running has its row.
        if name != "syncs.jsonl" {
            assert_eq!(one, other, "{name}");
        }
    }
}

#[test]
fn all_views_are_of_one_moment_while_somebody_writes() {
    let program = archive();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let writer = Connection::open(program.db()).unwrap();
            writer.busy_timeout(Duration::from_secs(20)).unwrap();
            // Each commit adds one to two views that an export reads after each other.
            while !done.load(Ordering::Relaxed) {
                writer
                    .execute_batch(
                        "BEGIN IMMEDIATE;
                         INSERT INTO sync(started, version) VALUES (0, 'x');
                         INSERT INTO journal(walk_key, kind, what, sample) SELECT 1, 'field', max(sync_key), '' FROM sync;
                         COMMIT;",
                    )
                    .unwrap();
            }
        });
        let mut seen = Vec::new();
        for round in 0..12 {
            let folder = format!("round-{round}");
            let args = ["export", "syncs", "drift", "--out-dir", &folder];
            let mut command = program.command(&args);
            let outcome = finish(command.current_dir(program.home()).spawn().unwrap());
            outcome.expect_code(0);
            let count =
                |view: &str| rows(&program.home().join(&folder).join(format!("{view}.parquet")));
            seen.push((count("syncs"), count("drift")));
        }
        done.store(true, Ordering::Relaxed);
        assert!(
            seen.iter().all(|(syncs, drift)| syncs - drift == 1),
            "{seen:?}"
        );
        assert!(seen.windows(2).any(|pair| pair[0] != pair[1]), "{seen:?}");
    });
}

#[test]
fn hostile_text_is_kept_in_parquet_and_harmless_elsewhere() {
    let mut record = task("odd", 1, "SUCCESS");
    record["user_name"] = json!("=a\u{0}\u{1b}[31m\u{202e}b");
    record["params"] = json!("y".repeat(10 << 20));
    let (program, api) = (Program::new(), FakeApi::start(list(vec![record])));
    finish(program.start_sync(&api, &[])).expect_code(0);
    export(&program, &["--out-dir", "x"]).expect_code(0);
    let file = fs::File::open(program.home().join("x/tasks.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let row = reader.into_iter().next().unwrap().unwrap();
    let field = |name: &str| {
        let mut columns = row.get_column_iter();
        columns.find(|(known, _)| *known == name).unwrap().1.clone()
    };
    // A NUL is written out by the archive itself, since SQLite would not read on behind it.
    let text = |text: &str| parquet::record::Field::Str(text.to_owned());
    assert_eq!(field("user_name"), text("=a\\u0000\u{1b}[31m\u{202e}b"));
    assert_eq!(field("params"), text(&"y".repeat(10 << 20)));
    let csv = |extra: &[&str]| {
        let args = [
            &[
                "tasks",
                "--format",
                "csv",
                "--no-header",
                "--columns",
                "user_name",
            ],
            extra,
        ]
        .concat();
        export(&program, &args).expect_code(0).out.clone()
    };
    assert_eq!(csv(&[]), "'=a\\u0000\\u{1b}[31m\\u{202e}b\n");
    assert_eq!(csv(&["--raw-csv"]), "=a\\u0000\\u{1b}[31m\\u{202e}b\n");
}

#[test]
fn an_altered_archive_is_told_and_never_written_as_something_else() {
    let program = archive();
    let writer = Connection::open(program.db()).unwrap();
    writer
        .execute_batch("UPDATE walk SET proven = 7; UPDATE task SET created = -99999999999999 WHERE task_key = 1;")
        .unwrap();
    drop(writer);
    for view in ["walks", "tasks"] {
        let outcome = export(&program, &[view, "--out", "x.parquet"]);
        outcome.expect_code(6).expect_said(&[
            &format!("cannot export the view {view}"),
            "is not what the column",
            "--format jsonl",
        ]);
        assert_eq!(names(program.home()), [""; 0]);
        export(&program, &[view, "--format", "jsonl"]).expect_code(0);
    }
}
