//! What a record of the list of instances tells of the configuration.
//!
//! That list is another witness: it tells how an instance stands, and not who made it so. Its names are not those of the
//! tasks; here each stands under the task's.

use serde_json::Value;

use crate::model::time::Timestamp;

/// What a list of instances told of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The end of the last proven walk of the list that told the same.
    pub(crate) seen: Timestamp,
    values: Vec<(&'static str, String)>,
}

/// Members of the record, by the attribute that they tell.
const MEMBERS: [(&str, &[&str]); 10] = [
    ("resource_spec_code", &["spec_code"]),
    ("cache_mode", &["cache_mode"]),
    ("replica_num", &["replica_num"]),
    ("port", &["port"]),
    ("enable_public_ip", &["enable_publicip", "enable_public_ip"]),
    (
        "public_ip_address",
        &["publicip_address", "public_ip_address"],
    ),
    ("public_ip_id", &["publicip_id", "public_ip_id"]),
    ("enable_ssl", &["enable_ssl"]),
    ("engine", &["engine"]),
    ("engine_version", &["engine_version"]),
];

/// What only the list tells, in the order in which it is shown.
const OTHERS: [&str; 4] = ["name", "engine", "engine_version", "status"];

impl Listed {
    /// Reads a record, given its text and what was read of it before: the capacity in GB, which stands in two members.
    pub(crate) fn read(seen: Timestamp, raw: &str, capacity: Option<f64>) -> Self {
        let record: Value = serde_json::from_str(raw).unwrap_or_default();
        let text = |member: &str| match record.get(member)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            // The documented example shows an object where an id should be.
            _ => None,
        };
        let mut values: Vec<_> = MEMBERS
            .iter()
            .filter_map(|(attribute, members)| {
                Some((*attribute, members.iter().find_map(|member| text(member))?))
            })
            .collect();
        // The debug form of a whole number would have a point.
        values.extend(capacity.map(|capacity| ("capacity", capacity.to_string())));
        for member in ["name", "status"] {
            values.extend(text(member).map(|value| (member, value)));
        }
        Self { seen, values }
    }

    /// Returns what was told of an attribute.
    pub(crate) fn value(&self, attribute: &str) -> Option<&str> {
        let found = self.values.iter().find(|(known, _)| *known == attribute);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns what no task tells.
    pub(super) fn others(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let told = OTHERS.iter();
        told.filter_map(|attribute| Some((*attribute, self.value(attribute)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_tells_what_it_holds_and_no_more() {
        let raw = r#"{"name":"orders","engine":"Redis","engine_version":"6.0","spec_code":"redis.ha.xu1.large.r2.8","port":6379,
            "enable_publicip":false,"publicip_address":"","publicip_id":{},"enable_ssl":true,"status":"RUNNING","capacity":8}"#;
        let listed = Listed::read(Timestamp::EPOCH, raw, Some(8.0));
        let cases = [
            ("capacity", Some("8")),
            ("resource_spec_code", Some("redis.ha.xu1.large.r2.8")),
            ("port", Some("6379")),
            ("enable_public_ip", Some("false")),
            ("public_ip_address", None),
            ("public_ip_id", None),
            ("enable_ssl", Some("true")),
            ("cache_mode", None),
        ];
        for (attribute, expected) in cases {
            assert_eq!(listed.value(attribute), expected, "{attribute}");
        }
        let others: Vec<_> = listed.others().map(|(name, _)| name).collect();
        assert_eq!(others, ["name", "engine", "engine_version", "status"]);
        let small = Listed::read(Timestamp::EPOCH, "{}", Some(0.125));
        assert_eq!(small.value("capacity"), Some("0.125"));
        let none = Listed::read(Timestamp::EPOCH, "no JSON", None);
        assert_eq!(none.others().count(), 0);
    }
}
