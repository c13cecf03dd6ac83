//! From the bytes of one answer to observations, and from a record's text to an opened [`Task`].
//!
//! An answer that is not the list asked for is a [`BadPage`], never an empty list. Within a list every record is judged
//! alone: it becomes an observation, or it is set aside with its exact bytes and a reason. No record is ever dropped, and
//! none fails the page.

mod envelope;
mod instance;

use thiserror::Error;

use crate::api::canonical::{Canonical, Fault, sha256};
use crate::api::cut;
use crate::model::json::Kind;
use crate::model::record::{Observation, Page, Record, Rejected};
use crate::model::task::Task;
use crate::model::time::Timestamp;

pub(crate) use envelope::BadPage;
use envelope::{Beside, Envelope, TASKS};
pub(crate) use instance::instances;

/// Decodes one answer of the task list, asked for at `offset`.
pub(crate) fn page(body: &[u8], offset: u64) -> Result<Page, BadPage> {
    let envelope = Envelope::read(body, TASKS)?;
    // The documented example has status and times beside the list. They can only be those of the one task that there is.
    let beside = if envelope.records.len() == 1 && offset == 0 {
        envelope.beside
    } else {
        Beside::default()
    };
    let mut canonical = Canonical::default();
    let mut records = Vec::with_capacity(envelope.records.len());
    for raw in envelope.records {
        records.push(match observe(raw, &beside, &mut canonical) {
            Ok(task) => Record::Read(task),
            Err(unusable) => Record::Rejected(set_aside(raw, "id", &unusable)),
        });
    }
    Ok(Page {
        total: envelope.total,
        count_form: envelope.count_form,
        records,
        unknown: envelope.unknown,
    })
}

/// Opens a record and fills what it lacks from its adopted fields. Nothing comes of a text that is no object.
pub(crate) fn task<'a>(raw: &'a str, adopted: Option<&'a str>) -> Option<Task<'a>> {
    let mut task = Task::default();
    for member in cut::members(raw.as_bytes()) {
        let (name, value) = member.ok()?;
        let value = std::str::from_utf8(value).ok()?;
        match field(&mut task, &name) {
            // A later null takes back an earlier value: the last one counts.
            Some(field) => *field = (value != "null").then_some(value),
            None => {
                task.unknown.insert(name, value);
            }
        }
    }
    if let Some(adopted) = adopted {
        for member in cut::members(adopted.as_bytes()) {
            let (name, value) = member.ok()?;
            if let Some(field @ None) = field(&mut task, &name) {
                *field = std::str::from_utf8(value).ok();
            }
        }
    }
    Some(task)
}

/// Returns the place of a known field.
fn field<'t, 'a>(task: &'t mut Task<'a>, name: &str) -> Option<&'t mut Option<&'a str>> {
    Some(match name {
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
        _ => return None,
    })
}

/// Why a record cannot be an observation.
#[derive(Debug, PartialEq, Eq, Error)]
enum Unusable {
    #[error("bytes that are not UTF-8")]
    NotUtf8,
    #[error(transparent)]
    Unreadable(#[from] Fault),
    #[error("{0} in place of an object")]
    NotAnObject(&'static str),
    #[error("no usable id")]
    NoId,
}

/// Reads one record.
fn observe(
    raw: &[u8],
    beside: &Beside<'_>,
    canonical: &mut Canonical,
) -> Result<Observation, Unusable> {
    let text = std::str::from_utf8(raw).map_err(|_| Unusable::NotUtf8)?;
    canonical.clear();
    canonical.write(text)?;
    let kind = Kind::of(raw).map_or("nothing", Kind::as_str);
    let task = task(text, None).ok_or(Unusable::NotAnObject(kind))?;
    let task_id = task.id.and_then(|id| plain(id.as_bytes()));
    let adopted = adopt(&task, beside);
    if let Some(adopted) = &adopted {
        canonical.write(adopted)?;
    }
    Ok(Observation {
        id: task_id.ok_or(Unusable::NoId)?,
        raw: text.to_owned(),
        adopted,
        digest: sha256(raw),
        form: canonical.digest(),
        created: task.created_at.or(beside.created_at).and_then(moment),
        updated: task.updated_at.or(beside.updated_at).and_then(moment),
    })
}

/// Returns the fields that a record lacks and that stand beside the list, as an object with its keys in order.
fn adopt(task: &Task<'_>, beside: &Beside<'_>) -> Option<String> {
    let members: Vec<String> = [
        ("created_at", task.created_at, beside.created_at),
        ("status", task.status, beside.status),
        ("updated_at", task.updated_at, beside.updated_at),
    ]
    .into_iter()
    .filter(|(_, own, _)| own.is_none())
    .filter_map(|(name, _, beside)| Some(format!("\"{name}\":{}", beside?)))
    .collect();
    (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
}

/// Keeps a record that cannot be read, with the id where one can be cut out of it all the same.
fn set_aside(raw: &[u8], id_name: &str, unusable: &Unusable) -> Rejected {
    let id = cut::members(raw)
        .map_while(Result::ok)
        .filter(|(name, _)| name == id_name)
        .last();
    Rejected {
        id: id.and_then(|(_, value)| plain(value)),
        raw: raw.to_vec(),
        digest: sha256(raw),
        reason: unusable.to_string(),
    }
}

/// Returns a text that is not empty, or a number as sent; of any other value, nothing.
///
/// A NUL character becomes visible: the archive's own functions would end the text there.
fn plain(json: &[u8]) -> Option<String> {
    match Kind::of(json)? {
        Kind::String => {
            let text: String = serde_json::from_slice(json).ok()?;
            (!text.is_empty()).then(|| text.replace('\0', "\\u0000"))
        }
        Kind::Number => Some(std::str::from_utf8(json).ok()?.to_owned()),
        _ => None,
    }
}

/// Reads a time from the JSON text of a string.
fn moment(json: &str) -> Option<Timestamp> {
    let text: String = serde_json::from_str(json).ok()?;
    Timestamp::parse_upstream(&text)
}

#[cfg(test)]
mod tests;
