//! When a record that a proven walk lacks is called missing for certain, what its absence looks like, and which instance
//! is too new to be called gone.
//!
//! Absence is concluded, never guessed: the first proven full walk that lacks a task only notes it. Pure functions, so
//! that the whole rule can be read in the tables of the tests.

use std::collections::HashSet;

use super::{
    ledger::MissingAs,
    time::{DAY, HOUR, Timestamp},
};

/// How far apart two proven full walks must be for the second one to confirm an absence: a copy of the upstream's data
/// that lags for minutes must not make a record missing.
pub(crate) const CONFIRM_AFTER: i64 = HOUR;

/// The same for a task that is newer than everything shown: then the whole answer may come from a lagging copy.
const CONFIRM_NEWEST_AFTER: i64 = DAY;

/// The extent of what one walk showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) oldest_created: Option<Timestamp>,
    pub(crate) newest_created: Option<Timestamp>,
    pub(crate) newest_updated: Option<Timestamp>,
    /// Some record shown has no readable `created_at`, so "the oldest" means nothing.
    pub(crate) undated: bool,
}

impl Shown {
    /// Takes one more record into the extent.
    pub(crate) fn add(&mut self, created: Option<Timestamp>, updated: Option<Timestamp>) {
        self.undated |= created.is_none();
        self.newest_created = self.newest_created.max(created);
        self.newest_updated = self.newest_updated.max(updated);
        self.oldest_created = match (self.oldest_created, created) {
            (Some(oldest), Some(created)) => Some(oldest.min(created)),
            (oldest, created) => oldest.or(created),
        };
    }
}

/// The times of the records at which one page of a walk ended and the next began.
///
/// A server that sorts by time may show records of one time in another order with each answer. If one above the border goes
/// away while another comes further down, the record at the border can stay where it was, and one of its time moves from
/// below it to above: it stood in the list throughout, no page showed it, and neither the count nor the overlap of the pages
/// tells. So a task with a time of such a record is not called missing by one walk alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Borders {
    created: HashSet<Option<Timestamp>>,
    updated: HashSet<Option<Timestamp>>,
}

impl Borders {
    pub(crate) fn add(&mut self, created: Option<Timestamp>, updated: Option<Timestamp>) {
        self.created.insert(created);
        self.updated.insert(updated);
    }

    /// There is none: the walk had one page.
    pub(crate) fn is_empty(&self) -> bool {
        self.created.is_empty()
    }

    /// Says whether a task of these times may have slipped through between two pages.
    pub(crate) fn hide(&self, created: Option<Timestamp>, updated: Option<Timestamp>) -> bool {
        self.created.contains(&created) || self.updated.contains(&updated)
    }
}

/// Says whether a walk that began at `walk_started` and lacks the task confirms what another noted at `missing_since`.
pub(crate) fn confirms(
    missing_since: Timestamp,
    walk_started: Timestamp,
    created: Option<Timestamp>,
    updated: Option<Timestamp>,
    shown: Shown,
) -> bool {
    let newer_than_all = created > shown.newest_created || updated > shown.newest_updated;
    let wait = if newer_than_all {
        CONFIRM_NEWEST_AFTER
    } else {
        CONFIRM_AFTER
    };
    walk_started.distance(missing_since) >= wait
}

/// Says whether an instance that was first seen then is too new at `server_now` to be called gone: a copy that lags lacks it
/// in the list and in its own answer alike, one sync after the other. That is told of nothing older, as with the newest task.
pub(crate) fn is_new(first_seen: Timestamp, server_now: Timestamp) -> bool {
    server_now.distance(first_seen) < CONFIRM_NEWEST_AFTER
}

