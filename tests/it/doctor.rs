//! `doctor`: what it prints of a service that answers, and of one that does not; what it finds out about servers of every
//! manner; what it leaves in the archive, and what a sync makes of it.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use crate::simulate::Simulated;
use crate::support::env::{Program, finish};
use crate::support::fake_api::{Action, FakeApi, Request, list};
use crate::support::outcome::Outcome;
use crate::support::{INSTANCE, PROJECT, tasks};

/// How a server behaves; the records are sorted as they stand.
#[derive(Clone)]
struct Manners {
    records: Vec<Value>,
    /// The count, of the page and of what is shown.
    count: fn(usize, usize) -> Value,
    /// The lower bounds that are heard.
    hears: &'static [&'static str],
    hears_end: bool,
    /// The time that is filtered.
    filters: &'static str,
    /// Whether the seconds of the bounds are in.
    inclusive: bool,
    /// Records that a list without a filter shows at most.
    plain: usize,
    /// Records of a page at most.
    cap: usize,
    /// The largest limit that is accepted.
    largest: usize,
}

impl Manners {
    fn usual() -> Self {
        let mut records = tasks(30);
        for record in &mut records {
            // Each takes 20 seconds.
            let created = record["created_at"].as_str().unwrap();
            record["updated_at"] = created.replace(":00.000Z", ":20.500Z").into();
        }
        Self {
            records,
            count: |_, all| all.into(),
            hears: &["start_time"],
            hears_end: true,
            filters: "created_at",
            inclusive: true,
            plain: usize::MAX,
            cap: usize::MAX,
            largest: 1000,
        }
    }

    fn shows(&self, record: &Value, query: &BTreeMap<String, String>) -> bool {
        let time = record[self.filters].as_str().unwrap_or_default();
        let time: String = time.chars().filter(char::is_ascii_digit).take(14).collect();
        let mut starts = self.hears.iter().filter_map(|name| query.get(*name));
        let after = starts.all(|start| time > *start || self.inclusive && time == *start);
        let end = query.get("end_time").filter(|_| self.hears_end);
        after && end.is_none_or(|end| time < *end || self.inclusive && time == *end)
    }

    fn answer(&self, request: &Request) -> Action {
        if request.instance.is_empty() {
            return instances(&[INSTANCE]);
        }
        if request.limit > self.largest {
            return Action::error(400, "DCS.4062", "Invalid limit in the request.");
        }
        let is_plain = !self
            .hears
            .iter()
            .any(|name| request.query.contains_key(*name));
        let shown: Vec<&Value> = self
            .records
            .iter()
            .filter(|record| self.shows(record, &request.query))
            .take(if is_plain { self.plain } else { usize::MAX })
            .collect();
        let page: Vec<_> = shown
            .iter()
            .skip(request.offset)
            .take(request.limit.min(self.cap))
            .collect();
        Action::json(&json!({"task_count": (self.count)(page.len(), shown.len()), "tasks": page}))
    }
}

fn instances(ids: &[&str]) -> Action {
    let list: Vec<_> = ids
        .iter()
        .map(|id| json!({"instance_id": id, "name": "cache"}))
        .collect();
    Action::json(&json!({"instance_num": ids.len(), "instances": list}))
}

fn serve(manners: Manners) -> FakeApi {
    FakeApi::start(move |request| manners.answer(request))
}

/// A doctor that is told no instance.
fn command(program: &Program, api: &FakeApi, extra: &[&str]) -> Command {
    let args = program.read_args("doctor", api, extra);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut command = program.command(&args);
    command.env_remove("DCS_HISTORY_INSTANCE");
    command
}

#[track_caller]
fn doctor(program: &Program, api: &FakeApi, extra: &[&str]) -> Outcome {
    let outcome = finish(command(program, api, extra).spawn().unwrap());
    program.check(&outcome);
    outcome
}

/// The report as rows: section and name, value, note.
fn rows(outcome: &Outcome) -> BTreeMap<String, (String, String)> {
    let rows: Vec<Value> = serde_json::from_str(&outcome.out).unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    rows.iter()
        .map(|row| {
            let key = format!("{} {}", text(row, "section"), text(row, "name"));
            (key, (text(row, "value"), text(row, "note")))
        })
        .collect()
}

