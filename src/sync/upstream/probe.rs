//! The questions of `doctor`, asked one after the other: few, small, and none that changes anything.
//!
//! What an answer means is decided in [`super::judge`]. A refused credential, an origin that does not answer and the end of
//! the run's time stop the asking at once; any other failure costs the findings that needed the answer.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    LARGEST_PAGE,
    judge::{self, Bottom, Counted, Reply, Shown, Span, Subject, Unanswered},
};
use crate::api::{
    client::{Answer, Client, Filter, Query, StartParameter},
    decode,
    error::ApiError,
};
use crate::model::{
    ledger::{Endpoint, TotalTrust},
    record::Record,
    time::{DAY, Timestamp},
    upstream::{Aspect, Finding, Told, word},
};
use crate::normalize;
use crate::store::instances::KnownInstance;
use crate::sync::selection::{self, Selection};
use crate::sync::total;

/// The requests of an examination at most, retries apart: the list of instances, the candidates, and twelve questions to one
/// of them. The help of `doctor` promises it.
#[cfg(test)]
pub(crate) const MOST_REQUESTS: usize = 1 + CANDIDATES + 12;

/// Instances that are asked how many tasks they have.
pub(crate) const CANDIDATES: usize = 5;

/// Instances that the list is asked for: enough to choose from, and to find one by its name in most projects.
const LISTED: u32 = 100;

/// Records of a first look: one more than one shows that a count counts more than its page.
const LOOK: u32 = 2;

/// Records of a filtered answer, among which one task is looked for.
const FILTERED: u32 = 100;

/// The limits that are tried, as a sync tries them.
const LIMITS: [u32; 3] = [LARGEST_PAGE as u32, 100, 10];

/// The first answer of the service: when it came, by both clocks, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) date: Option<Timestamp>,
    pub(crate) ours: Timestamp,
    pub(crate) latency: Duration,
    /// Requests until it came: of more than one, the latency has the waits in it.
    pub(crate) attempts: u32,
}

/// What the service allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    NotAsked,
    Allowed(String),
    /// By its answer: with the text of that.
    Refused(String),
    /// Something else went wrong.
    Failed(String),
}

/// What ended the asking early.
#[derive(Debug)]
pub(crate) enum Ended {
    Refused(Box<ApiError>),
    Unreachable(Box<ApiError>),
    /// None of the instances that were named exists.
    UnknownInstance(Box<ApiError>),
    /// There are instances, and the choice lets none of them through.
    NoneChosen,
}

/// The instance that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) instance_id: String,
    pub(crate) why: String,
}

/// What an endpoint taught about its task lists, for the next sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lessons {
    /// Offset, records and count of answers without a filter.
    answers: Vec<(u64, u64, Option<u64>)>,
    /// The largest limit that is accepted.
    limit: Option<u32>,
}

impl Lessons {
    /// Adds them to what is known, by the rules of a sync. The page was as long as it was asked to be, or as the list is, so
    /// nothing is learned about the longest one.
    pub(crate) fn applied_to(&self, known: Endpoint) -> Endpoint {
        let learned = self
            .answers
            .iter()
            .fold(known, |endpoint, (offset, count, total)| {
                total::learn(endpoint, *offset, *count, *total)
            });
        Endpoint {
            trust: learned.trust,
            longest_page: known.longest_page,
            page_limit: match self.limit {
                None => known.page_limit,
                Some(limit) if u64::from(limit) == LARGEST_PAGE => None,
                smaller => smaller,
            },
        }
    }
}

/// Everything that came of it.
#[derive(Debug)]
pub(crate) struct Examination {
    pub(crate) contact: Option<Contact>,
    pub(crate) list: Access,
    pub(crate) tasks: Access,
    pub(crate) chosen: Option<Chosen>,
    /// One for each aspect, in their order.
    pub(crate) findings: Vec<Finding>,
    pub(crate) lessons: Lessons,
    pub(crate) ended: Option<Ended>,
}

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

