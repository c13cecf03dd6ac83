//! Values as people say them. Data formats never use this: there a time has milliseconds and a duration is a number.

/// Returns a duration in the two units that matter: `0.9s`, `12s`, `1m05s`, `3h07m`, `2d04h`.
pub(crate) fn duration(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let seconds = millis / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    if seconds < 10 {
        format!("{sign}{seconds}.{}s", millis % 1_000 / 100)
    } else if minutes == 0 {
        format!("{sign}{seconds}s")
    } else if hours == 0 {
        format!("{sign}{minutes}m{:02}s", seconds % 60)
    } else if days == 0 {
        format!("{sign}{hours}h{:02}m", minutes % 60)
    } else {
        format!("{sign}{days}d{:02}h", hours % 24)
    }
}

/// How much of a time a narrow column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    Minute,
    Second,
    /// All of it, in the form of the data formats.
    Whole,
}

/// Shortens a time of the archive, `2020-06-17T08:18:06.597Z`, to `2020-06-17 08:18:06`; any other text stays.
pub(super) fn moment(text: &str, precision: Precision) -> String {
    let length = match precision {
        Precision::Minute => 16,
        Precision::Second => 19,
        Precision::Whole => return text.to_owned(),
    };
    if text.len() == 24 && text.is_ascii() && text.ends_with('Z') {
        text[..length].replace('T', " ")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_said_in_two_units() {
        let cases = [
            (0, "0.0s"),
            (949, "0.9s"),
            (9_999, "9.9s"),
            (10_000, "10s"),
            (65_250, "1m05s"),
            (3_599_999, "59m59s"),
            (11_220_000, "3h07m"),
            (187_200_000, "2d04h"),
            (-65_250, "-1m05s"),
            (i64::MIN, "-106751991167d07h"),
        ];
        for (millis, expected) in cases {
            assert_eq!(duration(millis), expected);
        }
    }

    #[test]
    fn only_a_time_is_shortened() {
        let time = "2020-06-17T08:18:06.597Z";
        assert_eq!(moment(time, Precision::Second), "2020-06-17 08:18:06");
        assert_eq!(moment(time, Precision::Minute), "2020-06-17 08:18");
        assert_eq!(
            moment("実例実例実例実例", Precision::Second),
            "実例実例実例実例"
        );
        assert_eq!(moment("", Precision::Second), "");
    }
}
