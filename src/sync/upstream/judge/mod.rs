//! From answers to findings: what a few harmless reads tell of an upstream, and what they cannot. Pure.
//!
//! Every judgement ends as a finding, with what was seen or why it does not decide. None guesses: a filter that is silently
//! ignored, a list that is too short and an answer that did not come are different things from a manner that was seen.

mod filter;

use super::form_word;
use crate::model::{
    ledger::{Endpoint, TotalTrust},
    record::{CountForm, Page, Record},
    time::Timestamp,
    upstream::{Aspect, Finding, Told, Trend, word},
};
use crate::sync::total;
pub(super) use filter::{Span, Subject, bounds, filter_time, start_parameter};

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
