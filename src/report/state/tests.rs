//! What is said of each attribute: set, pending, failed, contradicted, inferred, unknown.

use super::*;
use crate::model::coverage::{Ledger, Proven, Rules, Window, cover};
use crate::model::fact::{Missing, Stated};
use crate::model::rows::Source;
use crate::model::time::{HOUR, MINUTE};

/// So many minutes after 2026-10-01T00:00:00Z.
pub(in crate::report) fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millis(1_790_812_800_000 + minutes * MINUTE).unwrap()
}

/// A success with this key for its id, in the first minute.
pub(in crate::report) fn change(key: i64, name: &str, stated: Vec<Stated>) -> Change {
    Change {
        task_key: key,
        task_id: format!("task-{key}"),
        name: Some(name.to_owned()),
        status: Some("SUCCESS".to_owned()),
        outcome: Outcome::Succeeded,
        user_name: Some("dora".to_owned()),
        created: Some(at(0)),
        updated: Some(at(1)),
        first_seen: None,
        error_code: None,
        missing: None,
        stated,
    }
}

pub(in crate::report) fn timed(mut change: Change, began: i64, ended: i64) -> Change {
    (change.created, change.updated) = (Some(at(began)), Some(at(ended)));
    change
}

fn ended(status: &str, mut change: Change) -> Change {
    change.status = Some(status.to_owned());
    change.outcome = Outcome::of(Some(status));
    change
}

pub(in crate::report) fn stated(name: &str, old: Option<&str>, new: Option<&str>) -> Stated {
    Stated {
        source: if name.contains("whitelist") {
            Source::Params
        } else {
            Source::Details
        },
        attribute: name.to_owned(),
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    }
}

fn port(key: i64, old: &str, new: &str, began: i64, end: i64) -> Change {
    let stated = stated("port", Some(old), Some(new));
    timed(change(key, "UpdatePort", vec![stated]), began, end)
}

/// Proven full walks at the beginning and each day after, up to the moment.
fn vouched(moment: Timestamp) -> Vec<Span> {
    let walks = (0..10).map(|day| Proven {
        number: day,
        started: at(day * 24 * 60 - 60),
        is_full: true,
    });
    let ledger = Ledger {
        proven: walks.collect(),
        ..Ledger::default()
    };
    let rules = Rules {
        max_gap: 36 * HOUR,
        settle: 15 * MINUTE,
    };
    let window = Window {
        since: None,
        until: Some(moment),
    };
    cover(&ledger, rules, window)
}

/// Value, certainty and notes of an attribute.
fn told(
    changes: &[Change],
    listed: Option<&Listed>,
    attribute: &str,
    minute: i64,
) -> (Option<String>, Certainty, String) {
    let moment = at(minute);
    let spans = vouched(moment);
    let known = Known {
        changes,
        spans: &spans,
        listed,
        server_now: at(100_000),
    };
    let settings = settings(&known, moment);
    let mut found = settings.into_iter();
    let setting = found
        .find(|setting| setting.attribute == attribute)
        .unwrap();
    (setting.value, setting.certainty, setting.notes.join("; "))
}

