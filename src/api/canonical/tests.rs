use proptest::prelude::*;
use serde_json::Value;

use super::arbitrary::{spell, value};
use super::*;

/// Returns the canonical form itself.
fn canonical(json: &str) -> Result<String, Fault> {
    let mut canonical = Canonical::default();
    canonical.write(json)?;
    let text = String::from_utf8(canonical.text).unwrap();
    Ok(text.strip_suffix('\n').unwrap().to_owned())
}

#[test]
fn the_form_has_sorted_keys_no_space_one_spelling_and_numbers_as_sent() {
    let cases = [
        (" { } ", "{}"),
        ("[ ]", "[]"),
        ("[ 1 , [ ] , { } ]", "[1,[],{}]"),
        (
            r#"{"b":1,"a":{"d":[2,{"z":0,"y":0}],"c":null}}"#,
            r#"{"a":{"c":null,"d":[2,{"y":0,"z":0}]},"b":1}"#,
        ),
        (
            "[0.10, 0.1, 1E5, 1e+5, -0, -0.0]",
            "[0.10,0.1,1E5,1e+5,-0,-0.0]",
        ),
        (
            r#""\u0041\/\u00e9é\ud83d\uDE00\u007f""#,
            "\"A/éé\u{1f600}\u{7f}\"",
        ),
        (
            r#""\u0022\u005c\u0008\u000C\u000a\u000d\u0009\u0000\u001F""#,
            r#""\"\\\b\f\n\r\t\u0000\u001f""#,
        ),
        ("true", "true"),
    ];
    for (json, expected) in cases {
        assert_eq!(canonical(json).as_deref(), Ok(expected), "{json}");
    }
}

#[test]
fn of_two_members_of_one_name_the_last_counts_p23() {
    let cases = [
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"b":0,"a":1,"b":[1],"a":2,"a":3}"#, r#"{"a":3,"b":[1]}"#),
        (r#"{"a":1,"\u0061":{"x":1,"x":2}}"#, r#"{"a":{"x":2}}"#),
    ];
    for (json, expected) in cases {
        assert_eq!(canonical(json).as_deref(), Ok(expected), "{json}");
    }
}

