//! Every figure of a report, on an archive of a month that was made so that each is known.

use serde_json::{Value, json};

use super::*;
use crate::model::time::{DAY, MINUTE};

fn october() -> Archive {
    Archive::made(golden::create_october)
}

fn told(archive: &Archive, line: &str) -> Value {
    serde_json::from_str(&archive.out(line)).unwrap()
}

fn report(options: &str) -> Value {
    told(
        &october(),
        format!("report --period 2026-10 -o json {options}").trim(),
    )
}

/// The ids of the tasks in a list.
fn ids(report: &Value, list: &str) -> Vec<String> {
    let rows = report[list]["rows"].as_array().unwrap();
    let id = |row: &Value| row["task_id"].as_str().unwrap().to_owned();
    rows.iter().map(id).collect()
}

#[test]
fn every_total_is_the_known_one() {
    let report = report("");
    assert_eq!(
        report["totals"],
        json!({
            "instances": 3, "tasks": 11, "succeeded": 8, "failed": 1, "ended": 1, "open": 1,
            "missing": 2, "finished": 1, "undated": 1, "rejected": 1
        })
    );
    assert_eq!(report["proven"], 0);
    // No walk from the 10th at noon to the 14th at noon, and none of `sessions` from the 20th at noon until it was found
    // gone at midnight. Both begin a quarter of an hour earlier: what was created then may have shown later.
    let gaps = 4 * DAY + 15 * MINUTE + DAY / 2 + 15 * MINUTE;
    assert_eq!(report["states_ms"]["gap"], gaps);
    assert_eq!(report["states_ms"]["vouched"], 31 * DAY - gaps);
    assert_eq!(report["head_sync_id"], 35);
}

#[test]
fn every_list_has_the_known_tasks() {
    let report = report("");
    let cases: [(&str, &[&str]); 7] = [
        (
            "changes",
            &[
                "101", "102", "103", "104", "105", "107", "109", "106", "201", "202", "203",
            ],
        ),
        ("failures", &["103"]),
        ("long_tasks", &["105", "106"]),
        (
            "exposure",
            &["102", "103", "201", "104", "107", "202", "203", "106"],
        ),
        ("finished", &["108"]),
        ("undated", &["110"]),
        ("missing", &["201", "202"]),
    ];
    for (list, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|id| format!("task-{id}")).collect();
        assert_eq!(ids(&report, list), expected, "{list}");
        assert_eq!(report[list]["total"], expected.len(), "{list}");
    }
    let breaks = &report["breaks"]["rows"];
    assert_eq!(breaks.as_array().unwrap().len(), 1);
    assert_eq!(
        [
            &breaks[0]["left_value"],
            &breaks[0]["found_value"],
            &breaks[0]["later_task_id"]
        ],
        ["6400", "7000", "task-104"]
    );
    assert_eq!(report["drift"]["rows"][0]["what"], "SwitchSsl");
}

