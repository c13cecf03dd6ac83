//! Lengths of time as people type them: `500ms`, `5s`, `10m`, `36h`, `7d`, `2w`.

use std::time::Duration;

/// The units and their length in milliseconds. No months and no years: those are not lengths.
const UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// Reads a whole number and its unit, with nothing before, between or after them.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if number.is_empty() {
        return Err(
            "a duration is a whole number and a unit, such as 500ms, 5s, 10m, 36h, 7d".to_owned(),
        );
    }
    let Some((_, millis)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(if unit.is_empty() {
            "a unit is missing: one of ms, s, m, h, d, w".to_owned()
        } else {
            format!(
                "`{}` is not one of the units ms, s, m, h, d, w",
                unit.escape_default()
            )
        });
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*millis))
        .map(Duration::from_millis)
        .ok_or_else(|| "the duration is too long".to_owned())
}

/// Reads a duration that something can be done in.
pub(crate) fn positive(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err("nothing can be done in no time".to_owned()),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        let cases = [
            ("0s", 0),
            ("500ms", 500),
            ("5s", 5_000),
            ("10m", 600_000),
            ("36h", 129_600_000),
            ("7d", 604_800_000),
            ("2w", 1_209_600_000),
            ("007s", 7_000),
            ("18446744073709551615ms", u64::MAX),
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_not_exactly_that_is_refused_with_the_reason() {
        let cases = [
            ("", "a whole number and a unit"),
            ("s", "a whole number and a unit"),
            ("-5s", "a whole number and a unit"),
            ("+5s", "a whole number and a unit"),
            (" 5s", "a whole number and a unit"),
            ("5", "a unit is missing"),
            ("5 s", "is not one of the units"),
            ("5s ", "is not one of the units"),
            ("1.5h", "is not one of the units"),
            ("1h30m", "is not one of the units"),
            ("5S", "is not one of the units"),
            ("5M", "is not one of the units"),
            ("1y", "is not one of the units"),
            ("5\u{1b}[2J", "`\\u{1b}[2J` is not"),
            ("٥s", "a whole number and a unit"),
            ("18446744073709551616ms", "too long"),
            ("18446744073709551615w", "too long"),
        ];
        for (text, reason) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }
}
