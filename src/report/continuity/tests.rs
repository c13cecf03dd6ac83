//! Stories that go on and stories that do not, and what the loss of one task shows.

use proptest::prelude::*;

use super::*;
use crate::report::state::tests::{at, change, stated, timed};

/// A port that was moved: key, from, to, and the minutes of beginning and end.
fn moved(key: i64, old: Option<&str>, new: Option<&str>, began: i64, ended: i64) -> Change {
    timed(
        change(key, "UpdatePort", vec![stated("port", old, new)]),
        began,
        ended,
    )
}

fn told(changes: &[Change]) -> Vec<(i64, i64)> {
    let breaks = breaks(changes, at(10_000));
    let keys = breaks.iter();
    keys.map(|found| (found.earlier.task_key, found.later.task_key))
        .collect()
}

/// A name, the changes, and the keys of the tasks around each break.
type Case = (&'static str, Vec<Change>, &'static [(i64, i64)]);

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn a_break_lies_where_a_task_finds_what_no_task_left() {
    let one = || moved(1, Some("6379"), Some("6380"), 0, 5);
    let failed = |mut change: Change| {
        change.outcome = Outcome::Failed;
        change
    };
    let undated = |mut change: Change| {
        (change.created, change.updated) = (None, None);
        change
    };
    let cases: [Case; 15] = [
        ("one alone", vec![one()], &[]),
        (
            "it goes on",
            vec![one(), moved(2, Some("6380"), Some("7000"), 10, 15)],
            &[],
        ),
        (
            "it does not",
            vec![one(), moved(2, Some("7000"), Some("6379"), 10, 15)],
            &[(1, 2)],
        ),
        (
            "in whatever order the rows come",
            vec![moved(2, Some("7000"), Some("6379"), 10, 15), one()],
            &[(1, 2)],
        ),
        (
            "numbers are numbers",
            vec![one(), moved(2, Some("6380.0"), Some("7000"), 10, 15)],
            &[],
        ),
        (
            "nothing is said of before",
            vec![one(), moved(2, None, Some("7000"), 10, 15)],
            &[],
        ),
        (
            "nothing is said of after",
            vec![
                moved(1, Some("6379"), None, 0, 5),
                moved(2, Some("7000"), Some("1"), 10, 15),
            ],
            &[],
        ),
        (
            "one in between states nothing",
            vec![
                one(),
                timed(change(3, "UpdatePort", vec![]), 6, 7),
                moved(2, Some("7000"), Some("6379"), 10, 15),
            ],
            &[],
        ),
        (
            "what failed changed nothing",
            vec![
                one(),
                failed(moved(3, Some("6380"), Some("9000"), 6, 7)),
                moved(2, Some("6380"), Some("7000"), 10, 15),
            ],
            &[],
        ),
        (
            "what failed is no witness",
            vec![one(), failed(moved(2, Some("7000"), Some("6379"), 10, 15))],
            &[],
        ),
        (
            "side by side: it found the state before the other",
            vec![
                one(),
                moved(2, Some("6380"), Some("7000"), 10, 20),
                moved(3, Some("6380"), Some("8000"), 11, 30),
            ],
            &[],
        ),
        (
            "side by side, and neither left it",
            vec![
                one(),
                moved(2, Some("6380"), Some("7000"), 10, 20),
                moved(3, Some("9000"), Some("8000"), 11, 30),
            ],
            &[(1, 3)],
        ),
        (
            "side by side from the start",
            vec![
                moved(1, Some("6379"), Some("6380"), 0, 20),
                moved(2, Some("7000"), Some("8000"), 10, 30),
            ],
            &[],
        ),
        (
            "one without a time has no place",
            vec![one(), undated(moved(2, Some("7000"), Some("6379"), 10, 15))],
            &[],
        ),
        (
            "two breaks",
            vec![
                one(),
                moved(2, Some("7000"), Some("7001"), 10, 15),
                moved(3, Some("9000"), Some("9001"), 20, 25),
            ],
            &[(1, 2), (2, 3)],
        ),
    ];
    for (name, changes, expected) in cases {
        assert_eq!(told(&changes), expected, "{name}");
    }
}

#[test]
fn a_break_says_what_was_left_and_what_was_found_and_when() {
    let changes = [
        moved(1, Some("6379"), Some("6380"), 0, 5),
        moved(2, Some("7000"), Some("6379"), 10, 15),
    ];
    let found = breaks(&changes, at(10_000));
    let one = &found[0];
    assert_eq!(
        (one.attribute.name, one.left, one.found),
        ("port", "6380", "7000")
    );
    assert_eq!((one.since, one.until), (at(5), at(10)));
}

#[test]
fn each_attribute_has_its_own_story() {
    let capacity = |old: &str, new: &str| stated("capacity", Some(old), Some(new));
    let mode = |old: &str, new: &str| stated("cache_mode", Some(old), Some(new));
    let changes = [
        timed(
            change(1, "EXTEND", vec![capacity("1", "2"), mode("single", "ha")]),
            0,
            5,
        ),
        timed(
            change(2, "EXTEND", vec![capacity("2", "4"), mode("single", "ha")]),
            10,
            15,
        ),
        timed(
            change(3, "ChangeInstanceSpec", vec![capacity("4.0", "8")]),
            20,
            25,
        ),
    ];
    let found = breaks(&changes, at(10_000));
    let names: Vec<_> = found.iter().map(|found| found.attribute.name).collect();
    assert_eq!(names, ["cache_mode"]);
}

proptest! {
    /// A history in which each task found what the one before left has no break; and where one task of it is missing, the
    /// only break that shows is the one around its place.
    #[test]
    fn a_lost_task_shows_beside_its_place_or_not_at_all(
        values in prop::collection::vec(0_u8..4, 2..12),
        lost in any::<prop::sample::Index>(),
        pause in 0_i64..3,
    ) {
        let count = values.len() - 1;
        let mut changes: Vec<_> = values
            .windows(2)
            .zip(0_i64..)
            .map(|(pair, place)| {
                let began = place * 10;
                let text = [pair[0].to_string(), format!("{}.0", pair[1])];
                moved(place, Some(&text[0]), Some(&text[1]), began, began + 10 - pause)
            })
            .collect();
        prop_assert_eq!(told(&changes), []);
        let lost = lost.index(count);
        changes.remove(lost);
        let last = i64::try_from(lost).unwrap();
        let found = told(&changes);
        let would_show = lost > 0 && lost + 1 < count && values[lost] != values[lost + 1];
        let expected = if would_show { vec![(last - 1, last + 1)] } else { Vec::new() };
        prop_assert_eq!(found, expected);
    }
}