#[test]
fn every_group_has_the_known_counts() {
    let report = report("");
    // Name, then tasks, succeeded, failed, ended, open, missing.
    let groups = |list: &str, name: &str| -> Vec<(String, Vec<i64>)> {
        let rows = report[list]["rows"].as_array().unwrap();
        let group = |row: &Value| {
            let counts = ["tasks", "succeeded", "failed", "ended", "open", "missing"];
            let counts = counts.map(|count| row[count].as_i64().unwrap());
            (
                row[name].as_str().unwrap_or("-").to_owned(),
                counts.to_vec(),
            )
        };
        rows.iter().map(group).collect()
    };
    let known = |rows: &[(&str, [i64; 6])]| -> Vec<(String, Vec<i64>)> {
        let rows = rows.iter();
        rows.map(|(name, counts)| ((*name).to_owned(), counts.to_vec()))
            .collect()
    };
    assert_eq!(
        groups("operations", "name"),
        known(&[
            ("EXTEND", [3, 2, 0, 1, 0, 0]),
            ("BindEip", [2, 2, 0, 0, 0, 1]),
            ("UpdatePort", [2, 1, 1, 0, 0, 0]),
            ("AddWhitelist", [1, 1, 0, 0, 0, 0]),
            ("SwitchSsl", [1, 1, 0, 0, 0, 0]),
            ("UnBindEip", [1, 1, 0, 0, 0, 1]),
            ("modify", [1, 0, 0, 0, 1, 0]),
        ])
    );
    assert_eq!(
        groups("users", "user_name"),
        known(&[
            ("aziz", [5, 3, 1, 1, 0, 0]),
            ("bob <img src=x>", [5, 4, 0, 0, 1, 2]),
            ("u-3", [1, 1, 0, 0, 0, 0]),
        ])
    );
    assert_eq!(
        groups("instances", "instance_name"),
        known(&[
            ("orders", [8, 5, 1, 1, 1, 0]),
            ("sessions <b>&", [3, 3, 0, 0, 0, 2]),
            ("-", [0; 6]),
        ])
    );
    let days = groups("activity", "day");
    assert_eq!(days[1], ("2026-10-03".to_owned(), vec![2, 1, 1, 0, 0, 0]));
    let sum: i64 = days.iter().map(|(_, counts)| counts[0]).sum();
    assert_eq!((days.len(), sum), (10, 11));
}

/// The figures against questions that anybody can put to the views.
#[test]
fn sql_gives_the_same_figures() {
    let archive = october();
    let report = told(&archive, "report --period 2026-10 -o json");
    let created = "created_at >= '2026-10-01' AND created_at < '2026-11-01'";
    let cases = [
        ("tasks", created.to_owned()),
        ("succeeded", format!("{created} AND status = 'SUCCESS'")),
        ("failed", format!("{created} AND status = 'FAILED'")),
        ("open", format!("{created} AND NOT is_final")),
        ("missing", format!("{created} AND missing_since IS NOT NULL")),
        (
            "finished",
            "created_at < '2026-10-01' AND is_final AND updated_at >= '2026-10-01' AND updated_at < '2026-11-01'"
                .to_owned(),
        ),
        (
            "undated",
            "created_at IS NULL AND first_seen_at > '2026-10-01'".to_owned(),
        ),
    ];
    for (total, condition) in cases {
        let query = format!("SELECT count(*) AS count FROM tasks WHERE {condition}");
        let mut args: Vec<OsString> = vec![
            "dcs-history".into(),
            "--db".into(),
            archive.path().into(),
            "sql".into(),
            query.into(),
            "-o".into(),
            "json".into(),
        ];
        args.push("-q".into());
        let (mut out, mut err) = (Vec::new(), Vec::new());
        run(args, &mut out, &mut err, (false, false));
        let rows: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(rows[0]["count"], report["totals"][total], "{total}");
    }
}

#[test]
fn page_one_answers_the_four_questions() {
    let answers = &report("")["answers"];
    let told: Vec<_> = answers.as_array().unwrap().iter().collect();
    let told: Vec<_> = told
        .iter()
        .map(|one| {
            (
                one["question"].as_str().unwrap(),
                one["answer"].as_str().unwrap(),
            )
        })
        .collect();
    insta::assert_debug_snapshot!(told);
    let attention = &report("")["attention"];
    let told: Vec<_> = attention.as_array().unwrap().iter().collect();
    let told: Vec<_> = told
        .iter()
        .map(|one| one["text"].as_str().unwrap())
        .collect();
    insta::assert_debug_snapshot!(told);
}

