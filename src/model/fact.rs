//! What facts are worked out from: tasks, their states and their changes, as narrow as a question about many needs them.

use super::rows::Source;
use super::standing::{Standing, credible};
use super::status;
use super::time::Timestamp;

/// How a task stands, for a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Succeeded,
    Failed,
    /// It ended in another way: it was cancelled, or its record was deleted.
    Ended,
    /// It may still change; an unknown status says no more than that.
    Open,
}

impl Outcome {
    /// Judges a status that was sent.
    pub(crate) fn of(status: Option<&str>) -> Self {
        match status {
            Some(status) if status::is_success(status) => Self::Succeeded,
            Some(status) if status::is_failed(status) => Self::Failed,
            Some(status) if status::is_final(status) => Self::Ended,
            _ => Self::Open,
        }
    }
}

/// One task, as far as it is counted. Keys are the archive's numbers for what repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) operation: Option<i64>,
    pub(crate) status: Option<i64>,
    pub(crate) user: Option<i64>,
    pub(crate) instance: i64,
    pub(crate) outcome: Outcome,
    /// The cloud no longer lists it, confirmed or not.
    pub(crate) is_missing: bool,
    pub(crate) created: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
}

impl Counted {
    /// How long it took, in milliseconds, if it has ended and both of its times can be believed at that moment.
    pub(crate) fn duration(&self, server_now: Timestamp) -> Option<i64> {
        if self.outcome == Outcome::Open {
            return None;
        }
        lasted(self.created, self.updated, server_now)
    }
}

/// How much time lies between two times, in milliseconds, if both can be believed and stand in this order.
fn lasted(
    created: Option<Timestamp>,
    ended: Option<Timestamp>,
    server_now: Timestamp,
) -> Option<i64> {
    let created = credible(created, server_now)?;
    let ended = credible(ended, server_now)?;
    (ended >= created).then(|| ended.distance(created))
}

/// One state of a task that the archive has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    /// From 1, in the order observed.
    pub(crate) number: i64,
    /// The end of the walk that saw it.
    pub(crate) observed: Timestamp,
    /// The archive's number for its status.
    pub(crate) status: Option<i64>,
    pub(crate) standing: Standing,
    /// It is the one that counts today.
    pub(crate) is_current: bool,
}

/// One task of an instance with everything that it says to set or change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) task_key: i64,
    pub(crate) task_id: String,
    /// The operation, as the upstream calls it.
    pub(crate) name: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) user_name: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
    /// Of one that bears no creation, when it was first seen: it was created before.
    pub(crate) first_seen: Option<Timestamp>,
    pub(crate) error_code: Option<String>,
    pub(crate) missing: Option<Missing>,
    pub(crate) stated: Vec<Stated>,
}

/// The cloud no longer lists a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The end of the first proven walk that lacked it.
    pub(crate) since: Timestamp,
    /// A second proven walk lacked it too.
    pub(crate) is_confirmed: bool,
    /// What it looks like: `aged_out` or `removed`.
    pub(crate) looks: Option<String>,
}

/// What a task states of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) source: Source,
    pub(crate) attribute: String,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
}

impl Change {
    /// When it came to be, if it did: its last update, or else its creation. Nothing if neither can be believed.
    pub(crate) fn ended(&self, server_now: Timestamp) -> Option<Timestamp> {
        credible(self.updated, server_now).or(credible(self.created, server_now))
    }

    /// When it began. What bears no creation that can be believed began no later than it ended.
    pub(crate) fn began(&self, server_now: Timestamp) -> Option<Timestamp> {
        let ended = self.ended(server_now);
        match credible(self.created, server_now) {
            Some(created) => ended.map(|ended| created.min(ended)),
            None => ended,
        }
    }

    /// How long it took, or how long it has been open, in milliseconds; nothing if its times cannot be believed.
    pub(crate) fn took(&self, server_now: Timestamp) -> Option<i64> {
        let ended = if self.outcome == Outcome::Open {
            Some(server_now)
        } else {
            self.updated
        };
        lasted(self.created, ended, server_now)
    }

    pub(crate) fn states(&self, source: Source, attribute: &str) -> Option<&Stated> {
        let mut stated = self.stated.iter();
        stated.find(|one| one.source == source && one.attribute == attribute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Option<Timestamp> {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_status_is_an_outcome() {
        let cases = [
            (Some("SUCCESS"), Outcome::Succeeded),
            (Some(" success "), Outcome::Succeeded),
            (Some("FAIL"), Outcome::Failed),
            (Some("failed"), Outcome::Failed),
            (Some("CANCELED"), Outcome::Ended),
            (Some("DELETED"), Outcome::Ended),
            (Some("EXECUTING"), Outcome::Open),
            (Some("成功"), Outcome::Open),
            (None, Outcome::Open),
        ];
        for (status, expected) in cases {
            assert_eq!(Outcome::of(status), expected, "{status:?}");
        }
    }

    #[test]
    fn a_duration_needs_an_end_and_two_times_that_can_be_believed() {
        const DAY_0: i64 = 1_790_812_800_000;
        let now = at(DAY_0 + 1_000_000).unwrap();
        let cases = [
            (Outcome::Succeeded, at(DAY_0), at(DAY_0 + 500), Some(500)),
            (Outcome::Failed, at(DAY_0), at(DAY_0), Some(0)),
            (Outcome::Ended, at(DAY_0), at(DAY_0 + 1), Some(1)),
            (Outcome::Open, at(DAY_0), at(DAY_0 + 500), None),
            (Outcome::Succeeded, None, at(DAY_0), None),
            (Outcome::Succeeded, at(DAY_0), None, None),
            (Outcome::Succeeded, at(DAY_0), at(DAY_0 - 1), None),
            (Outcome::Succeeded, at(0), at(DAY_0), None),
            (Outcome::Succeeded, at(DAY_0), at(253_402_300_799_999), None),
        ];
        for (outcome, created, updated, expected) in cases {
            let task = Counted {
                operation: None,
                status: None,
                user: None,
                instance: 1,
                outcome,
                is_missing: false,
                created,
                updated,
            };
            assert_eq!(task.duration(now), expected, "{created:?} {updated:?}");
        }
    }
}
