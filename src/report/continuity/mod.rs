//! Continuity: whether the tasks of an instance tell one story.
//!
//! A task that changes an attribute says what it was before. Where that is not what the last successful task before it left,
//! something else changed it in between: a task that is not in the archive, or something that no task tells of. That is a
//! *break*. What a task does not state proves nothing, and neither does the order of tasks that ran at the same time.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::{Attribute, CONFIGURATION, effect, is_same};
use crate::model::fact::{Change, Outcome};
use crate::model::time::Timestamp;

/// A place where the story does not go on: between the end of one task and the beginning of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Break<'a> {
    pub(crate) attribute: Attribute<'a>,
    pub(crate) earlier: &'a Change,
    /// When that one ended, and what it left.
    pub(crate) since: Timestamp,
    pub(crate) left: &'a str,
    pub(crate) later: &'a Change,
    /// When that one began, and what it found.
    pub(crate) until: Timestamp,
    pub(crate) found: &'a str,
}

/// One successful task, as far as one attribute is concerned.
struct Link<'a> {
    change: &'a Change,
    began: Timestamp,
    ended: Timestamp,
    found: Option<&'a str>,
    left: Option<&'a str>,
}

/// Returns the breaks in the changes of one instance, in the order of time.
///
/// Only tasks that succeeded count, and only times that can be believed at `server_now`.
pub(crate) fn breaks(changes: &[Change], server_now: Timestamp) -> Vec<Break<'_>> {
    let mut chains: BTreeMap<Attribute<'_>, Vec<Link<'_>>> = BTreeMap::new();
    for change in changes {
        if change.outcome != Outcome::Succeeded {
            continue;
        }
        let (Some(began), Some(ended)) = (change.began(server_now), change.ended(server_now))
        else {
            continue;
        };
        for attribute in touched(change) {
            let stated = change.states(attribute.source, attribute.name);
            chains.entry(attribute).or_default().push(Link {
                change,
                began,
                ended,
                found: stated.and_then(|stated| stated.old.as_deref()),
                left: effect(change, attribute).and_then(|effect| effect.value()),
            });
        }
    }
    let mut breaks = Vec::new();
    for (attribute, mut links) in chains {
        links.sort_by_key(|link| (link.ended, link.began, link.change.task_key));
        breaks.extend(in_chain(attribute, &links));
    }
    breaks.sort_by_key(|found| (found.until, found.later.task_key, found.attribute));
    breaks
}

/// Returns every attribute that a task states, or touches without stating it.
fn touched(change: &Change) -> BTreeSet<Attribute<'_>> {
    let stated = change.stated.iter().map(|stated| Attribute {
        source: stated.source,
        name: &stated.attribute,
    });
    let implied = CONFIGURATION.into_iter();
    let implied = implied.filter(|attribute| effect(change, *attribute).is_some());
    stated.chain(implied).collect()
}

/// Returns the breaks of one attribute. Its links come in the order in which they ended.
fn in_chain<'a>(attribute: Attribute<'a>, links: &[Link<'a>]) -> Vec<Break<'a>> {
    let mut breaks = Vec::new();
    for (place, later) in links.iter().enumerate() {
        let Some(found) = later.found else { continue };
        let before = &links[..place];
        // The last one that was over when this one began, and those that ended while it ran: which of these it found is
        // not known.
        let settled = before.partition_point(|link| link.ended <= later.began);
        let Some(first) = settled.checked_sub(1) else {
            continue;
        };
        let (earlier, possible) = (&before[first], &before[first..]);
        let fits = |link: &Link<'_>| link.left.is_none_or(|left| is_same(left, found));
        if let Some(left) = earlier.left
            && !possible.iter().any(fits)
        {
            breaks.push(Break {
                attribute,
                earlier: earlier.change,
                since: earlier.ended,
                left,
                later: later.change,
                until: later.began,
                found,
            });
        }
    }
    breaks
}
