//! `status` and the metrics file: what monitoring is told of an archive, and when.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::env::{Program, finish};
use crate::support::fake_api::{Action, FakeApi, Request, list};
use crate::support::outcome::Outcome;
use crate::support::{PROJECT, page, task, tasks};

/// A proper answer that does not tell the time, so that this machine's clock counts and what was just read is fresh.
fn fresh(records: Vec<Value>) -> impl Fn(&Request) -> Action + Send + Sync {
    move |request| {
        let from = request.offset.min(records.len());
        let to = (from + request.limit).min(records.len());
        let body = page(&records[from..to], records.len()).to_string();
        Action::raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ))
    }
}

fn status(program: &Program, extra: &[&str]) -> Outcome {
    program.run(&[&["status"], extra].concat())
}

/// The codes of the reasons and of the notes.
#[track_caller]
fn found(program: &Program, extra: &[&str]) -> (Vec<String>, Vec<String>) {
    let told = status(program, &[&["-o", "json"], extra].concat());
    let told: Value = serde_json::from_str(&told.out).unwrap_or_else(|_| panic!("{told:#?}"));
    let codes = |name: &str| -> Vec<_> {
        let found = told[0][name].as_array().unwrap().iter();
        found
            .map(|one| one["reason"].as_str().unwrap().to_owned())
            .collect()
    };
    (codes("reasons"), codes("notes"))
}

fn metrics_file(program: &Program) -> PathBuf {
    program.home().join("dcs.prom")
}

/// Reads metrics by the rules of the text format: each name has its help and type before its samples, each sample is
/// there once, and the last line ends.
fn parse(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'));
    let (mut helped, mut typed) = (Vec::new(), Vec::new());
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && !helped.contains(&name), "{line}");
            helped.push(name);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!((Some(&name), kind), (helped.last(), "gauge"), "{line}");
            typed.push(name);
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
            assert_eq!(typed.last(), Some(&name), "{line}");
            assert!(
                name.starts_with("dcs_history_") && labels.ends_with('}'),
                "{line}"
            );
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(name.bytes().all(plain), "{line}");
            let labels = labels.trim_end_matches('}');
            assert!(
                labels.is_empty() || labels == format!("project_id=\"{PROJECT}\""),
                "{line}"
            );
            let name = name.trim_start_matches("dcs_history_").to_owned();
            assert_eq!(samples.insert(name, value.parse().unwrap()), None, "{line}");
        }
    }
    samples
}

#[track_caller]
fn metrics(program: &Program) -> BTreeMap<String, f64> {
    parse(&fs::read_to_string(metrics_file(program)).unwrap())
}

#[test]
fn a_fresh_archive_is_healthy_and_an_old_one_is_not() {
    let program = Program::new();
    let mut records = tasks(3);
    records[1]["status"] = json!("EXECUTING");
    let api = FakeApi::start(fresh(records));
    program.sync(&api).expect_code(0);
    let outcome = status(&program, &[]);
    outcome.expect_code(0);
    assert!(outcome.out.starts_with("healthy\n"), "{outcome:#?}");
    assert_eq!(outcome.err, "");
    assert_eq!(found(&program, &[]), (vec![], vec!["long_open".to_owned()]));
    let old = status(&program, &["--max-age", "1ms"]);
    old.expect_code(12);
    let reasons: Vec<_> = old.out.lines().skip(3).take(2).collect();
    assert!(
        reasons[0].starts_with("the last complete sync ended "),
        "{old:#?}"
    );
    assert!(reasons[1].starts_with("instance 11111111-"), "{old:#?}");
    assert_eq!(found(&program, &["--max-age", "1ms"]).0, ["old", "stale"]);
    assert_eq!(
        found(&program, &["--max-age", "1ms", "--instance", "1111"]).0,
        ["stale"]
    );
    status(&program, &["--instance", "nobody"]).expect_code(2);
    let mut command = program.command(&["status"]);
    command.env("DCS_HISTORY_MAX_AGE", "1ms");
    finish(command.spawn().unwrap()).expect_code(12);
}

#[test]
fn a_sync_by_a_clock_that_is_months_off_is_not_fresh() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    program.sync(&api).expect_code(0);
    let (reasons, _) = found(&program, &[]);
    assert!(reasons.contains(&"stale".to_owned()), "{reasons:?}");
}

