//! From answers to findings: what a few harmless reads tell of an upstream, and what they cannot. Pure.
//!
//! Every judgement ends as a finding, with what was seen or why it does not decide. None guesses: a filter that is silently
//! ignored, a list that is too short and an answer that did not come are different things from a manner that was seen.

use super::form_word;
use crate::model::{
    ledger::{Endpoint, TotalTrust},
    record::{CountForm, Page, Record},
    time::{MINUTE, SECOND, Timestamp},
    upstream::{Aspect, Finding, Told, Trend, word},
};
use crate::sync::total;

/// How far apart the two times of a task must lie so that bounds of whole seconds fit between them, a second wide on either
/// side, with room to spare.
const LEAST_GAP: i64 = 10 * SECOND;

/// A task that was changed lately may be changed between two questions.
const SETTLED: i64 = 10 * MINUTE;

/// Records from the top among which a task is chosen to try the filter on. A filtered answer of a hundred then holds it
/// even where one of its bounds is ignored.
const NEAR_THE_TOP: usize = 50;

/// One answer, as far as a judgement looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) total: Option<u64>,
    pub(crate) form: CountForm,
    /// Records, those that could not be read included.
    pub(crate) count: u64,
    pub(crate) tasks: Vec<Times>,
}

/// A task with its two times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) id: String,
    pub(crate) created: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
}

impl From<&Page> for Shown {
    fn from(page: &Page) -> Self {
        let tasks = page.records.iter().filter_map(|record| match record {
            Record::Read(task) => Some(Times {
                id: task.id.clone(),
                created: task.created,
                updated: task.updated,
            }),
            Record::Rejected(_) => None,
        });
        Self {
            total: page.total,
            form: page.count_form,
            count: page.records.len() as u64,
            tasks: tasks.collect(),
        }
    }
}

impl Shown {
    fn has(&self, id: &str) -> bool {
        self.tasks.iter().any(|task| task.id == id)
    }

    /// Says whether the answer is all of what was asked for, as far as its count and the limit tell.
    fn is_all(&self, limit: u64) -> bool {
        self.count < limit && self.total.is_none_or(|total| total <= self.count)
    }

    fn counted(&self) -> String {
        self.total
            .map_or_else(|| "no count".to_owned(), |total| total.to_string())
    }
}

/// A question that got no answer that could be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The service does not accept a parameter.
    Refused(String),
    Failed(String),
}

impl Unanswered {
    pub(crate) fn why(&self) -> String {
        match self {
            Self::Refused(said) => format!("the request is refused: {said}"),
            Self::Failed(said) => format!("there was no answer: {said}"),
        }
    }
}

pub(crate) type Reply = Result<Shown, Unanswered>;

/// An answer to a question without a filter, with the offset that was asked for.
pub(crate) type Counted<'a> = (u64, &'a Shown);

