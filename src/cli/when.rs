//! Times that people type: `2026-10`, `yesterday`, `7d`.

use chrono::{DateTime, Months, NaiveDate};

use crate::model::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};

/// How a time may be typed, for help texts and errors.
pub(crate) const FORMS: &str = "a time (2026-10-01T08:30:00Z), a date (2026-10-01), a month (2026-10), a quarter (2026-Q3), a year (2026), now, today, \
     yesterday, or an age (500s, 90m, 36h, 7d, 2w)";

/// Reads a time as people type it. A period stands for its first moment, an age for the moment that long before `now`;
/// without a zone a time is UTC.
///
/// Since the first bound of a period is included and the second is not, `--since 2026-09 --until 2026-10` is September.
pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let typed = text.trim().to_ascii_lowercase();
    let today = || now.plus(-now.millis().rem_euclid(DAY));
    let read = match typed.as_str() {
        "now" => Some(now),
        "today" => Some(today()),
        "yesterday" => Some(today().plus(-DAY)),
        _ => age(&typed, now)
            .or_else(|| period(&typed))
            .or_else(|| Timestamp::parse_upstream(&typed)),
    };
    read.ok_or_else(|| format!("cannot read {text:?} as a time: type {FORMS}"))
}

/// Reads a day, a month, a quarter or a year as its first moment and the first one after it.
pub(crate) fn period_of(text: &str, now: Timestamp) -> Result<(Timestamp, Timestamp), String> {
    let typed = text.trim().to_ascii_lowercase();
    let day = |start: Timestamp| (start, start.plus(DAY));
    let today = now.plus(-now.millis().rem_euclid(DAY));
    let read = match typed.as_str() {
        "today" => Some(day(today)),
        "yesterday" => Some(day(today.plus(-DAY))),
        _ => period(&typed).and_then(|start| Some((start, end(&typed, start)?))),
    };
    read.ok_or_else(|| {
        format!("cannot read {text:?} as a period: type a date (2026-10-01), a month (2026-10), a quarter (2026-Q3), a year (2026), today or yesterday")
    })
}

