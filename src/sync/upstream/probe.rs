//! The questions of `doctor`, asked one after the other: few, small, and none that changes anything.
//!
//! What an answer means is decided in [`super::judge`]. A refused credential, an origin that does not answer and the end of
//! the run's time stop the asking at once; any other failure costs the findings that needed the answer.

use tokio::time::Instant;

use super::{
    examination::{Access, Chosen, Contact, Ended, Examination, Lessons},
    judge::{Reply, Shown, Unanswered},
};
use crate::api::{
    client::{Answer, Client, Filter, Query},
    decode,
    error::ApiError,
};
use crate::model::{
    ledger::Endpoint,
    record::Record,
    time::Timestamp,
    upstream::{Aspect, Finding},
};
use crate::normalize;
use crate::store::instances::KnownInstance;
use crate::sync::selection::{self, Selection};

/// The requests of an examination at most, retries apart: the list of instances, the candidates, and thirteen questions to one
/// of them. The help of `doctor` promises it.
#[cfg(test)]
pub(crate) const MOST_REQUESTS: usize = 1 + CANDIDATES + 13;

/// Instances that are asked how many tasks they have.
pub(crate) const CANDIDATES: usize = 5;

/// Instances that the list is asked for: enough to choose from, and to find one by its name in most projects.
const LISTED: u32 = 100;

/// Records of a first look: one more than one shows that a count counts more than its page.
pub(super) const LOOK: u32 = 2;

/// Asks; `known` is what the archive knows of the endpoint's task lists.
pub(crate) async fn examine(
    client: &Client,
    project_id: &str,
    selection: &Selection,
    known: Endpoint,
    wall: fn() -> Timestamp,
) -> Examination {
    let mut asking = Asking {
        client,
        project_id,
        known,
        wall,
        found: Examination {
            contact: None,
            list: Access::NotAsked,
            tasks: Access::NotAsked,
            chosen: None,
            findings: Vec::new(),
            lessons: Lessons::default(),
            ended: None,
        },
    };
    let ended = asking.all(selection).await.err();
    let mut found = asking.found;
    found.ended = ended;
    let why = match (&found.ended, &found.chosen) {
        (Some(_), _) => "the asking ended before",
        (None, None) => "there is no instance whose tasks could be asked for",
        (None, Some(_)) => "nothing that was seen decides it",
    };
    let findings = std::mem::take(&mut found.findings);
    found.findings = Aspect::ALL
        .map(|aspect| {
            let known = findings.iter().find(|finding| finding.aspect == aspect);
            known
                .cloned()
                .unwrap_or_else(|| Finding::cannot_be_told(aspect, why))
        })
        .to_vec();
    found
}

/// An examination under way.
pub(super) struct Asking<'a> {
    client: &'a Client,
    project_id: &'a str,
    pub(super) known: Endpoint,
    wall: fn() -> Timestamp,
    pub(super) found: Examination,
}

