//! The object around a list: is this an answer of that list at all, and what does it say beside the records?

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use thiserror::Error;

use crate::api::cut::{self, Torn};
use crate::model::json::{Kind, sample};
use crate::model::record::CountForm;

/// Why a body is not an answer of the list.
///
/// Texts that the server sent are in here as sent, cut to 200 characters: whoever shows them removes secrets and control
/// characters.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum BadPage {
    #[error("an empty body")]
    Empty,
    #[error("not JSON")]
    NotJson,
    #[error("JSON that is cut off after {0} bytes")]
    CutOff(usize),
    /// JSON, and something else than an object: its kind.
    #[error("a JSON {0} in place of an object")]
    NotAnObject(&'static str),
    /// The name of the list.
    #[error("an object without `{0}`")]
    NoList(&'static str),
    /// The name of the list, and what it is.
    #[error("`{0}` is of type {1} and not an array")]
    NotAnArray(&'static str, &'static str),
    #[error("`{}` is null, and no `{}` of 0 says that the list is empty", .0.list, .0.count)]
    Null(Names),
    /// An error of the service, sent with a status that means success.
    #[error("{}", describe_error(code.as_deref(), message.as_deref()))]
    ServiceError {
        code: Option<String>,
        message: Option<String>,
    },
}

fn describe_error(code: Option<&str>, message: Option<&str>) -> String {
    let parts: Vec<&str> = code.into_iter().chain(message).collect();
    format!("an error in place of a list: {}", parts.join(": "))
}

/// What the members of an answer are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(super) list: &'static str,
    pub(super) count: &'static str,
}

pub(super) const TASKS: Names = Names {
    list: "tasks",
    count: "task_count",
};

pub(super) const INSTANCES: Names = Names {
    list: "instances",
    count: "instance_num",
};

/// The fields that the documented example has beside the list: the JSON text of each that is a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Beside<'a> {
    pub(super) status: Option<&'a str>,
    pub(super) created_at: Option<&'a str>,
    pub(super) updated_at: Option<&'a str>,
}

/// An answer, cut and not yet decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Envelope<'a> {
    pub(super) total: Option<u64>,
    pub(super) count_form: CountForm,
    pub(super) records: Vec<&'a [u8]>,
    pub(super) beside: Beside<'a>,
    pub(super) unknown: Vec<(String, String)>,
}

type Members<'a> = BTreeMap<Cow<'a, str>, &'a [u8]>;

impl<'a> Envelope<'a> {
    pub(super) fn read(body: &'a [u8], names: Names) -> Result<Self, BadPage> {
        let length = body.len();
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let body = body.trim_ascii();
        if body.first() != Some(&b'{') {
            return Err(not_an_object(body, length));
        }
        let torn = |torn| match torn {
            Torn::CutOff => BadPage::CutOff(length),
            Torn::Malformed => BadPage::NotJson,
        };
        // Of two members of one name the last counts.
        let members: Members<'_> = cut::members(body).collect::<Result<_, _>>().map_err(torn)?;
        let count = members.get(names.count).copied();
        let total = count.and_then(whole_number);
        let list = members.get(names.list).copied();
        let list = list.ok_or(BadPage::NoList(names.list));
        let records = list.and_then(|list| match Kind::of(list) {
            Some(Kind::Array) => cut::list(list).map_err(torn),
            Some(Kind::Null) if total == Some(0) => Ok(Vec::new()),
            Some(Kind::Null) => Err(BadPage::Null(names)),
            Some(kind) => Err(BadPage::NotAnArray(names.list, kind.as_str())),
            None => Err(BadPage::NotJson),
        });
        // An error beside an empty list is an error too: nothing says that the list was looked at.
        if records.as_ref().map_or(true, Vec::is_empty)
            && let Some(error) = service_error(&members, records.is_ok())
        {
            return Err(error);
        }
        let mut envelope = Envelope {
            total,
            count_form: form(count, total),
            records: records?,
            beside: Beside::default(),
            unknown: Vec::new(),
        };
        envelope.keep_the_rest(members, names);
        Ok(envelope)
    }

