//! Which of a task's revisions may be its current one, told from the revisions alone.
//!
//! An archive keeps what was shown for the first time, not each time that it was shown again, and the minute of a walk
//! rather than of a page. So the rule of [`super::standing`] is played through with everything that may have been: a time
//! that was credible at one end of the walk and not at the other, a revision that a copy showed once more, a status that
//! somebody declared final in between. What comes out is a set, nearly always of one.

use super::standing::{FUTURE_TOLERANCE, History, Standing, supersedes};
use super::time::{HOUR, Timestamp};

/// Tasks with more revisions than this are not played through: the work grows with the third power.
const MOST: usize = 200;

/// How far the clock of a page may lie outside the times of its walk: hosts of one provider were seen minutes apart.
pub(crate) const SLACK: i64 = HOUR;

/// One revision, in the order in which they were observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Observed {
    pub(crate) status: Option<String>,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) is_adopted: bool,
    /// Final for good, or only since somebody declared the status final.
    pub(crate) finality: Finality,
    /// When its walk began and ended, by the clock that the walk went by.
    pub(crate) between: (Timestamp, Timestamp),
    /// The earliest moment at which its walk or a later one began. That is its own beginning, unless the clock stood later
    /// then: a machine's that was set right, or that stood in for a server's.
    pub(crate) since: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finality {
    Open,
    Final,
    /// The status counts as final now and may have counted as open then.
    Declared,
}

impl Finality {
    fn options(self) -> &'static [bool] {
        match self {
            Self::Open => &[false],
            Self::Final => &[true],
            Self::Declared => &[false, true],
        }
    }
}

/// Says of each revision whether it may be the current one. `last` is the latest moment that the ledger knows.
pub(crate) fn may_be_current(revisions: &[Observed], last: Timestamp) -> Vec<bool> {
    let mut possible = vec![false; revisions.len()];
    if revisions.len() > MOST {
        possible.fill(true);
        return possible;
    }
    for (index, observed) in revisions.iter().enumerate() {
        if index == 0 {
            possible[0] = true;
            continue;
        }
        let history = History {
            has_observation: false,
            has_status: revisions[..index]
                .iter()
                .any(|earlier| earlier.status == observed.status),
        };
        let (from, to) = observed.between;
        let mut after = vec![false; revisions.len()];
        for current in (0..index).filter(|current| possible[*current]) {
            let outcomes = outcomes(&revisions[current], observed, history, from, to);
            after[index] |= outcomes.may_win;
            after[current] |= outcomes.may_lose;
        }
        possible = after;
        shown_again(
            &mut possible,
            &revisions[..=index],
            observed.since.min(from),
            last.max(to),
        );
    }
    possible
}

/// Adds what may be current because something that is known already was shown once more.
fn shown_again(possible: &mut [bool], known: &[Observed], from: Timestamp, to: Timestamp) {
    let history = History {
        has_observation: true,
        has_status: true,
    };
    loop {
        let mut grew = false;
        for current in 0..known.len() {
            for again in 0..known.len() {
                if !possible[current] || possible[again] {
                    continue;
                }
                let outcomes = outcomes(&known[current], &known[again], history, from, to);
                if outcomes.may_win {
                    possible[again] = true;
                    grew = true;
                }
            }
        }
        if !grew {
            return;
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Outcomes {
    may_win: bool,
    may_lose: bool,
}

/// Plays one choice at every moment that makes a difference.
fn outcomes(
    current: &Observed,
    observed: &Observed,
    history: History,
    from: Timestamp,
    to: Timestamp,
) -> Outcomes {
    let (from, to) = (from.plus(-SLACK), to.plus(SLACK));
    // A time becomes credible five minutes before it: between these moments nothing changes.
    let turns = [current.updated, observed.updated]
        .into_iter()
        .flatten()
        .map(|time| time.plus(-FUTURE_TOLERANCE))
        .filter(|turn| (from..=to).contains(turn));
    let mut outcomes = Outcomes::default();
    for now in [from, to].into_iter().chain(turns) {
        for was_final in current.finality.options() {
            for is_final in observed.finality.options() {
                let wins = supersedes(
                    standing(current, *was_final),
                    standing(observed, *is_final),
                    history,
                    now,
                );
                outcomes.may_win |= wins;
                outcomes.may_lose |= !wins;
            }
        }
    }
    outcomes
}

fn standing(observed: &Observed, is_final: bool) -> Standing {
    Standing {
        updated: observed.updated,
        is_adopted: observed.is_adopted,
        is_final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{DAY, MINUTE};

    const START: i64 = 1_600_000_000_000;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(START + minutes * MINUTE).unwrap()
    }

    /// A revision that was observed a day after the one before, last changed in that minute.
    fn shown(day: i64, minute: i64, status: &str, finality: Finality) -> Observed {
        let walk = at(day * DAY / MINUTE);
        Observed {
            status: Some(status.to_owned()),
            updated: Some(at(minute)),
            is_adopted: false,
            finality,
            between: (walk, walk.plus(MINUTE)),
            since: walk,
        }
    }

    /// The same, by a clock that was set back by so many days after it.
    fn too_late(days: i64, shown: Observed) -> Observed {
        Observed {
            since: shown.since.plus(-days * DAY),
            ..shown
        }
    }

    #[test]
    fn what_may_be_current_is_what_the_rules_allow() {
        use Finality::{Declared, Final, Open};
        let day = DAY / MINUTE;
        let cases: [(&str, Vec<Observed>, &[bool]); 8] = [
            ("one", vec![shown(1, 0, "A", Open)], &[true]),
            (
                "it went on",
                vec![shown(1, 0, "A", Open), shown(2, 5, "B", Final)],
                &[false, true],
            ),
            (
                "a copy showed an older state later",
                vec![shown(1, 5, "A", Open), shown(2, 0, "A", Open)],
                &[true, false],
            ),
            (
                "final by a clock that is behind: shown once more, the later time counts",
                vec![shown(1, 5, "A", Open), shown(2, 0, "B", Final)],
                &[true, true],
            ),
            (
                "declared final: before that, the open one was not given way to",
                vec![
                    shown(1, 0, "A", Open),
                    shown(2, 0, "B", Declared),
                    shown(3, 0, "A", Open),
                ],
                &[false, true, true],
            ),
            (
                "a time that became credible in the minute of the walk: before it, or after it",
                vec![shown(1, 0, "A", Open), shown(1, 24 * 60 + 5, "A", Open)],
                &[true, true],
            ),
            (
                "the older one was shown again, and the later time was as credible as before",
                vec![shown(1, 0, "A", Open), shown(4, 3 * day, "A", Open)],
                &[false, true],
            ),
            (
                "the clock was set back before the later time, and the older one was shown again",
                vec![
                    shown(1, 0, "A", Open),
                    too_late(2, shown(4, 3 * day, "A", Open)),
                ],
                &[true, true],
            ),
        ];
        for (name, revisions, expected) in cases {
            assert_eq!(may_be_current(&revisions, at(100_000)), expected, "{name}");
        }
    }

    #[test]
    fn a_task_with_a_great_many_revisions_is_not_played_through() {
        let revisions = vec![shown(1, 0, "A", Finality::Open); MOST + 1];
        assert!(may_be_current(&revisions, at(0)).iter().all(|may| *may));
    }
}
