use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::value::RawValue;

use crate::model::rows::{ChangeRow, Drift, DriftKind, Source};

use super::*;

/// Opens a record as the decoder does, without its strictness.
fn normalized(raw: &str) -> Normalized {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(raw).unwrap();
    let mut task = Task::default();
    for (name, value) in members {
        let field = match name.as_str() {
            "id" => &mut task.id,
            "name" => &mut task.name,
            "details" => &mut task.details,
            "user_name" => &mut task.user_name,
            "user_id" => &mut task.user_id,
            "params" => &mut task.params,
            "status" => &mut task.status,
            "created_at" => &mut task.created_at,
            "updated_at" => &mut task.updated_at,
            "enable_show" => &mut task.enable_show,
            "error_code" => &mut task.error_code,
            "job_id" => &mut task.job_id,
            _ => {
                task.unknown.insert(name.into(), value.get());
                continue;
            }
        };
        *field = Some(value.get()).filter(|value| *value != "null");
    }
    rows(&task)
}

/// Returns the only record of a fixture.
fn record(page: &str) -> String {
    let page: BTreeMap<String, Box<RawValue>> = serde_json::from_str(page).unwrap();
    let tasks: Vec<Box<RawValue>> = serde_json::from_str(page["tasks"].get()).unwrap();
    tasks[0].get().to_owned()
}

/// Shows a row as `source attribute old -> new`, or with `=` for one that was not folded.
fn shown(row: &ChangeRow) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let source = row.source.as_str();
    let (attribute, new) = (&row.attribute, value(&row.new_value));
    if row.folded {
        format!("{source} {attribute} {} -> {new}", value(&row.old_value))
    } else {
        assert_eq!(row.old_value, None);
        format!("{source} {attribute} = {new}")
    }
}

fn changes(raw: &str) -> Vec<String> {
    normalized(raw).changes.iter().map(shown).collect()
}

/// Shows drift as `kind what`, without the samples.
fn drift(raw: &str) -> Vec<String> {
    let shown = |drift: Drift| format!("{} {}", drift.kind.as_str(), drift.what);
    normalized(raw).drift.into_iter().map(shown).collect()
}

#[test]
fn the_example_of_2022_gives_its_rows_with_numbers_as_sent() {
    let raw = record(include_str!("../../tests/fixtures/pages/a.json"));
    assert_eq!(
        changes(&raw),
        [
            "details cache_mode single -> single",
            "details capacity 0.125 -> 0.25"
        ]
    );
    assert_eq!(drift(&raw), Vec::<String>::new());
    let row = normalized(&raw).row;
    assert_eq!(row.name.as_deref(), Some("ChangeInstanceSpec"));
    assert_eq!(row.user_name.as_deref(), Some("u"));
    assert_eq!((row.status, row.created, row.updated), (None, None, None));
}

#[test]
fn the_example_of_2025_gives_a_row_for_each_of_the_26_fields_and_no_drift() {
    let raw = record(include_str!("../../tests/fixtures/pages/b.json"));
    assert_eq!(
        changes(&raw),
        [
            "details account_name = reader",
            "details cache_mode single -> ha",
            "details cache_type single -> ha",
            "details capacity 0.125 -> 0.25",
            "details enable_public_ip = true",
            "details enable_ssl = false",
            "details group_name = group-0",
            "details is_only_adjust_charging = false",
            "details node_name = node-0",
            "details port 6379 -> 6380",
            "details public_ip_address = 203.0.113.17",
            "details public_ip_id = b4a8f6d2-2e3c-4a5b-9c1d-7e8f90a1b2c3",
            r#"details rename_commands = ["FLUSHALL", "KEYS"]"#,
            "details replica_az = eu-de-01",
            "details replica_ip = 192.0.2.21",
            "details replica_num 1 -> 2",
            "details resource_spec_code redis.single.xu1.tiny.128 -> redis.ha.xu1.tiny.r2.256",
            "details source_ip = 192.0.2.10",
            "details target_ip = 192.0.2.11",
            "details updated_config_length = 3",
        ]
    );
    assert_eq!(drift(&raw), Vec::<String>::new());
    let row = normalized(&raw).row;
    assert_eq!(row.status.as_deref(), Some("SUCCESS"));
    assert_eq!(
        row.updated.map(|time| time.to_string()).as_deref(),
        Some("2020-06-17T08:18:10.106Z")
    );
}

