//! What a request asks for: the path and the query, read as the upstream documents them, and every way to refuse one.

use percent_encoding::percent_decode_str;
use serde_json::json;
use thiserror::Error;

use crate::model::time::{SECOND, Timestamp};

/// The documented default and maximum of `limit`.
const DEFAULT_LIMIT: usize = 10;
const LARGEST_LIMIT: usize = 1000;

/// A request that is refused, with the text that the body carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    #[error("Invalid offset in the request.")]
    Offset,
    #[error("Invalid limit in the request.")]
    Limit,
    #[error("Invalid {0} in the request.")]
    Time(&'static str),
    #[error("Invalid project ID format.")]
    ProjectFormat,
    #[error("Invalid DCS instance ID format.")]
    InstanceFormat,
    #[error("Invalid token.")]
    WrongToken,
    #[error("The token is missing from the request header.")]
    NoToken,
    #[error("The project ID in the URL does not match the project that the token is for.")]
    OtherProject,
    #[error("This DCS instance does not exist.")]
    NoInstance,
    #[error("The API does not exist or has not been published in the environment")]
    NoApi,
    #[error("The API does not support this HTTP method")]
    Method,
}

impl Refusal {
    /// The HTTP status and the error code.
    pub(crate) const fn codes(self) -> (u16, &'static str) {
        match self {
            Self::Offset => (400, "DCS.4800"),
            Self::Limit => (400, "DCS.4062"),
            Self::Time(_) => (400, "DCS.4063"),
            Self::ProjectFormat => (400, "DCS.4002"),
            Self::InstanceFormat => (400, "DCS.4061"),
            Self::WrongToken => (401, "DCS.1001"),
            Self::NoToken => (401, "DCS.1003"),
            Self::OtherProject => (401, "DCS.1004"),
            Self::NoInstance => (404, "DCS.3022"),
            Self::NoApi => (404, "APIGW.0101"),
            Self::Method => (405, "APIGW.0101"),
        }
    }

    /// The body: the gateway in front of the service and the service itself each have their own form.
    pub(crate) fn body(self, request_id: &str) -> String {
        let (_, code) = self.codes();
        let message = self.to_string();
        match self {
            Self::NoApi | Self::Method => json!({
                "error_msg": message,
                "error_code": code,
                "request_id": request_id,
            }),
            _ => json!({
                "error_code": code,
                "error_msg": message,
                "error_ext_msg": null,
            }),
        }
        .to_string()
    }
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Instances { project: &'a str },
    Tasks { project: &'a str, instance: &'a str },
}

impl<'a> Route<'a> {
    /// Reads a path; the gateway knows exactly two.
    pub(crate) fn read(path: &'a str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = path.split('/').collect();
        match *parts.as_slice() {
            ["", "v2", project, "instances"] => Ok(Self::Instances { project }),
            ["", "v2", project, "instances", instance, "tasks"] => {
                Ok(Self::Tasks { project, instance })
            }
            _ => Err(Refusal::NoApi),
        }
    }

    pub(crate) const fn project(self) -> &'a str {
        match self {
            Self::Instances { project } | Self::Tasks { project, .. } => project,
        }
    }
}

/// Which records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    /// The first and the last millisecond of creation, both included.
    pub(crate) created: (i64, i64),
}

impl Query {
    /// Reads a query. Unknown parameters are passed over, as the upstream does; of a repeated one the last counts, but of
    /// the two names of the lower bound the later bound.
    pub(crate) fn read(query: &str) -> Result<Self, Refusal> {
        let mut read = Self {
            offset: 0,
            limit: DEFAULT_LIMIT,
            created: (i64::MIN, i64::MAX),
        };
        for (name, value) in pairs(query) {
            match name.as_str() {
                "offset" => read.offset = number(&value).ok_or(Refusal::Offset)?,
                "limit" => {
                    read.limit = number(&value)
                        .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
                        .ok_or(Refusal::Limit)?;
                }
                "start_time" => read.begin(&value, "start_time")?,
                "begin_time" => read.begin(&value, "begin_time")?,
                "end_time" if !value.is_empty() => {
                    let end = second(&value).ok_or(Refusal::Time("end_time"))?;
                    // A bound names a second, and the bounds are included: so is all of that second.
                    read.created.1 = end + SECOND - 1;
                }
                _ => {}
            }
        }
        Ok(read)
    }

    fn begin(&mut self, value: &str, name: &'static str) -> Result<(), Refusal> {
        if !value.is_empty() {
            let begin = second(value).ok_or(Refusal::Time(name))?;
            self.created.0 = self.created.0.max(begin);
        }
        Ok(())
    }
}