impl Asking<'_> {
    async fn all(&mut self, selection: &Selection) -> Result<(), Ended> {
        let listed = self.list(selection).await?;
        let candidates = candidates(selection, &listed);
        if candidates.is_empty() && !listed.is_empty() {
            return Err(Ended::NoneChosen);
        }
        let is_named = matches!(selection, Selection::Named(_));
        let Some((instance, first)) = self.choose(&candidates, is_named).await? else {
            return Ok(());
        };
        self.questions(&instance, &first).await
    }

    /// Notes the first answer.
    fn met(&mut self, began: Instant, date: Option<Timestamp>, attempts: u32) {
        if self.found.contact.is_none() {
            self.found.contact = Some(Contact {
                date,
                ours: (self.wall)(),
                latency: began.elapsed(),
                attempts,
            });
        }
    }

    /// The same for a failure, which may be an answer too; it says whether the asking ends here.
    fn failed(&mut self, began: Instant, error: ApiError) -> Result<ApiError, Ended> {
        if error.status().is_some() {
            self.met(began, error.date(), error.attempts());
        }
        if error.is_unauthorized() {
            return Err(Ended::Refused(Box::new(error)));
        }
        if error.origin_is_dead() || error.is_deadline() {
            return Err(Ended::Unreachable(Box::new(error)));
        }
        Ok(error)
    }

    /// Asks for the list of instances.
    async fn list(&mut self, selection: &Selection) -> Result<Vec<KnownInstance>, Ended> {
        let began = Instant::now();
        let parse = |answer: &Answer| super::super::read(decode::instances(&answer.body));
        let asked = self.client.instances(self.project_id, 0, LISTED, parse);
        let page = match asked.await {
            Ok(fetched) => {
                self.met(began, fetched.date, fetched.attempts);
                fetched.value
            }
            Err(error) => {
                let error = self.failed(began, error)?;
                let text = error.in_one_line();
                let is_named = matches!(selection, Selection::Named(_));
                if error.is_forbidden() {
                    self.found.list = Access::Refused(text);
                } else {
                    self.found.list = Access::Failed(text);
                }
                return match (is_named, error.is_forbidden()) {
                    (true, _) => Ok(Vec::new()),
                    (false, true) => Err(Ended::Refused(Box::new(error))),
                    (false, false) => Err(Ended::Unreachable(Box::new(error))),
                };
            }
        };
        let count = page.records.len();
        let counted = page
            .total
            .map_or_else(String::new, |total| format!(", instance_num is {total}"));
        self.found.list = Access::Allowed(format!("{count} instances came{counted}"));
        let known = page.records.into_iter().filter_map(|record| match record {
            Record::Read(instance) => Some(KnownInstance {
                row: normalize::instance(&instance.raw),
                instance_id: instance.id,
                is_shown: true,
                gone: None,
            }),
            Record::Rejected(_) => None,
        });
        Ok(known.collect())
    }

    /// Asks the candidates how many tasks they have, and returns the one with most and its answer.
    async fn choose(
        &mut self,
        candidates: &[String],
        is_named: bool,
    ) -> Result<Option<(String, Shown)>, Ended> {
        let mut best: Option<(&String, Shown)> = None;
        let mut failures = Vec::new();
        let mut asked = 0;
        for instance in candidates.iter().take(CANDIDATES) {
            match self.ask(instance, 0, LOOK, None).await? {
                Ok(shown) => {
                    asked += 1;
                    let size = |shown: &Shown| shown.total.unwrap_or(0).max(shown.count);
                    if best
                        .as_ref()
                        .is_none_or(|(_, most)| size(&shown) > size(most))
                    {
                        best = Some((instance, shown));
                    }
                }
                Err(error) => failures.push(error),
            }
        }
        let Some((instance, shown)) = best else {
            return self.none_answered(failures, is_named).map(|()| None);
        };
        self.found.tasks = Access::Allowed(match failures.first() {
            None => format!("{asked} of {asked} instances answered"),
            Some(error) => format!(
                "{asked} of {} instances answered; {}",
                asked + failures.len(),
                error.in_one_line()
            ),
        });
        self.found.chosen = Some(Chosen {
            instance_id: instance.clone(),
            why: match candidates.len() {
                1 => "the only one in question".to_owned(),
                number => format!(
                    "the one with most tasks among the first {} of {number}",
                    asked + failures.len()
                ),
            },
        });
        Ok(Some((instance.clone(), shown)))
    }

    /// Says what it means that no candidate answered with a list.
    fn none_answered(&mut self, failures: Vec<ApiError>, is_named: bool) -> Result<(), Ended> {
        // What the service says of one instance is no failure; the first that is one is told.
        let says_nothing =
            |error: &ApiError| error.no_background_tasks() || !is_named && error.instance_absent();
        let Some(first) = failures.iter().position(|error| !says_nothing(error)) else {
            if let Some(error) = failures.first() {
                self.found.tasks = Access::Failed(error.in_one_line());
            }
            return Ok(());
        };
        let error = Box::new(failures.into_iter().nth(first).expect("it was just found"));
        let text = error.in_one_line();
        if error.is_forbidden() {
            self.found.tasks = Access::Refused(text);
            return Err(Ended::Refused(error));
        }
        self.found.tasks = Access::Failed(text);
        Err(if error.instance_absent() {
            Ended::UnknownInstance(error)
        } else {
            Ended::Unreachable(error)
        })
    }

    /// Asks for a page of tasks.
    pub(super) async fn ask(
        &mut self,
        instance: &str,
        offset: u64,
        limit: u32,
        filter: Option<Filter>,
    ) -> Result<Result<Shown, ApiError>, Ended> {
        let began = Instant::now();
        let query = Query {
            offset,
            limit,
            filter,
        };
        let parse = |answer: &Answer| super::super::read(decode::page(&answer.body, offset));
        let asked = self.client.tasks(self.project_id, instance, &query, parse);
        match asked.await {
            Ok(fetched) => {
                self.met(began, fetched.date, fetched.attempts);
                Ok(Ok(Shown::from(&fetched.value)))
            }
            Err(error) => Ok(Err(self.failed(began, error)?)),
        }
    }

    /// The same, where a failure only costs a finding.
    pub(super) async fn reply(
        &mut self,
        instance: &str,
        offset: u64,
        limit: u32,
        filter: Option<Filter>,
    ) -> Result<Reply, Ended> {
        Ok(self
            .ask(instance, offset, limit, filter)
            .await?
            .map_err(|error| unanswered(&error)))
    }

    pub(super) fn untold(&mut self, aspects: &[Aspect], why: &str) {
        let findings = aspects
            .iter()
            .map(|aspect| Finding::cannot_be_told(*aspect, why));
        self.found.findings.extend(findings);
    }

    /// The server's clock, which a few seconds of asking do not matter to.
    pub(super) fn now(&self) -> Timestamp {
        let told = self.found.contact.and_then(|contact| contact.date);
        told.unwrap_or_else(|| (self.wall)())
    }
}

pub(super) fn unanswered(error: &ApiError) -> Unanswered {
    let said = error.in_one_line();
    if error.status() == Some(400) && !error.no_background_tasks() {
        Unanswered::Refused(said)
    } else {
        Unanswered::Failed(said)
    }
}

/// Returns the instances in question, in the order in which they are asked. What was typed and is not listed is taken for
/// an id.
fn candidates(selection: &Selection, listed: &[KnownInstance]) -> Vec<String> {
    match selection {
        Selection::Named(typed) => typed
            .iter()
            .flat_map(|typed| match selection::meant(typed, listed).as_slice() {
                [] => vec![typed.clone()],
                ids => ids.iter().map(|id| (*id).to_owned()).collect(),
            })
            .collect(),
        Selection::Discovered(choice) => selection::choose(choice, listed, true)
            .targets
            .into_iter()
            .map(|target| target.instance_id)
            .collect(),
    }
}
