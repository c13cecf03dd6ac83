//! One instance, walked until it is proven: fetch, store, judge, and again.
//!
//! Every answer is stored, also of a walk that proves nothing; what the archive concludes from it (missing, the mark) waits
//! for a proof. The decisions are in [`super::walk`], [`super::proof`] and [`super::window`]; this is the doing.

use super::{
    Session, Stopped, Work,
    event::Event,
    filtered::{self, Tally},
    incremental::CaughtUp,
    outcome::InstanceEnd,
    pages::Running,
    proof::{self, Doubt},
    walk::{Finding, Walk},
    window::{self, Probe, Window},
};
use crate::api::client::Filter;
use crate::api::error::ApiError;
use crate::model::{
    ledger::{Counts, TotalTrust, WalkEnd, WalkKind},
    rows::{Drift, DriftKind},
};
use crate::store::syncs::{Absence, InstanceState};

/// Walks of one instance in one sync, at most: a list that moves four times running is left to the next sync.
const ATTEMPTS: u32 = 4;

/// What one instance came to, for the summary.
#[derive(Clone, Debug)]
pub(crate) struct InstanceReport {
    pub(crate) instance_id: String,
    pub(crate) end: InstanceEnd,
    /// Of all its walks in this sync.
    pub(crate) counts: Counts,
    pub(crate) walks: u32,
    /// What proves the last walk; of an unproven one, why it is not.
    pub(crate) reason: String,
    /// Of a backfill: what the rows of its last walk tell of the filter.
    pub(super) filtered: Option<Tally>,
}

impl InstanceReport {
    /// An instance that the run did not come to the end of.
    pub(super) fn untried(instance_id: &str) -> Self {
        Self {
            instance_id: instance_id.to_owned(),
            end: InstanceEnd::NotRead,
            counts: Counts::default(),
            walks: 0,
            reason: "not read: the run ended before".to_owned(),
            filtered: None,
        }
    }
}

/// How one walk came out.
enum Attempt {
    Proven,
    Doubtful {
        finding: Box<Finding>,
        doubt: Doubt,
        before: Option<Box<Finding>>,
    },
    /// The unfiltered list hides records; the next walk asks with an early start.
    HiddenWindow,
    /// The count turned out to be that of the page; what it proved has to be proven otherwise.
    CountsThePage(Box<Finding>),
    Failed {
        error: Box<ApiError>,
        known: bool,
    },
}

