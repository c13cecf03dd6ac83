//! The questions that are put to one instance, in an order in which each can use what the ones before it have told.

use super::{
    LARGEST_PAGE,
    examination::{Ended, Lessons},
    judge::{self, Bottom, Counted, Reply, Shown, Span, Subject, Unanswered},
    probe::{Asking, LOOK, unanswered},
};
use crate::api::client::{Filter, StartParameter};
use crate::model::{
    ledger::TotalTrust,
    time::DAY,
    upstream::{Aspect, Finding, Told, word},
};

/// Records of a filtered answer, among which one task is looked for.
const FILTERED: u32 = 100;

/// The limits that are tried, as a sync tries them.
const LIMITS: [u32; 3] = [LARGEST_PAGE, 100, 10];

/// What came of asking for the whole list.
struct Whole {
    finding: Finding,
    /// The count of the whole list, and how to ask for it, where the plain one hides records.
    total: Option<u64>,
    filter: Option<Filter>,
}

impl Asking<'_> {
    /// Puts the questions to one instance; `first` is its first answer.
    pub(super) async fn questions(&mut self, instance: &str, first: &Shown) -> Result<(), Ended> {
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
        self.filter(instance, &page, parameter, limit.min(FILTERED))
            .await?;
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
        let mut filter = Filter::early();
        let mut early = self.reply(instance, 0, LOOK, Some(filter)).await?;
        if matches!(early, Err(Unanswered::Refused(_))) {
            // One name of the bound may be unknown here, and refused for that.
            filter.parameter = StartParameter::StartTime;
            early = self.reply(instance, 0, LOOK, Some(filter)).await?;
        }
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
            filter: hides.then_some(filter),
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
        limit: u32,
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
            .reply(instance, 0, limit, Some(ask(subject.around_update())))
            .await?;
        let by_creation = self
            .reply(instance, 0, limit, Some(ask(subject.around_creation())))
            .await?;
        let time = judge::filter_time(&subject, &by_update, &by_creation, limit);
        let bounds = match &time.told {
            Told::Known { word, .. } => {
                let span = subject.its_second(word);
                let reply = self.reply(instance, 0, limit, Some(ask(span))).await?;
                judge::bounds(&subject, span, &reply, limit)
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
}