/// The values of the section on the upstream.
#[track_caller]
fn findings(program: &Program, api: &FakeApi) -> BTreeMap<String, String> {
    let outcome = doctor(program, api, &["-o", "json"]);
    outcome.expect_code(0);
    rows(&outcome)
        .into_iter()
        .filter_map(|(key, (value, note))| {
            assert!(!key.starts_with("upstream ") || !note.is_empty(), "{key}");
            Some((key.strip_prefix("upstream ")?.to_owned(), value))
        })
        .collect()
}

const ASPECTS: [&str; 9] = [
    "count_type",
    "count",
    "order",
    "page_limit",
    "default_window",
    "start_parameter",
    "filter_time",
    "filter_bounds",
    "oldest",
];

/// What is found of the usual server.
const USUAL: [&str; 9] = [
    "number",
    "total",
    "newest first",
    "accepted",
    "whole",
    "start_time",
    "created_at",
    "included",
    "2026-03-01T00:01:00.000Z",
];

const UNTOLD: &str = "cannot be told";

/// A name, a server, and what is found of it that is not found of the usual one.
type Case = (
    &'static str,
    Manners,
    &'static [(&'static str, &'static str)],
);

fn cases() -> Vec<Case> {
    let of = |change: fn(&mut Manners)| {
        let mut manners = Manners::usual();
        change(&mut manners);
        manners
    };
    vec![
        ("as documented", Manners::usual(), &[]),
        (
            "counted as text",
            of(|m| m.count = |_, all| all.to_string().into()),
            &[("count_type", "text")],
        ),
        (
            "not counted",
            of(|m| m.count = |_, _| Value::Null),
            &[
                ("count_type", "absent"),
                ("count", UNTOLD),
                ("default_window", UNTOLD),
                ("oldest", UNTOLD),
            ],
        ),
        (
            "counts the page",
            of(|m| m.count = |page, _| page.into()),
            &[
                ("count", "page"),
                ("default_window", UNTOLD),
                ("oldest", UNTOLD),
            ],
        ),
        (
            "oldest first",
            of(|m| m.records.reverse()),
            &[("order", "oldest first")],
        ),
        (
            "hears begin_time, filters by the update, leaves its bounds out",
            of(|m| {
                m.hears = &["begin_time"];
                m.filters = "updated_at";
                m.inclusive = false;
            }),
            &[
                ("start_parameter", "begin_time"),
                ("filter_time", "updated_at"),
                ("filter_bounds", "excluded"),
            ],
        ),
        (
            "hears both",
            of(|m| m.hears = &["start_time", "begin_time"]),
            &[("start_parameter", "both")],
        ),
        (
            "hears no filter",
            of(|m| {
                m.hears = &[];
                m.hears_end = false;
            }),
            &[
                ("start_parameter", "neither"),
                ("filter_time", UNTOLD),
                ("filter_bounds", UNTOLD),
            ],
        ),
        (
            "hides old records",
            of(|m| m.plain = 20),
            &[("default_window", "hides old records")],
        ),
        ("cuts pages", of(|m| m.cap = 10), &[("page_limit", "cut")]),
        (
            "refuses the documented limit",
            of(|m| m.largest = 50),
            &[("page_limit", "refused")],
        ),
        (
            "has one task",
            of(|m| m.records.truncate(1)),
            &[
                ("count", UNTOLD),
                ("order", UNTOLD),
                ("default_window", UNTOLD),
                ("oldest", UNTOLD),
            ],
        ),
    ]
}

#[test]
fn every_manner_is_found_out_or_said_to_be_unknown() {
    for (name, manners, differs) in cases() {
        let (program, api) = (Program::new(), serve(manners));
        let found = findings(&program, &api);
        for (aspect, usual) in ASPECTS.iter().zip(USUAL) {
            let differs = differs.iter().find(|(which, _)| which == aspect);
            let expected = differs.map_or(usual, |(_, expected)| expected);
            assert_eq!(found[*aspect], expected, "{name}: {aspect}: {found:?}");
        }
        assert_eq!(found.len(), ASPECTS.len());
    }
}