impl Session<'_> {
    /// Walks one instance until it is proven, at most four times.
    pub(super) async fn instance(&self, instance_id: &str) -> Result<InstanceReport, Stopped> {
        let state = self.state(instance_id).await?;
        let mut report = InstanceReport {
            instance_id: instance_id.to_owned(),
            end: InstanceEnd::Unproven,
            counts: Counts::default(),
            walks: 0,
            reason: String::new(),
            filtered: None,
        };
        let mut before = None;
        let early = state.whole_list_needs_start.then(Filter::early);
        let (kind, mut filter, mut depth) = match self.job.work {
            Work::Backfill(asked) => (WalkKind::Backfill, Some(whole(asked, early)), None),
            Work::Sync(rules) => (WalkKind::Full, early, self.depth(instance_id, rules).await?),
        };
        for attempt in 1..=ATTEMPTS {
            self.tell(Event::Walking {
                instance_id: instance_id.to_owned(),
                attempt,
            });
            if let Some((depth, first)) = depth.take() {
                let error = match self
                    .incremental(attempt, filter, depth, first, &mut report)
                    .await?
                {
                    CaughtUp::Proven => {
                        report.end = InstanceEnd::Proven;
                        break;
                    }
                    CaughtUp::NeedsFull => continue,
                    CaughtUp::Failed(error) => error,
                };
                report.end = self.failed(instance_id, true, *error).await?;
                break;
            }
            let walk = Walk::new(self.endpoint.get(), self.page_limit());
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
                    report.end = self.failed(instance_id, known, *error).await?;
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

    async fn attempt(
        &self,
        state: InstanceState,
        mut running: Running,
        before: Option<Box<Finding>>,
        report: &mut InstanceReport,
    ) -> Result<Attempt, Stopped> {
        report.walks += 1;
        let id = report.instance_id.clone();
        let probe = if state.has_proven_full
            || running.filter.is_some()
            || running.kind != WalkKind::Full
            || running.attempt > 1
        {
            Ok(None)
        } else {
            self.probe(&id, &mut running).await?.map(Some)
        };
        let walked = match probe {
            Err(error) if !refuses_the_filter(&error) => Err(error),
            probe => self
                .pages(&id, &mut running)
                .await?
                .map(|()| probe.ok().flatten()),
        };
        let probe = match walked {
            Ok(probe) => probe,
            Err(error) => {
                let known = state.known || running.walk_key.is_some();
                // An instance that nobody knows leaves no trace.
                if known || !error.instance_absent() {
                    self.end_failed(&mut running, report, &error.in_one_line())
                        .await?;
                }
                return Ok(Attempt::Failed {
                    error: Box::new(error),
                    known,
                });
            }
        };
        self.judge(running, probe, before, report).await
    }

    /// Says what a walk that reached its end proves, and writes its ledger line.
    async fn judge(
        &self,
        mut running: Running,
        probe: Option<Probe>,
        before: Option<Box<Finding>>,
        report: &mut InstanceReport,
    ) -> Result<Attempt, Stopped> {
        let id = report.instance_id.clone();
        if running.kind == WalkKind::Backfill {
            report.filtered = running.filter.map(|_| running.tally);
        }
        let ended =
            std::mem::replace(&mut running.walk, Walk::new(self.endpoint.get(), 2)).finding();
        let finding = Box::new(ended.expect("pages are read until the walk says that it ended"));
        let verdict = proof::judge(&finding, self.endpoint.get().trust, before.as_deref());
        let evidence = match verdict {
            Ok(evidence) => evidence,
            Err(doubt) => {
                let reason = doubt.to_string();
                self.end_walk(&mut running, report, &finding, false, false, reason)
                    .await?;
                return Ok(Attempt::Doubtful {
                    finding,
                    doubt,
                    before,
                });
            }
        };
        match self.window(&id, &mut running, probe, &finding).await? {
            Err(error) => {
                self.end_failed(&mut running, report, &error.in_one_line())
                    .await?;
                Ok(Attempt::Failed {
                    error: Box::new(error),
                    known: true,
                })
            }
            Ok(Window::Hidden) => {
                let what = format!("the unfiltered task list of instance {id} hides old records");
                let walk_key = self.begin(&id, &mut running).await?;
                let drift = Drift {
                    kind: DriftKind::Upstream,
                    what: what.clone(),
                    sample: String::new(),
                };
                self.writer
                    .call(move |archive| {
                        archive.needs_start(walk_key)?;
                        archive.journal(walk_key, &drift)
                    })
                    .await?;
                self.end_walk(&mut running, report, &finding, false, false, what)
                    .await?;
                Ok(Attempt::HiddenWindow)
            }
            Ok(Window::CountsThePage) => {
                self.believe(TotalTrust::Distrusted);
                self.end_walk(
                    &mut running,
                    report,
                    &finding,
                    false,
                    false,
                    Doubt::NeedsEqualWalk.to_string(),
                )
                .await?;
                Ok(Attempt::CountsThePage(finding))
            }
            Ok(window) => {
                self.believe(proof::trust_after(&finding, self.endpoint.get().trust));
                let (call_missing, reason) = (
                    window == Window::Whole && running.kind == WalkKind::Full,
                    evidence.as_str().to_owned(),
                );
                self.end_walk(&mut running, report, &finding, true, call_missing, reason)
                    .await?;
                Ok(Attempt::Proven)
            }
        }
    }

    /// Says whether the unfiltered list is the whole one, asking again where that matters.
    ///
    /// `Whole` is also the answer where nothing hangs on it: no first walk, and nothing to call missing.
    async fn window(
        &self,
        id: &str,
        running: &mut Running,
        probe: Option<Probe>,
        finding: &Finding,
    ) -> Result<Result<Window, ApiError>, Stopped> {
        if running.filter.is_some() || running.kind != WalkKind::Full {
            return Ok(Ok(Window::Whole));
        }
        let before =
            probe.map(|probe| window::compare(probe, finding.positions, self.endpoint.get().trust));
        let suspicious = matches!(before, Some(Window::Hidden | Window::CountsThePage));
        self.settled(running).await?;
        let started = running.started.unwrap_or_else(|| self.clock.now());
        let would_call = match running.walk_key {
            Some(walk_key) => {
                self.writer
                    .call(move |archive| archive.would_call_missing(walk_key, started))
                    .await?
            }
            None => false,
        };
        if !suspicious && !would_call {
            return Ok(Ok(Window::Whole));
        }
        // The list may have moved between a probe and the walk, so only a fresh answer counts.
        match self.probe(id, running).await? {
            Ok(probe) => Ok(Ok(window::compare(
                probe,
                finding.positions,
                self.endpoint.get().trust,
            ))),
            Err(error) if ends_the_walk(&error) => Ok(Err(error)),
            Err(error) => {
                self.tell(Event::Note(format!(
                    "instance {id}: nothing is called missing in this sync: {error}"
                )));
                Ok(Ok(Window::Untold))
            }
        }
    }

    async fn end_walk(
        &self,
        running: &mut Running,
        report: &mut InstanceReport,
        finding: &Finding,
        proven: bool,
        call_missing: bool,
        reason: String,
    ) -> Result<(), Stopped> {
        let end = WalkEnd {
            proven,
            reason,
            error: None,
            started: running.started.unwrap_or_else(|| self.clock.now()),
            finished: self.clock.now(),
            requests: running.requests,
            server_total: finding.largest_total,
            received: finding.positions,
            mark: running.mark,
            call_missing,
            regular: finding.regular,
        };
        self.write_end(running, report, end).await
    }

    pub(super) async fn end_failed(
        &self,
        running: &mut Running,
        report: &mut InstanceReport,
        error: &str,
    ) -> Result<(), Stopped> {
        let now = self.clock.now();
        let end = WalkEnd {
            proven: false,
            reason: "the list could not be read to its end".to_owned(),
            error: Some(error.to_owned()),
            started: running.started.unwrap_or(now),
            finished: now,
            requests: running.requests,
            server_total: running.walk.largest_total(),
            received: running.received,
            mark: None,
            call_missing: false,
            regular: false,
        };
        self.write_end(running, report, end).await
    }

    pub(super) async fn write_end(
        &self,
        running: &mut Running,
        report: &mut InstanceReport,
        end: WalkEnd,
    ) -> Result<(), Stopped> {
        let walk_key = self.begin(&report.instance_id, running).await?;
        self.settled(running).await?;
        report.reason.clone_from(&end.reason);
        let (proven, reason) = (end.proven, end.reason.clone());
        let (host, endpoint) = (self.job.host.clone(), self.endpoint.get());
        let counts = self
            .writer
            .call(move |archive| {
                archive.save_endpoint(&host, endpoint)?;
                archive.end_walk(walk_key, &end)
            })
            .await?;
        add(&mut report.counts, counts);
        let instance_id = report.instance_id.clone();
        self.tell(Event::Walked {
            instance_id,
            proven,
            reason,
            counts,
        });
        Ok(())
    }

    /// Says what a failure means for the instance, and notes what it says about it.
    async fn failed(
        &self,
        instance_id: &str,
        known: bool,
        error: ApiError,
    ) -> Result<InstanceEnd, Stopped> {
        if error.is_unauthorized() {
            return Err(Stopped::Refused(Box::new(error)));
        }
        let (sync_key, now) = (self.sync_key, self.clock.now());
        let id = instance_id.to_owned();
        if error.instance_absent() {
            if !known {
                self.tell(Event::Warning(format!(
                    "the cloud does not know an instance {instance_id}: {error}"
                )));
                return Ok(InstanceEnd::Unknown);
            }
            let project_key = self.project().await?;
            let absence = self
                .writer
                .call(move |archive| archive.absent(project_key, &id, sync_key, now))
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
        self.failure(instance_id, error);
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

/// A server may refuse the early start of a probe; that says nothing about the list, which is then walked without it.
fn refuses_the_filter(error: &ApiError) -> bool {
    error.status() == Some(400) && !error.no_background_tasks()
}

/// Refused access and a dead origin end the walk of an instance; any other failure of a late probe only keeps it from
/// calling something missing.
fn ends_the_walk(error: &ApiError) -> bool {
    error.is_unauthorized() || error.is_forbidden() || error.origin_is_dead()
}

pub(super) fn add(sum: &mut Counts, more: Counts) {
    sum.received += more.received;
    sum.new += more.new;
    sum.changed += more.changed;
    sum.same += more.same;
    sum.older += more.older;
    sum.rejected += more.rejected;
    sum.rejected_new += more.rejected_new;
    sum.missing += more.missing;
    sum.reappeared += more.reappeared;
}
