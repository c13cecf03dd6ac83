//! `state`, typed by a user after a sync: the sheet, the rows, what is under way, and where the story breaks.

use serde_json::{Value, json};

use crate::support::env::Program;
use crate::support::fake_api::{FakeApi, list};
use crate::support::{INSTANCE, task};

/// A task of this operation with these details, that ended five minutes after it began.
fn done(id: &str, minute: u32, name: &str, details: &Value) -> Value {
    let mut record = task(id, minute, "SUCCESS");
    record["name"] = json!(name);
    record["details"] = details.clone();
    record["updated_at"] = task(id, minute + 5, "SUCCESS")["updated_at"].clone();
    record
}

fn with(mut record: Value, member: &str, value: Value) -> Value {
    record[member] = value;
    record
}

/// A program that has read the life of an instance: two resizes between which one is missing, a port that was moved and one
/// move of it that failed, public access that was opened, a whitelist, and a resize under way.
fn synced() -> Program {
    let whitelist = r#"{"enable_whitelist":true,"whitelist":[{"group_name":"office","ip_list":["198.51.100.0/24"]}]}"#;
    let records = vec![
        with(
            done(
                "running",
                300,
                "EXTEND",
                &json!({"old_capacity": "32", "new_capacity": "64"}),
            ),
            "status",
            json!("EXECUTING"),
        ),
        with(
            done("whitelisted", 250, "AddWhitelist", &json!({})),
            "params",
            json!(whitelist),
        ),
        with(
            done(
                "failed",
                220,
                "UpdatePort",
                &json!({"old_port": 6380, "new_port": 7000}),
            ),
            "status",
            json!("FAILED"),
        ),
        done(
            "opened",
            200,
            "BindEip",
            &json!({"public_ip_address": "203.0.113.7"}),
        ),
        done(
            "grown",
            150,
            "EXTEND",
            &json!({"old_capacity": 16, "new_capacity": 32}),
        ),
        done(
            "moved",
            120,
            "UpdatePort",
            &json!({"old_port": 6379, "new_port": 6380}),
        ),
        done(
            "first",
            100,
            "ChangeInstanceSpec",
            &json!({"old_capacity": "4", "new_capacity": "8.0", "old_cache_mode": "ha", "new_cache_mode": "ha"}),
        ),
    ];
    let program = Program::new();
    let api = FakeApi::start(list(records));
    program.sync(&api).expect_code(0);
    program
}

/// The rows of a state, as value and certainty of each attribute.
#[track_caller]
fn told(program: &Program, at: &str) -> Vec<(String, String, String)> {
    let outcome = program.run(&["state", "--instance", INSTANCE, "--at", at, "-o", "jsonl"]);
    outcome.expect_code(0);
    assert_eq!(outcome.err, "");
    let rows = outcome.out.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        (text("attribute"), text("value"), text("certainty"))
    });
    rows.collect()
}

fn of<'a>(rows: &'a [(String, String, String)], attribute: &str) -> Vec<(&'a str, &'a str)> {
    let rows = rows.iter().filter(|(name, ..)| name == attribute);
    rows.map(|(_, value, certainty)| (value.as_str(), certainty.as_str()))
        .collect()
}