#[test]
fn questions_are_few_and_small_and_the_instance_with_most_tasks_is_asked() {
    let program = Program::new();
    let ids = ["a", "b", "c", "d", "e", "f"];
    let api = FakeApi::start(move |request| {
        if request.instance.is_empty() {
            return instances(&ids);
        }
        let number = ids.iter().position(|id| *id == request.instance).unwrap();
        Manners {
            // The fourth has most of the first five; the sixth has more and is not asked.
            records: tasks([3, 2, 1, 30, 5, 60][number]),
            plain: 20,
            ..Manners::usual()
        }
        .answer(request)
    });
    let outcome = doctor(&program, &api, &["-o", "json"]);
    outcome.expect_code(0);
    assert_eq!(rows(&outcome)["permission instance asked"].0, "d");
    let asked = api.requests();
    assert!(asked.len() <= 18, "{}", asked.len());
    assert!(asked.iter().all(|request| request.instance != "f"));
    let mut limits: Vec<_> = asked.iter().map(|request| request.limit).collect();
    limits.sort_unstable();
    assert_eq!(limits.pop(), Some(1000));
    assert!(limits.iter().all(|limit| *limit <= 100), "{limits:?}");
}

#[test]
fn what_a_person_is_asked_for_in_a_ticket_is_printed_with_its_origin_and_no_secret() {
    let (program, api) = (Program::new(), serve(Manners::usual()));
    let mut command = command(
        &program,
        &api,
        &["--retries", "1", "-o", "json", "--tag", "a=b"],
    );
    command.env("DCS_HISTORY_TIMEOUT", "7s");
    // No instance has that tag, and the report says it before the program does.
    let outcome = finish(command.spawn().unwrap());
    outcome.expect_code(2).expect_said(&["check --exclude"]);
    program.check(&outcome);
    let told = rows(&outcome);
    let of = |key: &str| {
        let (value, note) = &told[key];
        (value.as_str(), note.as_str())
    };
    assert_eq!(of("configuration endpoint"), (api.url(), "--endpoint"));
    assert_eq!(of("configuration project_id"), (PROJECT, "--project-id"));
    assert_eq!(of("configuration timeout"), ("7s", "DCS_HISTORY_TIMEOUT"));
    assert_eq!(of("configuration max_body"), ("64MiB", "default"));
    assert!(of("credentials source").0.starts_with("--token-file"));
    assert!(of("credentials token").1.starts_with("from "));
    assert_eq!(of("credentials token").0, "***");
    assert_eq!(of("endpoint url").0, api.url());
    assert_eq!(of("endpoint tls"), ("none", "plain http, to this machine"));
    assert!(of("endpoint latency").0.ends_with(" ms"));
    assert_eq!(of("clock server").0, "2026-04-01T12:00:00.000Z");
    assert!(of("clock difference").1.starts_with("WRONG CLOCK"));
    assert_eq!(of("permission list of instances").0, "allowed");
    assert_eq!(of("permission tasks of an instance").0, "not asked");
}

#[test]
fn a_refused_key_is_sent_once_and_the_report_is_printed_all_the_same() {
    let program = Program::new();
    let api = FakeApi::start(|_| Action::error(401, "APIGW.0301", "Incorrect IAM authentication."));
    let outcome = doctor(&program, &api, &["-o", "json"]);
    outcome.expect_code(4).expect_said(&[
        "the cloud refuses the credential",
        "APIGW.0301",
        "clock",
    ]);
    assert_eq!(api.asked(), 1);
    let told = rows(&outcome);
    assert_eq!(told["clock server"].0, "2026-04-01T12:00:00.000Z");
    for aspect in ASPECTS {
        assert_eq!(told[&format!("upstream {aspect}")].0, "cannot be told");
    }
}

