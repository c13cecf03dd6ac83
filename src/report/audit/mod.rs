//! What a report tells of a period: which tasks belong into which of its lists, counted whole and kept in bounds.
//!
//! A task belongs to the period that it was created in. What was created before and only finished in it is listed apart, and
//! so is what bears no time at all. How a task ended is what the archive knows today, not what was known when the period
//! was over. Instances are handed in one after the other, so that a report over a million tasks holds those of one
//! instance, and of all others what it shows.

mod bounded;
mod exposure;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub(crate) use bounded::{Bounded, fair_share};
use exposure::exposures;
pub(crate) use exposure::{Exposure, Kind, Turn};

use super::continuity;
use super::stats::Counts;
use crate::model::fact::{Change, Outcome};
use crate::model::rows::Source;
use crate::model::time::Timestamp;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// From this moment on, and until before that one.
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    /// The moment up to which times can be believed: when the archive last read anything.
    pub(crate) server_now: Timestamp,
    /// A task that took longer, or is open for longer, is long; in milliseconds.
    pub(crate) long: i64,
}

impl Scope {
    fn has(&self, time: Option<Timestamp>) -> bool {
        time.is_some_and(|time| time >= self.since && time < self.until)
    }
}

/// Where in the report a task belongs; several may hold.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says of one list whether the task is in it"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// It was created in the period.
    pub(crate) is_created: bool,
    /// It ended in the period and was created before it.
    pub(crate) is_finished: bool,
    /// Nobody can say when it was created, and it may have been in the period.
    pub(crate) is_undated: bool,
    /// Of those created: it failed.
    pub(crate) is_failed: bool,
    /// It took long, or is open for long: of those created, and of those that were open before and still are.
    pub(crate) is_long: bool,
    /// The cloud no longer lists it: of those created, and of those that were missed in the period.
    pub(crate) is_missing: bool,
}

/// Says where a task belongs.
pub(crate) fn place(change: &Change, scope: &Scope) -> Place {
    let is_open = change.outcome == Outcome::Open;
    let is_created = scope.has(change.created);
    let is_before = change.created.is_some_and(|created| created < scope.since);
    let is_slow = change
        .took(scope.server_now)
        .is_some_and(|millis| millis > scope.long);
    Place {
        is_created,
        is_finished: is_before && !is_open && scope.has(change.updated),
        is_undated: change.created.is_none()
            && change.first_seen.is_none_or(|seen| seen > scope.since),
        is_failed: is_created && change.outcome == Outcome::Failed,
        is_long: is_slow && (is_created || (is_before && is_open)),
        is_missing: change
            .missing
            .as_ref()
            .is_some_and(|missing| is_created || scope.has(Some(missing.since))),
    }
}

/// A task in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The place of its instance.
    pub(crate) instance: usize,
    pub(crate) change: Change,
    /// In the list of those that concern exposure, what they do to it.
    pub(crate) exposures: Vec<Exposure>,
}

/// A place where the tasks of an instance do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) instance: usize,
    pub(crate) source: Source,
    pub(crate) attribute: String,
    pub(crate) since: Timestamp,
    pub(crate) left: String,
    pub(crate) earlier: String,
    pub(crate) until: Timestamp,
    pub(crate) found: String,
    pub(crate) later: String,
    /// The keys of the two tasks.
    pub(crate) tasks: [i64; 2],
}

/// A list of tasks, in the order of a time; the place of the instance and the task's key tell apart what is of one moment.
pub(crate) type Entries = Bounded<(Option<Timestamp>, usize, i64), Entry>;

/// How many rows the lists keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Of each list.
    pub(crate) list: usize,
    /// Of the changes of each instance.
    pub(crate) changes: usize,
}

/// What a report tells of tasks.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(super) scope: Scope,
    pub(super) limits: Limits,
    pub(crate) counts: Counts,
    pub(crate) instances: Vec<InstanceFacts>,
    pub(crate) finished: Entries,
    pub(crate) undated: Entries,
    pub(crate) failures: Entries,
    pub(crate) long: Entries,
    pub(crate) exposures: Entries,
    pub(crate) missing: Entries,
    pub(crate) breaks: Bounded<(Timestamp, usize, i64, Source, String), Gap>,
    /// Successes by what they did to exposure: how many opened, closed, changed it.
    pub(crate) turns: Vec<(Kind, Turn, u64)>,
    /// Of the long ones, those that are still open.
    pub(crate) stuck: u64,
    /// Of the missing ones, those that somebody seems to have removed.
    pub(crate) removed: u64,
}

