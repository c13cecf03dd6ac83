//! What an error answer says, whoever wrote it.
//!
//! Four shapes are documented (the service, its older guide, the gateway, IAM), and proxies add HTML and plain text. The
//! reader is tolerant: it looks for a code and a message where any of them puts one, and a body that it cannot read is
//! still quoted. It never fails.

use serde_json::{Map, Value};

/// The names of a code and of a message, in the order in which they are believed.
const CODES: [&str; 4] = ["error_code", "errorCode", "code", "errcode"];
const MESSAGES: [&str; 7] = [
    "error_msg",
    "error_message",
    "errorMsg",
    "message",
    "error_description",
    "msg",
    "title",
];
const REQUEST_IDS: [&str; 2] = ["request_id", "requestId"];

/// What could be read from the body of an error answer, as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// Without the blank that one documented code has inside.
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
}

/// Reads the body of an error answer.
pub(super) fn read(body: &[u8]) -> ErrorBody {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if let Ok(value) = serde_json::from_str(text) {
        return from_json(&value);
    }
    let message = if text.starts_with('<') {
        Some(html_title(text).map_or_else(
            || "an HTML page".to_owned(),
            |title| format!("an HTML page: {title}"),
        ))
    } else {
        filled(text)
    };
    ErrorBody {
        message,
        ..ErrorBody::default()
    }
}

/// Reads an error envelope that came with a status of success; anything else is nothing.
pub(super) fn read_envelope(body: &[u8]) -> ErrorBody {
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => {
            let found = from_json(&value);
            if found.code.is_some() {
                found
            } else {
                ErrorBody::default()
            }
        }
        _ => ErrorBody::default(),
    }
}