#[test]
fn what_keeps_the_service_from_being_read_has_its_exit_code() {
    type Script = Box<dyn Fn(&Request) -> Action + Send + Sync>;
    let forbidden = || Action::error(403, "DCS.2003", "No permission.");
    let absent = || Action::error(404, "DCS.3022", "This instance does not exist.");
    let cases: [(&str, &[&str], Script, i32, &str); 7] = [
        (
            "nothing is allowed",
            &[],
            Box::new(move |_| forbidden()),
            4,
            "refuses to show",
        ),
        (
            "no tasks are",
            &[],
            Box::new(move |request| match request.instance.as_str() {
                "" => instances(&[INSTANCE]),
                _ => forbidden(),
            }),
            4,
            "refuses to show",
        ),
        (
            "the list is not, and an instance is named",
            &["--instance", INSTANCE],
            Box::new(move |request| match request.instance.as_str() {
                "" => forbidden(),
                _ => Manners::usual().answer(request),
            }),
            0,
            "",
        ),
        (
            "the instance is not there",
            &["--instance", INSTANCE],
            Box::new(move |request| match request.instance.as_str() {
                "" => instances(&[]),
                _ => absent(),
            }),
            2,
            "does not know the instance",
        ),
        ("there is none", &[], Box::new(|_| instances(&[])), 0, ""),
        (
            "the service is down",
            &[],
            Box::new(|_| Action::reply(503, &[], "<html>")),
            5,
            "cannot be read",
        ),
        (
            "it does not answer",
            &[],
            Box::new(|_| Action::close()),
            5,
            "cannot be read",
        ),
    ];
    for (name, extra, script, code, said) in cases {
        let (program, api) = (Program::new(), FakeApi::start(script));
        let outcome = doctor(&program, &api, extra);
        assert_eq!(outcome.code, Some(code), "{name}: {outcome:#?}");
        outcome.expect_said(&[said]);
        assert!(outcome.out.contains("\nconfiguration\n"), "{name}");
        assert!(outcome.out.contains("\npermission\n"), "{name}");
    }
}

#[test]
fn without_a_credential_nothing_is_sent() {
    let (program, api) = (Program::new(), serve(Manners::usual()));
    let args = ["doctor", "--endpoint", api.url(), "--project-id", PROJECT];
    let outcome = program.run(&args);
    outcome
        .expect_code(2)
        .expect_said(&["no credential was found"]);
    assert!(outcome.out.contains("\ncredentials\n  credential  none"));
    assert_eq!(api.asked(), 0);
}

#[test]
fn a_dead_host_and_a_home_without_a_place_are_told() {
    let program = Program::new();
    let token = program.home().join("token");
    let token = token.to_str().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    let args = ["doctor", "--endpoint", &url, "--project-id", PROJECT];
    let mut command = program.command(&args);
    command.args(["--token-file", token, "--retries", "0", "-o", "json"]);
    command.env_remove("HOME").env_remove("DCS_HISTORY_DB");
    let outcome = finish(command.spawn().unwrap());
    outcome
        .expect_code(5)
        .expect_said(&["the service cannot be read", "cannot connect"]);
    let told = rows(&outcome);
    assert_eq!(told["endpoint tls"].0, "cannot be told");
    assert_eq!(told["endpoint latency"].0, "no answer");
    assert!(
        told["archive findings"]
            .0
            .contains("no place for the archive")
    );
}

#[test]
fn a_probe_that_fails_costs_its_finding_alone() {
    let program = Program::new();
    let api = FakeApi::start(|request| {
        if request.query.contains_key("begin_time") {
            return Action::reply(500, &[], "<html>");
        }
        Manners::usual().answer(request)
    });
    let outcome = doctor(&program, &api, &["-o", "json", "--retries", "0"]);
    outcome.expect_code(0);
    let told = rows(&outcome);
    let (value, note) = &told["upstream start_parameter"];
    assert_eq!(value, "cannot be told");
    assert!(
        note.contains("begin_time") && note.contains("status 500"),
        "{note}"
    );
    assert_eq!(told["upstream order"].0, "newest first");
    assert_eq!(told["upstream oldest"].0, USUAL[8]);
}

const KEPT: &str = "SELECT what, finding FROM upstream WHERE what IN ('count_type', 'page_limit', 'filter_time') ORDER BY what";

