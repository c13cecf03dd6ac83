//! One instance, read until it is proven: walk, and again, and what a failure says of the instance.

use super::{
    Session, Stopped, Work,
    attempt::{ATTEMPTS, Attempt, ListReport, refuses_the_filter},
    event::Event,
    filtered,
    incremental::CaughtUp,
    list::List,
    outcome::InstanceEnd,
    pages::Running,
    proof,
    selection::{Sight, Target},
    walk::Walk,
};
use crate::api::client::Filter;
use crate::api::error::ApiError;
use crate::model::ledger::WalkKind;
use crate::store::syncs::Absence;

impl Session<'_> {
    /// Walks one instance until it is proven, at most four times.
    pub(super) async fn instance(&self, target: &Target) -> Result<ListReport, Stopped> {
        let instance_id = target.instance_id.as_str();
        let list = List::Tasks(instance_id.to_owned());
        let state = self.state(instance_id).await?;
        let mut report = ListReport::begun(list.clone());
        let mut before = None;
        let early = state.whole_list_needs_start.then(Filter::early);
        let is_told = self.clock.is_told();
        let (kind, mut filter, mut depth) = match self.job.work {
            Work::Backfill(asked) => (WalkKind::Backfill, Some(whole(asked, early)), None),
            Work::Sync(rules) => {
                let depth = self.depth(instance_id, rules, is_told).await?;
                (WalkKind::Full, early, depth)
            }
        };
        for attempt in 1..=ATTEMPTS {
            self.tell(Event::Walking {
                list: list.clone(),
                attempt,
            });
            if let Some((depth, first)) = depth.take() {
                let error = match self
                    .incremental(attempt, filter, depth, first, &mut report)
                    .await?
                {
                    CaughtUp::Proven => {
                        if self.is_due(instance_id, is_told).await? {
                            continue;
                        }
                        report.end = InstanceEnd::Proven;
                        break;
                    }
                    CaughtUp::NeedsFull => continue,
                    CaughtUp::Failed(error) => error,
                };
                report.end = self.failed(target, true, *error).await?;
                break;
            }
            let walk = Walk::new(self.endpoint(&list).get(), self.page_limit(&list));
            let running = Running::new(attempt, kind, filter, walk);
            match self
                .attempt(state, running, before.take(), &mut report)
                .await?
            {
                Attempt::Proven => {
                    let new_rejects = report.counts.rejected_new > 0;
                    report.end = if new_rejects {
                        InstanceEnd::ProvenWithNewRejects
                    } else {
                        InstanceEnd::Proven
                    };
                    break;
                }
                Attempt::Doubtful {
                    finding,
                    doubt,
                    before: last,
                } => {
                    if !proof::worth_another(&finding, &doubt, last.as_deref()) {
                        break;
                    }
                    before = Some(finding);
                }
                // Of a list of instances alone.
                Attempt::NotBelieved => break,
                Attempt::HiddenWindow => filter = Some(Filter::early()),
                Attempt::CountsThePage(finding) => before = Some(finding),
                Attempt::Failed { error, .. }
                    if kind == WalkKind::Backfill
                        && filter.is_some()
                        && refuses_the_filter(&error) =>
                {
                    self.tell(Event::Note(format!(
                        "instance {instance_id}: {}",
                        filtered::REFUSED
                    )));
                    filter = None;
                }
                Attempt::Failed { error, known } => {
                    report.end = self.failed(target, known, *error).await?;
                    break;
                }
            }
        }
        if let Some(tally) = report.filtered {
            self.tell(Event::Note(format!(
                "instance {instance_id}: {}",
                tally.told()
            )));
        }
        if report.end == InstanceEnd::Unproven {
            self.tell(Event::Warning(format!(
                "instance {instance_id} is not proven complete: {}",
                report.reason
            )));
        }
        Ok(report)
    }

    /// Says what a failure means for the instance, and notes what it says about it.
    async fn failed(
        &self,
        target: &Target,
        known: bool,
        error: ApiError,
    ) -> Result<InstanceEnd, Stopped> {
        let instance_id = target.instance_id.as_str();
        let (sync_key, now) = (self.sync_key, self.clock.now());
        let id = instance_id.to_owned();
        if error.instance_absent() && target.sight == Sight::Shown {
            // Two answers that contradict each other say nothing about the instance.
            self.failure(&List::Tasks(id), error);
            return Ok(InstanceEnd::NotRead);
        }
        if error.instance_absent() {
            if !known {
                self.tell(Event::Warning(format!(
                    "the cloud does not know an instance {instance_id}: {error}"
                )));
                return Ok(InstanceEnd::Unknown);
            }
            let is_unlisted = target.sight == Sight::Lacking;
            let project_key = self.project().await?;
            let absence = self
                .writer
                .call(move |archive| archive.absent(project_key, &id, sync_key, now, is_unlisted))
                .await?;
            return Ok(self.tell_absence(instance_id, absence, &error));
        }
        if error.no_background_tasks() {
            let project_key = self.project().await?;
            let since = self
                .writer
                .call(move |archive| archive.unsupported(project_key, &id, now))
                .await?;
            let Some(since) = since else {
                self.tell(Event::Warning(format!(
                    "instance {instance_id} has no background tasks: {error}"
                )));
                return Ok(InstanceEnd::UnsupportedFound);
            };
            self.tell(Event::Note(format!(
                "instance {instance_id} has no background tasks (known since {since})"
            )));
            return Ok(InstanceEnd::UnsupportedNoted);
        }
        self.unread(&List::Tasks(id), error)
    }

    /// Says what a failure means that says nothing about what the list shows.
    pub(super) fn unread(&self, list: &List, error: ApiError) -> Result<InstanceEnd, Stopped> {
        if error.is_unauthorized() {
            return Err(Stopped::Refused(Box::new(error)));
        }
        if error.origin_is_dead() {
            return Err(Stopped::DeadOrigin(Box::new(error)));
        }
        if error.is_deadline() {
            return Err(Stopped::Deadline(Box::new(error)));
        }
        let end = if error.is_forbidden() {
            InstanceEnd::Forbidden
        } else {
            InstanceEnd::NotRead
        };
        self.failure(list, error);
        Ok(end)
    }

    fn tell_absence(&self, instance_id: &str, absence: Absence, error: &ApiError) -> InstanceEnd {
        match absence {
            Absence::First => {
                self.tell(Event::Warning(format!(
                    "instance {instance_id} is said not to exist; if the next sync is told the same, it is gone: {error}"
                )));
                InstanceEnd::NotRead
            }
            Absence::New => {
                self.tell(Event::Warning(format!(
                    "instance {instance_id} is said not to exist; it was first seen less than a day ago, and a copy of the \
                     cloud's data that lags may not know it yet, so it is not called gone: {error}"
                )));
                InstanceEnd::NotRead
            }
            Absence::Established => {
                self.tell(Event::Warning(format!(
                    "instance {instance_id} is gone; what the archive holds of it stays: {error}"
                )));
                InstanceEnd::AbsenceEstablished
            }
            Absence::Noted { since } => {
                self.tell(Event::Note(format!(
                    "instance {instance_id} is gone (known since {since})"
                )));
                InstanceEnd::AbsenceNoted
            }
        }
    }
}

/// The filter of a backfill without a beginning, where the plain list hides old records.
fn whole(asked: Filter, early: Option<Filter>) -> Filter {
    Filter {
        start: asked.start.or(early.and_then(|early| early.start)),
        ..asked
    }
}