#[test]
fn a_quiet_period_is_proven_or_cannot_be_known() {
    let answer = |options: &str| {
        let report = told(&october(), &format!("report -o json {options}"));
        let answer = &report["answers"][0];
        (
            answer["answer"].as_str().unwrap().to_owned(),
            report["proven"].clone(),
        )
    };
    let idle = "--instance 33333333";
    let cases = [
        (
            format!("--since 2026-10-02 --until 2026-10-05 {idle}"),
            "No.",
            1,
        ),
        (
            format!("--since 2026-10-10 --until 2026-10-12 {idle}"),
            "None is known",
            0,
        ),
        (
            format!("--since 2026-10-28 --until 2026-12-01 {idle}"),
            "None is known",
            0,
        ),
        ("--since 2026-10-24 --until 2026-10-26".to_owned(), "No.", 1),
        // The record that could not be read was first met later, and may be of this day.
        (
            "--since 2026-10-02 --until 2026-10-03".to_owned(),
            "Yes: 1 task",
            0,
        ),
    ];
    for (options, begins, proven) in cases {
        let (answer, is_proven) = answer(&options);
        assert!(answer.starts_with(begins), "{options}: {answer}");
        assert_eq!(is_proven, proven, "{options}");
    }
}

/// As `assert-none` has it: where an old record may have shown late while another was deleted, none is not proven.
#[test]
fn a_period_that_is_only_caught_up_is_not_proven() {
    let archive = october();
    let line = "--instance 33333333 --since 2026-10-24 --until 2026-10-26";
    let told = |archive: &Archive| {
        let report = told(archive, &format!("report -o json {line}"));
        let answers = [0, 3].map(|at| report["answers"][at]["answer"].as_str().unwrap().to_owned());
        (answers, report["proven"].clone())
    };
    let (answers, proven) = told(&archive);
    assert!(answers[0].starts_with("No."), "{answers:?}");
    assert!(answers[1].starts_with("Nothing that lasted"), "{answers:?}");
    assert_eq!(proven, 1);
    let incremental =
        "UPDATE walk SET kind = 'incremental' WHERE instance_key = 3 AND sync_key > 20";
    let connection = rusqlite::Connection::open(archive.path()).unwrap();
    assert!(connection.execute(incremental, []).unwrap() > 10);
    drop(connection);
    let (answers, proven) = told(&archive);
    assert!(answers[0].starts_with("None is known"), "{answers:?}");
    assert!(answers[1].contains("only caught up"), "{answers:?}");
    assert_eq!(proven, 0);
    let asked = archive.run(&format!("assert-none {line}"), None);
    assert_eq!(asked.exit, Exit::CannotKnow);
}

#[test]
fn a_period_of_any_length_is_told() {
    let archive = october();
    let since = [
        ("0001-01-01", "9999-12-31", 14, "month"),
        ("2000", "2027", 14, "month"),
        ("2026-06", "2027-01", 14, "week"),
        (
            "2026-10-02T10:00:00.000Z",
            "2026-10-02T10:00:00.001Z",
            1,
            "day",
        ),
    ];
    for (since, until, tasks, piece) in since {
        let line = format!("report --since {since} --until {until} -o");
        let report = told(&archive, &format!("{line} json"));
        assert_eq!(report["totals"]["tasks"], tasks, "{since}");
        let row = &report["activity"]["rows"][0];
        assert!(row[piece].is_string(), "{since}: {row}");
        let html = archive.out(&format!("{line} html"));
        assert!(html.len() < 200_000, "{since}: {}", html.len());
    }
}

#[test]
fn lists_that_were_cut_say_so() {
    let report = report("-n 3");
    // Three for both instances together: one leaves none of its rows.
    assert_eq!(report["changes"]["total"], 11);
    assert_eq!(ids(&report, "changes"), ["task-101", "task-201"]);
    assert_eq!(
        ids(&report, "exposure"),
        ["task-102", "task-103", "task-201"]
    );
    assert_eq!(report["exposure"]["total"], 8);
    assert_eq!(report["totals"]["tasks"], 11);
}

#[test]
fn csv_is_that_of_changes() {
    let archive = october();
    let csv = archive.out("report --period 2026-10 -o csv");
    let changes = archive.out("changes --period 2026-10 -o csv --sort created_at");
    assert_eq!(csv, changes);
    assert!(csv.lines().count() > 11, "{csv}");
}

