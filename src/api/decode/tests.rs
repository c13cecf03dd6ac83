use serde_json::json;

use crate::api::canonical;
use crate::model::record::CountForm;

use super::*;

const FIXTURE_A: &[u8] = include_bytes!("../../../tests/fixtures/pages/a.json");
const FIXTURE_B: &[u8] = include_bytes!("../../../tests/fixtures/pages/b.json");
const FIXTURE_C: &[u8] = include_bytes!("../../../tests/fixtures/pages/c.json");

/// Decodes the only record of an answer.
fn only(body: &[u8]) -> Record {
    let mut records = page(body, 0).unwrap().records;
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn only_task(body: &[u8]) -> Observation {
    match only(body) {
        Record::Read(task) => task,
        Record::Rejected(rejected) => panic!("rejected: {}", rejected.reason),
    }
}

/// Puts a record between two good ones and returns what became of it, once the good ones proved alive.
fn among_good(record: &[u8]) -> Record {
    let body = [
        br#"{"task_count":3,"tasks":[{"id":"first"},"#,
        record,
        br#",{"id":"last"}]}"#,
    ]
    .concat();
    let page = page(&body, 0).unwrap();
    assert_eq!(page.total, Some(3));
    let [first, between, last] = <[Record; 3]>::try_from(page.records).unwrap();
    assert!(matches!(&first, Record::Read(task) if task.raw == r#"{"id":"first"}"#));
    assert!(matches!(&last, Record::Read(task) if task.raw == r#"{"id":"last"}"#));
    between
}

/// Returns id and reason of a record that is set aside with its exact bytes.
fn rejected(record: &[u8]) -> (Option<String>, String) {
    match among_good(record) {
        Record::Read(task) => panic!("accepted: {}", task.id),
        Record::Rejected(rejected) => {
            assert_eq!(rejected.raw, record);
            assert_eq!(rejected.digest, sha256(record));
            (rejected.id, rejected.reason)
        }
    }
}

fn accepted(record: &[u8]) -> Observation {
    match among_good(record) {
        Record::Read(task) => {
            assert_eq!(task.raw.as_bytes(), record);
            task
        }
        Record::Rejected(rejected) => panic!("rejected: {}", rejected.reason),
    }
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse_upstream(text).unwrap()
}

#[test]
fn the_example_of_2022_adopts_what_stands_beside_the_list_p15() {
    let page = page(FIXTURE_A, 0).unwrap();
    assert_eq!((page.total, page.unknown), (Some(1), vec![]));
    let sent = only_task(FIXTURE_A);
    assert_eq!(sent.id, "8abf6e1e72c12e7c0172c15b508500aa");
    assert_eq!(
        sent.adopted.as_deref(),
        Some(
            r#"{"created_at":"2020-06-17T08:18:06.597Z","status":"SUCCESS","updated_at":"2020-06-17T08:18:10.106Z"}"#
        )
    );
    assert_eq!(sent.created, Some(time("2020-06-17T08:18:06.597Z")));
    assert_eq!(sent.updated, Some(time("2020-06-17T08:18:10.106Z")));
    assert!(
        sent.raw.starts_with(r#"{"id":"8abf"#) && sent.raw.ends_with(r#""new_capacity":0.25}}"#)
    );
    assert_eq!(sent.digest, sha256(sent.raw.as_bytes()));
    assert_eq!(
        Some(sent.form),
        canonical::form(&sent.raw, sent.adopted.as_deref())
    );
    let opened = task(&sent.raw, sent.adopted.as_deref()).unwrap();
    assert_eq!(opened.status, Some(r#""SUCCESS""#));
    assert_eq!(opened.updated_at, Some(r#""2020-06-17T08:18:10.106Z""#));
}

#[test]
fn the_examples_of_2025_and_of_the_sibling_service_are_read() {
    let sent = only_task(FIXTURE_B);
    assert_eq!(sent.adopted, None);
    assert_eq!(sent.created, Some(time("2020-06-17T08:18:06.597Z")));
    assert_eq!(sent.updated, Some(time("2020-06-17T08:18:10.106Z")));
    assert_eq!(Some(sent.form), canonical::form(&sent.raw, None));
    let opened = task(&sent.raw, None).unwrap();
    assert_eq!(opened.name, Some(r#""EXTEND""#));
    assert_eq!(opened.enable_show, Some("false"));
    assert!(opened.unknown.is_empty());

    let page = page(FIXTURE_C, 0).unwrap();
    assert_eq!(page.total, Some(4), "a count sent as text");
    let sent = only_task(FIXTURE_C);
    assert_eq!(sent.id, "8abfa7b372160bfd0172165864064079");
    let opened = task(&sent.raw, None).unwrap();
    assert_eq!(
        opened.params,
        Some(r#""{\"old_auto_status\":true,\"new_auto_status\":false}""#)
    );
    assert_eq!(opened.details, None);
}

#[test]
fn fields_beside_the_list_go_to_the_only_record_and_only_where_it_lacks_them_p15() {
    let beside = r#""status":"SUCCESS","created_at":null,"updated_at":"2020-06-17T08:18:10Z""#;
    let adopted = |tasks: &str, offset| -> Vec<Option<String>> {
        let body = format!(r#"{{"task_count":1,"tasks":{tasks},{beside}}}"#);
        let records = page(body.as_bytes(), offset).unwrap().records;
        let adopted = |record| match record {
            Record::Read(task) => task.adopted,
            Record::Rejected(_) => None,
        };
        records.into_iter().map(adopted).collect()
    };
    let both = r#"{"status":"SUCCESS","updated_at":"2020-06-17T08:18:10Z"}"#;
    let cases = [
        (r#"[{"id":"a"}]"#, 0, vec![Some(both)]),
        (r#"[{"id":"a","status":null}]"#, 0, vec![Some(both)]),
        (
            r#"[{"id":"a","status":"FAILED"}]"#,
            0,
            vec![Some(r#"{"updated_at":"2020-06-17T08:18:10Z"}"#)],
        ),
        (r#"[{"id":"a","status":"","updated_at":5}]"#, 0, vec![None]),
        (r#"[{"id":"a"}]"#, 1, vec![None]),
        (r#"[{"id":"a"},{"id":"b"}]"#, 0, vec![None, None]),
        (r#"[{"id":"a"},7]"#, 0, vec![None, None]),
        ("[]", 0, vec![]),
    ];
    for (tasks, offset, expected) in cases {
        let found = adopted(tasks, offset);
        let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
        assert_eq!(found, expected, "{tasks} at {offset}");
    }
    let odd = page(br#"{"tasks":[{"id":"a"}],"status":["SUCCESS"]}"#, 0).unwrap();
    assert!(matches!(&odd.records[0], Record::Read(task) if task.adopted.is_none()));
    assert_eq!(
        odd.unknown,
        [("status".to_owned(), r#"["SUCCESS"]"#.to_owned())]
    );
}

#[test]
fn an_answer_that_is_no_list_is_never_an_empty_one_h10_h11() {
    let cases: [(&[u8], BadPage); 21] = [
        (b"", BadPage::Empty),
        (b" \r\n", BadPage::Empty),
        (b"\xef\xbb\xbf", BadPage::Empty),
        (b"<html><body>maintenance</body></html>", BadPage::NotJson),
        (b"upstream connect error", BadPage::NotJson),
        (b"\x1f\x8b\x08\x00", BadPage::NotJson),
        (b"null", BadPage::NotAnObject("null")),
        (b"[]", BadPage::NotAnObject("array")),
        (b"\"tasks\"", BadPage::NotAnObject("string")),
        (b"7", BadPage::NotAnObject("number")),
        (b"false", BadPage::NotAnObject("boolean")),
        (b"{}", BadPage::NoList("tasks")),
        (br#"{"task_count":0}"#, BadPage::NoList("tasks")),
        (br#"{"tasks":{}}"#, BadPage::NotAnArray("tasks", "object")),
        (br#"{"tasks":"[]"}"#, BadPage::NotAnArray("tasks", "string")),
        (br#"{"tasks":0}"#, BadPage::NotAnArray("tasks", "number")),
        (br#"{"tasks":null}"#, BadPage::Null(TASKS)),
        (br#"{"tasks":null,"task_count":null}"#, BadPage::Null(TASKS)),
        (br#"{"tasks":null,"task_count":3}"#, BadPage::Null(TASKS)),
        (br#"{"tasks":nul,"task_count":0}"#, BadPage::NotJson),
        (br#"{"tasks":[]} {}"#, BadPage::NotJson),
    ];
    for (body, expected) in cases {
        assert_eq!(page(body, 0), Err(expected), "{}", body.escape_ascii());
    }
}

#[test]
fn an_answer_that_is_cut_off_says_so_and_after_how_many_bytes_h11() {
    let whole = [b"\xef\xbb\xbf ", FIXTURE_B].concat();
    let end = whole.iter().rposition(|byte| *byte == b'}').unwrap();
    for length in 5..=end {
        let body = &whole[..length];
        assert_eq!(page(body, 0), Err(BadPage::CutOff(length)));
    }
    let bodies: [&[u8]; 4] = [
        b"nul",
        b"[{\"id\":",
        b"\"ta",
        b"{\"tasks\":[{\"id\":\"\xff\"}]",
    ];
    for body in bodies {
        assert_eq!(page(body, 0), Err(BadPage::CutOff(body.len())));
    }
}

#[test]
fn a_null_list_with_a_count_of_zero_is_empty_h12() {
    for body in [
        r#"{"tasks":null,"task_count":0}"#,
        r#"{"task_count":"0","tasks":null}"#,
        r#"{"task_count":0,"tasks":[]}"#,
    ] {
        let page = page(body.as_bytes(), 0).unwrap();
        assert_eq!((page.total, page.records), (Some(0), vec![]), "{body}");
    }
}

#[test]
fn an_error_envelope_is_an_error_with_its_code_and_message_h09() {
    let cases = [
        (
            r#"{"error_code":"DCS.4800","error_msg":"Invalid offset in the request."}"#,
            (Some("DCS.4800"), Some("Invalid offset in the request.")),
        ),
        (
            r#"{"error_msg":"Internal","error_code":"DCS.5000","tasks":[],"task_count":0}"#,
            (Some("DCS.5000"), Some("Internal")),
        ),
        (
            r#"{"error_code":"DCS.5000","tasks":null,"task_count":0}"#,
            (Some("DCS.5000"), None),
        ),
        (
            r#"{"error":{"code":"111400060","message":"bad"}}"#,
            (Some("111400060"), Some("bad")),
        ),
        (
            r#"{"error":{"code":401,"message":"bad","title":"Unauthorized"}}"#,
            (Some("401"), Some("bad")),
        ),
        (
            r#"{"error":{"error_code":"APIGW.0301","error_msg":"bad"},"tasks":[]}"#,
            (Some("APIGW.0301"), Some("bad")),
        ),
        (r#"{"error":"backend busy"}"#, (None, Some("backend busy"))),
        (
            r#"{"error_code":null,"code":"X.1","message":"bad"}"#,
            (Some("X.1"), Some("bad")),
        ),
    ];
    for (body, (code, message)) in cases {
        let expected = BadPage::ServiceError {
            code: code.map(str::to_owned),
            message: message.map(str::to_owned),
        };
        assert_eq!(page(body.as_bytes(), 0), Err(expected), "{body}");
    }
    let error = page(br#"{"error_code":"DCS.5000","error_msg":"Internal"}"#, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "an error in place of a list: DCS.5000: Internal"
    );
    let damaged = page(b"{\"error_code\":\"DCS.1\",\"error_msg\":\"\xff\"}", 0);
    assert!(
        matches!(damaged, Err(BadPage::ServiceError { message: Some(text), .. }) if text == "\u{fffd}")
    );
}

#[test]
fn members_of_an_error_that_say_nothing_do_not_make_one() {
    for body in [
        r#"{"tasks":[],"error_code":null,"error_msg":""}"#,
        r#"{"tasks":[],"code":200,"message":"ok"}"#,
        r#"{"tasks":[{"id":"a"}],"error_code":"DCS.5000"}"#,
    ] {
        assert!(page(body.as_bytes(), 0).is_ok(), "{body}");
    }
}

#[test]
fn the_count_is_read_where_it_is_a_whole_number_t4() {
    let cases = [
        ("4", Some(4)),
        ("0", Some(0)),
        (r#""4""#, Some(4)),
        (r#"" 4 ""#, Some(4)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("-1", None),
        ("4.0", None),
        ("4e1", None),
        (r#""+4""#, None),
        (r#""4.5""#, None),
        (r#""""#, None),
        (r#""many""#, None),
        ("null", None),
        ("true", None),
        ("[4]", None),
        ("1e999", None),
    ];
    for (count, expected) in cases {
        let body = format!(r#"{{"task_count":{count},"tasks":[]}}"#);
        let found = page(body.as_bytes(), 0).unwrap();
        assert_eq!(found.total, expected, "{count}");
    }
    assert_eq!(page(br#"{"tasks":[]}"#, 0).unwrap().total, None);
}

#[test]
fn undocumented_members_of_the_answer_are_told_with_a_sample() {
    let long = "x".repeat(300);
    let body =
        json!({"tasks": [], "task_count": 0, "status": "S", "next": {"marker": 1}, "long": long});
    let found = page(body.to_string().as_bytes(), 0).unwrap();
    let expected = [
        ("long".to_owned(), format!("\"{}", "x".repeat(199))),
        ("next".to_owned(), r#"{"marker":1}"#.to_owned()),
    ];
    assert_eq!(found.unknown, expected);
    let damaged = page(b"{\"tasks\":[],\"odd\xff\":nul}", 0).unwrap();
    assert_eq!(
        damaged.unknown,
        [("odd\u{fffd}".to_owned(), "nul".to_owned())]
    );
}

#[test]
fn a_byte_order_mark_is_dropped_p19() {
    let with_mark = [b"\xef\xbb\xbf", FIXTURE_B].concat();
    assert_eq!(page(&with_mark, 0), page(FIXTURE_B, 0));
}

#[test]
fn what_is_no_record_is_set_aside_and_the_others_live_p05() {
    let deep = "[".repeat(20_000) + &"]".repeat(20_000);
    let deeper = format!(r#"{{"x":{deep},"id":"deep"}}"#);
    let deepest = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    let digits = format!(r#"{{"id":"n","n":{}}}"#, "9".repeat(400));
    let cases: [(&[u8], Option<&str>, &str); 25] = [
        (b"null", None, "null in place of an object"),
        (b"\"id\"", None, "string in place of an object"),
        (b"7", None, "number in place of an object"),
        (b"[{\"id\":\"a\"}]", None, "array in place of an object"),
        (b"true", None, "boolean in place of an object"),
        (b"{}", None, "no usable id"),
        (br#"{"name":"EXTEND"}"#, None, "no usable id"),
        (br#"{"id":null}"#, None, "no usable id"),
        (br#"{"id":""}"#, None, "no usable id"),
        (br#"{"id":true}"#, None, "no usable id"),
        (br#"{"id":{"id":"a"}}"#, None, "no usable id"),
        (br#"{"id":"a","id":null}"#, None, "no usable id"),
        (br#"{"id":"a","n":nul}"#, Some("a"), "not valid JSON"),
        (br#"{"id":"a" "n":1}"#, None, "not valid JSON"),
        (br#"{"id":"a","n" 1}"#, Some("a"), "not valid JSON"),
        (
            b"{\"id\":\"a\",\"n\":\"\xff\"}",
            Some("a"),
            "bytes that are not UTF-8",
        ),
        (
            b"{\"n\":\"\xc3\",\"id\":\"a\"}",
            Some("a"),
            "bytes that are not UTF-8",
        ),
        (b"{\"id\":\"\xff\"}", None, "bytes that are not UTF-8"),
        (
            br#"{"id":"a","user_name":"\ud800"}"#,
            Some("a"),
            "a lone surrogate in a string",
        ),
        (br#"{"id":"\udfff"}"#, None, "a lone surrogate in a string"),
        (
            b"{\"id\":\"a\",\"n\":\"x\ny\"}",
            Some("a"),
            "a control character in a string",
        ),
        (
            br#"{"n":[1e999],"id":4}"#,
            Some("4"),
            "a number beyond the range of a double",
        ),
        (
            digits.as_bytes(),
            Some("n"),
            "a number beyond the range of a double",
        ),
        (
            deeper.as_bytes(),
            Some("deep"),
            "nested deeper than 127 levels",
        ),
        (deepest.as_bytes(), None, "nested deeper than 127 levels"),
    ];
    for (record, id, reason) in cases {
        let shown: String = record.escape_ascii().to_string().chars().take(60).collect();
        assert_eq!(
            rejected(record),
            (id.map(str::to_owned), reason.to_owned()),
            "{shown}"
        );
    }
}

#[test]
fn whatever_a_record_holds_is_kept_as_sent_p01_p02_p03_p04_p17_p18() {
    for record in [
        r#"{"id":"a","status":"","name":"操作","user_name":"\u0000\u001b[31m\u202e"}"#,
        r#"{"id":"a","novel":{"x":[1,{"y":null}]},"details":"none","params":{"a":1}}"#,
        r#"{"id":"a","updated_at":null,"status":"EXECUTING"}"#,
        r#"{"id":"a","user_id":17,"name":["EXTEND"],"details":7,"enable_show":"yes"}"#,
        r#"{ "id" : "a" , "name":"<script>alert(1)<\/script>"}"#,
        r#"{"id":"a","name":"'; DROP TABLE task; --"}"#,
        r#"{"id":"b","id":"a"}"#,
    ] {
        assert_eq!(accepted(record.as_bytes()).id, "a", "{record}");
    }
}

#[test]
fn an_id_is_any_text_or_number_compared_byte_by_byte_p04_p22() {
    let long = "x".repeat(4_096);
    let quoted = format!("\"{long}\"");
    let cases = [
        ("17", "17"),
        ("17.50", "17.50"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        (r#""../../etc/passwd""#, "../../etc/passwd"),
        (r#""a%20b?c=d""#, "a%20b?c=d"),
        (r#""ABC""#, "ABC"),
        (r#""abc""#, "abc"),
        (r#"" a ""#, " a "),
        (r#""\u0061\/\"""#, "a/\""),
        (r#""'; DROP TABLE task; --""#, "'; DROP TABLE task; --"),
        (r#""a\u0000b""#, r"a\u0000b"),
        (&quoted, &long),
    ];
    for (sent, expected) in cases {
        let record = format!(r#"{{"id":{sent}}}"#);
        assert_eq!(accepted(record.as_bytes()).id, expected);
    }
}

#[test]
fn times_that_are_not_times_are_out_of_every_comparison_p07() {
    for sent in [
        "null",
        r#""""#,
        r#""yesterday""#,
        "1592381886597",
        "{}",
        "true",
    ] {
        let record = format!(r#"{{"id":"a","created_at":{sent},"updated_at":{sent}}}"#);
        let task = accepted(record.as_bytes());
        assert_eq!((task.created, task.updated), (None, None), "{sent}");
    }
    let epoch = accepted(br#"{"id":"a","updated_at":"1970-01-01T00:00:00Z"}"#);
    assert_eq!(epoch.updated, Some(Timestamp::EPOCH));
}

#[test]
fn two_revisions_on_one_page_are_both_there_in_their_order_p12() {
    let body = br#"{"tasks":[{"id":"a","status":"SUCCESS"},{"id":"a","status":"EXECUTING"}]}"#;
    let records = page(body, 0).unwrap().records;
    assert_eq!(records[0].id(), Some("a"));
    assert_eq!(records[1].id(), Some("a"));
    assert_ne!(records[0].form(), records[1].form());
}

#[test]
fn a_record_sent_in_another_order_is_the_same_observation_t26() {
    let one = accepted(br#"{"id":"a","details":{"new_port":1,"old_port":2}}"#);
    let other = accepted(br#"{ "details" : {"old_port":2, "new_port":1}, "id":"\u0061" }"#);
    assert_eq!(one.form, other.form);
    assert_ne!(one.digest, other.digest);
}

#[test]
fn a_value_of_ten_megabytes_is_kept_whole_p11() {
    let record = format!(r#"{{"id":"a","params":"{}"}}"#, "x".repeat(10_000_000));
    assert_eq!(accepted(record.as_bytes()).raw.len(), record.len());
}

#[test]
fn nothing_comes_of_a_stored_text_that_is_no_object() {
    for raw in ["", "null", "[1]", "{", r#"{"id":"a"} x"#] {
        assert_eq!(task(raw, None), None, "{raw}");
    }
    let own = task(r#"{"status":"A","status":null,"x":null}"#, None).unwrap();
    assert_eq!(own.status, None);
    assert_eq!(own.unknown["x"], "null");
}

mod properties {
    use proptest::prelude::*;

    use crate::api::canonical::arbitrary::{spell, value};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn every_place_of_a_list_becomes_a_record(values in prop::collection::vec(value(), 0..6), seed: u64) {
            let count = values.len();
            let body = json!({"tasks": values, "task_count": count});
            let found = page(spell(&body, seed).as_bytes(), 0).unwrap();
            prop_assert_eq!(found.records.len(), count);
            prop_assert_eq!(found.total, Some(count as u64));
            for record in found.records {
                if let Record::Read(sent) = record {
                    prop_assert_eq!(Some(sent.form), canonical::form(&sent.raw, sent.adopted.as_deref()));
                    prop_assert!(task(&sent.raw, sent.adopted.as_deref()).is_some());
                }
            }
        }

        #[test]
        fn no_bytes_make_it_fail_otherwise(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                prop::collection::vec(prop::sample::select(b"{}[]\",:\\ a1\xff".to_vec()), 0..60),
            ],
            offset: u64,
        ) {
            let body = [br#"{"tasks":["#, bytes.as_slice(), b"]}"].concat();
            for body in [&bytes, &body] {
                if let Ok(found) = page(body, offset) {
                    prop_assert!(found.records.len() <= body.len());
                }
            }
        }
    }
}

#[test]
fn the_form_of_a_count_is_told() {
    let cases = [
        (r#"{"tasks":[]}"#, CountForm::Absent),
        (r#"{"task_count":null,"tasks":[]}"#, CountForm::Absent),
        (r#"{"task_count":3,"tasks":[]}"#, CountForm::Number),
        (r#"{"task_count":"3","tasks":[]}"#, CountForm::Text),
        (r#"{"task_count":3.5,"tasks":[]}"#, CountForm::Unreadable),
        (r#"{"task_count":"many","tasks":[]}"#, CountForm::Unreadable),
        (r#"{"task_count":[3],"tasks":[]}"#, CountForm::Unreadable),
    ];
    for (body, expected) in cases {
        assert_eq!(
            page(body.as_bytes(), 0).unwrap().count_form,
            expected,
            "{body}"
        );
    }
    let listed = instances(br#"{"instance_num":"3","instances":[]}"#).unwrap();
    assert_eq!(listed.count_form, CountForm::Text);
}