    /// Sorts the members that are neither the list nor its count.
    fn keep_the_rest(&mut self, members: Members<'a>, names: Names) {
        for (name, value) in members {
            if name == names.list || name == names.count {
                continue;
            }
            let slot = match &*name {
                "status" => Some(&mut self.beside.status),
                "created_at" => Some(&mut self.beside.created_at),
                "updated_at" => Some(&mut self.beside.updated_at),
                _ => None,
            };
            match slot {
                Some(_) if value == b"null" => {}
                Some(slot) if is_string(value) => *slot = std::str::from_utf8(value).ok(),
                _ => self.unknown.push((
                    sample(&name).to_owned(),
                    sample(&String::from_utf8_lossy(value)).to_owned(),
                )),
            }
        }
    }
}

/// Says what a body is that does not begin like an object.
fn not_an_object(body: &[u8], length: usize) -> BadPage {
    if body.is_empty() {
        return BadPage::Empty;
    }
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => BadPage::NotAnObject(Kind::of(body).map_or("value", Kind::as_str)),
        Err(error) if error.is_eof() => BadPage::CutOff(length),
        Err(_) => BadPage::NotJson,
    }
}

/// Says whether a value is a string that can be read.
fn is_string(json: &[u8]) -> bool {
    serde_json::from_slice::<String>(json).is_ok()
}

/// Reads a count: a number without sign, point or exponent, or a text that holds one.
fn whole_number(json: &[u8]) -> Option<u64> {
    let text = match Kind::of(json)? {
        Kind::Number => std::str::from_utf8(json).ok()?.to_owned(),
        Kind::String => serde_json::from_slice::<String>(json).ok()?,
        _ => return None,
    };
    let digits = text.trim();
    // `parse` would take a plus sign as well.
    (digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// Says in which form a count came.
fn form(count: Option<&[u8]>, total: Option<u64>) -> CountForm {
    let Some(count) = count else {
        return CountForm::Absent;
    };
    match (Kind::of(count), total) {
        (Some(Kind::Null), _) => CountForm::Absent,
        (Some(Kind::Number), Some(_)) => CountForm::Number,
        (Some(Kind::String), Some(_)) => CountForm::Text,
        _ => CountForm::Unreadable,
    }
}

/// Finds an error in any of the shapes that the services and their gateways send: `error_code` with `error_msg`, the
/// same within `error`, or `code` with `message`. Beside a list the last pair proves nothing and is not looked at.
fn service_error(members: &Members<'_>, has_list: bool) -> Option<BadPage> {
    let nested = match members.get("error") {
        Some(error) => cut::members(error).collect::<Result<Members<'_>, _>>().ok(),
        None => None,
    };
    let find = |names: &[&str], nested_names: &[&str]| {
        let own = names.iter().find_map(|name| shown(members.get(*name)?));
        own.or_else(|| {
            let nested = nested.as_ref()?;
            nested_names
                .iter()
                .find_map(|name| shown(nested.get(*name)?))
        })
    };
    let (codes, messages): (&[&str], &[&str]) = if has_list {
        (&["error_code"], &["error_msg"])
    } else {
        (&["error_code", "code"], &["error_msg", "message"])
    };
    let code = find(codes, &["error_code", "code"]);
    let message = find(messages, &["error_msg", "message"])
        .or_else(|| members.get("error").and_then(|error| shown(error)));
    (code.is_some() || message.is_some()).then_some(BadPage::ServiceError { code, message })
}

/// Returns what a message can show of a text or a number, if there is any.
fn shown(json: &[u8]) -> Option<String> {
    let json = String::from_utf8_lossy(json);
    let text = super::plain(json.as_bytes())?;
    Some(sample(&text).to_owned())
}
