//! The configuration of an instance at a moment, rebuilt from its tasks.
//!
//! Each value is what the last successful task left, with how sure that is: whether the archive vouches for the time since,
//! whether a later task or the list of instances contradicts it. Tasks that failed are taken to have changed nothing, which
//! is an inference and said to be one; those that were cancelled as well. What nothing tells is unknown.

mod certainty;
mod listed;
#[cfg(test)]
pub(super) mod tests;

use crate::model::coverage::Span;
use crate::model::fact::{Change, Outcome};
use crate::model::time::Timestamp;

use super::attribute::{Attribute, CONFIGURATION, Effect, effect, is_same};
pub(crate) use certainty::Certainty;
pub(crate) use listed::Listed;

/// Everything that is known of an instance around a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// All tasks of the instance, later ones too: they tell what they found.
    pub(crate) changes: &'a [Change],
    /// What its ledger vouches for, from the beginning to the moment.
    pub(crate) spans: &'a [Span],
    /// What a list of instances told of it by then.
    pub(crate) listed: Option<&'a Listed>,
    /// The moment up to which times can be believed.
    pub(crate) server_now: Timestamp,
}

/// One attribute at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<'a> {
    pub(crate) attribute: &'a str,
    pub(crate) value: Option<String>,
    /// The end of the task that set it.
    pub(crate) since: Option<Timestamp>,
    pub(crate) by: Option<&'a Change>,
    pub(crate) certainty: Certainty,
    /// Up to when that holds, where nothing vouches for the rest.
    pub(crate) as_of: Option<Timestamp>,
    /// What the list of instances told of it.
    pub(crate) listed: Option<String>,
    /// What else there is to know, each in a sentence of its own.
    pub(crate) notes: Vec<String>,
}

/// Returns every attribute of the configuration at a moment, in a fixed order; then what only the list of instances tells.
pub(crate) fn settings<'a>(known: &Known<'a>, at: Timestamp) -> Vec<Setting<'a>> {
    let told = CONFIGURATION
        .iter()
        .map(|attribute| setting(known, *attribute, at));
    let mut settings: Vec<_> = told.collect();
    if let Some(listed) = known.listed {
        settings.extend(listed.others().map(|(attribute, value)| Setting {
            attribute,
            value: Some(value.to_owned()),
            listed: Some(value.to_owned()),
            certainty: Certainty::Listed,
            as_of: Some(listed.seen),
            ..unknown(attribute)
        }));
    }
    settings
}

/// Returns the tasks that were under way at a moment, with what each of them is to set of the configuration.
pub(crate) fn pending<'a>(known: &Known<'a>, at: Timestamp) -> Vec<Setting<'a>> {
    let mut pending = Vec::new();
    for change in known.changes {
        let Some((began, ended)) = known.times(change) else {
            continue;
        };
        if began > at || (change.outcome != Outcome::Open && ended <= at) {
            continue;
        }
        let mut notes = Vec::new();
        if let (false, Some(status)) = (change.outcome == Outcome::Open, &change.status) {
            notes.push(format!("it ended at {ended}, {status}"));
        }
        if change.missing.is_some() && change.outcome == Outcome::Open {
            notes.push("the cloud no longer lists it".to_owned());
        }
        let before = pending.len();
        for attribute in CONFIGURATION {
            if let Some(effect) = effect(change, attribute) {
                pending.push(Setting {
                    value: effect.value().map(str::to_owned),
                    since: Some(began),
                    by: Some(change),
                    certainty: Certainty::Pending,
                    notes: notes.clone(),
                    ..unknown(attribute.name)
                });
            }
        }
        if pending.len() == before {
            pending.push(Setting {
                since: Some(began),
                by: Some(change),
                certainty: Certainty::Pending,
                notes,
                ..unknown("")
            });
        }
    }
    pending.sort_by_key(|setting| (setting.since, setting.by.map(|change| change.task_key)));
    pending
}

fn unknown(attribute: &str) -> Setting<'_> {
    Setting {
        attribute,
        value: None,
        since: None,
        by: None,
        certainty: Certainty::Unknown,
        as_of: None,
        listed: None,
        notes: Vec::new(),
    }
}

impl<'a> Known<'a> {
    /// When a task began and when it ended, or was last changed.
    fn times(&self, change: &Change) -> Option<(Timestamp, Timestamp)> {
        change
            .began(self.server_now)
            .zip(change.ended(self.server_now))
    }

