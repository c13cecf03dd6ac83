//! From a record of the list of instances to the attributes that the archive keeps beside its text.
//!
//! Total, like the reading of tasks: the documented example breaks its own types, so a member of another type than
//! expected costs that member.

use serde_json::value::RawValue;

use super::{moment, value};
use crate::model::json::Kind;
use crate::model::rows::InstanceRow;

/// Returns what a record tells of an instance.
pub(crate) fn instance(raw: &str) -> InstanceRow {
    let Some(members) = value::members(raw) else {
        return InstanceRow::default();
    };
    let json = |name: &'static str| {
        members
            .get(&value::Name(name.into()))
            .map(|value| value.get())
    };
    let text = |name| json(name).and_then(value::text);
    InstanceRow {
        name: text("name"),
        engine: text("engine"),
        engine_version: text("engine_version"),
        spec_code: text("spec_code"),
        capacity: capacity(text("capacity"), text("capacity_minor")),
        status: text("status"),
        created: json("created_at").and_then(moment),
        tags: json("tags").map(tags).unwrap_or_default(),
    }
}

/// Below 1 GB the whole part is 0, and the fraction stands apart, as in `.125`.
fn capacity(whole: Option<String>, minor: Option<String>) -> Option<f64> {
    let number = |text: String| {
        let digits = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number: f64 = text.parse().ok().filter(|_| digits)?;
        number.is_finite().then_some(number)
    };
    let whole = whole.and_then(number);
    let minor = minor.and_then(number).filter(|minor| *minor < 1.0);
    match (whole, minor) {
        (Some(0.0) | None, Some(minor)) => Some(minor),
        (whole, _) => whole,
    }
}

fn tags(json: &str) -> Vec<(String, String)> {
    if Kind::of(json.as_bytes()) != Some(Kind::Array) {
        return Vec::new();
    }
    let list: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
    let tag = |tag: &&RawValue| {
        let members = value::members(tag.get())?;
        let text = |name: &'static str| value::text(members.get(&value::Name(name.into()))?.get());
        Some((text("key")?, text("value").unwrap_or_default()))
    };
    list.iter().filter_map(tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attributes_of_an_instance_are_read() {
        let row = instance(
            r#"{"instance_id":"a","name":"caf\u00e9","engine":"Redis","engine_version":"6.0","spec_code":"redis.ha.xu1.tiny.r2.128",
                "capacity":0,"capacity_minor":".125","status":"RUNNING","created_at":"2026-10-01T00:00:00.000Z",
                "tags":[{"key":"env","value":"prod"},{"key":1},7,{"value":"x"}]}"#,
        );
        assert_eq!(row.name.as_deref(), Some("café"));
        assert_eq!(row.engine_version.as_deref(), Some("6.0"));
        assert_eq!(row.capacity, Some(0.125));
        assert_eq!(row.created.unwrap().millis(), 1_790_812_800_000);
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(row.tags, [tag("env", "prod"), tag("1", "")]);
    }

    #[test]
    fn a_capacity_is_read_from_whatever_states_it() {
        let cases = [
            (r#""capacity":8"#, Some(8.0)),
            (r#""capacity":8.0"#, Some(8.0)),
            (r#""capacity":"16""#, Some(16.0)),
            (r#""capacity":8,"capacity_minor":".125""#, Some(8.0)),
            (r#""capacity":0,"capacity_minor":".25""#, Some(0.25)),
            (r#""capacity_minor":"0.5""#, Some(0.5)),
            (r#""capacity":0,"capacity_minor":"""#, Some(0.0)),
            (r#""capacity":0,"capacity_minor":null"#, Some(0.0)),
            (r#""capacity":"inf""#, None),
            (r#""capacity":-1"#, None),
            (r#""capacity":{}"#, None),
            (r#""capacity":null"#, None),
        ];
        for (members, expected) in cases {
            let found = instance(&format!("{{{members}}}")).capacity;
            assert_eq!(found, expected, "{members}");
        }
    }

    #[test]
    fn other_types_than_expected_cost_their_member_alone() {
        let row = instance(
            r#"{"name":5,"status":{"a":1},"tags":{"key":"k"},"created_at":7,"engine":null}"#,
        );
        assert_eq!(row.name.as_deref(), Some("5"));
        assert_eq!(row.status.as_deref(), Some(r#"{"a":1}"#));
        assert_eq!((row.engine, row.created), (None, None));
        assert!(row.tags.is_empty());
        assert_eq!(instance("[]"), InstanceRow::default());
    }
}
