//! An answer of the cloud: whatever is done to it, every place of its list is an observation or set aside, byte for byte, and
//! where a JSON library can read the answer it finds no more than we do.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{every_case, mutate};
use crate::api::canonical;
use crate::api::cut;
use crate::api::decode::{self, BadPage};
use crate::model::record::{Page, Record};
use crate::model::time::Timestamp;
use crate::simulator::rng::Rng;

const EVERYDAY: u64 = 1_500;

/// What JSON is made of, and what it is not.
const WORDS: [&[u8]; 32] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"null",
    b"true",
    b"-",
    b"1e999",
    b"0.10",
    b"00",
    b"18446744073709551616",
    b"\"id\":",
    b"\"id\":\"x\",",
    b"\"tasks\":[",
    b"\"task_count\":\"9\",",
    b"{\"id\":7}",
    b"\\u0000",
    b"\\ud800",
    b"\\u0069d",
    b"\xff",
    b"\xf0\x9f",
    b"\xef\xbb\xbf",
    b"\0",
    b"\r\n",
    b" ",
    b"/*x*/",
    b"NaN",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// A record as the cloud sends it, or as it might.
fn record(rng: &mut Rng) -> Value {
    let time = |rng: &mut Rng| {
        Timestamp::from_millis(rng.between(-62_167_219_200_000, 253_402_300_799_999))
            .map(|time| time.to_string())
    };
    let mut record = json!({
        "id": rng.hex_id(), "name": "EXTEND", "status": "SUCCESS", "user_name": mutate::text(rng),
        "details": {"old_capacity": "4", "new_capacity": rng.below(64)}, "params": Value::Null,
        "created_at": time(rng), "updated_at": time(rng),
    });
    if rng.one_in(3) {
        let odd = odd(rng, 0);
        let name = rng.pick([
            "id",
            "name",
            "details",
            "params",
            "status",
            "created_at",
            "new_field",
        ]);
        record[name] = odd;
    }
    if rng.one_in(12) { odd(rng, 0) } else { record }
}

