//! Which of two observations of a task is its current state.
//!
//! Pure, because "nothing goes back" is a promise: the whole rule is the table in the tests.

use super::time::{DAY, MINUTE, Timestamp};

/// How far ahead of the server's clock an `updated_at` may lie and still be believed. Hosts of one provider were seen
/// minutes apart; a record from 2099 must not hide the present.
pub(crate) const FUTURE_TOLERANCE: i64 = 5 * MINUTE;

/// Times before 1971 stand for "not set": zero and near-zero epochs.
const FIRST_CREDIBLE: i64 = 365 * DAY;

/// Returns the time if it can be believed: not before 1971, not later than the server's clock plus five minutes.
pub(crate) fn credible(updated: Option<Timestamp>, server_now: Timestamp) -> Option<Timestamp> {
    updated.filter(|time| {
        time.millis() >= FIRST_CREDIBLE && *time <= server_now.plus(FUTURE_TOLERANCE)
    })
}

/// What the choice between two observations rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) updated: Option<Timestamp>,
    /// The time is not the record's own: it stood beside the list.
    pub(crate) is_adopted: bool,
    pub(crate) is_final: bool,
}

/// How an observation relates to the task's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// The same observation is a revision already.
    pub(crate) has_observation: bool,
    /// Some revision bears the observation's status.
    pub(crate) has_status: bool,
}

/// Says whether the observation becomes the task's current state in place of `current`.
///
/// 1. A final status that is not yet in the task's history beats an open one: two hosts of the provider may disagree
///    about the minute.
/// 2. Else the greater credible `updated_at` wins; one that is missing, unreadable or not credible ranks lowest. A time
///    that was adopted from beside the list ranks below any of a record's own, so that a proper record corrects it.
/// 3. At equal rank an observation that is new to the history wins, unless it is open and the current one is final. A
///    revision never becomes current again at an equal time: two copies that disagree would add one at every sync.
pub(crate) fn supersedes(
    current: Standing,
    observed: Standing,
    history: History,
    server_now: Timestamp,
) -> bool {
    if observed.is_final && !current.is_final && !history.has_status {
        return true;
    }
    let rank = |standing: Standing| {
        credible(standing.updated, server_now).map(|time| (!standing.is_adopted, time))
    };
    match rank(observed).cmp(&rank(current)) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => {
            !history.has_observation && (observed.is_final || !current.is_final)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: History = History {
        has_observation: false,
        has_status: false,
    };
    const STATUS_KNOWN: History = History {
        has_observation: false,
        has_status: true,
    };
    const KNOWN: History = History {
        has_observation: true,
        has_status: true,
    };

    fn at(minutes: i64) -> Option<Timestamp> {
        Timestamp::from_millis(1_600_000_000_000 + minutes * MINUTE)
    }

    fn open(updated: Option<Timestamp>) -> Standing {
        Standing {
            updated,
            is_adopted: false,
            is_final: false,
        }
    }

    fn done(updated: Option<Timestamp>) -> Standing {
        Standing {
            updated,
            is_adopted: false,
            is_final: true,
        }
    }

    fn adopted(standing: Standing) -> Standing {
        Standing {
            is_adopted: true,
            ..standing
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table of cases")]
    fn the_current_state_is_chosen_by_status_then_time_then_novelty() {
        let (long_ago, epoch, year_2099) = (
            Timestamp::from_millis(-1),
            Timestamp::from_millis(0),
            Timestamp::from_millis(4_070_908_800_000),
        );
        let cases = [
            ("later update", open(at(0)), open(at(1)), STATUS_KNOWN, true),
            (
                "earlier update",
                open(at(1)),
                open(at(0)),
                STATUS_KNOWN,
                false,
            ),
            (
                "finished at a later time",
                open(at(0)),
                done(at(1)),
                NEW,
                true,
            ),
            (
                "finished, by a host that is minutes behind",
                open(at(3)),
                done(at(0)),
                NEW,
                true,
            ),
            (
                "a final status known already does not win by itself",
                open(at(3)),
                done(at(0)),
                STATUS_KNOWN,
                false,
            ),
            (
                "equal time, new content",
                open(at(0)),
                open(at(0)),
                STATUS_KNOWN,
                true,
            ),
            (
                "equal time, finished now",
                open(at(0)),
                done(at(0)),
                NEW,
                true,
            ),
            (
                "equal time, known content",
                open(at(0)),
                open(at(0)),
                KNOWN,
                false,
            ),
            (
                "equal time, a final one does not open again",
                done(at(0)),
                open(at(0)),
                NEW,
                false,
            ),
            (
                "a later time opens it again",
                done(at(0)),
                open(at(1)),
                NEW,
                true,
            ),
            (
                "a final one changed at the same time",
                done(at(0)),
                done(at(0)),
                STATUS_KNOWN,
                true,
            ),
            (
                "a record's own earlier time against an adopted one",
                adopted(done(at(1))),
                open(at(0)),
                NEW,
                true,
            ),
            (
                "an adopted later time against a record's own",
                done(at(0)),
                adopted(done(at(1))),
                STATUS_KNOWN,
                false,
            ),
            (
                "of two adopted times the later",
                adopted(done(at(1))),
                adopted(done(at(0))),
                STATUS_KNOWN,
                false,
            ),
            (
                "no time against an adopted one",
                adopted(done(at(0))),
                open(None),
                NEW,
                false,
            ),
            (
                "no time against a time",
                open(at(0)),
                open(None),
                STATUS_KNOWN,
                false,
            ),
            (
                "a time against no time",
                open(None),
                open(at(0)),
                STATUS_KNOWN,
                true,
            ),
            (
                "no time twice, new content",
                open(None),
                open(None),
                STATUS_KNOWN,
                true,
            ),
            (
                "no time twice, known content",
                open(None),
                open(None),
                KNOWN,
                false,
            ),
            (
                "epoch ranks as no time",
                open(at(0)),
                open(epoch),
                STATUS_KNOWN,
                false,
            ),
            (
                "before the epoch ranks as no time",
                open(epoch),
                open(long_ago),
                STATUS_KNOWN,
                true,
            ),
            (
                "the far future ranks as no time",
                open(at(0)),
                open(year_2099),
                STATUS_KNOWN,
                false,
            ),
            (
                "anything credible beats the far future",
                open(year_2099),
                open(at(0)),
                STATUS_KNOWN,
                true,
            ),
            (
                "an hour ahead is not credible",
                open(at(0)),
                open(at(60)),
                STATUS_KNOWN,
                false,
            ),
            (
                "five minutes ahead is",
                open(at(0)),
                open(at(15)),
                STATUS_KNOWN,
                true,
            ),
            (
                "a known one whose time became credible",
                open(at(0)),
                open(at(10)),
                KNOWN,
                true,
            ),
        ];
        let now = at(10).unwrap();
        for (name, current, observed, history, expected) in cases {
            assert_eq!(
                supersedes(current, observed, history, now),
                expected,
                "{name}"
            );
        }
    }
}