#[test]
fn the_same_question_gives_the_same_bytes() {
    let archive = october();
    for format in ["html", "markdown", "json", "csv"] {
        let line = format!("report --period 2026-10 --tz +05:30 -o {format}");
        assert_eq!(archive.out(&line), archive.out(&line), "{format}");
    }
}

#[test]
fn a_line_that_makes_no_sense_is_told() {
    let archive = october();
    let cases = [
        ("report", "a report is about a period"),
        ("report --until 2026-10", "a report is about a period"),
        ("report --since 2999", "which is not over yet"),
        ("report --period 2026-10 --force", "--force replaces a file"),
        ("report --period 2026-10 -o pdf", "invalid value 'pdf'"),
        ("report --period 2026-10 --instance nobody", "no instance"),
        ("report --period 2026-10 --title ", "--title"),
    ];
    for (line, expected) in cases {
        let outcome = archive.run(line, None);
        assert_eq!(outcome.exit, Exit::Usage, "{line}");
        assert!(outcome.err.contains(expected), "{line}: {}", outcome.err);
        assert_eq!(outcome.out, "", "{line}");
    }
}

#[test]
fn a_redacted_report_shows_nobody_and_no_address_in_any_format() {
    let archive = october();
    for format in ["html", "markdown", "json", "csv"] {
        let line = format!("report --period 2026-10 -o {format} -n 0");
        let open = archive.out(&line);
        let redacted = archive.out(&format!("{line} --redact users,params,addresses"));
        for secret in [
            "aziz",
            "bob",
            "u-3",
            "203.0.113.7",
            "198.51.100.9",
            "0.0.0.0",
        ] {
            assert!(open.contains(secret), "{format} {secret}");
            assert!(!redacted.contains(secret), "{format} {secret}");
        }
        for word in ["user-1", "address-1", "(redacted)"] {
            assert!(redacted.contains(word), "{format} {word}");
        }
        // Ports and capacities are not what was asked to go.
        assert!(redacted.contains("7001"), "{format}");
    }
    // What was judged on the values stays judged.
    let [open, redacted] = ["", "--redact params --redact addresses"].map(report);
    assert_eq!(open["attention"], redacted["attention"]);
    assert_eq!(open["totals"], redacted["totals"]);
    assert_eq!(redacted["redacted"], json!(["params", "addresses"]));
}

/// The gate shows it to a browser: names of this archive are markup.
#[test]
fn the_report_of_october_is_written_for_a_browser() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/documents");
    std::fs::create_dir_all(&folder).unwrap();
    let html = october().out("report --period 2026-10 -o html");
    for markup in ["<img", "<b>&"] {
        assert!(!html.contains(markup), "{markup}");
    }
    std::fs::write(folder.join("october.html"), html).unwrap();
}

/// Every id of a task that stands in a value, wherever it is.
fn named(value: &Value, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| named(one, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(id) if name.ends_with("task_id") => {
                        found.insert(id.clone());
                    }
                    _ => named(member, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_task_that_the_report_names_is_in_its_evidence_with_its_records() {
    let archive = october();
    let folder = archive.folder.path().join("pack");
    let line = format!("report --period 2026-10 --evidence {}", folder.display());
    let outcome = archive.run(&line, None);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.err);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let mut spoken = std::collections::BTreeSet::new();
    named(
        &serde_json::from_str(&read("report.json")).unwrap(),
        &mut spoken,
    );
    // It is older, and left a port that the next change of it did not find.
    assert!(spoken.contains("task-100"), "{spoken:?}");
    for name in ["tasks.jsonl", "records.jsonl"] {
        let mut kept = std::collections::BTreeSet::new();
        for line in read(name).lines() {
            named(&serde_json::from_str(line).unwrap(), &mut kept);
        }
        assert_eq!(kept, spoken, "{name}");
    }
}
