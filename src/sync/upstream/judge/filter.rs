//! What a time filter does: which of its names is heard, which time it bounds, and whether its bounds are in. Pure.

use super::{Reply, Shown, Unanswered};
use crate::model::{
    time::{MINUTE, SECOND, Timestamp},
    upstream::{Aspect, Finding, word},
};

/// How far apart the two times of a task must lie so that bounds of whole seconds fit between them, a second wide on either
/// side, with room to spare.
const LEAST_GAP: i64 = 10 * SECOND;

/// A task that was changed lately may be changed between two questions.
const SETTLED: i64 = 10 * MINUTE;

/// Records from the top among which a task is chosen to try the filter on. A filtered answer of a hundred then holds it
/// even where one of its bounds is ignored.
const NEAR_THE_TOP: usize = 50;

/// Says which name of the lower bound is heard, by asking for what begins in the future.
pub(crate) fn start_parameter(plain: &Shown, start_time: &Reply, begin_time: &Reply) -> Finding {
    if plain.count == 0 {
        return Finding::cannot_be_told(Aspect::StartParameter, "the list is empty");
    }
    let mut heard = Vec::new();
    let mut seen = Vec::new();
    for (name, reply) in [
        (word::START_TIME, start_time),
        (word::BEGIN_TIME, begin_time),
    ] {
        match reply {
            Ok(shown) if shown.count == 0 => {
                heard.push(name);
                seen.push(format!("nothing begins with {name} in the future"));
            }
            Ok(_) => seen.push(format!("records come with {name} in the future")),
            Err(Unanswered::Refused(_)) => seen.push(format!("{name} is refused")),
            Err(Unanswered::Failed(said)) => {
                let why = format!("there was no answer with {name}: {said}");
                return Finding::cannot_be_told(Aspect::StartParameter, why);
            }
        }
    }
    let word = match heard.as_slice() {
        [] => word::NEITHER,
        [one] => one,
        _ => word::BOTH,
    };
    Finding::known(Aspect::StartParameter, word, seen.join("; "))
}

/// A task whose two times lie so far apart that a bound fits between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// A period to ask for, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

fn second(time: Timestamp) -> Timestamp {
    time.plus(-time.millis().rem_euclid(SECOND))
}

impl Subject {
    /// Chooses the task to try the filter on; `now` is the server's clock.
    pub(crate) fn of(page: &Shown, now: Timestamp) -> Option<Self> {
        page.tasks.iter().take(NEAR_THE_TOP).find_map(|task| {
            let (created, updated) = (task.created?, task.updated?);
            let is_apart = updated.millis() - created.millis() >= LEAST_GAP;
            let is_settled = now.millis() - updated.millis() >= SETTLED;
            (is_apart && is_settled).then(|| Self {
                id: task.id.clone(),
                created,
                updated,
            })
        })
    }

    /// Begins after it was created and holds its last update.
    pub(crate) fn around_update(&self) -> Span {
        Span {
            start: second(self.created).plus(2 * SECOND),
            end: second(self.updated).plus(2 * SECOND),
        }
    }

    /// Holds its creation and ends before its last update.
    pub(crate) fn around_creation(&self) -> Span {
        Span {
            start: second(self.created).plus(-SECOND),
            end: second(self.created).plus(2 * SECOND),
        }
    }

    /// The one second of the time that is filtered.
    pub(crate) fn its_second(&self, time: &str) -> Span {
        let at = second(if time == word::UPDATED {
            self.updated
        } else {
            self.created
        });
        Span { start: at, end: at }
    }
}

/// Says whether an answer holds a task that lies wholly behind the period: then the upper bound is ignored.
fn is_behind(shown: &Shown, end: Timestamp) -> bool {
    let is_later = |time: Option<Timestamp>| time.is_some_and(|time| time > end.plus(SECOND));
    let mut tasks = shown.tasks.iter();
    tasks.any(|task| is_later(task.created) && is_later(task.updated))
}

/// Says which of a task's times is filtered, by asking for a period around each; `limit` is that of both questions.
pub(crate) fn filter_time(
    subject: &Subject,
    by_update: &Reply,
    by_creation: &Reply,
    limit: u32,
) -> Finding {
    let untold = |why: String| Finding::cannot_be_told(Aspect::FilterTime, why);
    let (by_update, by_creation) = match (by_update, by_creation) {
        (Ok(by_update), Ok(by_creation)) => (by_update, by_creation),
        (Err(unanswered), _) | (_, Err(unanswered)) => return untold(unanswered.why()),
    };
    let (id, limit) = (&subject.id, u64::from(limit));
    let (updated, created) = (by_update.has(id), by_creation.has(id));
    let is_cut = |shown: &Shown, found: bool| !found && !shown.is_all(limit);
    if is_cut(by_update, updated) || is_cut(by_creation, created) {
        return untold("a filtered answer is longer than was asked for".to_owned());
    }
    let in_or_out = |found| if found { "is shown" } else { "is not shown" };
    let evidence = format!(
        "task {id} {} in a period around its update, and {} in one around its creation",
        in_or_out(updated),
        in_or_out(created)
    );
    match (updated, created) {
        (false, true) => Finding::known(Aspect::FilterTime, word::CREATED, evidence),
        (true, false) => Finding::known(Aspect::FilterTime, word::UPDATED, evidence),
        (true, true) if is_behind(by_creation, subject.around_creation().end) => {
            untold("the upper bound is ignored".to_owned())
        }
        (true, true) => Finding::known(Aspect::FilterTime, word::EITHER, evidence),
        (false, false) => untold(evidence),
    }
}

/// Says whether the bounds belong to the period, by asking for the one second of a task.
pub(crate) fn bounds(subject: &Subject, span: Span, reply: &Reply, limit: u32) -> Finding {
    let untold = |why: &str| Finding::cannot_be_told(Aspect::Bounds, why);
    let shown = match reply {
        Ok(shown) => shown,
        Err(unanswered) => return untold(&unanswered.why()),
    };
    if is_behind(shown, span.end) {
        return untold("the upper bound is ignored");
    }
    let id = &subject.id;
    if shown.has(id) {
        let evidence = format!("task {id} is shown where both bounds are its own second");
        return Finding::known(Aspect::Bounds, word::INCLUDED, evidence);
    }
    if !shown.is_all(u64::from(limit)) {
        return untold("a filtered answer is longer than was asked for");
    }
    let evidence = format!("task {id} is not shown where both bounds are its own second");
    Finding::known(Aspect::Bounds, word::EXCLUDED, evidence)
}
