//! `report --evidence`: the pack is whole, can be checked with `sha256sum` and `sqlite3` alone, and every change of it shows.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::shell::is_installed;
use crate::support::env::{Program, finish, signal, under};
use crate::support::fake_api::{FakeApi, list, wait};
use crate::support::files::{mode, names};
use crate::support::outcome::Outcome;
use crate::support::{INSTANCE, task, tasks};

const FILES: [&str; 13] = [
    "README.txt",
    "SHA256SUMS",
    "changes.csv",
    "check.sql",
    "expected.txt",
    "queries.sql",
    "records.jsonl",
    "report.html",
    "report.json",
    "report.md",
    "syncs.jsonl",
    "tasks.jsonl",
    "walks.jsonl",
];

const MARCH: [&str; 2] = ["--period", "2026-03"];

/// Tasks that stand in different ways, asked for by users who mean no good; one bears no time.
fn odd_tasks() -> Vec<Value> {
    let mut tasks = tasks(12);
    let users = [
        json!("a|b\n.shell touch harmed\n\"c\""),
        json!("nul\u{0}\u{1b}[2J\u{202e}x"),
        json!("'; DROP TABLE tasks; --"),
        json!("订单"),
        Value::Null,
        json!(""),
    ];
    let statuses = ["FAILED", "EXECUTING", " success\t", "CANCELED", "成功"];
    for (number, one) in tasks.iter_mut().enumerate() {
        one["user_name"] = users[number % users.len()].clone();
        if number > 5 {
            one["status"] = json!(statuses[number % statuses.len()]);
            one["name"] = json!(format!("Op'{number}\n|"));
        }
    }
    tasks[3]["created_at"] = json!("soon");
    tasks
}

fn archive_of(records: Vec<Value>) -> Program {
    let (program, api) = (Program::new(), FakeApi::start(list(records)));
    let _some_are_odd = program.sync(&api);
    program
}

#[track_caller]
fn report(program: &Program, args: &[&str]) -> Outcome {
    let mut command = program.command(&[&["report"], args].concat());
    command.current_dir(program.home());
    let outcome = finish(command.spawn().unwrap());
    program.check(&outcome);
    outcome
}

/// Runs a line of shell in a folder; returns whether it ended well, and what it said.
fn shell(folder: &Path, line: &str) -> (bool, String) {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", line])
        .current_dir(folder)
        // No settings of whoever runs the tests.
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let outcome = finish(command.spawn().unwrap());
    (outcome.code == Some(0), outcome.out + &outcome.err)
}

fn sums(pack: &Path) -> (bool, String) {
    shell(pack, "sha256sum --strict -c SHA256SUMS")
}

