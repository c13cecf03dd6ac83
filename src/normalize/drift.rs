//! What a record holds that the documentation does not know: fields, types, statuses, operation names.

use std::collections::BTreeMap;

use crate::model::json::{Kind, sample};
use crate::model::operation;
use crate::model::rows::{Drift, DriftKind};
use crate::model::status;
use crate::model::task::Task;

use super::changes::MISSPELT;
use super::value::{self, Members, Name};

const TEXT: &[Kind] = &[Kind::String];
const WHOLE_NUMBER: &[Kind] = &[Kind::Number];
const FLAG: &[Kind] = &[Kind::Boolean];
/// Documented as text, and a number in the documentation's older examples.
const CAPACITY: &[Kind] = &[Kind::String, Kind::Number];
const LIST: &[Kind] = &[Kind::Array];
const OBJECT: &[Kind] = &[Kind::Object];

/// The documented fields of `details` with their types.
const DETAILS: [(&str, &[Kind]); 27] = [
    ("old_capacity", CAPACITY),
    ("new_capacity", CAPACITY),
    ("enable_public_ip", FLAG),
    ("public_ip_id", TEXT),
    ("public_ip_address", TEXT),
    ("enable_ssl", FLAG),
    ("old_cache_mode", TEXT),
    ("new_cache_mode", TEXT),
    (MISSPELT, TEXT),
    ("old_resource_spec_code", TEXT),
    ("new_resource_spec_code", TEXT),
    ("old_replica_num", WHOLE_NUMBER),
    ("new_replica_num", WHOLE_NUMBER),
    ("old_cache_type", TEXT),
    ("new_cache_type", TEXT),
    ("replica_ip", TEXT),
    ("replica_az", TEXT),
    ("group_name", TEXT),
    ("old_port", WHOLE_NUMBER),
    ("new_port", WHOLE_NUMBER),
    ("is_only_adjust_charging", FLAG),
    ("account_name", TEXT),
    ("source_ip", TEXT),
    ("target_ip", TEXT),
    ("node_name", TEXT),
    ("rename_commands", LIST),
    ("updated_config_length", WHOLE_NUMBER),
];

/// Returns what is undocumented in a task, each thing once.
pub(super) fn of(task: &Task<'_>, details: Option<&Members<'_>>) -> Vec<Drift> {
    let mut found = Found::default();
    for (name, json, documented) in known_fields(task) {
        if let Some(json) = json {
            found.judge_type("task", name, json, documented);
        }
    }
    for (name, json) in &task.unknown {
        found.note(DriftKind::Field, &format!("task.{name}"), json);
    }
    for (Name(name), json) in details.into_iter().flatten() {
        match DETAILS.iter().find(|(known, _)| known == name) {
            Some((_, documented)) => found.judge_type("details", name, json.get(), documented),
            None => found.note(DriftKind::Field, &format!("details.{name}"), json.get()),
        }
    }
    if let Some((json, text)) = shown(task.status)
        && !status::is_documented(&text)
    {
        found.note(DriftKind::Status, &text, json);
    }
    if let Some((json, text)) = shown(task.name)
        && !is_documented_operation(&text)
    {
        found.note(DriftKind::Operation, &text, json);
    }
    found.into_drift()
}

/// Lists the known fields of a record with their documented types.
fn known_fields<'a>(task: &Task<'a>) -> [(&'static str, Option<&'a str>, &'static [Kind]); 12] {
    [
        ("id", task.id, TEXT),
        ("name", task.name, TEXT),
        ("details", task.details, OBJECT),
        ("user_name", task.user_name, TEXT),
        ("user_id", task.user_id, TEXT),
        ("params", task.params, TEXT),
        ("status", task.status, TEXT),
        ("created_at", task.created_at, TEXT),
        ("updated_at", task.updated_at, TEXT),
        ("enable_show", task.enable_show, FLAG),
        ("error_code", task.error_code, TEXT),
        ("job_id", task.job_id, TEXT),
    ]
}

/// Returns a value's JSON text together with the text that it stands for.
fn shown(json: Option<&str>) -> Option<(&str, String)> {
    let json = json?;
    Some((json, value::text(json)?))
}

fn is_documented_operation(name: &str) -> bool {
    operation::DOCUMENTED
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// What was found so far, with the first sample of each.
#[derive(Default)]
struct Found(BTreeMap<(DriftKind, String), String>);

impl Found {
    /// Notes a value of an undocumented type. Null is no type of its own: it stands for a field that is not filled.
    fn judge_type(&mut self, place: &str, name: &str, json: &str, documented: &[Kind]) {
        if let Some(kind) = Kind::of(json.as_bytes())
            && kind != Kind::Null
            && !documented.contains(&kind)
        {
            let what = format!("{place}.{name}: {}", kind.as_str());
            self.note(DriftKind::Type, &what, json);
        }
    }

    fn note(&mut self, kind: DriftKind, what: &str, json: &str) {
        // A name is as much the sender's text as a value is, and as long as the sender likes.
        let what = value::visible(sample(what).into());
        self.0
            .entry((kind, what))
            .or_insert_with(|| sample(json).to_owned());
    }

    fn into_drift(self) -> Vec<Drift> {
        let drift = |((kind, what), sample)| Drift { kind, what, sample };
        self.0.into_iter().map(drift).collect()
    }
}
