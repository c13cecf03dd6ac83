//! What a task was at a moment in the past, told from its revisions.
//!
//! There are two pasts. *As of* a time is the cloud's: what had begun by then, in the state that its own times say. *Observed
//! at* a time is the archive's: what it had read by then, in the state that it then held to be the current one. The first is
//! what happened, as far as is known today; the second is what could be known.

use crate::model::fact::Revision;
use crate::model::standing::{History, credible, supersedes};
use crate::model::time::Timestamp;

/// A moment in one of the two pasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    AsOf(Timestamp),
    ObservedAt(Timestamp),
}

impl Moment {
    pub(crate) const fn time(self) -> Timestamp {
        match self {
            Self::AsOf(time) | Self::ObservedAt(time) => time,
        }
    }
}

/// What a task was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It had not begun, or had not been seen.
    Absent,
    /// It had begun, and only later states of it were ever seen.
    Unknown,
    /// In the state of the revision with this number.
    Was(i64),
}

/// Says what a task was at a moment. Its revisions come in the order of their numbers.
///
/// Among the revisions that count, the one that is current today is the answer if it is among them; else the rule by which
/// the archive chooses is applied to those there are, in the order in which they were seen.
pub(crate) fn then(moment: Moment, created: Option<Timestamp>, revisions: &[Revision]) -> Then {
    let counts = |revision: &&Revision| match moment {
        Moment::AsOf(time) => began(revision, created) <= time,
        Moment::ObservedAt(time) => revision.observed <= time,
    };
    if let Moment::AsOf(time) = moment
        && created.is_some_and(|created| created > time)
    {
        return Then::Absent;
    }
    let counting: Vec<_> = revisions.iter().filter(counts).collect();
    match current(&counting) {
        Some(revision) => Then::Was(revision.number),
        None if matches!(moment, Moment::AsOf(_)) && created.is_some() => Then::Unknown,
        None => Then::Absent,
    }
}

/// Counts the revisions that the archive had at that time.
pub(crate) fn known_by(time: Timestamp, revisions: &[Revision]) -> usize {
    let known = |revision: &&Revision| revision.observed <= time;
    revisions.iter().filter(known).count()
}

/// When the task was in this state, at the latest. An open one that bears no time of its own (there are several forms of
/// "not ended yet") was so from the beginning; a final one without a time was so when it was seen.
fn began(revision: &Revision, created: Option<Timestamp>) -> Timestamp {
    let own = credible(revision.standing.updated, revision.observed);
    let beginning =
        created.filter(|created| !revision.standing.is_final && *created <= revision.observed);
    own.or(beginning).unwrap_or(revision.observed)
}