fn from_json(value: &Value) -> ErrorBody {
    match value {
        Value::Object(members) => from_object(members),
        Value::Array(items) => items
            .iter()
            .map(from_json)
            .find(|found| *found != ErrorBody::default())
            .unwrap_or_default(),
        Value::String(text) => ErrorBody {
            message: filled(text),
            ..ErrorBody::default()
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => ErrorBody::default(),
    }
}

/// Takes what stands in the object itself, and what is missing from what is nested in it.
fn from_object(members: &Map<String, Value>) -> ErrorBody {
    let mut found = ErrorBody {
        code: first(members, &CODES).map(|code| {
            code.chars()
                .filter(|character| !character.is_whitespace())
                .collect()
        }),
        message: first(members, &MESSAGES),
        request_id: first(members, &REQUEST_IDS),
    };
    if found.code.is_some() && found.message.is_some() {
        return found;
    }
    for nested in members.values() {
        // A member's own text is a message only under the one name that stands for the whole error (OAuth's shape).
        if !nested.is_object() && !nested.is_array() && members.get("error") != Some(nested) {
            continue;
        }
        let inner = from_json(nested);
        if inner.code.is_some() || inner.message.is_some() {
            found.code = found.code.or(inner.code);
            found.message = found.message.or(inner.message);
            found.request_id = found.request_id.or(inner.request_id);
            break;
        }
    }
    found
}

/// Returns the first of these members that holds a text or a number.
fn first(members: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match members.get(*name)? {
        Value::String(text) => filled(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns what stands between the title's tags.
fn html_title(page: &str) -> Option<String> {
    // ASCII case only: lower-casing all of Unicode would move the places of bytes.
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    let words: Vec<&str> = page[start..end].split_whitespace().collect();
    filled(&words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Expected<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

    fn check(cases: &[(&str, Expected<'_>)]) {
        for (body, (code, message, request_id)) in cases {
            let found = read(body.as_bytes());
            let found = (
                found.code.as_deref(),
                found.message.as_deref(),
                found.request_id.as_deref(),
            );
            assert_eq!(found, (*code, *message, *request_id), "{body}");
        }
    }

    #[test]
    fn a_code_and_a_message_are_found_in_every_shape() {
        let cases: &[(&str, Expected<'_>)] = &[
            // The service.
            (
                r#"{"error_code":"DCS.4800","error_msg":"Invalid offset in the request."}"#,
                (
                    Some("DCS.4800"),
                    Some("Invalid offset in the request."),
                    None,
                ),
            ),
            (
                r#"{"error_code":"DCS. 5094","error_msg":"busy","error_ext_msg":null}"#,
                (Some("DCS.5094"), Some("busy"), None),
            ),
            // The older guide.
            (
                r#"{"error":{"code":"111400060","message":"bad"}}"#,
                (Some("111400060"), Some("bad"), None),
            ),
            // The gateway.
            (
                r#"{"error_msg":"Incorrect IAM authentication information: decrypt token fail","error_code":"APIGW.0301","request_id":"5bf2"}"#,
                (
                    Some("APIGW.0301"),
                    Some("Incorrect IAM authentication information: decrypt token fail"),
                    Some("5bf2"),
                ),
            ),
            // IAM.
            (
                r#"{"error":{"code":400,"message":"no project","title":"Bad Request"}}"#,
                (Some("400"), Some("no project"), None),
            ),
        ];
        check(cases);
    }

    #[test]
    fn relatives_of_these_shapes_and_what_is_none_are_read_as_far_as_they_go() {
        let cases: &[(&str, Expected<'_>)] = &[
            (
                r#"{"code":"X.1","message":"m"}"#,
                (Some("X.1"), Some("m"), None),
            ),
            (
                r#"{"errors":[{"code":7,"message":"m"}]}"#,
                (Some("7"), Some("m"), None),
            ),
            (
                r#"[{"error_code":"X.1","error_msg":"m"}]"#,
                (Some("X.1"), Some("m"), None),
            ),
            (
                r#"{"error":"invalid_grant"}"#,
                (None, Some("invalid_grant"), None),
            ),
            (
                r#"{"request_id":"r","error":{"error_code":"X.1","error_msg":"m"}}"#,
                (Some("X.1"), Some("m"), Some("r")),
            ),
            (
                r#"{"error_code":"X.1","error":{"message":"m"}}"#,
                (Some("X.1"), Some("m"), None),
            ),
            (
                r#"{"error_code":"X.1","error_msg":null}"#,
                (Some("X.1"), None, None),
            ),
            (
                r#"{"error_code":"","error_msg":"m","code":""}"#,
                (None, Some("m"), None),
            ),
            (
                r#"{"error_code":{"a":1},"error_msg":["m"]}"#,
                (None, Some("m"), None),
            ),
            (r#"{"status":"down","ok":false}"#, (None, None, None)),
            (
                "\u{feff}{\"error_code\":\"X.1\"}",
                (Some("X.1"), None, None),
            ),
            (r#""just text""#, (None, Some("just text"), None)),
            ("[]", (None, None, None)),
            ("{}", (None, None, None)),
            ("null", (None, None, None)),
            ("17", (None, None, None)),
            ("", (None, None, None)),
            ("  \n", (None, None, None)),
            (
                "upstream connect error",
                (None, Some("upstream connect error"), None),
            ),
            (
                r#"{"error_code":"X"#,
                (None, Some(r#"{"error_code":"X"#), None),
            ),
            (
                "<!DOCTYPE html><HTML><Title lang=en>502\n Bad  Gateway</title><body>x</body>",
                (None, Some("an HTML page: 502 Bad Gateway"), None),
            ),
            (
                "<html><body>no title</body></html>",
                (None, Some("an HTML page"), None),
            ),
            ("<title", (None, Some("an HTML page"), None)),
            ("<title>İ", (None, Some("an HTML page"), None)),
        ];
        check(cases);
    }

    #[test]
    fn bytes_that_are_no_text_and_deep_nesting_do_no_harm() {
        assert_eq!(
            read(b"\xff\xfe").message.as_deref(),
            Some("\u{fffd}\u{fffd}")
        );
        let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
        assert!(read(deep.as_bytes()).message.is_some());
        assert_eq!(read_envelope(deep.as_bytes()), ErrorBody::default());
    }

    #[test]
    fn only_an_object_with_a_code_is_an_error_envelope() {
        let cases = [
            (r#"{"error_code":"X.1","error_msg":"m"}"#, Some("X.1")),
            (r#"{"error":{"code":400,"message":"m"}}"#, Some("400")),
            (r#"{"message":"m"}"#, None),
            (r#"[{"error_code":"X.1"}]"#, None),
            ("<html>", None),
            ("", None),
        ];
        for (body, code) in cases {
            assert_eq!(
                read_envelope(body.as_bytes()).code.as_deref(),
                code,
                "{body}"
            );
        }
    }
}
