//! Moments: one type, one text form, one tolerant reader for what the upstream sends.
//!
//! A [`Timestamp`] is a whole millisecond in UTC between the years 0000 and 9999, so its text form always has the same
//! width and sorts as text in the order of time.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// The number of milliseconds in a second, a minute, an hour and a day.
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The first and the last millisecond that have a text form: 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z.
const FIRST: i64 = -62_167_219_200_000;
const LAST: i64 = 253_402_300_799_999;

/// A moment in UTC, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp(i64);

impl Timestamp {
    pub(crate) const EPOCH: Self = Self(0);

    /// Returns the moment that many milliseconds after 1970, or nothing outside the years 0000 to 9999.
    pub(crate) fn from_millis(millis: i64) -> Option<Self> {
        (FIRST..=LAST).contains(&millis).then_some(Self(millis))
    }

    pub(crate) const fn millis(self) -> i64 {
        self.0
    }

    /// Adds milliseconds, staying within the years that have a text form.
    pub(crate) fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis).clamp(FIRST, LAST))
    }

    /// Returns the distance between two moments in milliseconds, whichever is the later one.
    ///
    /// "Older than" is an absolute difference throughout, so that a clock that stepped back cannot make an old thing
    /// look young for ever.
    pub(crate) const fn distance(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0).saturating_abs()
    }

    /// Reads a time as the upstream sends it: `T` or a blank between date and time, no to nine digits of a second, `Z`,
    /// an offset or no zone (then UTC), and a leap second. Finer parts than a millisecond are cut off.
    pub(crate) fn parse_upstream(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = text.as_bytes();
        if bytes.len() < 19 || !text.is_ascii() {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(
            i32::try_from(digits(&bytes[0..4])?).ok()?,
            (bytes[4] == b'-').then(|| digits(&bytes[5..7]))??,
            (bytes[7] == b'-').then(|| digits(&bytes[8..10]))??,
        )?;
        if !matches!(bytes[10], b'T' | b't' | b' ') || bytes[13] != b':' || bytes[16] != b':' {
            return None;
        }
        let (hour, minute, second) = (
            digits(&bytes[11..13])?,
            digits(&bytes[14..16])?,
            digits(&bytes[17..19])?,
        );
        let rest = &text[19..];
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => {
                let end = rest
                    .bytes()
                    .position(|byte| !byte.is_ascii_digit())
                    .unwrap_or(rest.len());
                if !(1..=9).contains(&end) {
                    return None;
                }
                rest.split_at(end)
            }
            None => ("", rest),
        };
        // A leap second has no place of its own on this time line: it is the last millisecond before the next minute.
        let (second, millis) = if second == 60 {
            (59, 999)
        } else {
            (second, thousandths(fraction))
        };
        let time = NaiveTime::from_hms_milli_opt(hour, minute, second, millis)?;
        let local = NaiveDateTime::new(date, time);
        let utc = local.checked_sub_signed(TimeDelta::try_minutes(offset_minutes(zone)?)?)?;
        Self::from_millis(utc.and_utc().timestamp_millis())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every constructor checks the range, so the fallback is never printed.
        let moment = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or_default();
        write!(out, "{}", moment.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

/// Reads a short run of ASCII digits as a number.
fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

/// Reads the digits after the point as milliseconds, cutting off finer parts.
fn thousandths(fraction: &str) -> u32 {
    let padded = fraction.bytes().chain(*b"000").take(3);
    padded.fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'))
}

/// Reads `Z`, `+HH:MM`, `+HHMM`, `+HH` or nothing as minutes east of UTC.
fn offset_minutes(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = match zone.as_bytes() {
        [_, h1, h2] => (digits(&[*h1, *h2])?, 0),
        [_, h1, h2, m1, m2] | [_, h1, h2, b':', m1, m2] => {
            (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?)
        }
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then(|| sign * i64::from(hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_times_are_read_in_every_documented_and_observed_form() {
        let cases = [
            ("2020-06-17T08:18:06.597Z", "2020-06-17T08:18:06.597Z"),
            ("2020-06-17T08:18:06Z", "2020-06-17T08:18:06.000Z"),
            ("2020-06-17T08:18:06", "2020-06-17T08:18:06.000Z"),
            ("2020-06-17 08:18:06.5", "2020-06-17T08:18:06.500Z"),
            ("2015-11-09T01:42:57.527363Z", "2015-11-09T01:42:57.527Z"),
            ("2020-06-17T08:18:06.999999999Z", "2020-06-17T08:18:06.999Z"),
            ("2020-06-17T10:18:06.597+02:00", "2020-06-17T08:18:06.597Z"),
            ("2020-06-17T10:18:06.597+0200", "2020-06-17T08:18:06.597Z"),
            ("2020-06-17T10:18:06.597+02", "2020-06-17T08:18:06.597Z"),
            ("2020-06-16T23:18:06.597-09:00", "2020-06-17T08:18:06.597Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
            (" 2020-06-17T08:18:06.597Z ", "2020-06-17T08:18:06.597Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ];
        for (sent, expected) in cases {
            let read = Timestamp::parse_upstream(sent).map(|time| time.to_string());
            assert_eq!(read.as_deref(), Some(expected), "{sent:?}");
        }
    }

    #[test]
    fn what_is_not_a_time_is_not_guessed() {
        for sent in [
            "",
            " ",
            "null",
            "yesterday",
            "2020-06-17",
            "1592381886597",
            "20200617081806",
            "2020-13-17T08:18:06Z",
            "2020-06-31T08:18:06Z",
            "2020-06-17T24:18:06Z",
            "2020-06-17T08:61:06Z",
            "2020-06-17T08:18:61Z",
            "2020-06-17T08:18:06.Z",
            "2020-06-17T08:18:06.0123456789Z",
            "2020-06-17T08:18:06+25:00",
            "2020-06-17T08:18:06 UTC",
            "2020-06-17X08:18:06Z",
            "+2020-06-17T08:18:06Z",
            "12020-06-17T08:18:06Z",
            "2020-06-17T08:18:06\u{2212}02:00",
            "9999-12-31T23:59:59-10:00",
        ] {
            assert_eq!(Timestamp::parse_upstream(sent), None, "{sent:?}");
        }
    }

    #[test]
    fn arithmetic_never_leaves_the_years_that_have_a_text_form() {
        let now = Timestamp::from_millis(0).unwrap();
        assert_eq!(now.plus(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(now.plus(1).to_string(), "1970-01-01T00:00:00.001Z");
        assert_eq!(now.plus(i64::MIN).to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(now.plus(5).distance(now), 5);
        assert_eq!(now.distance(now.plus(5)), 5);
        assert_eq!(Timestamp::from_millis(i64::MAX), None);
    }
}