#[test]
fn an_archive_is_not_made_and_one_that_is_there_keeps_the_findings() {
    let (program, api) = (Program::new(), serve(Manners::usual()));
    let outcome = doctor(&program, &api, &[]);
    outcome.expect_code(0);
    assert!(outcome.out.contains("not stored"), "{}", outcome.out);
    assert!(!program.db().exists());

    api.behave(|request| Manners::usual().answer(request));
    program.sync(&api).expect_code(0);
    doctor(&program, &api, &[]).expect_code(0);
    let kept = [
        "count_type|number",
        "filter_time|created_at",
        "page_limit|accepted",
    ];
    assert_eq!(program.rows(KEPT), kept);
    assert_eq!(program.number("SELECT count(*) FROM syncs"), 1);
    assert_eq!(
        program.number("SELECT count(*) FROM drift WHERE kind = 'upstream'"),
        0
    );

    // Found by a doctor, a change has no sync.
    api.behave(|request| {
        let updated = Manners {
            filters: "updated_at",
            ..Manners::usual()
        };
        updated.answer(request)
    });
    let outcome = doctor(&program, &api, &["-o", "json"]);
    let told = rows(&outcome);
    assert!(
        told["upstream filter_time"]
            .1
            .contains("before: created_at, since 2026-04-01")
    );
    assert_eq!(
        told["archive changed"].0,
        "filter_time: was created_at, is updated_at"
    );
    let drift = "SELECT first_seen_at, sync_id, what FROM drift WHERE kind = 'upstream'";
    assert_eq!(
        program.rows(drift),
        ["2026-04-01T12:00:00.000Z||filter_time at 127.0.0.1: created_at, now updated_at"]
    );
    let outcome = program.run(&["coverage", "--drift"]);
    assert!(outcome.out.contains("now updated_at"), "{}", outcome.out);
}

#[test]
fn a_sync_warns_once_of_what_is_not_as_the_doctor_found_it() {
    let (program, api) = (Program::new(), serve(Manners::usual()));
    program.sync(&api).expect_code(0);
    doctor(&program, &api, &[]).expect_code(0);
    let as_text = Manners {
        count: |_, all| all.to_string().into(),
        ..Manners::usual()
    };
    api.behave(move |request| as_text.answer(request));
    let warning = "127.0.0.1 behaves differently: count_type was \"number\" and is \"text\"";
    program.sync(&api).expect_code(0).expect_said(&[warning]);
    let quiet = program.sync(&api);
    quiet.expect_code(0);
    assert!(!quiet.err.contains("differently"), "{}", quiet.err);
    let drift = "SELECT sync_id, what FROM drift WHERE kind = 'upstream'";
    assert_eq!(
        program.rows(drift),
        ["2|count_type at 127.0.0.1: number, now text"]
    );
}

#[test]
fn what_a_sync_rests_on_is_changed_by_the_rules_of_a_sync_alone() {
    let trust = "SELECT trust, longest_page, page_limit FROM endpoint WHERE list = 'tasks'";
    let (program, api) = (Program::new(), serve(Manners::usual()));
    program.sync(&api).expect_code(0);
    assert_eq!(program.rows(trust), ["1|30|"]);
    // Nothing longer than it was asked to be teaches of the longest page.
    doctor(&program, &api, &[]).expect_code(0);
    assert_eq!(program.rows(trust), ["1|30|"]);
    // A smaller limit is noted, and forgotten once the documented one is accepted.
    api.behave(|request| {
        let refusing = Manners {
            largest: 100,
            ..Manners::usual()
        };
        refusing.answer(request)
    });
    doctor(&program, &api, &[]).expect_code(0);
    assert_eq!(program.rows(trust), ["1|30|100"]);
    api.behave(|request| Manners::usual().answer(request));
    doctor(&program, &api, &[]).expect_code(0);
    assert_eq!(program.rows(trust), ["1|30|"]);
    // A count that is contradicted is not called a total again before a list was proven by it.
    api.behave(|request| {
        let of_the_page = Manners {
            count: |page, _| page.into(),
            ..Manners::usual()
        };
        of_the_page.answer(request)
    });
    assert_eq!(findings(&program, &api)["count"], "page");
    assert_eq!(program.rows(trust), ["2|30|"]);
    api.behave(|request| Manners::usual().answer(request));
    assert_eq!(findings(&program, &api)["count"], "no total");
    program.sync_with(&api, &["--mode", "full"]).expect_code(0);
    assert_eq!(program.rows(trust), ["1|30|"]);
    assert_eq!(findings(&program, &api)["count"], "total");
}

