use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::value::RawValue;

use crate::api::canonical::arbitrary::{spell, value};

use super::*;

fn object(json: &[u8]) -> Result<BTreeMap<Cow<'_, str>, &[u8]>, Torn> {
    members(json).collect()
}

#[test]
fn a_damaged_record_is_cut_out_and_its_neighbours_too() {
    let damaged: [&[u8]; 7] = [
        b"{\"id\":\"\xff\xfe\"}",
        b"{\"id\":\"a\nb\0\"}",
        b"{\"id\":nul}",
        b"{\"id\" \"b\"}",
        b"{\"id\":\"a\\\"]},{\\\\\"}",
        b"{\"id\":01} x",
        b"NaN",
    ];
    for record in damaged {
        let body = [b"[ {\"id\":1} ,", record, b"\t, {\"id\":2}\n] "].concat();
        let records: [&[u8]; 3] = [b"{\"id\":1}", record, b"{\"id\":2}"];
        assert_eq!(
            list(&body).as_deref(),
            Ok(&records[..]),
            "{}",
            record.escape_ascii()
        );
    }
}

#[test]
fn a_text_without_borders_is_called_torn() {
    let cases: [(&[u8], Torn); 14] = [
        (b"", Torn::CutOff),
        (b"[", Torn::CutOff),
        (b"[{\"a\":1},", Torn::CutOff),
        (b"[{\"a\":\"]", Torn::CutOff),
        (b"[\"\\", Torn::CutOff),
        (b"[\"\\\"]", Torn::CutOff),
        (b"[[}]", Torn::Malformed),
        (b"[1}", Torn::Malformed),
        (b"[1,,2]", Torn::Malformed),
        (b"[1,]", Torn::Malformed),
        (b"[,]", Torn::Malformed),
        (b"[1] 2", Torn::Malformed),
        (b"{}", Torn::Malformed),
        (b"x", Torn::Malformed),
    ];
    for (json, expected) in cases {
        assert_eq!(list(json), Err(expected), "{}", json.escape_ascii());
    }
    let cases: [(&[u8], Torn); 9] = [
        (b"{\"a\"", Torn::CutOff),
        (b"{\"a\":", Torn::CutOff),
        (b"{\"a\":1", Torn::CutOff),
        (b"{\"a\":1,", Torn::CutOff),
        (b"{\"a\":1]", Torn::Malformed),
        (b"{\"a\":1,}", Torn::Malformed),
        (b"{a:1}", Torn::Malformed),
        (b"{\"a\":}", Torn::Malformed),
        (b"{\"a\":1}}", Torn::Malformed),
    ];
    for (json, expected) in cases {
        assert_eq!(object(json), Err(expected), "{}", json.escape_ascii());
    }
}

#[test]
fn members_come_in_the_order_of_the_text_until_it_is_torn() {
    let found: Vec<_> = members(br#"{"b" : 1, "\u0061":[2 ,3] , "b":{} , x"#).collect();
    let expected: [Result<Member<'_>, Torn>; 4] = [
        Ok(("b".into(), b"1")),
        Ok(("a".into(), b"[2 ,3]")),
        Ok(("b".into(), b"{}")),
        Err(Torn::Malformed),
    ];
    assert_eq!(found, expected);
    assert_eq!(object(br#"{"b":1,"b":2}"#).unwrap()["b"], b"2");
    assert_eq!(
        object(b"{\"b\":1,\"b\":\"\xff\"}").unwrap()["b"],
        b"\"\xff\""
    );
    assert_eq!(members(b" { } ").count(), 0);
}

#[test]
fn a_million_levels_are_walked_without_recursion() {
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    let body = format!("[1,{deep},2]");
    let elements = list(body.as_bytes()).unwrap();
    assert_eq!(elements.len(), 3);
    assert_eq!(elements[1].len(), deep.len());
    assert_eq!(list(&body.as_bytes()[..900_000]), Err(Torn::CutOff));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_scanner_cuts_a_list_where_serde_json_does(values in prop::collection::vec(value(), 0..6), seed: u64) {
        let body = spell(&values.into(), seed);
        let strict: Vec<&RawValue> = serde_json::from_str(&body).unwrap();
        let strict: Vec<&[u8]> = strict.iter().map(|raw| raw.get().as_bytes()).collect();
        prop_assert_eq!(list(body.as_bytes()), Ok(strict));
    }

    #[test]
    fn the_scanner_cuts_an_object_where_serde_json_does(
        values in prop::collection::btree_map(any::<String>(), value(), 0..6), seed: u64,
    ) {
        let sent: serde_json::Map<_, _> = values.into_iter().collect();
        let body = spell(&sent.into(), seed);
        let strict: BTreeMap<String, &RawValue> = serde_json::from_str(&body).unwrap();
        let scanned = object(body.as_bytes()).unwrap();
        prop_assert_eq!(scanned.len(), strict.len());
        for (name, raw) in strict {
            prop_assert_eq!(scanned[name.as_str()], raw.get().as_bytes());
        }
    }

    #[test]
    fn a_patched_list_is_cut_as_serde_json_cuts_it_if_it_does(
        values in prop::collection::vec(value(), 0..6), seed: u64,
        place: prop::sample::Index, patch in r#"[\[\]{}",:\\u019de.+ \-]{0,3}"#,
    ) {
        let mut text: Vec<char> = spell(&values.into(), seed).chars().collect();
        let start = place.index(text.len());
        text.splice(start..=start, patch.chars());
        let text: String = text.into_iter().collect();
        if let Ok(strict) = serde_json::from_str::<Vec<&RawValue>>(&text) {
            let strict: Vec<&[u8]> = strict.iter().map(|raw| raw.get().as_bytes()).collect();
            prop_assert_eq!(list(text.as_bytes()), Ok(strict));
        }
    }

    #[test]
    fn a_plain_run_ends_at_the_first_byte_that_matters(bytes in prop::collection::vec(
        prop_oneof![9 => Just(b'x'), 1 => any::<u8>(), 1 => prop::sample::select(b"\"\\\0\x1f \x7f\x80\xa2\xdc\xff".to_vec())], 0..40,
    )) {
        let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
        prop_assert_eq!(plain_run(&bytes), bytes.iter().position(special).unwrap_or(bytes.len()));
    }

    #[test]
    fn no_bytes_make_the_scanner_fail_otherwise(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            prop::collection::vec(prop::sample::select(b"{}[]\",:\\ a1\xff".to_vec()), 0..60),
        ],
    ) {
        let inside = |piece: &[u8]| bytes.windows(piece.len()).any(|window| window == piece);
        for piece in list(&bytes).unwrap_or_default() {
            prop_assert!(!piece.is_empty() && inside(piece));
        }
        for (_, piece) in members(&bytes).flatten() {
            prop_assert!(!piece.is_empty() && inside(piece));
        }
    }
}
