//! Days, weeks and months: which one a moment lies in, and what it is called.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta};

use crate::model::time::{DAY, Timestamp};

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
}
