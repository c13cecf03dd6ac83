//! Counts and durations of tasks, in groups.
//!
//! Quantiles are exact: of each task that ended its duration is kept, eight bytes, until the end. A million tasks take
//! eight megabytes; an estimate would take less and could not be checked against a query. A quantile is the least duration
//! that so many of the tasks did not exceed (the nearest rank), so it is always one that occurred.

mod cut;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::model::fact::{Counted, Outcome};
use crate::model::time::Timestamp;

pub(crate) use cut::Cut;

/// What tasks are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Operation,
    Status,
    User,
    Instance,
    /// By the time of creation.
    Created(Cut),
}

/// The value of one key: a number of the archive, or of a day, a week or a month. Nothing where the task has none.
pub(crate) type KeyValue = Option<i64>;

/// What is told of the tasks that have the same keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// As many as were asked for, in that order.
    pub(crate) keys: Vec<KeyValue>,
    pub(crate) counts: Counts,
    pub(crate) durations: Option<Durations>,
}

/// How many tasks, and how they stand. What is neither succeeded, failed nor open ended in another way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) tasks: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) open: u64,
    /// Of all these, those that the cloud no longer lists.
    pub(crate) missing: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, outcome: Outcome, is_missing: bool) {
        self.tasks += 1;
        match outcome {
            Outcome::Succeeded => self.succeeded += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Ended => {}
            Outcome::Open => self.open += 1,
        }
        self.missing += u64::from(is_missing);
    }

    /// Those that ended in another way than by success or failure.
    pub(crate) const fn ended(&self) -> u64 {
        self.tasks - self.succeeded - self.failed - self.open
    }
}

/// How long the tasks took that ended, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Durations {
    /// How many there are: a final task whose times cannot be believed has none.
    pub(crate) timed: u64,
    pub(crate) median: i64,
    pub(crate) p95: i64,
    pub(crate) max: i64,
}

/// What has been counted so far.
pub(crate) struct Tally<'a> {
    keys: &'a [Key],
    /// What a clock shows at a moment, as if it were in UTC.
    clock: &'a dyn Fn(Timestamp) -> Timestamp,
    /// The moment up to which times can be believed.
    server_now: Timestamp,
    groups: HashMap<Vec<KeyValue>, (Counts, Vec<i64>)>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(
        keys: &'a [Key],
        clock: &'a dyn Fn(Timestamp) -> Timestamp,
        server_now: Timestamp,
    ) -> Self {
        Self {
            keys,
            clock,
            server_now,
            groups: HashMap::new(),
        }
    }

    pub(crate) fn add(&mut self, task: &Counted) {
        let keys = self.keys.iter().map(|key| self.value(*key, task)).collect();
        let (counts, durations) = self.groups.entry(keys).or_default();
        counts.add(task.outcome, task.is_missing);
        durations.extend(task.duration(self.server_now));
    }

    fn value(&self, key: Key, task: &Counted) -> KeyValue {
        match key {
            Key::Operation => task.operation,
            Key::Status => task.status,
            Key::User => task.user,
            Key::Instance => Some(task.instance),
            Key::Created(cut) => task.created.map(|created| cut.of((self.clock)(created))),
        }
    }

    /// Returns the groups: of times the newest first, of anything else the largest first; of two keys those that have the
    /// first in common stand together. What has no time comes last, and names decide between groups of one size.
    pub(crate) fn groups(self, name: impl Fn(Key, KeyValue) -> String) -> Vec<Group> {
        let mut totals: HashMap<KeyValue, u64> = HashMap::new();
        for (keys, (counts, _)) in &self.groups {
            *totals.entry(keys.first().copied().flatten()).or_default() += counts.tasks;
        }
        let keys = self.keys;
        let groups = self.groups.into_iter();
        let mut groups: Vec<_> = groups
            .map(|(keys, (counts, durations))| Group {
                keys,
                counts,
                durations: quantiles(durations),
            })
            .collect();
        groups.sort_by_cached_key(|group| {
            let places = keys.iter().zip(&group.keys).enumerate();
            let places = places.map(|(place, (key, value))| {
                let size = match key {
                    // One without a time sorts below all others.
                    Key::Created(_) => value.unwrap_or(i64::MIN),
                    _ if place == 0 => signed(totals.get(value).copied().unwrap_or_default()),
                    _ => signed(group.counts.tasks),
                };
                (Reverse(size), name(*key, *value), *value)
            });
            places.collect::<Vec<_>>()
        });
        groups
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Works out the quantiles of durations, if there is any.
fn quantiles(mut durations: Vec<i64>) -> Option<Durations> {
    durations.sort_unstable();
    Some(Durations {
        timed: durations.len() as u64,
        median: rank(&durations, 50)?,
        p95: rank(&durations, 95)?,
        max: *durations.last()?,
    })
}

/// Returns the least of sorted values that so many of a hundred do not exceed.
fn rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let place = (sorted.len() * percent).div_ceil(100);
    sorted.get(place.checked_sub(1)?).copied()
}
