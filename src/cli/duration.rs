//! Durations as people type them: `500ms`, `5s`, `10m`, `36h`, `7d`.

use std::time::Duration;

use thiserror::Error;

/// The units with their length in milliseconds; `ms` stands before `m` and `s`, which it would be taken for.
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// The longest duration: the program counts milliseconds in 64 bits with a sign.
const LONGEST: u64 = i64::MAX.unsigned_abs();

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum DurationError {
    #[error("a duration is a whole number and a unit: 500ms, 5s, 10m, 36h or 7d")]
    Form,
    #[error("a unit is missing: write 500ms, 5s, 10m, 36h or 7d")]
    NoUnit,
    #[error("a duration cannot be negative")]
    Negative,
    #[error("only whole numbers are read: write 90m for an hour and a half")]
    Fraction,
    #[error("the duration is too long")]
    TooLong,
}

/// Reads a duration.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if text.starts_with('-') {
        return Err(DurationError::Negative);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(DurationError::Form);
    }
    if unit.is_empty() {
        return Err(DurationError::NoUnit);
    }
    if unit.starts_with(['.', ',']) {
        return Err(DurationError::Fraction);
    }
    let (_, length) = UNITS
        .into_iter()
        .find(|(name, _)| *name == unit)
        .ok_or(DurationError::Form)?;
    // The only way for a run of digits not to be a number is to be too large a one.
    let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
    number
        .checked_mul(length)
        .filter(|millis| *millis <= LONGEST)
        .map(Duration::from_millis)
        .ok_or(DurationError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_every_unit() {
        let cases = [
            ("0s", 0),
            ("500ms", 500),
            ("5s", 5_000),
            ("10m", 600_000),
            ("36h", 129_600_000),
            ("7d", 604_800_000),
            ("007d", 604_800_000),
            ("9223372036854775807ms", LONGEST),
            ("106751991167d", 106_751_991_167 * 86_400_000),
        ];
        for (text, millis) in cases {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused_with_its_reason() {
        let cases = [
            ("", DurationError::Form),
            ("h", DurationError::Form),
            ("5w", DurationError::Form),
            ("5 s", DurationError::Form),
            (" 5s", DurationError::Form),
            ("5s ", DurationError::Form),
            ("5S", DurationError::Form),
            ("+5s", DurationError::Form),
            ("1h30m", DurationError::Form),
            ("5sec", DurationError::Form),
            ("٥s", DurationError::Form),
            ("forever", DurationError::Form),
            ("0", DurationError::NoUnit),
            ("5", DurationError::NoUnit),
            ("-5s", DurationError::Negative),
            ("1.5h", DurationError::Fraction),
            ("1,5h", DurationError::Fraction),
            ("9223372036854775808ms", DurationError::TooLong),
            ("106751991168d", DurationError::TooLong),
            ("18446744073709551616s", DurationError::TooLong),
            ("99999999999999999999999999d", DurationError::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(parse_duration(text), Err(error), "{text:?}");
        }
    }
}
