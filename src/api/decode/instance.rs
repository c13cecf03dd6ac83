//! One answer of the list of instances, whose records are read as leniently as those of the task lists: the documented
//! example breaks its own types, so nothing but the id is needed.

use super::{
    BadPage, Unusable,
    envelope::{Envelope, INSTANCES},
    moment, plain, set_aside,
};
use crate::api::canonical::{Canonical, sha256};
use crate::api::cut;
use crate::model::json::Kind;
use crate::model::record::{Observation, Page, Record};

/// Members that move without anybody changing anything: how full the instance is, and when it was last touched. Two
/// records that differ in nothing else show the same instance.
const MOVING: [&str; 2] = ["used_memory", "updated_at"];

/// Decodes one answer of the list of instances.
pub(crate) fn instances(body: &[u8]) -> Result<Page, BadPage> {
    let envelope = Envelope::read(body, INSTANCES)?;
    let mut canonical = Canonical::default();
    let records = envelope.records.into_iter().map(|raw| {
        observe(raw, &mut canonical).map_or_else(
            |unusable| Record::Rejected(set_aside(raw, "instance_id", &unusable)),
            Record::Read,
        )
    });
    Ok(Page {
        total: envelope.total,
        count_form: envelope.count_form,
        records: records.collect(),
        unknown: envelope.unknown,
    })
}

fn observe(raw: &[u8], canonical: &mut Canonical) -> Result<Observation, Unusable> {
    let text = std::str::from_utf8(raw).map_err(|_| Unusable::NotUtf8)?;
    canonical.clear();
    canonical.write(text)?;
    let kind = Kind::of(raw);
    if kind != Some(Kind::Object) {
        return Err(Unusable::NotAnObject(kind.map_or("nothing", Kind::as_str)));
    }
    let (mut id, mut created, mut updated) = (None, None, None);
    let mut lasting = Vec::with_capacity(raw.len());
    // What was written in canonical form can be cut.
    for (name, value) in cut::members(raw).map_while(Result::ok) {
        let json = std::str::from_utf8(value).unwrap_or_default();
        match &*name {
            "instance_id" => id = plain(value),
            "created_at" => created = moment(json),
            "updated_at" => updated = moment(json),
            _ => {}
        }
        if !MOVING.contains(&&*name) {
            lasting.push(member(&name, json));
        }
    }
    canonical.clear();
    canonical.write(&format!("{{{}}}", lasting.join(",")))?;
    Ok(Observation {
        id: id.ok_or(Unusable::NoId)?,
        raw: text.to_owned(),
        adopted: None,
        digest: sha256(raw),
        form: canonical.digest(),
        created,
        updated,
    })
}

fn member(name: &str, value: &str) -> String {
    format!("{}:{value}", serde_json::Value::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Page {
        instances(body.as_bytes()).unwrap()
    }

    fn observed(record: &str) -> Observation {
        match read(&format!(r#"{{"instances":[{record}]}}"#))
            .records
            .remove(0)
        {
            Record::Read(observation) => observation,
            Record::Rejected(rejected) => panic!("{}", rejected.reason),
        }
    }

    #[test]
    fn an_answer_is_a_count_and_instances() {
        let page = read(
            r#"{"instance_num":2,"instances":[{"instance_id":"a","created_at":"2026-10-01T00:00:00.000Z"},{"instance_id":7}],"more":true}"#,
        );
        assert_eq!(page.total, Some(2));
        let ids: Vec<_> = page.records.iter().map(Record::id).collect();
        assert_eq!(ids, [Some("a"), Some("7")]);
        assert_eq!(page.unknown, [("more".to_owned(), "true".to_owned())]);
        let Record::Read(first) = &page.records[0] else {
            panic!("a record")
        };
        assert_eq!(first.created.unwrap().millis(), 1_790_812_800_000);
    }

    #[test]
    fn an_answer_of_something_else_is_no_empty_list() {
        let cases: [(&str, &str); 5] = [
            ("{}", "an object without `instances`"),
            (
                r#"{"tasks":[],"task_count":0}"#,
                "an object without `instances`",
            ),
            (r#"{"instances":null}"#, "no `instance_num` of 0"),
            (r#"{"instances":{},"instance_num":0}"#, "of type object"),
            (r#"{"instances":[],"error_code":"DCS.1"}"#, "DCS.1"),
        ];
        for (body, expected) in cases {
            let told = instances(body.as_bytes()).unwrap_err().to_string();
            assert!(told.contains(expected), "{body}: {told}");
        }
        assert!(
            read(r#"{"instances":null,"instance_num":0}"#)
                .records
                .is_empty()
        );
    }

    #[test]
    fn a_record_needs_nothing_but_its_id() {
        // The documented example breaks its own types.
        let odd = r#"{"instance_id":"a","publicip_id":{},"enterprise_project_id":0,"tags":[{"key":1}],"created_at":5}"#;
        assert_eq!(observed(odd).created, None);
        let cases = [
            (r#"{"name":"n"}"#, None, "no usable id"),
            (r#"{"instance_id":""}"#, None, "no usable id"),
            (r#"{"instance_id":{}}"#, None, "no usable id"),
            ("null", None, "null in place of an object"),
            (
                r#"{"instance_id":"a","n":1e999}"#,
                Some("a"),
                "beyond the range",
            ),
        ];
        for (record, id, reason) in cases {
            let page = read(&format!(r#"{{"instances":[{record}]}}"#));
            let Record::Rejected(rejected) = &page.records[0] else {
                panic!("{record} was read")
            };
            assert_eq!(rejected.id.as_deref(), id, "{record}");
            assert!(
                rejected.reason.contains(reason),
                "{record}: {}",
                rejected.reason
            );
        }
    }

    #[test]
    fn what_moves_by_itself_is_no_change() {
        let one = observed(
            r#"{"instance_id":"a","name":"n","used_memory":1,"updated_at":"2026-10-01T00:00:00.000Z"}"#,
        );
        let other = observed(
            r#"{"updated_at":"2026-10-02T00:00:00.000Z","name":"n","instance_id":"a","used_memory":2}"#,
        );
        assert_eq!(one.form, other.form);
        assert!(one.updated < other.updated);
        assert_ne!(one.form, observed(r#"{"instance_id":"a","name":"m"}"#).form);
        let nested = observed(r#"{"instance_id":"a","x":{"used_memory":1}}"#);
        assert_ne!(
            nested.form,
            observed(r#"{"instance_id":"a","x":{"used_memory":2}}"#).form
        );
        let escaped = observed(r#"{"instance_id":"a","\u0078\"":1}"#);
        assert_eq!(
            escaped.form,
            observed(r#"{"x\"":1,"instance_id":"a"}"#).form
        );
    }
}