/// A name, the changes, an attribute, the minute; its value, how sure it is, and a piece of the note.
type Case = (
    &'static str,
    Vec<Change>,
    &'static str,
    i64,
    Option<&'static str>,
    Certainty,
    &'static str,
);

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn each_attribute_is_what_the_last_success_left() {
    use Certainty::{AsOf, Contradicted, Inferred, Unknown, Vouched};
    let moved = || port(1, "6379", "6380", 0, 5);
    let again = || port(2, "6380", "7000", 20, 25);
    let bound = || {
        let stated = vec![stated("public_ip_address", None, Some("203.0.113.7"))];
        timed(change(3, "BindEip", stated), 0, 5)
    };
    let released = || timed(change(4, "UnBindEip", vec![]), 20, 25);
    let whitelist = || {
        let stated = vec![stated(
            "whitelist",
            None,
            Some(r#"[{"group_name":"office"}]"#),
        )];
        timed(change(5, "AddWhitelist", stated), 0, 5)
    };
    let cases: [Case; 20] = [
        ("nothing is known", vec![], "port", 100, None, Unknown, ""),
        ("set", vec![moved()], "port", 100, Some("6380"), Vouched, ""),
        (
            "before it ended",
            vec![moved()],
            "port",
            4,
            Some("6379"),
            Inferred,
            "the task task-1",
        ),
        (
            "before it began",
            vec![moved()],
            "port",
            -10,
            Some("6379"),
            Inferred,
            "nothing here set it",
        ),
        (
            "the last one counts",
            vec![again(), moved()],
            "port",
            100,
            Some("7000"),
            Vouched,
            "",
        ),
        (
            "and at its time the one before",
            vec![again(), moved()],
            "port",
            10,
            Some("6380"),
            Vouched,
            "",
        ),
        (
            "what failed changes nothing",
            vec![moved(), ended("FAILED", again())],
            "port",
            100,
            Some("6380"),
            Vouched,
            "a task that failed since is taken to have changed nothing",
        ),
        (
            "nor does what was cancelled",
            vec![moved(), ended("CANCELLED", again())],
            "port",
            100,
            Some("6380"),
            Vouched,
            "",
        ),
        (
            "nor what is under way",
            vec![moved(), ended("EXECUTING", again())],
            "port",
            100,
            Some("6380"),
            Vouched,
            "",
        ),
        (
            "only failures: what they found",
            vec![ended("FAILED", again())],
            "port",
            100,
            Some("6380"),
            Inferred,
            "the task task-2",
        ),
        (
            "a later task found something else",
            vec![moved(), port(2, "9000", "7000", 20, 25)],
            "port",
            10,
            Some("6380"),
            Contradicted,
            "found 9000: a change in between is missing",
        ),
        (
            "also one that failed",
            vec![moved(), ended("FAILED", port(2, "9000", "7000", 20, 25))],
            "port",
            100,
            Some("6380"),
            Contradicted,
            "found 9000",
        ),
        (
            "one that began before the end is no witness",
            vec![moved(), ended("FAILED", port(2, "6379", "7000", 3, 9))],
            "port",
            100,
            Some("6380"),
            Vouched,
            "failed since",
        ),
        (
            "public access",
            vec![bound()],
            "enable_public_ip",
            100,
            Some("true"),
            Vouched,
            "its operation says so",
        ),
        (
            "its address",
            vec![bound()],
            "public_ip_address",
            100,
            Some("203.0.113.7"),
            Vouched,
            "",
        ),
        (
            "its id",
            vec![bound()],
            "public_ip_id",
            100,
            None,
            Unknown,
            "does not state",
        ),
        (
            "released",
            vec![bound(), released()],
            "public_ip_address",
            100,
            None,
            Vouched,
            "none any more",
        ),
        (
            "closed",
            vec![bound(), released()],
            "enable_public_ip",
            100,
            Some("false"),
            Vouched,
            "its operation says so",
        ),
        (
            "whitelist",
            vec![whitelist()],
            "whitelist",
            100,
            Some(r#"[{"group_name":"office"}]"#),
            Vouched,
            "",
        ),
        (
            "after the last walk",
            vec![moved()],
            "port",
            100_000,
            Some("6380"),
            AsOf,
            "",
        ),
    ];
    for (name, changes, attribute, minute, value, certainty, note) in cases {
        let (found, sure, notes) = told(&changes, None, attribute, minute);
        assert_eq!(
            (found.as_deref(), sure),
            (value, certainty),
            "{name}: {notes}"
        );
        assert!(notes.contains(note), "{name}: {notes}");
        assert!(!note.is_empty() || notes.is_empty(), "{name}: {notes}");
    }
}

#[test]
fn the_list_of_instances_is_another_witness() {
    use Certainty::{Contradicted, Inferred, Listed as ByList, Unknown, Vouched};
    let listed =
        |minute: i64| Listed::read(at(minute), r#"{"name":"orders","port":6380}"#, Some(8.0));
    let moved = || port(1, "6379", "6380", 10, 15);
    let elsewhere = || port(1, "6379", "7000", 10, 15);
    let mute = || timed(change(1, "UpdatePort", vec![]), 10, 15);
    let cases = [
        (
            "no task tells it",
            vec![],
            "capacity",
            20,
            Some("8"),
            ByList,
            "as the list",
        ),
        (
            "only the list does",
            vec![],
            "name",
            20,
            Some("orders"),
            ByList,
            "",
        ),
        (
            "both agree",
            vec![moved()],
            "port",
            20,
            Some("6380"),
            Vouched,
            "",
        ),
        (
            "they disagree",
            vec![elsewhere()],
            "port",
            20,
            Some("7000"),
            Contradicted,
            "tells 6380",
        ),
        (
            "the list is older",
            vec![elsewhere()],
            "port",
            12,
            Some("7000"),
            Vouched,
            "",
        ),
        (
            "an older list does not help",
            vec![mute()],
            "port",
            12,
            None,
            Unknown,
            "does not state",
        ),
        (
            "a newer one does",
            vec![mute()],
            "port",
            20,
            Some("6380"),
            ByList,
            "as the list",
        ),
        (
            "a failed one found what is listed",
            vec![ended("FAILED", port(1, "6380", "7000", 10, 15))],
            "port",
            20,
            Some("6380"),
            Inferred,
            "failed",
        ),
    ];
    for (name, changes, attribute, seen, value, certainty, note) in cases {
        let (found, sure, notes) = told(&changes, Some(&listed(seen)), attribute, 100);
        assert_eq!(
            (found.as_deref(), sure),
            (value, certainty),
            "{name}: {notes}"
        );
        assert!(notes.contains(note), "{name}: {notes}");
    }
}

#[test]
fn what_was_under_way_is_told_apart() {
    let open = |change| ended("EXECUTING", change);
    let mut missing = open(timed(change(3, "modify", vec![]), 7, 7));
    missing.missing = Some(Missing {
        since: at(8),
        is_confirmed: false,
        looks: None,
    });
    let changes = [
        open(port(1, "6379", "6380", 5, 5)),
        port(2, "1", "2", 0, 50),
        missing,
        port(4, "1", "2", 0, 3),
        open(port(5, "1", "2", 500, 500)),
    ];
    let spans = vouched(at(10));
    let known = Known {
        changes: &changes,
        spans: &spans,
        listed: None,
        server_now: at(100_000),
    };
    let pending = pending(&known, at(10));
    let told: Vec<_> = pending
        .iter()
        .map(|one| {
            let key = one.by.unwrap().task_key;
            (
                key,
                one.attribute,
                one.value.as_deref(),
                one.notes.join("; "),
            )
        })
        .collect();
    let text = str::to_owned;
    assert_eq!(
        told,
        [
            (
                2,
                "port",
                Some("2"),
                format!("it ended at {}, SUCCESS", at(50))
            ),
            (1, "port", Some("6380"), String::new()),
            (3, "", None, text("the cloud no longer lists it")),
        ]
    );
}
