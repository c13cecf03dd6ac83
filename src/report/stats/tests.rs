//! What is counted, in which groups, in which order; and quantiles against the definition.

use proptest::prelude::*;

use super::*;
use crate::model::time::{DAY, HOUR};

/// 2026-10-01T00:00:00Z, a Thursday.
const THURSDAY: i64 = 1_790_812_800_000;

fn now() -> Timestamp {
    Timestamp::from_millis(THURSDAY + 30 * DAY).unwrap()
}

fn utc(time: Timestamp) -> Timestamp {
    time
}

fn task(operation: i64, outcome: Outcome, hours: i64, took: i64) -> Counted {
    let created = Timestamp::from_millis(THURSDAY + hours * HOUR);
    Counted {
        operation: Some(operation),
        status: Some(outcome as i64),
        user: None,
        instance: 7,
        outcome,
        is_missing: false,
        created,
        updated: created.map(|created| created.plus(took)),
    }
}

fn tally(keys: &[Key], tasks: &[Counted]) -> Vec<Group> {
    let mut tally = Tally::new(keys, &utc, now());
    for task in tasks {
        tally.add(task);
    }
    tally.groups(|key, value| format!("{key:?} {value:?}"))
}

#[test]
fn every_task_is_counted_once_and_by_how_it_stands() {
    let missing = Counted {
        is_missing: true,
        ..task(1, Outcome::Ended, 0, 70)
    };
    let tasks = [
        task(1, Outcome::Succeeded, 0, 10),
        task(1, Outcome::Succeeded, 0, 30),
        task(1, Outcome::Failed, 0, 50),
        task(1, Outcome::Open, 0, 1_000),
        missing,
    ];
    assert_eq!(
        tally(&[Key::Operation], &tasks),
        [Group {
            keys: vec![Some(1)],
            counts: Counts {
                tasks: 5,
                succeeded: 2,
                failed: 1,
                open: 1,
                missing: 1,
            },
            durations: Some(Durations {
                timed: 4,
                median: 30,
                p95: 70,
                max: 70,
            }),
        }]
    );
    assert_eq!(tally(&[Key::Operation], &[]), []);
    let open = tally(&[Key::Operation], &[task(1, Outcome::Open, 0, 5)]);
    assert_eq!(open[0].durations, None);
}

#[test]
fn the_largest_group_comes_first_and_of_times_the_newest() {
    use Outcome::{Failed, Succeeded};
    let undated = Counted {
        created: None,
        ..task(2, Succeeded, 0, 0)
    };
    let tasks = [
        task(1, Succeeded, 0, 0),
        task(2, Failed, 1, 0),
        task(2, Succeeded, 30, 0),
        task(2, Failed, 31, 0),
        task(3, Succeeded, 24 * 32, 0),
        undated,
    ];
    let keys = |keys: &[Key]| -> Vec<Vec<KeyValue>> {
        let groups = tally(keys, &tasks).into_iter();
        groups.map(|group| group.keys).collect()
    };
    assert_eq!(
        keys(&[Key::Operation]),
        [[Some(2)], [Some(1)], [Some(3)]],
        "names decide between equal ones"
    );
    assert_eq!(
        keys(&[Key::Operation, Key::Status]),
        [
            [Some(2), Some(Succeeded as i64)],
            [Some(2), Some(Failed as i64)],
            [Some(1), Some(Succeeded as i64)],
            [Some(3), Some(Succeeded as i64)],
        ]
    );
    let day = Cut::Day.of(Timestamp::from_millis(THURSDAY).unwrap());
    assert_eq!(
        keys(&[Key::Created(Cut::Day)]),
        [[Some(day + 32)], [Some(day + 1)], [Some(day)], [None]]
    );
    assert_eq!(keys(&[Key::Created(Cut::Month)]).len(), 3);
    assert_eq!(
        keys(&[Key::Instance, Key::User]),
        [[Some(7), None]],
        "what has no user is a group as well"
    );
}

#[test]
fn days_begin_where_the_clock_says() {
    let tasks = [
        task(1, Outcome::Succeeded, 21, 0),
        task(1, Outcome::Succeeded, 23, 0),
    ];
    let berlin = |time: Timestamp| time.plus(2 * HOUR);
    let keys = [Key::Created(Cut::Day)];
    let mut there = Tally::new(&keys, &berlin, now());
    for task in &tasks {
        there.add(task);
    }
    assert_eq!(there.groups(|_, _| String::new()).len(), 2);
    assert_eq!(tally(&keys, &tasks).len(), 1);
}

proptest! {
    /// A quantile is the least value that at least so many of the values do not exceed.
    #[test]
    fn a_quantile_is_the_nearest_rank(values in prop::collection::vec(0_i64..1_000, 0..200)) {
        let found = quantiles(values.clone());
        prop_assert_eq!(found.is_none(), values.is_empty());
        let enough = |percent: usize, value: i64| {
            values.iter().filter(|one| **one <= value).count() * 100 >= percent * values.len()
        };
        if let Some(found) = found {
            prop_assert_eq!(found.timed, values.len() as u64);
            prop_assert_eq!(Some(found.max), values.iter().copied().max());
            for (percent, value) in [(50, found.median), (95, found.p95)] {
                prop_assert!(values.contains(&value));
                prop_assert!(enough(percent, value));
                prop_assert!(values.iter().filter(|one| **one < value).all(|one| !enough(percent, *one)));
            }
        }
    }
}