/// Says in which JSON form the count comes.
pub(crate) fn count_type(answers: &[Counted<'_>]) -> Finding {
    let forms: Vec<&str> = answers
        .iter()
        .map(|(_, shown)| form_word(shown.form))
        .collect();
    let Some(first) = forms.first() else {
        return Finding::cannot_be_told(Aspect::CountType, "there was no answer");
    };
    if forms.iter().any(|form| form != first) {
        let evidence = format!("answers had it as {}", forms.join(", "));
        return Finding::known(Aspect::CountType, word::MIXED, evidence);
    }
    let evidence = match forms.len() {
        1 => "in the one answer".to_owned(),
        number => format!("in all of {number} answers"),
    };
    Finding::known(Aspect::CountType, *first, evidence)
}

/// Says what the count counts, by the rules of the sync; `known` is what those have come to before.
pub(crate) fn count(known: TotalTrust, answers: &[Counted<'_>]) -> Finding {
    let before = Endpoint {
        trust: known,
        ..Endpoint::default()
    };
    let learned = answers.iter().fold(before, |endpoint, (offset, shown)| {
        total::learn(endpoint, *offset, shown.count, shown.total)
    });
    let seen = |(offset, shown): &Counted<'_>| {
        format!(
            "{} came from {offset} on and {} counted",
            shown.count,
            shown.counted()
        )
    };
    let seen = answers.iter().map(seen).collect::<Vec<_>>().join("; ");
    match learned.trust {
        TotalTrust::Trusted => Finding::known(Aspect::Count, word::TOTAL, seen),
        TotalTrust::Distrusted => {
            let of_its_page =
                |(_, shown): &Counted<'_>| shown.count == 0 || shown.total == Some(shown.count);
            let is_page = answers.iter().all(of_its_page);
            let word = if is_page { word::PAGE } else { word::NO_TOTAL };
            let seen = if known == TotalTrust::Distrusted {
                format!("an earlier answer contradicted it; now {seen}")
            } else {
                seen
            };
            Finding::known(Aspect::Count, word, seen)
        }
        TotalTrust::Unknown if answers.iter().all(|(_, shown)| shown.total.is_none()) => {
            Finding::cannot_be_told(Aspect::Count, "no answer has a count")
        }
        TotalTrust::Unknown => Finding::cannot_be_told(
            Aspect::Count,
            format!("the list is too short to show more than a page: {seen}"),
        ),
    }
}

/// Says in which order a page comes.
pub(crate) fn order(page: &Shown) -> Finding {
    let mut trend = Trend::default();
    for task in &page.tasks {
        trend.note(task.created, task.updated);
    }
    match trend.order() {
        Some(order) => Finding::known(
            Aspect::Order,
            order,
            format!("{} records: {}", page.count, trend.evidence()),
        ),
        None => Finding::cannot_be_told(
            Aspect::Order,
            format!(
                "{} records are too few with different times: {}",
                page.count,
                trend.evidence()
            ),
        ),
    }
}

/// Says what becomes of the documented maximum of `limit`: the last one asked for and its answer, with the limits that were
/// refused before it.
pub(crate) fn page_limit(refused: &[u32], limit: u32, page: &Reply, trust: TotalTrust) -> Finding {
    let page = match page {
        Ok(page) => page,
        Err(unanswered) => return Finding::cannot_be_told(Aspect::PageLimit, unanswered.why()),
    };
    if let Some(first) = refused.first() {
        let evidence = format!("limit={first} is refused, limit={limit} is accepted");
        return Finding::known(Aspect::PageLimit, word::REFUSED, evidence);
    }
    let (limit, count) = (u64::from(limit), page.count);
    if count >= limit {
        let evidence = format!("limit={limit} brought {count} records");
        return Finding::known(Aspect::PageLimit, word::SERVED, evidence);
    }
    match page.total {
        Some(total) if total > count && trust == TotalTrust::Trusted => {
            let evidence = format!("limit={limit} brought {count} of {total} records");
            Finding::known(Aspect::PageLimit, word::CUT, evidence)
        }
        _ => {
            let evidence = format!(
                "limit={limit} is accepted; the list has no more than the {count} that came"
            );
            Finding::known(Aspect::PageLimit, word::ACCEPTED, evidence)
        }
    }
}

/// Says whether a list without a filter is the whole one: what it counts, against what it counts from the year 2000 on.
/// Where they differ, `again` is the plain list once more, because it may have moved.
pub(crate) fn window(
    plain: &Shown,
    early: &Reply,
    again: Option<&Reply>,
    trust: TotalTrust,
) -> Finding {
    let untold = |why: String| Finding::cannot_be_told(Aspect::Window, why);
    let early = match early {
        Ok(early) => early,
        Err(unanswered) => return untold(unanswered.why()),
    };
    if trust != TotalTrust::Trusted {
        return untold("the count is not known to be that of the list".to_owned());
    }
    let plain = match again {
        None => plain,
        Some(Ok(again)) => again,
        Some(Err(unanswered)) => return untold(unanswered.why()),
    };
    let evidence = format!(
        "the plain list counts {}, from the year 2000 on {}",
        plain.counted(),
        early.counted()
    );
    match (plain.total, early.total) {
        (Some(plain), Some(early)) if early == plain => {
            Finding::known(Aspect::Window, word::WHOLE, evidence)
        }
        (Some(plain), Some(early)) if early > plain => {
            Finding::known(Aspect::Window, word::HIDES, evidence)
        }
        _ => untold(evidence),
    }
}

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

/// Where the oldest record can be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bottom {
    /// The page at hand is the whole list.
    OnThePage,
    /// The list is in order and counted: the record at this offset is the last one.
    At(u64),
    Unknown,
}

/// Says where the oldest record is: `page` is the first one, and `total` the count of the whole list.
pub(crate) fn bottom(
    page: &Shown,
    total: Option<u64>,
    order: &Finding,
    trust: TotalTrust,
) -> Bottom {
    let is_ordered = matches!(
        &order.told,
        Told::Known { word, .. } if word.starts_with(word::NEWEST_FIRST)
    );
    match total.filter(|_| trust == TotalTrust::Trusted) {
        Some(total) if total == page.count => Bottom::OnThePage,
        Some(total) if total > page.count && is_ordered => Bottom::At(total - 1),
        _ => Bottom::Unknown,
    }
}

/// Says when the oldest record that is served was created.
pub(crate) fn oldest(shown: &Shown, of: u64) -> Finding {
    let oldest = shown.tasks.iter().filter_map(|task| task.created).min();
    match oldest {
        Some(oldest) => Finding::known(
            Aspect::Oldest,
            oldest.to_string(),
            format!("the last of {of} records"),
        ),
        None => Finding::cannot_be_told(Aspect::Oldest, "no record has a time of creation"),
    }
}

#[cfg(test)]
mod tests;