/// What differs between the report and what `sqlite3` makes of the rows; nothing on a machine without it.
#[expect(
    clippy::print_stderr,
    reason = "who reads the tests' output should know what was not tested"
)]
fn differences(pack: &Path) -> Option<String> {
    if !is_installed("sqlite3") {
        eprintln!("no sqlite3: the queries of the pack are not run");
        return None;
    }
    let line = "sqlite3 :memory: < check.sql 2>&1 | diff - expected.txt";
    Some(shell(pack, line).1)
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn write_lines(path: &Path, lines: &[String]) {
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

#[test]
fn the_pack_has_everything_and_is_checked_with_sha256sum_and_sqlite3_alone() {
    let program = archive_of(odd_tasks());
    let pack = program.home().join("pack");
    let args = [&MARCH[..], &["--evidence", "pack"]].concat();
    let outcome = report(&program, &args);
    outcome
        .expect_code(0)
        .expect_said(&["evidence pack: 13 files, 12 tasks, 12 records, ", " KiB\n"]);
    assert_eq!((outcome.out.as_str(), outcome.err.lines().count()), ("", 1));
    assert_eq!(names(program.home()), ["pack"]);
    assert_eq!(names(&pack), FILES);
    assert_eq!(mode(&pack), 0o700);
    for name in FILES {
        assert_eq!(mode(&pack.join(name)), 0o600, "{name}");
    }
    let (is_sound, said) = sums(&pack);
    assert!(is_sound, "{said}");
    assert_eq!(said.matches(": OK").count(), FILES.len() - 1, "{said}");
    assert_eq!(differences(&pack).unwrap_or_default(), "");

    // The report is the one that is written without a pack.
    for (format, name) in [
        ("html", "report.html"),
        ("markdown", "report.md"),
        ("json", "report.json"),
        ("csv", "changes.csv"),
    ] {
        let alone = report(&program, &[&MARCH[..], &["-o", format]].concat());
        let packed = fs::read_to_string(pack.join(name)).unwrap();
        assert_eq!(alone.expect_code(0).out, packed, "{name}");
    }
    // The rows are those of the views.
    for (view, name) in [
        ("tasks", "tasks.jsonl"),
        ("task_revisions", "records.jsonl"),
        ("walks", "walks.jsonl"),
        ("syncs", "syncs.jsonl"),
    ] {
        let query = format!("SELECT * FROM {view}");
        let asked = program.run(&["sql", &query, "-o", "jsonl"]);
        let packed = fs::read_to_string(pack.join(name)).unwrap();
        assert_eq!(asked.expect_code(0).out, packed, "{name}");
    }
    let readme = fs::read_to_string(pack.join("README.txt")).unwrap();
    let head = &program.rows("SELECT head FROM syncs")[0];
    for part in [
        "2026-03-01T00:00:00.000Z to 2026-04-01T00:00:00.000Z",
        INSTANCE,
        head,
    ] {
        assert!(readme.contains(part), "{part}: {readme}");
    }
    assert!(
        readme.lines().all(|line| line.chars().count() <= 124),
        "{readme}"
    );
    program.run(&["verify", "--head", head]).expect_code(0);
}

#[test]
fn the_queries_and_the_sum_of_a_record_are_as_the_pack_says() {
    let program = archive_of(odd_tasks());
    let args = ["--since=2026-03-01", "--until=2026-05-01"];
    report(&program, &[&args[..], &["--evidence", "pack"]].concat()).expect_code(0);
    let pack = program.home().join("pack");
    if differences(&pack).is_none() {
        return;
    }
    let (is_done, said) = shell(&pack, "sqlite3 -readonly ../history.db < queries.sql");
    assert!(is_done, "{said}");
    // Everything but the three lines on records, for names that JSON writes in one way only.
    let answer: Vec<_> = said.lines().collect();
    let expected = lines(&pack.join("expected.txt"));
    for line in &expected[..expected.len() - 3] {
        let is_special = line.contains("\\u") && !line.starts_with("user|\"a|b");
        assert!(
            is_special || answer.contains(&line.as_str()),
            "{line}: {said}"
        );
    }
    for part in ["Failures", "Without a time of creation", "|full|1|1|2026-"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!pack.join("harmed").exists());

    // The commands of the README, run as they stand there.
    let readme = fs::read_to_string(pack.join("README.txt")).unwrap();
    let commands = readme.lines().filter_map(|line| line.strip_prefix("     "));
    let commands: Vec<_> = commands.filter(|line| !line.starts_with(' ')).collect();
    let record = commands
        .iter()
        .skip_while(|line| !line.starts_with("sed"))
        .take(3);
    let record = record.copied().collect::<Vec<_>>().join(" && ");
    let (is_done, said) = shell(&pack, &record);
    assert!(is_done, "{record}: {said}");
    let first: Value = serde_json::from_str(&lines(&pack.join("records.jsonl"))[0]).unwrap();
    let sum = first["raw_sha256"].as_str().unwrap();
    assert!(said.contains(&format!("{sum}  record.json")), "{said}");
    for command in [commands[0], commands[1]] {
        let (is_done, said) = shell(&pack, command);
        assert!(is_done, "{command}: {said}");
    }
}

#[test]
fn one_changed_byte_in_any_file_is_found() {
    let program = archive_of(tasks(3));
    report(&program, &[&MARCH[..], &["--evidence", "pack"]].concat()).expect_code(0);
    let pack = program.home().join("pack");
    for name in FILES {
        let path = pack.join(name);
        let sound = fs::read(&path).unwrap();
        for place in [0, sound.len() / 2, sound.len() - 2] {
            let mut changed = sound.clone();
            changed[place] ^= 1;
            fs::write(&path, changed).unwrap();
            let (is_sound, said) = sums(&pack);
            assert!(!is_sound, "{name} at {place}: {said}");
        }
        fs::write(&path, &sound).unwrap();
    }
    assert!(sums(&pack).0);
}

#[test]
fn a_task_or_a_record_that_is_taken_out_added_or_altered_makes_a_difference() {
    type Alter<'a> = &'a dyn Fn(&mut Vec<String>);
    let program = archive_of(odd_tasks());
    report(&program, &[&MARCH[..], &["--evidence", "pack"]].concat()).expect_code(0);
    let pack = program.home().join("pack");
    let alterations: [(&str, Alter<'_>); 8] = [
        ("tasks.jsonl", &|lines| drop(lines.remove(4))),
        ("tasks.jsonl", &|lines| lines.clear()),
        ("tasks.jsonl", &|lines| lines.push(lines[2].clone())),
        ("tasks.jsonl", &|lines| {
            lines[0] = lines[0].replace("EXTEND", "extend");
        }),
        ("tasks.jsonl", &|lines| {
            let altered = lines
                .iter()
                .position(|line| line.contains("FAILED"))
                .unwrap();
            lines[altered] = lines[altered].replace("FAILED", "SUCCESS");
        }),
        ("records.jsonl", &|lines| drop(lines.remove(0))),
        ("records.jsonl", &|lines| lines.push(lines[0].clone())),
        ("records.jsonl", &|lines| lines[0] = lines[1].clone()),
    ];
    for (number, (name, alter)) in alterations.iter().enumerate() {
        let path = pack.join(name);
        let sound = lines(&path);
        let mut altered = sound.clone();
        alter(&mut altered);
        write_lines(&path, &altered);
        if let Some(differences) = differences(&pack) {
            assert_ne!(differences, "", "alteration {number}");
        }
        write_lines(&path, &sound);
    }
    assert_eq!(differences(&pack).unwrap_or_default(), "");
}

#[test]
fn equal_options_give_equal_packs_and_all_of_them_fit() {
    let program = archive_of(odd_tasks());
    let home = program.home();
    let options: [&[&str]; 6] = [
        &["--period", "2026-03", "-n", "1"],
        &["--period", "2026-03", "--tz", "+05:45"],
        &["--period", "2026", "--instance", "1111"],
        &[
            "--since",
            "2020-01-01",
            "--until",
            "2026-04-01T12:00:00Z",
            "--title",
            "All",
        ],
        &[
            "--since",
            "2026-03-01T00:04:00Z",
            "--until",
            "2026-03-01T00:06:00Z",
        ],
        &["--period", "2019"],
    ];
    for (number, options) in options.iter().enumerate() {
        let pack = |which: &str| {
            let name = format!("{which}-{number}");
            let args = [options, &["--evidence", name.as_str()][..]].concat();
            report(&program, &args).expect_code(0);
            home.join(name)
        };
        let (one, other) = (pack("one"), pack("other"));
        for name in FILES {
            let read = |pack: &Path| fs::read(pack.join(name)).unwrap();
            assert_eq!(read(&one), read(&other), "{options:?} {name}");
        }
        assert!(sums(&one).0, "{options:?}");
        assert_eq!(differences(&one).unwrap_or_default(), "", "{options:?}");
    }
    // No list is cut short here, whatever is asked of the report.
    assert_eq!(lines(&home.join("one-0/tasks.jsonl")).len(), 12);
}

#[test]
fn an_instance_may_be_called_anything() {
    let program = archive_of(tasks(4));
    let hostile = "x'); DROP TABLE task;\n.shell touch harmed\n|\"\u{1b}[2J";
    Connection::open(program.db())
        .unwrap()
        .execute(
            "UPDATE instance SET instance_id = ?1, name = ?1 || 'N'",
            [hostile],
        )
        .unwrap();
    for options in [&[][..], &["--instance", hostile]] {
        let folder = format!("pack-{}", options.len());
        let args = [&MARCH[..], options, &["--evidence", &folder]].concat();
        report(&program, &args).expect_code(0);
        let pack = program.home().join(&folder);
        assert_eq!(lines(&pack.join("tasks.jsonl")).len(), 4);
        if let Some(differences) = differences(&pack) {
            assert_eq!(differences, "");
            let (is_done, said) = shell(&pack, "sqlite3 -readonly ../history.db < queries.sql");
            assert!(is_done && said.contains("totals||4|4|"), "{said}");
        }
        for name in ["README.txt", "queries.sql", "check.sql", "expected.txt"] {
            let text = fs::read_to_string(pack.join(name)).unwrap();
            assert!(!text.contains('\u{1b}'), "{name}");
            assert!(
                !text.lines().any(|line| line.starts_with(".shell")),
                "{name}"
            );
        }
        assert_eq!(names(&pack), FILES);
    }
    assert_eq!(program.number("SELECT count(*) FROM tasks"), 4);
}

#[test]
fn with_a_file_both_are_written_or_neither() {
    let program = archive_of(tasks(4));
    let home = program.home();
    let both = |out: &str, folder: &str, more: &[&str]| {
        let args = [&MARCH[..], &["--out", out, "--evidence", folder], more].concat();
        report(&program, &args)
    };
    fs::create_dir(home.join("pack")).unwrap();
    let outcome = both("r.md", "pack/", &[]);
    outcome
        .expect_code(0)
        .expect_said(&["evidence pack/: 13 files"]);
    assert_eq!(outcome.out, "");
    let same = |one: &str, other: &str| {
        fs::read(home.join(one)).unwrap() == fs::read(home.join(other)).unwrap()
    };
    assert!(same("r.md", "pack/report.md"));
    assert_eq!(mode(&home.join("pack")), 0o700);
    both("r.csv", "other", &["--force"]).expect_code(0);
    assert!(same("r.csv", "other/changes.csv"));
    let before = names(home);
    // The file stands in the way of the folder, and the folder of the file.
    both("r.md", "new", &[])
        .expect_code(2)
        .expect_said(&["r.md is there already", "--force replaces it"]);
    both("new.md", "pack", &["--force"])
        .expect_code(2)
        .expect_said(&["pack is not empty", "--force does not apply to folders"]);
    both("new/r.md", "new", &[])
        .expect_code(2)
        .expect_said(&["the file of --out lies in new"]);
    both("new", "new", &[]).expect_code(2);
    assert_eq!(names(home), before);
}

#[test]
fn what_is_no_place_for_a_pack_is_refused_and_nothing_is_left() {
    let program = archive_of(tasks(2));
    let home = program.home();
    fs::create_dir(home.join("full")).unwrap();
    fs::write(home.join("full/.hidden"), "mine").unwrap();
    fs::create_dir(home.join("empty")).unwrap();
    symlink("empty", home.join("link")).unwrap();
    fs::write(home.join("file"), "mine").unwrap();
    let before = names(home);
    for (folder, said) in [
        ("full", "the folder full is not empty"),
        ("link", "link is a link"),
        ("link/", "link/ is a link"),
        ("file", "file is no folder"),
        ("file/pack", "cannot make the folder file/pack"),
        ("nowhere/pack", "names a new folder in one that exists"),
        ("history.db", "history.db belongs to the archive"),
        ("history.db-wal", "belongs to the archive"),
        ("history.db.lock", "belongs to the archive"),
        ("history.db/pack", "cannot make the folder"),
        (".", "names no folder"),
        ("..", "names no folder"),
        ("/", "names no folder"),
    ] {
        let outcome = report(&program, &[&MARCH[..], &["--evidence", folder]].concat());
        outcome.expect_code(2).expect_said(&[said, "hint: "]);
        assert_eq!(outcome.out, "");
    }
    for (options, said) in [
        (
            &["--force"][..],
            "--force replaces a file, and none is named",
        ),
        (
            &["-o", "json"],
            "-o is the format of a report beside the evidence",
        ),
        (&["--instance", "zzz"], "no instance \"zzz\""),
    ] {
        let args = [&MARCH[..], &["--evidence", "new"], options].concat();
        report(&program, &args).expect_code(2).expect_said(&[said]);
    }
    report(&program, &["--evidence", "new"])
        .expect_code(2)
        .expect_said(&["a report is about a period"]);
    assert_eq!(names(home), before);
    assert_eq!(names(&home.join("full")), [".hidden"]);
    assert_eq!(names(&home.join("empty")), [""; 0]);
}

/// Records of three MiB each, so that writing them takes some time.
fn heavy(count: u32) -> Vec<Value> {
    let one = |number| {
        let mut record = task(&format!("task-{number:04}"), number, "SUCCESS");
        record["params"] = json!("x".repeat(3 << 20));
        record
    };
    (1..=count).rev().map(one).collect()
}

#[test]
fn a_signal_or_a_full_disk_ends_it_and_nothing_is_left_behind() {
    let (program, api) = (Program::new(), FakeApi::start(list(heavy(12))));
    finish(program.start_sync(&api, &["--page-size", "10"])).expect_code(0);
    let args = [&["report"][..], &MARCH, &["--evidence", "pack"]].concat();
    let mut command = under("ulimit -f 100; trap '' XFSZ", &program.command(&args));
    command.current_dir(program.home());
    finish(command.spawn().unwrap())
        .expect_code(1)
        .expect_said(&["cannot write pack/"]);
    assert_eq!(names(program.home()), [""; 0]);
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let args = [
            &["report"][..],
            &MARCH,
            &["--evidence", "pack", "--out", "r.html"],
        ]
        .concat();
        let mut command = program.command(&args);
        let child = command.current_dir(program.home()).spawn().unwrap();
        for _ in 0..6_000 {
            if names(program.home())
                .iter()
                .any(|name| name.starts_with(".pack."))
            {
                break;
            }
            wait(Duration::from_millis(1));
        }
        signal(child.id(), name);
        finish(child)
            .expect_code(code)
            .expect_said(&["stopped by a signal: nothing was written"]);
        assert_eq!(names(program.home()), [""; 0], "{name}");
    }
}

#[test]
fn nothing_of_what_is_redacted_stands_in_any_file_and_the_checks_still_hold() {
    let mut records = odd_tasks();
    for (number, one) in records.iter_mut().enumerate() {
        one["user_id"] = json!(format!("uid-of-{number}"));
        one["params"] = json!(r#"{"whitelist":"198.51.100.77"}"#);
        one["error_code"] = json!("CAROL.PRIVATE, uid-of-7: no route to 203.0.113.77");
        one["details"]["note"] = json!({"by": "carol.private", "from": "203.0.113.77"});
        one["details"]["public_ip_address"] = json!("203.0.113.77");
        one["details"]["account_name"] = json!("cashdesk");
    }
    records[0]["user_name"] = json!("carol.private");
    records[1]["user_name"] = json!("carol.private");
    // What JSON hides in an escape, a program that reads it shows.
    records[2]["details"]["odd"] = json!(r#"{"ip":"203.0.113.77","by":"carol.private"}"#);
    let program = archive_of(records);
    let pack = program.home().join("pack");
    let all = ["--redact", "users,params,addresses", "--evidence", "pack"];
    report(&program, &[&MARCH[..], &all].concat()).expect_code(0);
    let secrets = [
        "carol.private",
        "uid-of-",
        "DROP TABLE tasks;",
        "订单",
        "198.51.100.77",
        "203.0.113.77",
        "cashdesk",
        r#"\"user_name"#,
        r"\u0070rivate",
        r"\u0037",
    ];
    for name in FILES {
        let text = fs::read_to_string(pack.join(name)).unwrap();
        let text = text.replace("CAROL", "carol").replace("PRIVATE", "private");
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {name}");
        }
    }
    let (is_sound, said) = sums(&pack);
    assert!(is_sound, "{said}");
    assert_eq!(differences(&pack).unwrap_or_default(), "");
    let tasks = lines(&pack.join("tasks.jsonl"));
    let users = |line: &String| {
        let task: Value = serde_json::from_str(line).unwrap();
        (task["user_name"].clone(), task["user_id"].clone())
    };
    // One person is one pseudonym, under the name and under every id that came with it.
    let carol: Vec<_> = tasks
        .iter()
        .map(users)
        .filter(|(name, id)| name == id)
        .collect();
    let of_most = |user: &Value| carol.iter().filter(|(name, _)| name == user).count();
    let (carol, id) = users(&tasks[0]);
    assert_eq!(carol, id);
    assert!(carol.as_str().unwrap().starts_with("user-"), "{carol}");
    assert_eq!(
        (users(&tasks[1]), of_most(&carol)),
        ((carol.clone(), carol.clone()), 2)
    );
    let code = |line: &String| {
        let task: Value = serde_json::from_str(line).unwrap();
        task["error_code"].as_str().unwrap().to_owned()
    };
    let said = code(&tasks[0]);
    let expected = format!("{}, user-", carol.as_str().unwrap());
    assert!(
        said.starts_with(&expected) && said.contains(": no route to address-"),
        "{said}"
    );
    let records = fs::read_to_string(pack.join("records.jsonl")).unwrap();
    assert_eq!(records.matches(r#""raw":"(redacted)""#).count(), 12);
    let readme = fs::read_to_string(pack.join("README.txt")).unwrap();
    assert!(
        readme.contains("Redacted: users, params, addresses."),
        "{readme}"
    );
}

#[test]
fn both_tasks_of_a_break_are_there_and_the_older_one_counts_for_nothing() {
    let port = |id: &str, day: &str, old: u32, new: u32| {
        let mut record = task(id, 1, "SUCCESS");
        record["name"] = json!("UpdatePort");
        record["details"] = json!({"old_port": old, "new_port": new});
        for time in ["created_at", "updated_at"] {
            record[time] = json!(format!("{day}T00:00:00.000Z"));
        }
        record
    };
    // The second found what the first had left; the third did not find what the second had left.
    let program = archive_of(vec![
        port("third", "2026-03-05", 9, 10),
        port("second", "2026-02-20", 7, 8),
        port("first", "2026-02-10", 6, 7),
    ]);
    report(&program, &[&MARCH[..], &["--evidence", "pack"]].concat())
        .expect_code(0)
        .expect_said(&["13 files, 2 tasks, 2 records"]);
    let pack = program.home().join("pack");
    let tasks = fs::read_to_string(pack.join("tasks.jsonl")).unwrap();
    assert!(
        tasks.contains("\"third\"") && tasks.contains("\"second\""),
        "{tasks}"
    );
    let totals = lines(&pack.join("expected.txt"))[1].clone();
    assert_eq!(totals, "totals||1|1|0|0|0|0");
    assert_eq!(differences(&pack).unwrap_or_default(), "");
}