struct Asking<'a> {
    client: &'a Client,
    project_id: &'a str,
    known: Endpoint,
    wall: fn() -> Timestamp,
    found: Examination,
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
    async fn ask(
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
    async fn reply(
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

    /// Puts the questions to one instance; `first` is its first answer.
    async fn questions(&mut self, instance: &str, first: &Shown) -> Result<(), Ended> {
        let second = self.reply(instance, 1, 1, None).await?;
        let (refused, limit, page) = self.page(instance).await?;
        let mut answers: Vec<Counted<'_>> = vec![(0, first)];
        answers.extend(second.iter().map(|shown| (1, shown)));
        answers.extend(page.iter().map(|shown| (0, shown)));
        let lessons = Lessons {
            answers: answers
                .iter()
                .map(|(offset, shown)| (*offset, shown.count, shown.total))
                .collect(),
            limit: page.is_ok().then_some(limit),
        };
        let trust = lessons.applied_to(self.known).trust;
        self.found.lessons = lessons;
        self.found.findings = vec![
            judge::count_type(&answers),
            judge::count(self.known.trust, &answers),
            judge::page_limit(&refused, limit, &page, trust),
        ];
        let window = self.window(instance, first, trust).await?;
        self.found.findings.push(window.finding);
        let parameter = self.parameter(instance, first).await?;
        let page = match page {
            Ok(page) => page,
            Err(unanswered) => {
                let aspects = [
                    Aspect::Order,
                    Aspect::FilterTime,
                    Aspect::Bounds,
                    Aspect::Oldest,
                ];
                self.untold(&aspects, &unanswered.why());
                return Ok(());
            }
        };
        let order = judge::order(&page);
        self.found.findings.push(order.clone());
        self.filter(instance, &page, parameter).await?;
        let total = window.total.or(page.total);
        let bottom = judge::bottom(&page, total, &order, trust);
        self.oldest(instance, &page, bottom, window.filter).await
    }

    /// Asks for a page of the largest size that is accepted; returns the limits that were refused as well.
    async fn page(&mut self, instance: &str) -> Result<(Vec<u32>, u32, Reply), Ended> {
        let mut refused = Vec::new();
        let mut last = (LIMITS[0], Err(Unanswered::Failed("not asked".to_owned())));
        for limit in LIMITS {
            match self.ask(instance, 0, limit, None).await? {
                Ok(shown) => return Ok((refused, limit, Ok(shown))),
                Err(error) => {
                    let blames_limit = error.blames_limit();
                    last = (limit, Err(unanswered(&error)));
                    if !blames_limit {
                        break;
                    }
                    refused.push(limit);
                }
            }
        }
        Ok((refused, last.0, last.1))
    }

    async fn window(
        &mut self,
        instance: &str,
        first: &Shown,
        trust: TotalTrust,
    ) -> Result<Whole, Ended> {
        let early = self.reply(instance, 0, LOOK, Some(Filter::early())).await?;
        let differs = early
            .as_ref()
            .is_ok_and(|early| early.total != first.total && trust == TotalTrust::Trusted);
        let again = if differs {
            Some(self.reply(instance, 0, LOOK, None).await?)
        } else {
            None
        };
        let finding = judge::window(first, &early, again.as_ref(), trust);
        let hides =
            matches!(&finding.told, Told::Known { word, .. } if word.as_str() == word::HIDES);
        Ok(Whole {
            finding,
            total: early.ok().and_then(|early| early.total).filter(|_| hides),
            filter: hides.then(Filter::early),
        })
    }

    /// Asks which name of the lower bound is heard, and returns the one to use.
    async fn parameter(
        &mut self,
        instance: &str,
        first: &Shown,
    ) -> Result<Option<StartParameter>, Ended> {
        let tomorrow = |parameter| Filter {
            parameter,
            start: Some(self.now().plus(DAY)),
            end: None,
        };
        let filters = [StartParameter::StartTime, StartParameter::BeginTime].map(tomorrow);
        let start_time = self.reply(instance, 0, LOOK, Some(filters[0])).await?;
        let begin_time = self.reply(instance, 0, LOOK, Some(filters[1])).await?;
        let finding = judge::start_parameter(first, &start_time, &begin_time);
        let parameter = match &finding.told {
            Told::Known { word, .. } => match word.as_str() {
                word::START_TIME | word::BOTH => Some(StartParameter::StartTime),
                word::BEGIN_TIME => Some(StartParameter::BeginTime),
                _ => None,
            },
            Told::CannotBeTold { .. } => None,
        };
        self.found.findings.push(finding);
        Ok(parameter)
    }

    /// Asks which time is filtered, and whether the bounds belong to the period.
    async fn filter(
        &mut self,
        instance: &str,
        page: &Shown,
        parameter: Option<StartParameter>,
    ) -> Result<(), Ended> {
        let both = [Aspect::FilterTime, Aspect::Bounds];
        let Some(parameter) = parameter else {
            self.untold(&both, "no name of the lower bound is known to be heard");
            return Ok(());
        };
        let Some(subject) = Subject::of(page, self.now()) else {
            let why = "no task near the top was changed ten seconds after it was created, and ten minutes ago";
            self.untold(&both, why);
            return Ok(());
        };
        let ask = |span: Span| Filter {
            parameter,
            start: Some(span.start),
            end: Some(span.end),
        };
        let by_update = self
            .reply(instance, 0, FILTERED, Some(ask(subject.around_update())))
            .await?;
        let by_creation = self
            .reply(instance, 0, FILTERED, Some(ask(subject.around_creation())))
            .await?;
        let time = judge::filter_time(&subject, &by_update, &by_creation, FILTERED);
        let bounds = match &time.told {
            Told::Known { word, .. } => {
                let span = subject.its_second(word);
                let reply = self.reply(instance, 0, FILTERED, Some(ask(span))).await?;
                judge::bounds(&subject, span, &reply, FILTERED)
            }
            Told::CannotBeTold { .. } => {
                let why = "which time is filtered is not known";
                Finding::cannot_be_told(Aspect::Bounds, why)
            }
        };
        self.found.findings.extend([time, bounds]);
        Ok(())
    }

    async fn oldest(
        &mut self,
        instance: &str,
        page: &Shown,
        bottom: Bottom,
        filter: Option<Filter>,
    ) -> Result<(), Ended> {
        let finding = match bottom {
            Bottom::OnThePage => judge::oldest(page, page.count),
            Bottom::At(offset) => match self.reply(instance, offset, LOOK, filter).await? {
                Ok(shown) => judge::oldest(&shown, offset + 1),
                Err(unanswered) => Finding::cannot_be_told(Aspect::Oldest, unanswered.why()),
            },
            Bottom::Unknown => Finding::cannot_be_told(
                Aspect::Oldest,
                "the list is longer than a page, or its count or order is not known",
            ),
        };
        self.found.findings.push(finding);
        Ok(())
    }

    fn untold(&mut self, aspects: &[Aspect], why: &str) {
        let findings = aspects
            .iter()
            .map(|aspect| Finding::cannot_be_told(*aspect, why));
        self.found.findings.extend(findings);
    }

    /// The server's clock, which a few seconds of asking do not matter to.
    fn now(&self) -> Timestamp {
        let told = self.found.contact.and_then(|contact| contact.date);
        told.unwrap_or_else(|| (self.wall)())
    }
}

/// What came of asking for the whole list.
struct Whole {
    finding: Finding,
    /// The count of the whole list, and how to ask for it, where the plain one hides records.
    total: Option<u64>,
    filter: Option<Filter>,
}

fn unanswered(error: &ApiError) -> Unanswered {
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