/// Cuts a query into decoded names and values.
fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(move |pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
}

/// Reads a number written in plain digits.
fn number(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Reads `yyyyMMddHHmmss` as a moment in UTC.
fn second(text: &str) -> Option<i64> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) || text.ends_with("60") {
        return None;
    }
    let (date, time) = text.split_at(8);
    let iso = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    Timestamp::parse_upstream(&iso).map(Timestamp::millis)
}

/// Says whether a project id could be one: 32 hexadecimal digits, or with the dashes of a UUID.
pub(crate) fn is_project_id(text: &str) -> bool {
    is_uuid(text) || (text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Says whether a text has the form of a dashed UUID.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(position, byte)| {
            if matches!(position, 8 | 13 | 18 | 23) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_as_documented() {
        let all = (i64::MIN, i64::MAX);
        // 2020-06-09T16:00:00Z and 2020-06-17T15:59:59Z, the documentation's own window.
        let (begin, end) = (1_591_718_400_000, 1_592_409_599_999);
        let cases = [
            ("", 0, 10, all),
            ("limit=1000&offset=0", 0, 1000, all),
            ("offset=3", 3, 10, all),
            ("offset=3&offset=4&surprise=1&&", 4, 10, all),
            ("start_time=20200609160000", 0, 10, (begin, i64::MAX)),
            ("begin_time=20200609160000", 0, 10, (begin, i64::MAX)),
            (
                "begin_time=20200609160000&start_time=20200101000000",
                0,
                10,
                (begin, i64::MAX),
            ),
            (
                "start_time=20200609160000&end_time=20200617155959",
                0,
                10,
                (begin, end),
            ),
            ("start_time=2020060916%30000", 0, 10, (begin, i64::MAX)),
            ("start_time=&begin_time&end_time=", 0, 10, all),
        ];
        for (query, offset, limit, created) in cases {
            let expected = Query {
                offset,
                limit,
                created,
            };
            assert_eq!(Query::read(query), Ok(expected), "{query}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused_by_name() {
        let cases = [
            ("offset=-1", Refusal::Offset),
            ("offset=", Refusal::Offset),
            ("offset=abc", Refusal::Offset),
            ("offset=1.5", Refusal::Offset),
            ("offset=%2B1", Refusal::Offset),
            ("offset=99999999999999999999999", Refusal::Offset),
            ("limit=0", Refusal::Limit),
            ("limit=-5", Refusal::Limit),
            ("limit=1001", Refusal::Limit),
            ("limit=ten", Refusal::Limit),
            ("limit", Refusal::Limit),
            ("start_time=2020-06-09", Refusal::Time("start_time")),
            ("begin_time=20200609", Refusal::Time("begin_time")),
            ("end_time=20201309160000", Refusal::Time("end_time")),
            ("end_time=20200609160060", Refusal::Time("end_time")),
        ];
        for (query, refusal) in cases {
            assert_eq!(Query::read(query), Err(refusal), "{query}");
        }
    }

    #[test]
    fn only_the_two_paths_are_known() {
        assert_eq!(
            Route::read("/v2/p/instances"),
            Ok(Route::Instances { project: "p" })
        );
        assert_eq!(
            Route::read("/v2/p/instances/i/tasks"),
            Ok(Route::Tasks {
                project: "p",
                instance: "i"
            })
        );
        for path in [
            "/",
            "",
            "/v1.0/p/instances",
            "/v2/p/instances/",
            "/v2/p/instances/i",
            "/v2/p/instances/i/tasks/",
            "/v2/p/instances/i/tasks/t",
            "/v2/p/tasks",
            "//v2/p/instances",
        ] {
            assert_eq!(Route::read(path), Err(Refusal::NoApi), "{path}");
        }
    }

    #[test]
    fn ids_are_known_by_their_form() {
        let (plain, dashed) = (
            "0123456789abcdef0123456789ABCDEF",
            "a4d31cb6-3d72-4fdc-8ec9-6e3a41e47f71",
        );
        assert!(is_project_id(plain) && is_project_id(dashed) && is_uuid(dashed));
        assert!(!is_uuid(plain));
        for wrong in [
            "",
            "nope",
            "a4d31cb6-3d72-4fdc-8ec9-6e3a41e47f7g",
            "a4d31cb603d7204fdc08ec906e3a41e47f71",
        ] {
            assert!(!is_project_id(wrong) && !is_uuid(wrong), "{wrong}");
        }
    }
}