/// Returns the end of a period that was read as its first moment.
fn end(text: &str, start: Timestamp) -> Option<Timestamp> {
    let months = match (text.len(), text.contains('q')) {
        (4, _) => 12,
        (_, true) => 3,
        (7, _) => 1,
        _ => return Some(start.plus(DAY)),
    };
    let first = DateTime::from_timestamp_millis(start.millis())?.date_naive();
    let next = first.checked_add_months(Months::new(months))?;
    Timestamp::from_millis(next.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
}

/// Reads `36h` as the moment that long ago; nothing lies before the year 0000.
fn age(text: &str, now: Timestamp) -> Option<Timestamp> {
    let unit = match text.chars().next_back()? {
        's' => SECOND,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let count = number(&text[..text.len() - 1])?;
    let millis = now.millis().checked_sub(count.checked_mul(unit)?)?;
    Timestamp::from_millis(millis)
}

/// Reads a date, a month, a quarter or a year as its first moment.
fn period(text: &str) -> Option<Timestamp> {
    let mut parts = text.split('-');
    let year = parts.next().filter(|year| year.len() == 4)?;
    let two_digits = |part: &str| (part.len() == 2).then(|| number(part)).flatten();
    let month = match parts.next() {
        None | Some("q1") => 1,
        Some("q2") => 4,
        Some("q3") => 7,
        Some("q4") => 10,
        Some(month) => two_digits(month)?,
    };
    let day = match parts.next() {
        None => 1,
        // A quarter has no days of its own.
        Some(_) if text.contains('q') => return None,
        Some(day) => two_digits(day)?,
    };
    if parts.next().is_some() {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(number(year)?).ok()?,
        u32::try_from(month).ok()?,
        u32::try_from(day).ok()?,
    )?;
    Timestamp::from_millis(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
}

/// Reads digits, and nothing but digits: no sign, no blanks.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-10-12T09:41:07.250Z.
    fn now() -> Timestamp {
        Timestamp::from_millis(1_791_798_067_250).unwrap()
    }

    #[test]
    fn everything_that_people_type_has_one_meaning() {
        let cases = [
            ("now", "2026-10-12T09:41:07.250Z"),
            ("today", "2026-10-12T00:00:00.000Z"),
            ("Yesterday", "2026-10-11T00:00:00.000Z"),
            ("2026", "2026-01-01T00:00:00.000Z"),
            ("2026-10", "2026-10-01T00:00:00.000Z"),
            ("2026-Q1", "2026-01-01T00:00:00.000Z"),
            ("2026-Q3", "2026-07-01T00:00:00.000Z"),
            ("2026-q4", "2026-10-01T00:00:00.000Z"),
            ("2026-10-01", "2026-10-01T00:00:00.000Z"),
            ("2024-02-29", "2024-02-29T00:00:00.000Z"),
            ("0000", "0000-01-01T00:00:00.000Z"),
            ("9999-12-31", "9999-12-31T00:00:00.000Z"),
            ("2026-10-01T08:30:00Z", "2026-10-01T08:30:00.000Z"),
            ("2026-10-01t08:30:00z", "2026-10-01T08:30:00.000Z"),
            ("2026-10-01T08:30:00", "2026-10-01T08:30:00.000Z"),
            ("2026-10-01 08:30:00.5", "2026-10-01T08:30:00.500Z"),
            (
                "2026-10-01T08:30:00.123456+02:00",
                "2026-10-01T06:30:00.123Z",
            ),
            (" 7d ", "2026-10-05T09:41:07.250Z"),
            ("36h", "2026-10-10T21:41:07.250Z"),
            ("90m", "2026-10-12T08:11:07.250Z"),
            ("2w", "2026-09-28T09:41:07.250Z"),
            ("500s", "2026-10-12T09:32:47.250Z"),
            ("0d", "2026-10-12T09:41:07.250Z"),
            ("700000d", "0110-03-31T09:41:07.250Z"),
        ];
        for (typed, expected) in cases {
            let read = parse(typed, now()).map(|time| time.to_string());
            assert_eq!(read.as_deref(), Ok(expected), "{typed:?}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_refused_and_the_forms_are_named() {
        for typed in [
            "",
            " ",
            "tomorrow",
            "d",
            "7",
            "7x",
            "-7d",
            "+7d",
            "7 d",
            "1.5h",
            "7d12h",
            "500ms",
            "٣d",
            "999999999d",
            "9223372036854775807w",
            "99999999999999999999d",
            "20261",
            "202",
            "2026-",
            "2026-1",
            "2026-13",
            "2026-00",
            "2026-Q0",
            "2026-Q5",
            "2026-Q3-01",
            "2026-10-1",
            "2026-02-29",
            "2026-10-32",
            "2026-10-01-01",
            "2026-10-01T25:00:00Z",
            "10000-01-01",
            "01.10.2026",
            "1790733600",
            "q3",
            "実例d",
            "é",
            "\u{202e}7d",
        ] {
            let error = parse(typed, now()).unwrap_err();
            assert!(error.contains("2026-Q3"), "{typed:?}: {error}");
        }
    }

    #[test]
    fn a_period_has_a_beginning_and_an_end() {
        let cases = [
            ("2026-10-12", "2026-10-12", "2026-10-13"),
            ("2026-10", "2026-10-01", "2026-11-01"),
            ("2026-12", "2026-12-01", "2027-01-01"),
            ("2024-02", "2024-02-01", "2024-03-01"),
            ("2026-Q1", "2026-01-01", "2026-04-01"),
            ("2026-q4", "2026-10-01", "2027-01-01"),
            ("2026", "2026-01-01", "2027-01-01"),
            ("today", "2026-10-12", "2026-10-13"),
            ("Yesterday", "2026-10-11", "2026-10-12"),
        ];
        for (typed, since, until) in cases {
            let (begins, ends) = period_of(typed, now()).unwrap();
            assert!(begins.to_string().starts_with(since), "{typed}: {begins}");
            assert!(ends.to_string().starts_with(until), "{typed}: {ends}");
        }
        for typed in [
            "7d",
            "now",
            "",
            "2026-13",
            "9999",
            "9999-12",
            "2026-10-01T00:00:00Z",
        ] {
            let error = period_of(typed, now()).unwrap_err();
            assert!(error.contains("2026-Q3"), "{typed}: {error}");
        }
    }

    #[test]
    fn the_end_of_a_period_is_the_beginning_of_the_next() {
        let (until, october) = (
            parse("2026-10", now()).unwrap(),
            parse("2026-10-01", now()).unwrap(),
        );
        assert_eq!(until, october, "--until 2026-10 ends before October");
    }
}
