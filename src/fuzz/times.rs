//! Times and durations, of the cloud and of people: read as chrono reads them where it does, written so that they are read
//! again as the same, and in order.

use chrono::{DateTime, Datelike as _, Timelike as _};

use super::{every_case, mutate};
use crate::cli::{duration, when};
use crate::model::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};
use crate::simulator::rng::Rng;

const EVERYDAY: u64 = 5_000;

const WORDS: [&[u8]; 16] = [
    b"T",
    b" ",
    b"Z",
    b"z",
    b"+",
    b"-",
    b":",
    b".",
    b"60",
    b"00",
    b"+00:00",
    b"-23:59",
    b"+9999",
    b"2024-02-29",
    b"Q3",
    b"999999999999999999999",
];

const UNITS: [(&str, i64); 6] = [
    ("ms", 1),
    ("s", SECOND),
    ("m", MINUTE),
    ("h", HOUR),
    ("d", DAY),
    ("w", 7 * DAY),
];

fn moment(rng: &mut Rng) -> Timestamp {
    let millis = rng.between(-62_167_219_200_000, 253_402_300_799_999);
    Timestamp::from_millis(millis).expect("it is within the years")
}

/// A time as somebody might write it.
fn written(rng: &mut Rng) -> String {
    let fraction = match rng.below(3) {
        0 => String::new(),
        _ => format!(".{:0width$}", rng.below(1_000), width = 1 + rng.index(11)),
    };
    let zone = match rng.below(4) {
        0 => "Z".to_owned(),
        1 => format!("+{:02}:{:02}", rng.below(25), rng.below(61)),
        2 => format!("-{:02}{:02}", rng.below(24), rng.below(60)),
        _ => String::new(),
    };
    let mut text = format!(
        "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{fraction}{zone}",
        rng.below(10_000),
        rng.below(14),
        rng.below(33),
        rng.pick(["T", "t", " ", "_"]),
        rng.below(25),
        rng.below(61),
        rng.below(62),
    );
    if rng.one_in(3) {
        let mut bytes = text.into_bytes();
        mutate::bytes(&mut bytes, 2, &WORDS, rng);
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    text
}

#[test]
fn a_time_is_what_chrono_says_and_comes_back_as_itself() {
    every_case("times", EVERYDAY, |rng| {
        let (one, other) = (moment(rng), moment(rng));
        assert_eq!(Timestamp::parse_upstream(&one.to_string()), Some(one));
        assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        let text = if rng.one_in(8) {
            mutate::text(rng)
        } else {
            written(rng)
        };
        upstream(&text);
        typed(&text, one);
        age(one, rng);
        length(rng);
    });
}

/// The upstream's time.
fn upstream(text: &str) {
    let read = Timestamp::parse_upstream(text);
    if let Some(read) = read {
        assert_eq!(
            Timestamp::parse_upstream(&read.to_string()),
            Some(read),
            "{text:?}"
        );
    }
    let digits = text.split_once('.').map_or(0, |(_, rest)| {
        rest.bytes().take_while(u8::is_ascii_digit).count()
    });
    let Ok(chrono) = DateTime::parse_from_rfc3339(text.trim()) else {
        return;
    };
    // Beyond nine digits chrono drops what it cannot keep; we say that this is no time.
    let utc = chrono.naive_utc();
    if digits > 9 || !(0..=9_999).contains(&utc.year()) || !text.is_ascii() {
        return;
    }
    // A leap second is a nanosecond beyond the last there, and the last millisecond here.
    let expected = if utc.nanosecond() >= 1_000_000_000 {
        utc.and_utc().timestamp() * SECOND + 999
    } else {
        utc.and_utc().timestamp_millis()
    };
    assert_eq!(read.map(Timestamp::millis), Some(expected), "{text:?}");
}

/// What people type.
fn typed(text: &str, now: Timestamp) {
    let read = when::parse(text, now);
    if let Some(sent) = Timestamp::parse_upstream(text) {
        assert_eq!(read, Ok(sent), "{text:?}");
    }
    if let Ok((first, end)) = when::period_of(text, now) {
        assert!(first <= end, "{text:?}: {first} to {end}");
        assert_eq!(read, Ok(first), "{text:?}");
    }
    if let Ok(read) = read {
        assert_eq!(when::parse(&read.to_string(), now), Ok(read), "{text:?}");
    }
}

fn age(now: Timestamp, rng: &mut Rng) {
    let (unit, millis) = rng.pick(UNITS);
    let bits = rng.below(63);
    let count = rng.below(1 << bits);
    let text = format!("{count}{unit}");
    let read = when::parse(&text, now);
    let back = i64::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(millis));
    let then = back.and_then(|back| Timestamp::from_millis(now.millis().checked_sub(back)?));
    match then {
        // No age is told in milliseconds.
        Some(then) if unit != "ms" => assert_eq!(read, Ok(then), "{text} before {now}"),
        _ => assert!(read.is_err(), "{text} before {now}: {read:?}"),
    }
}

fn length(rng: &mut Rng) {
    let (unit, millis) = rng.pick(UNITS);
    let bits = rng.below(64);
    let count = rng.below(u64::MAX >> bits);
    let text = format!("{count}{unit}");
    let expected = count.checked_mul(millis.unsigned_abs());
    let read = duration::parse(&text).ok();
    let read =
        read.map(|read| u64::try_from(read.as_millis()).expect("it was read from that many bits"));
    assert_eq!(read, expected, "{text}");
    let odd = if rng.one_in(2) {
        mutate::text(rng)
    } else {
        format!("{text}{}", mutate::text(rng))
    };
    if duration::parse(&odd).is_ok() {
        let number = odd.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let unit = &odd[number.len()..];
        assert!(
            number.bytes().all(|byte| byte.is_ascii_digit())
                && UNITS.iter().any(|(known, _)| *known == unit),
            "{odd:?}"
        );
    }
}