#[test]
fn a_sync_that_fails_says_why_until_one_is_complete() {
    let program = Program::new();
    let api = FakeApi::start(|_| Action::reply(500, &[], ""));
    program.sync(&api).expect_code(5);
    assert_eq!(
        found(&program, &[]).0[..2],
        ["never_complete", "not_complete"]
    );
    api.behave(fresh(tasks(3)));
    program.sync(&api).expect_code(0);
    status(&program, &[]).expect_code(0);
    api.behave(|_| Action::reply(500, &[], ""));
    program.sync(&api).expect_code(5);
    assert_eq!(
        found(&program, &[]),
        (vec!["not_complete".to_owned()], vec![])
    );
    let outcome = status(&program, &[]);
    outcome.expect_code(12);
    assert!(
        outcome.out.contains("ended unreachable with exit code 5"),
        "{outcome:#?}"
    );
    // Asked of the instance, its own proof counts.
    status(&program, &["--instance", "1111"]).expect_code(0);
    api.behave(fresh(tasks(4)));
    program.sync(&api).expect_code(0);
    status(&program, &[]).expect_code(0);
}

#[test]
fn a_running_sync_is_a_note_and_a_killed_one_a_reason() {
    let program = Program::new();
    let api = FakeApi::start(fresh(tasks(3)));
    program.sync(&api).expect_code(0);
    api.behave(|_| Action::stall());
    let mut syncing = program.start_sync(&api, &[]);
    while api.asked() == 0 {
        std::thread::yield_now();
    }
    assert_eq!(found(&program, &[]), (vec![], vec!["running".to_owned()]));
    syncing.kill().unwrap();
    syncing.wait().unwrap();
    assert_eq!(found(&program, &[]), (vec!["abandoned".to_owned()], vec![]));
    status(&program, &[]).expect_code(12);
    api.behave(fresh(tasks(3)));
    program.sync(&api).expect_code(0);
    status(&program, &[]).expect_code(0);
}

#[test]
fn a_record_that_cannot_be_read_is_a_reason_as_long_as_it_is_listed() {
    let program = Program::new();
    let mut records = tasks(3);
    records.push(json!({"no": "id"}));
    let api = FakeApi::start(fresh(records.clone()));
    program.sync(&api).expect_code(3);
    assert_eq!(
        found(&program, &[]).0,
        ["never_complete", "not_complete", "rejected"]
    );
    program.sync(&api).expect_code(0);
    assert_eq!(found(&program, &[]).0, ["rejected"]);
    records.pop();
    api.behave(fresh(records));
    program.sync(&api).expect_code(0);
    assert_eq!(found(&program, &[]).0, [""; 0]);
}

#[test]
fn what_cannot_be_asked_is_told_by_its_own_exit_code_and_in_the_metrics() {
    let program = Program::new();
    let file = metrics_file(&program);
    let wanted = ["--metrics-file", file.to_str().unwrap()];
    status(&program, &wanted).expect_code(6);
    assert_eq!(
        metrics(&program),
        BTreeMap::from([("healthy".to_owned(), 0.0)])
    );
    fs::write(program.db(), "not a database").unwrap();
    let outcome = finish(program.command(&["status"]).spawn().unwrap());
    outcome.expect_code(6);
    assert_eq!(outcome.out, "");
}

#[test]
fn status_and_sync_write_the_same_metrics() {
    let program = Program::new();
    let mut records = tasks(3);
    records[0]["status"] = json!("EXECUTING");
    let api = FakeApi::start(fresh(records.clone()));
    let file = metrics_file(&program);
    let wanted = ["--metrics-file", file.to_str().unwrap()];
    program.sync_with(&api, &wanted).expect_code(0);
    let by_sync = metrics(&program);
    let expected = [
        ("healthy", 1.0),
        ("last_exit_code", 0.0),
        ("last_retries", 0.0),
        ("instances", 1.0),
        ("unproven_instances", 0.0),
        ("tasks", 3.0),
        ("revisions", 3.0),
        ("open_tasks", 1.0),
        ("missing_tasks", 0.0),
        ("rejected_records", 0.0),
    ];
    for (name, value) in expected {
        assert_eq!(by_sync.get(name), Some(&value), "{name}: {by_sync:#?}");
    }
    assert!(by_sync["last_requests"] >= 2.0 && by_sync["archive_bytes"] > 8192.0);
    assert!(by_sync["last_success_age_seconds"] < 60.0);
    let ended = program.rows("SELECT CAST(strftime('%s', finished_at) AS INTEGER) FROM syncs");
    let told = by_sync["last_success_timestamp_seconds"];
    assert_eq!(ended, [told.floor().to_string()]);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o644
    );
    status(&program, &wanted).expect_code(0);
    let by_status = metrics(&program);
    assert!(by_status.keys().eq(by_sync.keys()), "{by_status:#?}");
    // Of one instance or of all: the file is that of the whole archive.
    status(&program, &[&wanted[..], &["--instance", "1111"]].concat()).expect_code(0);
    assert!(metrics(&program).keys().eq(by_sync.keys()));
    // Nothing else is left beside it.
    let names = fs::read_dir(program.home()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with(".tmp")).count(), 0);
}

