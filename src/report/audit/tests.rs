//! Which task belongs where, as a table; and a report's facts against the obvious count.

use super::*;
use crate::model::fact::Missing;
use crate::model::time::{HOUR, MINUTE};
use crate::report::state::tests::{at, change, stated, timed};

/// From the 100th to the 200th minute; the archive read last in the 1,000th.
fn scope() -> Scope {
    Scope {
        since: at(100),
        until: at(200),
        server_now: at(1_000),
        long: HOUR,
    }
}

fn task(status: &str, created: Option<i64>, updated: Option<i64>) -> Change {
    let mut task = change(1, "modify", vec![]);
    task.status = Some(status.to_owned());
    task.outcome = Outcome::of(Some(status));
    (task.created, task.updated) = (created.map(at), updated.map(at));
    task
}

fn missed(mut task: Change, since: i64, looks: &str) -> Change {
    task.missing = Some(Missing {
        since: at(since),
        is_confirmed: true,
        looks: Some(looks.to_owned()),
    });
    task
}

#[test]
fn a_task_belongs_where_its_times_and_its_outcome_put_it() {
    let none = Place::default();
    let created = Place {
        is_created: true,
        ..none
    };
    let finished = Place {
        is_finished: true,
        ..none
    };
    let long = Place {
        is_long: true,
        ..none
    };
    let undated = Place {
        is_undated: true,
        ..none
    };
    let missing = Place {
        is_missing: true,
        ..none
    };
    let mut late = task("SUCCESS", None, Some(150));
    late.first_seen = Some(at(101));
    let mut early = late.clone();
    early.first_seen = Some(at(100));
    let success = |created, updated| task("SUCCESS", Some(created), Some(updated));
    let cases = [
        ("its first moment", success(100, 110), created),
        ("before it", success(99, 99), none),
        ("its end is excluded", success(200, 210), none),
        ("its last moment", success(199, 210), created),
        ("began before, ended in it", success(90, 100), finished),
        ("ended behind it", success(90, 200), none),
        (
            "began before, still open",
            task("EXECUTING", Some(90), Some(150)),
            long,
        ),
        (
            "failed",
            task("FAILED", Some(100), Some(110)),
            Place {
                is_failed: true,
                ..created
            },
        ),
        ("failed before", task("FAILED", Some(90), Some(95)), none),
        ("cancelled", task("CANCELED", Some(100), Some(110)), created),
        ("an hour", success(100, 160), created),
        (
            "more than an hour",
            success(100, 161),
            Place {
                is_long: true,
                ..created
            },
        ),
        ("long, before the period", success(10, 95), none),
        ("long, finished in it", success(10, 150), finished),
        ("ended before it began", success(150, 90), created),
        ("without an end", task("SUCCESS", Some(150), None), created),
        (
            "open for a moment",
            task("EXECUTING", Some(199), None),
            Place {
                is_long: true,
                ..created
            },
        ),
        ("no time at all", task("SUCCESS", None, None), undated),
        ("no creation, seen in the period", late, undated),
        ("no creation, seen before", early, none),
        (
            "missed later",
            missed(success(100, 110), 500, "removed"),
            Place {
                is_missing: true,
                ..created
            },
        ),
        (
            "created before, missed in it",
            missed(success(10, 11), 150, "aged_out"),
            missing,
        ),
        (
            "created before, missed later",
            missed(success(10, 11), 500, "aged_out"),
            none,
        ),
    ];
    for (name, change, expected) in cases {
        assert_eq!(place(&change, &scope()), expected, "{name}");
    }
}

#[test]
fn how_long_a_task_took_needs_times_that_can_be_believed() {
    let cases = [
        (task("SUCCESS", Some(0), Some(2)), Some(2 * MINUTE)),
        (task("EXECUTING", Some(0), Some(2)), Some(1_000 * MINUTE)),
        (task("SUCCESS", Some(2), Some(0)), None),
        (task("SUCCESS", None, Some(0)), None),
        (task("SUCCESS", Some(0), Some(5_000)), None),
    ];
    for (change, expected) in cases {
        assert_eq!(change.took(scope().server_now), expected, "{change:?}");
    }
}

#[test]
fn lists_keep_their_first_rows_and_count_all() {
    let limits = Limits {
        list: 2,
        changes: 3,
    };
    let mut facts = Facts::new(scope(), limits);
    let failed = |key, minute| {
        let mut change = task("FAILED", Some(minute), Some(minute + 1));
        change.task_key = key;
        change
    };
    // The newest comes first, as a first sync brings it.
    let one: Vec<_> = (0..5).map(|key| failed(key, 150 - key)).collect();
    facts.add(&one);
    facts.add(&[]);
    facts.add(&[failed(9, 100)]);
    assert_eq!(facts.counts.tasks, 6);
    assert_eq!(facts.counts.failed, 6);
    let tasks: Vec<_> = facts.instances.iter().map(|one| one.counts.tasks).collect();
    assert_eq!(tasks, [5, 0, 1]);
    let kept: Vec<_> = facts.failures.kept().collect();
    let kept: Vec<_> = kept
        .iter()
        .map(|one| (one.instance, one.change.task_key))
        .collect();
    assert_eq!(kept, [(2, 9), (0, 4)]);
    assert_eq!(facts.failures.total(), 6);
    let changes = &facts.instances[0].changes;
    let kept: Vec<_> = changes.kept().map(|one| one.change.task_key).collect();
    assert_eq!((kept, changes.total()), (vec![4, 3, 2], 5));
    // A password each time, and none of them took effect.
    assert_eq!(facts.exposures.total(), 6);
    assert_eq!(facts.turns, []);
}

#[test]
fn marks_breaks_and_turns_are_those_of_the_period() {
    let port = |key, old, new, began| {
        let stated = vec![stated("port", Some(old), Some(new))];
        timed(change(key, "UpdatePort", stated), began, began + 1)
    };
    let mut facts = Facts::new(
        scope(),
        Limits {
            list: 10,
            changes: 10,
        },
    );
    facts.add(&[
        port(1, "1", "2", 10),
        // Found 5 where 2 was left; the second break lies behind the period.
        port(2, "5", "6", 100),
        port(3, "6", "7", 199),
        port(4, "9", "1", 300),
    ]);
    let breaks: Vec<_> = facts.breaks.kept().collect();
    let told: Vec<_> = breaks
        .iter()
        .map(|one| (one.left.as_str(), one.found.as_str(), one.later.as_str()))
        .collect();
    assert_eq!(told, [("2", "5", "task-2")]);
    assert_eq!(facts.turns, [(Kind::Port, Turn::Changed, 2)]);
    let marks: Vec<_> = facts.instances[0].marks.iter().copied().collect();
    assert_eq!(
        marks,
        [
            (0, Outcome::Succeeded),
            (99 * PIECES / 100, Outcome::Succeeded)
        ]
    );
}
