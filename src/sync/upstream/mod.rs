//! How the upstream behaves: what a sync sees of it in passing, and what `doctor` finds by asking.
//!
//! What a sync sees is compared with what the archive keeps of the host, after every list is read and its ledger line
//! written: no proof ever rests on it. A change is told once, stands in the drift journal, and the finding follows it.
//! [`judge`] is pure, [`probe`] and [`questions`] ask, and [`examination`] is what comes of it.

pub(crate) mod examination;
mod judge;
pub(crate) mod probe;
mod questions;

use super::{Session, Stopped, Work, event::Event, list::List, walk::Finding as Walked};
use crate::model::{
    ledger::{ListKind, TotalTrust},
    record::{CountForm, Page},
    upstream::{Aspect, Finding, Trend, word},
};
use crate::store::upstream::{By, Changed};
use crate::sync::window::Window;

/// The documented maximum of `limit`.
const LARGEST_PAGE: u32 = 1000;

/// What a run has seen so far of its host's task lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    form: Option<&'static str>,
    trend: Trend,
    /// What proven walks said of the count: that it is the length of the list, and that it is not.
    total: Option<String>,
    no_total: Option<String>,
    served: bool,
    cut: Option<String>,
    refused: Option<String>,
    whole: Option<String>,
    hides: Option<String>,
}

/// Returns the word for the form of a count.
pub(crate) const fn form_word(form: CountForm) -> &'static str {
    match form {
        CountForm::Absent => word::ABSENT,
        CountForm::Number => word::NUMBER,
        CountForm::Text => word::TEXT,
        CountForm::Unreadable => word::UNREADABLE,
    }
}

impl Seen {
    /// Takes an answer, asked for at `offset` with that limit.
    fn page(&mut self, offset: u64, limit: u64, page: &Page, trust: TotalTrust) {
        let form = form_word(page.count_form);
        self.form = match self.form {
            Some(known) if known != form => Some(word::MIXED),
            _ => Some(form),
        };
        let count = page.records.len() as u64;
        let largest = u64::from(LARGEST_PAGE);
        self.served |= count == largest && limit == largest;
        let Some(total) = page.total.filter(|_| trust == TotalTrust::Trusted) else {
            return;
        };
        if 0 < count && count < limit && total > offset.saturating_add(count) {
            self.cut.get_or_insert_with(|| {
                format!(
                    "{count} records came where {limit} were asked for and {total} were counted"
                )
            });
        }
    }

    /// Takes a walk of a whole list that was proven, with the trust that it left behind.
    fn proven(&mut self, list: &List, found: &Walked, trust: TotalTrust) {
        self.trend.add(found.trend);
        let received = found.positions;
        match (trust, found.largest_total) {
            (TotalTrust::Trusted, Some(total)) if total == received => {
                self.total
                    .get_or_insert_with(|| format!("{list} has {received} records, as counted"));
            }
            (TotalTrust::Distrusted, Some(total)) if total != received => {
                self.no_total.get_or_insert_with(|| {
                    format!("{list} has {received} records, and the largest count was {total}")
                });
            }
            _ => {}
        }
    }

    fn window(&mut self, list: &List, window: Window) {
        let evidence = format!("{list}, asked for with a start in the year 2000");
        match window {
            Window::Hidden => self.hides.get_or_insert(evidence),
            _ => self.whole.get_or_insert(evidence),
        };
    }

    /// Returns what that tells of the upstream. Of an aspect that shows itself in two ways, the rarer one counts.
    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut found = |aspect, word: &str, evidence: &str| {
            findings.push(Finding::known(aspect, word, evidence));
        };
        if let Some(form) = self.form {
            found(Aspect::CountType, form, "the answers of a sync");
        }
        match (&self.no_total, &self.total) {
            (Some(evidence), _) => found(Aspect::Count, word::NO_TOTAL, evidence),
            (None, Some(evidence)) => found(Aspect::Count, word::TOTAL, evidence),
            (None, None) => {}
        }
        if let Some(order) = self.trend.order() {
            found(Aspect::Order, order, &self.trend.evidence());
        }
        match (&self.refused, &self.cut) {
            (Some(evidence), _) => found(Aspect::PageLimit, word::REFUSED, evidence),
            (None, Some(evidence)) => found(Aspect::PageLimit, word::CUT, evidence),
            (None, None) if self.served => {
                let evidence = "a page of 1000 records came";
                found(Aspect::PageLimit, word::SERVED, evidence);
            }
            (None, None) => {}
        }
        match (&self.hides, &self.whole) {
            (Some(evidence), _) => found(Aspect::Window, word::HIDES, evidence),
            (None, Some(evidence)) => found(Aspect::Window, word::WHOLE, evidence),
            (None, None) => {}
        }
        findings
    }
}

/// Says what has changed, for the one who runs the sync.
fn told(host: &str, change: &Changed) -> String {
    let Changed {
        before,
        now,
        evidence,
        ..
    } = change;
    format!(
        "{host} behaves differently: {} was \"{before}\" and is \"{now}\" ({evidence}); `dcs-history doctor` looks closer",
        change.aspect.as_str()
    )
}

impl Session<'_> {
    pub(super) fn saw_page(&self, list: &List, offset: u64, limit: u64, page: &Page) {
        if list.kind() == ListKind::Tasks {
            let trust = self.endpoint(list).get().trust;
            self.seen.borrow_mut().page(offset, limit, page, trust);
        }
    }

    pub(super) fn saw_proof(&self, list: &List, found: &Walked) {
        if list.kind() == ListKind::Tasks {
            let trust = self.endpoint(list).get().trust;
            self.seen.borrow_mut().proven(list, found, trust);
        }
    }

    pub(super) fn saw_window(&self, list: &List, window: Window) {
        self.seen.borrow_mut().window(list, window);
    }

    pub(super) fn saw_refusal(&self, list: &List, limit: u32) {
        if list.kind() == ListKind::Tasks {
            let evidence = format!("limit={limit} was refused");
            self.seen.borrow_mut().refused.get_or_insert(evidence);
        }
    }

    /// Compares what the run saw with what the archive keeps, and tells what is different. A run that something stopped
    /// leaves that to the next one.
    pub(super) async fn note_upstream(&self) {
        let is_sync = matches!(self.job.work, Work::Sync(_));
        let findings = self.seen.borrow().findings();
        if !is_sync || findings.is_empty() || self.stopped.borrow().is_some() {
            return;
        }
        let (host, by, now) = (
            self.job.host.clone(),
            By::Sync(self.sync_key),
            self.clock.now(),
        );
        let noted = self
            .writer
            .call(move |archive| archive.note_findings(&host, &findings, by, now))
            .await;
        match noted {
            Ok(changes) => {
                for change in changes.iter().filter(|change| change.is_first) {
                    self.tell(Event::Warning(told(&self.job.host, change)));
                }
            }
            Err(error) => self.halt(Stopped::Store(error)),
        }
    }
}

#[cfg(test)]
mod tests;