fn odd(rng: &mut Rng, depth: u32) -> Value {
    match rng.below(if depth < 4 { 9 } else { 6 }) {
        0 => Value::Null,
        1 => json!(rng.one_in(2)),
        2 => json!(rng.draw()),
        3 => json!(rng.between(i64::MIN / 2, i64::MAX / 2)),
        4 => json!(1.5e300),
        5 => json!(mutate::text(rng)),
        6 => (0..rng.index(4)).map(|_| odd(rng, depth + 1)).collect(),
        7 => {
            let members = (0..rng.index(4)).map(|_| (mutate::text(rng), odd(rng, depth + 1)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        // At the limit of what is read, and beyond.
        _ => {
            (0..rng.pick([100, 125, 126, 127, 128, 400])).fold(json!(1), |inner, _| json!([inner]))
        }
    }
}

fn answer(list: &str, count: &str, rng: &mut Rng) -> Vec<u8> {
    let records: Vec<_> = (0..rng.index(6)).map(|_| record(rng)).collect();
    let mut body = json!({count: records.len().to_string(), list: records});
    if rng.one_in(6) {
        body["status"] = json!("EXECUTING");
        body["created_at"] = json!("2026-10-01T00:00:00Z");
    }
    let mut body = if rng.one_in(2) {
        body.to_string()
    } else {
        format!("{body:#}")
    }
    .into_bytes();
    if !rng.one_in(8) {
        mutate::bytes(&mut body, 6, &WORDS, rng);
    }
    body
}

#[test]
fn every_place_of_a_list_is_read_or_set_aside_byte_for_byte() {
    every_case("page", EVERYDAY, |rng| {
        let offset = rng.pick([0, 0, 1, u64::MAX]);
        let body = answer("tasks", "task_count", rng);
        judge(&body, "tasks", &decode::page(&body, offset));
        let body = answer("instances", "instance_num", rng);
        judge(&body, "instances", &decode::instances(&body));
    });
}

fn judge(body: &[u8], list: &str, decoded: &Result<Page, BadPage>) {
    let shown = body.escape_ascii();
    if let Ok(page) = decoded {
        covers(body, list, &page.records);
        page.records.iter().for_each(holds);
    }
    let Some(strict) = strict(body, list) else {
        return;
    };
    let page = match decoded {
        Ok(page) => page,
        // Beside an empty list, an error says that nobody looked.
        Err(BadPage::ServiceError { .. }) if strict.is_empty() => return,
        Err(error) => panic!("{error}, and a JSON library reads it: {shown}"),
    };
    assert_eq!(page.records.len(), strict.len(), "{shown}");
    for (record, strict) in page.records.iter().zip(strict) {
        assert_eq!(raw(record), strict.get().as_bytes(), "{shown}");
        let id = (list == "tasks").then(|| usable_id(strict.get())).flatten();
        if let Some(id) = id {
            assert_eq!(record.id(), Some(id.as_str()), "{shown}");
            assert!(matches!(record, Record::Read(_)), "{record:?}: {shown}");
        }
    }
}

/// What stands in the list, as a JSON library cuts it, if it can.
fn strict<'a>(body: &'a [u8], list: &str) -> Option<Vec<&'a RawValue>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // Of members of one name the last counts, for a map too.
    let members: std::collections::BTreeMap<String, &RawValue> =
        serde_json::from_slice(body).ok()?;
    serde_json::from_str(members.get(list)?.get()).ok()
}

/// The id of a record that a JSON library reads as an object with one.
fn usable_id(raw: &str) -> Option<String> {
    let value: Value = serde_json::from_str(raw).ok()?;
    let id = value.as_object()?.get("id")?.as_str()?;
    (!id.is_empty()).then(|| id.replace('\0', "\\u0000"))
}

fn raw(record: &Record) -> &[u8] {
    match record {
        Record::Read(read) => read.raw.as_bytes(),
        Record::Rejected(rejected) => &rejected.raw,
    }
}

/// The records lie in the list one after the other, and between them is nothing but a comma.
fn covers(body: &[u8], list: &str, records: &[Record]) {
    let body = body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii();
    let members = cut::members(body).map_while(Result::ok);
    let Some((_, mut rest)) = members.filter(|(name, _)| name == list).last() else {
        panic!("records without a list: {}", body.escape_ascii());
    };
    if rest == b"null" {
        assert!(records.is_empty());
        return;
    }
    let take = |rest: &mut &[u8], expected: &[u8]| {
        let trimmed = rest.trim_ascii_start();
        let taken = trimmed.strip_prefix(expected);
        *rest = taken.unwrap_or_else(|| {
            panic!(
                "{} is not at {}",
                expected.escape_ascii(),
                rest.escape_ascii()
            )
        });
    };
    take(&mut rest, b"[");
    for (place, record) in records.iter().enumerate() {
        if place > 0 {
            take(&mut rest, b",");
        }
        take(&mut rest, raw(record));
    }
    take(&mut rest, b"]");
    assert_eq!(rest.trim_ascii(), b"");
}

/// What stands beside a raw text follows from it.
fn holds(record: &Record) {
    let seen = match record {
        Record::Read(seen) => seen,
        Record::Rejected(rejected) => {
            assert_eq!(rejected.digest, canonical::sha256(&rejected.raw));
            assert!(!rejected.reason.is_empty());
            return;
        }
    };
    assert_eq!(seen.digest, canonical::sha256(seen.raw.as_bytes()));
    assert!(!seen.id.is_empty() && !seen.id.contains('\0'));
    let value: Value =
        serde_json::from_str(&seen.raw).expect("what is observed, any other reader can read");
    let time = |name: &str| value[name].as_str().and_then(Timestamp::parse_upstream);
    if seen.adopted.is_none() {
        assert_eq!(seen.created, time("created_at"), "{}", seen.raw);
        assert_eq!(seen.updated, time("updated_at"), "{}", seen.raw);
    }
}