#[test]
fn sync_writes_its_metrics_whatever_comes_of_it() {
    let program = Program::new();
    let api = FakeApi::start(fresh(tasks(3)));
    let file = metrics_file(&program);
    let wanted = ["--metrics-file", file.to_str().unwrap()];
    program.sync_with(&api, &wanted).expect_code(0);
    let before = metrics(&program);
    api.behave(|_| Action::reply(500, &[], ""));
    program.sync_with(&api, &wanted).expect_code(5);
    let failed = metrics(&program);
    assert_eq!((failed["healthy"], failed["last_exit_code"]), (0.0, 5.0));
    let success = "last_success_timestamp_seconds";
    assert_eq!(failed.get(success), before.get(success));
    assert!(failed["last_run_timestamp_seconds"] > before["last_run_timestamp_seconds"]);
    // A run that never got as far as the archive is told too.
    let refused = program.sync_with(
        &api,
        &[&wanted[..], &["--token-command", "exit 1"]].concat(),
    );
    let code = refused.code.unwrap();
    assert_ne!(code, 0);
    let told = metrics(&program);
    assert_eq!(
        (told["healthy"], told["last_exit_code"]),
        (0.0, f64::from(code))
    );
    // One that is told that it is busy leaves the file to the one that is at work.
    api.behave(|_| Action::stall());
    let mut syncing = program.start_sync(&api, &[]);
    while api.asked() == 0 {
        std::thread::yield_now();
    }
    let before = fs::read(&file).unwrap();
    program.sync_with(&api, &wanted).expect_code(75);
    assert_eq!(fs::read(&file).unwrap(), before);
    syncing.kill().unwrap();
    syncing.wait().unwrap();
    // An archive that cannot be used.
    fs::write(program.db(), "not a database").unwrap();
    for suffix in ["-wal", "-shm"] {
        let _none = fs::remove_file(program.home().join(format!("history.db{suffix}")));
    }
    let args = program.sync_args(&api, &wanted);
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    finish(program.command(&args).spawn().unwrap()).expect_code(6);
    let told = metrics(&program);
    assert_eq!((told["healthy"], told["last_exit_code"]), (0.0, 6.0));
}

#[test]
fn a_metrics_file_that_cannot_be_written_is_a_warning_of_sync_and_an_error_of_status() {
    let program = Program::new();
    let api = FakeApi::start(fresh(vec![task("one", 1, "SUCCESS")]));
    let wanted = ["--metrics-file", "/nowhere/dcs.prom"];
    let outcome = program.sync_with(&api, &wanted);
    outcome
        .expect_code(0)
        .expect_said(&["warning: cannot write the metrics file /nowhere/dcs.prom"]);
    let outcome = status(&program, &wanted);
    outcome.expect_code(1);
    assert!(outcome.out.starts_with("healthy\n"), "{outcome:#?}");
    status(&program, &[&wanted[..], &["--max-age", "1ms"]].concat()).expect_code(12);
    // A link is replaced, and what it leads to stays as it is.
    let target = program.home().join("target");
    fs::write(&target, "precious").unwrap();
    symlink(&target, metrics_file(&program)).unwrap();
    let file = metrics_file(&program);
    status(&program, &["--metrics-file", file.to_str().unwrap()]).expect_code(0);
    assert_eq!(fs::read(&target).unwrap(), b"precious");
    assert_eq!(metrics(&program).get("healthy"), Some(&1.0));
}

#[test]
fn a_metrics_file_never_takes_the_place_of_the_archive_or_of_what_is_no_plain_file() {
    let program = Program::new();
    let api = FakeApi::start(fresh(vec![task("one", 1, "SUCCESS")]));
    program.sync(&api).expect_code(0);
    let before = fs::read(program.db()).unwrap();
    let other_name = program.home().join("other-name");
    symlink(program.db(), &other_name).unwrap();
    for path in [program.db(), other_name] {
        let wanted = ["--metrics-file", path.to_str().unwrap()];
        status(&program, &wanted)
            .expect_code(2)
            .expect_said(&["belongs to the archive"]);
        program
            .sync_with(&api, &wanted)
            .expect_code(0)
            .expect_said(&["warning: ", "belongs to the archive"]);
    }
    assert!(fs::read(program.db()).unwrap().starts_with(&before[..16]));
    program.run(&["verify"]).expect_code(0);
    let socket = program.home().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    status(&program, &["--metrics-file", socket.to_str().unwrap()])
        .expect_code(1)
        .expect_said(&["it is no plain file"]);
    let left = fs::symlink_metadata(&socket).unwrap();
    assert!(left.file_type().is_socket());
}
