//! Time zones: the archive's times, which are UTC, as a clock in some other place showed them.
//!
//! A time that is shown in a zone carries its offset, always: twice a year the same hour comes twice, and a table outlives
//! the command line that made it.

use std::sync::Arc;

use tz::TimeZone;

use super::phrase::{Precision, moment};
use crate::model::time::Timestamp;

/// The place whose clock is read.
#[derive(Clone, Debug)]
pub(crate) struct Zone(Option<Arc<TimeZone>>);

impl Zone {
    pub(crate) const UTC: Self = Self(None);

    /// A zone with these rules; one that never differs from UTC is UTC.
    pub(crate) fn new(rules: TimeZone) -> Self {
        let types = rules.as_ref().local_time_types();
        let is_utc = types.iter().all(|one| one.ut_offset() == 0)
            && rules.as_ref().extra_rule().is_none_or(|rule| {
                matches!(rule, tz::timezone::TransitionRule::Fixed(one) if one.ut_offset() == 0)
            });
        Self((!is_utc).then(|| Arc::new(rules)))
    }

    /// Returns the zone that is always this many seconds east of UTC.
    pub(crate) fn fixed(seconds: i32) -> Option<Self> {
        TimeZone::fixed(seconds).ok().map(Self::new)
    }

    pub(crate) const fn is_utc(&self) -> bool {
        self.0.is_none()
    }

    /// Says a time of the archive, `2020-06-17T08:18:06.597Z`, in this zone; any other text stays.
    pub(crate) fn moment(&self, text: &str, precision: Precision) -> String {
        let Some((local, offset)) = self.local(text) else {
            return moment(text, precision);
        };
        let shown = moment(&local.to_string(), precision);
        let shown = shown.trim_end_matches('Z');
        format!("{shown}{}", said(offset, precision))
    }

    /// Returns what a clock there showed, as if it had been in UTC: for what is cut at the hours and days of people.
    pub(crate) fn clock(&self, time: Timestamp) -> Timestamp {
        self.shown(time).map_or(time, |(local, _)| local)
    }

    /// Returns what a clock there showed, and how many seconds it was ahead of UTC. Nothing for UTC itself, for what is no
    /// time, and where the clock's year has no four digits.
    fn local(&self, text: &str) -> Option<(Timestamp, i32)> {
        // Most tables are in UTC, and need no reading.
        self.0.as_ref()?;
        self.shown(Timestamp::parse_upstream(text).filter(|time| time.to_string() == text)?)
    }

    fn shown(&self, time: Timestamp) -> Option<(Timestamp, i32)> {
        let rules = self.0.as_deref()?;
        let kind = rules
            .find_local_time_type(time.millis().div_euclid(1_000))
            .ok()?;
        let offset = kind.ut_offset();
        let local = Timestamp::from_millis(time.millis() + i64::from(offset) * 1_000)?;
        Some((local, offset))
    }
}

/// Says an offset: `+02:00`; where room is short `+02`. The oldest ones have seconds.
fn said(offset: i32, precision: Precision) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let (minutes, seconds) = (offset.unsigned_abs() / 60, offset.unsigned_abs() % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match (minutes, seconds) {
        (0, 0) if precision != Precision::Whole => format!("{sign}{hours:02}"),
        (_, 0) => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use tz::timezone::TimeZoneSettings;

    use super::*;

    fn zone(rules: &str) -> Zone {
        let nowhere = TimeZoneSettings::new(&[], |_| Err("no files here".into()));
        Zone::new(nowhere.parse_posix_tz(rules).unwrap())
    }

    #[test]
    fn a_time_is_what_the_clock_there_showed_with_its_offset() {
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
        let cases = [
            (
                berlin,
                "2026-09-30T23:45:43.508Z",
                "2026-10-01T01:45:43.508+02:00",
            ),
            // The last second of winter, the first of summer; then the hour that comes twice.
            (
                berlin,
                "2026-03-29T00:59:59.999Z",
                "2026-03-29T01:59:59.999+01:00",
            ),
            (
                berlin,
                "2026-03-29T01:00:00.000Z",
                "2026-03-29T03:00:00.000+02:00",
            ),
            (
                berlin,
                "2026-10-25T00:30:00.000Z",
                "2026-10-25T02:30:00.000+02:00",
            ),
            (
                berlin,
                "2026-10-25T01:30:00.000Z",
                "2026-10-25T02:30:00.000+01:00",
            ),
            (
                berlin,
                "2126-07-01T00:00:00.000Z",
                "2126-07-01T02:00:00.000+02:00",
            ),
            (
                "EST5EDT,M3.2.0,M11.1.0",
                "2026-01-01T00:00:00.000Z",
                "2025-12-31T19:00:00.000-05:00",
            ),
            (
                "IST-5:30",
                "2026-01-01T00:00:00.000Z",
                "2026-01-01T05:30:00.000+05:30",
            ),
            (
                "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
                "2026-01-01T00:00:00.000Z",
                "2026-01-01T13:45:00.000+13:45",
            ),
            (
                "NST3:30",
                "1969-12-31T23:59:59.999Z",
                "1969-12-31T20:29:59.999-03:30",
            ),
            (
                "LMT-0:53:28",
                "1890-01-01T00:00:00.000Z",
                "1890-01-01T00:53:28.000+00:53:28",
            ),
            // Where the year would need five digits, or a sign, UTC has to do.
            (
                "CET-1",
                "9999-12-31T23:30:00.000Z",
                "9999-12-31T23:30:00.000Z",
            ),
            (
                "EST5",
                "0000-01-01T00:00:00.000Z",
                "0000-01-01T00:00:00.000Z",
            ),
            (
                "UTC0",
                "2026-10-01T08:30:00.000Z",
                "2026-10-01T08:30:00.000Z",
            ),
        ];
        for (rules, time, expected) in cases {
            assert_eq!(
                zone(rules).moment(time, Precision::Whole),
                expected,
                "{rules}"
            );
        }
    }

    #[test]
    fn a_drawn_time_is_shorter_and_as_unambiguous() {
        let berlin = zone("CET-1CEST,M3.5.0,M10.5.0/3");
        let cases = [
            (
                "2026-10-25T00:30:07.508Z",
                Precision::Second,
                "2026-10-25 02:30:07+02",
            ),
            (
                "2026-10-25T01:30:07.508Z",
                Precision::Second,
                "2026-10-25 02:30:07+01",
            ),
            (
                "2026-10-25T01:30:07.508Z",
                Precision::Minute,
                "2026-10-25 02:30+01",
            ),
        ];
        for (time, precision, expected) in cases {
            assert_eq!(berlin.moment(time, precision), expected);
        }
        let kolkata = Zone::fixed(19_800).unwrap();
        let time = "2026-10-25T01:30:07.508Z";
        assert_eq!(
            kolkata.moment(time, Precision::Minute),
            "2026-10-25 07:00+05:30"
        );
        assert_eq!(
            Zone::UTC.moment(time, Precision::Minute),
            "2026-10-25 01:30"
        );
        assert_eq!(Zone::UTC.moment(time, Precision::Whole), time);
    }

    #[test]
    fn what_is_no_time_of_the_archive_stays() {
        let zone = Zone::fixed(3_600).unwrap();
        for text in [
            "",
            "-",
            "yesterday",
            "2026-10-25",
            "2026-10-25T01:30:07Z",
            "実例実例実例実例",
        ] {
            assert_eq!(zone.moment(text, Precision::Whole), text);
        }
    }
}