#[test]
fn the_configuration_is_what_the_last_successes_left() {
    let program = synced();
    let now = told(&program, "2026-03-01T06:00:00Z");
    let cases: [(&str, &[(&str, &str)]); 8] = [
        ("capacity", &[("32", "inherited"), ("64", "pending")]),
        ("cache_mode", &[("ha", "inherited")]),
        ("cache_type", &[("-", "unknown")]),
        ("port", &[("6380", "inherited")]),
        ("enable_public_ip", &[("true", "inherited")]),
        ("public_ip_address", &[("203.0.113.7", "inherited")]),
        ("enable_ssl", &[("-", "unknown")]),
        (
            "whitelist",
            &[(
                r#"[{"group_name":"office","ip_list":["198.51.100.0/24"]}]"#,
                "inherited",
            )],
        ),
    ];
    for (attribute, expected) in cases {
        assert_eq!(of(&now, attribute), expected, "{attribute}");
    }
    let early = told(&program, "2026-03-01T02:02:00Z");
    assert_eq!(
        of(&early, "capacity"),
        [("8.0", "contradicted")],
        "the next one found 16"
    );
    assert_eq!(
        of(&early, "port"),
        [("6379", "inferred"), ("6380", "pending")]
    );
    let before = told(&program, "2026-03-01T01:00:00Z");
    assert_eq!(of(&before, "capacity"), [("4", "inferred")]);
    assert_eq!(of(&before, "enable_public_ip"), [("-", "unknown")]);
}

#[test]
fn a_row_names_the_task_and_a_sheet_tells_it_all() {
    let program = synced();
    let line = "state --at 2026-03-01T06:00:00Z -o csv --columns attribute,value,since,task_id,name,user_name,note --no-header --instance";
    let mut args: Vec<_> = line.split(' ').collect();
    args.push(INSTANCE);
    let rows = program.run(&args).out;
    let port = rows.lines().find(|line| line.starts_with("port,")).unwrap();
    assert!(
        port.starts_with("port,6380,2026-03-01T02:05:00.000Z,moved,UpdatePort,dora,"),
        "{port}"
    );
    assert!(
        port.contains("a task that failed since is taken to have changed nothing"),
        "{port}"
    );
    let sheet = program.run(&[
        "state",
        "--instance",
        INSTANCE,
        "--at",
        "2026-03-01T06:00:00Z",
        "--tz",
        "+01:00",
    ]);
    sheet.expect_code(0);
    for part in [
        "at 2026-03-01T07:00:00.000+01:00",
        "vouched for  for nothing: no walk was proven",
        "breaks       1 by then: `state --breaks --instance",
        "office: 198.51.100.0/24",
        "Under way then",
        "that is an inference",
    ] {
        assert!(sheet.out.contains(part), "{part}: {}", sheet.out);
    }
    let markdown = program
        .run(&["state", "--instance", INSTANCE, "-o", "markdown"])
        .out;
    assert!(markdown.starts_with("# 11111111-2222"), "{markdown}");
    assert!(
        markdown.contains("## Configuration\n\n| attribute | value |"),
        "{markdown}"
    );
}

#[test]
fn a_break_is_listed_with_both_tasks() {
    let program = synced();
    let outcome = program.run(&["state", "--breaks", "-o", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&outcome.expect_code(0).out).unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    let told = [
        "attribute",
        "left_value",
        "earlier_task_id",
        "found_value",
        "later_task_id",
        "state",
    ]
    .map(|name| row[name].as_str().unwrap());
    assert_eq!(
        told,
        ["capacity", "8.0", "first", "16", "grown", "inherited"]
    );
    let table = program.run(&["state", "--breaks", "--instance", INSTANCE]);
    assert!(
        table
            .out
            .contains("may have been deleted before the first proven walk"),
        "{table:#?}"
    );
    let none = Program::new();
    none.sync(&FakeApi::start(list(vec![task("only", 1, "SUCCESS")])));
    none.run(&["state", "--breaks"])
        .expect_code(0)
        .expect_said(&["no break"]);
}

#[test]
fn an_instance_must_be_named_and_one_alone() {
    let program = synced();
    let cases = [
        ("state", "--instance"),
        ("state --instance nowhere", "no instance"),
        (
            "state --instance 1111 --instance 1111",
            "one instance at a time",
        ),
        ("state --instance 1111 --at whenever", "--at: cannot read"),
        ("state --breaks --at now", "cannot be used with"),
    ];
    for (line, said) in cases {
        let outcome = program.run(&line.split(' ').collect::<Vec<_>>());
        outcome.expect_code(2).expect_said(&[said]);
    }
}