/// Tells retention from deletion: aged out when the missing ones are exactly the oldest of the list.
///
/// `newest_missing` is the newest creation time among the tasks that went missing together, or nothing if one of them has
/// none. An emptied list cannot be told from a deletion of everything, so it counts as removed.
pub(crate) fn missing_as(newest_missing: Option<Timestamp>, shown: Shown) -> MissingAs {
    match (newest_missing, shown.oldest_created) {
        (Some(missing), Some(oldest)) if missing < oldest && !shown.undated => MissingAs::AgedOut,
        _ => MissingAs::Removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Option<Timestamp> {
        Timestamp::from_millis(1_600_000_000_000 + minutes * 60_000)
    }

    fn shown(times: &[(Option<Timestamp>, Option<Timestamp>)]) -> Shown {
        let mut shown = Shown::default();
        for (created, updated) in times {
            shown.add(*created, *updated);
        }
        shown
    }

    #[test]
    fn an_absence_is_confirmed_an_hour_later_and_a_day_later_for_the_newest() {
        let others = shown(&[(at(0), at(1)), (at(10), at(11))]);
        let cases = [
            ("59 minutes", at(5), at(6), others, 59, false),
            ("an hour", at(5), at(6), others, 60, true),
            (
                "an hour by a clock that stepped back",
                at(5),
                at(6),
                others,
                -60,
                true,
            ),
            ("created last of all", at(11), at(11), others, 60, false),
            (
                "created last of all, a day later",
                at(11),
                at(11),
                others,
                24 * 60,
                true,
            ),
            ("updated last of all", at(5), at(12), others, 60, false),
            (
                "nothing else shown",
                at(5),
                at(6),
                Shown::default(),
                60,
                false,
            ),
            (
                "nothing else shown, a day later",
                at(5),
                at(6),
                Shown::default(),
                24 * 60,
                true,
            ),
            ("no times at all", None, None, others, 60, true),
        ];
        let since = at(1000).unwrap();
        for (name, created, updated, shown, later, expected) in cases {
            let started = since.plus(later * 60_000);
            assert_eq!(
                confirms(since, started, created, updated, shown),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn an_instance_is_new_for_a_day() {
        let cases = [
            ("at once", 0, true),
            ("a minute less than a day later", 24 * 60 - 1, true),
            ("a day later", 24 * 60, false),
            ("by a clock that stepped back a little", -1, true),
            ("by a clock that stepped back a day", -24 * 60, false),
        ];
        let seen = at(0).unwrap();
        for (name, later, expected) in cases {
            assert_eq!(is_new(seen, seen.plus(later * 60_000)), expected, "{name}");
        }
    }

    #[test]
    fn a_task_with_a_time_of_a_record_at_a_border_may_have_slipped_through() {
        let mut borders = Borders::default();
        assert!(borders.is_empty() && !borders.hide(None, None));
        borders.add(at(5), at(9));
        borders.add(None, at(7));
        assert!(!borders.is_empty());
        let cases = [
            ("created with one of them", at(5), at(6), true),
            ("changed with one of them", at(1), at(7), true),
            ("no time, as one of them", None, at(1), true),
            ("created when another was changed", at(7), at(5), false),
            ("of no time of theirs", at(1), None, false),
        ];
        for (name, created, updated, expected) in cases {
            assert_eq!(borders.hide(created, updated), expected, "{name}");
        }
    }

    #[test]
    fn only_the_oldest_of_a_dated_list_age_out() {
        let dated = shown(&[(at(10), None), (at(20), None)]);
        let undated = shown(&[(at(10), None), (None, None)]);
        let cases = [
            ("older than all", at(9), dated, MissingAs::AgedOut),
            ("as old as the oldest", at(10), dated, MissingAs::Removed),
            ("from the middle", at(15), dated, MissingAs::Removed),
            ("the missing have no time", None, dated, MissingAs::Removed),
            (
                "a shown one has no time",
                at(9),
                undated,
                MissingAs::Removed,
            ),
            (
                "nothing is left",
                at(9),
                Shown::default(),
                MissingAs::Removed,
            ),
        ];
        for (name, newest_missing, shown, expected) in cases {
            assert_eq!(missing_as(newest_missing, shown), expected, "{name}");
        }
    }
}