#[test]
fn an_archive_that_is_in_use_damaged_or_of_another_cloud_is_a_remark() {
    let (program, api) = (Program::new(), serve(Manners::usual()));
    program.sync(&api).expect_code(0);
    // The lock of a sync that is at work.
    let stalled = FakeApi::start(|_| Action::stall());
    let mut sync = program.start_sync(&stalled, &[]);
    while stalled.asked() == 0 {
        crate::support::fake_api::wait(std::time::Duration::from_millis(10));
    }
    let outcome = doctor(&program, &api, &[]);
    outcome.expect_code(0);
    assert!(outcome.out.contains("not stored: "), "{}", outcome.out);
    sync.kill().unwrap();
    sync.wait().unwrap();
    assert_eq!(
        program.number("SELECT count(*) FROM upstream WHERE what = 'oldest'"),
        0
    );

    // The project is another host's.
    let elsewhere = api.url().replace("127.0.0.1", "localhost");
    let token = program.home().join("token");
    let outcome = program.run(&[
        "doctor",
        "--endpoint",
        &elsewhere,
        "--project-id",
        PROJECT,
        "--token-file",
        token.to_str().unwrap(),
        "-o",
        "json",
    ]);
    outcome.expect_code(0);
    let told = rows(&outcome);
    assert!(
        told["archive findings"]
            .0
            .contains("reads the project from 127.0.0.1")
    );

    std::fs::write(program.db(), "no archive").unwrap();
    let outcome = finish(command(&program, &api, &[]).spawn().unwrap());
    outcome.expect_code(0);
    assert!(outcome.out.contains("not stored: "), "{}", outcome.out);
    assert_eq!(std::fs::read(program.db()).unwrap(), b"no archive");
}

/// Asks a simulated cloud of these manners, and holds what is found against what is expected.
#[track_caller]
fn finds(manners: &[&str], expected: &[(&str, &str)]) {
    let mut options = vec!["-q", "--speed", "0"];
    options.extend(manners);
    let cloud = Simulated::start(&options);
    let program = Program::new();
    let mut args = vec!["doctor", "--endpoint", cloud.text("endpoint")];
    args.extend(["--project-id", cloud.text("project_id")]);
    args.extend(["--token-file", cloud.text("token_file"), "-o", "json"]);
    let mut command = program.command(&args);
    command.env_remove("DCS_HISTORY_INSTANCE");
    let outcome = finish(command.spawn().unwrap());
    outcome.expect_code(0);
    let told = rows(&outcome);
    for (aspect, expected) in expected {
        let (found, _) = &told[&format!("upstream {aspect}")];
        assert_eq!(found, expected, "{aspect} of a cloud with {manners:?}");
    }
}

#[test]
fn the_simulated_cloud_is_found_to_behave_as_documented() {
    finds(
        &["--tasks", "150", "--page-cap", "50"],
        &[
            ("count_type", "number"),
            ("count", "total"),
            ("order", "newest first"),
            ("page_limit", "cut"),
            ("default_window", "whole"),
            ("start_parameter", "both"),
            ("filter_time", "created_at"),
            ("filter_bounds", "included"),
        ],
    );
}

#[test]
fn each_manner_of_a_cloud_is_found_out() {
    const UNTOLD: &str = "cannot be told";
    finds(
        &["--filter", "updated", "--filter-name", "start_time"],
        &[
            ("start_parameter", "start_time"),
            ("filter_time", "updated_at"),
            ("default_window", "whole"),
        ],
    );
    finds(
        &["--filter", "ignored", "--count", "page"],
        &[
            ("count", "page"),
            ("default_window", UNTOLD),
            ("start_parameter", "neither"),
            ("filter_time", UNTOLD),
            ("oldest", UNTOLD),
        ],
    );
    finds(
        &["--filter", "refused", "--count", "text"],
        &[
            ("count_type", "text"),
            ("count", "total"),
            ("start_parameter", "neither"),
            ("default_window", UNTOLD),
        ],
    );
    finds(
        &["--filter-name", "begin_time", "--window", "20d"],
        &[
            ("default_window", "hides old records"),
            ("start_parameter", "begin_time"),
            ("filter_time", "created_at"),
        ],
    );
    finds(
        &["--count", "absent"],
        &[("count_type", "absent"), ("count", UNTOLD)],
    );
}

#[test]
fn a_server_that_behaves_needs_no_doctor() {
    // What a sync alone finds of a service that sends its counts as text.
    let program = Program::new();
    let api = FakeApi::start(list(tasks(5)));
    program.sync(&api).expect_code(0);
    let found = program.rows("SELECT what, finding FROM upstream ORDER BY what");
    let expected = [
        "count|total",
        "count_type|text",
        "default_window|whole",
        "order|newest first",
    ];
    assert_eq!(found, expected);
}
