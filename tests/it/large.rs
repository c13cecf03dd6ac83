//! A million tasks, and what the usual questions cost there. It takes minutes and two gigabytes of disk, so it runs on demand:
//!
//! ```sh
//! cargo test --release --test it large -- --ignored --nocapture
//! ```
//!
//! The archive stays in `target/tmp`, so that a second run only measures, and is made anew when the format has changed.
//! Plans, which are the same for every size, are tested beside `store::read` each time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;

use crate::support::env::{Program, finish};
use crate::support::fake_api::{FakeApi, list};

const TASKS: u32 = 1_000_000;
const INSTANCES: u32 = 100;
const ROWS: &str = include_str!("../../src/store/large.sql");

/// How often each question is asked; the middle one counts, since the first one reads from the disk.
const RUNS: usize = 10;

/// A task of the archive, an instance of it, and how the ids of some tasks begin.
struct Known {
    task: String,
    instance: String,
}

/// Makes the archive unless it is there and of today's format.
fn archive() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("large");
    let path = folder.join("history.db");
    let program = Program::new();
    let ask = |command: &str| {
        let mut command = program.command(&[command, "-n", "1"]);
        finish(command.env("DCS_HISTORY_DB", &path).spawn().unwrap()).code
    };
    if path.exists() && ask("list") == Some(0) {
        return path;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    let api = FakeApi::start(list(Vec::new()));
    program.sync(&api).expect_code(0);
    // Under its name it is whole.
    let unfinished = folder.join("unfinished.db");
    fs::copy(program.db(), &unfinished).unwrap();
    fill(&unfinished);
    fs::rename(unfinished, &path).unwrap();
    path
}

fn fill(path: &Path) {
    let archive = Connection::open(path).unwrap();
    let size = format!(
        "CREATE TEMP TABLE size AS SELECT {INSTANCES} AS instances, {TASKS} AS tasks;
         PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;"
    );
    archive.execute_batch(&size).unwrap();
    archive.execute_batch(ROWS).unwrap();
    // As a first sync ends.
    archive
        .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
}

/// Asks the archive for one text.
fn text(path: &Path, sql: &str) -> String {
    let archive = Connection::open(path).unwrap();
    archive.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Returns the least and the middle CPU time of a command in milliseconds, user's and system's together.
fn cost(path: &Path, args: &str) -> (u32, u32) {
    let mut took: Vec<_> = (0..RUNS).map(|_| once(path, args)).collect();
    took.sort_unstable();
    (took[0], took[RUNS / 2])
}

fn once(path: &Path, args: &str) -> u32 {
    // The shell tells a child's CPU time to the millisecond; the C library's call for it needs `unsafe`.
    let script = format!(
        "TIMEFORMAT='%U %S'; time {} {args} >/dev/null",
        env!("CARGO_BIN_EXE_dcs-history")
    );
    let run = Command::new("bash")
        .args(["-c", &script])
        .env_clear()
        .env("DCS_HISTORY_DB", path)
        .output()
        .unwrap();
    let told = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.success(), "{args}: {told}");
    let millis = |seconds: &str| -> u32 { seconds.replace('.', "").parse().unwrap() };
    // Before the time, remarks of the program may stand.
    let told = told.lines().last().unwrap_or_default();
    told.split_whitespace().map(millis).sum()
}

#[test]
#[ignore = "it takes minutes and two gigabytes of disk"]
fn the_usual_questions_are_answered_at_once_among_a_million_tasks() {
    let path = archive();
    let bytes = fs::metadata(&path).unwrap().len();
    eprintln!("{} bytes a task", bytes / u64::from(TASKS));
    let known = Known {
        task: text(&path, "SELECT task_id FROM tasks WHERE task_key = 500000"),
        instance: text(
            &path,
            "SELECT instance_id FROM instances ORDER BY tasks DESC, instance_id LIMIT 1 OFFSET 50",
        ),
    };
    let (task, instance) = (&known.task, &known.instance);
    let prefix = &task[..12];
    // The simulated present of the archive.
    let month = "--since 2026-09 --until 2026-10";
    // Questions with a bound on their CPU time in milliseconds; without one the time is only told.
    let questions = [
        (format!("show {task}"), Some(20)),
        (format!("show {prefix}"), Some(20)),
        ("list -n 50".to_owned(), Some(20)),
        (format!("list --instance {instance} -n 50"), Some(20)),
        (format!("list {month} -n 50"), Some(20)),
        ("changes -n 50".to_owned(), Some(20)),
        (format!("changes --instance {instance} -n 50"), Some(20)),
        ("changes --attribute capacity -n 50".to_owned(), Some(20)),
        (
            format!("list --instance {instance} {month} -n 50"),
            Some(20),
        ),
        ("list --missing -n 50".to_owned(), Some(20)),
        ("list --new -n 50".to_owned(), Some(20)),
        ("list --status failed -n 50".to_owned(), Some(20)),
        ("instances".to_owned(), Some(20)),
        ("list --status executing".to_owned(), None),
        // These count all of them.
        ("stats".to_owned(), None),
        ("stats --by day --by user".to_owned(), None),
        (format!("report {month}"), None),
        ("report --since 2000 --until 2026-10-02".to_owned(), None),
        ("list --text nowhere-at-all".to_owned(), None),
        ("list -o jsonl".to_owned(), None),
    ];
    let mut slow = Vec::new();
    for (args, bound) in questions {
        let (least, middle) = if bound.is_some() {
            cost(&path, &args)
        } else {
            let once = once(&path, &args);
            (once, once)
        };
        eprintln!("{least:6} {middle:6} ms  {args}");
        if bound.is_some_and(|bound| middle >= bound) {
            slow.push(args);
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}
