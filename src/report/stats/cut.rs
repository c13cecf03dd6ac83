//! Days, weeks and months: which one a moment lies in, and what it is called.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta};

use crate::model::time::{DAY, HOUR, Timestamp};

/// How time is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Day,
    /// As ISO 8601 counts them: from Monday, the first of a year has its first Thursday.
    Week,
    Month,
}

impl Cut {
    /// Returns the number of the piece that a clock's time lies in: numbers of pieces ascend with time.
    pub(crate) fn of(self, clock: Timestamp) -> i64 {
        let day = clock.millis().div_euclid(DAY);
        match self {
            Self::Day => day,
            // Day 0 was a Thursday, so week 0 began three days before it.
            Self::Week => (day + 3).div_euclid(7),
            Self::Month => {
                let date = date(day).unwrap_or_default();
                i64::from(date.year()) * 12 + i64::from(date.month0())
            }
        }
    }

    /// Names a piece: `2026-10-01`, `2026-W40`, `2026-10`. Names sort as the pieces do.
    pub(crate) fn name(self, number: i64) -> String {
        match self {
            Self::Day => date(number).unwrap_or_default().to_string(),
            Self::Week => {
                let week = date(number * 7 - 3).unwrap_or_default().iso_week();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Self::Month => format!(
                "{:04}-{:02}",
                number.div_euclid(12),
                number.rem_euclid(12) + 1
            ),
        }
    }

    /// Returns from when on which piece holds, from one moment to before another. Where a clock is put back over midnight,
    /// a piece comes twice.
    pub(crate) fn edges(
        self,
        clock: &dyn Fn(Timestamp) -> Timestamp,
        since: Timestamp,
        until: Timestamp,
    ) -> Vec<(Timestamp, i64)> {
        let mut edges = vec![(since, self.of(clock(since)))];
        let mut hour = since;
        while hour < until {
            let next = hour.plus(HOUR).min(until);
            self.search(clock, hour, next, &mut edges);
            hour = next;
        }
        // What holds from the end on is none of it.
        edges.retain(|(from, _)| *from < until);
        edges
    }

    /// Finds the edges behind one moment, up to another.
    fn search(
        self,
        clock: &dyn Fn(Timestamp) -> Timestamp,
        low: Timestamp,
        high: Timestamp,
        edges: &mut Vec<(Timestamp, i64)>,
    ) {
        let (from, to) = (clock(low), clock(high));
        let length = high.distance(low);
        // A clock that was not put meanwhile only goes on.
        if to.distance(from) == length && self.of(from) == self.of(to) {
            return;
        }
        if length > 1 {
            let middle = low.plus(length / 2);
            self.search(clock, low, middle, edges);
            self.search(clock, middle, high, edges);
        } else if self.of(from) != self.of(to) {
            edges.push((high, self.of(to)));
        }
    }
}

/// Returns the date of a day since 1970.
fn date(day: i64) -> Option<NaiveDate> {
    let epoch = DateTime::UNIX_EPOCH.date_naive();
    epoch.checked_add_signed(TimeDelta::try_days(day)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_lies_in_a_day_a_week_and_a_month() {
        let cases = [
            ("1970-01-01T00:00:00Z", "1970-01-01", "1970-W01", "1970-01"),
            (
                "1969-12-31T23:59:59.999Z",
                "1969-12-31",
                "1970-W01",
                "1969-12",
            ),
            (
                "1969-12-28T23:59:59.999Z",
                "1969-12-28",
                "1969-W52",
                "1969-12",
            ),
            (
                "2026-10-01T23:59:59.999Z",
                "2026-10-01",
                "2026-W40",
                "2026-10",
            ),
            // The year of a week is not always that of its days.
            ("2027-01-01T12:00:00Z", "2027-01-01", "2026-W53", "2027-01"),
            ("2027-01-03T23:59:59Z", "2027-01-03", "2026-W53", "2027-01"),
            ("2027-01-04T00:00:00Z", "2027-01-04", "2027-W01", "2027-01"),
            ("2024-12-30T00:00:00Z", "2024-12-30", "2025-W01", "2024-12"),
            ("2024-02-29T00:00:00Z", "2024-02-29", "2024-W09", "2024-02"),
            ("0001-01-01T00:00:00Z", "0001-01-01", "0001-W01", "0001-01"),
            ("9999-12-31T23:59:59Z", "9999-12-31", "9999-W52", "9999-12"),
        ];
        for (time, day, week, month) in cases {
            let moment = Timestamp::parse_upstream(time).unwrap();
            let named = [Cut::Day, Cut::Week, Cut::Month].map(|cut| cut.name(cut.of(moment)));
            assert_eq!(named, [day, week, month], "{time}");
        }
    }

    #[test]
    fn pieces_begin_where_the_clock_says_so() {
        let at = |text: &str| Timestamp::parse_upstream(text).unwrap();
        let edges = |cut: Cut, clock: &dyn Fn(Timestamp) -> Timestamp, since: &str, until: &str| {
            let edges = cut.edges(clock, at(since), at(until));
            let told = edges.iter();
            told.map(|(from, number)| format!("{from} {}", cut.name(*number)))
                .collect::<Vec<_>>()
        };
        let utc = |time: Timestamp| time;
        assert_eq!(
            edges(
                Cut::Day,
                &utc,
                "2026-10-01T12:00:00Z",
                "2026-10-03T00:00:00Z"
            ),
            [
                "2026-10-01T12:00:00.000Z 2026-10-01",
                "2026-10-02T00:00:00.000Z 2026-10-02"
            ]
        );
        // A zone whose clock is an hour ahead, and two from the end of September on, less a second.
        let ahead = |time: Timestamp| {
            let is_late = time >= at("2026-09-30T12:00:00Z");
            time.plus(if is_late { 2 * HOUR - 1_000 } else { HOUR })
        };
        assert_eq!(
            edges(
                Cut::Month,
                &ahead,
                "2026-09-30T00:00:00Z",
                "2026-10-31T22:00:01.001Z"
            ),
            [
                "2026-09-30T00:00:00.000Z 2026-09",
                "2026-09-30T22:00:01.000Z 2026-10",
                "2026-10-31T22:00:01.000Z 2026-11"
            ]
        );
        assert_eq!(
            edges(
                Cut::Week,
                &ahead,
                "2026-10-01T00:00:00Z",
                "2026-10-06T00:00:00Z"
            ),
            [
                "2026-10-01T00:00:00.000Z 2026-W40",
                "2026-10-04T22:00:01.000Z 2026-W41"
            ]
        );
        // One that is put back by an hour a minute after midnight: two days come twice, for a minute and for an hour.
        let back = |time: Timestamp| {
            let is_back = time >= at("2026-10-02T00:01:00Z");
            time.plus(if is_back { -HOUR } else { 0 })
        };
        assert_eq!(
            edges(
                Cut::Day,
                &back,
                "2026-10-01T00:00:00Z",
                "2026-10-02T12:00:00Z"
            ),
            [
                "2026-10-01T00:00:00.000Z 2026-10-01",
                "2026-10-02T00:00:00.000Z 2026-10-02",
                "2026-10-02T00:01:00.000Z 2026-10-01",
                "2026-10-02T01:00:00.000Z 2026-10-02"
            ]
        );
    }
}