/// Chooses among revisions as the archive did when it saw them.
fn current<'a>(revisions: &[&'a Revision]) -> Option<&'a Revision> {
    if let Some(current) = revisions.iter().find(|revision| revision.is_current) {
        return Some(current);
    }
    let (first, later) = revisions.split_first()?;
    let mut current = *first;
    for (place, revision) in later.iter().enumerate() {
        let before = &revisions[..=place];
        let history = History {
            has_observation: false,
            has_status: before.iter().any(|known| known.status == revision.status),
        };
        if supersedes(
            current.standing,
            revision.standing,
            history,
            revision.observed,
        ) {
            current = revision;
        }
    }
    Some(current)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::standing::Standing;
    use crate::model::time::MINUTE;

    /// So many minutes after 2026-10-01T00:00:00Z.
    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(1_790_812_800_000 + minutes * MINUTE).unwrap()
    }

    const EXECUTING: i64 = 1;
    const SUCCESS: i64 = 2;
    const FAILED: i64 = 3;

    /// Revisions from what they say: a status, the minute of the last update, the minute in which it was seen.
    fn revisions(told: &[(i64, Option<i64>, i64)], current: i64) -> Vec<Revision> {
        let numbered = (1..).zip(told);
        let revisions = numbered.map(|(number, (status, updated, observed))| Revision {
            number,
            observed: at(*observed),
            status: Some(*status),
            standing: Standing {
                updated: updated.map(at),
                is_adopted: false,
                is_final: *status != EXECUTING,
            },
            is_current: number == current,
        });
        revisions.collect()
    }

    type Told<'a> = &'a [(i64, Option<i64>, i64)];

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table of cases")]
    fn a_task_is_what_its_times_say_or_what_had_been_seen() {
        use Then::{Absent, Unknown, Was};
        let both: Told<'_> = &[(EXECUTING, Some(10), 60), (SUCCESS, Some(30), 120)];
        let last: Told<'_> = &[(SUCCESS, Some(30), 60)];
        let behind: Told<'_> = &[(EXECUTING, Some(33), 60), (SUCCESS, Some(30), 120)];
        let changed: Told<'_> = &[(SUCCESS, Some(30), 60), (FAILED, Some(90), 120)];
        let timeless: Told<'_> = &[(EXECUTING, None, 60), (SUCCESS, None, 120)];
        let future: Told<'_> = &[(EXECUTING, Some(9_999_999), 60), (SUCCESS, Some(30), 120)];
        let older: Told<'_> = &[(SUCCESS, Some(30), 60), (EXECUTING, Some(10), 120)];
        let began = Some(at(10));
        // What, revisions, the current one, the creation, the minute; then as of it, and observed at it.
        let cases = [
            ("before it began", both, 2, began, 9, Absent, Absent),
            ("as it began", both, 2, began, 10, Was(1), Absent),
            ("while it ran", both, 2, began, 29, Was(1), Absent),
            ("as it ended", both, 2, began, 30, Was(2), Absent),
            (
                "seen running, long ended",
                both,
                2,
                began,
                60,
                Was(2),
                Was(1),
            ),
            ("seen ended", both, 2, began, 120, Was(2), Was(2)),
            ("only its end was seen", last, 1, began, 29, Unknown, Absent),
            ("its end", last, 1, began, 30, Was(1), Absent),
            ("its end, and seen", last, 1, began, 60, Was(1), Was(1)),
            (
                "a host behind says final",
                behind,
                2,
                began,
                31,
                Was(2),
                Absent,
            ),
            (
                "no later open state undoes it",
                behind,
                2,
                began,
                40,
                Was(2),
                Absent,
            ),
            ("before either", behind, 2, began, 29, Unknown, Absent),
            (
                "a final one that changed",
                changed,
                2,
                began,
                89,
                Was(1),
                Was(1),
            ),
            ("and after", changed, 2, began, 90, Was(2), Was(1)),
            (
                "without times, open from the start",
                timeless,
                2,
                began,
                10,
                Was(1),
                Absent,
            ),
            (
                "final when it was seen",
                timeless,
                2,
                began,
                119,
                Was(1),
                Was(1),
            ),
            ("and then", timeless, 2, began, 120, Was(2), Was(2)),
            (
                "a time that cannot be believed",
                future,
                2,
                began,
                11,
                Was(1),
                Absent,
            ),
            (
                "an older state that came later",
                older,
                1,
                began,
                15,
                Was(2),
                Absent,
            ),
            ("the newer one stays", older, 1, began, 130, Was(1), Was(1)),
            (
                "no creation, before any state",
                both,
                2,
                None,
                9,
                Absent,
                Absent,
            ),
            ("no creation, in a state", both, 2, None, 15, Was(1), Absent),
            (
                "created after its states",
                both,
                2,
                Some(at(200)),
                150,
                Absent,
                Was(2),
            ),
            ("nothing was ever seen", &[], 0, began, 500, Unknown, Absent),
        ];
        for (name, told, current, created, minute, as_of, observed) in cases {
            let revisions = revisions(told, current);
            let said = [Moment::AsOf(at(minute)), Moment::ObservedAt(at(minute))]
                .map(|moment| then(moment, created, &revisions));
            assert_eq!(said, [as_of, observed], "{name}");
        }
    }

    #[test]
    fn what_was_known_is_counted() {
        let revisions = revisions(&[(EXECUTING, Some(10), 60), (SUCCESS, Some(30), 120)], 2);
        let counts = [59, 60, 120].map(|minute| known_by(at(minute), &revisions));
        assert_eq!(counts, [0, 1, 2]);
    }

    proptest! {
        /// Once everything was seen, both pasts are the present; and what was observed is never unknown.
        #[test]
        fn the_past_ends_in_the_present(
            told in prop::collection::vec((1_i64..4, prop::option::of(0_i64..100), 0_i64..50), 1..6),
            current in 1_i64..6,
            minute in 0_i64..500,
        ) {
            // Revisions are seen one after the other.
            let mut seen = 100;
            let told: Vec<_> = told.into_iter().map(|(status, updated, later)| {
                seen += later;
                (status, updated, seen)
            }).collect();
            let current = current.min(i64::try_from(told.len()).unwrap());
            let revisions = revisions(&told, current);
            let created = Some(at(0));
            for moment in [Moment::AsOf(at(seen)), Moment::ObservedAt(at(seen))] {
                prop_assert_eq!(then(moment, created, &revisions), Then::Was(current));
            }
            prop_assert_ne!(then(Moment::ObservedAt(at(minute)), created, &revisions), Then::Unknown);
        }
    }
}