/// What a report tells of one instance.
#[derive(Clone, Debug)]
pub(crate) struct InstanceFacts {
    pub(crate) counts: Counts,
    /// Tasks created in the period, in the order of time.
    pub(crate) changes: Entries,
    /// Where tasks lie on a timeline: of so many equal pieces of the period, and how they ended.
    pub(crate) marks: BTreeSet<(i64, Outcome)>,
}

/// Into how many pieces a timeline is cut: more than a page has room for.
pub(crate) const PIECES: i64 = 720;

impl Facts {
    pub(crate) fn new(scope: Scope, limits: Limits) -> Self {
        let list = || Bounded::new(limits.list);
        Self {
            scope,
            limits,
            counts: Counts::default(),
            instances: Vec::new(),
            finished: list(),
            undated: list(),
            failures: list(),
            long: list(),
            exposures: list(),
            missing: list(),
            breaks: Bounded::new(limits.list),
            turns: Vec::new(),
            stuck: 0,
            removed: 0,
        }
    }

    /// Takes the next instance, with all of its tasks, those outside the period too: they tell what the others found.
    pub(crate) fn add(&mut self, changes: &[Change]) {
        let instance = self.instances.len();
        self.instances.push(InstanceFacts {
            counts: Counts::default(),
            changes: Bounded::new(self.limits.changes),
            marks: BTreeSet::new(),
        });
        for change in changes {
            self.add_task(instance, change);
        }
        for found in continuity::breaks(changes, self.scope.server_now) {
            if !self.scope.has(Some(found.until)) {
                continue;
            }
            let attribute = found.attribute;
            let key = (
                found.until,
                instance,
                found.later.task_key,
                attribute.source,
                attribute.name.to_owned(),
            );
            self.breaks.add(key, || Gap {
                instance,
                source: attribute.source,
                attribute: attribute.name.to_owned(),
                since: found.since,
                left: found.left.to_owned(),
                earlier: found.earlier.task_id.clone(),
                until: found.until,
                found: found.found.to_owned(),
                later: found.later.task_id.clone(),
                tasks: [found.earlier.task_key, found.later.task_key],
            });
        }
    }

    fn add_task(&mut self, instance: usize, change: &Change) {
        let place = place(change, &self.scope);
        let key = (change.created, instance, change.task_key);
        let entry = || Entry {
            instance,
            change: change.clone(),
            exposures: Vec::new(),
        };
        if place.is_created {
            self.counts.add(change.outcome, change.missing.is_some());
            let piece = self.piece(change);
            let facts = &mut self.instances[instance];
            facts.counts.add(change.outcome, change.missing.is_some());
            facts.changes.add(key, entry);
            facts
                .marks
                .extend(piece.map(|piece| (piece, change.outcome)));
            self.add_exposure(instance, change);
        }
        if place.is_finished {
            self.finished
                .add((change.updated, instance, change.task_key), entry);
        }
        let lists = [
            (place.is_undated, &mut self.undated),
            (place.is_failed, &mut self.failures),
            (place.is_long, &mut self.long),
            (place.is_missing, &mut self.missing),
        ];
        for (belongs, list) in lists {
            if belongs {
                list.add(key, entry);
            }
        }
        self.stuck += u64::from(place.is_long && change.outcome == Outcome::Open);
        let is_removed = |looks: &str| looks == "removed";
        let looks = change
            .missing
            .as_ref()
            .and_then(|missing| missing.looks.as_deref());
        self.removed += u64::from(place.is_missing && looks.is_some_and(is_removed));
    }

    fn add_exposure(&mut self, instance: usize, change: &Change) {
        let found = exposures(change);
        if found.is_empty() {
            return;
        }
        let key = (change.created, instance, change.task_key);
        self.exposures.add(key, || Entry {
            instance,
            change: change.clone(),
            exposures: found.clone(),
        });
        if change.outcome != Outcome::Succeeded {
            return;
        }
        for Exposure { kind, turn, .. } in found {
            let known = self
                .turns
                .iter_mut()
                .find(|one| (one.0, one.1) == (kind, turn));
            match known {
                Some((_, _, count)) => *count += 1,
                None => self.turns.push((kind, turn, 1)),
            }
        }
    }

    /// In which piece of the period a task was created.
    fn piece(&self, change: &Change) -> Option<i64> {
        let length = self.scope.until.distance(self.scope.since).max(1);
        let away = change.created?.distance(self.scope.since);
        i64::try_from(i128::from(away) * i128::from(PIECES) / i128::from(length)).ok()
    }
}