#[test]
fn what_another_reader_could_not_read_is_refused_with_its_reason() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let cases = [
        (r#""\ud800""#.to_owned(), Fault::Surrogate),
        (r#""\udc00""#.to_owned(), Fault::Surrogate),
        (r#""\ud800\ud800""#.to_owned(), Fault::Surrogate),
        (r#"{"\ud83dx":1}"#.to_owned(), Fault::Surrogate),
        ("1e999".to_owned(), Fault::Range),
        ("-1E+999".to_owned(), Fault::Range),
        ("9".repeat(400), Fault::Range),
        (format!("{}.5", "9".repeat(400)), Fault::Range),
        ("\"a\nb\"".to_owned(), Fault::Control),
        ("\"a\0b\"".to_owned(), Fault::Control),
        (nested(128), Fault::Depth),
        ("[".repeat(1_000_000), Fault::Depth),
        (String::new(), Fault::Syntax),
        ("{".to_owned(), Fault::Syntax),
        ("{\"a\"}".to_owned(), Fault::Syntax),
        ("{\"a\":1,}".to_owned(), Fault::Syntax),
        ("[1,]".to_owned(), Fault::Syntax),
        ("[1 2]".to_owned(), Fault::Syntax),
        ("{} {}".to_owned(), Fault::Syntax),
        ("nul".to_owned(), Fault::Syntax),
        ("nulls".to_owned(), Fault::Syntax),
        ("NaN".to_owned(), Fault::Syntax),
        ("01".to_owned(), Fault::Syntax),
        ("1.".to_owned(), Fault::Syntax),
        (".5".to_owned(), Fault::Syntax),
        ("+1".to_owned(), Fault::Syntax),
        ("1e".to_owned(), Fault::Syntax),
        ("-".to_owned(), Fault::Syntax),
        (r#""\x""#.to_owned(), Fault::Syntax),
        (r#""\u12g4""#.to_owned(), Fault::Syntax),
        (r#""\u123"#.to_owned(), Fault::Syntax),
        (r#""a\"#.to_owned(), Fault::Syntax),
        (r#""abc"#.to_owned(), Fault::Syntax),
    ];
    for (json, expected) in cases {
        let shown: String = json.chars().take(30).collect();
        assert_eq!(canonical(&json), Err(expected), "{shown}");
    }
    assert_eq!(canonical(&nested(127)), Ok(nested(127)));
    for finite in [
        "1e308",
        "-1.7976931348623157e308",
        "1e-999",
        &"9".repeat(308),
    ] {
        assert_eq!(canonical(finite).as_deref(), Ok(finite));
    }
    let precise = format!("0.{}", "3".repeat(400));
    assert_eq!(canonical(&precise), Ok(precise));
}

#[test]
fn the_adopted_fields_count_for_the_form() {
    let raw = r#"{"id":"a"}"#;
    let plain = form(raw, None).unwrap();
    let adopted = form(raw, Some(r#"{"status":"SUCCESS"}"#)).unwrap();
    assert_ne!(plain, adopted);
    assert_eq!(
        form(r#"{ "id": "\u0061" }"#, Some(r#"{ "status" :"SUCCESS"}"#)),
        Some(adopted)
    );
    assert_ne!(
        form(raw, Some(r#"{"status":"FAILED"}"#)),
        Some(adopted),
        "another status"
    );
    assert_eq!(form(raw, Some("{")), None);
    assert_eq!(form("{", None), None);
}

#[test]
fn a_wide_object_is_sorted_and_a_long_value_kept_whole_p11() {
    let members: Vec<String> = (0..5_000)
        .rev()
        .map(|n| format!("\"k{n:05}\":{n}"))
        .collect();
    let sorted: Vec<&str> = members.iter().rev().map(String::as_str).collect();
    assert_eq!(
        canonical(&format!("{{{}}}", members.join(" , "))),
        Ok(format!("{{{}}}", sorted.join(",")))
    );
    let long = format!("\"{}\"", "x".repeat(10_000_000));
    assert_eq!(canonical(&long), Ok(long));
}

#[test]
fn one_maker_of_forms_serves_many_records_and_forgets_a_faulty_one() {
    let mut canonical = Canonical::default();
    assert!(canonical.write(r#"{"b":{"x":1,"a":"#).is_err());
    canonical.clear();
    canonical.write(r#"{"b":1,"a":2}"#).unwrap();
    assert_eq!(Some(canonical.digest()), form(r#"{"a":2,"b":1}"#, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_spelling_of_a_value_has_one_form(value in value(), one: u64, other: u64) {
        let (one, other) = (spell(&value, one), spell(&value, other));
        prop_assert_eq!(canonical(&one), canonical(&other));
        prop_assert!(form(&one, None).is_some());
        prop_assert_eq!(form(&one, None), form(&other, None));
    }

    #[test]
    fn forms_are_equal_exactly_if_the_values_are(one in value(), other in value(), seed: u64) {
        let forms_equal = canonical(&spell(&one, seed)) == canonical(&spell(&other, !seed));
        prop_assert_eq!(forms_equal, one == other);
    }

    #[test]
    fn a_form_is_its_own_form_and_says_what_the_text_said(value in value(), seed: u64) {
        let form = canonical(&spell(&value, seed)).unwrap();
        let again = canonical(&form);
        prop_assert_eq!(again.as_ref(), Ok(&form));
        prop_assert_eq!(serde_json::from_str::<Value>(&form).unwrap(), value);
    }

    #[test]
    fn a_text_has_a_form_exactly_if_serde_json_reads_it(
        value in value(), seed: u64, place: prop::sample::Index, patch in r#"[\[\]{}",:\\u019de.+ \-]{0,3}"#,
    ) {
        let mut text: Vec<char> = spell(&value, seed).chars().collect();
        let start = place.index(text.len());
        let end = text.len().min(start + 1);
        text.splice(start..end, patch.chars());
        let text: String = text.into_iter().collect();
        let readable = serde_json::from_str::<Value>(&text).is_ok();
        prop_assert_eq!(canonical(&text).is_ok(), readable, "{}", text);
    }

    #[test]
    fn no_text_makes_it_fail_otherwise(text: String) {
        let readable = serde_json::from_str::<Value>(&text).is_ok();
        prop_assert_eq!(canonical(&text).is_ok(), readable);
    }
}