#[test]
fn the_sibling_example_gives_rows_from_its_params() {
    let raw = record(include_str!("../../tests/fixtures/pages/c.json"));
    assert_eq!(changes(&raw), ["params auto_status true -> false"]);
    assert_eq!(drift(&raw), ["operation modifyAutoTopic"]);
    let row = normalized(&raw).row;
    assert_eq!(
        row.params.as_deref(),
        Some(r#"{"old_auto_status":true,"new_auto_status":false}"#)
    );
}

#[test]
fn members_fold_by_their_prefix_and_every_value_stands_as_sent() {
    let cases: [(&str, &[&str]); 21] = [
        (r#"{"old_x":1}"#, &["details x 1 -> -"]),
        (r#"{"new_x":1}"#, &["details x - -> 1"]),
        (r#"{"new_x":1,"old_x":null}"#, &["details x - -> 1"]),
        (r#"{"new_x":null,"old_x":null,"y":null}"#, &[]),
        (
            r#"{"x":3,"new_x":2,"old_x":1}"#,
            &["details x = 3", "details x 1 -> 2"],
        ),
        (
            r#"{"old_":1,"new_":2}"#,
            &["details new_ = 2", "details old_ = 1"],
        ),
        (r#"{"old_new_x":1}"#, &["details new_x 1 -> -"]),
        (
            r#"{"old_x":0.10,"new_x":"0.10"}"#,
            &["details x 0.10 -> 0.10"],
        ),
        (
            r#"{"n":1E+5,"m":-0}"#,
            &["details m = -0", "details n = 1E+5"],
        ),
        (
            r#"{"n":123456789012345678901234567890}"#,
            &["details n = 123456789012345678901234567890"],
        ),
        (
            r#"{"l":[ 1,"\u0041"],"o":{"b":1, "a":2}}"#,
            &[
                r#"details l = [ 1,"\u0041"]"#,
                r#"details o = {"b":1, "a":2}"#,
            ],
        ),
        (
            r#"{"t":"","f":false}"#,
            &["details f = false", "details t = "],
        ),
        (r#"{"t":"a\nb\u00e9"}"#, &["details t = a\nbé"]),
        (
            r#"{"t\u0000":"a\u0000b"}"#,
            &[r"details t\u0000 = a\u0000b"],
        ),
        (r#"{"x":1,"x":2}"#, &["details x = 2"]),
        (r#"{"x":1,"x":null}"#, &[]),
        (
            r#"{"old_cache_mode":"single","new_cahce_mode":"ha"}"#,
            &["details cache_mode single -> ha"],
        ),
        (
            r#"{"new_cache_mode":null,"new_cahce_mode":"ha"}"#,
            &["details cache_mode - -> ha"],
        ),
        (
            r#"{"new_cache_mode":"ha","new_cahce_mode":"single"}"#,
            &[
                "details cache_mode - -> ha",
                "details cahce_mode - -> single",
            ],
        ),
        (r#""{\"old_x\":1,\"new_x\":2}""#, &["details x 1 -> 2"]),
        ("{}", &[]),
    ];
    for (details, expected) in cases {
        let raw = format!(r#"{{"details":{details}}}"#);
        assert_eq!(changes(&raw), expected, "{details}");
    }
}

#[test]
fn params_give_rows_where_they_are_an_object_and_none_elsewhere_t18() {
    let cases: [(&str, &[&str]); 10] = [
        (
            r#""{\"old_a\":1.50,\"b\":{\"c\":[]}}""#,
            &["params a 1.50 -> -", r#"params b = {"c":[]}"#],
        ),
        (r#"{"new_a":"x"}"#, &["params a - -> x"]),
        (r#"{"new_cahce_mode":"ha"}"#, &["params cahce_mode - -> ha"]),
        (r#""{\"a\":\"\\ud800\"}""#, &[r#"params a = "\ud800""#]),
        (r#""{\"a\":1e999}""#, &["params a = 1e999"]),
        (r#""{\"a\":""#, &[]),
        (r#""plain text""#, &[]),
        (r#""[1]""#, &[]),
        ("[{}]", &[]),
        ("7", &[]),
    ];
    for (params, expected) in cases {
        let raw = format!(r#"{{"params":{params}}}"#);
        assert_eq!(changes(&raw), expected, "{params}");
    }
    let deep = "[".repeat(20_000) + &"]".repeat(20_000);
    let raw = format!(r#"{{"params":"{{\"a\":{deep}}}"}}"#);
    assert_eq!(changes(&raw), [format!("params a = {deep}")]);
    assert_eq!(
        changes(r#"{"params":{"a":1},"details":{"b":2,"a":3}}"#),
        ["details a = 3", "details b = 2", "params a = 1"]
    );
}

#[test]
fn columns_hold_the_text_form_of_whatever_came_p04_p09() {
    let row = normalized(
        r#"{"name":7,"status":["S"],"user_id":0.10,"user_name":"a\u0000b","params":{"a": 1},"error_code":null,
            "created_at":1592381886597,"updated_at":"2020-06-17 08:18:10"}"#,
    )
    .row;
    let expected = TaskRow {
        id: None,
        name: Some("7".to_owned()),
        status: Some(r#"["S"]"#.to_owned()),
        user_id: Some("0.10".to_owned()),
        user_name: Some(r"a\u0000b".to_owned()),
        created: None,
        updated: Timestamp::parse_upstream("2020-06-17T08:18:10Z"),
        params: Some(r#"{"a": 1}"#.to_owned()),
        error_code: None,
    };
    assert_eq!(row, expected);
    assert_eq!(normalized("{}"), Normalized::default());
}

#[test]
fn what_the_documentation_does_not_know_is_drift_p01_p02() {
    let cases: [(&str, &[&str]); 16] = [
        (r#"{"colour":null}"#, &["field task.colour"]),
        (r#"{"details":{"colour":1}}"#, &["field details.colour"]),
        (r#"{"details":{"new_cahce_mode":"ha"}}"#, &[]),
        (r#"{"params":"{\"colour\":1}"}"#, &[]),
        (r#"{"status":"success","name":"extend"}"#, &[]),
        (r#"{"status":"成功"}"#, &["status 成功"]),
        (r#"{"status":""}"#, &["status "]),
        (r#"{"name":"DeleteAcl"}"#, &[]),
        (r#"{"name":"MoveInstance"}"#, &["operation MoveInstance"]),
        (r#"{"name":"a\u0000b"}"#, &[r"operation a\u0000b"]),
        (r#"{"status":5}"#, &["status 5", "type task.status: number"]),
        (
            r#"{"error_code":"DCS.1","job_id":"j","enable_show":true}"#,
            &[],
        ),
        (
            r#"{"id":1,"user_id":2,"params":[],"details":[],"enable_show":"true","created_at":3}"#,
            &[
                "type task.created_at: number",
                "type task.details: array",
                "type task.enable_show: string",
                "type task.id: number",
                "type task.params: array",
                "type task.user_id: number",
            ],
        ),
        (
            r#"{"details":"{\"old_port\":\"6379\"}"}"#,
            &["type details.old_port: string", "type task.details: string"],
        ),
        (
            r#"{"details":{"old_capacity":1,"new_capacity":"2","old_port":"6379","enable_ssl":1,"rename_commands":"[]",
                "updated_config_length":null,"source_ip":{}}}"#,
            &[
                "type details.enable_ssl: number",
                "type details.old_port: string",
                "type details.rename_commands: string",
                "type details.source_ip: object",
            ],
        ),
        (r#"{"id":null,"details":null,"status":null}"#, &[]),
    ];
    for (raw, expected) in cases {
        assert_eq!(drift(raw), expected, "{raw}");
    }
}

#[test]
fn drift_shows_a_sample_and_bounds_what_it_repeats() {
    let long = "ß".repeat(300);
    let found = normalized(&format!(r#"{{"{long}":"{long}","{long}x":1,"x":[ 1 ]}}"#)).drift;
    let expected = [
        Drift {
            kind: DriftKind::Field,
            what: "task.x".to_owned(),
            sample: "[ 1 ]".to_owned(),
        },
        Drift {
            kind: DriftKind::Field,
            what: format!("task.{}", "ß".repeat(195)),
            sample: format!("\"{}", "ß".repeat(199)),
        },
    ];
    assert_eq!(found, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn rows_are_sorted_unique_and_the_same_every_time(
        details in "[\\[{}\\],:\" 01a\\\\u]{0,20}",
        names in prop::collection::vec("(old_|new_)?[ab\u{0}]{0,2}", 0..8),
        in_text: bool,
    ) {
        let members: Vec<String> = names
            .iter()
            .enumerate()
            .map(|(place, name)| format!("{}:{place}", serde_json::to_string(name).unwrap()))
            .collect();
        let object = format!("{{{}}}", members.join(","));
        let params = if in_text { serde_json::to_string(&object).unwrap() } else { object.clone() };
        let task = Task { details: Some(&object), params: Some(&params), ..Task::default() };
        let found = rows(&task);
        prop_assert_eq!(&found, &rows(&task));
        let key = |row: &ChangeRow| (row.source, row.attribute.clone(), row.folded);
        prop_assert!(found.changes.is_sorted_by(|one, other| key(one) < key(other)));
        prop_assert_eq!(names.is_empty(), found.changes.is_empty());
        let of = |source: Source| found.changes.iter().filter(move |row| row.source == source).count();
        prop_assert_eq!(of(Source::Details), of(Source::Params));

        // Total: whatever stands in a field, there are rows.
        let odd = Task { details: Some(&details), status: Some(&details), params: Some(&details), ..Task::default() };
        prop_assert_eq!(rows(&odd), rows(&odd));
    }
}