    /// Returns the last success by then that touched the attribute, with what it did.
    fn last_set(&self, attribute: Attribute<'_>, at: Timestamp) -> Option<Set<'a>> {
        let set = self.changes.iter().filter_map(|change| {
            let (began, ended) = self.times(change)?;
            let effect = effect(change, attribute)?;
            let counts = change.outcome == Outcome::Succeeded && ended <= at;
            counts.then_some(Set {
                change,
                effect,
                began,
                ended,
            })
        });
        set.max_by_key(|set| (set.ended, set.began, set.change.task_key))
    }

    /// Returns what tasks found that began from a moment on, the first one first. A task need not succeed to find something.
    fn found(&self, attribute: Attribute<'_>, from: Option<Timestamp>) -> Vec<Found<'a>> {
        let found = self.changes.iter().filter_map(|change| {
            let (began, _) = self.times(change)?;
            let value = change
                .states(attribute.source, attribute.name)?
                .old
                .as_deref()?;
            from.is_none_or(|from| began >= from).then_some(Found {
                change,
                began,
                value,
            })
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|found| (found.began, found.change.task_key));
        found
    }

    /// Counts the tasks that failed between two moments and would have changed the attribute.
    fn failed(&self, attribute: Attribute<'_>, since: Option<Timestamp>, at: Timestamp) -> usize {
        let failed = self.changes.iter().filter(|change| {
            let is_between = |(_, ended): (Timestamp, Timestamp)| {
                since.is_none_or(|since| ended > since) && ended <= at
            };
            change.outcome == Outcome::Failed
                && self.times(change).is_some_and(is_between)
                && effect(change, attribute).is_some()
        });
        failed.count()
    }
}

/// A success that touched an attribute.
struct Set<'a> {
    change: &'a Change,
    effect: Effect<'a>,
    began: Timestamp,
    ended: Timestamp,
}

/// A value that a task found.
struct Found<'a> {
    change: &'a Change,
    began: Timestamp,
    value: &'a str,
}

fn setting<'a>(known: &Known<'a>, attribute: Attribute<'static>, at: Timestamp) -> Setting<'a> {
    let last = known.last_set(attribute, at);
    let mut setting = match &last {
        Some(set) => after(known, attribute, set, at),
        None => before(known, attribute, at),
    };
    let since = last.as_ref().map(|set| set.ended);
    match known.failed(attribute, since, at) {
        0 => {}
        1 => setting
            .notes
            .push("a task that failed since is taken to have changed nothing".to_owned()),
        many => setting.notes.push(format!(
            "{many} tasks that failed since are taken to have changed nothing"
        )),
    }
    if let Some(listed) = known.listed {
        beside(&mut setting, listed);
    }
    setting
}

/// What holds after a task that set the attribute.
fn after<'a>(
    known: &Known<'a>,
    attribute: Attribute<'static>,
    set: &Set<'a>,
    at: Timestamp,
) -> Setting<'a> {
    let mut setting = Setting {
        since: Some(set.ended),
        by: Some(set.change),
        value: set.effect.value().map(str::to_owned),
        ..unknown(attribute.name)
    };
    match set.effect {
        Effect::Set(_) => {}
        Effect::Means(_) => setting
            .notes
            .push("the task does not state it; its operation says so".to_owned()),
        Effect::Released => setting.notes.push("there is none any more".to_owned()),
        Effect::Unknown(why) => {
            setting.notes.push(why.to_owned());
            return setting;
        }
    }
    let sure = certainty::of(known.spans, set.ended, at);
    (setting.certainty, setting.as_of) = (sure.certainty, sure.as_of);
    setting.notes.extend(sure.note);
    // The first witness that began when the task was over, if what it found is something else.
    let witness = known.found(attribute, Some(set.ended)).into_iter().next();
    if let (Some(value), Some(witness)) = (set.effect.value(), witness)
        && !is_same(value, witness.value)
    {
        setting.certainty = Certainty::Contradicted;
        setting.notes.push(format!(
            "the task {} of {} found {}: a change in between is missing, or happened out of band",
            witness.change.task_id, witness.began, witness.value
        ));
    }
    setting
}

/// What can be said where no success set the attribute by then: what a task found tells what was there before it.
fn before<'a>(known: &Known<'a>, attribute: Attribute<'static>, at: Timestamp) -> Setting<'a> {
    let found = known.found(attribute, None);
    let later = found.iter().find(|found| found.began >= at);
    let earlier = found.iter().rev().find(|found| found.began < at);
    let Some(witness) = earlier.or(later) else {
        return unknown(attribute.name);
    };
    Setting {
        value: Some(witness.value.to_owned()),
        certainty: Certainty::Inferred,
        notes: vec![format!(
            "nothing here set it; the task {} of {} found it",
            witness.change.task_id, witness.began
        )],
        ..unknown(attribute.name)
    }
}

/// Puts beside a value what the list of instances tells of it, and says where they disagree.
fn beside(setting: &mut Setting<'_>, listed: &Listed) {
    let Some(told) = listed.value(setting.attribute) else {
        return;
    };
    setting.listed = Some(told.to_owned());
    // A list that was read before the change knows nothing of it.
    if setting.since.is_some_and(|since| since > listed.seen) {
        return;
    }
    if setting.certainty == Certainty::Unknown {
        setting.value = Some(told.to_owned());
        setting.certainty = Certainty::Listed;
        setting.as_of = Some(listed.seen);
        setting
            .notes
            .push("as the list of instances tells".to_owned());
        // What set it is not known, whatever touched it last.
        (setting.since, setting.by) = (None, None);
        return;
    }
    let agrees = setting
        .value
        .as_deref()
        .is_some_and(|value| is_same(value, told));
    if !agrees {
        setting.certainty = Certainty::Contradicted;
        setting.notes.push(format!(
            "the list of instances of {} tells {told}",
            listed.seen
        ));
    }
}
