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

/// Draws a number as a bar of at most so many columns, to the eighth of one; `most` fills all of them. What is more than
/// nothing is seen.
pub(crate) fn bar(value: i64, most: i64, room: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if value <= 0 || most <= 0 {
        return String::new();
    }
    let all = room as u128 * 8;
    let (value, most) = (
        u128::from(value.unsigned_abs()),
        u128::from(most.unsigned_abs()),
    );
    let eighths = (value * all / most).clamp(1, all);
    let whole = usize::try_from(eighths / 8).unwrap_or(room);
    let rest = usize::try_from(eighths % 8).unwrap_or_default();
    "█".repeat(whole) + EIGHTHS[rest]
}

/// Returns a number of bytes in the unit that fits: `512 B`, `3.4 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let fitting = UNITS.iter().find(|(_, shift)| bytes >> shift > 0);
    fitting.map_or_else(
        || format!("{bytes} B"),
        |(unit, shift)| {
            let tenths = (u128::from(bytes) * 10) >> shift;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        },
    )
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

/// Says how long before `now` a moment lies, both in milliseconds: `53 days ago`, `in 5 minutes`.
pub(crate) fn age(then: i64, now: i64) -> String {
    let away = now.saturating_sub(then);
    let seconds = away.unsigned_abs() / 1_000;
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if away < 0 {
        format!("in {count} {unit}{plural}")
    } else {
        format!("{count} {unit}{plural} ago")
    }
}

/// Names an attribute that a task states: one of its parameters says so.
pub(crate) fn attribute(source: &str, name: &str) -> String {
    if source == "params" {
        format!("params.{name}")
    } else {
        name.to_owned()
    }
}

/// Says what became of a value: `4 → 8`, the value that was set, or that it was stated as old only.
pub(crate) fn change(old: Option<&str>, new: Option<&str>) -> String {
    match (old, new) {
        (None, new) => new.unwrap_or_default().to_owned(),
        (Some(old), None) => format!("{old} → (nothing)"),
        (Some(old), Some(new)) => format!("{old} → {new}"),
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
    fn a_bar_is_as_long_as_its_share_of_the_longest() {
        let cases = [
            (8, 8, "████"),
            (4, 8, "██"),
            (1, 8, "▌"),
            (3, 8, "█▌"),
            (1, 1_000_000, "▏"),
            (0, 8, ""),
            (-1, 8, ""),
            (9, 8, "████"),
            (5, 0, ""),
            (i64::MAX, i64::MAX, "████"),
        ];
        for (value, most, expected) in cases {
            assert_eq!(bar(value, most, 4), expected, "{value} of {most}");
        }
    }

    #[test]
    fn an_age_is_said_in_one_unit() {
        let cases = [
            (0, "0 seconds ago"),
            (1_999, "1 second ago"),
            (119_999, "119 seconds ago"),
            (120_000, "2 minutes ago"),
            (7_200_000, "2 hours ago"),
            (172_799_999, "47 hours ago"),
            (4_579_200_000, "53 days ago"),
            (-90_000, "in 90 seconds"),
            (i64::MAX, "106751991167 days ago"),
        ];
        for (away, expected) in cases {
            assert_eq!(age(0, away), expected);
        }
    }

    #[test]
    fn a_change_is_said_with_what_is_known_of_it() {
        let cases = [
            (Some("4"), Some("8"), "4 → 8"),
            (Some("4"), None, "4 → (nothing)"),
            (None, Some("true"), "true"),
            (None, None, ""),
        ];
        for (old, new, expected) in cases {
            assert_eq!(change(old, new), expected);
        }
        assert_eq!(attribute("params", "x"), "params.x");
        assert_eq!(attribute("details", "x"), "x");
    }

    #[test]
    fn a_size_is_said_in_the_unit_that_fits() {
        let cases = [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (3_565_158, "3.3 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(size(bytes), expected);
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
