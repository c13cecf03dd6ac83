//! The dates of HTTP headers: one reader for the three forms that RFC 9110, section 5.6.7, obliges a recipient to accept.

use chrono::NaiveDateTime;

use crate::model::time::Timestamp;

/// The preferred form first, then RFC 850's, then that of C's `asctime`.
const FORMS: [&str; 3] = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
];

/// Reads a date; anything else, a date with the wrong weekday included, is nothing.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let date = FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    Timestamp::from_millis(date.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_a_date_are_read_and_nothing_else_is() {
        let cases = [
            (
                "Sun, 06 Nov 1994 08:49:37 GMT",
                Some("1994-11-06T08:49:37.000Z"),
            ),
            (
                "Sunday, 06-Nov-94 08:49:37 GMT",
                Some("1994-11-06T08:49:37.000Z"),
            ),
            ("Sun Nov  6 08:49:37 1994", Some("1994-11-06T08:49:37.000Z")),
            (
                " Mon, 23 Nov 2026 20:53:00 GMT ",
                Some("2026-11-23T20:53:00.000Z"),
            ),
            ("Mon, 06 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 31 Nov 1994 08:49:37 GMT", None),
            ("1994-11-06T08:49:37Z", None),
            ("120", None),
            ("-1", None),
            ("soon", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read = parse(text).map(|date| date.to_string());
            assert_eq!(read.as_deref(), expected, "{text:?}");
        }
    }
}
