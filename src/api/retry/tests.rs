//! The schedule as tables of cases.

use super::*;

const RULES: Rules = Rules {
    retries: 3,
    base: Duration::from_millis(500),
};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The steps taken when the same failure comes again and again; the random number is always one.
fn steps(class: Class, asked: Asked, warm: bool, rules: Rules) -> Vec<Step> {
    let (mut tally, mut budget) = (Tally::default(), Budget::full());
    let mut steps = Vec::new();
    while !matches!(steps.last(), Some(Step::Stop(_))) {
        steps.push(next(
            class,
            asked,
            warm,
            &mut tally,
            rules,
            &mut budget,
            1.0,
        ));
    }
    steps
}

#[test]
fn of_all_statuses_these_are_asked_again() {
    let again: Vec<u16> = (100..600)
        .filter(|status| class_of_status(*status) == Class::Transient)
        .collect();
    assert_eq!(again, [408, 429, 500, 502, 503, 504]);
    let never = (300..600).filter(|status| class_of_status(*status) == Class::Never);
    assert_eq!(never.count(), 300 - again.len());
}

#[test]
fn waits_double_up_to_their_cap_and_are_spread() {
    let cases = [
        (0, 500, 1.0, 500),
        (1, 500, 1.0, 1_000),
        (2, 500, 0.5, 1_000),
        (5, 500, 1.0, 16_000),
        (6, 500, 1.0, 20_000),
        (u32::MAX, 500, 1.0, 20_000),
        (u32::MAX, 500, 0.0, 0),
        (0, 60_000, 1.0, 20_000),
        (9, 0, 1.0, 0),
        (1, 500, -1.0, 0),
        (1, 500, 7.0, 1_000),
    ];
    for (retry, base, random, expected) in cases {
        assert_eq!(
            wait(retry, millis(base), random),
            millis(expected),
            "{retry} {base} {random}"
        );
    }
}

#[test]
fn retry_after_is_read_as_seconds_or_as_a_date_on_the_servers_clock() {
    let date = http_date::parse("Mon, 23 Nov 2026 20:00:00 GMT");
    let cases = [
        ("0", date, Asked::Wait(millis(0))),
        ("7", None, Asked::Wait(millis(7_000))),
        (" 60 ", None, Asked::Wait(millis(60_000))),
        ("61", None, Asked::TooLong(millis(61_000))),
        ("86400", None, Asked::TooLong(millis(86_400_000))),
        (
            "99999999999999999999999",
            None,
            Asked::TooLong(Duration::from_secs(u64::MAX)),
        ),
        (
            "Mon, 23 Nov 2026 20:00:09 GMT",
            date,
            Asked::Wait(millis(9_000)),
        ),
        (
            "Mon, 23 Nov 2026 21:00:00 GMT",
            date,
            Asked::TooLong(millis(3_600_000)),
        ),
        (
            "Mon, 23 Nov 2026 19:59:59 GMT",
            date,
            Asked::Wait(millis(0)),
        ),
        ("Mon, 23 Nov 2026 20:00:09 GMT", None, Asked::Nothing),
        ("-5", date, Asked::Nothing),
        ("1.5", date, Asked::Nothing),
        ("+5", date, Asked::Nothing),
        ("soon", date, Asked::Nothing),
        ("", date, Asked::Nothing),
    ];
    for (header, date, expected) in cases {
        assert_eq!(retry_after(header, date), expected, "{header:?}");
    }
}

#[test]
fn each_kind_of_failure_is_asked_again_as_often_as_it_deserves() {
    use Step::{Repeat, Retry, Stop};
    let ladder = [
        Retry(millis(500)),
        Retry(millis(1_000)),
        Retry(millis(2_000)),
    ];
    let given_up = Stop(super::Stop::Attempts);
    let cases: &[(Class, Asked, bool, &[Step])] = &[
        (
            Class::Never,
            Asked::Nothing,
            true,
            &[Stop(super::Stop::Final)],
        ),
        (
            Class::Never,
            Asked::Wait(millis(1)),
            true,
            &[Stop(super::Stop::Final)],
        ),
        (
            Class::Transient,
            Asked::Nothing,
            true,
            &[ladder[0], ladder[1], ladder[2], given_up],
        ),
        (
            Class::Transient,
            Asked::Wait(millis(1_500)),
            false,
            &[
                Retry(millis(1_500)),
                Retry(millis(1_500)),
                ladder[2],
                given_up,
            ],
        ),
        (
            Class::Transient,
            Asked::TooLong(millis(61_000)),
            false,
            &[Stop(super::Stop::AskedToWait)],
        ),
        (
            Class::Closed,
            Asked::Nothing,
            false,
            &[ladder[0], ladder[1], ladder[2], given_up],
        ),
        (
            Class::Closed,
            Asked::Nothing,
            true,
            &[Repeat, ladder[0], ladder[1], ladder[2], given_up],
        ),
        (
            Class::Malformed,
            Asked::Nothing,
            true,
            &[ladder[0], ladder[1], given_up],
        ),
    ];
    for (class, asked, warm, expected) in cases {
        assert_eq!(
            steps(*class, *asked, *warm, RULES),
            *expected,
            "{class:?} {asked:?} {warm}"
        );
    }
}

#[test]
fn without_retries_nothing_is_asked_again_but_a_dropped_idle_connection() {
    let rules = Rules {
        retries: 0,
        ..RULES
    };
    let given_up = Step::Stop(Stop::Attempts);
    let transient = steps(Class::Transient, Asked::Nothing, true, rules);
    assert_eq!(transient, [given_up]);
    let closed = steps(Class::Closed, Asked::Nothing, true, rules);
    assert_eq!(closed, [Step::Repeat, given_up]);
}

#[test]
fn a_run_spends_a_hundred_retries_and_earns_more_by_succeeding() {
    let mut budget = Budget::full();
    let mut retry = || {
        let mut tally = Tally::default();
        let budget = &mut budget;
        next(
            Class::Transient,
            Asked::Nothing,
            false,
            &mut tally,
            RULES,
            budget,
            0.0,
        )
    };
    assert!((0..100).all(|_| retry() == Step::Retry(millis(0))));
    assert_eq!(retry(), Step::Stop(Stop::Budget));
    for _ in 0..5 {
        budget.earn();
    }
    assert!(budget.spend());
    assert!(!budget.spend());
    for _ in 0..10_000 {
        budget.earn();
    }
    assert_eq!(budget.units, Budget::CAPACITY);
}
